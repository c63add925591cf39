//! Puts what will come beside its target, under a temporary name and with its final rights.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, Gid, Mode, OFlags, Uid, XattrFlags};

use super::commit::{Gate, Stop};
use super::folder::{Folders, look_at};
use super::journal::Stamp;
use super::place::{Kind, Node};
use super::plan::{After, Write};

/// Extended attributes that belong to the user: their own, and access lists.
const KEPT_ATTRIBUTES: [&str; 2] = ["user.", "system.posix_acl_access"];
/// Longest value of an extended attribute that is kept.
const MAX_ATTRIBUTE_BYTES: usize = 64 * 1024;

/// Stages one write and says how to recognise the file. `sync` makes its content durable at once.
pub(super) fn stage(
    folders: &mut Folders,
    write: &Write,
    temp: &Path,
    sync: bool,
    gate: Gate<'_>,
) -> Result<Stamp, Stop> {
    let (folder, _) = folders.of(&write.path)?;
    match &write.after {
        After::Gone => return Ok(Stamp::default()),
        After::Text { text, like } => {
            gate()?;
            let mut file = create(&folder, temp, like.is_none())?;
            gate()?;
            file.write_all(text.as_bytes())?;
            if let Some((path, node)) = like {
                keep_rights(&file, path, node)?;
            }
            if sync {
                file.sync_all()?;
            }
        }
        After::Entry { path, node } => {
            let (from, name) = folders.of(path)?;
            if look_at(&from, name)?.is_none_or(|now| Stamp::from(&now) != Stamp::from(node)) {
                return Err(Stop::Changed);
            }
            gate()?;
            if rustix::fs::linkat(&*from, name, &*folder, temp, AtFlags::empty()).is_err() {
                copy(&from, name, path, &folder, temp, node, gate)?;
            }
        }
    }
    match look_at(&folder, temp)? {
        Some(node) => Ok(Stamp::from(&node)),
        None => Err(Stop::Changed),
    }
}

/// A new file for writing; with the rights of the process's umask, or private until its rights are set.
fn create(folder: &OwnedFd, name: &Path, usual_rights: bool) -> Result<File, Stop> {
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mode = Mode::from_raw_mode(if usual_rights { 0o666 } else { 0o600 });
    Ok(File::from(rustix::fs::openat(folder, name, flags, mode)?))
}

/// Copies what cannot get a second name: it is on another file system, or there are none.
fn copy(
    from: &OwnedFd,
    name: &Path,
    path: &Path,
    folder: &OwnedFd,
    temp: &Path,
    node: &Node,
    gate: Gate<'_>,
) -> Result<(), Stop> {
    gate()?;
    if node.kind == Kind::Link {
        let text = rustix::fs::readlinkat(from, name, Vec::new())?;
        return Ok(rustix::fs::symlinkat(&*text, folder, temp)?);
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let mut source = File::from(rustix::fs::openat(from, name, flags, Mode::empty())?);
    let mut file = create(folder, temp, false)?;
    std::io::copy(&mut source, &mut file)?;
    keep_rights(&file, path, node)?;
    Ok(file.sync_all()?)
}

/// Gives a new file the mode, the owner and the attributes of another. Only the mode is owed.
fn keep_rights(file: &File, path: &Path, node: &Node) -> Result<(), Stop> {
    let made = Node::from(&file.metadata()?);
    if (made.uid, made.gid) != (node.uid, node.gid) {
        let (uid, gid) = (Uid::from_raw(node.uid), Gid::from_raw(node.gid));
        let _ = rustix::fs::fchown(file, Some(uid), Some(gid));
    }
    // Not the set-id bits: the content is not what they were given to.
    rustix::fs::fchmod(file, Mode::from_raw_mode(node.mode & 0o1777))?;
    keep_attributes(file, path);
    Ok(())
}

fn keep_attributes(file: &File, path: &Path) {
    let mut names = vec![0u8; 4096];
    let Ok(length) = rustix::fs::llistxattr(path, &mut *names) else { return };
    names.truncate(length);
    for name in names.split(|&b| b == 0).filter_map(|name| std::str::from_utf8(name).ok()) {
        if name.is_empty() || !KEPT_ATTRIBUTES.iter().any(|kept| name.starts_with(kept)) {
            continue;
        }
        let mut value = vec![0u8; MAX_ATTRIBUTE_BYTES];
        if let Ok(length) = rustix::fs::lgetxattr(path, name, &mut *value) {
            let value = value.get(..length).unwrap_or_default();
            let _ = rustix::fs::fsetxattr(file, name, value, XattrFlags::empty());
        }
    }
}
