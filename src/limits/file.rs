//! One file per account joins all processes of a home. It is replaced as a whole under a lock; a file that is torn,
//! of another version or of another account counts as not there and is made anew with the next reading. Nothing
//! in here waits for the disk: the file is a copy of what the service knows.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::history;
use super::state::AccountLimits;
use crate::base::fs;
use crate::base::lock::FileLock;

/// Form of the file; others are not read.
const VERSION: u32 = 1;

/// The file has some kilobytes; more than this is something else.
const MAX_BYTES: u64 = 4 << 20;

/// Whoever holds the lock writes a few kilobytes: this is far more than enough.
const LOCK_TIME: Duration = Duration::from_secs(2);

/// Folder below the home.
const FOLDER: &str = "limits";

/// The shared file of one account.
#[derive(Clone, Debug)]
pub(crate) struct LimitsFile {
    dir: PathBuf,
    /// Name without extension.
    key: String,
    account_id: Option<String>,
}

#[derive(Deserialize)]
struct Stored {
    version: u32,
    limits: AccountLimits,
}

#[derive(Serialize)]
struct ToStore<'a> {
    version: u32,
    limits: &'a AccountLimits,
}

impl LimitsFile {
    /// The file of an account in the home `codex_home`.
    pub(crate) fn new(codex_home: &Path, account_id: Option<&str>) -> Self {
        let hash = Sha256::digest(account_id.unwrap_or_default().as_bytes());
        let key = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Self { dir: codex_home.join(FOLDER), key, account_id: account_id.map(str::to_owned) }
    }

    /// Its folder, for whoever waits for changes.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its account.
    pub(crate) fn account_id(&self) -> Option<&str> {
        self.account_id.as_deref()
    }

    /// Makes the folder.
    pub(crate) fn prepare(&self) -> io::Result<()> {
        fs::create_private_dir(&self.dir)
    }

    /// What is stored; nothing when the file is missing, torn or not ours.
    pub(crate) fn load(&self) -> Option<AccountLimits> {
        let bytes = fs::read_bounded(&self.path("json"), MAX_BYTES).ok()?;
        let stored: Stored = serde_json::from_slice(&bytes).ok()?;
        (stored.version == VERSION && stored.limits.account_id == self.account_id).then_some(stored.limits)
    }

    /// What is stored, or an empty state of this account.
    pub(crate) fn load_or_empty(&self) -> AccountLimits {
        let empty = || AccountLimits { account_id: self.account_id.clone(), ..AccountLimits::default() };
        self.load().unwrap_or_else(empty)
    }

    /// Changes what is stored and returns it. Without a writable home the change is made to what could be read, or
    /// else to `fallback`, and lives in this process only. Blocks.
    pub(crate) fn change<T>(
        &self,
        fallback: &AccountLimits,
        change: impl FnOnce(&mut AccountLimits) -> T,
    ) -> (AccountLimits, T) {
        let lock = self.prepare().and_then(|()| FileLock::take_within(&self.path("lock"), LOCK_TIME));
        // When the file is missing or damaged, what this process knows is the best there is.
        let mut state = self.load().unwrap_or_else(|| match fallback.account_id == self.account_id {
            true => fallback.clone(),
            false => self.load_or_empty(),
        });
        let before = state.clone();
        let out = change(&mut state);
        if let Ok(Some(_held)) = &lock
            && state != before
        {
            history::append(&self.history(), &history::changes(&before, &state));
            let stored = ToStore { version: VERSION, limits: &state };
            if let Ok(bytes) = serde_json::to_vec(&stored) {
                let _ = fs::replace_unsynced(&self.path("json"), &bytes, 0o600);
            }
        }
        (state, out)
    }

    /// The right to ask the service: one process at a time. `None` when it could not be had in time; without a
    /// writable home everybody has it. Blocks.
    pub(crate) fn fetch_lock(&self, time: Duration) -> Option<Option<FileLock>> {
        let taken = self.prepare().and_then(|()| FileLock::take_within(&self.path("fetch.lock"), time));
        match taken {
            Ok(Some(lock)) => Some(Some(lock)),
            Ok(None) => None,
            Err(_) => Some(None),
        }
    }

    /// The readings over days.
    pub(crate) fn history(&self) -> PathBuf {
        self.path("history.jsonl")
    }

    fn path(&self, extension: &str) -> PathBuf {
        self.dir.join(format!("{}.{extension}", self.key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_by_the_same_account_only() {
        let home = tempfile::tempdir().unwrap();
        let file = LimitsFile::new(home.path(), Some("acct-1"));
        let empty = file.load_or_empty();
        assert_eq!(empty.account_id.as_deref(), Some("acct-1"));
        let (state, ()) = file.change(&empty, |state| state.clock_ahead_s = 7);
        assert_eq!(file.load(), Some(state));
        let other = LimitsFile::new(home.path(), Some("acct-2"));
        assert_eq!(other.load(), None);
        std::fs::copy(file.path("json"), other.path("json")).unwrap();
        assert_eq!(other.load(), None, "a copied file is of another account");
    }

    #[test]
    fn damaged_files_are_made_anew() {
        let home = tempfile::tempdir().unwrap();
        let file = LimitsFile::new(home.path(), None);
        let known = AccountLimits { clock_ahead_s: 5, ..AccountLimits::default() };
        for content in ["", "{", "{\"version\":1,\"limi", "{\"version\":2,\"limits\":{}}", "[]", "\u{0}\u{0}"]
        {
            file.prepare().unwrap();
            std::fs::write(file.path("json"), content).unwrap();
            assert_eq!(file.load(), None, "{content:?}");
            let (state, ()) = file.change(&known, |state| state.clock_ahead_s += 1);
            assert_eq!((state.clock_ahead_s, file.load().map(|s| s.clock_ahead_s)), (6, Some(6)));
        }
    }

    #[test]
    fn without_a_writable_home_it_works_in_memory() {
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("limits"), "in the way").unwrap();
        let file = LimitsFile::new(home.path(), None);
        let (state, ()) = file.change(&AccountLimits::default(), |state| state.clock_ahead_s = 3);
        assert_eq!((state.clock_ahead_s, file.load()), (3, None));
        assert!(matches!(file.fetch_lock(Duration::ZERO), Some(None)));
    }
}
