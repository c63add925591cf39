//! What stands at a path, with every symbolic link followed: the real path decides who may write there, so it is
//! found before anything is planned. Nothing here writes.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// Links followed before giving up, as many as the kernel follows.
const MAX_LINKS: usize = 40;

/// Where a path leads.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Place {
    /// Real folder plus the last name: the directory entry itself, which may be a link.
    pub(crate) entry: PathBuf,
    /// What the entry is.
    pub(crate) entry_node: Option<Node>,
    /// Where the entry leads when links are followed; equal to `entry` for anything but a link.
    pub(crate) target: PathBuf,
    /// What is there; `None` when nothing is.
    pub(crate) target_node: Option<Node>,
}

impl Place {
    /// Whether the entry is a symbolic link.
    pub(crate) fn is_link(&self) -> bool {
        self.entry_node.as_ref().is_some_and(|node| node.kind == Kind::Link)
    }
}

/// A file as it was looked at: enough to copy its rights and to notice that it changed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) dev: u64,
    pub(crate) ino: u64,
    pub(crate) size: u64,
    /// Nanoseconds since the Unix epoch.
    pub(crate) modified_ns: i128,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Number of names.
    pub(crate) names: u64,
}

/// What kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Link,
    /// Device, pipe, socket.
    Other,
}

impl From<&Metadata> for Node {
    fn from(meta: &Metadata) -> Self {
        let kind = match meta.file_type() {
            t if t.is_file() => Kind::File,
            t if t.is_dir() => Kind::Dir,
            t if t.is_symlink() => Kind::Link,
            _ => Kind::Other,
        };
        Self {
            kind,
            dev: meta.dev(),
            ino: meta.ino(),
            size: meta.size(),
            modified_ns: i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec()),
            mode: meta.mode() & 0o7777,
            uid: meta.uid(),
            gid: meta.gid(),
            names: meta.nlink(),
        }
    }
}

/// Files as the planner sees them.
pub(crate) trait Files {
    /// Follows an absolute path.
    ///
    /// # Errors
    /// A folder on the way is not one, cannot be searched, or links go in a circle.
    fn look(&self, path: &Path) -> io::Result<Place>;

    /// Content of a regular file at a real path; `FileTooLarge` above `limit` bytes.
    fn read(&self, real: &Path, limit: u64) -> io::Result<Vec<u8>>;

    /// Text of a symbolic link.
    fn link_text(&self, real: &Path) -> io::Result<PathBuf>;
}

/// The files of this machine.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Disk;

impl Files for Disk {
    fn look(&self, path: &Path) -> io::Result<Place> {
        let entry = real_entry(path)?;
        let entry_node = node(&entry)?;
        let mut target = entry.clone();
        let mut target_node = entry_node.clone();
        for _ in 0..MAX_LINKS {
            if target_node.as_ref().is_none_or(|node| node.kind != Kind::Link) {
                return Ok(Place { entry, entry_node, target, target_node });
            }
            let folder = target.parent().unwrap_or(Path::new("/"));
            let next = folder.join(std::fs::read_link(&target)?);
            // A link that leads to a folder, or through one by `..`, is no file; say what it is.
            target = if next.file_name().is_some() { real_entry(&next)? } else { next.canonicalize()? };
            target_node = node(&target)?;
        }
        Err(io::Error::other("too many levels of symbolic links"))
    }

    fn read(&self, real: &Path, limit: u64) -> io::Result<Vec<u8>> {
        read(real, limit, &|_| None)
    }

    fn link_text(&self, real: &Path) -> io::Result<PathBuf> {
        std::fs::read_link(real)
    }
}

/// The same, without what is not to be read: the function says why a real path is not.
pub(crate) struct Guarded(pub(crate) Secret);

/// Why a real path is not to be read; `None` when it may be.
pub(crate) type Secret = Arc<dyn Fn(&Path) -> Option<String> + Send + Sync>;

impl Files for Guarded {
    fn look(&self, path: &Path) -> io::Result<Place> {
        Disk.look(path)
    }

    fn read(&self, real: &Path, limit: u64) -> io::Result<Vec<u8>> {
        read(real, limit, &*self.0)
    }

    fn link_text(&self, real: &Path) -> io::Result<PathBuf> {
        Disk.link_text(real)
    }
}

/// `secret` is asked about what was opened, not about what was to be: a folder may have been swapped meanwhile.
fn read(real: &Path, limit: u64, secret: &dyn Fn(&Path) -> Option<String>) -> io::Result<Vec<u8>> {
    // Not blocking on a pipe, not following a link that was put there since.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK | libc::O_CLOEXEC;
    let file = File::options().read(true).custom_flags(flags).open(real)?;
    let at = std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))?;
    if let Some(why) = secret(&at) {
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, why));
    }
    let meta = file.metadata()?;
    if !meta.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if meta.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(meta.len() as usize + 1);
    file.take(limit + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > limit { Err(io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}

/// What is at a path, links not followed; `None` when nothing is.
fn node(path: &Path) -> io::Result<Option<Node>> {
    match path.symlink_metadata() {
        Ok(meta) => Ok(Some(Node::from(&meta))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Real folder plus last name.
fn real_entry(path: &Path) -> io::Result<PathBuf> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
        return Err(io::ErrorKind::IsADirectory.into());
    };
    Ok(real_folder(folder)?.join(name))
}

/// Real path of a folder, of which any number of last parts may not exist yet.
fn real_folder(path: &Path) -> io::Result<PathBuf> {
    match path.canonicalize() {
        Ok(real) if real.is_dir() => return Ok(real),
        Ok(_) => return Err(io::ErrorKind::NotADirectory.into()),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Err(_) => {}
    }
    if path.symlink_metadata().is_ok() {
        return Err(io::Error::other("a folder on the way is a symbolic link that leads nowhere"));
    }
    let parent = path.parent().ok_or(io::ErrorKind::NotFound)?;
    let real = real_folder(parent)?;
    match path.components().next_back() {
        Some(Component::Normal(name)) => Ok(real.join(name)),
        Some(Component::ParentDir) => Ok(real.parent().unwrap_or(&real).to_owned()),
        _ => Ok(real),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_dots_lead_to_the_real_place() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        std::fs::create_dir(root.join("d")).unwrap();
        std::fs::write(root.join("d/f"), "x").unwrap();
        symlink("d", root.join("dl")).unwrap();
        symlink("dl/f", root.join("fl")).unwrap();
        symlink("d/none", root.join("dangling")).unwrap();
        for (given, entry, target, there) in [
            ("d/f", "d/f", "d/f", true),
            ("dl/../d/./f", "d/f", "d/f", true),
            ("dl/f", "d/f", "d/f", true),
            ("fl", "fl", "d/f", true),
            ("dangling", "dangling", "d/none", false),
            ("new/deep/file", "new/deep/file", "new/deep/file", false),
            ("new/../file", "file", "file", false),
        ] {
            let place = Disk.look(&root.join(given)).unwrap();
            assert_eq!(place.entry, root.join(entry), "{given}");
            assert_eq!(place.target, root.join(target), "{given}");
            assert_eq!(place.target_node.is_some(), there, "{given}");
        }
    }

    #[test]
    fn circles_files_as_folders_and_folders_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        symlink("b", root.join("a")).unwrap();
        symlink("a", root.join("b")).unwrap();
        std::fs::write(root.join("f"), "x").unwrap();
        assert!(Disk.look(&root.join("a")).is_err());
        assert!(Disk.look(&root.join("f/x")).is_err());
        assert!(Disk.look(&root.join("..")).is_err());
        assert!(Disk.read(root, 10).is_err());
        assert_eq!(Disk.read(&root.join("f"), 0).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }
}
