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
