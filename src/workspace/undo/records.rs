//! What the turns of a folder changed: a record each, the newest fifty. How a turn ended is JSON, its changes are not:
//! there may be tens of thousands.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::bytes::{Reader, Writer};
use super::stamp::Stamp;
use super::state::{Before, State, packs_of};
use super::store::{MAX_KEPT, Store, number_of, read, read_before};
use crate::base::fs::replace_unsynced;

/// Records of turns that are kept.
const MAX_TURNS: usize = 50;
const HEADS: &str = "heads.json";

/// What happened to one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// Below the folder.
    pub(super) path: PathBuf,
    /// What taking the change back brings; `None` = nothing was there.
    pub(super) before: Option<State>,
    /// What must be there now for it to be taken back.
    pub(super) after: Option<Stamp>,
}

/// What one turn changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    /// Counts the turns of this folder that changed something.
    pub(super) number: u64,
    /// Sorted by path.
    #[serde(skip)]
    pub(super) changes: Vec<Change>,
    /// What was left when it was taken back or brought again. It counts again the other way round: whatever was in
    /// the way may be gone by then.
    #[serde(skip)]
    pub(super) rest: Vec<Change>,
    /// It was taken back; the changes are then those that bring it again.
    pub(super) undone: bool,
    /// Not everything could be looked at or kept.
    pub(super) partial: bool,
    /// There are folders that are never looked at.
    #[serde(default)]
    pub(super) skipped: bool,
    /// Commands ran on after the turn.
    #[serde(default)]
    pub(super) running: bool,
    /// The program was killed in the turn.
    #[serde(default)]
    pub(super) killed: bool,
    /// It holds what changed after this turn while commands of it ran on; the user's own edits are among that.
    #[serde(default)]
    pub(super) between: Option<u64>,
    /// The thread; a record without one is a part of a turn that worked elsewhere.
    #[serde(default)]
    pub(super) thread: Option<String>,
    /// The turn as the thread calls it.
    #[serde(default)]
    pub(super) turn: Option<String>,
    /// It was taken back with others, of which this is the first: they come again together.
    #[serde(default)]
    pub(super) together: Option<u64>,
    /// Other folders that the turn changed, with the number of their record.
    #[serde(default)]
    pub(super) also: Vec<(PathBuf, u64)>,
}

impl Record {
    /// Whether it is a turn of this folder. What is not is taken back with a turn of another folder, or by its
    /// number only, since nobody knows whose changes they are.
    pub(super) fn is_turn(&self) -> bool {
        self.thread.is_some() && self.between.is_none()
    }

    /// Adds it to a file.
    ///
    /// # Errors
    /// A folder has a name that is no text.
    pub(super) fn write_to(&self, to: &mut Writer) -> io::Result<()> {
        to.bytes(&serde_json::to_vec(self).map_err(io::Error::other)?);
        for changes in [&self.changes, &self.rest] {
            to.number(changes.len() as u64);
            let mut last: &[u8] = b"";
            for change in changes {
                let path = change.path.as_os_str().as_bytes();
                to.path(last, path);
                to.state(change.before.as_ref());
                to.stamp(change.after.as_ref());
                last = path;
            }
        }
        Ok(())
    }

    /// Reads it from a file; `None` when it is damaged.
    pub(super) fn read_from(from: &mut Reader) -> Option<Self> {
        let mut record: Self = serde_json::from_slice(from.bytes()?).ok()?;
        for changes in [&mut record.changes, &mut record.rest] {
            for _ in 0..from.number()? {
                let last = changes.last().map_or(OsStr::new(""), |change| change.path.as_os_str());
                let path = from.path(last.as_bytes())?.into();
                changes.push(Change { path, before: from.state()?, after: from.stamp()? });
            }
        }
        Some(record)
    }
}

/// Old and new marks of paths.
pub(super) type Marks = BTreeMap<PathBuf, (Stamp, Stamp)>;

/// What must be known of every record, without reading the long ones again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// Size, inode and time of change of its file.
    file: (u64, u64, i64, i64),
    undone: bool,
    /// The packs that it needs.
    packs: BTreeSet<u64>,
}

impl Store {
    /// All records, oldest first. What is damaged is none.
    pub(super) fn records(&self) -> Vec<Record> {
        let Ok(entries) = std::fs::read_dir(self.dir()) else { return Vec::new() };
        let names = entries.flatten().filter(|entry| number_of(&entry.file_name(), ".turn").is_some());
        let mut records: Vec<Record> = names.filter_map(|entry| read_record(&entry.path())).collect();
        records.sort_by_key(|record| record.number);
        records
    }

    /// Writes a record; what was undone before is forgotten when `fresh`, as in any editor.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn write(&mut self, record: &Record, fresh: bool) -> io::Result<()> {
        self.sync()?;
        self.write_record(record)?;
        if fresh {
            let old = self.heads();
            let surplus = old.len().saturating_sub(MAX_TURNS);
            for (at, (number, head)) in old.iter().enumerate() {
                if at < surplus || (head.undone && *number != record.number) {
                    self.remove(&turn(*number));
                }
            }
        }
        Ok(())
    }

    fn write_record(&self, record: &Record) -> io::Result<()> {
        let mut to = Writer::new();
        record.write_to(&mut to)?;
        self.put(&turn(record.number), &to.end())
    }

    /// The number of the next record.
    pub(super) fn next_number(&self) -> u64 {
        self.heads().keys().next_back().map_or(1, |last| last + 1)
    }

    /// What there is to know of each record. Only records that were written since it was asked last are read.
    fn heads(&self) -> BTreeMap<u64, Head> {
        let known: BTreeMap<u64, Head> = self.get_json(HEADS).unwrap_or_default();
        let mut heads = BTreeMap::new();
        for entry in std::fs::read_dir(self.dir()).into_iter().flatten().flatten() {
            let number = number_of(&entry.file_name(), ".turn");
            let (Some(number), Ok(meta)) = (number, entry.metadata()) else { continue };
            let file = (meta.size(), meta.ino(), meta.ctime(), meta.ctime_nsec());
            let head = known.get(&number).filter(|head| head.file == file).cloned();
            let read = || {
                // One that is damaged needs nothing, and goes when it is old.
                let record = read_record(&entry.path()).unwrap_or_default();
                let changes = record.changes.iter().chain(&record.rest);
                let packs = packs_of(changes.filter_map(|change| change.before.as_ref()));
                Head { file, undone: record.undone, packs }
            };
            heads.insert(number, head.unwrap_or_else(read));
        }
        if heads != known
            && let Ok(text) = serde_json::to_vec(&heads)
        {
            let _ = replace_unsynced(&self.dir().join(HEADS), &text, 0o600);
        }
        heads
    }

    /// Tells all records that these paths have other marks now.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn restamp(&self, marks: &Marks) -> io::Result<()> {
        for mut record in self.records() {
            let mut touched = false;
            for change in record.changes.iter_mut().chain(&mut record.rest) {
                let Some((old, new)) = marks.get(&change.path) else { continue };
                if let Some(after) = change.after.as_mut().filter(|after| *after == old) {
                    (*after, touched) = (*new, true);
                }
                if let Some(before) = change.before.as_mut().filter(|before| before.stamp == *old) {
                    (before.stamp, touched) = (*new, true);
                }
            }
            if touched {
                self.write_record(&record)?;
            }
        }
        Ok(())
    }

    /// Removes packs that neither `index`, which is the newest, nor a record needs. When the room gets short, the
    /// oldest records go first.
    pub(super) fn sweep(&mut self, index: &Before) {
        let mut needed = packs_of(index.entries.iter().map(|(_, state)| state));
        // A turn under way elsewhere needs what it began with.
        let held = std::fs::read_dir(self.dir()).into_iter().flatten().flatten();
        for entry in held.filter(|entry| entry.file_name().as_bytes().ends_with(b".before")) {
            let before = read_before(&entry.path()).unwrap_or_default();
            needed.extend(packs_of(before.entries.iter().map(|(_, state)| state)));
        }
        let mut heads = self.heads();
        loop {
            let of_records = heads.values().flat_map(|head| &head.packs);
            let all = of_records.copied().chain(needed.iter().copied()).collect();
            self.drop_packs(&all);
            // The last turn is what undo is for.
            if self.kept() <= MAX_KEPT / 4 * 3 || heads.len() < 2 {
                return;
            }
            let Some((oldest, _)) = heads.pop_first() else { return };
            self.remove(&turn(oldest));
        }
    }
}

fn read_record(path: &Path) -> Option<Record> {
    Record::read_from(&mut Reader::new(&read(path)?)?)
}

fn turn(number: u64) -> String {
    format!("{number}.turn")
}
