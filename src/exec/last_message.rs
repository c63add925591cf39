//! Writes the file of `-o`. A regular file is replaced as a whole, so that a reader never sees half an answer;
//! a device, a pipe or `/dev/stdout` is written to, because replacing it would break it.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::base::fs;

/// Writes `text` with a final line break left as it is. An existing file keeps its mode; links are followed.
///
/// # Errors
/// The file cannot be written; then it has its old content.
pub(crate) fn write(path: &Path, text: &str) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_file() => {
            fs::replace(&path.canonicalize()?, text.as_bytes(), meta.permissions().mode() & 0o777)
        }
        // Never created here: it is there and special, or a folder, which the system refuses.
        Ok(_) => OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            fs::replace(path, text.as_bytes(), 0o644)
        }
        Err(error) => Err(error),
    }
}

/// Finds out before the turn what would make [`write`] fail after it for certain: a folder, or a missing one.
///
/// # Errors
/// The path names a folder, or lies in one that does not exist.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    match std::fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            std::fs::metadata(folder.unwrap_or(Path::new("."))).map(drop)
        }
        other => other.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_replaced_and_keep_mode_and_links() {
        let dir = tempfile::tempdir().unwrap();
        let (file, link) = (dir.path().join("answer"), dir.path().join("link"));
        write(&file, "one").unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o640)).unwrap();
        std::os::unix::fs::symlink("answer", &link).unwrap();
        write(&link, "two").unwrap();
        assert!(link.is_symlink());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "two");
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn what_cannot_work_is_known_before() {
        let dir = tempfile::tempdir().unwrap();
        assert!(check(&dir.path().join("answer")).is_ok());
        assert!(check(Path::new("answer")).is_ok() && check(Path::new("/dev/null")).is_ok());
        assert_eq!(check(dir.path()).unwrap_err().kind(), io::ErrorKind::IsADirectory);
        assert_eq!(check(&dir.path().join("no/such")).unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn special_files_are_written_not_replaced() {
        write(Path::new("/dev/null"), "x").unwrap();
        assert!(!std::fs::metadata("/dev/null").unwrap().is_file());
        let dir = tempfile::tempdir().unwrap();
        assert!(write(dir.path(), "x").is_err());
        assert!(write(&dir.path().join("no/such"), "x").is_err());
    }
}
