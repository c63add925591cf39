//! Names that do not exist yet and must not come to exist. The kernel can only protect what is there, so an empty
//! folder stands in for each missing protected name while a command runs, and goes when the last command that
//! needs it has ended. Locks on the folder itself count its users; a supervisor that is killed loses its lock, and
//! the next one to end removes the folder, known by its odd modification time. A folder somebody has put
//! something into is never removed.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::process::supervise::SetupError;
use crate::protocol::policy::STAND_IN_AT;

/// When stand-ins were modified.
const MARK: Duration = Duration::from_secs(STAND_IN_AT.cast_unsigned());

/// A stand-in in use. Given back by [`Guard::release`].
#[derive(Debug)]
pub(super) struct Guard {
    path: PathBuf,
    held: File,
}

/// What is at a protected name, seen without following a symlink.
pub(super) enum Hold {
    /// Something real.
    Exists,
    /// A stand-in, ours or another command's.
    Guarded(Guard),
    /// Nothing, and we cannot create anything there; the command, which can no more than we, cannot either.
    Closed,
}

/// Makes sure that `path` exists.
///
/// # Errors
/// The stand-in cannot be made although the command could make something there (disk full).
pub(super) fn hold(path: &Path) -> Result<Hold, SetupError> {
    for _ in 0..20 {
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                // A lost mark (no permission to set times) only means that a killed supervisor leaves it.
                let _ = open(path).and_then(|dir| mark(&dir));
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) if closed(&error) => return Ok(Hold::Closed),
            Err(error) => {
                return Err(SetupError::new("stand-in", format_args!("{}: {error}", path.display())));
            }
        }
        let held = match open(path) {
            Ok(held) => held,
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            Err(_) => return Ok(Hold::Exists),
        };
        if !fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none()) {
            return Ok(Hold::Exists);
        }
        // An empty folder, whose ever: hold it, so that a stand-in is not removed under us.
        if held.try_lock_shared().is_ok() && is_at(&held, path) {
            return Ok(Hold::Guarded(Guard { path: path.to_owned(), held }));
        }
    }
    Err(SetupError::new("stand-in", format_args!("{} keeps changing", path.display())))
}

impl Guard {
    /// Gives it up; removes it when nobody else needs it and it is a stand-in.
    pub(super) fn release(self) {
        let ours = self.held.metadata().is_ok_and(|meta| meta.mtime() == STAND_IN_AT);
        if ours && self.held.try_lock().is_ok() && is_at(&self.held, &self.path) {
            let _ = fs::remove_dir(&self.path);
        }
    }
}

fn closed(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(path)
}

fn mark(dir: &File) -> io::Result<()> {
    let time = SystemTime::UNIX_EPOCH + MARK;
    dir.set_times(FileTimes::new().set_modified(time))
}

/// Whether `held` is still what `path` names.
fn is_at(held: &File, path: &Path) -> bool {
    match (held.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(named)) => (held.dev(), held.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard(path: &Path) -> Guard {
        match hold(path).unwrap() {
            Hold::Guarded(guard) => guard,
            Hold::Exists | Hold::Closed => panic!("not guarded"),
        }
    }

    #[test]
    fn the_last_user_removes_the_stand_in() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".git");
        let (first, second) = (guard(&path), guard(&path));
        first.release();
        assert!(path.is_dir());
        second.release();
        assert!(!path.exists());
    }

    #[test]
    fn what_a_killed_supervisor_left_is_removed_by_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".git");
        drop(guard(&path));
        assert!(path.is_dir());
        guard(&path).release();
        assert!(!path.exists());
    }

    #[test]
    fn folders_of_the_user_stay_empty_or_not() {
        let dir = tempfile::tempdir().unwrap();
        let (empty, used) = (dir.path().join(".codex"), dir.path().join(".git"));
        fs::create_dir(&empty).unwrap();
        guard(&empty).release();
        assert!(empty.is_dir());
        let guard = guard(&used);
        fs::write(used.join("HEAD"), "ref").unwrap();
        guard.release();
        assert!(used.join("HEAD").exists());
        assert!(matches!(hold(&used).unwrap(), Hold::Exists));
    }
}
