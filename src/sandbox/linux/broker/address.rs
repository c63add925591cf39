//! Addresses of sockets as a command writes them, and what the kernel's tables say is there.

use std::ffi::CString;
use std::fs;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{self, sockopt};

/// An address of the internet, as the family says.
pub(super) fn internet(bytes: &[u8]) -> Option<SocketAddr> {
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
pub(super) fn name(bytes: &[u8]) -> Option<CString> {
    let (family, path) = bytes.split_at_checked(2)?;
    let unix = i32::from(u16::from_ne_bytes(family.try_into().ok()?)) == libc::AF_UNIX;
    let path = path.split(|byte| *byte == 0).next().filter(|path| unix && !path.is_empty())?;
    CString::new(path).ok()
}

/// A name that is in no file system, as it is written; empty where the kernel is to choose one.
pub(super) fn abstract_name(bytes: &[u8]) -> Option<&[u8]> {
    let (family, name) = bytes.split_at_checked(2)?;
    let unix = i32::from(u16::from_ne_bytes(family.try_into().ok()?)) == libc::AF_UNIX;
    match name.split_first() {
        _ if !unix => None,
        None => Some(name),
        Some((0, name)) => Some(name),
        Some(_) => None,
    }
}

/// The inodes of the sockets with an abstract name, of the table of Unix sockets. Different names can look alike in
/// there.
pub(super) fn inodes_of<'a>(table: &'a [u8], name: &[u8]) -> impl Iterator<Item = u64> + use<'a> {
    let shown: Vec<u8> =
        [b'@'].iter().chain(name).map(|byte| if *byte == 0 { b'@' } else { *byte }).collect();
    table.split(|byte| *byte == b'\n').skip(1).filter_map(move |line| {
        let (mut rest, mut word) = (line, &b""[..]);
        for _ in 0..7 {
            let start = rest.iter().position(|byte| *byte != b' ')?;
            rest = rest.get(start..)?;
            (word, rest) = rest.split_at_checked(rest.iter().position(|byte| *byte == b' ')?)?;
        }
        (rest.get(1..)? == shown).then(|| std::str::from_utf8(word).ok()?.parse().ok()).flatten()
    })
}

/// Nowhere in particular means this machine.
pub(super) fn aim(at: SocketAddr) -> SocketAddr {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, at.port())
}

/// A socket of both protocols listens to the older one, which everybody has.
pub(super) fn loopback(socket: &OwnedFd, at: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match at {
        SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        SocketAddr::V6(_) if sockopt::ipv6_v6only(socket) == Ok(false) => {
            Ipv4Addr::LOCALHOST.to_ipv6_mapped().into()
        }
        SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, at.port())
}

/// The inodes of what listens on a port of this machine; `None` when that cannot be known.
pub(super) fn at_port(port: u16) -> Option<Vec<u64>> {
    let mut found = listeners(&fs::read_to_string("/proc/self/net/tcp").ok()?, port);
    match fs::read_to_string("/proc/self/net/tcp6") {
        Ok(table) => found.extend(listeners(&table, port)),
        // Without that protocol there is no such table.
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(_) => return None,
    }
    Some(found)
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
pub(super) fn arrived(socket: &OwnedFd, port: u16) -> bool {
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
    fn abstract_names_are_found_as_the_table_shows_them() {
        let table = b"Num       RefCount Protocol Flags    Type St Inode Path\n\
            0000000000000000: 00000002 00000000 00010000 0001 01   158 @own\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16158 @own name\n\
            0000000000000000: 00000002 00000000 00010000 0001 01 16159 own\n\
            0000000000000000: 00000003 00000000 00000000 0001 03 22222\n";
        let found = |name: &[u8]| inodes_of(table, name).collect::<Vec<_>>();
        assert_eq!((found(b"own"), found(b"own name")), (vec![158], vec![16158]));
        assert!(found(b"").is_empty() && found(b"other").is_empty());
        assert_eq!(abstract_name(b"\x01\x00\0a\0b"), Some(&b"a\0b"[..]));
        assert_eq!(abstract_name(b"\x01\x00"), Some(&b""[..]));
        assert!(abstract_name(b"\x01\x00own").is_none() && abstract_name(b"\x02\x00\0a").is_none());
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
