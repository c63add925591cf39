//! Several turns at once: what going back in a conversation takes along, and what brings it again. On disk they are
//! taken back one after the other, each with its own journal; what that will come to is told beforehand by playing the
//! changes on top of each other, because the files still stand as the last turn left them.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use super::apply;
use super::cut;
use super::news;
use super::records::{Change, Record};
use super::revert::{self, Report, Which};
use super::stamp::Kind;
use super::step::Step;
use super::store::{self, Store};

/// The turns that are meant, as their thread calls them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// Those to be taken back.
    pub(crate) turns: Vec<String>,
    /// One that began before and stays.
    pub(crate) amid: Option<String>,
    /// The thread: turns of it that came later and that it forgot already are taken back too.
    pub(crate) thread: Option<String>,
}

impl Wanted {
    /// Whether this turn is meant. Names of turns are in the order of their age.
    fn takes(&self, record: &Record) -> bool {
        let Some(turn) = &record.turn else { return false };
        let later = match self.turns.iter().min() {
            Some(first) => turn > first,
            None => self.amid.as_ref().is_some_and(|amid| turn > amid),
        };
        self.turns.contains(turn) || (later && self.thread.is_some() && record.thread == self.thread)
    }
}

/// Takes back everything that these turns changed in `root` and the other folders of theirs, and tells no thread: the
/// one they belong to forgets them. `dry` only tells. The report names files only. `None`: nothing of them stands.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn since(base: &Path, root: &Path, wanted: &Wanted, dry: bool) -> io::Result<Option<Report>> {
    let Some(records) = records(base, root)? else { return Ok(None) };
    let standing = |record: &&Record| !record.undone && record.is_turn();
    let mut amid = records.iter().filter(standing);
    let amid = amid.any(|record| record.turn.is_some() && record.turn == wanted.amid);
    let mut numbers: Vec<u64> = records
        .iter()
        .filter(standing)
        .filter(|record| wanted.takes(record))
        .map(|record| record.number)
        .collect();
    numbers.reverse();
    if numbers.is_empty() {
        return Ok(amid.then(|| Report { amid, ..Report::default() }));
    }
    let report = play(base, root, &numbers, Which::Last, dry)?;
    Ok(Some(Report { amid, ..report }))
}

/// The turns that were taken back together and would come again first, oldest first.
pub(super) fn taken_together(base: &Path, root: &Path) -> io::Result<Option<Vec<u64>>> {
    let records = records(base, root)?.unwrap_or_default();
    let mut undone = records.iter().filter(|record| record.undone && record.thread.is_some());
    let Some(group) = undone.next().and_then(|first| first.together) else { return Ok(None) };
    let same = records.iter().filter(|record| record.undone && record.together == Some(group));
    Ok(Some(same.map(|record| record.number).collect()))
}

/// Takes these turns back, or brings them again, in this order.
pub(super) fn play(base: &Path, root: &Path, numbers: &[u64], which: Which, dry: bool) -> io::Result<Report> {
    let mut report = look(base, root, numbers)?;
    if dry {
        return Ok(report);
    }
    let mut changed = BTreeSet::new();
    for number in numbers {
        let which = if which == Which::Again { which } else { Which::Number(*number) };
        let Some((part, record)) = revert::played(base, root, which, *number, false)? else { continue };
        if record.undone {
            news::tell(base, root, &part, &record);
        }
        part.steps.into_iter().for_each(|step| correct(&mut report.steps, &mut changed, step));
    }
    if which != Which::Again && numbers.len() > 1 {
        bind(base, root, numbers)?;
    }
    Ok(report)
}

/// What was left is told, whatever was expected. Only a file in which somebody else wrote in between is left by the
/// earlier turns after it was `changed` for the later ones.
fn correct(expected: &mut [Step], changed: &mut BTreeSet<PathBuf>, step: Step) {
    let Step::Left(path, why) = step else {
        changed.insert(step.path().to_owned());
        return;
    };
    let told = expected.iter_mut().find(|told| told.changed() == Some(path.as_path()));
    if let Some(told) = told.filter(|told| !matches!(told, Step::Partly(_)) || !changed.contains(&path)) {
        *told = Step::Left(path, why);
    }
}

/// They come again together. Only convenience: a crash before this brings them one by one.
fn bind(base: &Path, root: &Path, numbers: &[u64]) -> io::Result<()> {
    let mut store = Store::open(base, root)?;
    let group = numbers.iter().min().copied();
    for record in store.records() {
        if record.undone && numbers.contains(&record.number) {
            store.write(&Record { together: group, ..record }, false)?;
        }
    }
    Ok(())
}

/// All records of a folder; `None` when nothing was ever kept for it.
pub(super) fn records(base: &Path, root: &Path) -> io::Result<Option<Vec<Record>>> {
    if !store::exists(base, root) {
        return Ok(None);
    }
    if cut::any(base, root) {
        cut::recover_all(base);
    }
    let mut store = Store::open(base, root)?;
    revert::recover(&mut store, root)?;
    Ok(Some(store.records()))
}

/// Tells what playing these turns in this order would come to, file by file.
fn look(base: &Path, root: &Path, numbers: &[u64]) -> io::Result<Report> {
    let records = records(base, root)?.unwrap_or_default();
    let mut report = Report { number: numbers.iter().min().copied().unwrap_or(0), ..Report::default() };
    report.with = numbers.iter().copied().filter(|number| *number != report.number).collect();
    report.with.sort_unstable();
    let mut folders: BTreeMap<PathBuf, Played> = BTreeMap::new();
    for number in numbers {
        let Some(record) = records.iter().find(|record| record.number == *number) else { continue };
        report.take_marks(record);
        folders.entry(root.to_owned()).or_default().add(&record.changes);
        for (other, number) in &record.also {
            let records = self::records(base, other)?.unwrap_or_default();
            if let Some(part) = records.iter().find(|part| part.number == *number) {
                report.take_marks(part);
                folders.entry(other.clone()).or_default().add(&part.changes);
            }
        }
    }
    for (folder, played) in folders {
        let mut store = Store::open(base, &folder)?;
        let steps = played.steps(&folder, &mut store)?;
        let own = folder == root;
        report.steps.extend(steps.into_iter().map(|step| if own { step } else { step.below(&folder) }));
    }
    Ok(report)
}

impl Report {
    fn take_marks(&mut self, record: &Record) {
        self.partial |= record.partial;
        self.skipped |= record.skipped;
        self.running |= record.running;
        self.killed |= record.killed;
    }
}

/// Changes of several turns, played on top of each other.
#[derive(Debug, Default)]
struct Played(BTreeMap<PathBuf, (Change, bool)>);

impl Played {
    /// Plays the changes of the next turn. Where its end is not what was played so far, somebody else wrote in
    /// between, and the rest stays.
    fn add(&mut self, changes: &[Change]) {
        for change in changes {
            let Some((all, broken)) = self.0.get_mut(&change.path) else {
                self.0.insert(change.path.clone(), (change.clone(), false));
                continue;
            };
            if *broken || all.before.map(|state| state.stamp) != change.after {
                *broken = true;
                continue;
            }
            all.before = change.before;
        }
    }

    /// What becomes of each file below `root`.
    fn steps(self, root: &Path, store: &mut Store) -> io::Result<Vec<Step>> {
        let is_folder = |change: &Change| {
            let kinds = [change.before.map(|state| state.stamp.kind), change.after.map(|stamp| stamp.kind)];
            kinds.iter().flatten().all(|kind| *kind == Kind::Folder)
        };
        let mut changes: Vec<Change> = self
            .0
            .values()
            .map(|(change, _)| change.clone())
            .filter(|change| change.before.map(|state| state.stamp) != change.after && !is_folder(change))
            .collect();
        changes.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
        let steps = apply::look(root, store, &changes)?.into_iter().map(|step| match step.changed() {
            Some(path) if self.0.get(path).is_some_and(|(_, broken)| *broken) => {
                Step::Partly(path.to_owned())
            }
            _ => step,
        });
        let mut steps: Vec<Step> = steps.collect();
        steps.sort_by(|a, b| a.path().cmp(b.path()));
        Ok(steps)
    }
}
