//! One path of what is put back, reached through an open descriptor of its folder, found without following any link.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::process::{Gid, Uid};

use super::begin::has_content;
use super::stamp::{Kind, Stamp};
use super::state::State;
use super::store::{MAX_FILE, Store};

/// The folder itself: roots are kept with their links resolved, so a link in one now was put there since. A command
/// may have moved the folder away for that, and what it leads to was never ours to change.
pub(super) fn open_root(root: &Path) -> io::Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let resolve = ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(rustix::fs::CWD, root, flags, Mode::empty(), resolve) {
        Err(rustix::io::Errno::LOOP) => {
            Err(io::Error::other(format!("a link stands where {} was", root.display())))
        }
        found => Ok(found?),
    }
}

pub(super) fn bring_folder(
    parent: &OwnedFd,
    name: &Path,
    before: &State,
    now: Option<&Stamp>,
) -> io::Result<()> {
    let mode = Mode::from_raw_mode(before.stamp.mode & 0o777);
    if now.is_some_and(|now| now.kind != Kind::Folder) {
        rustix::fs::unlinkat(parent, name, AtFlags::empty())?;
    }
    match rustix::fs::mkdirat(parent, name, mode) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(error.into()),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(parent, name, flags, Mode::empty()) {
        Ok(folder) => {
            give(&folder, &before.stamp);
            Ok(rustix::fs::fchmod(&folder, mode)?)
        }
        // One that cannot be opened was made with its mode just now, or stays as it is.
        Err(_) => Ok(()),
    }
}

/// Whether a path is what it was, by kind, permissions and content.
pub(super) fn is_like(parent: &OwnedFd, name: &Path, store: &mut Store, before: &State, now: &Stamp) -> bool {
    let plain = |stamp: &Stamp| (stamp.kind, stamp.mode & 0o777, stamp.size);
    if plain(&before.stamp) != plain(now) {
        return false;
    }
    let Some(kept) = before.kept else { return now.kind == Kind::Folder };
    let bytes = match now.kind {
        Kind::Link => {
            rustix::fs::readlinkat(parent, name, Vec::new()).ok().map(|text| text.as_bytes().to_vec())
        }
        _ => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = rustix::fs::openat(parent, name, flags, Mode::empty()).ok();
            file.and_then(|file| read_all(File::from(file)).ok())
        }
    };
    bytes.is_some() && bytes == store.content(kept).ok()
}

/// The folder of a path, opened without following links; made when missing and `make`.
pub(super) fn parent(root: &OwnedFd, path: &Path, make: bool) -> io::Result<OwnedFd> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match rustix::fs::openat2(root, dir, flags, Mode::empty(), resolve) {
        Err(rustix::io::Errno::NOENT) if make => {
            let above = parent(root, dir, true)?;
            let name = dir.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            rustix::fs::mkdirat(&above, Path::new(name), Mode::from(0o777))?;
            Ok(rustix::fs::openat2(root, dir, flags, Mode::empty(), resolve)?)
        }
        found => Ok(found?),
    }
}

/// Keeps what is at a path, for the way back.
pub(super) fn keep(parent: &OwnedFd, name: &Path, store: &mut Store, stamp: Stamp) -> io::Result<State> {
    let kept = match stamp.kind {
        Kind::File if has_content(&stamp) => {
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = File::from(rustix::fs::openat(parent, name, flags, Mode::empty())?);
            store.keep(&read_all(file)?)
        }
        Kind::Link => store.keep(rustix::fs::readlinkat(parent, name, Vec::new())?.as_bytes()),
        Kind::File | Kind::Folder | Kind::Other => None,
    };
    Ok(State { stamp, kept })
}

/// Writes a file that nobody had before, with these rights.
pub(super) fn write(parent: &OwnedFd, temp: &Path, bytes: &[u8], stamp: &Stamp) -> io::Result<()> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(parent, temp, flags, Mode::from_raw_mode(0o600))?);
    file.write_all(bytes)?;
    give(&file, stamp);
    rustix::fs::fchmod(&file, Mode::from_raw_mode(stamp.mode & 0o777))?;
    Ok(())
}

/// Gives a file or folder to whom it belonged. Only root can, and only for root it was lost.
fn give(file: impl AsFd, stamp: &Stamp) {
    let (user, group) = stamp.owner;
    if rustix::fs::fstat(&file).is_ok_and(|now| (now.st_uid, now.st_gid) != stamp.owner) {
        let _ = rustix::fs::fchown(&file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)));
    }
}

/// Gives the file that is `now` at a path the rights that it had.
///
/// # Errors
/// Another one is there meanwhile, or the disk says no.
pub(super) fn set_rights(parent: &OwnedFd, name: &Path, now: &Stamp, rights: &Stamp) -> io::Result<()> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = rustix::fs::openat(parent, name, flags, Mode::empty())?;
    if Stamp::of(&rustix::fs::fstat(&file)?) != *now {
        return Err(io::ErrorKind::NotFound.into());
    }
    // It need not be readable, and no path leads elsewhere in between.
    let same = format!("/proc/self/fd/{}", file.as_raw_fd());
    if now.owner != rights.owner {
        let _ = std::os::unix::fs::chown(&same, Some(rights.owner.0), Some(rights.owner.1));
    }
    std::fs::set_permissions(&same, std::fs::Permissions::from_mode(rights.mode & 0o777))
}

/// Reads an open file, at most one byte more than [`MAX_FILE`]: that it is there tells that the file is too large.
fn read_all(file: File) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}
