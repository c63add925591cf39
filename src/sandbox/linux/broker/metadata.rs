//! Modes, owners and times. Landlock does not know these calls at all, so none is left to the kernel: what is not
//! done here is refused.

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use rustix::fs::{AtFlags, CWD, Mode, Timespec, Timestamps, chmodat, chownat, utimensat};
use rustix::io::Errno;
use rustix::process::{Gid, Uid};

use super::caller::{Caller, own, place};
use super::places::Places;

/// What a call is about.
#[derive(Clone, Copy, Debug)]
pub(super) enum Object {
    /// A path; links followed unless the flags say otherwise. An empty one may mean the descriptor.
    Path { folder: u64, path: u64, flags: u64 },
    /// A descriptor.
    Descriptor(u64),
}

/// What is to change.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change {
    Mode(u64),
    Owner(u64, u64),
    Times(Times),
}

/// The shapes times come in; the number is an address, 0 for now.
#[derive(Clone, Copy, Debug)]
pub(super) enum Times {
    Nanoseconds(u64),
    Microseconds(u64),
    Seconds(u64),
}

/// Makes the change where the command may.
///
/// # Errors
/// It may not, or the kernel refused.
pub(super) fn change(caller: Caller, places: &Places, object: Object, change: Change) -> Result<(), Errno> {
    let (file, path) = find(caller, object)?;
    if !places.may_write(&path) {
        return Err(Errno::PERM);
    }
    let name = own(&file);
    match change {
        Change::Mode(mode) => chmodat(CWD, name, Mode::from_raw_mode(mode as u32 & 0o7777), AtFlags::empty()),
        Change::Owner(user, group) => {
            let id = |id: u64| Some(id as u32).filter(|id| *id != u32::MAX);
            let (user, group) = (id(user).map(Uid::from_raw), id(group).map(Gid::from_raw));
            chownat(CWD, name, user, group, AtFlags::empty())
        }
        Change::Times(times) => utimensat(CWD, name, &read(caller, times)?, AtFlags::empty()),
    }
}

fn find(caller: Caller, object: Object) -> Result<(OwnedFd, PathBuf), Errno> {
    let (folder, path, flags) = match object {
        Object::Descriptor(fd) => return caller.descriptor(fd),
        Object::Path { folder, path, flags } => (folder, path, AtFlags::from_bits_retain(flags as u32)),
    };
    // `futimens` has no path at all.
    if path == 0 {
        return caller.descriptor(folder);
    }
    let text = caller.path(path).ok_or(Errno::FAULT)?;
    if text.is_empty() && flags.contains(AtFlags::EMPTY_PATH) && folder as i32 != libc::AT_FDCWD {
        return caller.descriptor(folder);
    }
    let base = caller.base(folder).ok_or(Errno::BADF)?;
    place(base, &text, !flags.contains(AtFlags::SYMLINK_NOFOLLOW))
}

fn read(caller: Caller, times: Times) -> Result<Timestamps, Errno> {
    let words = |at: u64| -> Result<[i64; 4], Errno> {
        let bytes: [u8; 32] = caller.bytes(at).ok_or(Errno::FAULT)?;
        let mut words = [0; 4];
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = i64::from_ne_bytes(bytes.try_into().map_err(|_| Errno::FAULT)?);
        }
        Ok(words)
    };
    let now = Timespec { tv_sec: 0, tv_nsec: libc::UTIME_NOW };
    let [access, modified] = match times {
        Times::Nanoseconds(0) | Times::Microseconds(0) | Times::Seconds(0) => [now, now],
        Times::Nanoseconds(at) => {
            let [a, b, c, d] = words(at)?;
            [Timespec { tv_sec: a, tv_nsec: b }, Timespec { tv_sec: c, tv_nsec: d }]
        }
        Times::Microseconds(at) => {
            let [a, b, c, d] = words(at)?;
            let nano = |micro: i64| micro.checked_mul(1000).ok_or(Errno::INVAL);
            [Timespec { tv_sec: a, tv_nsec: nano(b)? }, Timespec { tv_sec: c, tv_nsec: nano(d)? }]
        }
        Times::Seconds(at) => {
            let bytes: [u8; 16] = caller.bytes(at).ok_or(Errno::FAULT)?;
            let (a, b) = bytes.split_at(8);
            let second = |bytes: &[u8]| bytes.try_into().map(i64::from_ne_bytes).map_err(|_| Errno::FAULT);
            [Timespec { tv_sec: second(a)?, tv_nsec: 0 }, Timespec { tv_sec: second(b)?, tv_nsec: 0 }]
        }
    };
    Ok(Timestamps { last_access: access, last_modification: modified })
}
