//! A proxy on loopback behind which every host is the scripted backend: it takes `CONNECT`, speaks TLS with the
//! certificate of the fixtures, and notes where each request was meant to go.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// One request that came through.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// Host and port of `CONNECT`.
    pub(crate) host: String,
    /// Method and path inside.
    pub(crate) line: String,
    /// Everything of `CONNECT`, which is sent in clear text.
    pub(crate) clear: String,
}

/// The proxy; its thread ends with the test's process.
pub(crate) struct Road {
    pub(crate) port: u16,
    passed: Arc<Mutex<Vec<Passed>>>,
}

/// The authority that signed the certificate of the proxy.
pub(crate) fn authority() -> PathBuf {
    fixtures().join("ca.pem")
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls")
}

impl Road {
    /// Starts one that leads to the port `backend`.
    pub(crate) fn start(backend: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let certificate = CertificateDer::from_pem_file(fixtures().join("server.pem")).unwrap();
        let key = PrivateKeyDer::from_pem_file(fixtures().join("server.key")).unwrap();
        let config = rustls::ServerConfig::builder().with_no_client_auth();
        let config = Arc::new(config.with_single_cert(vec![certificate], key).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let passed = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&passed);
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                let (config, notes) = (Arc::clone(&config), Arc::clone(&notes));
                std::thread::spawn(move || pass(socket, config, &notes, backend));
            }
        });
        Self { port, passed }
    }

    /// What came through so far.
    pub(crate) fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap().clone()
    }
}

/// Serves one connection; a client that turns away ends it.
fn pass(
    mut socket: TcpStream,
    config: Arc<rustls::ServerConfig>,
    notes: &Mutex<Vec<Passed>>,
    backend: u16,
) -> Option<()> {
    socket.set_read_timeout(Some(Duration::from_secs(30))).ok()?;
    let (clear, _) = request(&mut socket)?;
    let host = clear.split(' ').nth(1)?.to_owned();
    let refused = Passed { host: host.clone(), line: String::new(), clear: clear.clone() };
    notes.lock().unwrap().push(refused);
    socket.write_all(b"HTTP/1.1 200 OK\r\n\r\n").ok()?;
    let mut session = rustls::ServerConnection::new(config).ok()?;
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    let (head, body) = request(&mut stream)?;
    let line = head.lines().next()?.to_owned();
    notes.lock().unwrap().push(Passed { host, line, clear });
    let mut there = TcpStream::connect(("127.0.0.1", backend)).ok()?;
    there.write_all(head.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes()).ok()?;
    there.write_all(&body).ok()?;
    let mut chunk = [0; 16384];
    loop {
        match there.read(&mut chunk).ok()? {
            0 => break,
            n => stream.write_all(chunk.get(..n)?).ok()?,
        }
    }
    stream.conn.send_close_notify();
    stream.flush().ok()
}

/// The head with its empty line, and the body.
fn request(from: &mut impl Read) -> Option<(String, Vec<u8>)> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 16384];
    let end = loop {
        if let Some(at) = memchr::memmem::find(&bytes, b"\r\n\r\n") {
            break at + 4;
        }
        match from.read(&mut chunk).ok()? {
            0 => return None,
            n => bytes.extend_from_slice(chunk.get(..n)?),
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8(bytes).ok()?;
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
    });
    while body.len() < length.unwrap_or(0) {
        match from.read(&mut chunk).ok()? {
            0 => return None,
            n => body.extend_from_slice(chunk.get(..n)?),
        }
    }
    Some((head, body))
}
