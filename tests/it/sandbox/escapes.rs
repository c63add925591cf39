//! Attempts by a small program in C, which can do what neither a shell nor the Rust library does. Each must work
//! without a sandbox, so that none is in vain for another reason.

use std::io::{IoSlice, Read};
use std::net::TcpListener;
use std::os::fd::AsFd;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::PathBuf;
use std::process::{Child, Command};

use super::bed::{Bed, LANDLOCK, is_root, snapshot, ways};

/// The program, in the bed; `None` without a compiler, said.
pub(super) fn compiled(bed: &Bed) -> Option<PathBuf> {
    let program = bed.path().join("escapes");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/sandbox/escapes.c");
    match Command::new("cc").args(["-O1", "-o"]).arg(&program).arg(source).status() {
        Ok(status) => assert!(status.success()),
        Err(error) => {
            eprintln!("no C compiler, skipped: {error}");
            return None;
        }
    }
    Some(program)
}

/// A process outside that belongs to the user of the attempts.
fn outsider(bed: &Bed) -> Child {
    let mut sleep = Command::new("sleep");
    sleep.arg("600");
    bed.prepare(&mut sleep);
    sleep.spawn().unwrap()
}

#[test]
fn nothing_gets_out_by_system_calls() {
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let program = program.to_str().unwrap();
        let mut sleep = outsider(&bed);
        let (pid, file) = (sleep.id().to_string(), bed.outside().join("file").display().to_string());
        let new = bed.outside().join("new").display().to_string();
        let before = || {
            let limits = std::fs::read_to_string(format!("/proc/{pid}/limits")).unwrap();
            (snapshot(&bed.outside()), limits)
        };
        let root = way.user.is_none() && is_root();
        for (what, with, tried) in [
            ("limits", &pid, true),
            ("kernel-events", &pid, true),
            ("raw-internet", &pid, root),
            // A network namespace leads nowhere, whatever the route.
            ("source-route", &pid, root && way.level == LANDLOCK),
            ("descriptors", &pid, true),
            ("memory", &pid, true),
            ("attach", &pid, true),
            ("memfd", &new, true),
            ("mode-by-descriptor", &file, true),
            ("times-by-descriptor", &file, true),
            ("attributes", &file, true),
            ("attributes-by-descriptor", &file, true),
            ("console", &pid, true),
        ] {
            let seen = before();
            let (code, text) = bed.sh(&format!("exec {program} {what} {with}"));
            assert!(code != 0 && code < 99, "{way:?}: {what} got through ({code}): {text}");
            assert_eq!(seen, before(), "{way:?}: {what}");
            if tried {
                let free = bed.free(&[program, what, with]);
                assert!(free, "{way:?}: {what} does not work even without a sandbox");
            }
        }
        let (code, text) = bed.sh(&format!("exec {program} supervisor"));
        assert!(code != 0, "{way:?}: the supervisor can be looked into: {text}");
        assert_ne!(bed.sh(&format!("{program} x32")).0, 0, "{way:?}: numbers of x32");
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    }
}

#[test]
fn raw_sockets_are_datagram_sockets_and_early_data_connects() {
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let path = bed.path().join("datagrams");
        let host = UnixDatagram::bind(&path).unwrap();
        bed.own(&path);
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        host.set_nonblocking(true).unwrap();
        tcp.set_nonblocking(true).unwrap();
        let reached = || host.recv(&mut [0]).is_ok() | tcp.accept().is_ok();
        let (program, path) = (program.to_str().unwrap(), path.to_str().unwrap());
        let port = tcp.local_addr().unwrap().port().to_string();
        for (what, with) in [("raw-datagram", path), ("raw-pair", path), ("fast-open", &port)] {
            bed.sh(&format!("exec {program} {what} {with}"));
            assert!(!reached(), "{way:?}: {what} arrived");
            bed.free(&[program, what, with]);
            assert!(reached(), "{way:?}: {what} does not arrive even without a sandbox");
        }
    }
}

/// Somebody outside would hand a descriptor to whoever asks.
#[test]
fn no_descriptor_is_fetched_from_outside() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let path = bed.path().join("giver");
        let giver = UnixListener::bind(&path).unwrap();
        bed.own(&path);
        let file = std::fs::OpenOptions::new().append(true).open(bed.outside().join("file")).unwrap();
        std::thread::spawn(move || {
            for stream in giver.incoming() {
                let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
                let mut rights = SendAncillaryBuffer::new(&mut space);
                let fds = [file.as_fd()];
                rights.push(SendAncillaryMessage::ScmRights(&fds));
                let mut stream = stream.unwrap();
                let _ = sendmsg(&stream, &[IoSlice::new(b"x")], &mut rights, SendFlags::NOSIGNAL);
                let _ = stream.read(&mut [0]);
            }
        });
        let (program, path) = (program.to_str().unwrap(), path.to_str().unwrap());
        let before = snapshot(&bed.outside());
        assert_ne!(bed.sh(&format!("{program} passed-descriptor {path}")).0, 0, "{way:?}");
        assert_eq!(before, snapshot(&bed.outside()), "{way:?}");
        assert!(bed.free(&[program, "passed-descriptor", path]), "{way:?}");
        assert_ne!(before, snapshot(&bed.outside()), "{way:?}");
    }
}

/// Memory of others can be named by numbers that are easily guessed; what a command makes goes with it.
#[test]
#[allow(unsafe_code)]
fn memory_of_others_is_out_of_reach_and_nothing_is_left() {
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let program = program.display().to_string();
        let key = 0x5c0d_e000 + (std::process::id() % 4096) as i32;
        // SAFETY: plain numbers.
        let id = unsafe { libc::shmget(key, 4096, libc::IPC_CREAT | libc::IPC_EXCL | 0o666) };
        assert!(id >= 0);
        for (what, with) in [("attach-memory", id), ("memory-by-key", key), ("remove-memory", id)] {
            let (code, text) = bed.sh(&format!("exec {program} {what} {with}"));
            assert!(code != 0 && code < 99, "{way:?}: {what}: {text}");
            let removes = what == "remove-memory" && way.user.is_some();
            assert!(removes || bed.free(&[&program, what, &with.to_string()]), "{way:?}: {what}");
        }
        // SAFETY: as above; perhaps it is gone already.
        unsafe { libc::shmctl(id, libc::IPC_RMID, std::ptr::null_mut()) };
        let segments = || std::fs::read_to_string("/proc/sysvipc/shm").unwrap().contains(" 77824 ");
        bed.sh("ipcmk -M 77824");
        assert!(!segments(), "{way:?}: memory is left");
    }
}

/// What is typed into another terminal of this user could be read there.
#[test]
fn terminals_of_others_cannot_be_read() {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        bed.own(name.as_ref());
        let program = program.to_str().unwrap();
        assert_ne!(bed.sh(&format!("{program} read {name}")).0, 0, "{way:?}");
        assert!(bed.free(&[program, "read", &name]), "{way:?}");
    }
}

/// With the filter left out the attempts that it alone stops get through: the tests above see it.
#[cfg(debug_assertions)]
#[test]
fn the_filter_is_missed_when_it_is_left_out() {
    for way in ways() {
        let bed = Bed::new(way);
        let Some(program) = compiled(&bed) else { return };
        let program = program.display();
        let path = bed.path().join("datagrams");
        let _host = UnixDatagram::bind(&path).unwrap();
        bed.own(&path);
        let mut sleep = outsider(&bed);
        let (pid, file) = (sleep.id(), bed.outside().join("file").display().to_string());
        let attempts: &[(&str, String)] = match way.level {
            LANDLOCK => &[
                ("raw-datagram", path.display().to_string()),
                ("limits", pid.to_string()),
                ("mode-by-descriptor", file.clone()),
                ("attributes", file.clone()),
                ("kernel-events", String::new()),
                ("console", String::new()),
            ],
            _ => &[("kernel-events", String::new()), ("console", String::new())],
        };
        let everywhere = ["keyring", "io-uring", "vsock", "entry-32"].map(|what| (what, String::new()));
        for (what, with) in attempts.iter().chain(&everywhere) {
            if !bed.free(&[&program.to_string(), what, with]) {
                eprintln!("this kernel does not know it, skipped: {what} as {:?}", way.user);
                continue;
            }
            let script = format!("exec {program} {what} {with}");
            assert_ne!(bed.sh(&script).0, 0, "{way:?}: {what}");
            let (code, text) = bed.sh_without(&["seccomp"], &script);
            assert_eq!(code, 0, "{way:?}: {what} is refused even without the filter: {text}");
        }
        sleep.kill().unwrap();
        sleep.wait().unwrap();
    }
}
