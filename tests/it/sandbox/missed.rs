//! What no shell can try: calls, sockets given as stdio, files saved by others meanwhile. As in [`super::switched_off`]
//! each is refused, and gets through when its protection is left out. Where two walls stand before the same thing, both
//! are left out, for either alone holds. No row has pushing keys into a terminal: a command's session has no terminal
//! but its own, and kernels from 6.2 on refuse it to whoever is not an administrator.
#![cfg(debug_assertions)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};

use super::bed::{Bed, LANDLOCK, NAMESPACES, is_root, ways};

/// What is tried, the level, what is left out, and whether only root has it to lose.
const CALLS: &[(&str, &str, &[&str], bool)] = &[
    ("ring", NAMESPACES, &["seccomp"], false),
    ("ring", LANDLOCK, &["seccomp"], false),
    ("key", NAMESPACES, &["seccomp"], false),
    ("key", LANDLOCK, &["seccomp"], false),
    ("limits", NAMESPACES, &["pid"], false),
    ("limits", LANDLOCK, &["seccomp"], false),
    ("attributes", NAMESPACES, &["mounts"], false),
    ("attributes", LANDLOCK, &["places"], false),
    ("raw", NAMESPACES, &["seccomp", "capabilities"], true),
    ("raw", LANDLOCK, &["seccomp", "capabilities"], true),
    ("packet", NAMESPACES, &["seccomp", "capabilities"], true),
    ("packet", LANDLOCK, &["seccomp", "capabilities"], true),
    ("bpf", NAMESPACES, &["seccomp", "capabilities", "user"], true),
    ("bpf", LANDLOCK, &["seccomp", "capabilities"], true),
    ("module", NAMESPACES, &["seccomp", "capabilities", "user"], true),
    ("module", LANDLOCK, &["seccomp", "capabilities"], true),
];

/// Ends with 0 when the kernel lets it in; a module that is not there is looked for only then.
const PROGRAM: &str = "import ctypes, errno, os, resource, socket, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == 'x86_64'
def call(number, *rest):
    if libc.syscall(number, *rest) < 0: raise OSError(ctypes.get_errno(), 'call')
def module():
    try: call(176 if x86 else 106, b'none-of-this-name', os.O_NONBLOCK)
    except OSError as e:
        if e.errno not in (errno.ENOENT, errno.EBUSY): raise
what = sys.argv[1]
limit = struct.pack('QQ', 64, 64)
{'ring': lambda: call(425, 1, ctypes.create_string_buffer(256)),
 'key': lambda: call(248 if x86 else 217, b'user', b'codex-test', b'x', 1, -2),
 'limits': lambda: call(302 if x86 else 261, int(open('outsider').read()), 7, limit, 0),
 'attributes': lambda: os.setxattr(os.environ['O'] + '/file', 'user.codex', b'x'),
 'raw': lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1),
 'packet': lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW),
 'bpf': lambda: call(321 if x86 else 280, 0, struct.pack('IIII', 2, 4, 4, 1) + bytes(112), 128),
 'module': module}[what]()
";

/// A process that ends with the test.
struct Outsider(std::process::Child);

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn calls_that_only_one_protection_stops_get_through_without_it() {
    if !crate::support::python() {
        return;
    }
    let mut tried = 0;
    for way in ways() {
        let may = |by_root: bool| !by_root || (way.user.is_none() && is_root());
        for (what, _, without, _) in CALLS.iter().filter(|case| case.1 == way.level && may(case.3)) {
            let bed = Bed::new(way);
            let mut sleep = Command::new("sleep");
            sleep.arg("600");
            bed.prepare(&mut sleep);
            let sleep = Outsider(sleep.spawn().unwrap());
            bed.write("work/outsider", &sleep.0.id().to_string());
            bed.write("work/try.py", PROGRAM);
            // This kernel may not have it at all.
            if !bed.free(&["python3", "try.py", what]) {
                eprintln!("not available here, skipped: {what} as {way:?}");
                continue;
            }
            let script = format!("exec python3 try.py {what}");
            let (code, output) = bed.sh(&script);
            assert_eq!(code, 1, "{way:?}: {what} gets through: {output}");
            let (code, output) = bed.sh_without(without, &script);
            assert_eq!(code, 0, "{way:?}: {what} is refused even without {without:?}: {output}");
            tried += 1;
        }
    }
    assert!(tried >= 4, "nothing was tried");
}

/// A connection that a command is given is a way into a network that is off.
#[test]
fn sockets_as_stdio_are_missed_to_be_refused() {
    for way in ways() {
        for (without, gets_through) in [(&[][..], false), (&["stdio"], true)] {
            let bed = Bed::new(way);
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let given = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let mut other = listener.accept().unwrap().0;
            let mut codex = Command::new(bed.path().join("codex"));
            codex.args(["sandbox", "--full-auto", "--level", way.level]);
            for protection in without {
                codex.args(["--without", protection]);
            }
            codex.args(["--", "sh", "-c", "echo out >&0"]);
            bed.prepare(&mut codex);
            let output = codex.stdin(Stdio::from(OwnedFd::from(given))).output().unwrap();
            drop(codex);
            let mut text = String::new();
            other.read_to_string(&mut text).unwrap();
            assert_eq!(text == "out\n", gets_through, "{way:?} {without:?}: {output:?}");
        }
    }
}

/// A cover goes with the file that is renamed over, so the name itself is kept.
#[test]
fn that_names_of_secrets_are_kept_is_missed_when_it_is_left_out() {
    for way in ways().into_iter().filter(|way| way.level == NAMESPACES) {
        for (without, seen) in [(&[][..], false), (&["names of secrets"], true)] {
            let bed = Bed::new(way);
            // Too many for a folder of their own in the command's view.
            for number in 0..200 {
                bed.write(&format!("home/.ssh/known-{number}.pub"), "open");
            }
            bed.write("home/.ssh/id_ed25519", "hush-hush");
            let mut codex = Command::new(bed.path().join("codex"));
            codex.args(["sandbox", "--full-auto", "--level", way.level]);
            for protection in without {
                codex.args(["--without", protection]);
            }
            codex.args(["--", "sh", "-c", "echo ready; read line; cat ~/.ssh/id_ed25519"]);
            bed.prepare(&mut codex);
            codex.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            let mut child = codex.spawn().unwrap();
            let mut lines = BufReader::new(child.stdout.take().unwrap());
            let mut output = String::new();
            lines.read_line(&mut output).unwrap();
            let keys = bed.path().join("home/.ssh");
            bed.write("home/.ssh/saved", "hush-hush");
            std::fs::rename(keys.join("saved"), keys.join("id_ed25519")).unwrap();
            child.stdin.take().unwrap().write_all(b"go\n").unwrap();
            lines.read_to_string(&mut output).unwrap();
            child.wait().unwrap();
            assert_eq!(output.contains("hush-hush"), seen, "{way:?} {without:?}: {output}");
        }
    }
}

/// Where there is no network namespace, a port of somebody else's that allows sharing is not shared, nor by a socket
/// that says so just after it has been looked at.
#[test]
fn a_port_of_somebody_elses_is_not_shared_by_changing_ones_mind() {
    if !crate::support::python() {
        return;
    }
    let program = "import socket, sys, threading
port, heard = int(open('port').read()), 0
def flip(s, stop):
    value = 0
    while not stop:
        try: s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, value)
        except OSError: return
        value ^= 1
for _ in range(600):
    s, stop = socket.socket(), []
    t = threading.Thread(target=flip, args=(s, stop)); t.start()
    try: s.bind(('127.0.0.1', port)); s.listen(4); heard += 1
    except OSError: pass
    stop.append(1); t.join(); s.close()
own = [socket.socket(), socket.socket()]
for s in own:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    assert s.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT) == 1
    s.bind(own[0].getsockname() if s is own[1] else ('127.0.0.1', 0)); s.listen(4)
print('heard', heard)
";
    let victim = "import socket, sys
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1); s.bind(('127.0.0.1', 0)); s.listen(4)
print(s.getsockname()[1], flush=True); sys.stdin.read()
";
    for way in ways().into_iter().filter(|way| way.level == LANDLOCK) {
        let bed = Bed::new(way);
        let mut python = Command::new("python3");
        python.args(["-c", victim]);
        bed.prepare(&mut python);
        let mut python = Outsider(python.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap());
        let mut port = String::new();
        BufReader::new(python.0.stdout.take().unwrap()).read_line(&mut port).unwrap();
        bed.write("work/port", port.trim());
        bed.write("work/share.py", program);
        let (code, output) = bed.sh("exec python3 share.py");
        assert_eq!((code, output.as_str()), (0, "heard 0\n"), "{way:?}");
    }
}

/// Keeping the name of a secret leaves everything else beside it as it is.
#[test]
fn a_workspace_with_a_secret_in_it_is_worked_in_as_any_other() {
    if !crate::support::python() {
        return;
    }
    let program = "import os, socket
os.makedirs('fresh/deep')
for at in ('fresh/s', 'fresh/deep/s', 'top'):
    s = socket.socket(socket.AF_UNIX); s.bind(at); s.listen(1)
    c = socket.socket(socket.AF_UNIX); c.connect(at); s.accept(); os.unlink(at)
s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1); socket.create_connection(s.getsockname())
s = socket.socket(socket.AF_UNIX); s.bind('\\0codex-test-%d' % os.getpid())
open('fresh/a', 'w').write('a'); os.rename('fresh/a', 'b'); os.link('b', 'fresh/c'); os.truncate('fresh/c', 0)
os.symlink('b', 'fresh/l'); os.mkfifo('fresh/f'); os.chmod('b', 0o600); os.utime('b', (1, 1)); os.replace('b', 'own')
assert os.stat('own').st_mtime == 1 and open('own').read() == ''
try: open('.env').read()
except PermissionError: print('kept')
";
    for way in ways() {
        for network in [false, true] {
            // Without namespaces an open network leaves no sockets in the file system.
            if network && way.level == LANDLOCK {
                continue;
            }
            let bed = Bed::new(way);
            bed.write("work/.env", "hush-hush");
            bed.write("work/all.py", program);
            let mut codex = Command::new(bed.path().join("codex"));
            codex.args(["sandbox", "--full-auto", "--level", way.level]);
            codex.args(if network { &["--network"][..] } else { &[] }).args(["--", "python3", "all.py"]);
            bed.prepare(&mut codex);
            let output = codex.output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stdout), "kept\n", "{way:?} {network}: {output:?}");
        }
    }
}
