//! What a command cannot read, in its own view of the file system. A mount on a file is gone the moment somebody outside
//! renames another file over it, as every careful program does that writes one anew, this one with its credentials
//! too; and what is written beside it until then has a name that no list knows. So a folder that holds such files is
//! shown as it is when the command starts, without them, and what comes later does not appear. A very large one would
//! cost too much: there Landlock keeps the names as well. A folder the command works in cannot be frozen either; to keep
//! its names would mean to ask about every file that is opened and to run nothing that was just made beside a secret,
//! so a secret of the workspace is covered as it was when the command started, and the next command covers it again.

use std::ffi::{CStr, CString, OsStr};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, mknodat, openat, readlinkat, statat, symlinkat,
};
use rustix::io::Errno;
use rustix::mount::{MountFlags, mount};

use super::mounts::{clone, fail, open, place_on};
use super::sys::{self, MountAttr};
use crate::process::supervise::SetupError;

/// Folders with more in them are shown as they are: each entry costs the command a mount.
const ENTRIES: usize = 128;

/// Hides all of `paths`; the folders of `write` but what is `closed` in them stay as they are. Gives whether nothing of
/// it outside of `write` can come to light when somebody writes a file anew.
///
/// # Errors
/// Something that is there cannot be covered.
pub(super) fn hide(paths: &[PathBuf], write: &[PathBuf], closed: &[PathBuf]) -> Result<bool, SetupError> {
    if paths.is_empty() {
        return Ok(true);
    }
    let mut lasting = true;
    let cover = unreadable().map_err(|error| fail("/dev/null", error))?;
    let mut held: Vec<&Path> = Vec::new();
    for folder in paths.iter().filter(|path| is_file(path)).filter_map(|path| path.parent()) {
        let below = |list: &[PathBuf]| list.iter().any(|at| folder.starts_with(at));
        let apart = (!below(write) || below(closed)) && !write.iter().any(|root| root.starts_with(folder));
        if apart
            && !held.contains(&folder)
            && hold(folder, paths, &cover).map_err(|e| fail(folder.display(), e))?
        {
            held.push(folder);
        }
    }
    for path in paths.iter().filter(|path| !path.parent().is_some_and(|folder| held.contains(&folder))) {
        match cover_one(path, &cover) {
            // A folder is not written anew by renaming another over it.
            Ok(()) => lasting = lasting && (path.is_dir() || write.iter().any(|root| path.starts_with(root))),
            // Not there, or out of reach for the command as well.
            Err(Errno::NOENT | Errno::ACCESS | Errno::NOTDIR) => {}
            Err(error) => return Err(fail(path.display(), error)),
        }
    }
    Ok(lasting)
}

/// A device that cannot be opened.
fn unreadable() -> Result<OwnedFd, Errno> {
    let null = clone(&open(Path::new("/dev/null"))?)?;
    sys::mount_setattr(&null, MountAttr::change(sys::RDONLY | sys::NODEV, 0)).map_err(errno)?;
    Ok(null)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

/// Whether it is a file, or the name of one to come.
fn is_file(path: &Path) -> bool {
    match path.symlink_metadata() {
        Ok(meta) => !meta.is_dir(),
        Err(_) => path.extension().is_some(),
    }
}

/// Covers a file, or a folder with an empty one. A covered name can neither be renamed nor removed by the command, and
/// moving a folder above it moves the cover too.
fn cover_one(path: &Path, cover: &OwnedFd) -> Result<(), Errno> {
    let place = open(path)?;
    match FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode) {
        FileType::Directory => empty(path, MountFlags::RDONLY, c"mode=000,size=4k"),
        _ => place_on(&clone(cover)?, &place),
    }
}

fn empty(path: &Path, more: MountFlags, options: &CStr) -> Result<(), Errno> {
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | more;
    mount("tmpfs", path, "tmpfs", flags, options)
}

/// Puts an empty folder onto `folder`, and into it all that was there but what is hidden. False when that is too much,
/// or nothing is there.
fn hold(folder: &Path, hidden: &[PathBuf], cover: &OwnedFd) -> Result<bool, Errno> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let below = match openat(CWD, folder, flags, Mode::empty()) {
        Ok(below) => below,
        Err(Errno::NOENT | Errno::NOTDIR | Errno::ACCESS | Errno::LOOP) => return Ok(false),
        Err(error) => return Err(error),
    };
    let mut names: Vec<CString> = Vec::new();
    for entry in Dir::read_from(&below)? {
        let name = entry?.file_name().to_owned();
        if name.as_c_str() != c"." && name.as_c_str() != c".." {
            names.push(name);
        }
    }
    if names.len() > ENTRIES {
        return Ok(false);
    }
    empty(folder, MountFlags::empty(), c"mode=0755,size=1m")?;
    let top = open(folder)?;
    for name in names {
        let path = folder.join(OsStr::from_bytes(name.to_bytes()));
        let is_hidden = hidden.contains(&path);
        match show(&below, &top, &name, is_hidden.then_some(cover)) {
            // It has gone meanwhile.
            Ok(()) | Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
    }
    sys::mount_setattr_one(&top, MountAttr::change(sys::RDONLY, 0)).map_err(errno)?;
    Ok(true)
}

/// Lets one entry of `below` appear in `top`, or its cover.
fn show(below: &OwnedFd, top: &OwnedFd, name: &CString, cover: Option<&OwnedFd>) -> Result<(), Errno> {
    let path = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let kind = FileType::from_raw_mode(statat(below, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
    match (kind, cover) {
        (FileType::Directory, Some(_)) => return mkdirat(top, name, Mode::empty()),
        (FileType::Symlink, None) => return symlinkat(readlinkat(below, name, Vec::new())?, top, name),
        (FileType::Directory, None) => mkdirat(top, name, Mode::RWXU)?,
        _ => mknodat(top, name, FileType::RegularFile, Mode::RUSR, 0)?,
    }
    let shown = match cover {
        Some(cover) => clone(cover)?,
        None => clone(&openat(below, name, path, Mode::empty())?)?,
    };
    place_on(&shown, openat(top, name, path, Mode::empty())?)
}
