//! What all ways out of a network namespace share: a small process that takes connections at listening sockets and
//! carries their bytes to where they lead. A pair of processes per connection keeps every copy a plain loop; nothing
//! that comes along is executed, and all of them die with the process that started them.
#![allow(unsafe_code)] // fork, close_range, signals

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg, sendmsg, socketpair,
};

use crate::process::supervise::SetupError;

/// Connections of one carrier at one time.
const MOST: usize = 128;
/// How long a connection may take to come about.
pub(super) const CONNECT: Duration = Duration::from_secs(20);

/// The two addresses of this machine for itself.
pub(super) const HERE: [IpAddr; 2] = [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)];

/// Starts a process that does `work` and nothing else, with these descriptors and no others. Gives its id.
///
/// # Errors
/// No process.
pub(super) fn start(keep: &[RawFd], work: impl FnOnce()) -> Result<libc::pid_t, SetupError> {
    let parent = std::process::id();
    // SAFETY: supervisors and their server have one thread, so the child may do anything.
    match unsafe { libc::fork() } {
        -1 => Err(SetupError::last("bridge")),
        0 => {
            if settle(keep, parent) {
                work();
            }
            // SAFETY: leaves without running anything of its parent's.
            unsafe { libc::_exit(0) }
        }
        pid => Ok(pid),
    }
}

/// Makes a fresh child independent of what its parent holds, but not of its life; false when that is over.
fn settle(keep: &[RawFd], parent: u32) -> bool {
    let mut keep: Vec<u32> = keep.iter().map(|fd| *fd as u32).collect();
    keep.sort_unstable();
    // SAFETY: settings of our own process; the descriptors closed are not used here, and a command's output must not
    // stay open because of us.
    unsafe {
        libc::prctl(libc::PR_SET_DUMPABLE, 0);
        libc::setpgid(0, 0);
        let mut from = 0;
        for kept in keep.into_iter().chain([u32::MAX]) {
            if kept > from {
                libc::syscall(libc::SYS_close_range, from, if kept == u32::MAX { kept } else { kept - 1 }, 0);
            }
            from = kept.saturating_add(1);
        }
        let mut none = MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
        libc::signal(libc::SIGCHLD, libc::SIG_DFL);
    }
    die_with(parent)
}

/// The other end of a connection.
pub(super) struct Carried {
    pub(super) stream: TcpStream,
    /// How much goes there; `None` when it does not matter.
    pub(super) most: Option<u64>,
}

impl From<TcpStream> for Carried {
    fn from(stream: TcpStream) -> Self {
        Self { stream, most: None }
    }
}

/// Takes connections until it is killed; each gets a process for `connection`, which gives the other end.
pub(super) fn carry(listeners: &[TcpListener], connection: &dyn Fn(&mut TcpStream) -> io::Result<Carried>) {
    let mut alive = 0;
    loop {
        let poll = |listener: &TcpListener| libc::pollfd {
            fd: listener.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut polls: Vec<libc::pollfd> = listeners.iter().map(poll).collect();
        // SAFETY: as many valid entries as said.
        unsafe { libc::poll(polls.as_mut_ptr(), polls.len() as libc::nfds_t, -1) };
        for (listener, poll) in listeners.iter().zip(&polls) {
            if poll.revents == 0 {
                continue;
            }
            // SAFETY: reaps children of ours without waiting; a null status is allowed.
            while alive > 0 && unsafe { libc::waitpid(-1, std::ptr::null_mut(), libc::WNOHANG) } > 0 {
                alive -= 1;
            }
            let Ok((mut stream, _)) = listener.accept() else { continue };
            if alive >= MOST {
                continue;
            }
            let parent = std::process::id();
            // SAFETY: one thread, so the child may do anything.
            match unsafe { libc::fork() } {
                -1 => {}
                0 => {
                    for listener in listeners {
                        // SAFETY: not used here any more; the port must be free when the carrier is gone.
                        unsafe { libc::close(listener.as_raw_fd()) };
                    }
                    if die_with(parent)
                        && let Ok(other) = connection(&mut stream)
                    {
                        copy_both(stream, other);
                    }
                    // SAFETY: as in `start`.
                    unsafe { libc::_exit(0) }
                }
                _ => alive += 1,
            }
        }
    }
}

/// Both directions at once, each until its end. Returns after both, in one of two processes: who counts connections
/// counts those that are closed on one side only as well.
fn copy_both(one: TcpStream, other: Carried) {
    let parent = std::process::id();
    // SAFETY: one thread, so the child may do anything.
    match unsafe { libc::fork() } {
        -1 => {}
        0 => {
            if die_with(parent) {
                copy(one, other.stream, other.most);
            }
        }
        child => {
            copy(other.stream, one, None);
            // SAFETY: waits for our child; a null status is allowed.
            unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, most: Option<u64>) {
    let _ = match most {
        None => io::copy(&mut from, &mut to),
        // More is taken and dropped: its end is still the end.
        Some(most) => {
            io::copy(&mut (&mut from).take(most), &mut to).and_then(|_| io::copy(&mut from, &mut io::sink()))
        }
    };
    let _ = to.flush();
    let _ = to.shutdown(Shutdown::Write);
    let _ = from.shutdown(Shutdown::Read);
}

/// What a fresh child has to ask for itself: to be killed when its parent ends. False when that is over.
fn die_with(parent: u32) -> bool {
    // SAFETY: a setting of our own process.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::getppid() as u32 == parent
    }
}

/// Connects to a port of this machine's loopback, where this process is.
pub(super) fn connect_here(port: u16) -> io::Result<TcpStream> {
    let [four, six] = HERE.map(|ip| SocketAddr::new(ip, port));
    TcpStream::connect_timeout(&four, CONNECT).or_else(|_| TcpStream::connect_timeout(&six, CONNECT))
}

/// Listens at a port of the loopback, where this process is; without the newer protocol at one address.
///
/// # Errors
/// The port is in use.
pub(super) fn listen_here(port: u16) -> io::Result<Vec<TcpListener>> {
    let [four, six] = HERE.map(|ip| TcpListener::bind(SocketAddr::new(ip, port)));
    match (four, six) {
        (Ok(four), Ok(six)) => Ok(vec![four, six]),
        (Ok(four), Err(error)) if error.kind() != io::ErrorKind::AddrInUse => Ok(vec![four]),
        (Err(error), _) | (_, Err(error)) => Err(error),
    }
}

/// A way to hand listening sockets from one process to another: the end that takes, and the end that gives.
///
/// # Errors
/// No descriptors.
pub(super) fn channel() -> Result<(OwnedFd, OwnedFd), SetupError> {
    socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).map_err(fail)
}

/// Gives them away, all at once.
///
/// # Errors
/// The taker is gone.
pub(super) fn hand_out(channel: &OwnedFd, listeners: &[TcpListener]) -> Result<(), SetupError> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HERE.len()))];
    let mut rights = SendAncillaryBuffer::new(&mut space);
    let fds: Vec<_> = listeners.iter().map(AsFd::as_fd).collect();
    rights.push(SendAncillaryMessage::ScmRights(&fds));
    sendmsg(channel, &[IoSlice::new(b"!")], &mut rights, SendFlags::NOSIGNAL).map(drop).map_err(fail)
}

/// Takes what is given; nothing when the giver is gone.
///
/// # Errors
/// As the system says.
pub(super) fn take_in(channel: &OwnedFd) -> io::Result<Vec<TcpListener>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(HERE.len()))];
    let mut rights = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0];
    recvmsg(channel, &mut [IoSliceMut::new(&mut byte)], &mut rights, RecvFlags::CMSG_CLOEXEC)?;
    let mut taken = Vec::new();
    for message in rights.drain() {
        if let RecvAncillaryMessage::ScmRights(fds) = message {
            taken.extend(fds.map(TcpListener::from));
        }
    }
    Ok(taken)
}

fn fail(error: rustix::io::Errno) -> SetupError {
    SetupError::new("bridge", error)
}
