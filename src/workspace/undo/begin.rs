//! A folder before a turn: everything in it is looked at, and what is not yet kept is copied. An overlay would hide the
//! writes of commands from everybody else, and watching sees a change only when the old content is gone.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustix::fs::{Mode, OFlags};

use super::cut::{self, Open, Turn};
use super::revert;
use super::stamp::{Kind, Stamp, stamp_at};
use super::state::{Before, Kept, State};
use super::store::{MAX_FILE, MAX_KEPT, Store};
use super::walk::{Tree, walk};
use crate::base::tasks::{self, Task};

/// Copying stops after this: the next turn goes on with it. A turn does not wait for a large tree.
const PATIENCE: Duration = Duration::from_millis(1500);
/// How long after a turn what it made is copied: its end is shown first, and a program that runs one turn only is gone.
const CALM: Duration = Duration::from_millis(200);

/// A folder before the turn.
#[derive(Debug)]
pub(super) struct Begun {
    pub(super) root: PathBuf,
    /// Not held in memory while it is on disk: it is as long as the folder is large.
    pub(super) before: Option<Before>,
    /// Its mark on disk; without one the turn leaves no record when the program is killed.
    pub(super) open: Option<Open>,
}

/// Copies what the last turn made. Dropping it ends that.
#[derive(Debug)]
pub(super) struct Ahead {
    stop: std::sync::Arc<AtomicBool>,
    _task: Task<()>,
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Looks at `root` before `turn` and keeps what is not kept yet. `own`: it is the working directory.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(super) fn begin(base: &Path, root: PathBuf, own: bool, turn: &Turn) -> io::Result<Begun> {
    if cut::any(base, &root) {
        cut::recover_all(base);
    }
    let mut store = Store::open(base, &root)?;
    revert::recover(&mut store, &root)?;
    make_room(&mut store);
    let before = keep_all(&mut store, &root, walk(&root, home_of(base)), &AtomicBool::new(false));
    let held = store_index(&mut store, &before);
    store.sweep(&before);
    let open = held.and_then(|()| Open::new(&store, &root, own, turn)).ok();
    let before = open.is_none().then_some(before);
    Ok(Begun { root, before, open })
}

fn store_index(store: &mut Store, before: &Before) -> io::Result<()> {
    match store.has_index() && store.index() == before {
        true => Ok(()),
        false => store.set_index(before),
    }
}

/// Copies again what is there when most of what is kept is needed no more but shares its packs with what is.
fn make_room(store: &mut Store) {
    if store.kept() <= MAX_KEPT / 4 * 3 {
        return;
    }
    let kept = store.index().entries.iter().filter_map(|(_, state)| state.kept);
    if kept.map(|kept| kept.length).sum::<u64>() < store.kept() / 2 {
        store.sweep(&Before::default());
        let _ = store.set_index(&Before::default());
    }
}

/// Copies what is not kept yet, as far as there is time.
fn keep_all(store: &mut Store, root: &Path, tree: Tree, stop: &AtomicBool) -> Before {
    let started = Instant::now();
    let index = store.take_index();
    let mut known = index.entries.iter().peekable();
    let mut space = Vec::new();
    let mut copied = false;
    let mut entries = Vec::with_capacity(tree.entries.len());
    for (path, stamp) in tree.entries {
        while known.next_if(|(other, _)| *other < path).is_some() {}
        let kept = match known.next_if(|(other, _)| *other == path) {
            Some((_, state)) if state.stamp == stamp && (state.kept.is_some() || !has_content(&stamp)) => {
                state.kept
            }
            _ if !has_content(&stamp) => None,
            _ if started.elapsed() < PATIENCE && !stop.load(Ordering::Relaxed) => {
                copied = true;
                copy(store, root, &path, &stamp, &mut space)
            }
            _ => None,
        };
        entries.push((path, State { stamp, kept }));
    }
    if copied {
        for (_, State { kept, .. }) in &mut entries {
            *kept = kept.filter(|kept| store.holds(kept));
        }
    }
    store.give_index(index);
    Before { entries, gaps: tree.gaps }
}

/// Copies what is there after a turn, in a while.
pub(super) fn ahead(base: PathBuf, after: Vec<(PathBuf, Tree)>) -> Ahead {
    let stop = std::sync::Arc::new(AtomicBool::new(false));
    let stopped = std::sync::Arc::clone(&stop);
    let task = tasks::spawn("undo ahead", async move {
        tokio::time::sleep(CALM).await;
        let all = move || {
            for (root, tree) in after {
                let Ok(mut store) = Store::open(&base, &root) else { continue };
                let kept = keep_all(&mut store, &root, tree, &stopped);
                let _ = store_index(&mut store, &kept);
            }
        };
        let _ = tasks::blocking("undo ahead", all).await;
    });
    Ahead { stop, _task: task }
}

/// The user's own folder, which may lie inside the working directory.
pub(super) fn home_of(base: &Path) -> &Path {
    base.parent().unwrap_or(base)
}

/// Whether the content of this kind of path can be kept at all.
pub(super) fn has_content(stamp: &Stamp) -> bool {
    match stamp.kind {
        Kind::File => stamp.size <= MAX_FILE,
        Kind::Link => true,
        Kind::Folder | Kind::Other => false,
    }
}

/// Copies a content; `None` when it changed meanwhile, cannot be read, or there is no room.
fn copy(store: &mut Store, root: &Path, path: &OsStr, stamp: &Stamp, space: &mut Vec<u8>) -> Option<Kept> {
    let path = root.join(path);
    if stamp.kind == Kind::Link {
        let leads = std::fs::read_link(&path).ok()?;
        let now = stamp_at(rustix::fs::CWD, &path).ok()?;
        return (now == Some(*stamp)).then(|| store.keep(leads.as_os_str().as_encoded_bytes()))?;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let mut file = File::from(rustix::fs::open(&path, flags, Mode::empty()).ok()?);
    space.clear();
    // A byte more than there is, so that the end is seen without another call.
    space.resize(usize::try_from(stamp.size).ok()? + 1, 0);
    let mut length = 0;
    loop {
        match file.read(space.get_mut(length..)?).ok()? {
            0 => break,
            more => length += more,
        }
        if length as u64 == stamp.size {
            break;
        }
    }
    // The marks tell whether anybody wrote while it was read.
    let now = Stamp::of(&rustix::fs::fstat(&file).ok()?);
    (now == *stamp && length as u64 == stamp.size).then(|| store.keep(space.get(..length)?))?
}
