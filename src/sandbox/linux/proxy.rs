//! The proxy of the allow-list, one connection: reads the head of a request, decides by the name in it, and
//! connects. `CONNECT` for everything encrypted, whole addresses for plain HTTP. A name on the list that leads to
//! this machine or its link is refused: the list is about the world, loopback ports have a list of their own.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

use super::record::Record;
use crate::protocol::network::Outcome;

/// A head longer than this is nobody's.
const HEAD_BYTES: usize = 32 * 1024;
const PATIENCE: Duration = Duration::from_secs(30);

/// What a request wants.
#[derive(Debug, PartialEq, Eq)]
struct Wanted {
    host: String,
    port: u16,
    /// What to send on first; `None` for `CONNECT`.
    head: Option<String>,
}

/// Reads what is wanted and connects to it; the answer to a refused one has been written.
///
/// # Errors
/// Refused, not understood, or not reached.
pub(super) fn open(
    inside: &mut TcpStream,
    allowed: &[String],
    patience: Duration,
    record: &Record,
) -> io::Result<TcpStream> {
    inside.set_read_timeout(Some(PATIENCE))?;
    let (head, rest) = read_head(inside)?;
    let Some(wanted) = parse(&head) else {
        return refuse(
            inside,
            "400 Bad Request",
            "the proxy of the sandbox does not understand this request",
        );
    };
    let listed = is_allowed(allowed, &wanted.host, wanted.port);
    if !listed {
        record.note(Outcome::Refused, &wanted.host, wanted.port);
        let text = format!(
            "the sandbox does not allow {}:{}; `sandbox_workspace_write.network_allow` lists what it allows",
            wanted.host, wanted.port
        );
        return refuse(inside, "403 Forbidden", &text);
    }
    let connected = connect(&wanted, patience);
    let outcome = if connected.is_ok() { Outcome::Reached } else { Outcome::Refused };
    record.note(outcome, &wanted.host, wanted.port);
    let Ok(mut outside) = connected else {
        return refuse(inside, "502 Bad Gateway", "the host was not reached");
    };
    inside.set_read_timeout(None)?;
    match &wanted.head {
        None => inside.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?,
        Some(head) => outside.write_all(head.as_bytes())?,
    }
    outside.write_all(&rest)?;
    Ok(outside)
}

fn connect(wanted: &Wanted, patience: Duration) -> io::Result<TcpStream> {
    let mut last = io::Error::from(ErrorKind::AddrNotAvailable);
    for address in (wanted.host.as_str(), wanted.port).to_socket_addrs()? {
        if !may_connect(wanted, address.ip()) {
            continue;
        }
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => return Ok(stream),
            Err(error) => last = error,
        }
    }
    Err(last)
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

/// Whether an address may be connected to: one that stands in the list as such, or one of the world.
fn may_connect(wanted: &Wanted, ip: IpAddr) -> bool {
    let written = wanted.host.parse::<IpAddr>().is_ok();
    let here = matches!(ip.to_canonical(), ip if ip.is_loopback() || ip.is_unspecified());
    !here && (written || !is_near(ip))
}

fn refuse<T>(inside: &mut TcpStream, status: &str, text: &str) -> io::Result<T> {
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}\n",
        text.len() + 1
    );
    inside.write_all(answer.as_bytes())?;
    Err(io::Error::from(ErrorKind::PermissionDenied))
}

/// The head as text, and what came after it.
fn read_head(from: &mut TcpStream) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData)?;
            return Ok((head, rest));
        }
        let read = from.read(&mut chunk)?;
        if read == 0 || bytes.len() > HEAD_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
}

/// `CONNECT host:port` or `GET http://host[:port]/…`. Of the latter only one request per connection goes out, so
/// that a second one cannot name another host unseen.
fn parse(head: &str) -> Option<Wanted> {
    let (line, fields) = head.split_once("\r\n")?;
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    if words.next().is_some() || !version.starts_with("HTTP/1.") {
        return None;
    }
    if method == "CONNECT" {
        let (host, port) = authority(target, None)?;
        return Some(Wanted { host, port, head: None });
    }
    let rest = target.strip_prefix("http://")?;
    let (name, path) = rest.find('/').and_then(|at| rest.split_at_checked(at)).unwrap_or((rest, "/"));
    let (host, port) = authority(name, Some(80))?;
    let mut head = format!("{method} {path} {version}\r\nHost: {name}\r\nConnection: close\r\n");
    for field in fields.split("\r\n").filter(|field| !field.is_empty()) {
        let (key, _) = field.split_once(':')?;
        let dropped = ["host", "connection", "proxy-connection", "proxy-authorization", "keep-alive"];
        if key.is_empty() || key.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return None;
        }
        if !dropped.contains(&key.to_ascii_lowercase().as_str()) {
            head.push_str(field);
            head.push_str("\r\n");
        }
    }
    head.push_str("\r\n");
    Some(Wanted { host, port, head: Some(head) })
}

/// `host:port`, `[v6]:port`; without a port the usual one, if there is one.
fn authority(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let port = port.map_or(usual, |port| port.parse().ok())?;
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    (!name.is_empty() && name.len() <= 253 && name.chars().all(plain)).then_some((name, port))
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
    fn heads_are_understood_or_refused() {
        let of = |head: &str| parse(head).map(|wanted| (wanted.host, wanted.port, wanted.head));
        assert_eq!(of("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), Some(("a.example".into(), 443, None)));
        assert_eq!(of("CONNECT [::1]:8 HTTP/1.1\r\n\r\n"), Some(("::1".into(), 8, None)));
        let head =
            "GET http://A.example/x?y HTTP/1.1\r\nHost: other\r\nConnection: keep-alive\r\nX: 1\r\n\r\n";
        let want = "GET /x?y HTTP/1.1\r\nHost: A.example\r\nConnection: close\r\nX: 1\r\n\r\n";
        assert_eq!(of(head), Some(("a.example".into(), 80, Some(want.into()))));
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT a.example HTTP/1.1\r\n\r\n",
            "CONNECT a b:1 HTTP/1.1\r\n\r\n",
            "CONNECT a.ex/..:443 HTTP/1.1\r\n\r\n",
            "GET http://u@a/ HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nX : 1\r\n\r\n",
            "",
        ] {
            assert_eq!(of(bad), None, "{bad}");
        }
    }

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
        let wanted = |host: &str| Wanted { host: host.to_owned(), port: 80, head: None };
        let may = |host: &str, ip: &str| may_connect(&wanted(host), ip.parse().unwrap());
        assert!(may("10.0.0.5", "10.0.0.5") && !may("127.0.0.1", "127.0.0.1"));
        assert!(!may("evil.example", "10.0.0.5") && may("good.example", "1.1.1.1"));
    }
}
