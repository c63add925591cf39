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

#[test]
fn every_protection_is_missed_when_it_is_left_out() {
    let root: &[_] = if is_root() { NEEDED_BY_ROOT } else { &[] };
    for way in ways() {
        let by_root = if way.user.is_none() { root } else { &[] };
        for (level, without, script) in NEEDED.iter().chain(by_root).filter(|case| case.0 == way.level) {
            let make = || {
                let bed = Bed::new(way);
                bed.write("home/.ssh/id_ed25519", "secret");
                let socket = bed.outside().join("socket");
                let listener = UnixListener::bind(&socket).unwrap();
                bed.own(&socket);
                bed.sh_free("readlink /proc/self/ns/net > net; readlink /proc/self/ns/ipc > ipc");
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
