//! A non-blocking file descriptor that the runtime waits for: the read end of a pipe, a terminal, a socket.
//! It exists to keep the one unsafe registration in one place.
#![allow(unsafe_code)] // registration with the reactor; see the SAFETY note

use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::{OFlags, fcntl_setfl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// An owned descriptor in non-blocking mode. All waits are cancel safe.
#[derive(Debug)]
pub(crate) struct Polled {
    fd: AsyncFd<OwnedFd>,
}

impl Polled {
    /// Takes a pipe end, a socket or a terminal and makes it non-blocking (its whole open file description).
    ///
    /// # Errors
    /// The descriptor cannot be waited for, or the reactor is full.
    pub(crate) fn stream(fd: OwnedFd, interest: Interest) -> io::Result<Self> {
        fcntl_setfl(&fd, OFlags::NONBLOCK)?;
        // SAFETY: an `OwnedFd` is open until it is dropped, names the same open file for its whole life, and
        // always answers with the same number; nothing here takes it out of the `AsyncFd`.
        let fd =
            unsafe { AsyncFd::register_with_interest(fd, interest) }.map_err(|error| error.into_parts().1)?;
        Ok(Self { fd })
    }

    /// Reads what is there, waiting for the first byte; 0 = end. A terminal without programs is at its end.
    pub(crate) async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.fd.async_io(Interest::READABLE, |fd| read_once(fd, buf)).await
    }

    /// Reads what is there without waiting; `None` = nothing now.
    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        match read_once(self.fd.get_ref(), buf) {
            Ok(count) => Ok(Some(count)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes some of `bytes`, waiting for room for the first.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.fd.async_io(Interest::WRITABLE, |fd| Ok(rustix::io::write(fd, bytes)?)).await
    }

    /// Waits until there is something to read, or the end.
    pub(crate) async fn readable(&self) -> io::Result<()> {
        self.fd.readable().await.map(|_| ())
    }

    /// The descriptor, for calls that do not read or write.
    pub(crate) fn fd(&self) -> &OwnedFd {
        self.fd.get_ref()
    }
}

/// One read. The master of a terminal answers EIO once no program holds the other side: that is its end.
fn read_once(fd: &OwnedFd, buf: &mut [u8]) -> io::Result<usize> {
    loop {
        match rustix::io::read(fd, &mut *buf) {
            Ok(count) => return Ok(count),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::IO) => return Ok(0),
            Err(error) => return Err(error.into()),
        }
    }
}
