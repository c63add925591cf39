//! What a command is given by whoever starts it, or finds where somebody has put it: sockets as stdio, and the named
//! socket of a daemon in another network, as containers mount it.

use std::io::{IoSlice, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::process::{Child, Command, Stdio};

use super::bed::{Bed, is_root, ways};

fn with(bed: &Bed, stdin: impl Into<OwnedFd>, command: &[&str]) -> Command {
    let mut codex = bed.command("workspace-write", command);
    codex.stdin(Stdio::from(stdin.into())).stdout(Stdio::piped()).stderr(Stdio::piped());
    codex
}

fn text(child: Child) -> String {
    let output = child.wait_with_output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_pair_of_sockets_as_stdio_works_and_every_other_socket_is_refused() {
    for way in ways() {
        let bed = Bed::new(way);
        let (mut ours, theirs) = UnixStream::pair().unwrap();
        let child = with(&bed, theirs, &["cat"]).spawn().unwrap();
        ours.write_all(b"through").unwrap();
        drop(ours);
        assert_eq!(text(child), "through", "{way:?}");
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let sockets: [OwnedFd; 4] = [
            TcpStream::connect(at).unwrap().into(),
            listener.try_clone().unwrap().into(),
            UdpSocket::bind("127.0.0.1:0").unwrap().into(),
            UnixDatagram::pair().unwrap().0.into(),
        ];
        for socket in sockets {
            let said = text(with(&bed, socket, &["echo", "ran"]).spawn().unwrap());
            assert!(said.contains("give the command a pipe") && !said.contains("ran"), "{way:?}: {said}");
        }
        let mut open = bed.command("danger-full-access", &["echo", "ran"]);
        let open = open.stdin(Stdio::from(OwnedFd::from(TcpStream::connect(at).unwrap()))).output().unwrap();
        assert_eq!(String::from_utf8_lossy(&open.stdout), "ran\n");
    }
}

/// Kernels before 6.16 cannot be asked for it; it is said in `stdio.rs` what holds there.
#[test]
fn no_descriptor_comes_in_over_a_socket_given_as_stdin() {
    use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    if !crate::support::python() {
        return;
    }
    let program = "import os, socket
s = socket.socket(fileno=0)
try: s.setsockopt(1, 83, 1)
except OSError: pass
s.send(b'r')
data, fds, _, _ = socket.recv_fds(s, 16, 1)
for fd in fds: os.write(fd, b'x')
print(len(fds))";
    let send = |stream: &UnixStream, file: &std::fs::File| {
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut rights = SendAncillaryBuffer::new(&mut space);
        let fds = [file.as_fd()];
        assert!(rights.push(SendAncillaryMessage::ScmRights(&fds)));
        sendmsg(stream, &[IoSlice::new(b"x")], &mut rights, SendFlags::NOSIGNAL)
    };
    for way in ways() {
        for mode in ["danger-full-access", "workspace-write"] {
            let bed = Bed::new(way);
            let file = std::fs::OpenOptions::new().append(true).open(bed.outside().join("file")).unwrap();
            let (ours, theirs) = UnixStream::pair().unwrap();
            let knows = rustix_knows(&ours);
            let mut codex = bed.command(mode, &["python3", "-c", program]);
            codex.stdin(Stdio::from(OwnedFd::from(theirs))).stdout(Stdio::piped()).stderr(Stdio::piped());
            let child = codex.spawn().unwrap();
            drop(codex);
            // It is up, and its socket is as it stays.
            rustix::net::recv(&ours, &mut [0u8; 1][..], RecvFlags::empty()).unwrap();
            let sent = send(&ours, &file);
            let _ = (&ours).write_all(b"end");
            let said = text(child);
            let written = std::fs::read_to_string(bed.outside().join("file")).unwrap() == "preciousx";
            if mode == "danger-full-access" {
                assert!(sent.is_ok() && written, "{way:?}: it does not work even without a sandbox: {said}");
            } else if knows {
                assert!(sent.is_err() && !written, "{way:?}: {said}");
            } else {
                eprintln!("this kernel cannot refuse descriptors, not tried");
            }
        }
    }
}

/// Whether the kernel has the option, asked without changing it.
#[allow(unsafe_code)]
fn rustix_knows(socket: &UnixStream) -> bool {
    let (mut value, mut length) = (0i32, 4u32);
    let fd = std::os::fd::AsRawFd::as_raw_fd(socket);
    // SAFETY: four bytes of room.
    unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, 83, (&raw mut value).cast(), &raw mut length) == 0 }
}

/// A daemon in a network of its own, whose socket the kernel's list of this network does not have.
struct Daemon(Child);

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Daemon {
    fn new(path: &std::path::Path) -> Self {
        let program = "import os, socket, sys, time
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); os.chmod(sys.argv[1], 0o777); s.listen(50)
print('up', flush=True); time.sleep(600)";
        let mut command = Command::new("unshare");
        command.args(["-n", "python3", "-c", program]).arg(path).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.take().unwrap()), &mut line)
            .unwrap();
        assert_eq!(line, "up\n");
        Self(child)
    }
}

/// `docker.sock`, mounted into a container: in a writable root, in `/run`, and mounted somewhere; also where a
/// container hides parts of `/proc`, so that no fresh one can be had.
#[test]
fn the_socket_of_a_daemon_elsewhere_is_out_of_reach() {
    if !is_root() || !crate::support::python() {
        eprintln!("only root can make another network, skipped");
        return;
    }
    let client = "import socket, sys
for path in sys.argv[1:]:
    try: socket.socket(socket.AF_UNIX).connect(path); print('REACHED', path)
    except OSError: pass
a = socket.socket(socket.AF_UNIX); a.bind('own.sock'); a.listen(1)
try: socket.socket(socket.AF_UNIX).connect('own.sock'); print('OWN')
except OSError as error: print(error)";
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("work/client.py", client);
        bed.write("work/mounted", "");
        let run =
            format!("/run/codex-test-{}-{:?}.sock", std::process::id(), way.user).replace(['(', ')'], "");
        let _in_run = Daemon::new(run.as_ref());
        let _in_root = Daemon::new(&bed.work().join("docker.sock"));
        let user =
            way.user.map_or(String::new(), |id| format!("setpriv --reuid {id} --regid {id} --clear-groups"));
        for masked in ["true", "mount -t tmpfs none /proc/fs"] {
            for sandbox in [
                format!("{}/codex sandbox --full-auto --level {} --", bed.path().display(), way.level),
                String::new(),
            ] {
                let line = format!(
                    "mount --bind {run} mounted && {masked} || exit 99; rm -f own.sock
                     exec {user} {sandbox} python3 client.py {run} docker.sock mounted /proc/self/root{run}"
                );
                let mut command = Command::new("unshare");
                command.args(["-m", "sh", "-c", &line]);
                let root = Bed::new(super::bed::Way { user: None, ..way });
                root.prepare(&mut command);
                command.current_dir(bed.work()).env("HOME", bed.path().join("home"));
                let said = text(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
                let want = if sandbox.is_empty() { 4 } else { 0 };
                assert_eq!(said.matches("REACHED").count(), want, "{way:?} {masked}: {said}");
                // Python of a user's own is perhaps not there for everybody; then nothing was tried.
                assert!(said.contains("OWN"), "{way:?} {masked}: {said}");
            }
        }
        let _ = std::fs::remove_file(run);
    }
}
