//! The system calls of this folder that rustix has no safe form of, each as a small safe function.
#![allow(unsafe_code)] // raw system calls

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// `struct mount_attr` of the kernel.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub(super) struct MountAttr {
    pub(super) set: u64,
    pub(super) clear: u64,
    pub(super) propagation: u64,
    pub(super) userns_fd: u64,
}

pub(super) const RDONLY: u64 = 0x1;
pub(super) const NODEV: u64 = 0x4;
pub(super) const PRIVATE: u64 = libc::MS_PRIVATE;
const AT_RECURSIVE: i32 = 0x8000;

impl MountAttr {
    /// Only set and clear.
    pub(super) fn change(set: u64, clear: u64) -> Self {
        Self { set, clear, ..Self::default() }
    }
}

/// Changes a mount and everything mounted below it.
pub(super) fn mount_setattr(mount: impl AsFd, attr: MountAttr) -> io::Result<()> {
    set_attr(mount, attr, AT_RECURSIVE)
}

/// Changes one mount.
pub(super) fn mount_setattr_one(mount: impl AsFd, attr: MountAttr) -> io::Result<()> {
    set_attr(mount, attr, 0)
}

fn set_attr(mount: impl AsFd, attr: MountAttr, flags: i32) -> io::Result<()> {
    let fd = mount.as_fd().as_raw_fd();
    let flags = flags | libc::AT_EMPTY_PATH;
    // SAFETY: an empty C string and a structure of the size given, both alive during the call.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            fd,
            c"".as_ptr(),
            flags,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Brings the loopback interface of our network namespace up.
pub(super) fn loopback_up() -> io::Result<()> {
    // SAFETY: `ifreq` is plain data, zeroed is valid; the name is shorter than its field and ends with zero; the
    // descriptor is closed on every path.
    unsafe {
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        if socket < 0 {
            return Err(io::Error::last_os_error());
        }
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = *from as libc::c_char;
        }
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as i16;
        let result = libc::ioctl(socket, libc::SIOCSIFFLAGS as _, &raw const request);
        let error = io::Error::last_os_error();
        libc::close(socket);
        if result < 0 { Err(error) } else { Ok(()) }
    }
}

/// Locks this process into a Landlock ruleset. No allocation: called just before execution.
pub(super) fn landlock_restrict_self(ruleset: i32) -> Result<(), i32> {
    // SAFETY: two plain numbers.
    match unsafe { libc::syscall(libc::SYS_landlock_restrict_self, ruleset, 0) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// The kernel's Landlock version, 0 without Landlock.
pub(super) fn landlock_abi() -> i32 {
    const VERSION: u32 = 1;
    // SAFETY: with this flag the kernel takes no structure.
    let abi = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0, VERSION) };
    abi.max(0) as i32
}

/// Forbids gaining privileges by executing something. No allocation.
pub(super) fn no_new_privileges() -> Result<(), i32> {
    // SAFETY: plain numbers.
    match unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// Installs a filter. No allocation.
pub(super) fn seccomp(program: &[seccompiler::sock_filter]) -> Result<(), i32> {
    let filter = libc::sock_fprog {
        len: program.len() as u16,
        filter: program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
    };
    // SAFETY: `sock_filter` of seccompiler is the kernel's structure; the kernel copies the program and does not
    // write to it; its length was checked when it was built.
    match unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const filter, 0, 0) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// The socket takes no descriptors from its other end, where the kernel knows how.
pub(super) fn refuse_passed_descriptors(socket: BorrowedFd<'_>) {
    let off: libc::c_int = 0;
    // SAFETY: a valid option of four bytes; kernels that do not know it say so, which is fine.
    unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            PASS_RIGHTS,
            (&raw const off).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
}

/// Not from this kernel's headers everywhere.
pub(super) const PASS_RIGHTS: libc::c_int = 83;

fn errno() -> i32 {
    // SAFETY: always a valid pointer for the calling thread.
    unsafe { *libc::__errno_location() }
}
