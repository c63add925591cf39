//! A lock between processes. The lock file stays when the lock goes: removing it would let two holders in.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
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
        let file = open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
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
