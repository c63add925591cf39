//! Turns of which nothing could be kept. What undo would take back instead is an earlier turn, which nobody means who
//! says "the last one": so it is marked between which records such a turn lies. A mark is an empty file whose name says
//! everything, since a disk without room still takes those; where even that fails this program remembers.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use super::store::{self, number_of};
use crate::base::fs::create_private_dir;

const ENDING: &str = ".missed";
/// Marks before so many records are of no use: those are gone.
const OLD: u64 = 50;
/// Turns that this program remembers.
const MOST: usize = 50;

/// What could not be marked on disk: the folder, the record before the turn, and why.
static UNMARKED: Mutex<Vec<(PathBuf, u64, Why)>> = Mutex::new(Vec::new());

/// Why nothing was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Another program held the store.
    Busy,
    /// The disk is full.
    Full,
    /// The store cannot be written.
    Unwritable,
}

impl Why {
    pub(super) fn of(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::TimedOut | Kind::WouldBlock => Self::Busy,
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full,
            _ => Self::Unwritable,
        }
    }

    /// The rest of a sentence.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Busy => "another program held what undo keeps for this folder",
            Self::Full => "the disk has no room for what undo keeps",
            Self::Unwritable => "what undo keeps cannot be written",
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Full => "full",
            Self::Unwritable => "unwritable",
        }
    }

    fn named(name: &str) -> Option<Self> {
        [Self::Busy, Self::Full, Self::Unwritable].into_iter().find(|why| why.name() == name)
    }
}

/// A turn of which nothing was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Missed {
    /// The last record before it.
    pub(crate) after: u64,
    /// Why.
    pub(crate) why: Why,
    /// When it was marked, in seconds, when that is known.
    pub(crate) at: Option<u64>,
}

/// A turn in `root` is not kept.
pub(super) fn mark(base: &Path, root: &Path, why: Why) {
    let folder = store::folder(base, root);
    let after = numbers(&folder).max().unwrap_or(0);
    let path = folder.join(format!("{after}.{}{ENDING}", why.name()));
    let made = create_private_dir(&folder).and_then(|()| {
        // Time and all: the same mark may be there from an earlier turn.
        let _ = std::fs::remove_file(&path);
        std::fs::File::create(&path)
    });
    if made.is_err() {
        let mut unmarked = UNMARKED.lock().unwrap_or_else(PoisonError::into_inner);
        if unmarked.len() >= MOST {
            unmarked.remove(0);
        }
        // Which records there are is perhaps not to be seen either.
        unmarked.push((root.to_owned(), u64::MAX, why));
    }
    remove(&folder, |missed| missed.after + OLD < after);
}

/// The last turn in `root` that was not kept and is later than record `number`.
pub(super) fn last(base: &Path, root: &Path, number: u64) -> Option<Missed> {
    let folder = store::folder(base, root);
    let marked = marks(&folder).map(|(_, missed)| missed);
    let unmarked = UNMARKED.lock().unwrap_or_else(PoisonError::into_inner);
    let here = unmarked.iter().filter(|(known, ..)| known == root);
    let here = here.map(|(_, after, why)| Missed { after: *after, why: *why, at: None });
    here.chain(marked).filter(|missed| missed.after >= number).max_by_key(|missed| (missed.after, missed.at))
}

/// Somebody who knew of it went on to record `number`: nobody has to be asked again.
pub(super) fn forget(base: &Path, root: &Path, number: u64) {
    remove(&store::folder(base, root), |missed| missed.after >= number);
    let mut unmarked = UNMARKED.lock().unwrap_or_else(PoisonError::into_inner);
    unmarked.retain(|(folder, after, _)| folder != root || *after < number);
}

fn remove(folder: &Path, which: impl Fn(&Missed) -> bool) {
    for (path, _) in marks(folder).filter(|(_, missed)| which(missed)) {
        let _ = std::fs::remove_file(path);
    }
}

fn numbers(folder: &Path) -> impl Iterator<Item = u64> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| number_of(&entry.file_name(), ".turn"))
}

fn marks(folder: &Path) -> impl Iterator<Item = (PathBuf, Missed)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| {
        let name = entry.file_name();
        let (after, why) = name.to_str()?.strip_suffix(ENDING)?.split_once('.')?;
        let at = entry.metadata().ok().and_then(|meta| meta.modified().ok());
        let at = at.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|at| at.as_secs());
        Some((entry.path(), Missed { after: after.parse().ok()?, why: Why::named(why)?, at }))
    })
}

#[cfg(test)]
#[path = "missed_tests.rs"]
mod tests;
