//! The proxy of the allow-list, around one command: a socket is listened at inside, where the command finds it by the
//! environment; the connections are taken outside, where the host's network is. It decides about names and carries
//! bytes. Every command has a proxy of its own, because what one may reach can be more than what the one before could.
#![allow(unsafe_code)] // the environment before the command exists

use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::{AsRawFd, OwnedFd};

use super::carrier;
use super::passage::Passage;
use super::proxy;
use super::record::Record;
use super::upstream::Upstream;
use crate::process::supervise::SetupError;

/// Where programs inside find the proxy, unless somebody is there.
const PROXY_PORT: u16 = 9;

/// What is let out.
#[derive(Debug)]
pub(super) struct Bridge {
    inside: Option<OwnedFd>,
    passage: Option<Passage>,
}

impl Bridge {
    /// Starts the process that carries, where the host's network is; `None` without hosts. Where everybody could connect
    /// to its port, who does has to be `known`.
    ///
    /// # Errors
    /// No descriptors, no process.
    pub(super) fn start(
        hosts: &[String],
        upstream: &Upstream,
        known: bool,
        record: &Record,
    ) -> Result<Option<Self>, SetupError> {
        if hosts.is_empty() {
            return Ok(None);
        }
        let (outside, inside) = carrier::channel()?;
        let passage = known.then(Passage::new).transpose();
        let passage = passage.map_err(|error| SetupError::new("bridge", error))?;
        carrier::start(&[outside.as_raw_fd(), record.writer()], || {
            if let Ok(listeners) = carrier::take_in(&outside) {
                carrier::carry(&listeners, &|inside| {
                    passage.as_ref().map_or(Ok(()), |passage| passage.admit(inside))?;
                    proxy::open(inside, &proxy::Rules { hosts, upstream, patience: carrier::CONNECT }, record)
                });
            }
        })?;
        Ok(Some(Self { inside: Some(inside), passage }))
    }

    /// Listens in the network that this process is in, tells the command so, and hands the socket to the carrier.
    ///
    /// # Errors
    /// There is no port left.
    pub(super) fn listen(&mut self) -> Result<(), SetupError> {
        let Some(channel) = self.inside.take() else { return Ok(()) };
        // One port for all commands of this machine would be in somebody's way.
        let listener = match &self.passage {
            None => TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT)).ok(),
            Some(_) => None,
        };
        let listener = listener.map_or_else(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)), Ok);
        let listener = listener.map_err(|error| SetupError::new("bridge", error))?;
        let port = listener.local_addr().map_err(|error| SetupError::new("bridge", error))?.port();
        carrier::hand_out(&channel, &[listener])?;
        announce(port);
        if let Some(passage) = &mut self.passage {
            passage.to(port);
        }
        Ok(())
    }

    /// For whoever connects in the command's place.
    pub(super) fn passage(&self) -> Option<Passage> {
        self.passage.clone()
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
