//! The turns of a folder, for people who want another than the last.

use std::io;
use std::path::{Path, PathBuf};

use super::missed::{self, Missed};
use super::records::Record;
use super::since;

/// One of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Listed {
    /// The number that undo takes.
    pub(crate) number: u64,
    /// When it began, in seconds; `None` for what has no turn of its own.
    pub(crate) at: Option<u64>,
    /// The first path that it changed: below the folder, or absolute in another one.
    pub(crate) first: Option<PathBuf>,
    /// How many paths it changed in this folder, and how many other folders.
    pub(crate) paths: usize,
    /// It was taken back.
    pub(crate) undone: bool,
    /// The program was killed in it.
    pub(crate) killed: bool,
    /// It holds what changed after this turn while commands of it ran on.
    pub(crate) between: Option<u64>,
    /// Whose turn it was.
    pub(crate) thread: Option<String>,
}

/// What "the last turn" means in a folder.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Last {
    /// The last turn that stands.
    pub(crate) turn: Option<Listed>,
    /// A later one of which nothing was kept.
    pub(crate) missed: Option<Missed>,
}

/// What undo would take back in `root` now.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn last(base: &Path, root: &Path) -> io::Result<Last> {
    let records = since::records(base, root)?.unwrap_or_default();
    let last = records.iter().rfind(|record| !record.undone && record.is_turn());
    let missed = missed::last(base, root, last.map_or(0, |record| record.number));
    Ok(Last { turn: last.map(listed), missed })
}

/// The turns of `root`, the oldest first.
///
/// # Errors
/// Another program works there, or the disk says no.
pub(crate) fn list(base: &Path, root: &Path) -> io::Result<Vec<Listed>> {
    let records = since::records(base, root)?.unwrap_or_default();
    Ok(records.iter().filter(|record| record.thread.is_some()).map(listed).collect())
}

fn listed(record: &Record) -> Listed {
    let id = record.turn.as_deref().and_then(|turn| uuid::Uuid::parse_str(turn).ok());
    let own = record.changes.iter().find(|change| !is_folder(change)).or(record.changes.first());
    let other = || record.also.first().map(|(folder, _)| folder.clone());
    Listed {
        number: record.number,
        at: id.and_then(|id| id.get_timestamp()).map(|at| at.to_unix().0),
        first: own.map(|change| change.path.clone()).or_else(other),
        paths: record.changes.iter().filter(|change| !is_folder(change)).count() + record.also.len(),
        undone: record.undone,
        killed: record.killed,
        between: record.between,
        thread: record.thread.clone(),
    }
}

/// Folders come with what is in them.
fn is_folder(change: &super::records::Change) -> bool {
    use super::stamp::Kind;
    let kinds = [change.before.map(|state| state.stamp.kind), change.after.map(|stamp| stamp.kind)];
    kinds.iter().flatten().all(|kind| *kind == Kind::Folder)
}
