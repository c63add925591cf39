//! Permission profiles of the user's own, enforced at both levels and for both users.

use std::fs;
use std::process::Output;

use super::bed::{Bed, Way, ways};

fn bed(way: Way, profile: &str) -> Bed {
    let bed = Bed::new(way);
    bed.write("home/.codex/config.toml", profile);
    for file in
        ["work/vendor/lib", "work/secrets/key", "work/out/old", "outside/cache/old", "outside/cache/seal/old"]
    {
        bed.write(file, "old");
    }
    bed
}

fn run(bed: &Bed, args: &[&str], script: &str) -> (i32, String) {
    let mut command = std::process::Command::new(bed.path().join("codex"));
    command.args(["sandbox", "--level", bed.way.level]).args(args).args(["--", "sh", "-c", script]);
    bed.prepare(&mut command);
    let Output { status, stdout, stderr } = command.output().unwrap();
    (status.code().unwrap_or(-1), String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned())
}

const DEV: &str = "[permissions.dev]
description = 'the project and its cache'
extends = ':workspace'
[permissions.dev.filesystem]
'~/../outside/cache' = 'write'
'~/../outside/cache/seal' = 'read'
vendor = 'read'
secrets = 'deny'
'*.pem' = 'deny'
[permissions.closed.filesystem]
':root' = 'read'
out = 'write'
[permissions.odd]
extends = ':workspace'
filesystem.':project_roots' = 'deny'
";

#[test]
fn each_line_of_a_profile_is_enforced() {
    for way in ways() {
        let bed = bed(way, DEV);
        bed.write("work/a.pem", "hush");
        for (script, works) in [
            ("echo x > own", true),
            ("echo x > $O/cache/new", true),
            ("echo x > /tmp/codex-profile-$$ && rm /tmp/codex-profile-$$", true),
            ("cat vendor/lib", true),
            ("echo x > vendor/lib", false),
            ("echo x > vendor/new", false),
            ("mv vendor elsewhere", false),
            ("echo x > $O/cache/seal/old", false),
            ("rm $O/cache/seal/old", false),
            ("echo x > $O/file", false),
            ("cat secrets/key", false),
            ("cat a.pem", false),
            ("echo x > secrets/key", false),
            ("echo x > .git/config", false),
        ] {
            let (code, text) = run(&bed, &["-P", "dev"], script);
            assert_eq!(code == 0, works, "{way:?}: {script}: {text}");
        }
        assert_eq!(fs::read_to_string(bed.work().join("vendor/lib")).unwrap(), "old", "{way:?}");
        assert_eq!(fs::read_to_string(bed.work().join("secrets/key")).unwrap(), "old", "{way:?}");
    }
}

#[test]
fn a_profile_can_leave_the_working_directory_closed() {
    for way in ways() {
        let bed = bed(way, DEV);
        for (script, works) in
            [("echo x > out/new", true), ("echo x > own", false), ("echo x > /tmp/codex-closed-$$", false)]
        {
            let (code, text) = run(&bed, &["--permissions-profile", "closed"], script);
            assert_eq!(code == 0, works, "{way:?}: {script}: {text}");
        }
    }
}

#[test]
fn the_profile_is_listed_and_a_faulty_one_runs_nothing() {
    for way in ways() {
        let bed = bed(way, DEV);
        let mut command = std::process::Command::new(bed.path().join("codex"));
        command.args(["sandbox", "explain", "-P", "dev", "--level", way.level]);
        bed.prepare(&mut command);
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for want in ["permission profile: dev (the project and its cache)", "work/vendor", "work/secrets"] {
            assert!(text.contains(want), "{way:?}: {want}: {text}");
        }
        let (code, text) = run(&bed, &["-P", "odd"], "echo ran");
        assert!(code == 1 && !text.contains("ran\n"), "{way:?}: {text}");
        assert!(
            text.contains("config.toml:") && text.contains("permissions.odd.filesystem"),
            "{way:?}: {text}"
        );
        let (code, text) = run(&bed, &["-P", "none"], "echo ran");
        assert!(
            code == 1 && text.contains("no such permission profile, allowed: \"closed\", \"dev\""),
            "{text}"
        );
        let (code, text) = run(&bed, &["-P", ":workspace"], "echo x > vendor/new");
        assert_eq!(code, 0, "{way:?}: {text}");
    }
}
