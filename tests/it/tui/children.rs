//! What programs get that the app starts for its user: the editor, the clipboard, the notify program, git, the shell.
//! Everything of the environment but the keys.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::bed::{READY, codex, ready_with, says};
use super::terminal::{CTRL_G, ENTER};
use crate::support::World;

/// Programs that write down their environment under their own name, before what they are for.
fn spies(world: &World) -> PathBuf {
    let (dir, seen) = (world.root().join("bin"), world.root().join("seen"));
    fs::create_dir_all(&dir).unwrap();
    fs::create_dir_all(&seen).unwrap();
    for (name, then) in [
        ("an-editor", "printf edited >> \"$1\""),
        ("a-notifier", ""),
        ("xclip", "cat > /dev/null"),
        ("git", "PATH=${PATH#*:} exec git \"$@\""),
    ] {
        let place = seen.join(name);
        let text = format!(
            "#!/bin/sh\ntr '\\0' '\\n' < /proc/$$/environ > {0}.part\nmv {0}.part {0}\n{then}\n",
            place.display()
        );
        fs::write(dir.join(name), text).unwrap();
        fs::set_permissions(dir.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    dir
}

#[track_caller]
fn written(path: &PathBuf) -> String {
    let begin = Instant::now();
    loop {
        if let Ok(text) = fs::read_to_string(path) {
            return text;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "{} never ran", path.display());
        std::thread::yield_now();
    }
}

#[test]
fn no_program_that_the_app_starts_gets_a_key() {
    let world = World::new(&says("an answer"));
    let bin = spies(&world);
    world.config_with(
        &format!("notify = [\"{}\"]", bin.join("a-notifier").display()),
        "env_http_headers = { x-extra = \"EXTRA\" }\n[model_providers.other]\nname = \"O\"\n\
         base_url = \"https://o.example/v1\"\nenv_key = \"OTHER_WORD\"",
    );
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let keys = ["OPENAI_API_KEY", "CODEX_API_KEY", "CODEX_ACCESS_TOKEN", "EXTRA", "OTHER_WORD"];
    let mut started = codex(&world)
        .env("PATH", path)
        .env("DISPLAY", ":0")
        .env("EDITOR", bin.join("an-editor"))
        .env("OF_THE_USER", "stays");
    for key in keys {
        started = started.env(key, format!("canary-{key}"));
    }
    let terminal = ready_with(started);
    terminal.submit("hello");
    terminal.until("• an answer");
    terminal.until(READY);
    terminal.submit("!env | sort");
    terminal.until("OF_THE_USER=stays");
    terminal.until(READY);
    terminal.submit("/diff");
    terminal.until("Nothing has changed.");
    terminal.keys("q");
    terminal.until(READY);
    terminal.submit("/copy");
    terminal.until("Whole answer");
    terminal.keys(ENTER);
    terminal.until("copied");
    terminal.keys(CTRL_G);
    terminal.until("edited");
    for name in ["an-editor", "a-notifier", "xclip", "git"] {
        let seen = written(&world.root().join("seen").join(name));
        assert!(seen.contains("OF_THE_USER=stays"), "{name}: {seen}");
        for secret in ["canary-", &world.backend.token] {
            assert!(!seen.contains(secret), "{name}: {seen}");
        }
    }
    let raw = terminal.raw();
    assert!(!raw.contains("canary-") && !raw.contains(&world.backend.token));
}
