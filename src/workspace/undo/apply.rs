//! Takes changes back on disk. It runs with all rights of the user in a folder where commands ran, so no path is
//! trusted: every step goes through an open descriptor of the parent folder, found without following any link.
//! What is not exactly as the turn left it was touched by somebody else and stays.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::AtFlags;

use super::begin::has_content;
use super::place::{self, keep, open_root, parent};
use super::records::Change;
use super::stamp::{Kind, Stamp, stamp_at};
use super::state::State;
use super::step::Step;
use super::store::Store;
use super::survey::Saved;

/// Somebody changed it since.
const TOUCHED: &str = "changed since";
/// There is nothing to bring back.
const TOO_LARGE: &str = "its earlier content was too large to keep";
/// The same for other reasons.
const NOT_KEPT: &str = "its earlier content could not be kept";
/// Redo would have nothing to bring.
const NO_ROOM: &str = "there is no room to keep what it is now";
/// Not made by undo.
const SPECIAL: &str = "a pipe, socket or device";
/// Nothing to be done: a folder in which something is left.
const NOT_EMPTY: &str = "not empty";
/// The disk refused.
const FAILED: &str = "cannot be changed";

/// What apply works with.
struct Work<'a> {
    root: OwnedFd,
    store: &'a mut Store,
    saved: &'a Saved,
    dry: bool,
    /// A crash cut off an earlier attempt: some of it is done.
    resumed: bool,
    /// Restored files by the inode that they had: other names of the same file are linked to them.
    links: BTreeMap<u64, Restored>,
    /// Inodes that lost a name: their time of change moved on.
    unlinked: BTreeSet<u64>,
    /// Inodes that got another name: their time of change moved on.
    relinked: BTreeSet<u64>,
}

struct Restored {
    path: PathBuf,
    /// Its marks before the turn.
    was: Stamp,
    inode: u64,
}

/// Tells what would become of `changes` below `root`.
///
/// # Errors
/// The root cannot be opened.
pub(crate) fn look(root: &Path, store: &mut Store, changes: &[Change]) -> io::Result<Vec<Step>> {
    let (saved, root) = (Saved::new(), open_root(root)?);
    let work = Work {
        root,
        store,
        saved: &saved,
        dry: true,
        resumed: false,
        links: BTreeMap::new(),
        unlinked: BTreeSet::new(),
        relinked: BTreeSet::new(),
    };
    Ok(work.all(changes).0)
}

/// Takes `changes` below `root` back. Also returns the changes that bring it all again.
///
/// # Errors
/// The root cannot be opened; nothing was changed then. What fails at one path is a step of its own.
pub(crate) fn apply(
    root: &Path,
    store: &mut Store,
    changes: &[Change],
    saved: &Saved,
    resumed: bool,
) -> io::Result<(Vec<Step>, Vec<Change>)> {
    let root = open_root(root)?;
    Ok(Work {
        root,
        store,
        saved,
        dry: false,
        resumed,
        links: BTreeMap::new(),
        unlinked: BTreeSet::new(),
        relinked: BTreeSet::new(),
    }
    .all(changes))
}

type Done = (Option<Step>, Option<Change>);

impl Work<'_> {
    fn all(mut self, changes: &[Change]) -> (Vec<Step>, Vec<Change>) {
        let mut steps = Vec::new();
        let mut inverse = Vec::new();
        // What is to go first, deepest first; then what is to come, from the top.
        let going = changes.iter().rev().filter(|change| change.before.is_none());
        let coming = changes.iter().filter(|change| change.before.is_some());
        for change in going.chain(coming) {
            let step = match self.one(change) {
                Ok((step, undone)) => {
                    inverse.extend(undone);
                    step
                }
                Err(_) => Some(Step::Left(change.path.clone(), FAILED)),
            };
            steps.extend(step);
        }
        for change in &mut inverse {
            if change.after.is_some_and(|after| self.relinked.contains(&after.inode)) {
                change.after = self.stamp(&change.path).or(change.after);
            }
        }
        inverse.sort_by(|a, b| a.path.cmp(&b.path));
        (steps, inverse)
    }

    fn one(&mut self, change: &Change) -> io::Result<Done> {
        let left = |why| Ok((Some(Step::Left(change.path.clone(), why)), None));
        let Some(name) = change.path.file_name().map(Path::new) else { return left(FAILED) };
        let found = parent(&self.root, &change.path, change.before.is_some() && !self.dry);
        let parent = match found {
            Ok(parent) => Some(parent),
            // Its folder went with it: nothing to remove, or in a dry run nothing there yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(_) => return left("its folder was replaced by something else"),
        };
        let now = match &parent {
            Some(parent) => stamp_at(parent, name)?,
            None => None,
        };
        let now = self.unmoved(change, now);
        let is_as_before = now == change.before.map(|state| state.stamp);
        if is_as_before && !(self.resumed && now.is_none()) {
            return Ok((None, None));
        }
        if let Some(done) = self.done_already(change, parent.as_ref(), name, now) {
            return Ok(done);
        }
        if now != change.after {
            return left(TOUCHED);
        }
        let restored = || Step::Restored(change.path.clone());
        let Some(before) = change.before else {
            if self.dry {
                return Ok((Some(Step::Removed(change.path.clone())), None));
            }
            let (Some(parent), Some(now)) = (parent, now) else { return Ok((None, None)) };
            return self.remove(&parent, name, change, now);
        };
        if before.stamp.kind == Kind::Other {
            return left(SPECIAL);
        }
        let has_rights_only =
            now.is_some_and(|now| self.has_other_rights_only(&before, parent.as_ref(), name, &now));
        if before.lacks() && !has_rights_only {
            return left(if has_content(&before.stamp) { NOT_KEPT } else { TOO_LARGE });
        }
        if self.dry {
            return Ok((Some(restored()), None));
        }
        let Some(parent) = parent else { return left(FAILED) };
        let kept_now = now.map(|stamp| self.kept(&parent, name, change, stamp)).transpose()?;
        if kept_now.is_some_and(|now| now.lacks() && has_content(&now.stamp)) {
            return left(NO_ROOM);
        }
        match now.filter(|_| has_rights_only) {
            Some(now) => place::set_rights(&parent, name, &now, &before.stamp)?,
            None => self.bring(&parent, change, &before, now.as_ref())?,
        }
        let after = stamp_at(&parent, name)?;
        Ok((Some(restored()), Some(Change { path: change.path.clone(), before: kept_now, after })))
    }

    /// What there is to say when a path is already what it was, by content: an earlier attempt did it, or the user.
    fn done_already(
        &mut self,
        change: &Change,
        parent: Option<&OwnedFd>,
        name: &Path,
        now: Option<Stamp>,
    ) -> Option<Done> {
        if now == change.after && !(self.resumed && now.is_none()) {
            return None;
        }
        let same = match (change.before, now, parent) {
            (None, None, _) => true,
            (Some(before), Some(now), Some(parent)) => {
                place::is_like(parent, name, self.store, &before, &now)
            }
            _ => false,
        };
        if !same {
            return None;
        }
        let saved = self.saved.get(&change.path).filter(|_| self.resumed);
        let Some(saved) = saved else { return Some((None, None)) };
        let step = match change.before {
            Some(_) => Step::Restored(change.path.clone()),
            None => Step::Removed(change.path.clone()),
        };
        let again = Change { path: change.path.clone(), before: *saved, after: now };
        let nothing = again.before.is_none() && again.after.is_none();
        Some((Some(step), (!nothing).then_some(again)))
    }

    /// Whether a file was given other permissions or another owner and nothing else: then it is not written anew, and
    /// keeps its other names and whatever else hangs on it. Any size will do, since no content is touched.
    fn has_other_rights_only(
        &mut self,
        before: &State,
        parent: Option<&OwnedFd>,
        name: &Path,
        now: &Stamp,
    ) -> bool {
        let (Kind::File, Some(parent)) = (now.kind, parent) else { return false };
        let same = before.stamp.same_but_rights(now);
        let as_now = State { stamp: Stamp { mode: now.mode, ..before.stamp }, ..*before };
        same && (before.kept.is_none() || place::is_like(parent, name, self.store, &as_now, now))
    }

    /// The marks of a path without what this very undo did to them: a file loses a name when another name of it is
    /// restored.
    fn unmoved(&self, change: &Change, now: Option<Stamp>) -> Option<Stamp> {
        let (Some(found), Some(after)) = (now, change.after) else { return now };
        let ours = self.resumed || self.unlinked.contains(&found.inode);
        if ours && found.same_but_change(&after) { Some(after) } else { now }
    }

    /// What was at a path, kept for the way back.
    fn kept(&mut self, parent: &OwnedFd, name: &Path, change: &Change, now: Stamp) -> io::Result<State> {
        match self.saved.get(&change.path) {
            Some(Some(state)) if state.stamp == now => Ok(*state),
            _ => keep(parent, name, self.store, now),
        }
    }

    fn remove(&mut self, parent: &OwnedFd, name: &Path, change: &Change, now: Stamp) -> io::Result<Done> {
        let before = self.kept(parent, name, change, now)?;
        if before.lacks() {
            let why = if has_content(&now) { NO_ROOM } else { "too large to be brought back later" };
            return Ok((Some(Step::Left(change.path.clone(), why)), None));
        }
        let flags = if now.kind == Kind::Folder { AtFlags::REMOVEDIR } else { AtFlags::empty() };
        match rustix::fs::unlinkat(parent, name, flags) {
            Ok(()) => {
                self.unlinked.insert(now.inode);
                let again = Change { path: change.path.clone(), before: Some(before), after: None };
                Ok((Some(Step::Removed(change.path.clone())), Some(again)))
            }
            Err(rustix::io::Errno::NOTEMPTY) => Ok((Some(Step::Left(change.path.clone(), NOT_EMPTY)), None)),
            Err(error) => Err(error.into()),
        }
    }

    /// Puts the earlier state in place, whole or not at all.
    fn bring(
        &mut self,
        parent: &OwnedFd,
        change: &Change,
        before: &State,
        now: Option<&Stamp>,
    ) -> io::Result<()> {
        let name = Path::new(change.path.file_name().ok_or(io::ErrorKind::InvalidInput)?);
        if before.stamp.kind == Kind::Folder {
            return place::bring_folder(parent, name, before, now);
        }
        let bytes = self.store.content(before.kept.ok_or(io::ErrorKind::NotFound)?)?;
        if now.is_some_and(|now| now.kind == Kind::Folder) {
            rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?;
        }
        // The same name when a crash cut it off: what was begun is not left behind.
        let temp = PathBuf::from(format!(".codex-undo-{:x}", before.stamp.inode));
        if self.resumed {
            let _ = rustix::fs::unlinkat(parent, &temp, AtFlags::empty());
        }
        let placed = if before.stamp.kind == Kind::Link {
            rustix::fs::symlinkat(bytes.as_slice(), parent, &temp).map_err(io::Error::from)
        } else if self.link(parent, &temp, before) {
            Ok(())
        } else {
            place::write(parent, &temp, &bytes, &before.stamp)
        };
        let placed = placed.and_then(|()| Ok(rustix::fs::renameat(parent, &temp, parent, name)?));
        self.unlinked.extend(now.map(|now| now.inode));
        if placed.is_err() {
            let _ = rustix::fs::unlinkat(parent, &temp, AtFlags::empty());
        }
        if let (Ok(()), Some(stamp)) = (&placed, stamp_at(parent, name)?) {
            let restored = Restored { path: change.path.clone(), was: before.stamp, inode: stamp.inode };
            if self.links.insert(before.stamp.inode, restored).is_some_and(|old| old.inode == stamp.inode) {
                self.relinked.insert(stamp.inode);
            }
        }
        placed
    }

    fn stamp(&self, path: &Path) -> Option<Stamp> {
        let parent = parent(&self.root, path, false).ok()?;
        stamp_at(&parent, Path::new(path.file_name()?)).ok().flatten()
    }

    /// Links `temp` to another name that the file had, when that one was restored just now.
    fn link(&self, into: &OwnedFd, temp: &Path, before: &State) -> bool {
        let found = self.links.get(&before.stamp.inode).filter(|other| other.was == before.stamp);
        let Some(other) = found else { return false };
        let (Ok(from), Some(name)) =
            (parent(&self.root, &other.path, false), other.path.file_name().map(Path::new))
        else {
            return false;
        };
        let now = stamp_at(&from, name).ok().flatten();
        now.is_some_and(|now| now.inode == other.inode)
            && rustix::fs::linkat(&from, name, into, temp, AtFlags::empty()).is_ok()
    }
}
