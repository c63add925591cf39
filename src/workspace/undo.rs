//! What undo of whole turns needs: what commands, scripts and patches change below the working directory and the other
//! writable folders, with git or without. Before the first thing in a turn that may write, everything there is looked at and what is not yet
//! kept is copied; after the turn it is looked at again, and the difference is the record. An overlay would hide the
//! writes of commands from everybody else, and watching sees a change only when the old content is gone.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::undo_revert;
use super::undo_store::{Change, Kept, Record, State, Store, has_content, read_all};

use super::undo_walk::{Kind, Stamp, Tree, walk};
use crate::base::ids::ThreadId;
use crate::base::tasks;

/// Copying stops after this: the next turn goes on with it. A turn does not wait for a large tree.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Keeps what undo needs while the turns of one thread run.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// The folder of all stores; `None` keeps nothing.
    base: Option<PathBuf>,
    /// The working directory of the turn first, then the other folders it may write.
    begun: tokio::sync::Mutex<Vec<Begun>>,
}

/// A directory before the turn.
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

    /// Something may write below `root` and `more` from now on. Only the first call of a turn for a folder does
    /// anything. Undo is no reason for a turn to fail, so neither is a fault in here.
    pub(crate) async fn before_change(&self, root: &Path, more: Vec<PathBuf>) {
        let Some(base) = self.base.clone() else { return };
        let mut begun = self.begun.lock().await;
        for root in std::iter::once(root.to_owned()).chain(more) {
            if begun.iter().any(|known| root.starts_with(&known.root)) {
                continue;
            }
            let base = base.clone();
            let one = tasks::blocking("undo", move || begin(&base, root)).await;
            begun.extend(one.ok().and_then(Result::ok));
        }
    }

    /// The turn is over: writes down what it changed. `running`: commands of it still run, and what they write later
    /// is nobody's.
    pub(crate) async fn after_turn(&self, thread: ThreadId, running: bool) {
        let Some(base) = self.base.clone() else { return };
        let begun = std::mem::take(&mut *self.begun.lock().await);
        if !begun.is_empty() {
            let thread = Some(thread.to_string());
            let _ = tasks::blocking("undo", move || end(&base, begun, thread, running)).await;
        }
    }

    /// What of the changes of `thread` in `root` was taken back or brought again since it was asked last, for the
    /// model.
    pub(crate) async fn news(&self, root: &Path, thread: ThreadId) -> Option<String> {
        let (base, root) = (self.base.clone()?, root.to_owned());
        let thread = thread.to_string();
        tasks::blocking("undo", move || undo_revert::news(&base, &root, &thread)).await.ok().flatten()
    }
}

fn begin(base: &Path, root: PathBuf) -> io::Result<Begun> {
    let mut store = Store::open(base, &root)?;
    undo_revert::recover(&mut store, &root)?;
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

fn end(base: &Path, begun: Vec<Begun>, thread: Option<String>, running: bool) -> io::Result<()> {
    let mut begun = begun.into_iter();
    let Some(own) = begun.next() else { return Ok(()) };
    let mut also = Vec::new();
    for other in begun {
        let root = other.root.clone();
        // One folder that cannot be written down does not keep the others from it.
        if let Ok(Some(number)) = close(base, other, Record::default()) {
            also.push((root, number));
        }
    }
    close(base, own, Record { thread, running, also, ..Record::default() }).map(drop)
}

/// Writes down what changed in one folder, when anything did; the number of the record.
fn close(base: &Path, begun: Begun, mut record: Record) -> io::Result<Option<u64>> {
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
    if changes.is_empty() && record.also.is_empty() {
        return Ok(None);
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    record.partial = before.partial || after.partial || changes.iter().any(lacks);
    record.skipped = before.unseen.iter().chain(&after.unseen).any(|dir| !dir.ends_with(".git"));
    let store = Store::open(base, &root)?;
    let number = store.records().last().map_or(1, |last| last.number + 1);
    store.write(&Record { number, changes, ..record }, true)?;
    Ok(Some(number))
}

fn lacks(change: &Change) -> bool {
    change
        .before
        .is_some_and(|state| matches!(state.stamp.kind, Kind::File | Kind::Link) && state.kept.is_none())
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
