//! Servers of the command's own, where no network namespace keeps others out: it may listen on the loopback and at
//! names it may make, and connect to what it listens on itself. Where there is such a namespace, names in the file
//! system still lead out of it, and connecting alone is asked about. Each call is made here on a copy of the socket, with
//! the address that was looked at; none of these calls is left to the kernel with an address of the command's.
#![allow(unsafe_code)] // copying a descriptor of another process

use std::collections::BTreeSet;
use std::ffi::CString;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{AtFlags, Mode, OFlags, StatxFlags, fcntl_getfl, fcntl_setfl, fstat, openat, statx};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, SocketAddrUnix, sockopt};

use super::caller::{Caller, entry, own, place};
use super::files::{Answer, masked};
use super::inhabitants;
use super::places::Places;

/// As long as an address can be.
const ADDRESS: usize = 128;
/// A connection to oneself needs no time; one that is not taken up holds everybody up.
const PATIENCE: Timespec = Timespec { tv_sec: 0, tv_nsec: 200_000_000 };
const MOST: usize = 1024;

/// Whom a command may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Itself.
    Own,
    /// Whoever is in its network, which is nobody else's.
    Inhabitants,
    /// Everybody, to show that the rule is missed.
    Anybody,
}

/// What one command listens on.
#[derive(Debug)]
pub(super) struct Servers {
    reach: Reach,
    /// Sockets of the loopback, by inode.
    listening: BTreeSet<u64>,
    /// Names, each held by a descriptor, so that its inode cannot become another's.
    named: Vec<OwnedFd>,
}

/// What a call on a socket is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Bind { at: u64, length: u64 },
    Listen(u64),
    Connect { at: u64, length: u64 },
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
        Call::Bind { at, length } | Call::Connect { at, length } => {
            let Some(address) = read(caller, at, length) else { return Answer::Failed(Errno::FAULT) };
            match (call, unix) {
                (Call::Bind { .. }, true) => servers.bind_name(caller, places, &socket, &address),
                (Call::Bind { .. }, false) => servers.bind(&socket, &address),
                (_, true) => servers.connect_name(caller, &socket, &address),
                (_, false) if servers.reach != Reach::Own => patiently(&socket, &address),
                (_, false) => servers.connect(&socket, &address),
            }
        }
    };
    result.into()
}

impl Servers {
    /// Nothing is listened on yet.
    pub(super) fn new(reach: Reach) -> Self {
        Self { reach, listening: BTreeSet::new(), named: Vec::new() }
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
        net::listen(socket, backlog)?;
        if self.listening.len() < MOST {
            self.listening.insert(fstat(socket)?.st_ino);
        }
        Ok(())
    }

    /// Everywhere means the loopback: nobody else is to be reached.
    fn bind(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let wanted = internet(address).ok_or(Errno::AFNOSUPPORT)?;
        match wanted.ip().to_canonical() {
            ip if ip.is_loopback() => net::bind(socket, &wanted),
            ip if ip.is_unspecified() => net::bind(socket, &loopback(socket, wanted)),
            _ => Err(Errno::PERM),
        }
    }

    fn connect(&self, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let wanted = internet(address).ok_or(Errno::AFNOSUPPORT)?;
        if !wanted.ip().to_canonical().is_loopback() {
            return Err(Errno::PERM);
        }
        let mut there = false;
        for table in ["/proc/self/net/tcp", "/proc/self/net/tcp6"] {
            for inode in listeners(&fs::read_to_string(table).unwrap_or_default(), wanted.port()) {
                there = true;
                if !self.listening.contains(&inode) {
                    return Err(Errno::PERM);
                }
            }
        }
        if !there {
            return Err(Errno::CONNREFUSED);
        }
        soon(socket, || net::connect(socket, &wanted))?;
        // Rules of the host's may lead a port of the loopback elsewhere.
        match arrived(socket, wanted.port()) {
            true => Ok(()),
            false => {
                let _ = net::shutdown(socket, net::Shutdown::Both);
                Err(Errno::PERM)
            }
        }
    }

    fn bind_name(
        &mut self,
        caller: Caller,
        places: &Places,
        socket: &OwnedFd,
        address: &[u8],
    ) -> Result<(), Errno> {
        let name = name(address).ok_or(Errno::PERM)?;
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

    fn connect_name(&self, caller: Caller, socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
        let Some(name) = name(address) else {
            // Without a name in the file system a socket is in one network only.
            return match self.reach {
                Reach::Own => Err(Errno::PERM),
                Reach::Inhabitants | Reach::Anybody => patiently(socket, address),
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
        match libc::syscall(libc::SYS_pidfd_getfd, process.as_raw_fd(), fd as i32, 0) {
            -1 => Err(Errno::BADF),
            copy => Ok(OwnedFd::from_raw_fd(copy as i32)),
        }
    }
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

/// An address of the internet, as the family says.
fn internet(bytes: &[u8]) -> Option<SocketAddr> {
    let word = |at: usize| Some([*bytes.get(at)?, *bytes.get(at + 1)?]);
    let port = u16::from_be_bytes(word(2)?);
    match i32::from(u16::from_ne_bytes(word(0)?)) {
        libc::AF_INET => {
            let octets: [u8; 4] = bytes.get(4..8)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv4Addr::from(octets).into(), port))
        }
        libc::AF_INET6 => {
            let octets: [u8; 16] = bytes.get(8..24)?.try_into().ok()?;
            Some(SocketAddr::new(Ipv6Addr::from(octets).into(), port))
        }
        _ => None,
    }
}

/// A name in the file system.
fn name(bytes: &[u8]) -> Option<CString> {
    let (family, path) = bytes.split_at_checked(2)?;
    let unix = i32::from(u16::from_ne_bytes(family.try_into().ok()?)) == libc::AF_UNIX;
    let path = path.split(|byte| *byte == 0).next().filter(|path| unix && !path.is_empty())?;
    CString::new(path).ok()
}

/// A socket of both protocols listens to the older one, which everybody has.
fn loopback(socket: &OwnedFd, at: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match at {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) if sockopt::ipv6_v6only(socket) == Ok(false) => {
            Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()
        }
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, at.port())
}

/// The inodes of what listens on a port, of a table of the kernel's.
fn listeners(table: &str, port: u16) -> Vec<u64> {
    const LISTEN: &str = "0A";
    let line = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (local, state) = (words.next()?, words.nth(1)?);
        let here = u16::from_str_radix(local.rsplit_once(':')?.1, 16).ok()? == port;
        (here && state == LISTEN).then(|| words.nth(5)?.parse().ok()).flatten()
    };
    table.lines().skip(1).filter_map(line).collect()
}

/// Whether the other end of a connection is a socket of this machine that has this port.
fn arrived(socket: &OwnedFd, port: u16) -> bool {
    let from = net::getsockname(socket).ok().and_then(|at| SocketAddr::try_from(at).ok());
    let Some(from) = from.map(|at| at.port()) else { return false };
    let port_of = |text: &str| u16::from_str_radix(text.rsplit_once(':')?.1, 16).ok();
    let is = |line: &str| {
        let mut words = line.split_whitespace().skip(1);
        let (local, remote) = (words.next().and_then(port_of), words.next().and_then(port_of));
        local == Some(port) && remote == Some(from)
    };
    ["/proc/self/net/tcp", "/proc/self/net/tcp6"]
        .into_iter()
        .any(|table| fs::read_to_string(table).unwrap_or_default().lines().skip(1).any(is))
}

/// Connects to an address as it was read, whatever its family.
fn connect(socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
    // SAFETY: so many bytes are there to read.
    match unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr().cast(), address.len() as u32) } {
        0 => Ok(()),
        _ => Err(Errno::from_io_error(&std::io::Error::last_os_error()).unwrap_or(Errno::IO)),
    }
}

/// The same for a caller that waits, without waiting for long; one that does not wait is not made to.
fn patiently(socket: &OwnedFd, address: &[u8]) -> Result<(), Errno> {
    match fcntl_getfl(socket)?.contains(OFlags::NONBLOCK) {
        true => connect(socket, address),
        false => soon(socket, || connect(socket, address)),
    }
}

/// Connects without waiting for long; the caller's socket is as it was afterwards.
fn soon(socket: &OwnedFd, connect: impl Fn() -> Result<(), Errno>) -> Result<(), Errno> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_are_found_by_port_and_nothing_else_is() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
            0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100\n\
            1: 0100007F:1F90 0100007F:C350 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 20\n\
            2: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 99 1 0 100\n";
        assert_eq!(listeners(table, 8080), [4711]);
        assert_eq!(listeners(table, 22), [99]);
        assert!(listeners(table, 23).is_empty() && listeners("", 1).is_empty());
    }

    #[test]
    fn addresses_are_read_and_odd_ones_are_not() {
        let v4 = [2, 0, 0x1f, 0x90, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
        assert_eq!(internet(&v4), Some("127.0.0.1:8080".parse().unwrap()));
        let mut v6 = [0; 28];
        (v6[0], v6[3], v6[23]) = (libc::AF_INET6 as u8, 80, 1);
        assert_eq!(internet(&v6), Some("[::1]:80".parse().unwrap()));
        for odd in [&[][..], &[2, 0, 0], &v4[..6], &[1, 0, b'x', 0], &v6[..20]] {
            assert_eq!(internet(odd), None, "{odd:?}");
        }
        assert_eq!(name(b"\x01\x00own.sock\0rest").unwrap().as_bytes(), b"own.sock");
        assert!(name(b"\x01\x00\0abstract").is_none() && name(b"\x01\x00").is_none() && name(&v4).is_none());
    }
}
