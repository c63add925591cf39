//! Connecting in a command's place, without keeping everybody else waiting for it.
#![allow(unsafe_code)] // connecting to an address of any family

use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::net::{self, sockopt};

/// A connection to oneself needs no time; one that is not taken up holds everybody up.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };

/// Connects to an address as it was read, whatever its family.
pub(super) fn connect(socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
    // SAFETY: so many bytes are there to read.
    match unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// Binds to an address as it was read.
pub(super) fn bind(socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
    // SAFETY: so many bytes are there to read.
    match unsafe { libc::bind(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// For a caller that waits, without waiting for long; one that does not wait is not made to.
pub(super) fn patiently(socket: &OwnedFd, connect: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    match fcntl_getfl(socket)?.contains(OFlags::NONBLOCK) {
        true => connect(),
        false => soon(socket, connect),
    }
}

/// Connects without waiting for long; the caller's socket is as it was afterwards.
pub(super) fn soon(socket: &OwnedFd, connect: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
    let flags = fcntl_getfl(socket)?;
    fcntl_setfl(socket, flags | OFlags::NONBLOCK)?;
    let mut connected = connect();
    if matches!(connected, Err(Errno::INPROGRESS)) {
        let _ = poll(&mut [PollFd::new(socket, PollFlags::OUT)], Some(&PATIENCE));
        connected = match sockopt::socket_error(socket) {
            Ok(Ok(())) if net::getpeername(socket).is_ok() => Ok(()),
            Ok(Err(error)) => Err(error),
            _ => Err(Errno::TIMEDOUT),
        };
    }
    let _ = fcntl_setfl(socket, flags);
    connected
}
