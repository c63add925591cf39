//! Who may append to a thread: the holder of its lock file, which all Codex programs respect.
//!
//! A lock file goes when its holder ends, and those of killed programs go when the next thread begins. Two things keep
//! a second writer out meanwhile. Our own programs look, once they hold a lock, whether the file still has its name,
//! and take another one if not. Others do not look, but hold the coordination lock while they open and lock a file; so
//! files are removed only under that lock. Nobody waits for it: a file that cannot be removed now stays for a later
//! start.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::Error;
use crate::base::fs::create_private_dir;
use crate::base::ids::ThreadId;
use crate::base::lock::FileLock;

/// Folder of the locks under the home.
const FOLDER: &str = "thread-writer-locks";

/// Held by other Codex programs while they take or remove a lock in the folder.
const COORDINATION: &str = ".coordination.lock";

/// A program that was killed while it started a command holds its lock until that command's program runs.
const LAST_BREATH: Duration = Duration::from_millis(500);

/// Files that are looked at for locks of killed programs.
const LOOKED_AT: usize = 64;

/// The right to append to one thread.
#[derive(Debug)]
pub(crate) struct WriterLock {
    path: PathBuf,
    lock: Option<FileLock>,
}

/// Takes the lock of a thread.
///
/// # Errors
/// Somebody else writes the thread, or the lock file cannot be made.
pub(crate) fn take(home: &Path, id: ThreadId) -> Result<WriterLock, Error> {
    let dir = home.join(FOLDER);
    create_private_dir(&dir).map_err(Error::io("create", &dir))?;
    let path = dir.join(format!("{id}.lock"));
    let lock = FileLock::take_within(&path, LAST_BREATH).map_err(Error::io("lock", &path))?;
    let lock = lock.ok_or(Error::InUse { id })?;
    Ok(WriterLock { path, lock: Some(lock) })
}

/// Removes some of the lock files whose holders were killed.
pub(crate) fn sweep(home: &Path) {
    let dir = home.join(FOLDER);
    let Ok(entries) = std::fs::read_dir(&dir) else { return };
    let Ok(Some(_coordination)) = FileLock::try_take(&dir.join(COORDINATION)) else { return };
    for entry in entries.take(LOOKED_AT).flatten() {
        let id = entry.file_name().to_str().and_then(|name| name.strip_suffix(".lock")?.parse().ok());
        let _: ThreadId = match id {
            Some(id) => id,
            None => continue,
        };
        if let Ok(Some(lock)) = FileLock::try_take(&entry.path()) {
            remove(lock, &entry.path());
        }
    }
}

fn remove(lock: FileLock, path: &Path) {
    // A file that stays is no harm.
    let _ = std::fs::remove_file(path);
    drop(lock);
}

impl Drop for WriterLock {
    fn drop(&mut self) {
        let Some(lock) = self.lock.take() else { return };
        let coordination = self.path.with_file_name(COORDINATION);
        if let Ok(Some(_held)) = FileLock::try_take(&coordination) {
            remove(lock, &self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    fn names(home: &Path) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(home.join(FOLDER))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| name != COORDINATION)
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_lock_file_goes_with_its_holder_and_keeps_others_out_until_then() {
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        let lock = take(home.path(), id).unwrap();
        sweep(home.path());
        assert_eq!(names(home.path()), [format!("{id}.lock")], "it is held");
        assert!(matches!(take(home.path(), id), Err(Error::InUse { .. })));
        drop(lock);
        assert_eq!(names(home.path()), <[String; 0]>::default());
        drop(take(home.path(), id).unwrap());
    }

    #[test]
    fn nothing_is_removed_while_another_program_takes_a_lock() {
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        let lock = take(home.path(), id).unwrap();
        let coordination = File::create(home.path().join(FOLDER).join(COORDINATION)).unwrap();
        coordination.lock().unwrap();
        drop(lock);
        sweep(home.path());
        assert_eq!(names(home.path()), [format!("{id}.lock")]);
        coordination.unlock().unwrap();
        std::fs::write(home.path().join(FOLDER).join("notes.txt"), "of somebody").unwrap();
        sweep(home.path());
        assert_eq!(names(home.path()), ["notes.txt"], "what is no lock stays");
    }

    /// Programs that come and go at the same time: never two at once.
    #[test]
    fn two_never_hold_it_at_once() {
        use std::sync::atomic::{AtomicU32, Ordering};
        let home = tempfile::tempdir().unwrap();
        let id = ThreadId::new();
        let (inside, taken) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let Ok(lock) = take(home.path(), id) else { continue };
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "a second writer");
                        std::thread::yield_now();
                        inside.fetch_sub(1, Ordering::SeqCst);
                        taken.fetch_add(1, Ordering::SeqCst);
                        drop(lock);
                        sweep(home.path());
                    }
                });
            }
        });
        assert!(taken.load(Ordering::SeqCst) > 0);
    }
}
