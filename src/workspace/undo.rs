//! What undo of whole turns needs: what commands, scripts and patches change below the working directory and the other
//! writable folders, with git or without. Before the first thing in a turn that may write, everything there is looked at and what is not yet
//! kept is copied; after the turn it is looked at again, and the difference is the record. An overlay would hide the
//! writes of commands from everybody else, and watching sees a change only when the old content is gone. What a turn
//! made is copied while nobody waits for it.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use super::undo_cut::{self, Open, Turn};
use super::undo_revert;
use super::undo_store::{Before, Change, Kept, Record, State, Store, has_content, read_all};
use super::undo_walk::{Kind, Stamp, Tree, walk};
use crate::base::ids::{ThreadId, TurnId};
use crate::base::tasks::{self, Task};

/// Copying stops after this: the next turn goes on with it. A turn does not wait for a large tree.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long after a turn what it made is copied: its end is shown first, and a program that runs one turn only is gone.
const CALM: Duration = Duration::from_millis(200);

/// Keeps what undo needs while the turns of one thread run.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// The folder of all stores; `None` keeps nothing.
    base: Option<PathBuf>,
    at: tokio::sync::Mutex<At>,
}

/// Where the thread is.
#[derive(Debug, Default)]
struct At {
    turn: Option<Turn>,
    /// The working directory of the turn first, then the other folders it may write.
    begun: Vec<Begun>,
    beat: Option<Task<()>>,
    ahead: Option<Ahead>,
}

/// A directory before the turn.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) root: PathBuf,
    pub(super) before: Before,
    /// Its mark on disk; without one the turn leaves no record when the program is killed.
    pub(super) open: Option<Open>,
}

/// Copies what the last turn made. Dropping it ends that.
#[derive(Debug)]
struct Ahead {
    stop: Arc<AtomicBool>,
    _task: Task<()>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

impl Keeper {
    /// Keeps below `base`, which is never looked at itself.
    pub(crate) fn new(base: Option<PathBuf>) -> Self {
        Self { base, at: tokio::sync::Mutex::default() }
    }

    /// Something of this turn of `thread` may write below `root` and `more` from now on. Only the first call of a turn
    /// for a folder does anything. Undo is no reason for a turn to fail, so neither is a fault in here.
    pub(crate) async fn before_change(
        &self,
        (thread, turn): (ThreadId, TurnId),
        root: &Path,
        more: Vec<PathBuf>,
    ) {
        let Some(base) = self.base.clone() else { return };
        let mut at = self.at.lock().await;
        if at.turn.as_ref().is_some_and(|turn| turn.between.is_some()) {
            at.close(&base, false).await;
        }
        at.ahead = None;
        let named = || Turn { of: Some(turn.to_string()), ..turn_of(thread, None) };
        let turn = at.turn.get_or_insert_with(named).clone();
        let count = at.begun.len();
        for root in std::iter::once(root.to_owned()).chain(more) {
            if at.begun.iter().any(|known| root.starts_with(&known.root)) {
                continue;
            }
            let (base, turn, own) = (base.clone(), turn.clone(), at.begun.is_empty());
            let one = tasks::blocking("undo", move || begin(&base, root, own, &turn)).await;
            at.begun.extend(one.ok().and_then(Result::ok));
        }
        if at.begun.len() > count {
            at.beat = Some(undo_cut::beat(at.begun.iter().filter_map(|begun| begun.open.as_ref())));
        }
    }

    /// The turn is over: writes down what it changed. `running`: commands of it still run, and what they write until
    /// the next turn gets a record of its own, since the user may write there too.
    pub(crate) async fn after_turn(&self, thread: ThreadId, running: bool) {
        let Some(base) = self.base.clone() else { return };
        let mut at = self.at.lock().await;
        if at.begun.is_empty() {
            // Nothing could be looked at; the next turn is another one.
            at.turn = None;
            return;
        }
        if running && at.turn.as_ref().is_some_and(|turn| turn.between.is_some()) {
            return;
        }
        let roots: Vec<PathBuf> = at.begun.iter().map(|begun| begun.root.clone()).collect();
        let (number, after) = at.close(&base, running).await;
        if !running {
            at.ahead = Some(ahead(base, after));
            return;
        }
        let turn = turn_of(thread, Some(number.unwrap_or(0)));
        at.turn = Some(turn.clone());
        for (count, root) in roots.into_iter().enumerate() {
            let (base, turn) = (base.clone(), turn.clone());
            let one = tasks::blocking("undo", move || begin(&base, root, count == 0, &turn)).await;
            at.begun.extend(one.ok().and_then(Result::ok));
        }
        at.beat = Some(undo_cut::beat(at.begun.iter().filter_map(|begun| begun.open.as_ref())));
    }

    /// The thread is over, and so are its commands.
    pub(crate) async fn close(&self) {
        let Some(base) = self.base.clone() else { return };
        let mut at = self.at.lock().await;
        at.ahead = None;
        at.close(&base, false).await;
    }

    /// What of the changes of `thread` in `root` was taken back or brought again since it was asked last, for the
    /// model.
    pub(crate) async fn news(&self, root: &Path, thread: ThreadId) -> Option<String> {
        let (base, root) = (self.base.clone()?, root.to_owned());
        let thread = thread.to_string();
        tasks::blocking("undo", move || undo_revert::news(&base, &root, &thread)).await.ok().flatten()
    }
}

impl At {
    /// Writes down what has begun: the number of its record, and what is there now.
    async fn close(&mut self, base: &Path, running: bool) -> (Option<u64>, Vec<(PathBuf, Tree)>) {
        self.beat = None;
        let (begun, base) = (std::mem::take(&mut self.begun), base.to_owned());
        let Some(turn) = self.turn.take().filter(|_| !begun.is_empty()) else { return (None, Vec::new()) };
        let ended = tasks::blocking("undo", move || end(&base, begun, &turn, running)).await;
        ended.ok().and_then(Result::ok).unwrap_or_default()
    }
}

fn turn_of(thread: ThreadId, between: Option<u64>) -> Turn {
    Turn { id: uuid::Uuid::new_v4().simple().to_string(), thread: thread.to_string(), of: None, between }
}

fn begin(base: &Path, root: PathBuf, own: bool, turn: &Turn) -> io::Result<Begun> {
    if undo_cut::any(base, &root) {
        undo_cut::recover_all(base);
    }
    let mut store = Store::open(base, &root)?;
    undo_revert::recover(&mut store, &root)?;
    let before = keep_all(&mut store, &root, walk(&root, home_of(base)), &AtomicBool::new(false));
    store.set_index(&before)?;
    store.sweep();
    let open = Open::new(&store, &root, own, turn).ok();
    Ok(Begun { root, before, open })
}

/// Copies what is not kept yet, as far as there is time.
fn keep_all(store: &mut Store, root: &Path, tree: Tree, stop: &AtomicBool) -> Before {
    let started = Instant::now();
    let mut entries = BTreeMap::new();
    for (path, stamp) in tree.entries {
        let kept = match store.known(&path, &stamp) {
            Some(kept) => Some(kept),
            None if !has_content(&stamp) => None,
            None if started.elapsed() < PATIENCE && !stop.load(Ordering::Relaxed) => {
                copy(store, &root.join(&path), &stamp).unwrap_or(None)
            }
            None => None,
        };
        entries.insert(path, State { stamp, kept });
    }
    Before { entries, gaps: tree.gaps }
}

/// Copies what is there after a turn, in a while.
fn ahead(base: PathBuf, after: Vec<(PathBuf, Tree)>) -> Ahead {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = Arc::clone(&stop);
    let task = tasks::spawn("undo ahead", async move {
        tokio::time::sleep(CALM).await;
        let all = move || {
            for (root, tree) in after {
                let Ok(mut store) = Store::open(&base, &root) else { continue };
                let kept = keep_all(&mut store, &root, tree, &stopped);
                let _ = store.set_index(&kept);
            }
        };
        let _ = tasks::blocking("undo ahead", all).await;
    });
    Ahead { stop, _task: task }
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

type Ended = (Option<u64>, Vec<(PathBuf, Tree)>);

fn end(base: &Path, begun: Vec<Begun>, turn: &Turn, running: bool) -> io::Result<Ended> {
    let mut begun = begun.into_iter();
    let Some(own) = begun.next() else { return Ok(Ended::default()) };
    let (mut also, mut trees) = (Vec::new(), Vec::new());
    for other in begun {
        let root = other.root.clone();
        // One folder that cannot be written down does not keep the others from it.
        let Ok((number, after)) = close(base, other, Record::default(), None) else { continue };
        also.extend(number.map(|number| (root.clone(), number)));
        trees.push((root, after));
    }
    let (thread, root) = (Some(turn.thread.clone()), own.root.clone());
    let (between, turn) = (turn.between, turn.of.clone());
    let record = Record { thread, turn, running, also, between, ..Record::default() };
    let (number, after) = close(base, own, record, None)?;
    trees.push((root, after));
    Ok((number, trees))
}

/// Writes down what changed in one folder, when anything did; the number of the record, and what is there now. What
/// changed after `until` was not the turn.
pub(super) fn close(
    base: &Path,
    begun: Begun,
    mut record: Record,
    until: Option<SystemTime>,
) -> io::Result<(Option<u64>, Tree)> {
    let Begun { root, before, open } = begun;
    let after = walk(&root, home_of(base));
    let own = |stamp: &Stamp| {
        if until.is_some_and(|until| stamp.is_later(until)) { stamp.nobodys() } else { *stamp }
    };
    let mut changes: Vec<Change> = before
        .entries
        .iter()
        .filter(|(path, state)| after.entries.get(*path) != Some(&state.stamp))
        .map(|(path, state)| Change {
            path: PathBuf::from(path),
            before: Some(*state),
            after: after.entries.get(path).map(own),
        })
        .collect();
    // What was merely not looked at before is not new: undo would delete it.
    let made = after.entries.iter();
    let made = made.filter(|(path, _)| !before.entries.contains_key(*path) && before.gaps.spare(path));
    changes.extend(made.map(|(path, stamp)| Change {
        path: PathBuf::from(path),
        before: None,
        after: Some(own(stamp)),
    }));
    if changes.is_empty() && record.also.is_empty() {
        return Ok((None, after));
    }
    changes.sort_by(|a, b| a.path.as_os_str().cmp(b.path.as_os_str()));
    record.partial = before.gaps.partial || after.gaps.partial || changes.iter().any(lacks);
    record.skipped = before.gaps.unseen.iter().chain(&after.gaps.unseen).any(|dir| !dir.ends_with(".git"));
    let store = Store::open(base, &root)?;
    let number = store.next_number();
    store.write(&Record { number, changes, ..record }, true)?;
    drop(open);
    Ok((Some(number), after))
}

fn lacks(change: &Change) -> bool {
    change
        .before
        .is_some_and(|state| matches!(state.stamp.kind, Kind::File | Kind::Link) && state.kept.is_none())
}

#[cfg(test)]
#[path = "undo_tests.rs"]
mod tests;
