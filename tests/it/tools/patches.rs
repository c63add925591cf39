//! Patches, in every wrapping a model sends them in.

use std::fs;

use serde_json::json;

use super::bed::{call, patch, play};
use crate::support::{Codex, World};

const ADD: &str = "*** Begin Patch\n*** Add File: new.txt\n+new\n*** End Patch\n";

#[test]
fn patches_come_in_every_known_wrapping() {
    let heredoc = |body: &str| format!("apply_patch <<'EOF'\n{body}EOF");
    let ways = [
        patch(ADD),
        call("apply_patch", &json!({"input": ADD})),
        call("exec_command", &json!({"cmd": heredoc(ADD)})),
        call("exec_command", &json!({"cmd": format!("cd . && {}", heredoc(ADD))})),
        call("shell", &json!({"command": ["bash", "-lc", heredoc(ADD)]})),
        call("shell", &json!({"command": ["apply_patch", ADD]})),
        call("shell_command", &json!({"command": heredoc(ADD)})),
    ];
    let world = World::new("");
    let file = world.project().join("new.txt");
    for way in ways {
        let told = play(&world, &way);
        assert!(told[0].contains("Success. Updated the following files:\nA new.txt"), "{way}: {}", told[0]);
        assert_eq!(fs::read_to_string(&file).unwrap(), "new\n", "{way}");
        fs::remove_file(&file).unwrap();
    }
    // Also a patch in a shell call is shown as a change of files.
    let script = format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n{}[[rule]]\noutput = [{{ text = \"end\" }}]\n",
        call("exec_command", &json!({"cmd": heredoc(ADD)}))
    );
    world.backend.script(&script);
    let output = world.exec(&["patch"]).run().expect(0);
    assert_eq!(output.items_of("file_change")[0]["status"], "completed");
    assert!(output.items_of("command_execution").is_empty());
}

#[test]
fn patches_move_delete_and_refuse_as_a_whole() {
    let world = World::new("");
    fs::write(world.project().join("a.txt"), "one\ntwo\nthree\n").unwrap();
    fs::write(world.project().join("gone.txt"), "x\n").unwrap();
    let good = "*** Begin Patch\n*** Update File: a.txt\n*** Move to: sub/b.txt\n@@\n one\n-two\n+2\n three\n\
                *** Delete File: gone.txt\n*** End Patch\n";
    let told = play(&world, &patch(good));
    assert!(told[0].starts_with("Exit code: 0\nWall time: "), "{}", told[0]);
    assert!(told[0].contains("M sub/b.txt\nD gone.txt\n"), "{}", told[0]);
    assert_eq!(fs::read_to_string(world.project().join("sub/b.txt")).unwrap(), "one\n2\nthree\n");
    assert!(!world.project().join("a.txt").exists() && !world.project().join("gone.txt").exists());

    let half = "*** Begin Patch\n*** Add File: first.txt\n+1\n*** Update File: sub/b.txt\n@@\n-nowhere\n+x\n*** End Patch\n";
    let told = play(&world, &patch(half));
    assert!(told[0].starts_with("apply_patch verification failed: "), "{}", told[0]);
    assert!(told[0].contains("nowhere") && told[0].contains("sub/b.txt"), "{}", told[0]);
    assert!(!world.project().join("first.txt").exists(), "all or nothing");
}

#[test]
fn patches_outside_the_project_are_refused() {
    let world = World::new("");
    world.config("sandbox_workspace_write = { exclude_slash_tmp = true }\n");
    fs::create_dir(world.root().join("beside")).unwrap();
    std::os::unix::fs::symlink(world.root().join("beside"), world.project().join("link")).unwrap();
    for path in ["../beside/x", "link/x", ".git/config", ".codex/config.toml"] {
        let text = format!("*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch\n");
        let told = play(&world, &patch(&text));
        assert!(told[0].starts_with("patch rejected"), "{path}: {}", told[0]);
        assert!(!world.project().join(path).exists(), "{path}");
    }
}

#[test]
fn under_the_name_apply_patch_the_program_patches() {
    let world = World::new("");
    let link = world.root().join("apply_patch");
    std::os::unix::fs::symlink(crate::support::codex::binary(), &link).unwrap();
    let run = |stdin: &str| Codex::program(&link, &world.home(), &world.project()).stdin(stdin).run();
    let output = run(ADD).expect(0);
    assert!(output.stdout.contains("A new.txt"), "{}", output.stdout);
    assert_eq!(fs::read_to_string(world.project().join("new.txt")).unwrap(), "new\n");
    let output = run("nonsense").expect(1);
    assert!(!output.stderr.is_empty() && output.stdout.is_empty());
}

#[test]
fn calls_of_one_answer_run_side_by_side_and_patches_alone() {
    let world = World::new("");
    // Each waits for the other: they end only if both run at once.
    for pipe in ["left", "right"] {
        let made = std::process::Command::new("mkfifo").arg(world.project().join(pipe)).status();
        assert!(made.unwrap().success());
    }
    let told = play(
        &world,
        &[
            call("exec_command", &json!({"cmd": "echo a > left; cat right", "yield_time_ms": 30000})),
            call("exec_command", &json!({"cmd": "cat left; echo b > right", "yield_time_ms": 30000})),
        ]
        .concat(),
    );
    assert!(told[0].ends_with("Output:\nb\n") && told[1].ends_with("Output:\na\n"), "{told:?}");

    // A patch sees what the calls before it did, and the calls after it see the patch.
    let update =
        "*** Begin Patch\n*** Update File: made.txt\n@@\n-by the command\n+by the patch\n*** End Patch\n";
    let told = play(
        &world,
        &[
            call("exec_command", &json!({"cmd": "echo 'by the command' > made.txt"})),
            patch(update),
            call("exec_command", &json!({"cmd": "cat made.txt"})),
        ]
        .concat(),
    );
    assert!(told[1].contains("M made.txt"), "{}", told[1]);
    assert!(told[2].ends_with("Output:\nby the patch\n"), "{}", told[2]);
}
