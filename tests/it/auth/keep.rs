//! Where credentials are kept: keyring, keyring or file, memory. The keyring is a program made by hand, because
//! machines of tests have none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::bed::{codex, file, turn, world};
use crate::support::{Codex, World};

/// A `secret-tool` that keeps one entry in a file beside it, or fails as a locked keyring does.
fn keyring(world: &World, works: bool) -> PathBuf {
    let dir = world.root().join("bin");
    fs::create_dir_all(&dir).unwrap();
    let place = dir.join("entry");
    let body = match works {
        true => format!(
            "case $1 in\nlookup) [ -s {0} ] && /bin/cat {0} ;;\nstore) /bin/cat > {0} ;;\nclear) /bin/rm {0} ;;\nesac\n",
            place.display()
        ),
        false => "echo 'Cannot create an item in a locked collection' >&2\nexit 1\n".to_owned(),
    };
    let program = dir.join("secret-tool");
    fs::write(&program, format!("#!/bin/sh\n{body}")).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    place
}

fn with_keyring(world: &World, codex: Codex) -> Codex {
    let path = format!("{}:{}", world.root().join("bin").display(), std::env::var("PATH").unwrap());
    codex.env("PATH", path)
}

#[test]
fn in_the_keyring_and_nowhere_else() {
    for mode in ["keyring", "auto"] {
        let world = world(&format!("cli_auth_credentials_store = '{mode}'"));
        let entry = keyring(&world, true);
        with_keyring(&world, codex(&world).args(["login", "--device-auth"])).run().expect(0);
        assert!(fs::read_to_string(&entry).unwrap().contains("acct-demo"), "{mode}");
        assert!(!file(&world).exists());
        world.backend.oauth(r#"{"expire":true}"#);
        let before = fs::read(&entry).unwrap();
        with_keyring(&world, turn(&world)).run().expect(0);
        assert_ne!(fs::read(&entry).unwrap(), before, "a renewal goes there too");
        with_keyring(&world, codex(&world).arg("logout")).run().expect(0);
        assert!(!entry.exists() && !file(&world).exists());
        with_keyring(&world, codex(&world).args(["login", "status"])).run().expect(1);
    }
}

#[test]
fn a_keyring_that_does_not_answer() {
    for there in [true, false] {
        let world = world("cli_auth_credentials_store = 'keyring'");
        let dir = world.root().join("empty");
        fs::create_dir_all(&dir).unwrap();
        let run = |codex: Codex| match there {
            true => with_keyring(&world, codex).run(),
            false => codex.env("PATH", &dir).run(),
        };
        if there {
            keyring(&world, false);
        }
        let output = run(codex(&world).args(["login", "--device-auth"])).expect(1);
        assert!(output.stderr.contains("keyring"), "{}", output.stderr);
        let output = run(turn(&world)).expect(1);
        assert!(output.stderr.contains("keyring") && output.stderr.contains("\"auto\""), "{}", output.stderr);
        assert!(!file(&world).exists());

        let auto = super::bed::world("cli_auth_credentials_store = 'auto'");
        let run = |codex: Codex| codex.env("PATH", &dir).run();
        run(codex(&auto).args(["login", "--device-auth"])).expect(0);
        assert!(file(&auto).exists());
        run(turn(&auto)).expect(0);
    }
}

#[test]
fn in_memory_nothing_outlives_the_command() {
    let world = world("cli_auth_credentials_store = 'ephemeral'");
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("memory"), "{}", output.stderr);
    assert_eq!(world.backend.signed("device_codes"), 0);
    assert!(!file(&world).exists());
}
