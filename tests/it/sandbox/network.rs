//! The network by list: ports of the loopback, and hosts through the proxy. Everything else stays out of reach.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::process::{Output, Stdio};
use std::sync::mpsc;

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

const CLIENT: &str = "import os, socket, sys
port = int(sys.argv[1]) or int(os.environ['http_proxy'].rsplit(':', 1)[1])
s = socket.create_connection(('127.0.0.1', port), 10)
s.sendall(sys.argv[2].encode().decode('unicode_escape').encode())
out = b''
while True:
    c = s.recv(4096)
    if not c: break
    out += c
sys.stdout.write(out.decode())";

/// In place of a port: that of the proxy, as programs find it.
const PROXY: u16 = 0;

fn run(bed: &Bed, settings: &[String], port: u16, send: &str) -> (bool, String) {
    run_with(bed, settings, port, send, &[])
}

fn run_with(
    bed: &Bed,
    settings: &[String],
    port: u16,
    send: &str,
    environment: &[(&str, String)],
) -> (bool, String) {
    let mut command = std::process::Command::new(bed.path().join("codex"));
    command.args(["sandbox", "-s", "workspace-write", "--level", bed.way.level]);
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["--", "python3", "-c", CLIENT, &port.to_string(), send]);
    bed.prepare(&mut command);
    for (name, value) in environment {
        command.env(name, value);
    }
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
    for way in ways() {
        let bed = Bed::new(way);
        let (worked, text) = run(&bed, &settings, open, "GET / HTTP/1.0\\r\\n\\r\\n");
        assert!(worked && text.ends_with("page\n"), "{way:?}: {text}");
        assert!(!run(&bed, &settings, closed, "x").0, "{way:?}");
        assert!(!run(&bed, &[], open, "x").0, "{way:?}");
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
    for way in ways() {
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

/// A proxy as companies have it: wants to know who asks, tells what it was asked, and answers as if it had been there.
fn upstream() -> (u16, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let (mut head, mut byte) = (Vec::new(), [0]);
            while !head.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap() > 0 {
                head.push(byte[0]);
            }
            let answer: &[u8] =
                match (head.starts_with(b"CONNECT"), head.windows(6).any(|six| six == b"Basic ")) {
                    (_, false) => b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n",
                    (true, true) => b"HTTP/1.1 200 OK\r\n\r\nfirst words",
                    (false, true) => b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\npage",
                };
            stream.write_all(answer).unwrap();
            // What comes after the request is part of it.
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read_to_end(&mut head);
            // Connected only.
            if !head.is_empty() {
                let _ = tell.send(String::from_utf8(head).unwrap());
            }
        }
    });
    (port, told)
}

#[test]
fn behind_a_proxy_listed_names_are_reached_through_it_and_its_password_stays_outside() {
    if !crate::support::python() {
        return;
    }
    let (port, told) = upstream();
    let settings =
        ["sandbox_workspace_write.network_allow=['a.example', 'near.corp', 'localhost']".to_owned()];
    let with = |login: &str| {
        let address = format!("http://{login}127.0.0.1:{port}");
        let names = ["HTTPS_PROXY", "HTTP_PROXY", "npm_config_proxy"].map(|name| (name, address.clone()));
        [&names[..], &[("NO_PROXY", "corp".to_owned())]].concat()
    };
    for way in ways() {
        let bed = Bed::new(way);
        let ask = |login: &str, send: &str| run_with(&bed, &settings, PROXY, send, &with(login)).1;
        let text = ask("me:hush%21@", "CONNECT a.example:443 HTTP/1.1\\r\\n\\r\\n");
        assert!(text.contains(" 200 ") && text.ends_with("first words"), "{way:?}: {text}");
        let asked = told.recv().unwrap();
        // me:hush!
        assert!(
            asked.starts_with("CONNECT a.example:443 HTTP/1.1\r\n")
                && asked.contains("Basic bWU6aHVzaCE=\r\n"),
            "{asked}"
        );
        // A second request on the same connection does not go out.
        let two = "GET http://a.example/x HTTP/1.1\\r\\n\\r\\nGET http://b.example/ HTTP/1.1\\r\\n\\r\\n";
        let text = ask("me:hush%21@", two);
        assert!(text.ends_with("page"), "{way:?}: {text}");
        let asked = told.recv().unwrap();
        assert!(
            asked.starts_with("GET http://a.example/x HTTP/1.1\r\n") && !asked.contains("b.example"),
            "{asked}"
        );
        let text = ask("", "CONNECT a.example:443 HTTP/1.1\\r\\n\\r\\n");
        assert!(text.contains(" 502 ") && text.contains("answers 407"), "{way:?}: {text}");
        told.recv().unwrap();
        for unasked in ["CONNECT b.example:443", "CONNECT near.corp:443", "CONNECT localhost:443"] {
            let text = ask("me:hush%21@", &format!("{unasked} HTTP/1.1\\r\\n\\r\\n"));
            assert!(text.contains(" 403 ") || text.contains(" 502 "), "{way:?}: {unasked}: {text}");
        }
        let off = [settings[0].clone(), "sandbox_workspace_write.allow_upstream_proxy=false".to_owned()];
        let (_, text) =
            run_with(&bed, &off, PROXY, "CONNECT a.example:443 HTTP/1.1\\r\\n\\r\\n", &with("me:hush%21@"));
        assert!(text.contains(" 502 "), "{way:?}: {text}");
        // Neither by its own name nor by another, and not to a command without any list either.
        for settings in [&settings[..], &[]] {
            let mut command = std::process::Command::new(bed.path().join("codex"));
            command.args(["sandbox", "-s", "workspace-write", "--level", way.level]);
            for setting in settings {
                command.args(["-c", setting]);
            }
            command.args(["--", "sh", "-c", "env; cat /proc/*/environ 2>/dev/null"]);
            bed.prepare(&mut command);
            command.envs(with("me:hush%21@"));
            let output = command.output().unwrap();
            let text = String::from_utf8_lossy(&output.stdout);
            assert!(
                text.contains("npm_config_proxy=http://127.0.0.1:") && !text.contains("hush"),
                "{way:?}: {text}"
            );
        }
        assert!(told.try_recv().is_err(), "{way:?}: asked what was not to be");
    }
}

/// Where command and proxy are in the machine's own network, everybody could connect to it.
#[test]
fn the_proxy_is_for_its_command_and_nobody_else() {
    if !crate::support::python() {
        return;
    }
    for way in every(LANDLOCK) {
        let bed = Bed::new(way);
        let mut command = std::process::Command::new(bed.path().join("codex"));
        command.args(["sandbox", "-s", "workspace-write", "--level", way.level]);
        command.args(["-c", "sandbox_workspace_write.network_allow=['a.example']"]);
        command.args(["--", "sh", "-c", "echo $http_proxy; read -r wait"]);
        bed.prepare(&mut command);
        let mut codex = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(codex.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let at = said.trim().strip_prefix("http://").unwrap();
        let mut stream = std::net::TcpStream::connect(at).unwrap();
        let mut answer = Vec::new();
        // Closed with our words unread, or after them.
        let _ = stream.write_all(b"CONNECT b.example:443 HTTP/1.1\r\nX: 12345678\r\n\r\n");
        let _ = stream.read_to_end(&mut answer);
        assert!(answer.is_empty(), "{way:?}: {}", String::from_utf8_lossy(&answer));
        drop(codex.stdin.take());
        codex.wait().unwrap();
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
        assert!(text.contains("off but for a.example"), "{way:?}: {text}");
        assert_eq!(text.contains("without `serve_ports`"), way.level == LANDLOCK, "{way:?}: {text}");
        assert!(!listed(&["sandbox_workspace_write.git=false"]).contains("git: plain"), "{way:?}");
    }
}
