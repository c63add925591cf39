//! Finds and lists threads by walking the date folders, newest first. There is no database that could be stale,
//! locked or broken: names of files tell identity and age, and only the heads of the files that are shown are
//! read. A file that is none of ours, or broken, never stops a listing.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::UNIX_EPOCH;

use super::error::Error;
use super::file::SESSIONS;
use super::head;
use super::line::timestamp_ms;
use super::names;
use crate::base::ids::ThreadId;
use crate::protocol::thread::ThreadSource;

/// Folder of put-away threads under the home; it has no date folders.
const ARCHIVED: &str = "archived_sessions";

/// Length of `YYYY-MM-DDTHH-MM-SS`, and of an id.
const STAMP: usize = 19;
const ID: usize = 36;

/// A stored thread by its file name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// Identity.
    pub(crate) id: ThreadId,
    /// The file.
    pub(crate) path: PathBuf,
    /// Put away by the user.
    pub(crate) archived: bool,
}

/// A stored thread for a list.
#[derive(Clone, Debug)]
pub(crate) struct Summary {
    /// Identity and file.
    pub(crate) found: Found,
    /// The name the user gave.
    pub(crate) name: Option<String>,
    /// First prompt, one line.
    pub(crate) preview: Option<String>,
    /// Working directory at the start.
    pub(crate) cwd: Option<PathBuf>,
    /// Branch at the start.
    pub(crate) branch: Option<String>,
    /// Start, unix milliseconds.
    pub(crate) created_ms: Option<u64>,
    /// Last change of the file, unix milliseconds.
    pub(crate) updated_ms: u64,
}

/// Which threads to list.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Only those started here.
    pub(crate) cwd: Option<PathBuf>,
    /// Only those of these front ends; empty for all.
    pub(crate) sources: Vec<ThreadSource>,
    /// The put-away ones instead of the others.
    pub(crate) archived: bool,
    /// Also those that other threads started.
    pub(crate) subagents: bool,
}

/// What "newest" means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// Newest start first; folders are read only as far as the list is.
    Created,
    /// Last change first; reads all folders, but no files.
    Updated,
}

/// Lists threads, reading each file's head when it is asked for.
pub(crate) struct List {
    files: Box<dyn Iterator<Item = Found> + Send>,
    filter: Filter,
    names: HashMap<ThreadId, String>,
    seen: HashSet<ThreadId>,
    /// Files that may still be looked into.
    heads: usize,
}

impl List {
    /// Looks into this many files at most.
    pub(crate) fn within(self, heads: usize) -> Self {
        Self { heads, ..self }
    }
}

/// Starts a list.
pub(crate) fn list(home: &Path, filter: Filter, order: Order) -> List {
    let walk = Walk::new(home, filter.archived);
    let files: Box<dyn Iterator<Item = Found> + Send> = match order {
        Order::Created => Box::new(walk),
        Order::Updated => {
            let mut all: Vec<(u64, Found)> = walk.map(|found| (modified_ms(&found.path), found)).collect();
            all.sort_by_key(|(modified, _)| std::cmp::Reverse(*modified));
            Box::new(all.into_iter().map(|(_, found)| found))
        }
    };
    List { files, filter, names: names::all(home), seen: HashSet::new(), heads: usize::MAX }
}

impl Iterator for List {
    type Item = Summary;

    fn next(&mut self) -> Option<Summary> {
        loop {
            let found = self.files.next()?;
            // A thread that was taken back has several files; the newest one stands for it.
            if self.seen.contains(&found.id) {
                continue;
            }
            self.heads = self.heads.checked_sub(1)?;
            let id = found.id;
            if let Some(mut summary) = summary(found, &self.filter) {
                summary.name = self.names.get(&id).cloned();
                self.seen.insert(id);
                return Some(summary);
            }
        }
    }
}

/// Reads one file's head; `None` when it does not belong into the list or cannot be read.
pub(super) fn summary(found: Found, filter: &Filter) -> Option<Summary> {
    let head = head::read(&found.path).ok()?;
    let meta = head.meta?;
    // As it is stored: a name that is not UTF-8 stands in the file with replacement characters.
    let is_here =
        |cwd: &PathBuf| meta.cwd.as_deref().is_some_and(|at| at.to_string_lossy() == cwd.to_string_lossy());
    let right_cwd = filter.cwd.as_ref().is_none_or(is_here);
    let right_source =
        filter.sources.is_empty() || meta.source.as_ref().is_some_and(|s| filter.sources.contains(s));
    let empty = head.preview.is_none() && meta.base.is_none();
    if !right_cwd || !right_source || empty || (meta.subagent && !filter.subagents) {
        return None;
    }
    Some(Summary {
        name: None,
        preview: head.preview,
        cwd: meta.cwd,
        branch: meta.git.and_then(|git| git.branch),
        created_ms: meta.timestamp.as_deref().and_then(timestamp_ms),
        updated_ms: modified_ms(&found.path),
        found,
    })
}

/// The thread that was used last, here or anywhere.
pub(crate) fn last(home: &Path, cwd: Option<&Path>) -> Option<Summary> {
    let filter = Filter { cwd: cwd.map(Path::to_owned), ..Filter::default() };
    list(home, filter, Order::Updated).next()
}

/// The newest file of a thread, put away or not.
///
/// # Errors
/// There is none.
pub(crate) fn find(home: &Path, id: ThreadId) -> Result<Found, Error> {
    let mut all = Walk::new(home, false).chain(Walk::new(home, true));
    all.find(|found| found.id == id).ok_or_else(|| Error::NotFound { what: id.to_string() })
}

/// The thread that the user means: an id, or a name given earlier.
///
/// # Errors
/// There is none.
pub(crate) fn resolve(home: &Path, what: &str) -> Result<Found, Error> {
    if let Ok(id) = ThreadId::from_str(what) {
        return find(home, id);
    }
    let named = names::ids(home, what).into_iter().find_map(|id| find(home, id).ok());
    named.ok_or_else(|| Error::NotFound { what: what.to_owned() })
}

/// The working directory a thread began in, when its file says so.
///
/// # Errors
/// The file cannot be read.
pub(crate) fn folder_of(found: &Found) -> Result<Option<PathBuf>, Error> {
    let head = head::read(&found.path).map_err(Error::io("read", &found.path))?;
    Ok(head.meta.and_then(|meta| meta.cwd))
}

/// All files of a thread, newest first.
pub(crate) fn files_of(home: &Path, id: ThreadId) -> Vec<PathBuf> {
    let all = Walk::new(home, false).chain(Walk::new(home, true));
    all.filter(|found| found.id == id).map(|found| found.path).collect()
}

/// The thread a file name tells.
pub(crate) fn id_of(path: &Path) -> Option<ThreadId> {
    let name = path.file_name()?.to_str()?;
    let rest = name.strip_prefix("rollout-")?.strip_suffix(".jsonl")?;
    rest.get(STAMP + 1..STAMP + 1 + ID)?.parse().ok()
}

fn modified_ms(path: &Path) -> u64 {
    let modified = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
    modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map_or(0, |d| d.as_millis() as u64)
}

/// Files of threads, newest name first.
struct Walk {
    archived: bool,
    /// Folders not read yet, newest last.
    days: Vec<PathBuf>,
    /// Files of the folder at hand, newest last.
    files: Vec<PathBuf>,
}

impl Walk {
    fn new(home: &Path, archived: bool) -> Self {
        let days = if archived {
            vec![home.join(ARCHIVED)]
        } else {
            let years = entries(&home.join(SESSIONS));
            let months = years.iter().flat_map(|year| entries(year));
            months.flat_map(|month| entries(&month)).collect()
        };
        Self { archived, days, files: Vec::new() }
    }
}

impl Iterator for Walk {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        loop {
            if let Some(path) = self.files.pop() {
                match id_of(&path) {
                    Some(id) => return Some(Found { id, path, archived: self.archived }),
                    None => continue,
                }
            }
            self.files = entries(&self.days.pop()?);
        }
    }
}

/// Entries of a folder, sorted by name; none when it cannot be read.
fn entries(dir: &Path) -> Vec<PathBuf> {
    let read = std::fs::read_dir(dir).into_iter().flatten();
    let mut paths: Vec<PathBuf> = read.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.sort_unstable();
    paths
}

#[cfg(test)]
#[path = "index_tests.rs"]
mod tests;
