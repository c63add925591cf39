//! The way out of networks that have a proxy of their own: where it is says the user's environment (`HTTPS_PROXY`,
//! `HTTP_PROXY`, `ALL_PROXY`, `NO_PROXY`), as for every other program. Its name and password stay with the process that
//! connects; commands get neither.
#![allow(unsafe_code)] // the environment before the command exists

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::io::{self, ErrorKind, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use url::Url;

use super::no_proxy::covers;
use super::request::read_head;
use super::socks;
use super::wrap::Confine;
use crate::base::secret::Secret;
use crate::sandbox::proxies::{HANDED, NAMES, without_login};

/// An answer to `CONNECT` comes after the proxy has connected.
const ANSWER: Duration = Duration::from_secs(30);

/// Where requests go, and which do not.
#[derive(Debug, Default)]
pub(super) struct Upstream {
    tunnels: Option<Server>,
    plain: Option<Server>,
    except: Vec<String>,
}

/// One proxy.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// As a word that this can speak; its name when not.
    scheme: Result<Scheme, String>,
    host: String,
    port: u16,
    login: Option<(String, Secret)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scheme {
    Http,
    Socks,
}

/// Why something was not reached, for whoever asked.
#[derive(Debug)]
pub(super) struct Unreached(pub(super) String);

impl Upstream {
    /// Reads the variables, and takes from the environment what is not for the command: the copy that was handed to this
    /// process, and names and passwords in what is left. One thread only.
    #[allow(clippy::disallowed_methods, reason = "the environment of a supervisor is that of its command")]
    pub(super) fn take(confine: &Confine) -> Self {
        let handed = env::var_os(HANDED);
        let found: BTreeMap<String, String> = match &handed {
            Some(text) => serde_json::from_slice(text.as_encoded_bytes()).unwrap_or_default(),
            None => {
                NAMES.iter().filter_map(|name| Some(((*name).to_owned(), env::var(name).ok()?))).collect()
            }
        };
        // SAFETY: supervisors have one thread.
        unsafe { env::remove_var(HANDED) };
        if !confine.network {
            let all: Vec<(OsString, OsString)> = env::vars_os().collect();
            for (name, value) in all {
                if let Some(value) = without_login(&name, &value) {
                    // SAFETY: as above.
                    unsafe { env::set_var(name, value) };
                }
            }
        }
        if confine.direct { Self::default() } else { Self::read(|name| found.get(name).cloned()) }
    }

    fn read(get: impl Fn(&str) -> Option<String>) -> Self {
        let either = |name: &str| {
            let set = |name: &str| get(name).filter(|value| !value.trim().is_empty());
            set(name).or_else(|| set(&name.to_ascii_uppercase()))
        };
        let server =
            |name: &str| either(name).or_else(|| either("all_proxy")).map(|text| Server::read(&text));
        let except = either("no_proxy").unwrap_or_default();
        let except = except.split([',', ' ']).map(|entry| entry.trim().to_ascii_lowercase());
        Self {
            tunnels: server("https_proxy"),
            plain: server("http_proxy"),
            except: except.filter(|entry| !entry.is_empty()).collect(),
        }
    }

    /// The proxy by which a host is reached; `None` for those that are reached directly.
    pub(super) fn to(&self, host: &str, port: u16, tunnel: bool) -> Option<&Server> {
        let server = if tunnel { &self.tunnels } else { &self.plain };
        server.as_ref().filter(|_| !self.except.iter().any(|entry| covers(entry, host, port)))
    }

    /// Whether the user says of this host by name that it is near.
    pub(super) fn is_near(&self, host: &str, port: u16) -> bool {
        self.except.iter().any(|entry| entry != "*" && covers(entry, host, port))
    }
}

impl Server {
    fn read(text: &str) -> Self {
        let text = text.trim();
        let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let unknown =
            |what: &str| Self { scheme: Err(what.to_owned()), host: String::new(), port: 0, login: None };
        let Ok(url) = Url::parse(&whole) else { return unknown("an address that is none") };
        let (scheme, usual) = match url.scheme() {
            "http" => (Ok(Scheme::Http), 80),
            "socks5" | "socks5h" => (Ok(Scheme::Socks), 1080),
            other => (Err(format!("{other}://")), 0),
        };
        let Some(host) = url.host_str() else { return unknown("an address without a host") };
        let login = (!url.username().is_empty() || url.password().is_some())
            .then(|| (decoded(url.username()), Secret::new(decoded(url.password().unwrap_or_default()))));
        Self {
            scheme,
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(usual),
            login,
        }
    }

    /// Connects to the proxy itself.
    pub(super) fn connect(&self, patience: Duration) -> Result<TcpStream, Unreached> {
        if let Err(scheme) = &self.scheme {
            return Err(Unreached(format!(
                "the environment names a proxy by {scheme}; http:// and socks5:// are understood"
            )));
        }
        let addresses = (self.host.as_str(), self.port).to_socket_addrs().into_iter().flatten();
        let mut connected = addresses.filter_map(|at| TcpStream::connect_timeout(&at, patience).ok());
        connected.next().ok_or_else(|| {
            self.failed(&format!("the proxy of this network, {}:{}, was not reached", self.host, self.port))
        })
    }

    fn failed(&self, text: &str) -> Unreached {
        Unreached(text.to_owned())
    }

    /// Whether plain requests are sent to it whole, instead of through a tunnel.
    pub(super) fn forwards(&self) -> bool {
        self.scheme == Ok(Scheme::Http)
    }

    /// The field of a request by which it knows who asks; empty when it does not ask.
    pub(super) fn credentials(&self) -> String {
        let Some((name, password)) = &self.login else { return String::new() };
        let login = BASE64_STANDARD.encode(format!("{name}:{}", password.expose()));
        format!("Proxy-Authorization: Basic {login}\r\n")
    }

    /// Opens a tunnel on a connection to it. Gives what the other end has said already.
    pub(super) fn tunnel(&self, stream: &mut TcpStream, host: &str, port: u16) -> Result<Vec<u8>, Unreached> {
        let done = match self.scheme {
            Ok(Scheme::Socks) => {
                socks::tunnel(stream, self.login.as_ref(), host, port).map(|()| Ok(Vec::new()))
            }
            _ => self.by_connect(stream, host, port),
        };
        let _ = stream.set_read_timeout(None);
        match done {
            Ok(Ok(early)) => Ok(early),
            Ok(Err(status)) => Err(self.failed(&format!("the proxy of this network answers {status}"))),
            Err(_) => Err(self.failed("the proxy of this network does not lead there")),
        }
    }

    fn by_connect(&self, stream: &mut TcpStream, host: &str, port: u16) -> io::Result<Result<Vec<u8>, u16>> {
        let at = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
        let head = format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n{}\r\n", self.credentials());
        stream.write_all(head.as_bytes())?;
        let (head, early) = read_head(stream, Instant::now() + ANSWER)?;
        let mut words = head.split(' ');
        let version = words.next().is_some_and(|word| word.starts_with("HTTP/1."));
        let status = words.next().and_then(|word| word.get(..3)?.parse::<u16>().ok());
        match status.filter(|_| version).ok_or(ErrorKind::InvalidData)? {
            200..=299 => Ok(Ok(early)),
            status => Ok(Err(status)),
        }
    }
}

/// Percent signs with two digits as the bytes they stand for.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let digits = more.get(..2).filter(|_| *first == b'%').and_then(|two| std::str::from_utf8(two).ok());
        match digits.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = more.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = more;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn upstream(vars: &[(&str, &str)]) -> Upstream {
        Upstream::read(|name| vars.iter().find(|(is, _)| *is == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_usual_variables_say_where_requests_go() {
        let shown = |server: Option<&Server>| server.map(|server| format!("{}:{}", server.host, server.port));
        let found = upstream(&[
            ("HTTPS_PROXY", "http://p.corp:3128/"),
            ("all_proxy", "socks5h://s.corp"),
            ("https_proxy", ""),
        ]);
        assert_eq!(shown(found.to("a.example", 443, true)).as_deref(), Some("p.corp:3128"));
        assert_eq!(shown(found.to("a.example", 80, false)).as_deref(), Some("s.corp:1080"));
        assert!(found.to("a.example", 80, false).is_some_and(|server| !server.forwards()));
        assert!(upstream(&[]).to("a.example", 443, true).is_none());
        for odd in ["https://p.corp", "socks4://p", "http://", "://", "http:// /"] {
            let found = upstream(&[("https_proxy", odd)]);
            let server = found.to("a.example", 443, true).unwrap();
            assert!(server.connect(ANSWER).is_err(), "{odd}");
        }
    }

    #[test]
    fn exceptions_are_by_name_address_network_and_port() {
        let list = "corp, .dot.org,*.star.org, 10.0.0.0/8,192.168.1.5,only.org:8080,[fd00::1],fd01::/16";
        let found = upstream(&[("https_proxy", "p:1"), ("NO_PROXY", list)]);
        for (host, port, direct) in [
            ("corp", 443, true),
            ("git.corp", 443, true),
            ("evilcorp", 443, false),
            ("dot.org", 443, true),
            ("a.dot.org", 443, true),
            ("a.star.org", 443, true),
            ("10.9.9.9", 443, true),
            ("11.9.9.9", 443, false),
            ("192.168.1.5", 443, true),
            ("192.168.1.50", 443, false),
            ("only.org", 8080, true),
            ("only.org", 443, false),
            ("fd00::1", 443, true),
            ("fd01::7", 443, true),
            ("fd02::7", 443, false),
        ] {
            assert_eq!(found.to(host, port, true).is_none(), direct, "{host}:{port}");
        }
        let all = upstream(&[("https_proxy", "p:1"), ("no_proxy", "*")]);
        assert!(all.to("a.example", 443, true).is_none() && !all.is_near("a.example", 443));
        assert!(
            upstream(&[("https_proxy", "p:1"), ("no_proxy", "0.0.0.0/0,::/0,x/y,/,:1")])
                .to("1.2.3.4", 1, true)
                .is_none()
        );
    }

    #[test]
    fn names_and_passwords_are_sent_and_never_shown() {
        let found = upstream(&[("https_proxy", "http://us%40er:p%3Ass%zz@p.corp:3128")]);
        let server = found.to("a.example", 443, true).unwrap();
        let sent = BASE64_STANDARD.encode("us@er:p:ss%zz");
        assert_eq!(server.credentials(), format!("Proxy-Authorization: Basic {sent}\r\n"));
        assert!(!format!("{found:?}").contains("p:ss"));
    }
}
