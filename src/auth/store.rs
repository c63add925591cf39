//! Where the credential document is kept: `auth.json` (mode 0600, written whole), the system's keyring, or the
//! memory of this process. Writers hold a lock between processes, the same that other programs of this file take.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use super::document::Stored;
use super::document::{self, Document};
use super::error::Error;
use super::keyring::Keyring;
use crate::base::fs;
use crate::base::lock::FileLock;
use crate::base::secret::{KEY_VARIABLES, Secret};
use crate::config::schema::login::CredentialStore;

/// A credential file is a few kilobytes; more than this is something else.
pub(super) const MAX_BYTES: u64 = 1 << 20;

/// Name of the file in the configuration's home.
pub(crate) const FILE_NAME: &str = "auth.json";

/// Lock files beside it. Both are taken, or none: programs differ in which one they take, and in the order.
const LOCKS: [&str; 2] = ["auth.json.lock", "auth.lock"];

/// So long a writer waits for another one; longer than one of ours may hold the lock.
const LOCK_TIME: Duration = Duration::from_secs(45);

/// The documents of stores that keep them in memory, by home.
static MEMORY: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// The credentials of one home.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pub(super) home: PathBuf,
    pub(super) path: PathBuf,
    pub(super) keep: CredentialStore,
    /// Variables that hold keys: no program that is started for the store or for a sign-in gets them.
    hidden: Arc<[String]>,
}

/// Keeps other writers out until dropped.
#[derive(Debug)]
pub(super) struct Locks {
    _held: Vec<FileLock>,
}

impl Store {
    /// The file of the home `codex_home`.
    pub(crate) fn new(codex_home: &Path) -> Self {
        Self::kept_in(codex_home, CredentialStore::File)
    }

    /// The credentials of the home `codex_home`, kept where the configuration says.
    pub(crate) fn kept_in(codex_home: &Path, keep: CredentialStore) -> Self {
        let hidden = KEY_VARIABLES.into_iter().map(str::to_owned).collect();
        Self { home: codex_home.to_owned(), path: codex_home.join(FILE_NAME), keep, hidden }
    }

    /// The same, with these variables kept from the programs that are started.
    pub(crate) fn hiding(self, names: &[String]) -> Self {
        Self { hidden: names.into(), ..self }
    }

    /// Variables that hold keys.
    pub(crate) fn hidden(&self) -> Arc<[String]> {
        Arc::clone(&self.hidden)
    }

    /// The file, for words to the user.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether what is stored is forgotten with this process.
    pub(crate) fn is_ephemeral(&self) -> bool {
        matches!(self.keep, CredentialStore::Ephemeral)
    }

    /// The folder with the file and its locks.
    pub(super) fn home(&self) -> &Path {
        &self.home
    }

    /// Why the file serves in place of the keyring, where the configuration leaves the choice to us.
    pub(crate) fn fallback(&self) -> Option<String> {
        let Err(error) = matches!(self.keep, CredentialStore::Auto).then(|| self.keyring().read())? else {
            return None;
        };
        Some(format!("{error} Credentials are kept in {} instead.", self.path.display()))
    }

    /// What signing out could not reach: a keyring that may hold something and does not answer.
    pub(crate) fn unseen(&self) -> Option<String> {
        let error = matches!(self.keep, CredentialStore::Auto).then(|| self.keyring().read())?.err()?;
        (error != Keyring::missing()).then(|| format!("{error} What it may hold was not removed."))
    }

    fn keyring(&self) -> Keyring<'_> {
        Keyring::of(&self.home, &self.hidden)
    }

    /// Reads; `None` when nothing is stored or nobody is signed in.
    ///
    /// # Errors
    /// What is stored cannot be read or understood.
    pub(crate) fn load(&self) -> Result<Option<Stored>, Error> {
        match self.read()? {
            Some(document) => document::understand(&document, &self.path),
            None => Ok(None),
        }
    }

    /// Stores an API key in place of what was there; fields we do not know stay.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn save_api_key(&self, key: &Secret) -> Result<(), Error> {
        self.change(|document| document::put_key(document, key))
    }

    /// Changes the document, or makes one. What is damaged is set aside under another name first.
    pub(super) fn change(&self, edit: impl FnOnce(&mut Document)) -> Result<(), Error> {
        let _locks = self.lock()?;
        let mut document = match self.read() {
            Ok(document) => {
                let document = document.unwrap_or_default();
                if document::understand(&document, &self.path).is_err() {
                    self.set_aside()?;
                }
                document
            }
            Err(Error::Corrupt { .. }) => {
                self.set_aside()?;
                Document::new()
            }
            Err(error) => return Err(error),
        };
        edit(&mut document);
        self.write(&document)
    }

    /// Removes everything; false when there was nothing.
    ///
    /// # Errors
    /// It cannot be removed.
    pub(crate) fn delete(&self) -> Result<bool, Error> {
        // Without a lock rather than not at all: a home without write access may still let the file go.
        let _locks = self.lock().ok();
        let mut gone = memory().remove(&self.home).is_some();
        match self.keep {
            CredentialStore::Keyring => gone |= self.keyring().delete()?,
            CredentialStore::Auto => gone |= self.keyring().delete().unwrap_or(false),
            CredentialStore::File | CredentialStore::Ephemeral => {}
        }
        if gone && !self.is_ephemeral() {
            self.mark_changed();
        }
        Ok(gone | self.delete_file()?)
    }

    /// Keeps other writers out. Blocks the thread for as long as another one writes.
    ///
    /// # Errors
    /// The home cannot be written, or somebody holds the lock for too long.
    pub(super) fn lock(&self) -> Result<Locks, Error> {
        fs::create_private_dir(&self.home).map_err(|e| self.file_error("locked", &e))?;
        let begin = Instant::now();
        loop {
            if let Some(locks) = self.try_lock().map_err(|e| self.file_error("locked", &e))? {
                return Ok(locks);
            }
            if begin.elapsed() > LOCK_TIME {
                let reason = "another program is changing it for a long time".to_owned();
                return Err(Error::RenewalFailed { reason });
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn try_lock(&self) -> std::io::Result<Option<Locks>> {
        let mut held = Vec::with_capacity(LOCKS.len());
        for name in LOCKS {
            let path = self.home.join(name);
            let made = !path.exists();
            match FileLock::try_take(&path)? {
                Some(lock) => held.push(lock),
                None => return Ok(None),
            }
            // A lock file of the superuser's would lock the user out of their own home.
            if let Some((uid, gid)) = made.then(|| self.owner(&self.home)).flatten() {
                std::os::unix::fs::chown(&path, Some(uid), Some(gid))?;
            }
        }
        Ok(Some(Locks { _held: held }))
    }

    /// The document; `None` when there is none.
    pub(super) fn read(&self) -> Result<Option<Document>, Error> {
        let found = match self.keep {
            CredentialStore::File => None,
            CredentialStore::Ephemeral => {
                let Some(text) = memory().get(&self.home).cloned() else { return Ok(None) };
                Some(text)
            }
            CredentialStore::Keyring => {
                let Some(text) = self.keyring().read()? else { return Ok(None) };
                Some(text)
            }
            CredentialStore::Auto => return self.read_either(),
        };
        match found {
            Some(text) => document::parse(text.as_bytes(), &self.path).map(Some),
            None => self.read_file(),
        }
    }

    /// A keyring that does not answer means the file, for reading as for writing. So both can hold something, when
    /// it did not answer for a while: then the later renewal counts, because the tokens before it are spent.
    fn read_either(&self) -> Result<Option<Document>, Error> {
        let Some(text) = self.keyring().read().ok().flatten() else { return self.read_file() };
        let kept = document::parse(text.as_bytes(), &self.path)?;
        let Ok(Some(file)) = self.read_file() else { return Ok(Some(kept)) };
        let renewed = |document: &Document| match document::understand(document, &self.path) {
            Ok(Some(Stored::ChatGpt(tokens))) => tokens.last_refresh,
            _ => None,
        };
        Ok(Some(if renewed(&file) > renewed(&kept) { file } else { kept }))
    }

    fn read_file(&self) -> Result<Option<Document>, Error> {
        match fs::read_bounded(&self.path, MAX_BYTES) {
            Ok(bytes) => document::parse(&bytes, &self.path).map(Some),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) if e.kind() == ErrorKind::FileTooLarge => {
                Err(Error::Corrupt { path: self.path.clone(), reason: "it is far too large".to_owned() })
            }
            Err(e) => Err(self.file_error("read", &e)),
        }
    }

    /// Writes the document whole. The caller holds the lock.
    pub(super) fn write(&self, document: &Document) -> Result<(), Error> {
        let text = document::print(document);
        match self.keep {
            CredentialStore::Ephemeral => {
                memory().insert(self.home.clone(), text);
                Ok(())
            }
            CredentialStore::Keyring => {
                self.keyring().write(&text)?;
                self.mark_changed();
                self.delete_file().map(drop)
            }
            CredentialStore::Auto if self.keyring().write(&text).is_ok() => {
                self.mark_changed();
                self.delete_file().map(drop)
            }
            CredentialStore::Auto | CredentialStore::File => {
                let path = self.real_path().map_err(|e| self.file_error("written", &e))?;
                let done = fs::replace_for(&path, text.as_bytes(), 0o600, self.owner(&path));
                done.map_err(|e| self.file_error("written", &e))
            }
        }
    }

    /// An error of the system as an error about the file.
    pub(super) fn file_error(&self, doing: &'static str, error: &std::io::Error) -> Error {
        Error::File { path: self.path.clone(), doing, reason: system_words(error) }
    }
}

/// The system's words alone, without the name of a temporary file.
pub(super) fn system_words(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split_once(" at path ").map_or(text.clone(), |(words, _)| words.to_owned())
}

fn memory() -> MutexGuard<'static, BTreeMap<PathBuf, String>> {
    MEMORY.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
