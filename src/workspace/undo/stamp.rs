//! The marks by which a change of a path shows: any write moves the time of change, which no program can set back.

use std::path::Path;
use std::time::SystemTime;

use rustix::fd::AsFd;
use rustix::fs::{AtFlags, FileType, Stat};
use rustix::io::Errno;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// Anything else: never read, never written.
    Other,
}

/// The marks of one path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// What it is.
    pub(crate) kind: Kind,
    /// Permissions.
    pub(crate) mode: u32,
    /// Bytes; 0 for folders.
    pub(crate) size: u64,
    /// Whose it is: user and group.
    pub(crate) owner: (u32, u32),
    /// The file behind the name; 0 for folders.
    pub(crate) inode: u64,
    pub(super) modified: (i64, u32),
    pub(super) changed: (i64, u32),
}

impl Stamp {
    /// Whether all marks are the same but the time at which they changed.
    pub(crate) fn same_but_change(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..*self } == *other
    }

    /// Whether it is the same file, written last at the same time: only permissions or owner differ.
    pub(super) fn same_but_rights(&self, other: &Self) -> bool {
        let Self { mode, owner, changed, .. } = *other;
        Self { mode, owner, changed, ..*self } == *other
    }

    /// Whether the file changed after `time`. Of folders nobody knows.
    pub(crate) fn is_later(&self, time: SystemTime) -> bool {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.kind != Kind::Folder && self.changed > (since.as_secs().cast_signed(), since.subsec_nanos())
    }

    /// Marks that no file has: what is there is not what the turn left.
    pub(crate) fn nobodys(&self) -> Self {
        Self { inode: 0, changed: (0, 0), ..*self }
    }

    /// The marks in `stat`. For a folder only that it is one, with its permissions: what it holds is told by its
    /// entries.
    pub(super) fn of(stat: &Stat) -> Self {
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Symlink => Kind::Link,
            FileType::Directory => Kind::Folder,
            _ => Kind::Other,
        };
        let nanos = |nanos| u32::try_from(nanos).unwrap_or(0);
        let (mode, owner) = (stat.st_mode & 0o7777, (stat.st_uid, stat.st_gid));
        if kind == Kind::Folder {
            return Self { kind, mode, owner, size: 0, inode: 0, modified: (0, 0), changed: (0, 0) };
        }
        Self {
            kind,
            mode,
            owner,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            inode: stat.st_ino,
            modified: (stat.st_mtime, nanos(stat.st_mtime_nsec)),
            changed: (stat.st_ctime, nanos(stat.st_ctime_nsec)),
        }
    }
}

/// The marks of `name` in `folder`, links not followed; `None` when nothing is there.
///
/// # Errors
/// The disk says no.
pub(super) fn stamp_at(folder: impl AsFd, name: &Path) -> std::io::Result<Option<Stamp>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Stamp::of(&stat))),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(error.into()),
    }
}
