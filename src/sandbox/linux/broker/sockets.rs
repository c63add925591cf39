//! Servers of the command's own, where no network namespace keeps others out: it may listen on the loopback and at
//! names it may make, and connect to what commands of its thread listen on, to the ports that are listed, and to its
//! proxy. Where there is such a namespace, names in the file system still lead out of it, and connecting alone is asked
//! about. Each call is made here on a copy of the socket, with the address that was looked at; none of these calls is
//! left to the kernel with an address of the command's.
#![allow(unsafe_code)] // copying a descriptor of another process

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process;

use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, fstat, openat, statx};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, SocketType, sockopt};

use super::super::carrier::HERE;
use super::super::listening::Listening;
use super::super::passage::Passage;
use super::super::record::Record;
use super::address::{abstract_name, aim, arrived, at_port, inodes_of, internet, loopback, name};
use super::approach::{bind, patiently, soon};
use super::caller::{Caller, entry, own, place};
use super::files::{Answer, masked};
use super::inhabitants;
use super::places::Places;
use crate::protocol::network::Outcome;

/// As long as an address can be.
const ADDRESS: usize = 128;
const MOST: usize = 1024;

/// Whom a command may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Itself.
    Own,
    /// Whoever is in its network, which is nobody else's.
    Inhabitants,
    /// Everybody: the network is open, or it is to be shown that the rule is missed.
    Anybody,
}

/// The chosen ways of a command whose connections are made here.
#[derive(Debug)]
pub(crate) struct Ways {
    /// Ports of the loopback that lead to whoever is there.
    pub(crate) ports: Vec<u16>,
    /// The proxy of hosts by name.
    pub(crate) proxy: Option<Passage>,
    /// What the commands of the thread listen on.
    pub(crate) listening: Listening,
    /// What was reached, and refused.
    pub(crate) record: Record,
}

/// What one command listens on, and whom else it reaches.
#[derive(Debug)]
pub(super) struct Servers {
    reach: Reach,
    ways: Option<Ways>,
    /// Names, each held by a descriptor, so that its inode cannot become another's.
    named: Vec<OwnedFd>,
    /// Sockets of its own that have an abstract name, by inode.
    nameless: BTreeSet<u64>,
}

/// What a call on a socket is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Bind {
        at: u64,
        length: u64,
    },
    Listen(u64),
    /// Whether its port may be others' too.
    Share {
        at: u64,
        length: u64,
    },
    Connect {
        at: u64,
        length: u64,
    },
}

/// Makes the call where the command may.
pub(super) fn call(caller: Caller, servers: &mut Servers, places: &Places, fd: u64, call: Call) -> Answer {
    let socket = match copy(caller, fd) {
        Ok(socket) => socket,
        Err(error) => return Answer::Failed(error),
    };
    let Ok(domain) = sockopt::socket_domain(&socket) else { return Answer::Failed(Errno::NOTSOCK) };
    let unix = domain == AddressFamily::UNIX;
    let result = match call {
        Call::Listen(backlog) => servers.listen(&socket, unix, backlog as i32),
        Call::Share { at, length } => share(caller, &socket, at, length),
        Call::Bind { at, length } | Call::Connect { at, length } => {
            let Some(address) = read(caller, at, length) else { return Answer::Failed(Errno::FAULT) };
            match (call, unix) {
                (Call::Bind { .. }, true) => servers.bind_name(caller, places, &socket, &address),
                (Call::Bind { .. }, false) if servers.reach != Reach::Own => bind(&socket, &address),
                (Call::Bind { .. }, false) => servers.bind(&socket, &address),
                (_, true) => servers.connect_name(caller, &socket, &address),
                (_, false) if servers.reach != Reach::Own => servers.connect_freely(&socket, &address),
                (_, false) => servers.connect(&socket, &address),
            }
        }
    };
    result.into()
}

impl Servers {
    /// Nothing is listened on yet.
    pub(super) fn new(reach: Reach, ways: Option<Ways>) -> Self {
        Self { reach, ways, named: Vec::new(), nameless: BTreeSet::new() }
    }

    fn listen(&mut self, socket: &OwnedFd, unix: bool, backlog: i32) -> Result<(), Errno> {
        if unix {
            return net::listen(socket, backlog);
        }
        let at = SocketAddr::try_from(net::getsockname(socket)?).map_err(|_| Errno::PERM)?;
        match at.ip().to_canonical() {
            ip if ip.is_loopback() => {}
            ip if ip.is_unspecified() && at.port() == 0 => net::bind(socket, &loopback(socket, at))?,
            _ => return Err(Errno::PERM),
        }
        self.share_port(socket, at.port())?;
        net::listen(socket, backlog)?;
        let at = SocketAddr::try_from(net::getsockname(socket)?).map_err(|_| Errno::PERM)?;
        if let Some(ways) = &self.ways {
            ways.listening.add(fstat(socket)?.st_ino, at.port());
        }
        // Somebody may have come in between.
        let alone = self.share_port(socket, at.port());
        if alone.is_err() {
            let _ = net::shutdown(socket, net::Shutdown::Both);
        }
        alone
    }

    /// Everywhere means the loopback: nobody else is to be reached.
    fn bind(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let wanted = internet(address).ok_or(Errno::AFNOSUPPORT)?;
        self.share_port(socket, wanted.port())?;
        match wanted.ip().to_canonical() {
            ip if ip.is_loopback() => net::bind(socket, &wanted),
            ip if ip.is_unspecified() => net::bind(socket, &loopback(socket, wanted)),
            _ => Err(Errno::PERM),
        }
    }

    /// A port that sockets share is shared among those of the thread only: others would lose connections to it.
    fn share_port(&self, socket: &OwnedFd, port: u16) -> Result<(), Errno> {
        let shared = port != 0 && sockopt::socket_reuseport(socket) != Ok(false);
        match shared && !at_port(port).is_some_and(|found| self.are_ours(port, &found)) {
            true => Err(Errno::ADDRINUSE),
            false => Ok(()),
        }
    }

    /// Whether all that listens at a port is of the thread's own.
    fn are_ours(&self, port: u16, found: &[u64]) -> bool {
        let Some(ways) = &self.ways else { return false };
        ways.listening.only(port, found);
        found.iter().all(|inode| ways.listening.has(*inode, port))
    }

    /// The errors are those of a network in which there is nobody else.
    fn connect(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let wanted = aim(internet(address).ok_or(Errno::AFNOSUPPORT)?);
        let ip = wanted.ip().to_canonical();
        if !ip.is_loopback() {
            self.note(Outcome::Refused, socket, wanted);
            return Err(Errno::NETUNREACH);
        }
        let Some(ways) = &self.ways else { return Err(Errno::CONNREFUSED) };
        if let Some(proxy) = ways.proxy.as_ref().filter(|proxy| proxy.is_at(ip, wanted.port())) {
            soon(socket, || net::connect(socket, &wanted))?;
            return proxy.enter(socket);
        }
        if HERE.contains(&ip) && ways.ports.contains(&wanted.port()) {
            let connected = patiently(socket, || net::connect(socket, &wanted));
            if matches!(connected, Ok(()) | Err(Errno::INPROGRESS)) {
                self.note(Outcome::Reached, socket, SocketAddr::new(ip, wanted.port()));
            }
            return connected;
        }
        let found = at_port(wanted.port()).unwrap_or_default();
        if found.is_empty() || !self.are_ours(wanted.port(), &found) {
            return Err(Errno::CONNREFUSED);
        }
        soon(socket, || net::connect(socket, &wanted))?;
        // Rules of the host's may lead a port of the loopback elsewhere.
        match arrived(socket, wanted.port()) {
            true => Ok(()),
            false => {
                let _ = net::shutdown(socket, net::Shutdown::Both);
                Err(Errno::CONNREFUSED)
            }
        }
    }

    /// Makes the connection as it is meant, in a network that is nobody else's.
    fn connect_freely(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let connected = patiently(socket, || super::approach::connect(socket, address));
        if connected == Err(Errno::NETUNREACH)
            && let Some(wanted) = internet(address)
        {
            self.note(Outcome::Refused, socket, wanted);
        }
        connected
    }

    /// Connections only: looking a name up, and choosing among its addresses, connects datagram sockets all the time.
    fn note(&self, outcome: Outcome, socket: &OwnedFd, at: SocketAddr) {
        if let Some(ways) = &self.ways
            && sockopt::socket_type(socket) == Ok(SocketType::STREAM)
        {
            ways.record.note(outcome, &at.ip().to_canonical().to_string(), at.port());
        }
    }

    fn bind_name(
        &mut self,
        caller: Caller,
        places: &Places,
        socket: &OwnedFd,
        address: &[u8],
    ) -> Result<(), Errno> {
        let Some(name) = name(address) else {
            return match self.reach {
                Reach::Own => self.bind_nameless(socket, address),
                Reach::Inhabitants | Reach::Anybody => bind(socket, address),
            };
        };
        let base = caller.base(libc::AT_FDCWD as u64).ok_or(Errno::NOENT)?;
        let entry = entry(base, &name, false).ok_or(Errno::ACCESS)?;
        if !places.may_write(&entry.path) {
            return Err(Errno::ACCESS);
        }
        let address = SocketAddrUnix::new(entry.name.as_c_str())?;
        let before = now();
        // By its last part, from its folder: what lies before has been looked at.
        rustix::process::fchdir(&entry.folder)?;
        let bound = masked(caller, || net::bind(socket, &address));
        let _ = rustix::process::chdir("/");
        bound?;
        if self.reach != Reach::Own {
            return Ok(());
        }
        let held = openat(
            &entry.folder,
            &entry.name,
            OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        self.named.retain(|held| fstat(held).is_ok_and(|stat| stat.st_nlink > 0));
        // A socket of somebody else's that was moved there meanwhile is older.
        let made = statx(&held, c"", AtFlags::EMPTY_PATH, StatxFlags::BTIME | StatxFlags::TYPE)?;
        let known = made.stx_mask & StatxFlags::BTIME.bits() != 0;
        let born = (made.stx_btime.tv_sec, i64::from(made.stx_btime.tv_nsec));
        let kind = rustix::fs::FileType::from_raw_mode(made.stx_mode.into());
        let fresh = known && born >= before && kind == rustix::fs::FileType::Socket;
        if fresh && self.named.len() < MOST {
            self.named.push(held);
        }
        Ok(())
    }

    /// Names outside of the file system are for everybody of this machine to take, so those that look like a service's
    /// are left to services.
    fn bind_nameless(&mut self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        if abstract_name(address).is_none_or(|name| name.starts_with(b"/")) {
            return Err(Errno::PERM);
        }
        bind(socket, address)?;
        if self.nameless.len() < MOST {
            self.nameless.insert(fstat(socket)?.st_ino);
        }
        Ok(())
    }

    /// The name may be another's a moment later; whose end a connection has come to is known when it stands: listening,
    /// too, is done here for the command.
    fn connect_nameless(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let name = abstract_name(address).ok_or(Errno::PERM)?;
        let table = fs::read("/proc/self/net/unix").unwrap_or_default();
        if !inodes_of(&table, name).any(|inode| self.nameless.contains(&inode)) {
            return Err(Errno::CONNREFUSED);
        }
        soon(socket, || super::approach::connect(socket, address))?;
        let ours = |peer: net::UCred| peer.pid.as_raw_nonzero().get() as u32 == process::id();
        if sockopt::socket_peercred(socket).is_ok_and(ours) {
            return Ok(());
        }
        let _ = net::shutdown(socket, net::Shutdown::Both);
        Err(Errno::CONNREFUSED)
    }

    fn connect_name(&self, caller: Caller, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let Some(name) = name(address) else {
            // Without a name in the file system a socket is in one network only.
            return match self.reach {
                Reach::Own => self.connect_nameless(socket, address),
                Reach::Inhabitants | Reach::Anybody => self.connect_freely(socket, address),
            };
        };
        let base = caller.base(libc::AT_FDCWD as u64).ok_or(Errno::NOENT)?;
        let (file, _) = place(base, &name, true)?;
        let is = |one: &OwnedFd| fstat(one).map(|stat| (stat.st_dev, stat.st_ino)).ok();
        let may = match self.reach {
            Reach::Own => self.named.iter().any(|held| is(held).is_some() && is(held) == is(&file)),
            Reach::Inhabitants => inhabitants::has(&file)?,
            Reach::Anybody => true,
        };
        if !may {
            return Err(Errno::PERM);
        }
        let address = SocketAddrUnix::new(own(&file))?;
        soon(socket, || net::connect(socket, &address))
    }
}

/// A copy of one of its descriptors.
fn copy(caller: Caller, fd: u64) -> Result<OwnedFd, Errno> {
    let group = caller.group().ok_or(Errno::SRCH)?;
    // SAFETY: plain numbers; the descriptors that come back are nobody else's.
    unsafe {
        let process = libc::syscall(libc::SYS_pidfd_open, group, 0);
        if process < 0 {
            return Err(Errno::PERM);
        }
        let process = OwnedFd::from_raw_fd(process as i32);
        // From here on it is the process that is meant, or none.
        if !caller.waits() {
            return Err(Errno::SRCH);
        }
        match libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd as i32, 0) {
            -1 => Err(Errno::BADF),
            copy => Ok(OwnedFd::from_raw_fd(copy as i32)),
        }
    }
}

fn share(caller: Caller, socket: &OwnedFd, at: u64, length: u64) -> Result<(), Errno> {
    if length < 4 {
        return Err(Errno::INVAL);
    }
    let value: [u8; 4] = caller.bytes(at).ok_or(Errno::FAULT)?;
    sockopt::set_socket_reuseport(socket, i32::from_ne_bytes(value) != 0)
}

/// The time as file systems take it, no later than now.
fn now() -> (i64, i64) {
    let mut now = libc::timespec { tv_sec: i64::MAX, tv_nsec: 0 };
    // SAFETY: a valid place for the answer; without one nothing counts as made since.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME_COARSE, &raw mut now) };
    (now.tv_sec, now.tv_nsec)
}

fn read(caller: Caller, at: u64, length: u64) -> Option<Vec<u8>> {
    let length = usize::try_from(length).ok().filter(|length| (2..=ADDRESS).contains(length))?;
    caller.exactly(at, length)
}
