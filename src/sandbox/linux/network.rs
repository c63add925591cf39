//! The network of a thread: one namespace with a loopback and nothing else, in which all confined commands of the
//! thread run, so that the server which one of them starts is there for the next. It belongs to a user namespace
//! above those of the commands: none of them, not even as root, has any power over it. Descriptors keep it, no
//! process; it is gone when the last of its holders is.
//!
//! Single ports of it are joined with the loopback of the machine where the user says so, each by a small process:
//! inwards (commands reach a server of the user's) or outwards (the user reaches a server of theirs). These belong to
//! the thread as well: a connection must not end with some other command.
#![allow(unsafe_code)] // clone, setns, _exit

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, socket_with, sockopt};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

use super::record::Record;
use super::wrap::Confine;
use super::{carrier, identity, sys};
use crate::process::supervise::SetupError;
use crate::protocol::network::Outcome;

/// What keeps it. Dropping it ends it, when no command is in it any more.
#[derive(Debug)]
pub(crate) struct Network {
    entrance: Entrance,
    record: Record,
    joined: Vec<Joined>,
}

/// The way in, for one supervisor.
#[derive(Debug)]
pub(super) struct Entrance {
    user: OwnedFd,
    network: OwnedFd,
}

/// A port and the process that carries its connections.
#[derive(Debug)]
struct Joined {
    port: u16,
    outwards: bool,
    process: OwnedFd,
}

impl Network {
    /// A new one.
    ///
    /// # Errors
    /// The machine does not allow it.
    pub(crate) fn new() -> Result<Self, SetupError> {
        let entrance = Entrance::new()?;
        let record = Record::new().map_err(|error| SetupError::new("bridge", error))?;
        Ok(Self { entrance, record, joined: Vec::new() })
    }

    /// Whether commands under `confine` belong into one.
    pub(crate) fn is_for(confine: &Confine) -> bool {
        !confine.network && !confine.without("network")
    }

    /// Joins what `confine` lists and is not joined yet, and parts what it lists no more: what is in force now counts for
    /// all commands of the thread. A port of the machine at which nobody listens stays free for servers inside.
    ///
    /// # Errors
    /// No processes or descriptors.
    pub(crate) fn join(&mut self, confine: &Confine) -> Result<(), SetupError> {
        self.joined.retain(Joined::is_alive);
        self.part(|joined| {
            let list = if joined.outwards { &confine.serve } else { &confine.ports };
            !list.contains(&joined.port)
        });
        for port in confine.serve.iter().copied() {
            if !self.has(port, true) {
                self.outwards(port)?;
            }
        }
        for port in confine.ports.iter().copied().filter(|port| !confine.serve.contains(port)) {
            match (is_listened_at(port), self.has(port, false)) {
                (true, false) => self.inwards(port)?,
                // Free for servers inside again.
                (false, true) => self.part(|joined| !joined.outwards && joined.port == port),
                _ => {}
            }
        }
        Ok(())
    }

    /// The way in, to be given to a supervisor, and where it finds what was reached.
    ///
    /// # Errors
    /// No descriptors.
    pub(super) fn share(&self) -> io::Result<(Entrance, Record)> {
        Ok((self.entrance.try_clone()?, self.record.try_clone()?))
    }

    fn has(&self, port: u16, outwards: bool) -> bool {
        self.joined.iter().any(|joined| joined.port == port && joined.outwards == outwards)
    }

    /// Commands reach the port of the machine.
    fn inwards(&mut self, port: u16) -> Result<(), SetupError> {
        let (outside, inside) = carrier::channel()?;
        let record = &self.record;
        let pid = carrier::start(&[outside.as_raw_fd(), record.writer()], || {
            let listeners = carrier::take_in(&outside).unwrap_or_default();
            if !listeners.is_empty() {
                carrier::carry(&listeners, &|_| {
                    record.note(Outcome::Reached, "127.0.0.1", port);
                    carrier::connect_here(port).map(Into::into)
                });
            }
        })?;
        self.keep(port, false, pid);
        // Somebody has to go in to listen there, and cannot come back.
        let entrance = &self.entrance;
        let fds = [inside.as_raw_fd(), entrance.user.as_raw_fd(), entrance.network.as_raw_fd()];
        let opener = carrier::start(&fds, || {
            if entrance.enter().is_ok() {
                let listeners = carrier::listen_here(port).unwrap_or_default();
                // Not given: a command has a server there.
                if !listeners.is_empty() {
                    let _ = carrier::hand_out(&inside, &listeners);
                }
            }
        })?;
        // SAFETY: waits for our child; a null status is allowed. Where children are ignored it waits as well.
        unsafe { libc::waitpid(opener, std::ptr::null_mut(), 0) };
        Ok(())
    }

    /// The machine reaches the port of a command.
    fn outwards(&mut self, port: u16) -> Result<(), SetupError> {
        // Somebody else's: theirs it stays, and the next command tries again.
        let Ok(listeners) = carrier::listen_here(port) else {
            self.record.note(Outcome::InUse, "127.0.0.1", port);
            return Ok(());
        };
        let entrance = &self.entrance;
        let mut fds = vec![entrance.user.as_raw_fd(), entrance.network.as_raw_fd()];
        fds.extend(listeners.iter().map(AsRawFd::as_raw_fd));
        let pid = carrier::start(&fds, || {
            carrier::carry(&listeners, &|_| {
                entrance.enter().map_err(|error| io::Error::other(error.text))?;
                carrier::connect_here(port).map(Into::into)
            });
        })?;
        self.keep(port, true, pid);
        Ok(())
    }

    /// Ends these, with their connections. Returns when their ports are free: a server may want one at once.
    fn part(&mut self, which: impl Fn(&Joined) -> bool) {
        self.joined.retain(|joined| {
            let ends = which(joined);
            if ends && pidfd_send_signal(&joined.process, Signal::KILL).is_ok() {
                let _ = poll(&mut [PollFd::new(&joined.process, PollFlags::IN)], None);
            }
            !ends
        });
    }

    fn keep(&mut self, port: u16, outwards: bool, pid: libc::pid_t) {
        let process = Pid::from_raw(pid).and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        self.joined.extend(process.map(|process| Joined { port, outwards, process }));
    }
}

impl Joined {
    fn is_alive(&self) -> bool {
        let now = Timespec { tv_sec: 0, tv_nsec: 0 };
        poll(&mut [PollFd::new(&self.process, PollFlags::IN)], Some(&now)).is_ok_and(|ended| ended == 0)
    }
}

impl Entrance {
    /// A process makes both namespaces, is looked at, and ends.
    fn new() -> Result<Self, SetupError> {
        let fail = |error: io::Error| SetupError::new("network", error);
        let (mut gate, mut open) = io::pipe().map_err(fail)?;
        let (mut up, mut tell) = io::pipe().map_err(fail)?;
        let (flags, none) = (libc::CLONE_NEWUSER | libc::CLONE_NEWNET | libc::SIGCHLD, 0usize);
        // SAFETY: without CLONE_VM this is a fork; supervisors and their server have one thread, so the child may do
        // anything. The unused arguments are zero, so their order does not matter.
        let pid = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
        if pid < 0 {
            return Err(SetupError::last("namespaces"));
        }
        if pid == 0 {
            drop((open, up));
            // The second read ends when the first process is gone or has seen enough.
            if gate.read_exact(&mut [0]).is_ok() && sys::loopback_up().is_ok() && tell.write_all(b"!").is_ok()
            {
                let _ = gate.read(&mut [0]);
            }
            // SAFETY: leaves without running anything of its parent's.
            unsafe { libc::_exit(0) }
        }
        drop((gate, tell));
        let found = identity::map(pid as i32).and_then(|()| {
            open.write_all(b"!").and_then(|()| up.read_exact(&mut [0])).map_err(fail)?;
            let of =
                |name: &str| File::open(format!("/proc/{pid}/ns/{name}")).map(OwnedFd::from).map_err(fail);
            Ok(Self { user: of("user")?, network: of("net")? })
        });
        drop(open);
        // SAFETY: as in `Network::inwards`.
        unsafe { libc::waitpid(pid as i32, std::ptr::null_mut(), 0) };
        found
    }

    fn try_clone(&self) -> io::Result<Self> {
        Ok(Self { user: self.user.try_clone()?, network: self.network.try_clone()? })
    }

    /// Takes this process in, for good. What it starts is in there as well.
    ///
    /// # Errors
    /// The system refused.
    pub(super) fn enter(&self) -> Result<(), SetupError> {
        for (fd, kind) in [(&self.user, libc::CLONE_NEWUSER), (&self.network, libc::CLONE_NEWNET)] {
            // SAFETY: a descriptor that is open and a plain number.
            if unsafe { libc::setns(fd.as_raw_fd(), kind) } != 0 {
                return Err(SetupError::last("network"));
            }
        }
        Ok(())
    }
}

/// Whether a server of this machine has this port of the loopback; also when that cannot be said.
fn is_listened_at(port: u16) -> bool {
    carrier::HERE.into_iter().any(|ip| {
        let family = if ip.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let Ok(socket) = socket_with(family, SocketType::STREAM, SocketFlags::CLOEXEC, None) else {
            return false;
        };
        // With this, what is left of closed connections is in nobody's way. Nothing listens here.
        let _ = sockopt::set_socket_reuseaddr(&socket, true);
        match bind(&socket, &SocketAddr::new(ip, port)) {
            Err(rustix::io::Errno::ADDRNOTAVAIL) | Ok(()) => false,
            Err(_) => true,
        }
    })
}
