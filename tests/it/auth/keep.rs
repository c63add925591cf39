//! Where credentials are kept: keyring, keyring or file, memory. The keyring is a program made by hand, because
//! machines of tests have none.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::bed::{codex, file, turn, world};
use crate::support::alive::Alive;
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

/// A sign-out elsewhere ends a turn that runs, before its next request, wherever the sign-in is kept.
#[test]
fn a_sign_out_elsewhere_ends_what_runs() {
    for (mode, key) in [("keyring", false), ("file", false), ("file", true)] {
        let world = world(&format!("cli_auth_credentials_store = '{mode}'"));
        keyring(&world, true);
        let login = if key { "--with-api-key" } else { "--device-auth" };
        let login = codex(&world).args(["login", login]).stdin(world.backend.token.as_str());
        with_keyring(&world, login).run().expect(0);
        let logout = format!(
            "PATH={}:$PATH CODEX_HOME={} CODEX_APP_SERVER_LOGIN_ISSUER={} {} logout",
            world.root().join("bin").display(),
            world.codex_home().display(),
            world.backend.issuer(),
            env!("CARGO_BIN_EXE_codex")
        );
        world.backend.script(&format!(
            "[[rule]]\nwhen = {{ round = 0 }}\n[[rule.output]]\nexec = \"\"\"{logout}\"\"\"\n\
             [[rule]]\n[[rule.output]]\ntext = 'still here'\n"
        ));
        let run = codex(&world).args(["exec", "-s", "danger-full-access", "go"]);
        let output = with_keyring(&world, run).run();
        assert_ne!(output.code, Some(0), "{mode} {key}: {} {}", output.stdout, output.stderr);
        assert!(output.stderr.contains("You have since signed out"), "{mode} {key}: {}", output.stderr);
        assert!(!output.stdout.contains("still here"));
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
fn who_keeps_in_the_file_instead_says_why() {
    let auto = |works: Option<bool>| {
        let world = world("cli_auth_credentials_store = 'auto'");
        let dir = world.root().join("bin");
        fs::create_dir_all(&dir).unwrap();
        works.map(|works| keyring(&world, works));
        let run = |args: &[&str]| codex(&world).args(args).env("PATH", &dir).run();
        run(&["login", "--device-auth"]).expect(0);
        let status = run(&["login", "status"]).expect(0).stderr;
        let doctor = run(&["doctor", "--offline"]).stdout;
        let turned = turn(&world).env("PATH", &dir).run().expect(0);
        assert!(!turned.stdout.contains("keyring") && !turned.stderr.contains("keyring"), "{turned:?}");
        (status, doctor, run(&["logout"]).expect(0).stderr)
    };
    for (works, words) in [(None, "not installed"), (Some(false), "is locked")] {
        let (status, doctor, logout) = auto(works);
        for told in [&status, &doctor] {
            assert!(told.contains(words) && told.contains("auth.json instead"), "{told}");
        }
        assert_eq!(status.matches(words).count(), 1, "{status}");
        assert_eq!(logout.contains("was not removed"), works.is_some(), "{logout}");
    }
    let (status, doctor, logout) = auto(Some(true));
    assert!(![status, doctor, logout].concat().contains("instead"));
}

/// After a while without keyring the file is ahead of it: what the keyring holds is spent.
#[test]
fn the_later_renewal_counts() {
    let world = world("cli_auth_credentials_store = 'auto'");
    let entry = keyring(&world, true);
    with_keyring(&world, codex(&world).args(["login", "--device-auth"])).run().expect(0);
    let old = fs::read_to_string(&entry).unwrap();
    world.backend.oauth(r#"{"expire":true}"#);
    with_keyring(&world, turn(&world)).run().expect(0);
    // As if that renewal could only be kept in the file.
    let renewed = fs::read_to_string(&entry).unwrap();
    assert_ne!(old, renewed);
    fs::write(file(&world), renewed).unwrap();
    fs::write(&entry, old.replace("last_refresh\": \"2", "last_refresh\": \"1")).unwrap();
    world.backend.oauth(r#"{"expire":true}"#);
    with_keyring(&world, turn(&world)).run().expect(0);
    assert_eq!((world.backend.signed("renewals"), world.backend.signed("reused")), (2, 0));
}

/// What the programs get that are started for a sign-in: no secret in arguments, no key in the environment.
#[test]
fn the_programs_of_a_sign_in_get_nothing_secret() {
    let mine = "[model_providers.p]\nname = 'P'\nbase_url = 'https://p.example'\nenv_key = 'MINE'";
    let world = world(&format!("cli_auth_credentials_store = 'keyring'\n{mine}"));
    let entry = keyring(&world, true);
    let seen = world.root().join("seen");
    let dir = world.root().join("bin");
    let spy = |name: &str, then: &str| {
        let text = format!(
            "#!/bin/sh\n{{ /bin/cat /proc/$$/environ /proc/$$/cmdline | /usr/bin/tr '\\0' '\\n'; echo {name}-was-here; }} >> {}\n{then}\n",
            seen.display()
        );
        fs::write(dir.join(name), text).unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    };
    fs::rename(dir.join("secret-tool"), dir.join("real-tool")).unwrap();
    spy("secret-tool", &format!("exec {}/real-tool \"$@\"", dir.display()));
    spy("a-browser", "");
    let loud = |codex: Codex| {
        with_keyring(&world, codex)
            .env("OPENAI_API_KEY", "canary-openai")
            .env("CODEX_API_KEY", "canary-codex")
            .env("CODEX_ACCESS_TOKEN", "canary-access")
            .env("MINE", "canary-mine")
            .env("BROWSER", dir.join("a-browser"))
    };
    let login = ["login", "--browser", "--experimental_port", "0"];
    let mut running = loud(codex(&world).args(login)).open_stdin().start();
    let told = running.until_told("Waiting");
    let (_, back, _) = super::bed::fetch(&super::bed::address(&told), "");
    running.type_in(&back);
    running.wait().expect(0);
    let kept: serde_json::Value = serde_json::from_str(&fs::read_to_string(&entry).unwrap()).unwrap();
    loud(codex(&world).arg("logout")).run().expect(0);
    let seen = fs::read_to_string(&seen).unwrap();
    assert!(seen.contains("secret-tool-was-here") && seen.contains("a-browser-was-here"), "{seen}");
    let code = back.split("code=").nth(1).unwrap().split('&').next().unwrap();
    let tokens = ["id_token", "access_token", "refresh_token"];
    let tokens = tokens.map(|name| kept["tokens"][name].as_str().unwrap());
    for canary in ["canary-", code].iter().chain(&tokens) {
        assert!(!seen.contains(canary), "{canary}: {seen}");
    }
    // The hash of the verifier travels, the verifier never.
    assert!(seen.contains("code_challenge=") && !seen.contains("code_verifier"), "{seen}");
}

/// A keyring that asks for a password asks for as long as somebody wants the answer.
#[test]
fn the_keyring_program_ends_with_us() {
    for signal in [2, 15, 9] {
        let world = world("cli_auth_credentials_store = 'keyring'");
        keyring(&world, true);
        let alive = Alive::new(world.root(), "held");
        let tool = world.root().join("bin/secret-tool");
        fs::write(&tool, format!("#!/bin/sh\n{}\nexec sleep 600\n", alive.hold())).unwrap();
        let running = with_keyring(&world, codex(&world).args(["login", "status"])).start();
        alive.up();
        running.signal(signal);
        alive.gone();
        drop(running.wait());
    }
}

/// A disk without room, made by a limit on the size of files: every write fails, as on a full one.
#[test]
fn a_full_disk_costs_neither_the_file_nor_the_token() {
    let world = world("chatgpt_base_url = \"http://127.0.0.1:9/backend-api\"");
    super::bed::store(&world, -60);
    let before = fs::read(file(&world)).unwrap();
    let full = |args: &str, input: &str| {
        let script = format!("trap '' XFSZ; ulimit -f 0; echo {input} | \"$CODEX\" {args}");
        let mut command = world.around("sh");
        command.env("CODEX_APP_SERVER_LOGIN_ISSUER", world.backend.issuer()).args(["-c", &script]);
        command.output().unwrap()
    };
    for (args, input) in [
        ("usage --max-age 0", ""),
        ("login --with-api-key", "sk-1"),
        ("login --device-auth", ""),
        ("login --browser --experimental_port 0", ""),
    ] {
        let output = full(args, input);
        assert!(!output.status.success(), "{args}: {output:?}");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(told.contains("auth.json") || told.contains("too large"), "{args}: {told}");
        assert_eq!(fs::read(file(&world)).unwrap(), before, "{args}");
    }
    let counts = ["renewals", "device_codes", "exchanges", "revoked"].map(|what| world.backend.signed(what));
    assert_eq!(counts, [0; 4], "nobody was asked for what could not be kept");
    let left: Vec<_> =
        fs::read_dir(world.codex_home()).unwrap().flatten().map(|entry| entry.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with(".codex-")), "{left:?}");
    // With room again all is as before.
    turn(&world).run().expect(0);
    assert_eq!(world.backend.signed("renewals"), 1);
}

#[test]
fn a_file_that_others_can_read_is_tightened_and_told() {
    let world = world("");
    super::bed::store(&world, 3600);
    let mode = || fs::metadata(file(&world)).unwrap().permissions().mode() & 0o777;
    for args in [&["login", "status"][..], &["exec", "hello"], &["doctor", "--offline"]] {
        fs::set_permissions(file(&world), fs::Permissions::from_mode(0o644)).unwrap();
        let output = codex(&world).args(args).run();
        assert!(format!("{output:?}").contains("other users (mode 644)"), "{args:?}: {output:?}");
        assert_eq!(mode(), 0o600, "{args:?}");
    }
    assert!(!turn(&world).run().expect(0).stderr.contains("other users"));
}

#[test]
fn in_memory_nothing_outlives_the_command() {
    let world = world("cli_auth_credentials_store = 'ephemeral'");
    let output = codex(&world).args(["login", "--device-auth"]).run().expect(1);
    assert!(output.stderr.contains("memory"), "{}", output.stderr);
    assert_eq!(world.backend.signed("device_codes"), 0);
    assert!(!file(&world).exists());
}
