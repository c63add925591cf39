//! A world that is odd but legal: names and output that are not UTF-8, no shell, a working directory that is gone,
//! pipes and devices where files are expected.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode};

use crate::support::World;

fn runs(cmd: &str) -> String {
    format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n[[rule.output]]\nexec = '''{cmd}'''\n\
         [[rule]]\noutput = [{{ text = 'It is said.' }}]\n"
    )
}

fn fifo(path: &Path) {
    rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
}

#[track_caller]
fn no_breach(world: &World) {
    let state = world.backend.state();
    assert_eq!((&state["breaches"], &state["unmatched"]), (&0.into(), &0.into()), "{state:#}");
}

#[test]
fn a_working_directory_that_is_not_utf8() {
    let world = World::new(&runs("pwd | od -c | head -1; echo x > made && ls"));
    let dir = world.root().join(OsStr::from_bytes(b"caf\xe9 \xff"));
    fs::create_dir_all(&dir).unwrap();
    let output =
        world.exec(&["--skip-git-repo-check", "-s", "workspace-write", "hello"]).cwd(&dir).run().expect(0);
    let command = output.items_of("command_execution").remove(0);
    assert_eq!(command["exit_code"], 0, "{command}");
    assert_eq!(fs::read(dir.join("made")).unwrap(), b"x\n");
    world.rollout();
    let again = world.exec(&["--skip-git-repo-check", "resume", "--last", "again"]).cwd(&dir).run().expect(0);
    assert_eq!(again.items_of("agent_message").len(), 1);
    no_breach(&world);
}

#[test]
fn output_that_is_not_utf8() {
    let world = World::new(&runs(r"printf 'a\377\000b\033[31mc\302'; printf '\303'; printf '\274\n'"));
    let output = world.exec(&["--full-auto", "hello"]).run().expect(0);
    let shown = output.items_of("command_execution")[0]["aggregated_output"].as_str().unwrap().to_owned();
    assert!(shown.starts_with("a\u{fffd}") && shown.contains('ü'), "{shown:?}");
    world.rollout();
    no_breach(&world);
}

#[test]
fn file_names_that_are_not_utf8_in_the_way_of_a_patch() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\n[[rule.output]]\npatch = '''\n*** Begin Patch\n*** Add File: dir/new\n+x\n*** End Patch\n'''\n\
         [[rule]]\noutput = [{ text = 'It is said.' }]\n",
    );
    symlink(OsStr::from_bytes(b"d\xff"), world.project().join("dir")).unwrap();
    fs::create_dir(world.project().join(OsStr::from_bytes(b"d\xff"))).unwrap();
    world.exec(&["--full-auto", "hello"]).run().expect(0);
    assert_eq!(fs::read(world.project().join("dir/new")).unwrap(), b"x\n");
    world.rollout();
    no_breach(&world);
}

#[test]
fn a_shell_that_is_missing_is_replaced_or_named() {
    let world = World::new(&runs("echo one"));
    for shell in ["/nonexistent/zsh", "", "sh", "/etc/passwd", "/"] {
        let output = world.exec(&["--full-auto", "hello"]).env("SHELL", shell).run().expect(0);
        let command = output.items_of("command_execution").remove(0);
        let text = command["aggregated_output"].as_str().unwrap();
        assert!(text == "one\n" || command["status"] == "failed", "{shell:?}: {command}");
        no_breach(&world);
    }
}

#[test]
fn a_working_directory_that_is_gone() {
    let world = World::new(&runs("echo one"));
    let gone = world.root().join("gone");
    fs::create_dir(&gone).unwrap();
    let script = format!("rmdir {} && exec $CODEX exec --skip-git-repo-check hello", gone.display());
    let output = std::process::Command::new("sh")
        .args(["-c", &script])
        .env("CODEX", crate::support::codex::binary())
        .env("HOME", world.home())
        .env("CODEX_HOME", world.codex_home())
        .env("TEST_KEY", &world.backend.token)
        .current_dir(&gone)
        .stdin(std::process::Stdio::null())
        .output()
        .unwrap();
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{stderr}");
    assert!(stderr.contains("directory"), "{stderr}");
    assert_eq!(stderr.matches("ERROR").count(), 1, "{stderr}");
}

#[test]
fn a_command_that_removes_its_directory() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = 'rmdir $PWD' }]\n\
         [[rule]]\nwhen = { round = 1 }\noutput = [{ exec = 'echo one' }]\n\
         [[rule]]\noutput = [{ text = 'It is said.' }]\n",
    );
    let dir = world.root().join("leaves");
    fs::create_dir(&dir).unwrap();
    let output =
        world.exec(&["--skip-git-repo-check", "-s", "danger-full-access", "hello"]).cwd(&dir).run().expect(0);
    let commands = output.items_of("command_execution");
    assert_eq!(commands.len(), 2);
    assert_eq!(commands[1]["status"], "failed", "{}", commands[1]);
    no_breach(&world);
}

/// Whatever a file may be, reading it does not hang and does not fill the memory.
#[test]
fn pipes_and_devices_where_files_are_expected() {
    let files = ["AGENTS.md", ".git/HEAD", ".git/config", ".codex/config.toml"];
    for (what, name) in files.iter().flat_map(|name| [("pipe", name), ("device", name)]) {
        let world = World::new(&runs("echo one"));
        let path = world.project().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let _ = fs::remove_file(&path);
        match what {
            "pipe" => fifo(&path),
            _ => symlink("/dev/zero", &path).unwrap(),
        }
        let output = world.exec(&["--full-auto", "--skip-git-repo-check", "hello"]).run();
        assert!(matches!(output.code, Some(0 | 1)), "{what} {name}: {output:?}");
    }
    for (what, name) in
        ["config.toml", "auth.json", "AGENTS.md"].iter().flat_map(|n| [("pipe", n), ("device", n)])
    {
        let world = World::new(&runs("echo one"));
        let path = world.codex_home().join(name);
        let _ = fs::remove_file(&path);
        match what {
            "pipe" => fifo(&path),
            _ => symlink("/dev/zero", &path).unwrap(),
        }
        let output = world.exec(&["--full-auto", "hello"]).run();
        assert!(matches!(output.code, Some(0 | 1)), "{what} {name}: {output:?}");
    }
}

#[test]
fn pipes_and_devices_for_the_tools() {
    let world = World::new("");
    fifo(&world.project().join("pipe"));
    symlink("/dev/zero", world.project().join("zero")).unwrap();
    for name in ["pipe", "zero", "/dev/tty", "/dev/zero", "."] {
        let patch = |kind: &str, body: &str| {
            format!(
                "[[rule.output]]\npatch = '''\n*** Begin Patch\n*** {kind} File: {name}\n{body}*** End Patch\n'''\n"
            )
        };
        world.backend.script(&format!(
            "[[rule]]\nwhen = {{ round = 0 }}\n{}{}{}[[rule.output]]\ncall = 'view_image'\nargs = {{ path = '{name}' }}\n\
             [[rule]]\noutput = [{{ text = 'It is said.' }}]\n",
            patch("Update", "-a\n+b\n"),
            patch("Add", "+b\n"),
            patch("Update", "*** Move to: moved\n-a\n+b\n"),
        ));
        world.exec(&["--full-auto", "hello"]).run().expect(0);
        no_breach(&world);
    }
    assert!(fs::symlink_metadata(world.project().join("zero")).unwrap().is_symlink());
    let image = world.exec(&["-i", "zero", "hello"]).run();
    assert!(matches!(image.code, Some(0 | 1)), "{image:?}");
    let image = world.exec(&["-i", "pipe", "hello"]).run();
    assert!(matches!(image.code, Some(0 | 1)), "{image:?}");
}
