//! Folders as open descriptors. A folder is opened part by part from the root and no part may be a link, so the
//! folder that was judged is the folder that is written, whatever is swapped in between.

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;

use super::place::Node;

/// Descriptors kept open at once, well below the usual limit of 1,024.
const MAX_OPEN: usize = 64;

/// Opens folders, and keeps some open.
#[derive(Debug, Default)]
pub(super) struct Folders {
    open: HashMap<PathBuf, Rc<OwnedFd>>,
}

impl Folders {
    /// Opens a folder by its real path.
    ///
    /// # Errors
    /// It is not there, or a part of the path is a link or no folder.
    pub(super) fn open(&mut self, path: &Path) -> io::Result<Rc<OwnedFd>> {
        if let Some(fd) = self.open.get(path) {
            return Ok(fd.clone());
        }
        let fd = Rc::new(walk(path)?);
        if self.open.len() >= MAX_OPEN {
            self.open.clear();
        }
        self.open.insert(path.to_owned(), fd.clone());
        Ok(fd)
    }

    /// Opens the folder of a file, and gives the file's name in it.
    pub(super) fn of<'p>(&mut self, file: &'p Path) -> io::Result<(Rc<OwnedFd>, &'p Path)> {
        match (file.parent(), file.file_name()) {
            (Some(folder), Some(name)) => Ok((self.open(folder)?, Path::new(name))),
            _ => Err(io::ErrorKind::IsADirectory.into()),
        }
    }

    /// Makes one folder; its parent must be there. Not an error when it is there already.
    pub(super) fn make(&mut self, path: &Path) -> io::Result<()> {
        let (parent, name) = self.of(path)?;
        match rustix::fs::mkdirat(&*parent, name, Mode::from_raw_mode(0o777)) {
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes one folder if it is empty.
    pub(super) fn unmake(&mut self, path: &Path) {
        self.open.remove(path);
        if let Ok((parent, name)) = self.of(path) {
            let _ = rustix::fs::unlinkat(&*parent, name, AtFlags::REMOVEDIR);
        }
    }

    /// Which file system a folder is on.
    pub(super) fn device(&mut self, path: &Path) -> io::Result<u64> {
        Ok(rustix::fs::fstat(&*self.open(path)?)?.st_dev)
    }

    /// Makes names in a folder durable.
    pub(super) fn sync(&mut self, path: &Path) -> io::Result<()> {
        match rustix::fs::fsync(&*self.open(path)?) {
            Ok(()) | Err(Errno::BADF | Errno::INVAL) => Ok(()), // not readable, or a file system without
            Err(error) => Err(error.into()),
        }
    }

    /// Makes everything on the file system of a folder durable.
    pub(super) fn sync_all(&mut self, path: &Path) -> io::Result<()> {
        match rustix::fs::syncfs(&*self.open(path)?) {
            Ok(()) | Err(Errno::BADF) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Looks at one name in an open folder, links not followed; `None` when nothing is there.
pub(super) fn look_at(folder: &OwnedFd, name: &Path) -> io::Result<Option<Node>> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(folder, name, flags, Mode::empty()) {
        Ok(fd) => Ok(Some(Node::from(&File::from(fd).metadata()?))),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The parents of `file` that are not there yet, outermost first.
pub(super) fn missing_folders(file: &Path) -> Vec<PathBuf> {
    let missing =
        |folder: &&Path| folder.symlink_metadata().is_err_and(|e| e.kind() == io::ErrorKind::NotFound);
    let mut out: Vec<PathBuf> = file.ancestors().skip(1).take_while(missing).map(Path::to_owned).collect();
    out.reverse();
    out
}

fn walk(path: &Path) -> io::Result<OwnedFd> {
    let way = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let end = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut fd = rustix::fs::open("/", if path.parent().is_none() { end } else { way }, Mode::empty())?;
    let mut parts = path.components().skip(1).peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Err(io::ErrorKind::InvalidInput.into()) };
        let flags = if parts.peek().is_some() { way } else { end };
        fd = match rustix::fs::openat(&fd, name, flags, Mode::empty()) {
            // A folder may be writable and searchable without being readable.
            Err(Errno::ACCESS) if flags == end => rustix::fs::openat(&fd, name, way, Mode::empty())?,
            other => other?,
        };
    }
    Ok(fd)
}
