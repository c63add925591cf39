//! Exit codes, and that nothing survives.

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use super::bed::{Bed, NAMESPACES, processes, ways};

#[test]
fn the_exit_code_is_the_commands() {
    for way in ways() {
        let bed = Bed::new(way);
        for (command, want) in [
            (&["sh", "-c", "exit 7"][..], 7),
            (&["sh", "-c", "kill -15 $$"], 143),
            (&["no-such-program-here"], 127),
            (&["./own"], 126),
        ] {
            let output = bed.codex("workspace-write", command);
            assert_eq!(output.status.code(), Some(want), "{way:?} {command:?}: {output:?}");
            assert_eq!((126..128).contains(&want), !output.stderr.is_empty(), "{output:?}");
        }
    }
}

#[test]
fn what_a_command_leaves_behind_dies_with_it() {
    for way in ways() {
        let bed = Bed::new(way);
        for (number, script) in [
            "sleep MARK & exit 0",
            "(setsid sh -c 'trap \"\" TERM HUP INT; sleep MARK; sleep MARK' &) & exit 0",
            "for i in 1 2 3; do (setsid sh -c '(sleep MARK &) ; sleep MARK' &); done",
        ]
        .iter()
        .enumerate()
        {
            let mark = format!("9{}{number}.125", std::process::id());
            let (code, output) = bed.sh(&script.replace("MARK", &mark));
            assert_eq!(code, 0, "{output}");
            assert_eq!(processes(&mark), 0, "{way:?}: {script}");
        }
    }
}

#[test]
fn a_signal_to_codex_sandbox_ends_the_tree() {
    for way in ways() {
        for signal in
            [rustix::process::Signal::TERM, rustix::process::Signal::INT, rustix::process::Signal::HUP]
        {
            let bed = Bed::new(way);
            let mark = format!("8{}{}.125", std::process::id(), signal.as_raw());
            let script = format!("(setsid sh -c 'trap \"\" TERM; sleep {mark}' &); echo up; sleep {mark}");
            let mut codex = bed.command("workspace-write", &["sh", "-c", &script]);
            let mut codex = codex.stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(codex.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "up\n");
            rustix::process::kill_process(rustix::process::Pid::from_child(&codex), signal).unwrap();
            codex.wait().unwrap();
            assert_eq!(processes(&mark), 0, "{way:?} {signal:?}");
        }
    }
}

/// Neither who watches over a command nor who answers it takes its end along when it is killed, and what the command
/// has made in memory goes.
#[test]
fn killing_the_supervisor_or_the_process_between_ends_the_tree() {
    for way in ways() {
        for between in [false, true] {
            let bed = Bed::new(way);
            let mark = format!("3{}{}.625", std::process::id(), u8::from(between));
            let size = 81_920 + 4096 * (std::process::id() % 1000);
            let script = format!(
                "ipcmk -M {size} > /dev/null; echo x > /dev/shm/codex-{mark}
                 (setsid sleep {mark} </dev/null >/dev/null 2>&1 &); echo up; sleep {mark}"
            );
            let mut codex = bed.command("workspace-write", &["sh", "-c", &script]);
            let mut codex = codex.stdout(Stdio::piped()).spawn().unwrap();
            let mut line = String::new();
            BufReader::new(codex.stdout.take().unwrap()).read_line(&mut line).unwrap();
            assert_eq!(line, "up\n", "{way:?}");
            if between {
                let children = format!("/proc/{0}/task/{0}/children", codex.id());
                let child = fs::read_to_string(children).unwrap().trim().parse().unwrap();
                let child = rustix::process::Pid::from_raw(child).unwrap();
                rustix::process::kill_process(child, rustix::process::Signal::KILL).unwrap();
            } else {
                codex.kill().unwrap();
            }
            codex.wait().unwrap();
            let memory = || fs::read_to_string("/proc/sysvipc/shm").unwrap().contains(&format!(" {size} "));
            let file = std::path::PathBuf::from(format!("/dev/shm/codex-{mark}"));
            let patience = std::time::Instant::now() + std::time::Duration::from_secs(30);
            while (processes(&mark) > 0 || memory() || file.exists()) && std::time::Instant::now() < patience
            {
                std::thread::yield_now();
            }
            let left = (processes(&mark), memory(), file.exists());
            assert_eq!(left, (0, false, false), "{way:?}: between: {between}");
        }
    }
}

/// As `codex` starts it: the words of the supervisor, control socket on descriptor 3.
fn supervise(words: &[&str]) -> (std::process::Child, UnixStream) {
    let (mut command, control) = supervisor(words);
    (command.spawn().unwrap(), control)
}

/// The command and our end of its control socket. Its end goes with the command.
fn supervisor(words: &[&str]) -> (Command, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_codex"));
    command
        .arg0("codex-supervise")
        .args(words)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    #[allow(unsafe_code)]
    // SAFETY: only dup2 between fork and execution.
    unsafe {
        command.pre_exec(move || {
            let fd = std::os::fd::AsRawFd::as_raw_fd(&theirs);
            if libc::dup2(fd, 3) < 0 {
                return Err(std::io::Error::last_os_error());
            }
            if fd == 3 {
                libc::fcntl(3, libc::F_SETFD, 0);
            }
            Ok(())
        });
    }
    ours.set_read_timeout(Some(std::time::Duration::from_secs(60))).unwrap();
    (command, ours)
}

fn line(control: &UnixStream) -> String {
    let mut line = String::new();
    BufReader::new(control).read_line(&mut line).unwrap();
    line
}

#[test]
fn a_supervisor_tells_the_end_in_one_line() {
    let sandboxed = r#"{"level":"namespaces","write":[],"network":false}"#;
    for (words, want) in [
        (&["pipe", "-", "/", "sh", "-c", "exit 5"][..], "exit 5\n"),
        (&["pipe", "-", "/", "sh", "-c", "kill -9 $$"], "signal 9\n"),
        (&["pipe", "-", "/", "no-such-program-here"], "exec 2\n"),
        (&["pipe", sandboxed, "/", "sh", "-c", "exit 5"], "exit 5\n"),
        (&["pipe", sandboxed, "/", "no-such-program-here"], "exec 2\n"),
    ] {
        let (mut child, control) = supervise(words);
        let line = line(&control);
        assert!(line == want || (words[1] != "-" && line.starts_with("setup ")), "{words:?}: {line}");
        child.wait().unwrap();
    }
    for words in [
        &["pipe", "-", "/no/such/folder", "true"][..],
        &["pipe", "{\"level\":\"none\"}", "/", "true"],
        &["tty", "-", "/", "true"],
        &["pipe", "-", "/"],
    ] {
        let (mut child, control) = supervise(words);
        assert!(line(&control).starts_with("setup "), "{words:?}");
        child.wait().unwrap();
    }
}

#[test]
fn a_terminal_becomes_the_commands_own() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    for confine in ["-", r#"{"level":"landlock","write":[],"network":false}"#] {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || {
            fs::OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open(&name).unwrap()
        };
        // Not a shell: one that is just starting a child may lose the interrupt.
        let (mut command, control) = supervisor(&["tty", confine, "/", "cat"]);
        let mut child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        drop(command);
        rustix::io::write(&master, b"up\n").unwrap();
        let mut shown = String::new();
        // Once by the terminal itself, once by the command.
        while shown.matches("up").count() < 2 {
            let mut chunk = [0; 64];
            let read = rustix::io::read(&master, &mut chunk).unwrap();
            shown.push_str(&String::from_utf8_lossy(&chunk[..read]));
        }
        rustix::io::write(&master, b"\x03").unwrap();
        assert_eq!(line(&control), "signal 2\n", "{confine}");
        child.wait().unwrap();
    }
}

#[test]
fn the_probe_says_what_works() {
    let output =
        Command::new(env!("CARGO_BIN_EXE_codex")).arg0("codex-supervise").arg("probe").output().unwrap();
    let works = ways().iter().any(|way| way.level == NAMESPACES && way.user.is_none());
    assert_eq!(output.stdout == b"namespaces\n", works, "{output:?}");
}

#[test]
fn the_tree_dies_when_told_and_when_codex_is_gone() {
    for told in [true, false] {
        let mark = format!("7{}{told}", std::process::id()).replace("true", ".25").replace("false", ".75");
        let script = format!("trap '' TERM; (setsid sh -c 'sleep {mark}; :' &); sleep {mark}; :");
        let (mut child, mut control) = supervise(&["pipe", "-", "/", "sh", "-c", &script]);
        while processes(&mark) < 4 {
            assert!(child.try_wait().unwrap().is_none());
            std::thread::yield_now();
        }
        if told {
            std::io::Write::write_all(&mut control, b"T").unwrap();
            assert_eq!(line(&control), "signal 9\n");
        } else {
            drop(control);
        }
        child.wait().unwrap();
        assert_eq!(processes(&mark), 0, "told: {told}");
    }
}
