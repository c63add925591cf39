//! The complete output of a command in a file of its own, private and bounded. It starts at the first byte, so
//! it must be begun while that is still in memory. Writes go to the page cache and are small: they are made in
//! place. Trouble with the file never disturbs the command: the text then says that there is none.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::kept;
use crate::base::fs::create_private_dir;

/// Longest file, in bytes.
pub(crate) const FILE_MAX: u64 = 64 << 20;

/// A file that may yet come.
#[derive(Debug)]
pub(crate) struct Spill {
    dir: PathBuf,
    stem: String,
    max: u64,
    state: State,
}

#[derive(Debug)]
enum State {
    Idle,
    Open { file: File, path: PathBuf, written: u64 },
    Full(PathBuf),
    Failed,
}

/// Where the complete output is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SpillFile {
    /// Absolute path.
    pub(crate) path: PathBuf,
    /// Bytes kept, when that is not everything.
    pub(crate) first: Option<u64>,
}

impl Spill {
    /// Nothing is created yet. `name` (a call id) becomes part of the file name.
    pub(crate) fn new(dir: &Path, name: &str) -> Self {
        let ok = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let stem: String = name.chars().filter(|c| ok(*c)).take(64).collect();
        let stem = if stem.is_empty() { "output".to_owned() } else { stem };
        Self { dir: dir.to_owned(), stem, max: FILE_MAX, state: State::Idle }
    }

    #[cfg(test)]
    fn with_max(mut self, max: u64) -> Self {
        self.max = max;
        self
    }

    /// Whether nothing was begun yet.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// Begins the file with everything printed so far.
    pub(crate) fn begin(&mut self, so_far: &[u8]) {
        self.state = match self.create() {
            Ok((file, path)) => State::Open { file, path, written: 0 },
            Err(_) => State::Failed,
        };
        self.write(so_far);
    }

    /// Adds to a file that was begun; does nothing otherwise.
    pub(crate) fn write(&mut self, bytes: &[u8]) {
        let State::Open { file, path, written } = &mut self.state else { return };
        let room = usize::try_from(self.max - *written).unwrap_or(usize::MAX).min(bytes.len());
        let (now, over) = bytes.split_at(room);
        if file.write_all(now).is_err() {
            // A disk without room: half a file would be taken for the whole.
            let _ = std::fs::remove_file(path);
            self.state = State::Failed;
            return;
        }
        *written += now.len() as u64;
        if !over.is_empty() {
            self.state = State::Full(std::mem::take(path));
        }
    }

    /// The file, when there is one.
    pub(crate) fn file(&self) -> Option<SpillFile> {
        match &self.state {
            State::Open { path, .. } => Some(SpillFile { path: path.clone(), first: None }),
            State::Full(path) => Some(SpillFile { path: path.clone(), first: Some(self.max) }),
            State::Idle | State::Failed => None,
        }
    }

    fn create(&self) -> io::Result<(File, PathBuf)> {
        create_private_dir(&self.dir)?;
        kept::bound(&self.dir, kept::THREAD_MAX, Duration::MAX);
        for number in 0..100 {
            let name = match number {
                0 => format!("{}.txt", self.stem),
                n => format!("{}-{n}.txt", self.stem),
            };
            let path = self.dir.join(name);
            match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
                Ok(file) => return Ok((file, path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn file_is_private_bounded_and_never_overwrites() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("outputs");
        let mut first = Spill::new(&dir, "call_1/../x").with_max(10);
        assert_eq!(first.file(), None);
        first.begin(b"12345");
        first.write(b"6789");
        let file = first.file().unwrap();
        assert_eq!(file, SpillFile { path: dir.join("call_1x.txt"), first: None });
        first.write(b"abc");
        first.write(b"never");
        assert_eq!(first.file().unwrap().first, Some(10));
        assert_eq!(std::fs::read(&file.path).unwrap(), b"123456789a");
        assert_eq!(std::fs::metadata(&file.path).unwrap().permissions().mode() & 0o777, 0o600);
        let mut second = Spill::new(&dir, "call_1x");
        second.begin(b"other");
        assert_eq!(second.file().unwrap().path, dir.join("call_1x-1.txt"));
    }

    #[test]
    fn no_room_for_the_file_is_not_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let blocked = dir.path().join("file");
        std::fs::write(&blocked, b"").unwrap();
        let mut spill = Spill::new(&blocked, "x");
        spill.begin(b"text");
        spill.write(b"more");
        assert_eq!(spill.file(), None);
        assert!(!spill.is_idle());
    }
}
