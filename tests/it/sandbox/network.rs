//! The network by list: ports of the loopback, and hosts through the proxy. Everything else stays out of reach.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};

use super::bed::{Bed, LANDLOCK, NAMESPACES, Way, ways};

/// Answers every connection with the same page until it is dropped with the test's process.
fn server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut bytes = [0; 1024];
            let _ = stream.read(&mut bytes);
            let _ = stream.write_all(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\npage\n");
        }
    });
    port
}

const CLIENT: &str = "import socket, sys
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
s.sendall(sys.argv[2].encode().decode('unicode_escape').encode())
out = b''
while True:
    c = s.recv(4096)
    if not c: break
    out += c
sys.stdout.write(out.decode())";

fn run(bed: &Bed, settings: &[String], port: u16, send: &str) -> (bool, String) {
    let mut command = std::process::Command::new(bed.path().join("codex"));
    command.args(["sandbox", "-s", "workspace-write", "--level", bed.way.level]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["--", "python3", "-c", CLIENT, &port.to_string(), send]);
    bed.prepare(&mut command);
    let Output { status, stdout, .. } = command.output().unwrap();
    (status.success(), String::from_utf8_lossy(&stdout).into_owned())
}

fn every(level: &str) -> impl Iterator<Item = Way> {
    ways().into_iter().filter(move |way| way.level == level)
}

#[test]
fn listed_ports_of_the_loopback_are_reached_and_others_are_not() {
    if !crate::support::python() {
        return;
    }
    let (open, closed) = (server(), server());
    let settings = [format!("sandbox_workspace_write.loopback_ports=[{open}]")];
    for way in every(NAMESPACES) {
        let bed = Bed::new(way);
        let (worked, text) = run(&bed, &settings, open, "GET / HTTP/1.0\\r\\n\\r\\n");
        assert!(worked && text.ends_with("page\n"), "{way:?}: {text}");
        assert!(!run(&bed, &settings, closed, "x").0, "{way:?}");
        assert!(!run(&bed, &[], open, "x").0, "{way:?}");
    }
    // A port cannot be told from the same port of another machine there.
    for way in every(LANDLOCK) {
        assert!(!run(&Bed::new(way), &settings, open, "x").0, "{way:?}");
    }
}

/// Opens as many connections as it can and keeps its side of each when the other is closed.
const HOARDER: &str = "import socket, sys
keep = []
for i in range(300):
    try:
        s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 10)
        while s.recv(4096): pass
        keep.append(s)
    except OSError: pass
open('/proc/self/fd/1', 'w').write('%d\\n' % len(keep))
sys.stdin.read()";

#[test]
fn connections_closed_on_one_side_count_until_they_are_closed_on_both() {
    if !crate::support::python() {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let way = every(NAMESPACES).next().unwrap();
    let bed = Bed::new(way);
    let mut command = std::process::Command::new(bed.path().join("codex"));
    let ports = format!("sandbox_workspace_write.loopback_ports=[{port}]");
    command.args(["sandbox", "-s", "workspace-write", "--level", way.level, "-c", &ports]);
    command.args(["--", "python3", "-c", HOARDER, &port.to_string()]);
    bed.prepare(&mut command);
    let mut codex = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut kept = String::new();
    BufReader::new(codex.stdout.take().unwrap()).read_line(&mut kept).unwrap();
    assert!(kept.trim().parse::<u32>().unwrap() > 200, "{kept}");
    let processes = super::threads::descendants(codex.id()).len();
    drop(codex.stdin.take());
    assert!(codex.wait().unwrap().success());
    // Two for each of 128 connections, and a few around them.
    assert!((100..=2 * 128 + 8).contains(&processes), "{processes}");
}

#[test]
fn the_proxy_reaches_listed_names_only_and_never_this_machine() {
    if !crate::support::python() {
        return;
    }
    let port = server();
    let settings = [format!(
        "sandbox_workspace_write.network_allow=['a.example', 'localhost:{port}', '127.0.0.1:{port}']"
    )];
    const PROXY: u16 = 9;
    for way in every(NAMESPACES) {
        let bed = Bed::new(way);
        for (send, want) in [
            ("CONNECT b.example:443 HTTP/1.1\\r\\n\\r\\n".to_owned(), " 403 "),
            ("CONNECT a.example:22 HTTP/1.1\\r\\n\\r\\n".to_owned(), " 403 "),
            ("GET http://b.example/ HTTP/1.1\\r\\n\\r\\n".to_owned(), " 403 "),
            (format!("CONNECT localhost:{port} HTTP/1.1\\r\\n\\r\\n"), " 502 "),
            (format!("GET http://127.0.0.1:{port}/ HTTP/1.1\\r\\n\\r\\n"), " 502 "),
            ("nonsense\\r\\n\\r\\n".to_owned(), " 400 "),
        ] {
            let (_, text) = run(&bed, &settings, PROXY, &send);
            assert!(text.starts_with("HTTP/1.1") && text.contains(want), "{way:?}: {send}: {text}");
        }
        assert!(!run(&bed, &settings, port, "x").0, "{way:?}: reached without the proxy");
    }
}

/// The list cannot name a service of the neighbourhood by a name of the world, and `codex sandbox explain` without a
/// command says what is open.
#[test]
fn the_listing_tells_what_is_open_and_what_is_not() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("home/.ssh/id_ed25519", "x");
        let listed = |settings: &[&str]| {
            let mut command = std::process::Command::new(bed.path().join("codex"));
            command.args(["sandbox", "explain", "--full-auto", "--level", way.level]);
            for setting in settings {
                command.args(["-c", setting]);
            }
            bed.prepare(&mut command);
            let output = command.output().unwrap();
            assert!(output.status.success(), "{output:?}");
            String::from_utf8_lossy(&output.stdout).into_owned()
        };
        let work = bed.work().display().to_string();
        let text = listed(&["sandbox_workspace_write.network_allow=['a.example']"]);
        for want in
            [format!("write: {work}"), "home/.ssh/id_ed25519".into(), format!("write {work}/.git but")]
        {
            assert!(text.contains(&want), "{way:?}: {want}: {text}");
        }
        assert_eq!(text.contains("off but for a.example"), way.level == NAMESPACES, "{way:?}: {text}");
        assert_eq!(text.contains("`network_allow` open nothing"), way.level == LANDLOCK, "{way:?}: {text}");
        assert!(!listed(&["sandbox_workspace_write.git=false"]).contains("git: plain"), "{way:?}");
    }
}
