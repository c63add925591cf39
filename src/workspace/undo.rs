//! Undo of whole turns: what commands, scripts and patches changed below the working directory comes back, with git
//! or without. Before the first thing in a turn that may write, everything there is looked at and what is not yet
//! kept is copied; after the turn it is looked at again, and the difference is the record. An overlay would hide the
//! writes of commands from everybody else, and watching sees a change only when the old content is gone.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::undo_apply::{self, Step};
use super::undo_store::{self, Change, Kept, Marks, Record, State, Store, has_content, read_all};
use super::undo_walk::{Kind, Stamp, Tree, walk};
use crate::base::tasks;

/// Copying stops after this: the next turn goes on with it. A turn does not wait for a large tree.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Keeps what undo needs while the turns of one thread run.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// The folder of all stores; `None` keeps nothing.
    base: Option<PathBuf>,
    begun: tokio::sync::Mutex<Option<Begun>>,
}

/// The directory before the turn.
#[derive(Debug)]
struct Begun {
    root: PathBuf,
    tree: Tree,
    index: BTreeMap<PathBuf, State>,
}

impl Keeper {
    /// Keeps below `base`, which is never looked at itself.
    pub(crate) fn new(base: Option<PathBuf>) -> Self {
        Self { base, begun: tokio::sync::Mutex::default() }
    }

    /// Something may write below `root` from now on. Only the first call of a turn does anything. Undo is no
    /// reason for a turn to fail, so neither is a fault in here.
    pub(crate) async fn before_change(&self, root: &Path, _more: Vec<PathBuf>) {
        let Some(base) = self.base.clone() else { return };
        let mut begun = self.begun.lock().await;
        if begun.is_none() {
            let root = root.to_owned();
            *begun = tasks::blocking("undo", move || begin(&base, root)).await.ok().and_then(Result::ok);
        }
    }

    /// The turn is over: writes down what it changed.
    pub(crate) async fn after_turn(&self) {
        let (Some(base), Some(begun)) = (self.base.clone(), self.begun.lock().await.take()) else { return };
        let _ = tasks::blocking("undo", move || end(&base, begun)).await;
    }
}

fn begin(base: &Path, root: PathBuf) -> io::Result<Begun> {
    let mut store = Store::open(base, &root)?;
    let started = Instant::now();
    let tree = walk(&root, home_of(base));
    let mut index = BTreeMap::new();
    for (path, stamp) in tree.entries.iter().filter(|(_, stamp)| has_content(stamp)) {
        let kept = match store.known(path, stamp) {
            Some(kept) => Some(kept),
            None if started.elapsed() < PATIENCE => copy(&mut store, &root.join(path), stamp).unwrap_or(None),
            None => None,
        };
        index.insert(path.clone(), State { stamp: *stamp, kept });
    }
    store.set_index(index.clone())?;
    store.sweep();
    Ok(Begun { root, tree, index })
}

/// The user's own folder, which may lie inside the working directory.
fn home_of(base: &Path) -> &Path {
    base.parent().unwrap_or(base)
}

/// Copies a content; `None` when it changed meanwhile or there is no room.
fn copy(store: &mut Store, path: &Path, stamp: &Stamp) -> io::Result<Option<Kept>> {
    let bytes = match stamp.kind {
        Kind::Link => std::fs::read_link(path)?.as_os_str().as_bytes().to_vec(),
        _ => {
            let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
            read_all(OpenOptions::new().read(true).custom_flags(flags).open(path)?)?
        }
    };
    if Stamp::of(&path.symlink_metadata()?) != *stamp {
        return Ok(None);
    }
    store.keep(&bytes)
}

fn end(base: &Path, begun: Begun) -> io::Result<()> {
    let Begun { root, tree: before, index } = begun;
    let after = walk(&root, home_of(base));
    let state =
        |path: &PathBuf, stamp: &Stamp| State { stamp: *stamp, kept: index.get(path).and_then(|s| s.kept) };
    let mut changes: Vec<Change> = before
        .entries
        .iter()
        .filter(|(path, stamp)| after.entries.get(*path) != Some(stamp))
        .map(|(path, stamp)| Change {
            path: path.clone(),
            before: Some(state(path, stamp)),
            after: after.entries.get(path).copied(),
        })
        .collect();
    // What was merely not looked at before is not new: undo would delete it.
    let made = after.entries.iter().filter(|(path, _)| before.lacks(path));
    changes.extend(made.map(|(path, stamp)| Change {
        path: path.clone(),
        before: None,
        after: Some(*stamp),
    }));
    if changes.is_empty() {
        return Ok(());
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    let partial = before.partial || after.partial || changes.iter().any(lacks);
    let store = Store::open(base, &root)?;
    let number = store.records().last().map_or(1, |last| last.number + 1);
    store.write(&Record { number, changes, undone: false, partial }, true)
}

fn lacks(change: &Change) -> bool {
    change
        .before
        .is_some_and(|state| matches!(state.stamp.kind, Kind::File | Kind::Link) && state.kept.is_none())
}

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
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// The turn.
    pub(crate) number: u64,
    /// What became of each path.
    pub(crate) steps: Vec<Step>,
    /// Not everything of the turn was known.
    pub(crate) partial: bool,
}

/// Takes a turn back in `root`, or brings it again; `dry` only tells. `None`: there is no such turn.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn revert(base: &Path, root: &Path, which: Which, dry: bool) -> io::Result<Option<Report>> {
    if !undo_store::exists(base, root) {
        return Ok(None);
    }
    let mut store = Store::open(base, root)?;
    let records = store.records();
    let found = match which {
        Which::Last => records.into_iter().rfind(|record| !record.undone),
        Which::Again => records.into_iter().find(|record| record.undone),
        Which::Number(number) => records.into_iter().find(|record| record.number == number && !record.undone),
    };
    let Some(mut record) = found else { return Ok(None) };
    let (steps, inverse) = undo_apply::apply(root, &mut store, &record.changes, dry)?;
    if !dry {
        // What stays as it is can still be taken back when the reason is gone.
        if !inverse.is_empty() || steps.is_empty() {
            let undone = std::mem::replace(&mut record.changes, inverse);
            record.undone = !record.undone;
            store.write(&record, false)?;
            store.restamp(&fresh_marks(&undone, &record.changes))?;
        }
    }
    Ok(Some(Report { number: record.number, steps, partial: record.partial }))
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

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
