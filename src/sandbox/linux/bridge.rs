//! Chosen ways out of a network namespace: ports of the host's loopback, and a proxy that reaches listed hosts
//! only. Process 1 listens inside and hands the listening sockets out; a small process beside the supervisor
//! takes the connections there, where the host's network is. It carries bytes and decides about names; nothing
//! that the command sends is executed. One pair of processes per connection keeps every copy a plain loop; they
//! all die with the supervisor's other descendants.
#![allow(unsafe_code)] // fork, close_range and the environment before the command exists

use std::io::{self, IoSlice, IoSliceMut, Write};
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use super::proxy;
use super::record::Record;
use crate::process::supervise::SetupError;

/// Where programs inside find the proxy.
const PROXY_PORT: u16 = 9;
/// Connections at one time.
const MOST: usize = 128;
const CONNECT: Duration = Duration::from_secs(20);
/// Ports at most; more would be no list but an open network.
pub(super) const PORTS: usize = 32;

/// What is let out.
#[derive(Debug)]
pub(super) struct Bridge {
    ports: Vec<u16>,
    hosts: Vec<String>,
    outside: Option<OwnedFd>,
    inside: Option<OwnedFd>,
    record: Record,
}

impl Bridge {
    /// For these ports of the loopback and these hosts; `None` when there are none.
    ///
    /// # Errors
    /// No descriptors.
    pub(super) fn new(ports: &[u16], hosts: &[String]) -> Result<Option<Self>, SetupError> {
        if ports.is_empty() && hosts.is_empty() {
            return Ok(None);
        }
        let (outside, inside) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(fail)?;
        let ports = ports.iter().copied().take(PORTS).collect();
        let record = Record::new().map_err(|error| SetupError::new("bridge", error))?;
        Ok(Some(Self { ports, hosts: hosts.to_vec(), outside: Some(outside), inside: Some(inside), record }))
    }

    /// In the supervisor: starts the process that carries.
    ///
    /// # Errors
    /// No process.
    pub(super) fn start(&mut self) -> Result<(), SetupError> {
        let parent = std::process::id();
        // SAFETY: the supervisor has one thread, so the child may do anything.
        match unsafe { libc::fork() } {
            -1 => Err(SetupError::last("bridge")),
            0 => {
                if let Some(outside) = self.outside.take() {
                    let _ = self.carry(&outside, parent);
                }
                // SAFETY: leaves without running anything of the supervisor's.
                unsafe { libc::_exit(0) }
            }
            _ => {
                (self.outside, self.inside) = (None, None);
                Ok(())
            }
        }
    }

    /// What was reached, in the supervisor when all is over.
    pub(super) fn reached(&mut self) -> Option<String> {
        self.record.line()
    }

    /// In process 1: listens, and hands the sockets to the carrier.
    ///
    /// # Errors
    /// A port cannot be listened at.
    pub(super) fn listen(&mut self) -> Result<(), SetupError> {
        self.outside = None;
        let Some(socket) = self.inside.take() else { return Ok(()) };
        for (at, port) in self.ports.iter().enumerate() {
            for ip in [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()] {
                match TcpListener::bind(SocketAddr::new(ip, *port)) {
                    Ok(listener) => hand_out(&socket, at as u8, &listener)?,
                    // A machine without the newer protocol.
                    Err(_) if ip.is_ipv6() => {}
                    Err(error) => {
                        return Err(SetupError::new("bridge", format_args!("port {port}: {error}")));
                    }
                }
            }
        }
        if !self.hosts.is_empty() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, PROXY_PORT))
                .or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
            let listener = listener.map_err(|error| SetupError::new("bridge", error))?;
            let port = listener.local_addr().map_err(|error| SetupError::new("bridge", error))?.port();
            hand_out(&socket, u8::MAX, &listener)?;
            announce(port);
        }
        Ok(())
    }

    /// The carrier: takes the listening sockets, then connections, until it is killed.
    fn carry(&self, socket: &OwnedFd, parent: u32) -> io::Result<()> {
        let mut kept = [socket.as_raw_fd() as u32, self.record.writer() as u32];
        kept.sort_unstable();
        let [low, high] = kept;
        // SAFETY: settings of our own process; the descriptors closed are not used here, and the command's output
        // must not stay open because of us.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            libc::prctl(libc::PR_SET_DUMPABLE, 0);
            libc::setpgid(0, 0);
            libc::syscall(libc::SYS_close_range, high + 1, u32::MAX, 0);
            if high > low + 1 {
                libc::syscall(libc::SYS_close_range, low + 1, high - 1, 0);
            }
            if low > 0 {
                libc::syscall(libc::SYS_close_range, 0, low - 1, 0);
            }
            let mut none = MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(none.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
            if libc::getppid() as u32 != parent {
                return Ok(());
            }
        }
        let mut listeners = Vec::new();
        while let Some((at, listener)) = take_in(socket)? {
            listeners.push((at, listener));
        }
        let mut alive = 0;
        loop {
            let mut polls: Vec<libc::pollfd> = listeners
                .iter()
                .map(|(_, listener)| libc::pollfd {
                    fd: listener.as_raw_fd(),
                    events: libc::POLLIN,
                    revents: 0,
                })
                .collect();
            // SAFETY: as many valid entries as said.
            unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, -1) };
            for ((at, listener), poll) in listeners.iter().zip(&polls) {
                if poll.revents == 0 {
                    continue;
                }
                // SAFETY: reaps children of ours without waiting; a null status is allowed.
                while alive > 0 && unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {
                    alive -= 1;
                }
                let Ok((inside, _)) = listener.accept() else { continue };
                // SAFETY: one thread, so the child may do anything.
                if alive < MOST && unsafe { libc::fork() } == 0 {
                    self.connection(*at, inside);
                    // SAFETY: as in `start`.
                    unsafe { libc::_exit(0) }
                }
                alive += usize::from(alive < MOST);
            }
        }
    }

    fn connection(&self, at: u8, mut inside: TcpStream) {
        // SAFETY: a setting of our own process.
        unsafe { libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL) };
        let outside = match self.ports.get(usize::from(at)) {
            Some(port) => {
                self.record.note(true, "127.0.0.1", *port);
                TcpStream::connect_timeout(&SocketAddr::new(Ipv4Addr::LOCALHOST.into(), *port), CONNECT)
                    .or_else(|_| {
                        TcpStream::connect_timeout(
                            &SocketAddr::new(Ipv6Addr::LOCALHOST.into(), *port),
                            CONNECT,
                        )
                    })
            }
            None => proxy::open(&mut inside, &self.hosts, CONNECT, &self.record),
        };
        if let Ok(outside) = outside {
            copy_both(inside, outside);
        }
    }
}

/// Both directions at once, each until its end.
fn copy_both(inside: TcpStream, outside: TcpStream) {
    // SAFETY: one thread, so the child may do anything.
    let (mut from, mut to) = match unsafe { libc::fork() } {
        0 => (inside, outside),
        _ => (outside, inside),
    };
    let _ = io::copy(&mut from, &mut to);
    let _ = to.flush();
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

fn hand_out(socket: &OwnedFd, at: u8, listener: &TcpListener) -> Result<(), SetupError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    let fds = [listener.as_fd()];
    rights.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(socket, &[IoSlice::new(&[at])], &mut rights, SendFlags::NOSIGNAL).map(drop).map_err(fail)
}

fn take_in(socket: &OwnedFd) -> io::Result<Option<(u8, TcpListener)>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let mut at = [0];
    let read = recvmsg(socket, &mut [IoSliceMut::new(&mut at)], &mut rights, RecvFlags::CMSG_CLOEXEC)?;
    let mut fds = rights.drain().filter_map(|message| match message {
        RecvAncillaryMessage::ScmRights(fds) => Some(fds),
        _ => None,
    });
    let fd = fds.next().and_then(|mut fds| fds.next());
    Ok(fd.filter(|_| read.bytes == 1).map(|fd| (at[0], TcpListener::from(fd))))
}

/// Tells programs where the proxy is, the way they ask.
fn announce(port: u16) {
    let address = format!("http://127.0.0.1:{port}");
    for name in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        // SAFETY: process 1 has one thread; the command inherits its environment.
        unsafe { std::env::set_var(name, &address) };
    }
    for name in ["no_proxy", "NO_PROXY"] {
        // SAFETY: as above.
        unsafe { std::env::set_var(name, "localhost,127.0.0.1,::1") };
    }
}

fn fail(error: rustix::io::Errno) -> SetupError {
    SetupError::new("bridge", error)
}
