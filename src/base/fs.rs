//! Files that are whole or not there: private directories, bounded reading, atomic replacement, fsync of a
//! directory.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Creates `dir` and its missing parents with mode 0700.
pub(crate) fn create_private_dir(dir: &Path) -> io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

/// Opens `path` for appending, created with mode 0600 when missing. Readable too, so that a tail can be checked.
pub(crate) fn open_private_append(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(0o600).open(path)
}

/// Whether the last line of `file` has no end, as a writer that was killed leaves it: it would swallow the next one.
///
/// # Errors
/// What the system says.
pub(crate) fn ends_torn(file: &mut File) -> io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != [b'\n'])
}

/// Opens a regular file for reading. Never waits: a pipe or device in its place is an error.
///
/// # Errors
/// `IsADirectory`, `InvalidInput` for other things that are no files, or what the system says.
pub(crate) fn open_regular(path: &Path) -> io::Result<File> {
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !kind.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"));
    }
    Ok(file)
}

/// Reads a regular file of at most `max` bytes. Never waits: a pipe or device in its place is an error.
///
/// # Errors
/// `IsADirectory`, `InvalidInput` for other things that are no files, `FileTooLarge`, or what the system says.
pub(crate) fn read_bounded(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let file = open_regular(path)?;
    let mut bytes = Vec::with_capacity(usize::try_from(file.metadata()?.len().min(max)).unwrap_or(0));
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        let problem = format!("it is larger than {max} bytes");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, problem));
    }
    Ok(bytes)
}

/// Replaces `path` by `bytes` so that every reader sees the old or the new content, also after a power cut:
/// a temporary file beside it, fsync, rename, fsync of the directory.
pub(crate) fn replace(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    replace_for(path, bytes, mode, None)
}

/// Like [`replace`], and the file is given to `owner` (user and group) first; the old one stays when that fails.
pub(crate) fn replace_for(path: &Path, bytes: &[u8], mode: u32, owner: Option<(u32, u32)>) -> io::Result<()> {
    let (dir, temp) = beside(path, bytes, mode)?;
    if let Some((user, group)) = owner {
        std::os::unix::fs::fchown(temp.as_file(), Some(user), Some(group))?;
    }
    temp.as_file().set_permissions(std::fs::Permissions::from_mode(mode))?;
    temp.as_file().sync_all()?;
    temp.persist(path).map_err(|e| e.error)?;
    sync_dir(dir)
}

/// Like [`replace`], but does not wait for the disk: for files that are made anew when they are lost.
pub(crate) fn replace_unsynced(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let (_, temp) = beside(path, bytes, mode)?;
    temp.persist(path).map(drop).map_err(|e| e.error)
}

/// A temporary file with `bytes` in the folder of `path`, and that folder.
fn beside<'a>(path: &'a Path, bytes: &[u8], mode: u32) -> io::Result<(&'a Path, tempfile::NamedTempFile)> {
    let dir = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temp = tempfile::Builder::new()
        .prefix(".codex-")
        .permissions(std::fs::Permissions::from_mode(mode))
        .tempfile_in(dir)
        .map_err(without_path)?;
    temp.as_file_mut().write_all(bytes)?;
    Ok((dir, temp))
}

/// The system's words alone: the library adds the temporary file's name, which tells a user nothing.
fn without_path(error: io::Error) -> io::Error {
    match error.to_string().split_once(" at path ") {
        Some((words, _)) => io::Error::new(error.kind(), words.to_owned()),
        None => error,
    }
}

/// Whether `path` is there and marks its folder as something. An empty folder does not: while a command runs, the
/// sandbox lets one stand in for each protected name that is missing, also in `/tmp`.
pub(crate) fn marks(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(meta) if meta.is_dir() => {
            !std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
        }
        Ok(_) => true,
        Err(_) => false,
    }
}

/// Makes renames and new names inside `dir` durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replace_sets_mode_and_leaves_no_temporary_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        replace(&path, b"one", 0o600).unwrap();
        replace(&path, b"two", 0o600).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_empty_folder_marks_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let marker = dir.path().join(".git");
        assert!(!marks(&marker));
        std::fs::create_dir(&marker).unwrap();
        assert!(!marks(&marker));
        std::fs::write(marker.join("HEAD"), "x").unwrap();
        assert!(marks(&marker) && marks(&marker.join("HEAD")));
    }

    #[test]
    fn only_regular_files_within_the_bound_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let (file, pipe) = (dir.path().join("file"), dir.path().join("pipe"));
        std::fs::write(&file, b"four").unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, &pipe, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
        let kind = |path: &Path, max| read_bounded(path, max).unwrap_err().kind();
        assert_eq!(read_bounded(&file, 4).unwrap(), b"four");
        assert_eq!(kind(&file, 3), io::ErrorKind::FileTooLarge);
        assert_eq!(kind(dir.path(), 9), io::ErrorKind::IsADirectory);
        assert_eq!(kind(&pipe, 9), io::ErrorKind::InvalidInput);
        assert_eq!(kind(&dir.path().join("none"), 9), io::ErrorKind::NotFound);
    }

    #[test]
    fn replace_into_a_missing_directory_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let error = replace(&dir.path().join("no/such/file"), b"x", 0o600).unwrap_err();
        assert!(!error.to_string().contains(".codex-"), "{error}");
    }
}
