//! Takes changes back on disk. It runs with all rights of the user in a folder where commands ran, so no path is
//! trusted: every step goes through an open descriptor of the parent folder, found without following any link.
//! What is not exactly as the turn left it was touched by somebody else and stays.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};

use super::undo_store::{Change, State, Store, has_content, read_all};
use super::undo_walk::{Kind, Stamp};

/// What becomes of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The earlier content comes back.
    Restored(PathBuf),
    /// What was made goes.
    Removed(PathBuf),
    /// It stays as it is: why.
    Left(PathBuf, &'static str),
}

/// Somebody changed it since.
const TOUCHED: &str = "changed since";
/// There is nothing to bring back.
const NOT_KEPT: &str = "its earlier content was too large to keep";
/// Nothing to be done: a folder in which something is left.
const NOT_EMPTY: &str = "not empty";
/// The disk refused.
const FAILED: &str = "cannot be changed";

/// Takes `changes` below `root` back, or only tells what would become of them when `dry`. Also returns the
/// changes that bring it all again.
pub(crate) fn apply(
    root: &Path,
    store: &mut Store,
    changes: &[Change],
    dry: bool,
) -> io::Result<(Vec<Step>, Vec<Change>)> {
    let root = rustix::fs::open(root, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let mut steps = Vec::new();
    let mut inverse = Vec::new();
    // What is to go first, deepest first; then what is to come, from the top.
    let going = changes.iter().rev().filter(|change| change.before.is_none());
    let coming = changes.iter().filter(|change| change.before.is_some());
    for change in going.chain(coming) {
        let step = match one(&root, store, change, dry) {
            Ok((step, undone)) => {
                inverse.extend(undone);
                step
            }
            Err(_) => Some(Step::Left(change.path.clone(), FAILED)),
        };
        steps.extend(step);
    }
    inverse.sort_by(|a, b| a.path.cmp(&b.path));
    Ok((steps, inverse))
}

type Done = (Option<Step>, Option<Change>);

fn one(root: &OwnedFd, store: &mut Store, change: &Change, dry: bool) -> io::Result<Done> {
    let left = |why| Ok((Some(Step::Left(change.path.clone(), why)), None));
    let Some(name) = change.path.file_name() else { return left(FAILED) };
    let name = Path::new(name);
    let parent = match (parent(root, &change.path, change.before.is_some() && !dry), &change.before) {
        (Ok(parent), _) => Some(parent),
        // Its folder went with it: nothing to remove, or in a dry run nothing there yet.
        (Err(error), _) if error.kind() == io::ErrorKind::NotFound => None,
        (Err(_), _) => return left("its folder was replaced by something else"),
    };
    let now = match &parent {
        Some(parent) => stamp_at(parent, name)?,
        None => None,
    };
    if same(now.as_ref(), change.before.as_ref().map(|state| &state.stamp)) {
        return Ok((None, None));
    }
    if now != change.after {
        return left(TOUCHED);
    }
    let restored = || Step::Restored(change.path.clone());
    let Some(before) = change.before else {
        if dry {
            return Ok((Some(Step::Removed(change.path.clone())), None));
        }
        let (Some(parent), Some(now)) = (parent, now) else { return Ok((None, None)) };
        return remove(&parent, name, store, change, now);
    };
    if has_no_content(&before) {
        return left(NOT_KEPT);
    }
    if dry {
        return Ok((Some(restored()), None));
    }
    let Some(parent) = parent else { return left(FAILED) };
    let kept_now = now.map(|stamp| keep(&parent, name, store, stamp)).transpose()?;
    bring(&parent, name, store, &before, now.as_ref())?;
    let after = stamp_at(&parent, name)?;
    Ok((Some(restored()), Some(Change { path: change.path.clone(), before: kept_now, after })))
}

fn has_no_content(state: &State) -> bool {
    matches!(state.stamp.kind, Kind::File | Kind::Link) && state.kept.is_none()
}

/// The same for a person: folders and files that are what they were, whatever their time stamps.
fn same(now: Option<&Stamp>, then: Option<&Stamp>) -> bool {
    now == then
}

fn remove(parent: &OwnedFd, name: &Path, store: &mut Store, change: &Change, now: Stamp) -> io::Result<Done> {
    let before = keep(parent, name, store, now)?;
    if has_no_content(&before) {
        return Ok((Some(Step::Left(change.path.clone(), "too large to be brought back later")), None));
    }
    let flags = if now.kind == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
    match rustix::fs::unlinkat(parent, name, flags) {
        Ok(()) => {
            let again = Change { path: change.path.clone(), before: Some(before), after: None };
            Ok((Some(Step::Removed(change.path.clone())), Some(again)))
        }
        Err(rustix::io::Errno::NOTEMPTY) => Ok((Some(Step::Left(change.path.clone(), NOT_EMPTY)), None)),
        Err(error) => Err(error.into()),
    }
}

/// The folder of a path, opened without following links; made when missing and `make`.
fn parent(root: &OwnedFd, path: &Path, make: bool) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::openat2(root, dir, flags, Mode::empty(), resolve) {
        Err(rustix::io::Errno::NOENT) if make => {
            let above = parent(root, dir, true)?;
            let name = dir.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            rustix::fs::mkdirat(&above, Path::new(name), Mode::from(0o777))?;
            Ok(rustix::fs::openat2(root, dir, flags, Mode::empty(), resolve)?)
        }
        found => Ok(found?),
    }
}

fn stamp_at(parent: &OwnedFd, name: &Path) -> io::Result<Option<Stamp>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(Stamp::of(&File::from(fd).metadata()?))),
        Err(rustix::io::Errno::NOENT | rustix::io::Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Keeps what is at a path, for the way back.
fn keep(parent: &OwnedFd, name: &Path, store: &mut Store, stamp: Stamp) -> io::Result<State> {
    let kept = match stamp.kind {
        Kind::File if has_content(&stamp) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = File::from(rustix::fs::openat(parent, name, flags, Mode::empty())?);
            store.keep(&read_all(file)?)?
        }
        Kind::Link => store.keep(rustix::fs::readlinkat(parent, name, Vec::new())?.as_bytes())?,
        Kind::File | Kind::Folder | Kind::Other => None,
    };
    Ok(State { stamp, kept })
}

/// Puts the earlier state in place, whole or not at all.
fn bring(
    parent: &OwnedFd,
    name: &Path,
    store: &Store,
    before: &State,
    now: Option<&Stamp>,
) -> io::Result<()> {
    let mode = Mode::from_raw_mode(before.stamp.mode & 0o777);
    if before.stamp.kind == Kind::Folder {
        if now.is_some_and(|now| now.kind != Kind::Folder) {
            rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
        }
        match rustix::fs::mkdirat(parent, name, mode) {
            Ok(()) | Err(rustix::io::Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
        return Ok(());
    }
    let bytes = store.content(before.kept.ok_or(io::ErrorKind::NotFound)?)?;
    if now.is_some_and(|now| now.kind == Kind::Folder) {
        rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?;
    }
    let temp = PathBuf::from(format!(".codex-undo-{}", uuid::Uuid::new_v4().simple()));
    let placed = if before.stamp.kind == Kind::Link {
        rustix::fs::symlinkat(bytes.as_slice(), parent, &temp).map_err(io::Error::from)
    } else {
        write(parent, &temp, &bytes, mode)
    };
    let placed = placed.and_then(|()| Ok(rustix::fs::renameat(parent, &temp, parent, name)?));
    if placed.is_err() {
        let _ = rustix::fs::unlinkat(parent, &temp, AtFlags::empty());
    }
    placed
}

fn write(parent: &OwnedFd, temp: &Path, bytes: &[u8], mode: Mode) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(parent, temp, flags, Mode::from_raw_mode(0o600))?);
    file.write_all(bytes)?;
    rustix::fs::fchmod(&file, mode)?;
    Ok(())
}
