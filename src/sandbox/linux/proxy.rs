//! The proxy of the allow-list, one connection: reads the head of a request, decides by the name in it, and
//! connects. `CONNECT` for everything encrypted, whole addresses for plain HTTP. A name on the list that leads to
//! this machine or its link is refused: the list is about the world, loopback ports have a list of their own.

use std::io::{self, ErrorKind, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use super::carrier::Carried;
use super::record::Record;
use super::request::{Plain, Wanted, parse, read_head};
use super::upstream::{Server, Unreached, Upstream};
use crate::protocol::network::Outcome;

const PATIENCE: Duration = Duration::from_secs(30);
const NOT_REACHED: &str = "the host was not reached";
const NO_NAME: &str = "the name of the host could not be looked up";

/// What one may reach, and how.
pub(super) struct Rules<'a> {
    /// `host`, `host:port`, `*.host`, `*.host:port`.
    pub(super) hosts: &'a [String],
    /// The proxy of the user's network.
    pub(super) upstream: &'a Upstream,
    /// How long a connection may take to come about.
    pub(super) patience: Duration,
}

/// A connection to where a request leads.
struct Way {
    stream: TcpStream,
    /// What goes out first.
    head: String,
    /// What has come back already.
    early: Vec<u8>,
}

/// Reads what is wanted and connects to it; the answer to a refused one has been written.
///
/// # Errors
/// Refused, not understood, or not reached.
pub(super) fn open(inside: &mut TcpStream, rules: &Rules<'_>, record: &Record) -> io::Result<Carried> {
    let (head, rest) = read_head(inside, Instant::now() + PATIENCE)?;
    let Some(wanted) = parse(&head) else {
        return refuse(
            inside,
            "400 Bad Request",
            "the proxy of the sandbox does not understand this request",
        );
    };
    if !is_allowed(rules.hosts, &wanted.host, wanted.port) {
        record.note(Outcome::Refused, &wanted.host, wanted.port);
        let text = format!(
            "the sandbox does not allow {}:{}; `sandbox_workspace_write.network_allow` lists what it allows",
            wanted.host, wanted.port
        );
        return refuse(inside, "403 Forbidden", &text);
    }
    let reached = reach(&wanted, rules);
    let outcome = match &reached {
        Ok(_) => Outcome::Reached,
        Err(Unreached(why)) if why == NO_NAME => Outcome::Unknown,
        Err(_) => Outcome::Refused,
    };
    record.note(outcome, &wanted.host, wanted.port);
    let Way { stream: mut outside, head, early } = match reached {
        Ok(way) => way,
        Err(Unreached(why)) => return refuse(inside, "502 Bad Gateway", &why),
    };
    inside.set_read_timeout(None)?;
    if wanted.plain.is_none() {
        inside.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        inside.write_all(&early)?;
    }
    // After one request nothing more goes out: the next could name another host.
    let mut most = wanted.plain.and_then(|plain| plain.body);
    let now = most.map_or(rest.len(), |most| rest.len().min(usize::try_from(most).unwrap_or(usize::MAX)));
    outside.write_all(head.as_bytes())?;
    outside.write_all(rest.get(..now).unwrap_or_default())?;
    most = most.map(|most| most - now as u64);
    Ok(Carried { stream: outside, most })
}

/// Directly, or by the proxy of the user's network.
fn reach(wanted: &Wanted, rules: &Rules<'_>) -> Result<Way, Unreached> {
    let Wanted { host, port, plain } = wanted;
    let Some(server) = rules.upstream.to(host, *port, plain.is_none()) else {
        let near = rules.upstream.is_near(host, *port);
        let connected = connect(wanted, near, rules.patience);
        let stream = connected.map_err(|why| Unreached(why.to_owned()))?;
        let head = plain.as_ref().map(Plain::to_server).unwrap_or_default();
        return Ok(Way { stream, head, early: Vec::new() });
    };
    let mut stream = server.connect(rules.patience)?;
    if leads_here(wanted, &stream) {
        return Err(Unreached(NOT_REACHED.to_owned()));
    }
    match plain.as_ref().filter(|_| server.forwards()) {
        Some(plain) => forward(plain, stream, server),
        None => {
            let early = server.tunnel(&mut stream, host, *port)?;
            let head = plain.as_ref().map(Plain::to_server).unwrap_or_default();
            Ok(Way { stream, head, early })
        }
    }
}

/// A second request, hidden in a body whose end only its content tells, would be one to the other proxy.
fn forward(plain: &Plain, stream: TcpStream, server: &Server) -> Result<Way, Unreached> {
    if plain.body.is_none() {
        let why =
            "through the proxy of this network only requests that say their length are sent in plain text";
        return Err(Unreached(why.to_owned()));
    }
    Ok(Way { stream, head: plain.to_proxy(&server.credentials()), early: Vec::new() })
}

/// Whether a name would lead to this machine or its link by a proxy that is on this machine itself. Where another
/// machine leads is a matter of its own.
fn leads_here(wanted: &Wanted, proxy: &TcpStream) -> bool {
    let host = wanted.host.as_str();
    if host == "localhost" || host.ends_with(".localhost") {
        return true;
    }
    if let Ok(ip) = host.parse() {
        return !may_connect(wanted, ip, false);
    }
    let (Ok(there), Ok(here)) = (proxy.peer_addr(), proxy.local_addr()) else { return true };
    let ours = there.ip() == here.ip() || there.ip().to_canonical().is_loopback();
    // What is not known here is looked up there.
    ours && (host, wanted.port)
        .to_socket_addrs()
        .is_ok_and(|mut found| found.any(|at| !may_connect(wanted, at.ip(), true)))
}

fn connect(wanted: &Wanted, near: bool, patience: Duration) -> Result<TcpStream, &'static str> {
    let found = (wanted.host.as_str(), wanted.port).to_socket_addrs().map_err(|_| NO_NAME)?;
    let mut near_enough = found.filter(|address| may_connect(wanted, address.ip(), near));
    near_enough.find_map(|address| TcpStream::connect_timeout(&address, patience).ok()).ok_or(NOT_REACHED)
}

/// This machine, its link, where services of cloud providers give out credentials, and networks that are not the
/// world's: a name of the world that leads there does so on purpose.
fn is_near(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            let shared = a == 100 && (64..128).contains(&b);
            let odd = a == 0
                || a >= 224
                || (a == 198 && (18..20).contains(&b))
                || (a == 192 && ip.octets()[1..3] == [0, 0]);
            ip.is_loopback() || ip.is_link_local() || ip.is_private() || shared || odd
        }
        IpAddr::V6(ip) => {
            let head = ip.segments();
            // Addresses of the older protocol in other clothes: translated (64:ff9b::/96), 6to4, Teredo.
            let wrapped =
                head[0] == 0x2002 || (head[0] == 0x64 && head[1] == 0xff9b) || head[..2] == [0x2001, 0];
            let compatible = head[..6] == [0; 6];
            // The older form of addresses for one site.
            let site = head[0] & 0xffc0 == 0xfec0;
            site || ip.is_unicast_link_local()
                || ip.is_unique_local()
                || ip.is_multicast()
                || wrapped
                || compatible
        }
    }
}

/// Networks of houses and companies, but for addresses in there that belong to providers of clouds.
fn is_private(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local() && ip.segments()[..2] != [0xfd00, 0xec2],
    }
}

/// Whether an address may be connected to: one that stands in the list as such, one of the world, or a private one of
/// a host that the user calls `near`.
fn may_connect(wanted: &Wanted, ip: IpAddr, near: bool) -> bool {
    let written = wanted.host.parse::<IpAddr>().is_ok();
    let here = matches!(ip.to_canonical(), ip if ip.is_loopback() || ip.is_unspecified());
    !here && (written || !is_near(ip) || (near && is_private(ip)))
}

fn refuse<T>(inside: &mut TcpStream, status: &str, text: &str) -> io::Result<T> {
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
        text.len() + 1
    );
    inside.write_all(answer.as_bytes())?;
    Err(io::Error::from(ErrorKind::PermissionDenied))
}

/// `host`, `host:port`, `*.host`, `*.host:port`; without a port the two of the web.
fn is_allowed(list: &[String], host: &str, port: u16) -> bool {
    list.iter().any(|entry| {
        let entry = entry.to_ascii_lowercase();
        let (name, ports) = match entry.rsplit_once(':').map(|(name, port)| (name, port.parse::<u16>())) {
            Some((name, Ok(port))) => (name.to_owned(), vec![port]),
            _ => (entry.clone(), vec![80, 443]),
        };
        let fits = match name.strip_prefix("*.") {
            Some(end) => host.strip_suffix(end).is_some_and(|start| start.ends_with('.') && start.len() > 1),
            None => host == name.trim_start_matches('[').trim_end_matches(']'),
        };
        fits && ports.contains(&port)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_by_name_and_port() {
        let list = ["a.example".to_owned(), "*.b.example:8443".to_owned()];
        for (host, port, want) in [
            ("a.example", 443, true),
            ("a.example", 80, true),
            ("a.example", 22, false),
            ("x.a.example", 443, false),
            ("x.b.example", 8443, true),
            ("b.example", 8443, false),
            ("evilb.example", 8443, false),
            ("x.b.example", 443, false),
        ] {
            assert_eq!(is_allowed(&list, host, port), want, "{host}:{port}");
        }
    }

    #[test]
    fn a_name_that_nobody_knows_is_told_apart_from_a_host_that_is_not_reached() {
        let wanted = |host: &str| Wanted { host: host.to_owned(), port: 9, plain: None };
        let why = |host: &str| connect(&wanted(host), false, Duration::from_millis(10)).err();
        // Too long for any name: nobody is asked.
        assert_eq!(why(&format!("{}.example", "x".repeat(70))), Some(NO_NAME));
        assert_eq!(why("127.0.0.1"), Some(NOT_REACHED));
    }

    #[test]
    fn names_lead_to_the_world_only_and_addresses_where_they_are_listed() {
        for (ip, near) in [
            ("127.0.0.1", true),
            ("169.254.169.254", true),
            ("::ffff:127.0.0.1", true),
            ("10.1.2.3", true),
            ("172.20.0.1", true),
            ("192.168.1.1", true),
            ("100.100.100.200", true),
            ("0.0.0.0", true),
            ("224.0.0.1", true),
            ("::1", true),
            ("fd00:ec2::254", true),
            ("fe80::1", true),
            ("fec0::1", true),
            ("::127.0.0.1", true),
            ("64:ff9b::a9fe:a9fe", true),
            ("2002:7f00:1::", true),
            ("1.1.1.1", false),
            ("2606:4700::1111", false),
        ] {
            assert_eq!(is_near(ip.parse().unwrap()), near, "{ip}");
        }
        let wanted = |host: &str| Wanted { host: host.to_owned(), port: 80, plain: None };
        let may = |host: &str, ip: &str| may_connect(&wanted(host), ip.parse().unwrap(), false);
        assert!(may("10.0.0.5", "10.0.0.5") && !may("127.0.0.1", "127.0.0.1"));
        assert!(!may("evil.example", "10.0.0.5") && may("good.example", "1.1.1.1"));
        let near = |ip: &str| may_connect(&wanted("git.corp"), ip.parse().unwrap(), true);
        assert!(near("10.0.0.5") && near("fd12::1"));
        for ip in ["127.0.0.1", "169.254.169.254", "100.100.100.200", "fd00:ec2::254", "fe80::1", "0.0.0.0"] {
            assert!(!near(ip), "{ip}");
        }
    }
}
