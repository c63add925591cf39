//! Commands of one thread, as the server of their supervisors starts them.

use std::ffi::CString;
use std::io::{PipeReader, Read, pipe};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::*;
use crate::process::supervise::Server;

/// Prints what the port says, or that nobody is there.
const CLIENT: &str = "import socket,sys
try:
    print(socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20).recv(100).decode())
except OSError as e:
    print(type(e).__name__)
";
/// Greets everybody and closes nothing.
const SERVER: &str = "import socket,sys
s=socket.create_server(('127.0.0.1', int(sys.argv[1]))); print('up', flush=True); keep=[]
while True:
    c,_=s.accept(); c.sendall(b'hello'); keep.append(c)
";

/// `None` without a Python to write commands in.
fn server() -> Option<Server> {
    if std::process::Command::new("python3").arg("--version").output().is_err() {
        eprintln!("python3 is not installed, skipped");
        return None;
    }
    let exe = std::env::current_exe().unwrap();
    Some(Server::start(&exe.ancestors().nth(2).unwrap().join("codex")).unwrap())
}

fn listing(ports: &[u16], serve: &[u16]) -> Confine {
    let strictest = Confine::strictest(Level::Namespaces);
    Confine { ports: ports.to_vec(), serve: serve.to_vec(), ..strictest }
}

/// A command that runs: its output, and the socket that ends it when it is dropped.
fn launch(server: &mut Server, confine: &Confine, script: &str, port: u16) -> (PipeReader, UnixStream) {
    let confine = serde_json::to_string(confine).unwrap();
    let port = port.to_string();
    let words =
        ["pipe", &confine, "/", "python3", "-c", script, &port].map(|word| CString::new(word).unwrap());
    let (output, to) = pipe().unwrap();
    let (control, theirs) = UnixStream::pair().unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let environment = [c"PATH=/usr/local/bin:/usr/bin:/bin".to_owned()];
    server.launch(&words, &environment, [null.as_fd(), to.as_fd(), to.as_fd(), theirs.as_fd()]).unwrap();
    (output, control)
}

fn said(server: &mut Server, confine: &Confine, port: u16) -> String {
    let (mut output, _control) = launch(server, confine, CLIENT, port);
    let mut text = String::new();
    output.read_to_string(&mut text).unwrap();
    text.trim().to_owned()
}

/// A server of the machine.
struct Machine(std::process::Child);

impl Machine {
    fn at(port: u16) -> Self {
        let mut command = std::process::Command::new("python3");
        command.args(["-c", SERVER, &port.to_string()]).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0; 3]).unwrap();
        Self(child)
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = self.0.kill().and_then(|()| self.0.wait());
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn a_port_that_is_listed_no_more_is_closed_for_the_next_command() {
    let Some(mut server) = server() else { return };
    let port = free_port();
    let _machine = Machine::at(port);
    let (open, closed) = (listing(&[port], &[]), listing(&[], &[]));
    for (confine, want) in
        [(&open, "hello"), (&open, "hello"), (&closed, "ConnectionRefusedError"), (&open, "hello")]
    {
        assert_eq!(said(&mut server, confine, port), want, "{confine:?}");
    }
}

#[test]
fn a_served_port_is_closed_when_it_is_listed_no_more_and_nothing_is_carried_after_the_thread() {
    let Some(mut server) = server() else { return };
    let port = free_port();
    let confine = listing(&[], &[port]);
    let (mut output, _control) = launch(&mut server, &confine, SERVER, port);
    output.read_exact(&mut [0; 3]).unwrap();
    let greeted = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream.read_exact(&mut [0; 5]).ok().map(|()| stream)
    };
    let first = greeted().unwrap();
    assert_eq!(said(&mut server, &listing(&[], &[]), port), "hello", "inside they still meet");
    assert!(greeted().is_none());
    assert_eq!(said(&mut server, &confine, port), "hello");
    let second = greeted().unwrap();
    drop(server);
    for mut stream in [first, second] {
        let ended = stream.read(&mut [0]);
        assert!(!matches!(&ended, Err(error) if error.kind() == std::io::ErrorKind::WouldBlock), "{ended:?}");
    }
}
