//! What a client of the proxy asks for, read strictly: whatever two programs could read in two ways is refused.

use std::io::{self, ErrorKind, Read};
use std::net::TcpStream;
use std::time::Instant;

/// A head longer than this is nobody's.
const HEAD_BYTES: usize = 32 * 1024;

/// What a request wants.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) host: String,
    pub(super) port: u16,
    /// What to send on first; `None` for `CONNECT`.
    pub(super) plain: Option<Plain>,
}

/// A request that is not encrypted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plain {
    method: String,
    authority: String,
    path: String,
    /// The version, and all fields that are sent on.
    rest: String,
    /// How much comes after the head; `None` when only its content says so.
    pub(super) body: Option<u64>,
}

impl Plain {
    /// As the server wants it.
    pub(super) fn to_server(&self) -> String {
        format!("{} {} {}\r\n", self.method, self.path, self.rest)
    }

    /// As a proxy wants it, with a field for itself.
    pub(super) fn to_proxy(&self, credentials: &str) -> String {
        let Self { method, authority, path, rest, .. } = self;
        format!("{method} http://{authority}{path} {rest}{credentials}\r\n")
    }
}

/// The head as text, and what came after it; in time or not at all.
///
/// # Errors
/// Too slow, too long, or no text.
pub(super) fn read_head(from: &mut TcpStream, until: Instant) -> io::Result<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            let head = String::from_utf8(bytes).map_err(|_| ErrorKind::InvalidData)?;
            return Ok((head, rest));
        }
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(ErrorKind::TimedOut.into());
        }
        from.set_read_timeout(Some(left))?;
        let read = from.read(&mut chunk)?;
        if read == 0 || bytes.len() > HEAD_BYTES {
            return Err(ErrorKind::InvalidData.into());
        }
        bytes.extend_from_slice(chunk.get(..read).unwrap_or_default());
    }
}

/// `CONNECT host:port` or `GET http://host[:port]/…`. Of the latter only one request per connection goes out, so
/// that a second one cannot name another host unseen.
pub(super) fn parse(head: &str) -> Option<Wanted> {
    let (line, fields) = head.split_once("\r\n")?;
    if head.split("\r\n").any(|line| line.contains(|c: char| c.is_control() && c != '\t')) {
        return None;
    }
    let mut words = line.split(' ');
    let (method, target, version) = (words.next()?, words.next()?, words.next()?);
    let token = !method.is_empty() && method.chars().all(|c| c.is_ascii_alphabetic() || c == '-');
    if words.next().is_some() || !token || !["HTTP/1.0", "HTTP/1.1"].contains(&version) {
        return None;
    }
    if method == "CONNECT" {
        let (host, port) = authority(target, None)?;
        return Some(Wanted { host, port, plain: None });
    }
    let whole = target.strip_prefix("http://")?;
    let (name, path) = whole.find('/').and_then(|at| whole.split_at_checked(at)).unwrap_or((whole, "/"));
    let (host, port) = authority(name, Some(80))?;
    let mut rest = format!("{version}\r\nHost: {name}\r\nConnection: close\r\n");
    let (mut length, mut chunked) = (None, false);
    for field in fields.split("\r\n").filter(|field| !field.is_empty()) {
        let (key, value) = field.split_once(':')?;
        if key.is_empty() || !key.chars().all(|c| c.is_ascii_graphic()) {
            return None;
        }
        match key.to_ascii_lowercase().as_str() {
            "host" | "connection" | "proxy-connection" | "proxy-authorization" | "keep-alive" | "upgrade" => {
                continue;
            }
            "content-length" => {
                let digits = value.trim();
                let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
                if length.is_some() || !plain {
                    return None;
                }
                length = Some(digits.parse().ok()?);
            }
            "transfer-encoding" => chunked = true,
            _ => {}
        }
        rest.push_str(field);
        rest.push_str("\r\n");
    }
    if chunked && length.is_some() {
        return None;
    }
    let body = if chunked { None } else { Some(length.unwrap_or(0)) };
    let (method, authority, path) = (method.to_owned(), name.to_owned(), path.to_owned());
    Some(Wanted { host, port, plain: Some(Plain { method, authority, path, rest, body }) })
}

/// `host:port`, `[v6]:port`; without a port the usual one, if there is one.
fn authority(text: &str, usual: Option<u16>) -> Option<(String, u16)> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']')? {
            (host, "") => (host, None),
            (host, rest) => (host, Some(rest.strip_prefix(':')?)),
        },
        None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
    };
    let digits = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    let port = port.map_or(usual, |port| port.parse().ok().filter(|_| digits(port)))?;
    let six = text.starts_with('[');
    let plain = |c: char| c.is_ascii_alphanumeric() || ".-_".contains(c) || (six && c == ':');
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    (port > 0 && !name.is_empty() && name.len() <= 253 && name.chars().all(plain)).then_some((name, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_understood_or_refused() {
        let of = |head: &str| {
            parse(head).map(|wanted| (wanted.host, wanted.port, wanted.plain.map(|plain| plain.to_server())))
        };
        assert_eq!(of("CONNECT a.example:443 HTTP/1.1\r\n\r\n"), Some(("a.example".into(), 443, None)));
        assert_eq!(of("CONNECT [::1]:8 HTTP/1.1\r\n\r\n"), Some(("::1".into(), 8, None)));
        let head =
            "GET http://A.example/x?y HTTP/1.1\r\nHost: other\r\nConnection: keep-alive\r\nX: 1\r\n\r\n";
        let want = "GET /x?y HTTP/1.1\r\nHost: A.example\r\nConnection: close\r\nX: 1\r\n\r\n";
        assert_eq!(of(head), Some(("a.example".into(), 80, Some(want.into()))));
        let wanted = parse(head).unwrap().plain.unwrap();
        let proxied = wanted.to_proxy("P: c\r\n");
        assert!(
            proxied.starts_with("GET http://A.example/x?y HTTP/1.1\r\n")
                && proxied.ends_with("X: 1\r\nP: c\r\n\r\n")
        );
        for bad in [
            "GET / HTTP/1.1\r\n\r\n",
            "CONNECT a.example HTTP/1.1\r\n\r\n",
            "CONNECT a b:1 HTTP/1.1\r\n\r\n",
            "CONNECT a.ex/..:443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:443:80 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:+443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:0 HTTP/1.1\r\n\r\n",
            "CONNECT [::1]443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example@b.example:443 HTTP/1.1\r\n\r\n",
            "CONNECT a.example:443\tHTTP/1.1\r\n\r\n",
            "GET http://u@a/ HTTP/1.1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nX : 1\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nX: 1\r\n folded: 2\r\n\r\n",
            "GET http://a/ HTTP/1.1\r\nX: 1\nHost: b\r\n\r\n",
            "GET http://a/ HTTP/1.1\nHost: b\r\n\r\n",
            "GET http://a/x\rHost HTTP/1.1\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST http://a/ HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "PRI * HTTP/2.0\r\n\r\n",
            "",
        ] {
            assert_eq!(of(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn bodies_are_as_long_as_is_said() {
        let body = |fields: &str| {
            parse(&format!("POST http://a/ HTTP/1.1\r\n{fields}\r\n")).unwrap().plain.unwrap().body
        };
        assert_eq!(body(""), Some(0));
        assert_eq!(body("content-length: 12\r\n"), Some(12));
        assert_eq!(body("Transfer-Encoding: chunked\r\n"), None);
    }
}
