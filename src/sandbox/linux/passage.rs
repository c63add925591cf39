//! The way from a command to its proxy where both are in the machine's own network: everybody of this machine could
//! connect to the proxy's port. So whoever connects for the command says a secret first, which the command never sees
//! and nobody else knows.
#![allow(unsafe_code)] // random bytes

use std::fmt;
use std::io::{self, ErrorKind, Read};
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use rustix::io::Errno;
use rustix::net::{SendFlags, Shutdown, send, shutdown};

const LENGTH: usize = 32;
/// It is said before anybody else can write.
const PATIENCE: Duration = Duration::from_secs(2);

/// The secret, and the port it opens.
#[derive(Clone)]
pub(crate) struct Passage {
    secret: [u8; LENGTH],
    port: u16,
}

impl Passage {
    /// A fresh secret, for a port that is not known yet.
    ///
    /// # Errors
    /// The system has no random bytes.
    pub(super) fn new() -> io::Result<Self> {
        let mut secret = [0; LENGTH];
        // SAFETY: so many bytes of room.
        let got = unsafe { libc::getrandom(secret.as_mut_ptr().cast(), LENGTH, 0) };
        if got == LENGTH as isize { Ok(Self { secret, port: 0 }) } else { Err(io::Error::last_os_error()) }
    }

    /// Leads there.
    pub(super) fn to(&mut self, port: u16) {
        self.port = port;
    }

    /// Whether this is the proxy's address.
    pub(crate) fn is_at(&self, ip: IpAddr, port: u16) -> bool {
        ip == Ipv4Addr::LOCALHOST && port == self.port
    }

    /// Says the secret on a connection that has just been made.
    ///
    /// # Errors
    /// The proxy is gone.
    pub(crate) fn enter(&self, socket: &OwnedFd) -> Result<(), Errno> {
        match send(socket, &self.secret, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
            Ok(LENGTH) => Ok(()),
            _ => {
                let _ = shutdown(socket, Shutdown::Both);
                Err(Errno::CONNREFUSED)
            }
        }
    }

    /// Hears the secret, at the other end.
    ///
    /// # Errors
    /// It is not it.
    pub(super) fn admit(&self, stream: &mut TcpStream) -> io::Result<()> {
        let mut said = [0; LENGTH];
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.read_exact(&mut said)?;
        if said == self.secret { Ok(()) } else { Err(ErrorKind::PermissionDenied.into()) }
    }
}

impl fmt::Debug for Passage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Passage").field("port", &self.port).finish_non_exhaustive()
    }
}
