//! Every protection is needed: with it left out (builds for tests have a switch for that) something gets through
//! that is refused with it. So no test of this folder can pass because of another reason.
#![cfg(debug_assertions)]

use std::os::unix::net::UnixListener;

use super::bed::{Bed, LANDLOCK, NAMESPACES, is_root, ways};

/// Level, protections left out, and a script that ends with 0 only when it got through.
const NEEDED: &[(&str, &[&str], &str)] = &[
    (LANDLOCK, &["landlock"], "echo x > $O/new"),
    (LANDLOCK, &["landlock"], "cat ~/.ssh/id_ed25519"),
    (LANDLOCK, &["seccomp"], "chmod 600 $O/file"),
    (LANDLOCK, &["protected"], "echo x > .git/config"),
    (LANDLOCK, &["hide"], "cat ~/.ssh/id_ed25519"),
    (LANDLOCK, &["hide"], "cat .env"),
    (LANDLOCK, &["places"], "chmod 600 $O/file"),
    (LANDLOCK, &["places"], "echo x > $O/new"),
    (LANDLOCK, &["places"], "cat .env"),
    (LANDLOCK, &["servers"], "bash -c 'exec 3<>/dev/tcp/127.0.0.1/'$(cat port)"),
    (LANDLOCK, &["pins"], "mv sub aside"),
    (LANDLOCK, &["settings"], "echo x > .husky/pre-commit"),
    (LANDLOCK, &["no new privileges", "landlock", "seccomp"], "grep -q '^NoNewPrivs:.0' /proc/self/status"),
    (NAMESPACES, &["no new privileges", "landlock", "seccomp"], "grep -q '^NoNewPrivs:.0' /proc/self/status"),
    (NAMESPACES, &["pid"], "test \"$(readlink /proc/self/ns/pid)\" = \"$(cat pid)\""),
    (NAMESPACES, &["pid", "landlock"], "kill -0 $(cat outsider)"),
    (NAMESPACES, &["network"], "bash -c 'exec 3<>/dev/tcp/127.0.0.1/'$(cat port)"),
    (NAMESPACES, &["mounts"], "chmod 600 $O/file"),
    (NAMESPACES, &["mounts"], "cat ~/.ssh/id_ed25519"),
    (NAMESPACES, &["mounts"], "test -e /dev/shm/$(cat shm)"),
    (NAMESPACES, &["pins"], "mv sub aside && mkdir -p sub/.git && echo x > sub/.git/config"),
    (NAMESPACES, &["settings"], "echo x > .husky/pre-commit"),
    (NAMESPACES, &["mounts", "landlock"], "echo x > $O/new"),
    (NAMESPACES, &["protected"], "echo x > .git/config"),
    (NAMESPACES, &["protected"], "mkdir .codex/x"),
    (NAMESPACES, &["hide"], "cat ~/.ssh/id_ed25519"),
    (NAMESPACES, &["seccomp"], "unshare -U true"),
    (NAMESPACES, &["network"], "test \"$(readlink /proc/self/ns/net)\" = \"$(cat net)\""),
    (NAMESPACES, &["ipc"], "test \"$(readlink /proc/self/ns/ipc)\" = \"$(cat ipc)\""),
    (NAMESPACES, &["sockets"], "test -S $O/socket"),
];

/// Only root has something to lose.
const NEEDED_BY_ROOT: &[(&str, &[&str], &str)] = &[
    (NAMESPACES, &["capabilities"], "grep -q '^CapEff:.*ff$' /proc/self/status"),
    (LANDLOCK, &["capabilities"], "grep -q '^CapEff:.*ff$' /proc/self/status"),
    (NAMESPACES, &["mounts", "landlock"], "test -w /proc/sys/vm/swappiness"),
];

/// A process that ends with the test, however that ends.
struct Outsider(std::process::Child);

impl Drop for Outsider {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn every_protection_is_missed_when_it_is_left_out() {
    let root: &[_] = if is_root() { NEEDED_BY_ROOT } else { &[] };
    for way in ways() {
        let host = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = host.local_addr().unwrap().port().to_string();
        let memory = tempfile::NamedTempFile::new_in("/dev/shm").unwrap();
        let mut sleep = std::process::Command::new("sleep");
        sleep.arg("600");
        let yard = Bed::new(way);
        yard.prepare(&mut sleep);
        let sleep = Outsider(sleep.spawn().unwrap());
        let by_root = if way.user.is_none() { root } else { &[] };
        for (level, without, script) in NEEDED.iter().chain(by_root).filter(|case| case.0 == way.level) {
            let make = || {
                let bed = Bed::new(way);
                bed.write("home/.ssh/id_ed25519", "secret");
                bed.write("work/.env", "secret");
                bed.write("work/.git/config", "[core]\n\thooksPath = .husky\n");
                bed.write("work/.husky/pre-commit", "");
                bed.write("work/sub/.git/config", "[core]");
                bed.write("work/port", &port);
                bed.write("work/outsider", &sleep.0.id().to_string());
                bed.write("work/shm", memory.path().file_name().unwrap().to_str().unwrap());
                let socket = bed.outside().join("socket");
                let listener = UnixListener::bind(&socket).unwrap();
                bed.own(&socket);
                bed.sh_free("readlink /proc/self/ns/net > net; readlink /proc/self/ns/ipc > ipc; readlink /proc/self/ns/pid > pid");
                (bed, listener)
            };
            let (bed, _listener) = make();
            let (code, output) = bed.sh(script);
            assert_ne!(code, 0, "{way:?} {level}: `{script}` gets through: {output}");
            let (bed, _listener) = make();
            let (code, output) = bed.sh_without(without, script);
            assert_eq!(code, 0, "{way:?} {level}: `{script}` is refused even without {without:?}: {output}");
        }
    }
}

/// What git executes is closed even to what git itself starts.
#[test]
fn the_seals_of_a_repository_are_missed_when_they_are_left_out() {
    for way in ways() {
        let commit = |without: &[&str]| {
            let bed = Bed::new(way);
            super::git::repository(&bed, "work");
            bed.write("work/.git/hooks/pre-commit", "#!/bin/sh\necho x > .git/hooks/post-merge\nexit 0\n");
            bed.sh_free("chmod +x .git/hooks/pre-commit");
            let (code, output) = bed.sh_without(without, "git commit -q --allow-empty -m second");
            assert_eq!(code, 0, "{way:?}: {output}");
            bed.work().join(".git/hooks/post-merge").exists()
        };
        assert!(!commit(&[]), "{way:?}");
        assert!(commit(&["seals"]), "{way:?}");
    }
}

/// Sockets of the machine that come to be after the command has started.
#[test]
fn sockets_that_come_later_are_out_of_reach() {
    if !crate::support::python() {
        return;
    }
    use std::os::unix::net::UnixDatagram;
    let program = "import os, socket, sys, time
open('ready', 'w').close()
while not os.path.exists('go'): time.sleep(0.01)
def reach(kind, path):
    s = socket.socket(socket.AF_UNIX, kind)
    if kind == socket.SOCK_DGRAM: s.sendto(b'x', path)
    else: s.connect(path)
    print('REACHED', path)
paths = [os.environ['O'] + '/later', 'later', '/proc/self/root' + os.environ['O'] + '/later', 'soft']
os.symlink(os.environ['O'] + '/later', 'soft')
for path in paths:
    try: reach(socket.SOCK_STREAM, path)
    except OSError: pass
for path in [os.environ['O'] + '/datagrams']:
    try: reach(socket.SOCK_DGRAM, path)
    except OSError: pass
own = socket.socket(socket.AF_UNIX); own.bind('own.sock'); own.listen(1)
try: os.rename('later', 'mine')
except OSError: pass
socket.socket(socket.AF_UNIX).connect('own.sock'); own.accept()
tcp = socket.create_server(('127.0.0.1', 0))
socket.create_connection(tcp.getsockname()); tcp.accept()
try: reach(socket.SOCK_STREAM, 'mine')
except OSError: pass
print('END')
";
    for way in ways() {
        let run = |without: &[&str]| {
            let bed = Bed::new(way);
            bed.write("work/late.py", program);
            let bind = |path: std::path::PathBuf| {
                let listener = UnixListener::bind(&path).unwrap();
                bed.own(&path);
                listener
            };
            let (outside, work) = (bed.outside().join("later"), bed.work().join("later"));
            let (code, output) = std::thread::scope(|scope| {
                let command = scope.spawn(|| bed.sh_without(without, "exec python3 late.py"));
                while !bed.work().join("ready").exists() && !command.is_finished() {
                    std::thread::yield_now();
                }
                let _held = (bind(outside), bind(work));
                let datagrams = bed.outside().join("datagrams");
                let _datagrams = UnixDatagram::bind(&datagrams).unwrap();
                bed.own(&datagrams);
                bed.write("work/go", "");
                command.join().unwrap()
            });
            assert_eq!(code, 0, "{way:?}: {output}");
            assert!(output.ends_with("END\n"), "{way:?}: {output}");
            output
        };
        assert_eq!(run(&[]), "END\n", "{way:?}");
        let without: &[&str] = if way.level == LANDLOCK { &["servers"] } else { &["late sockets"] };
        assert!(run(without).matches("REACHED").count() >= 3, "{way:?}");
    }
}

/// An older kernel in place of this one, as far as Landlock goes: what it does not see the filter refuses.
#[test]
fn older_versions_of_landlock_hold_as_well() {
    for way in ways().into_iter().filter(|way| way.level == LANDLOCK) {
        for version in 1..=6 {
            let bed = Bed::new(way);
            bed.write("home/.ssh/id_ed25519", "hush-hush");
            let before =
                [super::bed::snapshot(&bed.outside()), super::bed::snapshot(&bed.work().join(".git"))];
            let script = "echo x > $O/new; truncate -s 0 $O/file; ln $O/file hard; mv $O/file src/f; ln own .git/own
                mv src/main.rs $O/; python3 -c \"import os; os.open(os.environ['O'] + '/file', os.O_TRUNC)\"
                cat ~/.ssh/id_ed25519; chmod 600 $O/file; touch -d 2001-01-01 $O/file; kill -9 $PPID; kill -9 -1
                echo fine > new && mkdir -p a/b && mv new a/b/new && cat a/b/new";
            let (_, output) = bed.sh_without(&[&format!("abi-{version}")], script);
            let after =
                [super::bed::snapshot(&bed.outside()), super::bed::snapshot(&bed.work().join(".git"))];
            assert_eq!(before, after, "{way:?} {version}");
            assert!(output.starts_with("fine\n"), "{way:?} {version}: {output}");
            assert!(!output.contains("hush-hush"), "{way:?} {version}: {output}");
        }
    }
}

/// Many entries beside a protected folder, and a secret among them: all but the secret is read and written.
#[test]
fn a_large_folder_with_a_secret_in_it_can_be_worked_in() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.sh_free("for i in $(seq 400); do mkdir d$i; echo $i > f$i; done");
        bed.write("work/.env", "hush-hush");
        let script = "set -e; for i in 1 200 400; do test $(cat f$i) = $i; echo y > f$i; echo z > d$i/new; cat d$i/new; done
            cat .git/config .git/hooks/sample; echo n > brand-new; cat brand-new; cat .env && exit 3; true";
        let (code, output) = bed.sh(script);
        assert_eq!(code, 0, "{way:?}: {output}");
        assert!(!output.contains("hush-hush") && output.contains("[core]"), "{way:?}: {output}");
    }
}
