//! Turns taken back and brought again. What is to be done is on disk before it is done, so that a crash in the middle is
//! finished by whoever comes next: half a turn is a state that nobody ever saw.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::apply;
use super::bytes::{Reader, Writer};
use super::cut;
use super::missed;
use super::news::tell;
use super::records::{Change, Marks, Record};
use super::since;
use super::step::Step;
use super::store::{self, Store};
use super::survey::{Saved, survey};

const JOURNAL: &str = "journal";

/// Which turn is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// The last one that stands.
    Last,
    /// The last one that was taken back, to bring it again.
    Again,
    /// This one, whatever came after it.
    Number(u64),
}

/// What undo did or would do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    /// The turn.
    pub(crate) number: u64,
    /// What became of each path: below the working directory, or absolute in other folders.
    pub(crate) steps: Vec<Step>,
    /// Not everything of the turn was known.
    pub(crate) partial: bool,
    /// There are folders that are never looked at, for example build outputs that git ignores.
    pub(crate) skipped: bool,
    /// Commands of the turn ran on after it.
    pub(crate) running: bool,
    /// The program was killed in the turn.
    pub(crate) killed: bool,
    /// What changed after this turn while commands of it ran on; the user's own edits are among that.
    pub(crate) between: Option<u64>,
    /// The record of what changed after this turn while its commands ran on.
    pub(crate) later: Option<u64>,
    /// Further turns, taken back or brought again with this one.
    pub(crate) with: Vec<u64>,
    /// The turn in whose middle the thread goes back changed files too; they stay.
    pub(crate) amid: bool,
}

/// An undo that has begun.
#[derive(Debug)]
pub(super) struct Journal {
    pub(super) root: PathBuf,
    /// The record as it was before.
    pub(super) record: Record,
    pub(super) saved: Saved,
}

impl Journal {
    /// Puts it on disk.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn begin(&self, store: &Store) -> io::Result<()> {
        let mut to = Writer::new();
        to.bytes(self.root.as_os_str().as_bytes());
        self.record.write_to(&mut to)?;
        to.number(self.saved.len() as u64);
        for (path, state) in &self.saved {
            to.bytes(path.as_os_str().as_bytes());
            to.state(state.as_ref());
        }
        store.put(JOURNAL, &to.end())
    }

    /// `None` when it is damaged: nothing was done before it was whole.
    fn read(file: &[u8]) -> Option<Self> {
        let mut from = Reader::new(file)?;
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        let root = path(from.bytes()?);
        let record = Record::read_from(&mut from)?;
        let mut saved = Saved::new();
        for _ in 0..from.number()? {
            saved.insert(path(from.bytes()?), from.state()?);
        }
        Some(Self { root, record, saved })
    }
}

/// Takes a turn back in `root` and the other folders that it changed, or brings it again; `dry` only tells. `None`:
/// there is no such turn.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn revert(base: &Path, root: &Path, which: Which, dry: bool) -> io::Result<Option<Report>> {
    if which == Which::Again
        && let Some(numbers) = since::taken_together(base, root)?
    {
        return since::play(base, root, &numbers, which, dry).map(Some);
    }
    let Some((report, record)) = played(base, root, which, 0, dry)? else { return Ok(None) };
    if !dry {
        tell(base, root, &report, &record);
        missed::forget(base, root, report.number);
    }
    Ok(Some(report))
}

/// The same in all folders of the turn, and its record as it was before; nobody is told. `number`: see [`numbered`].
pub(super) fn played(
    base: &Path,
    root: &Path,
    which: Which,
    number: u64,
    dry: bool,
) -> io::Result<Option<(Report, Record)>> {
    let Some((mut report, record)) = numbered(base, root, which, number, dry)? else { return Ok(None) };
    for (other, number) in &record.also {
        let which = if record.undone { Which::Again } else { Which::Number(*number) };
        let Some((part, _)) = numbered(base, other, which, *number, dry)? else { continue };
        report.partial |= part.partial;
        report.skipped |= part.skipped;
        report.steps.extend(part.steps.into_iter().map(|step| step.below(other)));
    }
    Ok(Some((report, record)))
}

/// The part in one folder, and its record as it was before; `number` is the one to bring again, 0 for the first that was taken back.
fn numbered(
    base: &Path,
    root: &Path,
    which: Which,
    number: u64,
    dry: bool,
) -> io::Result<Option<(Report, Record)>> {
    if !store::exists(base, root) {
        return Ok(None);
    }
    if cut::any(base, root) {
        cut::recover_all(base);
    }
    let mut store = Store::open(base, root)?;
    recover(&mut store, root)?;
    let records = store.records();
    let later = |turn: u64| {
        let later = records.iter().find(|record| record.between == Some(turn) && !record.undone);
        later.map(|record| record.number)
    };
    let later: BTreeMap<u64, u64> =
        records.iter().filter_map(|record| Some((record.number, later(record.number)?))).collect();
    let found = match which {
        Which::Last => records.into_iter().rfind(|record| !record.undone && record.is_turn()),
        Which::Again => records.into_iter().find(|record| {
            record.undone && if number == 0 { record.thread.is_some() } else { record.number == number }
        }),
        Which::Number(number) => records.into_iter().find(|record| record.number == number && !record.undone),
    };
    let Some(record) = found else { return Ok(None) };
    let Record { number, partial, skipped, running, killed, between, .. } = record;
    let later = later.get(&number).copied();
    let steps = match dry {
        true => apply::look(root, &mut store, &record.changes)?,
        false => carry_out(&mut store, root, &record)?,
    };
    let report =
        Report { number, steps, partial, skipped, running, killed, between, later, ..Report::default() };
    Ok(Some((report, record)))
}

fn carry_out(store: &mut Store, root: &Path, record: &Record) -> io::Result<Vec<Step>> {
    let saved = survey(root, store, &record.changes)?;
    store.sync()?;
    let journal = Journal { root: root.to_owned(), record: record.clone(), saved };
    journal.begin(store)?;
    let steps = finish(store, root, record, &journal.saved, false)?;
    store.remove(JOURNAL);
    Ok(steps)
}

fn finish(
    store: &mut Store,
    root: &Path,
    record: &Record,
    saved: &Saved,
    resumed: bool,
) -> io::Result<Vec<Step>> {
    let (steps, inverse) = apply::apply(root, store, &record.changes, saved, resumed)?;
    // What stays as it is can still be taken back when the reason is gone.
    if !inverse.is_empty() || steps.is_empty() {
        let marks = fresh_marks(&record.changes, &inverse);
        let after = turned(record, inverse, &steps);
        store.write(&after, false)?;
        store.restamp(&marks)?;
    }
    Ok(steps)
}

/// The record that leads back: what was done, and what was left the last time.
fn turned(record: &Record, inverse: Vec<Change>, steps: &[Step]) -> Record {
    let left: BTreeSet<&Path> =
        steps.iter().filter(|step| step.changed().is_none()).map(Step::path).collect();
    let rest = record.changes.iter().filter(|change| left.contains(change.path.as_path())).cloned().collect();
    let mut changes = inverse;
    changes.extend(record.rest.iter().cloned());
    changes.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    changes.dedup_by(|a, b| a.path == b.path);
    Record { changes, rest, undone: !record.undone, together: None, ..record.clone() }
}

/// Finishes what a crash cut off in this folder. Whether there was anything.
///
/// # Errors
/// The disk says no.
pub(crate) fn recover(store: &mut Store, root: &Path) -> io::Result<bool> {
    let Some(file) = store.get(JOURNAL) else { return Ok(false) };
    let Some(Journal { record, saved, .. }) = Journal::read(&file) else {
        store.remove(JOURNAL);
        return Ok(false);
    };
    let now = store.records().into_iter().find(|now| now.number == record.number);
    match now {
        // Only the marks of other turns are missing.
        Some(now) if now.undone != record.undone => {
            store.restamp(&fresh_marks(&record.changes, &now.changes))?;
        }
        _ => drop(finish(store, root, &record, &saved, true)?),
    }
    store.remove(JOURNAL);
    Ok(true)
}

/// Finishes what crashes cut off below `base`; the folders in which there was something.
pub(crate) fn recover_all(base: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(base) else { return Vec::new() };
    let cut = entries.flatten().filter(|entry| entry.path().join(JOURNAL).exists());
    let mut mended = Vec::new();
    for entry in cut {
        let file = store::read(&entry.path().join(JOURNAL));
        let Some(journal) = file.and_then(|file| Journal::read(&file)) else { continue };
        // Where another program holds the folder, it is at work there itself.
        let done = Store::open(base, &journal.root).and_then(|mut store| recover(&mut store, &journal.root));
        if done.is_ok_and(|found| found) {
            mended.push(journal.root);
        }
    }
    mended
}

/// What came back has marks of its own; other turns know it by the old ones.
fn fresh_marks(undone: &[Change], inverse: &[Change]) -> Marks {
    let new: BTreeMap<&PathBuf, &Change> = inverse.iter().map(|change| (&change.path, change)).collect();
    let marks = undone.iter().filter_map(|change| {
        let after = new.get(&change.path)?.after?;
        Some((change.path.clone(), (change.before?.stamp, after)))
    });
    marks.collect()
}
