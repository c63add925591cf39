//! Who is at the other end of a connection from this machine, and which ports are served. The kernel lists its
//! connections with their owners; whatever cannot be told (another network namespace, no `/proc`) counts as ours, because a browser must get through.

use std::net::{Ipv4Addr, SocketAddrV4};

use crate::base::fs::read_bounded;
use crate::base::tasks;

/// Where the kernel lists connections. A browser may use a socket of either kind.
const LISTS: [&str; 2] = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/// Longest list that is read, in bytes.
const MAX_BYTES: u64 = 8 << 20;
/// The state of a connection whose owner is known.
const ESTABLISHED: &str = "01";
/// The state of a socket that waits for connections.
const LISTENING: &str = "0A";
/// What the kernel says for a user that has no number here.
const UNKNOWN: u32 = 65534;

/// Whether the connection from `there` to `here` is certainly of another user. Root is nobody's enemy here: it relays
/// for browsers outside of virtual machines.
///
/// The kernel puts its lists together while they are read, which takes time on a machine of many connections.
pub(super) async fn is_foreign(there: SocketAddrV4, here: SocketAddrV4) -> bool {
    let me = rustix::process::geteuid().as_raw();
    let look = move || lists().any(|list| of_another(&list, there, here, me));
    tasks::blocking("look who connects", look).await.unwrap_or(true)
}

/// Whether something on this machine listens on the port. Blocks.
pub(crate) fn is_listened_to(port: u16) -> bool {
    lists().any(|list| {
        list.lines().skip(1).any(|line| {
            let mut fields = line.split_ascii_whitespace().skip(1);
            let local = fields.next().and_then(|local| local.rsplit_once(':'));
            let number = local.and_then(|(_, port)| u16::from_str_radix(port, 16).ok());
            number == Some(port) && fields.nth(1) == Some(LISTENING)
        })
    })
}

/// The lists, as texts.
fn lists() -> impl Iterator<Item = String> {
    let read = |path: &&str| read_bounded(path.as_ref(), MAX_BYTES).ok();
    LISTS.iter().filter_map(read).map(|list| String::from_utf8_lossy(&list).into_owned())
}

fn of_another(list: &str, there: SocketAddrV4, here: SocketAddrV4, me: u32) -> bool {
    list.lines().skip(1).any(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().take(8).collect();
        let [_, local, remote, state, _, _, _, user] = fields.as_slice() else { return false };
        if !is(local, there) || !is(remote, here) {
            return false;
        }
        match user.parse() {
            Ok(user) if user == me || user == UNKNOWN => false,
            // A socket that its owner let go is listed as root's.
            Ok(0) => *state != ESTABLISHED,
            _ => true,
        }
    })
}

/// Whether an entry of the list is this address.
fn is(entry: &str, address: SocketAddrV4) -> bool {
    let part = |ip: Ipv4Addr| format!("{:08X}", u32::from_ne_bytes(ip.octets()));
    let Some((ip, port)) = entry.split_once(':') else { return false };
    let mapped = ip.strip_prefix("0000000000000000FFFF0000").unwrap_or(ip);
    mapped == part(*address.ip()) && port == format!("{:04X}", address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners() {
        let (there, here) =
            (SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0x9C40), SocketAddrV4::new(Ipv4Addr::LOCALHOST, 0x05AF));
        let part = format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1]));
        let line = |local: &str, remote: &str, state: &str, user: &str| {
            format!(
                "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n   \
                 1: {local} {remote} {state} 00000000:00000000 00:00000000 00000000  {user}        0 1 1 0\n"
            )
        };
        let (from, to) = (format!("{part}:9C40"), format!("{part}:05AF"));
        for (local, remote, state, user, foreign) in [
            (&from, &to, "01", "1000", false),
            (&from, &to, "01", "1001", true),
            (&from, &to, "01", "0", false),
            (&from, &to, "01", "65534", false),
            (&from, &to, "06", "0", true),
            (&from, &to, "05", "1000", false),
            (&to, &from, "01", "1001", false),
            (&format!("{part}:9C41"), &to, "01", "1001", false),
            (
                &format!("0000000000000000FFFF0000{from}"),
                &format!("0000000000000000FFFF0000{to}"),
                "01",
                "7",
                true,
            ),
        ] {
            let list = line(local, remote, state, user);
            assert_eq!(of_another(&list, there, here, 1000), foreign, "{list}");
        }
        assert!(!of_another("", there, here, 1000) && !of_another("x\ny z\n", there, here, 1000));
    }

    #[tokio::test]
    async fn a_connection_of_our_own_is_found_and_ours() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let address = |address: std::net::SocketAddr| match address {
            std::net::SocketAddr::V4(address) => address,
            std::net::SocketAddr::V6(_) => panic!(),
        };
        let (there, here) = (address(client.local_addr().unwrap()), address(client.peer_addr().unwrap()));
        assert!(!is_foreign(there, here).await);
        assert!(is_listened_to(here.port()) && !is_listened_to(there.port()));
        let list = std::fs::read_to_string(LISTS[0]).unwrap();
        let other = rustix::process::geteuid().as_raw() + 1;
        let listed = list.lines().any(|line| line.contains(&format!(":{:04X}", there.port())));
        assert!(listed && (rustix::process::geteuid().is_root() || of_another(&list, there, here, other)));
    }
}
