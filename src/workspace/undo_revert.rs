//! Turns taken back and brought again. What is to be done is on disk before it is done, so that a crash in the middle is
//! finished by whoever comes next: half a turn is a state that nobody ever saw.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::undo_apply::{self, Saved, Step};
use super::undo_cut;
use super::undo_since;
use super::undo_store::{self, Change, Marks, Record, Store};

/// Paths that the model is told of.
const TOLD_PATHS: usize = 40;
/// Pieces of news that are kept for threads that may never come back.
const MAX_NEWS: usize = 50;
const JOURNAL: &str = "undo.journal";
const NEWS: &str = "news.json";

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
#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    root: PathBuf,
    /// The record as it was before.
    record: Record,
    saved: Vec<(PathBuf, Option<undo_store::State>)>,
}

/// Something that a thread does not know yet.
#[derive(Debug, Serialize, Deserialize)]
struct News {
    thread: String,
    number: u64,
    again: bool,
    paths: Vec<String>,
    more: usize,
}

/// Takes a turn back in `root` and the other folders that it changed, or brings it again; `dry` only tells. `None`:
/// there is no such turn.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn revert(base: &Path, root: &Path, which: Which, dry: bool) -> io::Result<Option<Report>> {
    if which == Which::Again
        && let Some(numbers) = undo_since::taken_together(base, root)?
    {
        return undo_since::play(base, root, &numbers, which, dry).map(Some);
    }
    let Some((report, record)) = played(base, root, which, 0, dry)? else { return Ok(None) };
    if !dry {
        tell(base, root, &report, &record);
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

/// Tells the thread whose turn it was. The files are what counts; a thread that hears nothing of it will see them.
pub(super) fn tell(base: &Path, root: &Path, report: &Report, record: &Record) {
    if let Some(thread) = &record.thread {
        let _ = note(base, root, thread, report, record.undone);
    }
}

/// The part in one folder, and its record as it was before; `number` is the one to bring again, 0 for the first that was taken back.
fn numbered(
    base: &Path,
    root: &Path,
    which: Which,
    number: u64,
    dry: bool,
) -> io::Result<Option<(Report, Record)>> {
    if !undo_store::exists(base, root) {
        return Ok(None);
    }
    if undo_cut::any(base, root) {
        undo_cut::recover_all(base);
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
        true => undo_apply::look(root, &mut store, &record.changes)?,
        false => carry_out(&mut store, root, &record)?,
    };
    let report =
        Report { number, steps, partial, skipped, running, killed, between, later, ..Report::default() };
    Ok(Some((report, record)))
}

fn carry_out(store: &mut Store, root: &Path, record: &Record) -> io::Result<Vec<Step>> {
    let saved = undo_apply::survey(root, store, &record.changes)?;
    store.sync()?;
    let journal = Journal {
        root: root.to_owned(),
        record: record.clone(),
        saved: saved.iter().map(|(path, state)| (path.clone(), *state)).collect(),
    };
    store.put(JOURNAL, &journal)?;
    let steps = finish(store, root, record, &saved, false)?;
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
    let (steps, inverse) = undo_apply::apply(root, store, &record.changes, saved, resumed)?;
    // What stays as it is can still be taken back when the reason is gone.
    if !inverse.is_empty() || steps.is_empty() {
        let after = Record { changes: inverse, undone: !record.undone, together: None, ..record.clone() };
        store.write(&after, false)?;
        store.restamp(&fresh_marks(&record.changes, &after.changes))?;
    }
    Ok(steps)
}

/// Finishes what a crash cut off in this folder. Whether there was anything.
///
/// # Errors
/// The disk says no.
pub(crate) fn recover(store: &mut Store, root: &Path) -> io::Result<bool> {
    let Some(journal) = store.get::<Journal>(JOURNAL) else {
        // None, or one that cannot be read: nothing was done before it was whole.
        store.remove(JOURNAL);
        return Ok(false);
    };
    let saved: Saved = journal.saved.into_iter().collect();
    let now = store.records().into_iter().find(|record| record.number == journal.record.number);
    match now {
        // Only the marks of other turns are missing.
        Some(now) if now.undone != journal.record.undone => {
            store.restamp(&fresh_marks(&journal.record.changes, &now.changes))?;
        }
        _ => drop(finish(store, root, &journal.record, &saved, true)?),
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
        let Some(journal) = undo_store::read_json::<Journal>(&entry.path().join(JOURNAL)) else { continue };
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

fn note(base: &Path, root: &Path, thread: &str, report: &Report, again: bool) -> io::Result<()> {
    let changed = report.steps.iter().filter_map(Step::changed);
    let mut paths: Vec<String> = changed.map(|path| path.display().to_string()).collect();
    let more = paths.len().saturating_sub(TOLD_PATHS);
    paths.truncate(TOLD_PATHS);
    let store = Store::open(base, root)?;
    let mut all = store.get::<Vec<News>>(NEWS).unwrap_or_default();
    all.push(News { thread: thread.to_owned(), number: report.number, again, paths, more });
    let surplus = all.len().saturating_sub(MAX_NEWS);
    all.drain(..surplus);
    store.put(NEWS, &all)
}

/// What `thread` has to hear about `root`, once.
pub(super) fn news(base: &Path, root: &Path, thread: &str) -> Option<String> {
    if !undo_store::folder(base, root).join(NEWS).exists() {
        return None;
    }
    let store = Store::open(base, root).ok()?;
    let (own, others): (Vec<News>, Vec<News>) =
        store.get::<Vec<News>>(NEWS)?.into_iter().partition(|news| news.thread == thread);
    match others.is_empty() {
        true => store.remove(NEWS),
        false => store.put(NEWS, &others).ok()?,
    }
    let escaped = |text: &str| {
        let plain: String = text.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        plain.replace('<', "&lt;").replace('>', "&gt;")
    };
    let each = own.iter().map(|news| {
        let done = if news.again { "brought again" } else { "took back" };
        let mut text = format!(
            "The user {done} what an earlier turn had changed. Read these files again before using them:\n"
        );
        text.extend(news.paths.iter().map(|path| format!("- {}\n", escaped(path))));
        if news.more > 0 {
            text.push_str(&format!("- and {} more\n", news.more));
        }
        text
    });
    let text: String = each.collect();
    (!text.is_empty()).then(|| format!("<files_taken_back>\n{text}</files_taken_back>"))
}
