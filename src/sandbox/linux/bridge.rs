//! The proxy of the allow-list, around one command: a socket is listened at inside, where the command finds it by the
//! environment; the connections are taken outside, where the host's network is. It decides about names and carries
//! bytes. Every command has a proxy of its own, because what one may reach can be more than what the one before could.
#![allow(unsafe_code)] // the environment before the command exists

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};

use super::carrier;
use super::proxy;
use super::record::Record;
use crate::process::supervise::SetupError;

/// Where programs inside find the proxy, unless somebody is there.
const PROXY_PORT: u16 = 9;

/// What is let out.
#[derive(Debug)]
pub(super) struct Bridge {
    inside: Option<OwnedFd>,
    record: Record,
}

impl Bridge {
    /// Starts the process that carries, where the host's network is; `None` without hosts.
    ///
    /// # Errors
    /// No descriptors, no process.
    pub(super) fn start(hosts: &[String]) -> Result<Option<Self>, SetupError> {
        if hosts.is_empty() {
            return Ok(None);
        }
        let (outside, inside) = carrier::channel()?;
        let record = Record::new().map_err(|error| SetupError::new("bridge", error))?;
        carrier::start(&[outside.as_raw_fd(), record.writer()], || {
            if let Ok(listeners) = carrier::take_in(&outside) {
                carrier::carry(&listeners, &|inside| proxy::open(inside, hosts, carrier::CONNECT, &record));
            }
        })?;
        Ok(Some(Self { inside: Some(inside), record }))
    }

    /// Listens in the network that this process is in, tells the command so, and hands the socket to the carrier.
    ///
    /// # Errors
    /// There is no port left.
    pub(super) fn listen(&mut self) -> Result<(), SetupError> {
        let Some(channel) = self.inside.take() else { return Ok(()) };
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT))
            .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
        let listener = listener.map_err(|error| SetupError::new("bridge", error))?;
        let port = listener.local_addr().map_err(|error| SetupError::new("bridge", error))?.port();
        carrier::hand_out(&channel, &[listener])?;
        announce(port);
        Ok(())
    }

    /// What was reached, in the supervisor when all is over.
    pub(super) fn record(&mut self) -> &mut Record {
        &mut self.record
    }
}

/// Tells programs where the proxy is, the way they ask.
fn announce(port: u16) {
    let address = format!("http://127.0.0.1:{port}");
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        // SAFETY: supervisors have one thread; the command inherits its environment.
        unsafe { std::env::set_var(name, &address) };
    }
    for name in ["no_proxy", "NO_PROXY"] {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, "localhost,127.0.0.1,::1") };
    }
}
