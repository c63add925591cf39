//! A lock between processes. The lock file stays when the lock goes. Who removes one must hold it; who takes one looks
//! whether it still has its name, so that two never hold what they think is the same lock.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::time::{Duration, Instant};

/// Time between two tries: locks cannot be waited for with a limit.
const PAUSE: Duration = Duration::from_millis(5);

/// An exclusive lock, held until dropped or until the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct FileLock {
    file: File,
}

impl FileLock {
    /// Takes the lock if nobody holds it; `None` when somebody does.
    ///
    /// # Errors
    /// The lock file cannot be created or the file system has no locks.
    pub(crate) fn try_take(path: &Path) -> io::Result<Option<Self>> {
        loop {
            let file = open(path)?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path)? => return Ok(Some(Self { file })),
                // Its holder removed it in between.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
    }

    /// Like [`try_take`](Self::try_take), but waits for so long when somebody holds it. Blocks the thread.
    ///
    /// # Errors
    /// The lock file cannot be created or the file system has no locks.
    pub(crate) fn take_within(path: &Path, time: Duration) -> io::Result<Option<Self>> {
        let begin = Instant::now();
        loop {
            match Self::try_take(path)? {
                None if begin.elapsed() < time => std::thread::sleep(PAUSE),
                taken => return Ok(taken),
            }
        }
    }
}

impl Drop for FileLock {
    /// Unlocks by word, not by closing alone: a child that is just being started holds a copy of the handle until
    /// its program runs, and would keep the lock for that long.
    fn drop(&mut self) {
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Whether `path` names this file: it may have been removed or replaced since it was opened.
///
/// # Errors
/// The file or the folder cannot be looked at.
pub(crate) fn is_at(file: &File, path: &Path) -> io::Result<bool> {
    let here = file.metadata()?;
    match std::fs::metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (here.dev(), here.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Locks a file that is open, waiting for so long when somebody holds it. False when the time is up. Blocks the thread.
///
/// # Errors
/// The file system has no locks.
pub(crate) fn lock_within(file: &File, time: Duration) -> io::Result<bool> {
    let begin = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) if begin.elapsed() < time => std::thread::sleep(PAUSE),
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_taker_is_told_and_first_release_lets_it_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let first = FileLock::try_take(&path).unwrap();
        assert!(first.is_some());
        assert!(FileLock::try_take(&path).unwrap().is_none());
        drop(first);
        assert!(FileLock::try_take(&path).unwrap().is_some());
    }
}
