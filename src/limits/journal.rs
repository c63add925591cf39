//! The book of redemptions on disk, one file per account: the intent before its request leaves, receipts afterwards.
//! All IO of a redemption's memory is here, and nothing is decided here.
//!
//! Every line carries a check sum and the last one says how many there are, so that a torn, truncated or altered file
//! is told from a whole one: an altered key would be another key. A damaged file is set aside under another name, and
//! what is whole in it is kept. Writing replaces the file, so that a full disk leaves what was there. A second file knows the
//! keys that came to their end: a journal that calls one of them open is an old copy that somebody put back, and counts
//! as damaged, for what its key did is long over.

use std::io::{Error as IoError, ErrorKind};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::intent::{Book, Intent, Receipt};
use crate::base::fs;
use crate::base::lock::FileLock;
use crate::base::tasks::TaskFailed;

/// Folder in the configuration's home.
const FOLDER: &str = "redeem";
/// First line of this form of the file.
const MAGIC: &str = "codex redeem journal 1";
/// What every form of the file begins with.
const ANY_MAGIC: &str = "codex redeem journal ";
/// A whole journal is a tenth of this.
const MAX_BYTES: u64 = 1 << 20;
/// Ending of the file with the keys that came to their end.
const FINISHED: &str = "finished";
/// Keys that are kept there.
const MAX_FINISHED: usize = 512;
/// Damaged files that are kept; beyond this the disk is what is broken.
const MOST_ASIDE: u32 = 1000;

/// The journal could not be used. Nothing was sent because of it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The disk or its permissions: the user has to look after it.
    #[error("the redemption journal {path} cannot be {doing}: {reason}", path = path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// "read", "written" or "locked".
        doing: &'static str,
        /// The system's words.
        reason: String,
    },
    /// A newer program wrote it: only that one knows what is unfinished.
    #[error("the redemption journal {path} was written by a newer version of this program", path = path.display())]
    Newer {
        /// Which file.
        path: PathBuf,
    },
    /// The program itself failed at it.
    #[error(transparent)]
    Task(#[from] TaskFailed),
}

/// Where the journal of one account is.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    dir: PathBuf,
    name: String,
}

/// The journal, held by this process alone.
#[derive(Debug)]
pub(crate) struct Journal {
    place: Place,
    _lock: FileLock,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Receipt(Receipt),
    Intent(Intent),
    Damaged(PathBuf),
}

/// Whether anybody ever redeemed from this home.
pub(crate) fn was_used(codex_home: &Path) -> bool {
    codex_home.join(FOLDER).is_dir()
}

impl Place {
    /// The journal of `account` in the home `codex_home`.
    pub(crate) fn new(codex_home: &Path, account: &str) -> Self {
        Self { dir: codex_home.join(FOLDER), name: hex(account.as_bytes(), 8) }
    }

    /// The file.
    pub(crate) fn path(&self) -> PathBuf {
        self.dir.join(format!("{}.journal", self.name))
    }

    /// Reads without the lock, for showing. A damaged file is left alone; its whole lines count.
    ///
    /// # Errors
    /// The file cannot be read, or is of a newer version.
    pub(crate) fn peek(&self) -> Result<(Book, bool), Error> {
        match self.read()? {
            Some(bytes) => self.understand(&bytes),
            None => Ok((Book::default(), true)),
        }
    }

    /// Takes the journal for this process; `None` when another one holds it for longer than `patience`. Blocks.
    ///
    /// # Errors
    /// The folder cannot be made or the lock cannot be had.
    pub(crate) fn take(&self, patience: Duration) -> Result<Option<Journal>, Error> {
        let fail = |e: IoError| self.error("locked", &e);
        fs::create_private_dir(&self.dir).map_err(fail)?;
        let lock =
            FileLock::take_within(&self.dir.join(format!("{}.lock", self.name)), patience).map_err(fail)?;
        Ok(lock.map(|lock| Journal { place: self.clone(), _lock: lock }))
    }

    fn read(&self) -> Result<Option<Vec<u8>>, Error> {
        match fs::read_bounded(&self.path(), MAX_BYTES) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            // Something that we never wrote stands in its place: damage, with nothing whole in it.
            Err(e) if matches!(e.kind(), ErrorKind::FileTooLarge | ErrorKind::IsADirectory) => {
                Ok(Some(Vec::new()))
            }
            Err(e) => Err(self.error("read", &e)),
        }
    }

    /// The whole lines of a file, and whether it is whole altogether.
    fn understand(&self, bytes: &[u8]) -> Result<(Book, bool), Error> {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.split_terminator('\n');
        let head = lines.next().unwrap_or_default();
        let other = head.strip_prefix(ANY_MAGIC).and_then(|version| version.parse::<u32>().ok());
        if other.is_some_and(|version| version > 1) {
            return Err(Error::Newer { path: self.path() });
        }
        let mut book = Book::default();
        let mut whole = head == MAGIC && text.ends_with('\n');
        let mut end = None;
        let mut count = 0;
        for line in lines {
            if end.is_some() {
                whole = false;
            }
            if let Some(said) = line.strip_prefix("end ") {
                end = said.parse::<usize>().ok();
                continue;
            }
            count += 1;
            match understand_line(line) {
                Some(Line::Receipt(receipt)) => book.settle(receipt),
                Some(Line::Intent(intent)) => book.intent = Some(intent),
                Some(Line::Damaged(aside)) => book.damaged = Some(aside),
                None => whole = false,
            }
        }
        whole &= end == Some(count);
        if let Some(open) = &book.intent
            && self.finished().contains(&hex(open.key.as_bytes(), 8))
        {
            book.intent = None;
            whole = false;
        }
        Ok((book, whole))
    }

    /// Hashes of the keys that came to their end, oldest first. A torn or missing file knows less, nothing worse.
    fn finished(&self) -> Vec<String> {
        let bytes = fs::read_bounded(&self.dir.join(format!("{}.{FINISHED}", self.name)), MAX_BYTES);
        // Line by line: what somebody broke in one of them is not to be forgotten of the others.
        String::from_utf8_lossy(&bytes.unwrap_or_default()).lines().map(str::to_owned).collect()
    }

    /// Adds the keys of `receipts` to them.
    fn finish(&self, receipts: &[Receipt]) {
        let mut known = self.finished();
        let before = known.len();
        for receipt in receipts {
            let hash = hex(receipt.intent.key.as_bytes(), 8);
            if !known.contains(&hash) {
                known.push(hash);
            }
        }
        if known.len() > before {
            known.drain(..known.len().saturating_sub(MAX_FINISHED));
            let text = known.join("\n") + "\n";
            // Without it the journal itself still knows its receipts.
            let _ = fs::replace(&self.dir.join(format!("{}.{FINISHED}", self.name)), text.as_bytes(), 0o600);
        }
    }

    fn error(&self, doing: &'static str, error: &IoError) -> Error {
        Error::Io { path: self.path(), doing, reason: error.to_string() }
    }
}

impl Journal {
    /// Reads what is written down. A damaged file is set aside; what is whole in it is written anew, with a note
    /// where the rest is.
    ///
    /// # Errors
    /// The file cannot be read, set aside or written, or is of a newer version.
    pub(crate) fn load(&self) -> Result<Book, Error> {
        let Some(bytes) = self.place.read()? else { return Ok(Book::default()) };
        let (mut book, whole) = self.place.understand(&bytes)?;
        if !whole {
            book.damaged = Some(self.set_aside()?);
            self.store(&book)?;
        }
        // An end between the two files left one of them behind.
        self.place.finish(&book.receipts);
        Ok(book)
    }

    /// Writes everything down; when this returns without error it survives a power cut.
    ///
    /// # Errors
    /// The disk does not take it; what was there before is still there.
    pub(crate) fn store(&self, book: &Book) -> Result<(), Error> {
        let mut text = format!("{MAGIC}\n");
        let receipts = book.receipts.iter().cloned().map(Line::Receipt);
        let mut count = 0_usize;
        let intent = book.intent.clone().map(Line::Intent);
        for line in receipts.chain(intent).chain(book.damaged.clone().map(Line::Damaged)) {
            let json = serde_json::to_string(&line)
                .map_err(|e| self.place.error("written", &IoError::other(e.to_string())))?;
            text.push_str(&format!("{} {json}\n", hex(json.as_bytes(), 8)));
            count += 1;
        }
        text.push_str(&format!("end {count}\n"));
        let path = self.place.path();
        fs::replace(&path, text.as_bytes(), 0o600).map_err(|e| self.place.error("written", &e))?;
        self.place.finish(&book.receipts);
        Ok(())
    }

    fn set_aside(&self) -> Result<PathBuf, Error> {
        let path = self.place.path();
        let fail = |e: &IoError| self.place.error("set aside", e);
        let free = (1..=MOST_ASIDE)
            .map(|n| self.place.dir.join(format!("{}.damaged-{n}", self.place.name)))
            .find(|aside| aside.symlink_metadata().is_err())
            .ok_or_else(|| fail(&IoError::other("there are too many damaged ones already")))?;
        // A second name first: if the end comes now, the next start still finds the damage.
        let linked = std::fs::hard_link(&path, &free);
        linked.or_else(|_| std::fs::rename(&path, &free)).map_err(|e| fail(&e))?;
        fs::sync_dir(&self.place.dir).map_err(|e| fail(&e))?;
        Ok(free)
    }
}

fn understand_line(line: &str) -> Option<Line> {
    let (sum, json) = line.split_once(' ')?;
    if sum != hex(json.as_bytes(), 8) {
        return None;
    }
    serde_json::from_str(json).ok()
}

/// The first bytes of the SHA-256 of something, in hexadecimal digits.
fn hex(bytes: &[u8], take: usize) -> String {
    Sha256::digest(bytes).iter().take(take).map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
#[path = "journal_tests.rs"]
mod tests;
