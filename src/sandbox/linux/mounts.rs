//! The command's own view of the file system: everything read-only and without devices, then the writable roots
//! on top, then their protected children read-only again, then a few devices, private shared memory and
//! terminals, and `/proc` of the new pid namespace. Every path is opened without following a symlink: the list
//! was resolved before, and a command of before may have changed what lies on the way.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags, openat2};
use rustix::io::Errno;
use rustix::mount::{MountFlags, MoveMountFlags, OpenTreeFlags, mount, move_mount, open_tree};

use super::covers;
use super::sys::{self, MountAttr};
use crate::process::supervise::SetupError;

/// What the tree is built from. Absolute paths, symlinks resolved (in all but the last part).
pub(super) struct Plan {
    /// Writable folders.
    pub(super) write: Vec<PathBuf>,
    /// Read-only below them.
    pub(super) read_only: Vec<PathBuf>,
    /// Writable wherever they are, but for what is sealed.
    pub(super) reopen: Vec<PathBuf>,
    /// Read-only in those.
    pub(super) sealed: Vec<PathBuf>,
    /// Nothing of these can be read.
    pub(super) hide: Vec<PathBuf>,
    /// Unix sockets of the host.
    pub(super) sockets: Vec<PathBuf>,
    /// Nothing is kept from being moved away, to show that it is missed.
    pub(super) unpinned: bool,
}

const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Builds the tree in this process's own mount namespace. Gives whether what is hidden stays hidden whatever others do
/// to it.
///
/// # Errors
/// The kernel refused a step; the tree is unusable and the command must not run.
pub(super) fn build(plan: &Plan) -> Result<bool, SetupError> {
    let write = outermost(&plan.write);
    let everything = write.iter().any(|root| root.parent().is_none());
    let set = if everything { sys::NODEV } else { sys::RDONLY | sys::NODEV };
    let attr = MountAttr { propagation: sys::PRIVATE, ..MountAttr::change(set, 0) };
    let root = open(Path::new("/")).map_err(|e| fail("/", e))?;
    sys::mount_setattr(&root, attr).map_err(|e| fail("/", e))?;
    for root in write.iter().filter(|root| root.parent().is_some()) {
        optional(root, rebind(root, MountAttr::change(sys::NODEV, sys::RDONLY)))?;
    }
    for folder in pins(plan, &write) {
        optional(&folder, rebind(&folder, MountAttr::change(sys::NODEV, sys::RDONLY)))?;
    }
    for path in plan.read_only.iter().filter(|path| write.iter().any(|root| path.starts_with(root))) {
        optional(path, rebind(path, MountAttr::change(sys::RDONLY | sys::NODEV, 0)))?;
    }
    repository(plan)?;
    // Before the devices: the cover must not be one.
    let lasting = covers::hide(&plan.hide, &plan.write, &plan.read_only)?;
    devices(&plan.write)?;
    if everything {
        optional(Path::new("/sys"), rebind(Path::new("/sys"), MountAttr::change(sys::RDONLY, 0)))?;
    }
    processes(everything)?;
    hide_sockets(&plan.sockets)?;
    Ok(lasting)
}

/// Opens the folders of a repository, outermost first, each with its seals; a worktree's own is inside a sealed
/// folder of the common one.
fn repository(plan: &Plan) -> Result<(), SetupError> {
    for folder in &plan.reopen {
        optional(folder, rebind(folder, MountAttr::change(sys::NODEV, sys::RDONLY)))?;
        for sealed in plan.sealed.iter().filter(|sealed| sealed.parent() == Some(folder)) {
            optional(sealed, rebind(sealed, MountAttr::change(sys::RDONLY | sys::NODEV, 0)))?;
        }
    }
    Ok(())
}

/// The roots that are not inside another one.
fn outermost(roots: &[PathBuf]) -> Vec<PathBuf> {
    let inside = |root: &PathBuf| roots.iter().any(|other| other != root && root.starts_with(other));
    roots.iter().filter(|root| !inside(root)).cloned().collect()
}

/// What must not be moved away and replaced: roots inside other roots, and the folders between a root and what is
/// protected or hidden in it. They become mount points, which cannot be renamed. Outer ones come first, and each
/// once: a mount is copied with all that is mounted in it.
fn pins(plan: &Plan, outer: &[PathBuf]) -> BTreeSet<PathBuf> {
    let mut pins = BTreeSet::new();
    if plan.unpinned {
        return pins;
    }
    let kept = plan.write.iter().chain(&plan.read_only).chain(&plan.hide);
    for path in kept {
        if let Some(root) = outer.iter().find(|root| path != *root && path.starts_with(root)) {
            let between =
                path.ancestors().skip(1).take_while(|p| *p != root.as_path() && p.parent().is_some());
            pins.extend(between.map(Path::to_owned));
        }
    }
    pins.extend(plan.write.iter().filter(|root| !outer.contains(root)).cloned());
    pins
}

/// What has vanished since it was listed needs no mount.
fn optional(path: &Path, result: Result<(), Errno>) -> Result<(), SetupError> {
    match result {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(fail(path.display(), error)),
    }
}

/// Mounts `path` and all below it onto itself with changed attributes.
fn rebind(path: &Path, attr: MountAttr) -> Result<(), Errno> {
    let place = open(path)?;
    let tree = clone(&place)?;
    if attr.set | attr.clear != 0
        && let Err(error) = sys::mount_setattr(&tree, attr)
    {
        // A mount below it that the host has made read-only cannot be opened; the folder itself perhaps can.
        let locked = attr.clear != 0 && error.raw_os_error() == Some(libc::EPERM);
        if !locked
            || sys::mount_setattr_one(&tree, attr).is_err_and(|e| e.raw_os_error() != Some(libc::EPERM))
        {
            return Err(Errno::from_io_error(&error).unwrap_or(Errno::IO));
        }
    }
    place_on(&tree, &place)
}

pub(super) fn open(path: &Path) -> Result<OwnedFd, Errno> {
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat2(CWD, path, flags, Mode::empty(), ResolveFlags::NO_SYMLINKS) {
        // The last part may be a symlink itself, to be pinned; NO_SYMLINKS refuses even to name it.
        Err(Errno::LOOP) => {
            let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
                return Err(Errno::LOOP);
            };
            let folder = openat2(
                CWD,
                folder,
                OFlags::PATH | OFlags::CLOEXEC,
                Mode::empty(),
                ResolveFlags::NO_SYMLINKS,
            )?;
            rustix::fs::openat(&folder, name, flags, Mode::empty())
        }
        opened => opened,
    }
}

pub(super) fn clone(place: &OwnedFd) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    open_tree(place, c"", flags)
}

pub(super) fn place_on(tree: &OwnedFd, place: impl AsFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    move_mount(tree, c"", place, c"", flags)
}

/// Devices a program may expect, shared memory and terminals of its own.
fn devices(write: &[PathBuf]) -> Result<(), SetupError> {
    let dev = Path::new("/dev");
    for name in DEVICES {
        let path = dev.join(name);
        optional(&path, rebind(&path, MountAttr::change(0, sys::RDONLY | sys::NODEV)))?;
    }
    let flags = MountFlags::NOSUID | MountFlags::NODEV;
    let shm = Path::new("/dev/shm");
    if shm.is_dir() && !write.iter().any(|root| root.starts_with(shm) || shm.starts_with(root)) {
        mount("tmpfs", shm, "tmpfs", flags, c"mode=1777").map_err(|e| fail("/dev/shm", e))?;
    }
    let (pts, ptmx) = (Path::new("/dev/pts"), Path::new("/dev/ptmx"));
    if pts.is_dir() {
        let flags = MountFlags::NOSUID | MountFlags::NOEXEC;
        mount("devpts", pts, "devpts", flags, c"newinstance,ptmxmode=0666,mode=620")
            .map_err(|e| fail("/dev/pts", e))?;
        // A link needs no mount: it already leads to the new terminals.
        if ptmx.symlink_metadata().is_ok_and(|meta| !meta.is_symlink()) {
            let onto = |from: &Path, to: &Path| place_on(&clone(&open(from)?)?, open(to)?);
            optional(ptmx, onto(&pts.join("ptmx"), ptmx))?;
        }
    }
    Ok(())
}

/// `/proc` of the new pid namespace, read-only: to root, the files below `/proc/sys` are the host's settings.
/// Containers that hide parts of `/proc` may not mount a fresh one; then the old one stays, read-only too.
fn processes(everything: bool) -> Result<(), SetupError> {
    let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    match mount("proc", "/proc", "proc", flags, None) {
        Ok(()) => Ok(()),
        Err(Errno::PERM) if everything => {
            let proc = Path::new("/proc");
            optional(proc, rebind(proc, MountAttr::change(sys::RDONLY, 0)))
        }
        Err(Errno::PERM) => Ok(()),
        Err(error) => Err(fail("/proc", error)),
    }
}

/// Covers the host's sockets with `/dev/null`: a socket in the file system is reachable from every network
/// namespace, and behind it may be a daemon that does what the sandbox forbids.
fn hide_sockets(sockets: &[PathBuf]) -> Result<(), SetupError> {
    if sockets.is_empty() {
        return Ok(());
    }
    let null = open(Path::new("/dev/null")).map_err(|e| fail("/dev/null", e))?;
    for socket in sockets {
        let cover = |path: &Path| place_on(&clone(&null)?, open(path)?);
        match cover(socket) {
            // Not there, not reachable, or not a socket of this mount namespace.
            Ok(()) | Err(Errno::NOENT | Errno::ACCESS | Errno::NOTDIR | Errno::LOOP) => {}
            Err(error) => return Err(fail(socket.display(), error)),
        }
    }
    Ok(())
}

pub(super) fn fail(what: impl Display, error: impl Into<io::Error>) -> SetupError {
    SetupError::new("mounts", format_args!("{what}: {}", error.into()))
}
