//! Where undo keeps what was there before: per working directory one folder with packs of contents, an index of
//! what is already kept, and a record per turn. A content is copied once, however many turns follow; packs that
//! nothing refers to go.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::undo_walk::{Gaps, Kind, Stamp};
use crate::base::fs::{create_private_dir, read_bounded, replace, replace_unsynced};
use crate::base::lock::FileLock;

/// Larger files are not kept.
pub(crate) const MAX_FILE: u64 = 8 << 20;
/// All that is kept of one working directory.
pub(crate) const MAX_KEPT: u64 = 512 << 20;
/// Records of turns that are kept.
const MAX_TURNS: usize = 50;
/// Largest record or index.
const MAX_TEXT: u64 = 256 << 20;
const INDEX: &str = "index.json";
const HEADS: &str = "heads.json";
/// How long to wait for another program in the same directory.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// Where a content is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    pack: u64,
    offset: u64,
    length: u64,
    /// Tells a content from one that a power cut took away: nobody waits for the disk when it is kept.
    sum: u64,
}

/// A path at one end of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct State {
    /// Its marks.
    pub(crate) stamp: Stamp,
    /// Its content; `None` for folders and for what was not kept.
    pub(crate) kept: Option<Kept>,
}

/// A working directory before a turn. It serves three times: as what is already kept, as what the turn is compared
/// with, and, when the program is killed in the turn, as what its record is made from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Before {
    /// Every path below the directory.
    pub(crate) entries: BTreeMap<String, State>,
    /// What is not among them.
    pub(crate) gaps: Gaps,
}

/// What happened to one path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Change {
    /// Below the working directory.
    pub(crate) path: PathBuf,
    /// What taking the change back brings; `None` = nothing was there.
    pub(crate) before: Option<State>,
    /// What must be there now for it to be taken back.
    pub(crate) after: Option<Stamp>,
}

/// What one turn changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Counts the turns of this directory that changed something.
    pub(crate) number: u64,
    /// Sorted by path.
    pub(crate) changes: Vec<Change>,
    /// It was taken back; the changes are then those that bring it again.
    pub(crate) undone: bool,
    /// Not everything could be looked at or kept.
    pub(crate) partial: bool,
    /// There are folders that are never looked at.
    #[serde(default)]
    pub(crate) skipped: bool,
    /// Commands ran on after the turn.
    #[serde(default)]
    pub(crate) running: bool,
    /// The program was killed in the turn.
    #[serde(default)]
    pub(crate) killed: bool,
    /// It holds what changed after this turn while commands of it ran on; the user's own edits are among that.
    #[serde(default)]
    pub(crate) between: Option<u64>,
    /// The thread; a record without one is a part of a turn that worked elsewhere.
    #[serde(default)]
    pub(crate) thread: Option<String>,
    /// The turn as the thread calls it.
    #[serde(default)]
    pub(crate) turn: Option<String>,
    /// It was taken back with others, of which this is the first: they come again together.
    #[serde(default)]
    pub(crate) together: Option<u64>,
    /// Other folders that the turn changed, with the number of their record.
    #[serde(default)]
    pub(crate) also: Vec<(PathBuf, u64)>,
}

impl Record {
    /// Whether it is a turn of this folder. What is not is taken back with a turn of another folder, or by its
    /// number only, since nobody knows whose changes they are.
    pub(crate) fn is_turn(&self) -> bool {
        self.thread.is_some() && self.between.is_none()
    }
}

/// Old and new marks of paths.
pub(crate) type Marks = BTreeMap<PathBuf, (Stamp, Stamp)>;

/// What must be known of every record, without reading the long ones again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Head {
    /// Size, inode and time of change of its file.
    file: (u64, u64, i64, i64),
    undone: bool,
    /// The packs that it needs.
    packs: BTreeSet<u64>,
}

/// The folder of one working directory, held by one program at a time.
#[derive(Debug)]
pub(crate) struct Store {
    dir: PathBuf,
    index: Before,
    pack: Option<(u64, File, u64)>,
    kept: u64,
    _lock: FileLock,
}

impl Store {
    /// Opens the folder for `root` below `base`, made when missing.
    ///
    /// # Errors
    /// Another program holds it, or the disk says no.
    pub(crate) fn open(base: &Path, root: &Path) -> io::Result<Self> {
        let dir = folder(base, root);
        create_private_dir(&dir)?;
        let busy = || io::Error::new(io::ErrorKind::TimedOut, "another program works in this directory");
        let lock = FileLock::take_within(&dir.join("lock"), LOCK_TIME)?.ok_or_else(busy)?;
        // A lost index only means copying again.
        let index = read_json(&dir.join(INDEX)).unwrap_or_default();
        let kept = packs(&dir)?.into_iter().map(|(_, size)| size).sum();
        Ok(Self { dir, index, pack: None, kept, _lock: lock })
    }

    /// The content of `path` as it is now, if it is kept with exactly these marks.
    pub(crate) fn known(&self, path: &str, stamp: &Stamp) -> Option<Kept> {
        self.index.entries.get(path).filter(|state| state.stamp == *stamp).and_then(|state| state.kept)
    }

    /// Keeps a content; `None` when it is too large or there is no room.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn keep(&mut self, bytes: &[u8]) -> io::Result<Option<Kept>> {
        let length = bytes.len() as u64;
        if length > MAX_FILE || self.kept + length > MAX_KEPT {
            return Ok(None);
        }
        if self.pack.is_none() {
            let number = packs(&self.dir)?.into_iter().map(|(number, _)| number + 1).max().unwrap_or(0);
            let path = self.dir.join(format!("{number}.pack"));
            let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            self.pack = Some((number, file, 0));
        }
        let Some((pack, file, offset)) = &mut self.pack else { return Ok(None) };
        file.write_all(bytes)?;
        let kept = Kept { pack: *pack, offset: *offset, length, sum: sum(bytes) };
        *offset += length;
        self.kept += length;
        Ok(Some(kept))
    }

    /// A content that was kept.
    ///
    /// # Errors
    /// It is gone or cut off.
    pub(crate) fn content(&self, kept: Kept) -> io::Result<Vec<u8>> {
        if kept.length > MAX_FILE {
            return Err(io::Error::other("its record is damaged"));
        }
        let mut bytes = vec![0; usize::try_from(kept.length).map_err(io::Error::other)?];
        let file = File::open(self.dir.join(format!("{}.pack", kept.pack)))?;
        file.read_exact_at(&mut bytes, kept.offset)?;
        if sum(&bytes) == kept.sum { Ok(bytes) } else { Err(io::Error::other("what was kept is damaged")) }
    }

    /// Replaces what is known to be kept. Nobody waits for the disk: a lost index only means copying again.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn set_index(&mut self, index: &Before) -> io::Result<()> {
        let path = self.dir.join(INDEX);
        if self.index == *index && path.exists() {
            return Ok(());
        }
        replace_unsynced(&path, &serde_json::to_vec(index).map_err(io::Error::other)?, 0o600)?;
        self.index.clone_from(index);
        Ok(())
    }

    /// Holds the index as it is now under another name.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn hold_index(&self, name: &str) -> io::Result<()> {
        let (from, to) = (self.dir.join(INDEX), self.dir.join(name));
        // A new index is another file, so that this one stays as it is. Not every file system has links.
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop))
    }

    /// The file of this name.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// All records, oldest first.
    pub(crate) fn records(&self) -> Vec<Record> {
        let Ok(entries) = std::fs::read_dir(&self.dir) else { return Vec::new() };
        let names = entries.flatten().filter(|entry| number_of(&entry.file_name(), ".turn").is_some());
        let mut records: Vec<Record> = names.filter_map(|entry| read_json(&entry.path())).collect();
        records.sort_by_key(|record| record.number);
        records
    }

    /// Writes a record; what was undone before is forgotten when `fresh`, as in any editor.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn write(&self, record: &Record, fresh: bool) -> io::Result<()> {
        if let Some((_, file, _)) = &self.pack {
            file.sync_data()?;
        }
        write_json(&self.turn(record.number), record)?;
        if fresh {
            let old = self.heads();
            let surplus = old.len().saturating_sub(MAX_TURNS);
            for (at, (number, head)) in old.iter().enumerate() {
                if at < surplus || (head.undone && *number != record.number) {
                    let _ = std::fs::remove_file(self.turn(*number));
                }
            }
        }
        Ok(())
    }

    /// The number of the next record.
    pub(crate) fn next_number(&self) -> u64 {
        self.heads().keys().next_back().map_or(1, |last| last + 1)
    }

    /// What there is to know of each record. Only records that were written since it was asked last are read.
    fn heads(&self) -> BTreeMap<u64, Head> {
        let known: BTreeMap<u64, Head> = self.get(HEADS).unwrap_or_default();
        let mut heads = BTreeMap::new();
        for entry in std::fs::read_dir(&self.dir).into_iter().flatten().flatten() {
            let number = number_of(&entry.file_name(), ".turn");
            let (Some(number), Ok(meta)) = (number, entry.metadata()) else { continue };
            let file = (meta.size(), meta.ino(), meta.ctime(), meta.ctime_nsec());
            let head = known.get(&number).filter(|head| head.file == file).cloned();
            let read = || {
                let record: Record = read_json(&entry.path())?;
                Some(Head {
                    file,
                    undone: record.undone,
                    packs: packs_of(record.changes.iter().filter_map(|c| c.before.as_ref())),
                })
            };
            heads.extend(head.or_else(read).map(|head| (number, head)));
        }
        if heads != known
            && let Ok(text) = serde_json::to_vec(&heads)
        {
            let _ = replace_unsynced(&self.dir.join(HEADS), &text, 0o600);
        }
        heads
    }

    /// Writes a file of its own kind beside the records.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn put<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        write_json(&self.dir.join(name), value)
    }

    /// Reads it; `None` also when it is damaged.
    pub(crate) fn get<T: for<'a> Deserialize<'a>>(&self, name: &str) -> Option<T> {
        read_json(&self.dir.join(name))
    }

    /// Removes it.
    pub(crate) fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.dir.join(name));
    }

    /// Waits until the contents that were kept are on disk.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.pack.as_ref().map_or(Ok(()), |(_, file, _)| file.sync_data())
    }

    /// Tells all records that these paths have other marks now.
    ///
    /// # Errors
    /// The disk says no.
    pub(crate) fn restamp(&self, marks: &Marks) -> io::Result<()> {
        for mut record in self.records() {
            let mut touched = false;
            for change in &mut record.changes {
                let Some((old, new)) = marks.get(&change.path) else { continue };
                if let Some(after) = change.after.as_mut().filter(|after| *after == old) {
                    (*after, touched) = (*new, true);
                }
                if let Some(before) = change.before.as_mut().filter(|before| before.stamp == *old) {
                    (before.stamp, touched) = (*new, true);
                }
            }
            if touched {
                write_json(&self.turn(record.number), &record)?;
            }
        }
        Ok(())
    }

    /// Removes packs that neither the index nor a record needs.
    pub(crate) fn sweep(&self) {
        let mut needed = packs_of(self.index.entries.values());
        needed.extend(self.heads().into_values().flat_map(|head| head.packs));
        // A turn under way elsewhere needs what it began with.
        let held = std::fs::read_dir(&self.dir).into_iter().flatten().flatten();
        for entry in held.filter(|entry| entry.file_name().to_string_lossy().ends_with(".before")) {
            let before: Before = read_json(&entry.path()).unwrap_or_default();
            needed.extend(packs_of(before.entries.values()));
        }
        for (number, _) in packs(&self.dir).unwrap_or_default() {
            if !needed.contains(&number) {
                let _ = std::fs::remove_file(self.dir.join(format!("{number}.pack")));
            }
        }
    }

    fn turn(&self, number: u64) -> PathBuf {
        self.dir.join(format!("{number}.turn"))
    }
}

/// Whether anything was ever kept for `root`.
pub(crate) fn exists(base: &Path, root: &Path) -> bool {
    folder(base, root).is_dir()
}

/// Where everything about `root` is kept.
pub(crate) fn folder(base: &Path, root: &Path) -> PathBuf {
    base.join(name_of(root))
}

/// Whether the content of this kind of path can be kept at all.
pub(crate) fn has_content(stamp: &Stamp) -> bool {
    match stamp.kind {
        Kind::File => stamp.size <= MAX_FILE,
        Kind::Link => true,
        Kind::Folder | Kind::Other => false,
    }
}

fn name_of(root: &Path) -> String {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect()
}

/// Numbers and sizes of the packs.
fn packs(dir: &Path) -> io::Result<Vec<(u64, u64)>> {
    let mut packs = Vec::new();
    for entry in std::fs::read_dir(dir)? {
        let entry = entry?;
        if let Some(number) = number_of(&entry.file_name(), ".pack") {
            packs.push((number, entry.metadata()?.len()));
        }
    }
    Ok(packs)
}

/// The number before `ending` in a file name.
fn number_of(name: &OsStr, ending: &str) -> Option<u64> {
    name.to_str()?.strip_suffix(ending)?.parse().ok()
}

fn packs_of<'a>(states: impl Iterator<Item = &'a State>) -> BTreeSet<u64> {
    states.filter_map(|state| state.kept).map(|kept| kept.pack).collect()
}

/// A quick checksum, against accidents only.
fn sum(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let mut sum = bytes.len() as u64;
    let mut mix = |word: u64| sum = (sum ^ word).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29);
    for word in &mut words {
        mix(word.iter().rev().fold(0, |all, byte| all << 8 | u64::from(*byte)));
    }
    words.remainder().iter().for_each(|byte| mix(u64::from(*byte)));
    sum
}

pub(crate) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read_bounded(path, MAX_TEXT).ok()?).ok()
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    replace(path, &serde_json::to_vec(value).map_err(io::Error::other)?, 0o600)
}

/// Reads an open file, at most one byte more than [`MAX_FILE`]: that it is there tells that the file is too large.
///
/// # Errors
/// It cannot be read.
pub(crate) fn read_all(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
