//! Where undo keeps what was there before: per folder of the user one folder with packs of contents and an index of
//! what is already kept. A content is copied once, however many turns follow; packs that nothing refers to go.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::bytes;
use super::state::{Before, Kept};
use crate::base::fs::{create_private_dir, read_bounded, replace, replace_unsynced};
use crate::base::lock::FileLock;

/// Larger files are not kept.
pub(super) const MAX_FILE: u64 = 8 << 20;
/// All that is kept of one folder.
pub(super) const MAX_KEPT: u64 = 512 << 20;
/// Largest record or index.
const MAX_TEXT: u64 = 256 << 20;
const INDEX: &str = "index";
/// So much of a disk stays free, or a quarter of a small one: the turn itself has to be stored too.
const FREE: u64 = 256 << 20;
/// How long to wait for another program in the same folder.
const LOCK_TIME: Duration = Duration::from_secs(2);
/// Contents are written in pieces of this size.
const PIECE: usize = 256 << 10;

/// The pack that is being written.
#[derive(Debug)]
struct Pack {
    number: u64,
    file: BufWriter<File>,
    end: u64,
}

/// The store of one folder, held by one program at a time.
#[derive(Debug)]
pub(super) struct Store {
    dir: PathBuf,
    index: OnceCell<Before>,
    pack: Option<Pack>,
    /// No more is kept: the disk is full.
    full: bool,
    kept: u64,
    /// How much may be kept in all.
    limit: u64,
    _lock: FileLock,
}

impl Store {
    /// Opens the store for `root` below `base`, made when missing.
    ///
    /// # Errors
    /// Another program holds it, or the disk says no.
    pub(super) fn open(base: &Path, root: &Path) -> io::Result<Self> {
        let dir = folder(base, root);
        create_private_dir(&dir)?;
        let busy = || io::Error::new(io::ErrorKind::TimedOut, "another program works in this directory");
        let lock = FileLock::take_within(&dir.join("lock"), LOCK_TIME)?.ok_or_else(busy)?;
        let kept = packs(&dir)?.into_iter().map(|(_, size)| size).sum();
        let limit = rustix::fs::statvfs(&dir).map_or(MAX_KEPT, |disk| {
            limit(
                kept,
                disk.f_bavail.saturating_mul(disk.f_frsize),
                disk.f_blocks.saturating_mul(disk.f_frsize),
            )
        });
        Ok(Self { dir, index: OnceCell::new(), pack: None, full: false, kept, limit, _lock: lock })
    }

    /// What is kept of what was there when it was looked at last. A lost index only means copying again.
    pub(super) fn index(&self) -> &Before {
        self.index.get_or_init(|| read_before(&self.dir.join(INDEX)).unwrap_or_default())
    }

    /// The same, taken out.
    pub(super) fn take_index(&mut self) -> Before {
        self.index();
        self.index.take().unwrap_or_default()
    }

    /// Puts it back.
    pub(super) fn give_index(&mut self, index: Before) {
        self.index = index.into();
    }

    /// Keeps a content; `None` when it is too large or there is no room.
    pub(super) fn keep(&mut self, bytes: &[u8]) -> Option<Kept> {
        let length = bytes.len() as u64;
        if self.full || length > MAX_FILE || self.kept + length > self.limit {
            return None;
        }
        match self.write_content(bytes) {
            Ok(kept) => {
                self.kept += length;
                Some(kept)
            }
            Err(_) => {
                // What was written of it would be in the way of the next.
                self.full = true;
                None
            }
        }
    }

    fn write_content(&mut self, bytes: &[u8]) -> io::Result<Kept> {
        if self.pack.is_none() {
            let number = packs(&self.dir)?.into_iter().map(|(number, _)| number + 1).max().unwrap_or(0);
            let path = self.dir.join(format!("{number}.pack"));
            self.write_to(number, OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?);
        }
        let pack = self.pack.as_mut().ok_or(io::ErrorKind::NotFound)?;
        pack.file.write_all(bytes)?;
        let length = bytes.len() as u64;
        let kept = Kept { pack: pack.number, offset: pack.end, length, sum: bytes::sum(bytes) };
        pack.end += length;
        Ok(kept)
    }

    fn write_to(&mut self, number: u64, file: File) {
        self.pack = Some(Pack { number, file: BufWriter::with_capacity(PIECE, file), end: 0 });
    }

    /// Whether a content is where it was kept: what the disk had no room for is not.
    pub(super) fn holds(&mut self, kept: &Kept) -> bool {
        let Some(pack) = self.pack.as_mut().filter(|pack| pack.number == kept.pack) else { return true };
        if !self.full && pack.file.flush().is_err() {
            self.full = true;
        }
        !self.full || pack.file.get_ref().metadata().is_ok_and(|meta| kept.offset + kept.length <= meta.len())
    }

    /// A content that was kept.
    ///
    /// # Errors
    /// It is gone or cut off.
    pub(super) fn content(&mut self, kept: Kept) -> io::Result<Vec<u8>> {
        if kept.length > MAX_FILE {
            return Err(io::Error::other("its record is damaged"));
        }
        if let Some(pack) = self.pack.as_mut().filter(|pack| pack.number == kept.pack) {
            pack.file.flush()?;
        }
        let mut bytes = vec![0; usize::try_from(kept.length).map_err(io::Error::other)?];
        let file = File::open(self.dir.join(format!("{}.pack", kept.pack)))?;
        file.read_exact_at(&mut bytes, kept.offset)?;
        match bytes::sum(&bytes) == kept.sum {
            true => Ok(bytes),
            false => Err(io::Error::other("what was kept is damaged")),
        }
    }

    /// Replaces what is known to be kept, when it is another than the one that was read. Nobody waits for the disk: a
    /// lost index only means copying again.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn set_index(&mut self, index: &Before) -> io::Result<()> {
        self.flush()?;
        self.index = OnceCell::new();
        replace_unsynced(&self.dir.join(INDEX), &bytes::from_before(index), 0o600)
    }

    /// Holds the index as it is now under another name.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn hold_index(&self, name: &str) -> io::Result<()> {
        let (from, to) = (self.dir.join(INDEX), self.dir.join(name));
        // A new index is another file, so that this one stays as it is. Not every file system has links.
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop))
    }

    /// Whether there is an index on disk.
    pub(super) fn has_index(&self) -> bool {
        self.dir.join(INDEX).exists()
    }

    /// The store's folder.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes a file of its own kind beside the records.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        replace(&self.dir.join(name), bytes, 0o600)
    }

    /// Reads it; `None` also when it is too large.
    pub(super) fn get(&self, name: &str) -> Option<Vec<u8>> {
        read(&self.dir.join(name))
    }

    /// The same as JSON; `None` also when it is damaged.
    pub(super) fn get_json<T: for<'a> Deserialize<'a>>(&self, name: &str) -> Option<T> {
        read_json(&self.dir.join(name))
    }

    /// Writes it as JSON.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn put_json<T: Serialize>(&self, name: &str, value: &T) -> io::Result<()> {
        self.put(name, &serde_json::to_vec(value).map_err(io::Error::other)?)
    }

    /// Removes it.
    pub(super) fn remove(&self, name: &str) {
        let _ = std::fs::remove_file(self.dir.join(name));
    }

    fn flush(&mut self) -> io::Result<()> {
        self.pack.as_mut().filter(|_| !self.full).map_or(Ok(()), |pack| pack.file.flush())
    }

    /// Waits until the contents that were kept are on disk.
    ///
    /// # Errors
    /// The disk says no.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.flush()?;
        self.pack.as_ref().map_or(Ok(()), |pack| pack.file.get_ref().sync_data())
    }

    /// Goes on in a pack that is there.
    #[cfg(test)]
    pub(super) fn use_pack(&mut self, number: u64) {
        let file = OpenOptions::new().write(true).open(self.dir.join(format!("{number}.pack"))).unwrap();
        self.write_to(number, file);
    }

    /// How much is kept, needed or not.
    pub(super) fn kept(&self) -> u64 {
        self.kept
    }

    /// Removes packs that are not `needed`.
    pub(super) fn drop_packs(&mut self, needed: &BTreeSet<u64>) {
        for (number, size) in packs(&self.dir).unwrap_or_default() {
            if !needed.contains(&number) && self.pack.as_ref().is_none_or(|pack| pack.number != number) {
                let gone = std::fs::remove_file(self.dir.join(format!("{number}.pack")));
                self.kept = self.kept.saturating_sub(gone.map_or(0, |()| size));
            }
        }
    }
}

/// How much may be kept in all, where so much is kept, free, and there altogether.
fn limit(kept: u64, free: u64, all: u64) -> u64 {
    MAX_KEPT.min(kept + free.saturating_sub(FREE.min(all / 4)))
}

/// Whether anything was ever kept for `root`.
pub(super) fn exists(base: &Path, root: &Path) -> bool {
    folder(base, root).is_dir()
}

/// Where everything about `root` is kept.
pub(super) fn folder(base: &Path, root: &Path) -> PathBuf {
    let digest = Sha256::digest(root.as_os_str().as_encoded_bytes());
    base.join(digest.iter().take(12).map(|byte| format!("{byte:02x}")).collect::<String>())
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
pub(super) fn number_of(name: &OsStr, ending: &str) -> Option<u64> {
    name.to_str()?.strip_suffix(ending)?.parse().ok()
}

/// Reads a state before a turn.
pub(super) fn read_before(path: &Path) -> Option<Before> {
    bytes::to_before(&read(path)?)
}

pub(super) fn read(path: &Path) -> Option<Vec<u8>> {
    read_bounded(path, MAX_TEXT).ok()
}

pub(super) fn read_json<T: for<'a> Deserialize<'a>>(path: &Path) -> Option<T> {
    serde_json::from_slice(&read(path)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_is_never_filled() {
        const MB: u64 = 1 << 20;
        let rows = [
            (0, 100_000 * MB, 200_000 * MB, MAX_KEPT),
            (500 * MB, 300 * MB, 200_000 * MB, MAX_KEPT),
            (100 * MB, 300 * MB, 200_000 * MB, 144 * MB),
            (100 * MB, 200 * MB, 200_000 * MB, 100 * MB),
            (0, 4 * MB, 4 * MB, 3 * MB),
            (2 * MB, 0, 4 * MB, 2 * MB),
        ];
        for (kept, free, all, want) in rows {
            assert_eq!(limit(kept, free, all), want, "{kept} {free} {all}");
        }
    }
}
