//! Tools that work in our own process hold to what commands are held to.

use std::fs;
use std::os::unix::fs::symlink;

use serde_json::json;

use super::bed::{call, outputs, patch, play};
use crate::support::World;
use crate::support::scripts::DOT;

const SETTINGS: &str = "sandbox_mode = 'workspace-write'\n";

#[test]
fn secrets_are_neither_looked_at_nor_patched() {
    let world = World::new("");
    world.config(SETTINGS);
    let at = |name: &str| world.project().join(name);
    fs::create_dir(at("sub")).unwrap();
    for secret in [".env", "sub/.env.local"] {
        fs::write(at(secret), DOT).unwrap();
    }
    symlink(".env", at("picture.png")).unwrap();
    fs::write(at("real.png"), DOT).unwrap();
    let change = |file: &str| {
        format!("*** Begin Patch\n*** Update File: {file}\n@@\n-no such line\n+x\n*** End Patch\n")
    };
    let told = play(
        &world,
        &[
            call("view_image", &json!({"path": "real.png"})),
            call("view_image", &json!({"path": ".env"})),
            call("view_image", &json!({"path": "picture.png"})),
            call("view_image", &json!({"path": "sub/.env.local"})),
            patch(&change("sub/.env.local")),
            patch("*** Begin Patch\n*** Delete File: .env\n*** End Patch\n"),
            patch("*** Begin Patch\n*** Add File: .env\n+x\n*** End Patch\n"),
        ]
        .concat(),
    );
    assert!(told[0].contains("data:image/png"), "{}", told[0]);
    for (number, words) in told.iter().enumerate().skip(1).take(6) {
        assert!(words.contains("on the list of secrets"), "{number}: {words}");
        assert!(!words.contains("data:image"), "{number}");
    }
    assert_eq!(fs::read(at(".env")).unwrap(), DOT);
}

#[test]
fn patches_do_not_write_what_is_protected() {
    let world = World::new("");
    world.config(SETTINGS);
    let at = |name: &str| world.project().join(name);
    fs::create_dir_all(at("deps/x/.git/hooks")).unwrap();
    symlink("deps/x/.git", at("innocent")).unwrap();
    let add = |file: &str| patch(&format!("*** Begin Patch\n*** Add File: {file}\n+x\n*** End Patch\n"));
    let told = play(
        &world,
        &[
            add(".git/hooks/pre-commit"),
            add(".codex/config.toml"),
            add("deps/x/.git/hooks/post-commit"),
            add("innocent/hooks/post-merge"),
            add("fine"),
        ]
        .concat(),
    );
    for text in &told[..4] {
        assert!(text.contains("rejected"), "{text}");
    }
    assert!(told[4].contains("Success"), "{}", told[4]);
    assert!(!at(".codex").exists() && fs::read_dir(at("deps/x/.git/hooks")).unwrap().next().is_none());
}

#[test]
fn what_was_reached_or_refused_is_told_with_the_command() {
    let world = World::new("");
    world.config(&format!("{SETTINGS}sandbox_workspace_write = {{ network_allow = ['a.example'] }}\n"));
    let ask = "for h in b b c; do exec 3<>/dev/tcp/127.0.0.1/9 || exit 5; \
               printf 'CONNECT %s.example:443 HTTP/1.1\\r\\n\\r\\n' $h >&3; head -1 <&3; done";
    let told = play(&world, &call("shell", &json!({"command": ["bash", "-c", ask]})));
    if told[0].contains("403") {
        let want = "Network: b.example:443 refused (2 times), c.example:443 refused.";
        assert!(told[0].contains(want), "{}", told[0]);
    } else {
        eprintln!("this machine has no namespaces, so no proxy either; skipped: {}", told[0]);
    }
}

#[test]
fn a_session_tells_at_its_end_what_it_reached() {
    let world = World::new(
        r#"
[[rule]]
name = "start"
when = { round = 0 }
[[rule.output]]
exec = '''read -r x; bash -c 'exec 3<>/dev/tcp/127.0.0.1/9 || exit 0; printf "CONNECT b.example:443 HTTP/1.1\r\n\r\n" >&3; head -1 <&3' '''
args = { tty = true, yield_time_ms = 250 }
[[rule]]
name = "type"
when = { after = "start", running = true }
[[rule.output]]
call = "write_stdin"
args = { session_id = "{{session}}", chars = "\n", yield_time_ms = 30000 }
[[rule]]
output = [{ text = "end" }]
"#,
    );
    world.config(&format!("{SETTINGS}sandbox_workspace_write = {{ network_allow = ['a.example'] }}\n"));
    let output = world.exec(&["go"]).run().expect(0);
    let told = outputs(&world);
    assert!(told[1].contains("Process exited with code 0"), "{}", told[1]);
    if told[1].contains("403") {
        assert!(told[1].contains("Network: b.example:443 refused."), "{}", told[1]);
        assert_eq!(output.stdout.matches("Network: b.example:443 refused.").count(), 1, "{}", output.stdout);
    } else {
        eprintln!("this machine has no namespaces, so no proxy either; skipped: {}", told[1]);
    }
}
