//! Turns under way, marked on disk, so that a program that is killed leaves a record of what its turn changed. The mark
//! is a locked file beside the state before the turn: the lock goes with the program, and the file's time tells when it
//! was last alive. What changed later was not the turn, and stays.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::begin::Begun;
use super::end;
use super::records::Record;
use super::state::Before;
use super::store::{self, Store};
use crate::base::lock::FileLock;
use crate::base::tasks::{self, Task};

/// Between two signs of life.
const BEAT: Duration = Duration::from_secs(1);
/// How long after the last sign of life a turn may still have written: the next sign was due, and commands get a
/// moment to end.
const SLACK: Duration = Duration::from_millis(1500);

/// Whose changes these are.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Turn {
    /// The same in all folders of one turn.
    pub(super) id: String,
    pub(super) thread: String,
    /// See [`Record::turn`].
    #[serde(default)]
    pub(super) of: Option<String>,
    /// See [`Record::between`].
    pub(super) between: Option<u64>,
}

/// What is on disk of a turn in one folder.
#[derive(Debug, Serialize, Deserialize)]
struct Mark {
    root: PathBuf,
    /// Whether this is the working directory.
    own: bool,
    turn: Turn,
}

/// The mark of a turn that this program has under way. It goes when the turn is written down.
#[derive(Debug)]
pub(super) struct Open {
    mark: PathBuf,
    before: PathBuf,
    _lock: FileLock,
}

impl Open {
    /// Marks a turn in `root`, whose state before it is the index of `store`.
    pub(super) fn new(store: &Store, root: &Path, own: bool, turn: &Turn) -> io::Result<Self> {
        let mark = store.dir().join(format!("{}.open", turn.id));
        let before = format!("{}.before", turn.id);
        let taken = FileLock::try_take(&mark)?.ok_or(io::ErrorKind::AlreadyExists)?;
        let open = Self { mark, before: store.dir().join(&before), _lock: taken };
        store.hold_index(&before)?;
        let text = serde_json::to_vec(&Mark { root: root.to_owned(), own, turn: turn.clone() });
        std::fs::write(&open.mark, text.map_err(io::Error::other)?)?;
        Ok(open)
    }
}

impl Open {
    /// What was there before the turn; `None` when somebody damaged it.
    pub(super) fn before(&self) -> Option<Before> {
        store::read_before(&self.before)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.before);
        let _ = std::fs::remove_file(&self.mark);
    }
}

/// Gives signs of life for these turns until dropped.
pub(super) fn beat<'a>(open: impl Iterator<Item = &'a Open>) -> Task<()> {
    let marks: Vec<PathBuf> = open.map(|open| open.mark.clone()).collect();
    tasks::spawn("undo beat", async move {
        loop {
            tokio::time::sleep(BEAT).await;
            for mark in &marks {
                let file = OpenOptions::new().write(true).open(mark);
                let _ = file.and_then(|file: File| file.set_modified(SystemTime::now()));
            }
        }
    })
}

/// Writes down what turns changed whose program was killed; the working directories of those that changed something.
pub(crate) fn recover_all(base: &Path) -> Vec<PathBuf> {
    let mut turns: BTreeMap<String, Vec<(Mark, Open)>> = BTreeMap::new();
    for folder in std::fs::read_dir(base).into_iter().flatten().flatten() {
        for (mark, open) in dead(&folder.path()) {
            turns.entry(mark.turn.id.clone()).or_default().push((mark, open));
        }
    }
    turns.into_values().filter_map(|parts| record(base, parts)).collect()
}

/// Whether a turn in `root` was cut off.
pub(super) fn any(base: &Path, root: &Path) -> bool {
    !dead_names(&store::folder(base, root)).is_empty()
}

fn dead_names(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let marks = entries.filter(|path| path.extension().is_some_and(|ending| ending == "open"));
    marks.filter(|path| matches!(FileLock::try_take(path), Ok(Some(_)))).collect()
}

/// The turns of one store whose program is gone. What cannot be read is removed.
fn dead(folder: &Path) -> Vec<(Mark, Open)> {
    let found = dead_names(folder).into_iter().filter_map(|path| {
        let lock = FileLock::try_take(&path).ok()??;
        let open = Open { before: path.with_extension("before"), mark: path, _lock: lock };
        Some((store::read_json::<Mark>(&open.mark)?, open))
    });
    found.collect()
}

fn record(base: &Path, mut parts: Vec<(Mark, Open)>) -> Option<PathBuf> {
    // The working directory last: its record names the others.
    parts.sort_by_key(|(mark, _)| mark.own);
    let mut also = Vec::new();
    let mut told = None;
    for (mark, open) in parts {
        let until = std::fs::metadata(&open.mark).and_then(|meta| meta.modified()).ok().map(|at| at + SLACK);
        let own = mark.own;
        let record = match own {
            true => Record {
                thread: Some(mark.turn.thread),
                turn: mark.turn.of,
                killed: true,
                between: mark.turn.between,
                also: std::mem::take(&mut also),
                ..Record::default()
            },
            false => Record::default(),
        };
        let root = mark.root.clone();
        let begun = Begun { root: mark.root, before: None, open: Some(open) };
        if let Ok((Some(number), _)) = end::close(base, begun, record, until) {
            match own {
                true => told = Some(root),
                false => also.push((root, number)),
            }
        }
    }
    told
}
