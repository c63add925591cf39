//! Extended attributes of the user's own on what may be written, and lists of who may do what, which say no more than
//! a mode does and which editors carry over. The kernel's others carry rights, so none of them is set here, and what is not done here is refused: Landlock does not know these calls.

use std::ffi::CString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use libc::c_long;
use rustix::fs::{XattrFlags, removexattr, setxattr};
use rustix::io::Errno;

use super::caller::{Caller, own, place};
use super::places::Places;

const LARGEST: u64 = 64 * 1024;

/// One call, as far as its arguments say.
#[derive(Clone, Copy, Debug)]
pub(super) struct Change {
    object: Object,
    name: u64,
    /// Address, length and flags; `None` removes it.
    value: Option<(u64, u64, u64)>,
}

#[derive(Clone, Copy, Debug)]
enum Object {
    /// An address, and whether links are followed.
    Path(u64, bool),
    Descriptor(u64),
}

/// The call by its number.
pub(super) fn call(number: c_long, a: &[u64; 6]) -> Option<Change> {
    let [object, name, ..] = *a;
    let value = Some((a[2], a[3], a[4]));
    let (object, value) = match number {
        libc::SYS_setxattr => (Object::Path(object, true), value),
        libc::SYS_lsetxattr => (Object::Path(object, false), value),
        libc::SYS_fsetxattr => (Object::Descriptor(object), value),
        libc::SYS_removexattr => (Object::Path(object, true), None),
        libc::SYS_lremovexattr => (Object::Path(object, false), None),
        libc::SYS_fremovexattr => (Object::Descriptor(object), None),
        _ => return None,
    };
    Some(Change { object, name, value })
}

/// Makes the change where the command may.
///
/// # Errors
/// It may not, or the kernel refused.
pub(super) fn change(caller: Caller, places: &Places, change: Change) -> Result<(), Errno> {
    let (file, path) = find(caller, change.object)?;
    let name = caller.path(change.name).ok_or(Errno::FAULT)?;
    if !places.may_write(&path) || !is_harmless(&name) {
        return Err(Errno::PERM);
    }
    let Some((at, length, flags)) = change.value else { return removexattr(own(&file), name) };
    if length > LARGEST {
        return Err(Errno::TOOBIG);
    }
    let value = caller.exactly(at, length as usize).ok_or(Errno::FAULT)?;
    setxattr(own(&file), name, &value, XattrFlags::from_bits_retain(flags as u32))
}

fn is_harmless(name: &CString) -> bool {
    let name = name.as_bytes();
    let lists: [&[u8]; 2] = [b"system.posix_acl_access", b"system.posix_acl_default"];
    name.starts_with(b"user.") || lists.contains(&name)
}

fn find(caller: Caller, object: Object) -> Result<(OwnedFd, PathBuf), Errno> {
    match object {
        Object::Descriptor(fd) => caller.descriptor(fd),
        Object::Path(at, follow) => {
            let text = caller.path(at).ok_or(Errno::FAULT)?;
            let base = caller.base(libc::AT_FDCWD as u64).ok_or(Errno::BADF)?;
            place(base, &text, follow)
        }
    }
}
