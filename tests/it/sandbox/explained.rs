//! `codex sandbox explain`: names what was refused and what would allow it, and keeps the exit code.

use super::bed::{Bed, ways};

fn explain(bed: &Bed, script: &str) -> (i32, String) {
    let mut command = std::process::Command::new(bed.path().join("codex"));
    command.args(["sandbox", "explain", "--full-auto", "--level", bed.way.level, "--", "sh", "-c", script]);
    bed.prepare(&mut command);
    let output = command.output().unwrap();
    (output.status.code().unwrap_or(-1), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn refusals_are_named_with_the_narrowest_grant() {
    for way in ways() {
        let bed = Bed::new(way);
        bed.write("home/.ssh/id_ed25519", "secret");
        let outside = bed.outside().display().to_string();
        let secret = bed.path().join("home/.ssh/id_ed25519").display().to_string();
        for (script, wants) in [
            (
                "echo x 2>/dev/null > $O/new; exit 5",
                vec![format!("write {outside}/new"), format!("--add-dir {outside}")],
            ),
            ("(cd $O && rm -f file) 2>/dev/null; exit 5", vec![format!("write {outside}/file")]),
            (
                "echo x > .git/config; exit 5",
                vec![".git/config: a repository is written by plain commands".to_owned()],
            ),
            ("cat ~/.ssh/id_ed25519; exit 5", vec![format!("deny_read.allow = [\"{secret}\"]")]),
            ("unshare -U true; exit 5", vec!["unshare".to_owned()]),
            ("echo fine > own; exit 5", vec!["refused nothing".to_owned()]),
        ] {
            let (code, text) = explain(&bed, script);
            assert_eq!(code, 5, "{way:?}: {script}: {text}");
            for want in wants {
                assert!(text.contains(&want), "{way:?}: {script}: {want}: {text}");
            }
        }
    }
}

#[test]
fn addresses_are_named_and_own_servers_are_not() {
    if !crate::support::python() {
        return;
    }
    let connect = "python3 -c \"import socket; socket.create_connection(('127.0.0.1', 5432))\"; exit 5";
    let own = "python3 -c \"import socket; s = socket.create_server(('127.0.0.1', 0)); \
               socket.create_connection(s.getsockname())\"; exit 5";
    let away = "python3 -c \"import socket; socket.create_connection(('192.0.2.1', 443))\"; exit 5";
    for way in ways() {
        let bed = Bed::new(way);
        let (_, text) = explain(&bed, connect);
        assert!(text.contains("loopback_ports = [5432]"), "{way:?}: {text}");
        let (_, text) = explain(&bed, away);
        assert!(text.contains("connect 192.0.2.1:443: the network is off"), "{way:?}: {text}");
        let (_, text) = explain(&bed, own);
        assert!(text.contains("refused nothing"), "{way:?}: {text}");
    }
}

#[test]
fn it_ends_with_its_command_and_blames_nothing_on_itself() {
    for way in ways() {
        let bed = Bed::new(way);
        let before = std::time::Instant::now();
        let (code, text) = explain(&bed, "sleep 600 > /dev/null 2>&1 & exit 5");
        assert!(code == 5 && before.elapsed().as_secs() < 300, "{way:?}: {text}");
        let mut command = std::process::Command::new(bed.path().join("codex"));
        command.args([
            "sandbox",
            "explain",
            "--full-auto",
            "--level",
            bed.way.level,
            "--",
            "no-such-program",
        ]);
        bed.prepare(&mut command);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.code() == Some(127) && text.contains("program not found: no-such-program"),
            "{text}"
        );
        assert!(!text.contains("refused nothing"), "{text}");
        let (_, text) = explain(&bed, "for i in 1 2 3 4 5; do echo x > .git/config.$i; done; exit 5");
        assert_eq!(text.matches("plain commands").count(), 1, "{way:?}: {text}");
    }
}
