//! Disks that are full and folders that cannot be written. They are made inside a user and mount namespace of the
//! test's own, because for root no permission is an obstacle; where that is not allowed the tests say so and pass.

use std::fs;
use std::process::{Command, Output, Stdio};

use crate::support::World;
use crate::support::codex::binary;

const SAY: &str = "[[rule]]\nwhen = { round = 0 }\noutput = [{ text = 'It is said.' }]\n";

/// Runs a shell script in namespaces of its own; `$CODEX exec` is ready to use. `None` where it is not allowed.
fn in_namespace(world: &World, script: &str) -> Option<Output> {
    let unshare = |command: &mut Command| command.stdin(Stdio::null()).output().expect("unshare is there");
    if !unshare(Command::new("unshare").args(["-Urm", "true"])).status.success() {
        eprintln!("no user namespaces here: nothing was tested");
        return None;
    }
    let mut command = Command::new("unshare");
    command
        .args(["-Urm", "sh", "-c", script])
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", world.home())
        .env("CODEX_HOME", world.codex_home())
        .env("TEST_KEY", &world.backend.token)
        .env("CODEX", binary())
        .env("LANG", "C.UTF-8")
        .env("SHELL", "/bin/sh")
        .current_dir(world.project());
    Some(unshare(&mut command))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The errors a person sees are told once and name the file.
#[track_caller]
fn told_once(output: &Output, part: &str) {
    let stderr = text(&output.stderr);
    let errors: Vec<&str> = stderr.lines().filter(|line| line.starts_with("ERROR")).collect();
    assert_eq!(errors.len(), 1, "{stderr}");
    assert!(errors[0].contains(part), "{stderr}");
}

#[test]
fn a_read_only_home_is_refused_with_a_way_out() {
    let world = World::new(SAY);
    let script = "mount --bind $HOME $HOME && mount -o remount,bind,ro $HOME && exec $CODEX exec hello";
    let Some(output) = in_namespace(&world, script) else { return };
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    told_once(&output, "--ephemeral");
    assert_eq!(world.backend.state()["answered"], 0, "nothing may be asked that cannot be kept");
    let script =
        "mount --bind $HOME $HOME && mount -o remount,bind,ro $HOME && exec $CODEX exec --ephemeral hello";
    let output = in_namespace(&world, script).unwrap();
    assert_eq!(text(&output.stdout), "It is said.\n", "{output:?}");
    assert!(world.rollouts().is_empty());
}

#[test]
fn a_sessions_folder_that_is_a_file_is_named() {
    let world = World::new(SAY);
    fs::write(world.codex_home().join("sessions"), "in the way").unwrap();
    let output = world.codex().args(["exec", "hello"]).run().expect(1);
    assert!(output.stderr.contains("sessions"), "{}", output.stderr);
    assert_eq!(output.stderr.matches("ERROR").count(), 1, "{}", output.stderr);
}

/// The disk with the sessions fills up in the middle of a turn, at many different places.
#[test]
fn a_full_disk_leaves_no_torn_line() {
    let script = "[[rule]]\nwhen = { user = 'work', round = 0 }\noutput = [{ exec = 'seq 1 2000' }, { text = 'thinking' }]\n\
                  [[rule]]\nwhen = { user = 'work' }\noutput = [{ text = 'done', repeat = 2000 }]\n\
                  [[rule]]\noutput = [{ text = 'I went on.' }]\n";
    let world = World::new(script);
    for kib in [4, 12, 20, 24, 28, 36, 44] {
        let dir = world.codex_home().join("sessions");
        fs::create_dir_all(&dir).unwrap();
        let script = format!(
            "mount -t tmpfs -o size={kib}k none $CODEX_HOME/sessions && $CODEX exec work; code=$?; \
             cp -r $CODEX_HOME/sessions $HOME/kept-{kib}; exit $code"
        );
        let Some(output) = in_namespace(&world, &script) else { return };
        told_once(&output, "saved");
        assert_eq!(output.status.code(), Some(1), "{kib}: {output:?}");
        assert!(text(&output.stderr).contains("--ephemeral"), "{}", text(&output.stderr));
        let _ = fs::remove_dir_all(&dir);
        fs::rename(world.home().join(format!("kept-{kib}")), &dir).unwrap();
        for path in world.rollouts() {
            let kept = fs::read_to_string(&path).unwrap();
            assert!(kept.is_empty() || kept.ends_with('\n'), "{kib}: torn: {kept}");
            let id = path.file_stem().unwrap().to_string_lossy().into_owned();
            let id = id.get(id.len() - 36..).unwrap();
            world.exec(&["resume", id, "go on"]).run().expect(0);
        }
        fs::remove_dir_all(&dir).unwrap();
    }
    assert_eq!(world.backend.state()["breaches"], 0, "{:#}", world.backend.state());
}

/// A limit on the size of files: the signal that comes with it must not kill the program.
#[test]
fn a_file_size_limit_is_an_error_like_any_other() {
    let world = World::new("[[rule]]\noutput = [{ text = 'long ', repeat = 30000 }]\n");
    let script = "ulimit -f 32; exec $CODEX exec hello";
    let mut command = Command::new("sh");
    command
        .args(["-c", script])
        .env("HOME", world.home())
        .env("CODEX_HOME", world.codex_home())
        .env("TEST_KEY", &world.backend.token)
        .env("CODEX", binary())
        .current_dir(world.project())
        .stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    told_once(&output, "saved");
}
