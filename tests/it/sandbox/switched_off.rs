//! Every protection is needed: with it left out (builds for tests have a switch for that) something gets through
//! that is refused with it. So no test of this folder can pass because of another reason.
#![cfg(debug_assertions)]

use std::os::unix::net::UnixListener;

use super::bed::{Bed, LANDLOCK, NAMESPACES, Way, is_root, processes, ways};

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
    (LANDLOCK, &["settings"], "echo x > sub/.git/config"),
    (LANDLOCK, &["landlock"], "kill -0 $(cat outsider)"),
    (LANDLOCK, &["no new privileges", "landlock", "seccomp"], "grep -q '^NoNewPrivs:.0' /proc/self/status"),
    (NAMESPACES, &["no new privileges", "landlock", "seccomp"], "grep -q '^NoNewPrivs:.0' /proc/self/status"),
    (NAMESPACES, &["pid"], "test \"$(readlink /proc/self/ns/pid)\" = \"$(cat pid)\""),
    (NAMESPACES, &["pid", "landlock"], "kill -0 $(cat outsider)"),
    (NAMESPACES, &["network"], "bash -c 'exec 3<>/dev/tcp/127.0.0.1/'$(cat port)"),
    (NAMESPACES, &["mounts"], "chmod 600 $O/file"),
    (NAMESPACES, &["mounts"], "cat ~/.ssh/id_ed25519"),
    (NAMESPACES, &["mounts"], "test -e /dev/shm/$(cat shm)"),
    (
        NAMESPACES,
        &["pins", "names of secrets"],
        "mv sub aside && mkdir -p sub/.git && echo x > sub/.git/config",
    ),
    (NAMESPACES, &["settings"], "echo x > .husky/pre-commit"),
    (NAMESPACES, &["settings"], "echo x > sub/.git/config"),
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
    (LANDLOCK, &["places"], "v=$(cat /proc/sys/vm/swappiness) && echo $v > /proc/sys/vm/swappiness"),
    (NAMESPACES, &["user", "capabilities", "landlock"], "mknod src/disk b 8 0"),
    (LANDLOCK, &["seccomp", "capabilities", "landlock"], "mknod src/disk b 8 0"),
    (NAMESPACES, &["seccomp", "capabilities", "landlock"], "mount -t tmpfs none src && umount src"),
    (LANDLOCK, &["seccomp", "capabilities", "landlock"], "mount -t tmpfs none src && umount src"),
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

/// `codex sandbox` with a script, started by a shell line that puts something around it.
fn around(bed: &Bed, before: &str, without: &[&str], script: &str) -> String {
    let without: Vec<_> = without.iter().map(|protection| format!("--without '{protection}'")).collect();
    let line = format!(
        "{before} exec {}/codex sandbox --full-auto --level {} {} -- sh -c '{script}'",
        bed.path().display(),
        bed.way.level,
        without.join(" ")
    );
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line]);
    bed.prepare(&mut shell);
    let output = shell.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn inherited_descriptors_are_missed_to_be_closed() {
    for way in ways() {
        for (without, want) in [(&[][..], "precious"), (&["descriptors"], "preciousx\n")] {
            let bed = Bed::new(way);
            let text = around(&bed, "exec 9>>$O/file;", without, "echo x >&9");
            let file = std::fs::read_to_string(bed.outside().join("file")).unwrap();
            assert_eq!(file, want, "{way:?} {without:?}: {text}");
        }
    }
}

/// Processes with this mark, ended.
fn end(mark: &str) -> usize {
    let mut ended = 0;
    for process in std::fs::read_dir("/proc").unwrap().flatten() {
        let line = std::fs::read(process.path().join("cmdline")).unwrap_or_default();
        let number = process.file_name().to_str().and_then(|name| name.parse().ok());
        if let Some(pid) = number.and_then(rustix::process::Pid::from_raw)
            && String::from_utf8_lossy(&line).contains(mark)
        {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            ended += 1;
        }
    }
    ended
}

/// The tree of a command ends with the command, and with whatever watches over it.
#[test]
fn that_the_tree_ends_is_missed_when_it_is_left_out() {
    for way in ways() {
        let without: &[&str] = if way.level == LANDLOCK { &["tree"] } else { &["pid", "tree"] };
        for (number, killed) in [false, true].into_iter().enumerate() {
            for (without, survives) in [(&[][..], false), (without, true)] {
                let bed = Bed::new(way);
                let mark = format!("5{}{number}{}.375", std::process::id(), u8::from(survives));
                let script = format!("(setsid sleep {mark} </dev/null >/dev/null 2>&1 &); touch up");
                let script = if killed { format!("{script}; exec sleep {mark}") } else { script };
                if killed {
                    killed_outright(&bed, without, &script);
                } else {
                    bed.sh_without(without, &script);
                }
                let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
                while processes(&mark) > 0 && !survives && std::time::Instant::now() < patience {
                    std::thread::yield_now();
                }
                assert_eq!(end(&mark) > 0, survives, "{way:?}: killed: {killed}, without {without:?}");
            }
        }
    }
}

/// Starts the script, and kills `codex sandbox` when it is up.
fn killed_outright(bed: &Bed, without: &[&str], script: &str) {
    let mut codex = std::process::Command::new(bed.path().join("codex"));
    codex.args(["sandbox", "-s", "workspace-write", "--level", bed.way.level]);
    for protection in without {
        codex.args(["--without", protection]);
    }
    codex.args(["--", "sh", "-c", script]);
    bed.prepare(&mut codex);
    let mut codex = codex.spawn().unwrap();
    while !bed.work().join("up").exists() {
        assert!(codex.try_wait().unwrap().is_none(), "{:?}: it ended by itself", bed.way);
        std::thread::yield_now();
    }
    codex.kill().unwrap();
    codex.wait().unwrap();
}

/// Tracing and reading others. An ordinary user has no other namespaces without one of users, so that only root can
/// leave it out.
#[test]
fn what_keeps_tracers_away_is_missed_when_it_is_left_out() {
    let can = |way: &Way| way.level == LANDLOCK || (way.user.is_none() && is_root());
    for way in ways().into_iter().filter(can) {
        let bed = Bed::new(way);
        let Some(program) = super::escapes::compiled(&bed) else { return };
        let mut sleep = std::process::Command::new("sleep");
        sleep.arg("600");
        bed.prepare(&mut sleep);
        let sleep = Outsider(sleep.spawn().unwrap());
        let without: &[&str] = match way.level {
            LANDLOCK => &["landlock", "places", "capabilities"],
            _ => &["user", "pid", "landlock", "mounts", "capabilities"],
        };
        for what in ["attach", "memory"] {
            let script = format!("exec {} {what} {}", program.display(), sleep.0.id());
            assert_ne!(bed.sh(&script).0, 0, "{way:?}: {what}");
            let (code, text) = bed.sh_without(without, &script);
            assert_eq!(code, 0, "{way:?}: {what} is refused even without {without:?}: {text}");
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
