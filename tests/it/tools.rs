//! The tools as a model uses them: what it sends, what it gets back, and what is left on disk.

use std::fs;

use serde_json::{Value, json};

use crate::exec::DOT;
use crate::support::{Alive, Codex, World};

/// Outputs of all calls of the thread, in the order in which they were sent back.
fn outputs(world: &World) -> Vec<String> {
    let last = world.backend.requests().pop().unwrap();
    let of_item = |item: &Value| match item["type"].as_str().unwrap() {
        "function_call_output" | "custom_tool_call_output" => Some(match &item["output"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }),
        _ => None,
    };
    last["input"].as_array().unwrap().iter().filter_map(of_item).collect()
}

/// Plays one answer with these outputs (TOML), then the end; returns what the calls were answered with.
fn play(world: &World, calls: &str) -> Vec<String> {
    let script = format!(
        "[[rule]]\nname = \"do\"\nwhen = {{ round = 0 }}\n{calls}\n[[rule]]\noutput = [{{ text = \"end\" }}]\n"
    );
    world.backend.script(&script);
    world.exec(&["do it"]).run().expect(0);
    outputs(world)
}

/// One call as TOML; `args` is JSON text.
fn call(name: &str, args: &Value) -> String {
    format!("[[rule.output]]\ncall = \"{name}\"\narguments = {}\n", json!(args.to_string()))
}

fn patch(text: &str) -> String {
    format!("[[rule.output]]\ncustom = \"apply_patch\"\ninput = {}\n", json!(text))
}

#[test]
fn exec_command_answers_in_the_known_form() {
    let world = World::new("");
    let told = play(
        &world,
        &[
            call(
                "exec_command",
                &json!({"cmd": "echo one; echo two >&2; printf three; echo four >&2; exit 3"}),
            ),
            call("exec_command", &json!({"cmd": "kill -9 $$"})),
            call("exec_command", &json!({"cmd": "printf 'a\\377b'"})),
            call("exec_command", &json!({"cmd": "cat; pwd", "workdir": ".git"})),
            call(
                "exec_command",
                &json!({"cmd": "echo $0 $BASH_VERSION", "shell": "/bin/sh", "login": false}),
            ),
            call("exec_command", &json!({"cmd": "true", "workdir": "not there"})),
        ]
        .concat(),
    );
    let lines: Vec<&str> = told[0].lines().collect();
    assert!(lines[0].starts_with("Chunk ID: ") && lines[1].starts_with("Wall time: "), "{}", told[0]);
    assert_eq!(lines[2], "Process exited with code 3");
    assert!(lines[3].starts_with("Original token count: "));
    // stdout and stderr in the order in which they were written.
    assert_eq!(lines[4..], ["Output:", "one", "two", "threefour"]);
    assert!(told[1].contains("Process exited with code 137"), "{}", told[1]);
    assert!(told[2].ends_with("a\u{fffd}b"), "{:?}", told[2]);
    assert!(told[3].trim_end().ends_with("project/.git"), "stdin is empty: {}", told[3]);
    assert!(told[4].contains("/bin/sh"), "{}", told[4]);
    assert!(told[5].starts_with("exec_command failed: ") && told[5].contains("not there"), "{}", told[5]);
}

#[test]
fn more_calls_than_run_side_by_side_are_all_answered_in_their_order() {
    let world = World::new("");
    let calls: String =
        (0..50).map(|n| call("exec_command", &json!({"cmd": format!("echo {n}!")}))).collect();
    let told = play(&world, &calls);
    assert_eq!(told.len(), 50);
    for (n, text) in told.iter().enumerate() {
        assert!(text.trim_end().ends_with(&format!("Output:\n{n}!")), "{n}: {text}");
    }
}

#[test]
fn a_command_that_goes_on_becomes_a_session_that_can_be_written_to() {
    let world = World::new(
        r#"
[[rule]]
name = "start"
when = { round = 0 }
[[rule.output]]
exec = 'printf "name? "; read -r name; echo "hello $name"; [ -t 0 ] && echo terminal'
args = { tty = true, yield_time_ms = 250 }
[[rule]]
name = "type"
when = { after = "start", running = true }
[[rule.output]]
call = "write_stdin"
args = { session_id = "{{session}}", chars = "world\n", yield_time_ms = 30000 }
[[rule]]
output = [{ text = "{{output:type}}" }]
"#,
    );
    let output = world.exec(&["talk"]).run().expect(0);
    let told = outputs(&world);
    assert!(told[0].contains("Process running with session ID "), "{}", told[0]);
    assert!(told.concat().contains("name? "), "{told:?}");
    assert!(told[1].contains("Process exited with code 0"), "{}", told[1]);
    assert!(told[1].contains("hello world\r\nterminal\r\n"), "{:?}", told[1]);
    assert_eq!(output.items_of("command_execution").len(), 1, "{}", output.stdout);
    assert_eq!(output.items_of("command_execution")[0]["exit_code"], 0);
}

#[test]
fn control_c_reaches_the_program_in_the_terminal() {
    let world = World::new(
        r#"
[[rule]]
name = "start"
when = { round = 0 }
[[rule.output]]
exec = 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 1; done'
args = { tty = true, yield_time_ms = 250 }
[[rule]]
name = "poll"
when = { after = ["start", "poll"], running = true, output_not = "ready" }
[[rule.output]]
call = "write_stdin"
args = { session_id = "{{session}}" }
[[rule]]
name = "stop"
when = { after = ["start", "poll"], running = true }
[[rule.output]]
call = "write_stdin"
args = { session_id = "{{session}}", chars = "\u0003", yield_time_ms = 30000 }
[[rule]]
output = [{ text = "{{exit:stop}}" }]
"#,
    );
    let output = world.codex().args(["exec", "stop it"]).run().expect(0);
    assert_eq!(output.stdout, "7\n", "{:?}", outputs(&world));
}

#[test]
fn unknown_sessions_tools_and_broken_arguments_are_told_to_the_model() {
    let world = World::new("");
    let calls = [
        call("write_stdin", &json!({"session_id": 4711, "chars": "x"})),
        call("no_such_tool", &json!({"a": 1})),
        "[[rule.output]]\ncustom = \"no_such_custom\"\ninput = \"x\"\n".to_owned(),
        "[[rule.output]]\ncall = \"exec_command\"\narguments = '{\"cmd\": \"echo'\n".to_owned(),
        call("exec_command", &json!({"command": "wrong name"})),
        call("exec_command", &json!({"cmd": 5})),
        call("update_plan", &json!({"plan": "no list"})),
        call("view_image", &json!({"path": "missing.png"})),
        patch("no patch at all"),
    ];
    let told = play(&world, &calls.concat());
    assert_eq!(told[0], "write_stdin failed: Unknown process id 4711");
    assert_eq!(told[1], "unsupported call: no_such_tool");
    assert_eq!(told[2], "unsupported custom tool call: no_such_custom");
    for text in &told[3..7] {
        assert!(text.starts_with("failed to parse function arguments: "), "{text}");
    }
    assert!(told[4].contains("cmd"), "{}", told[4]);
    assert!(told[7].contains("missing.png"), "{}", told[7]);
    assert!(told[8].starts_with("apply_patch verification failed: "), "{}", told[8]);
    assert_eq!(told.len(), 9);
}

#[test]
fn older_shell_tools_are_accepted() {
    let world = World::new("");
    let told = play(
        &world,
        &[
            call("shell", &json!({"command": ["sh", "-c", "echo a; exit 4"]})),
            call("shell_command", &json!({"command": "echo b; exit 5"})),
            call("shell", &json!({"command": ["sleep", "600"], "timeout_ms": 100})),
            call("shell", &json!({"command": ["no-such-program-here"]})),
            format!(
                "[[rule.output]]\nitem = {}\n",
                json!(
                    json!({"type": "local_shell_call", "id": "lsh_1", "call_id": "call_local_1", "status": "completed",
                    "action": {"type": "exec", "command": ["echo", "c"], "working_directory": null, "env": {}}})
                    .to_string()
                )
            ),
        ]
        .concat(),
    );
    let json: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!((&json["output"], &json["metadata"]["exit_code"]), (&json!("a\n"), &json!(4)));
    assert!(
        told[1].starts_with("Exit code: 5\nWall time: ") && told[1].ends_with("Output:\nb\n"),
        "{}",
        told[1]
    );
    let json: Value = serde_json::from_str(&told[2]).unwrap();
    assert_eq!(json["metadata"]["exit_code"], 124);
    assert!(json["output"].as_str().unwrap().contains("timed out after 100 milliseconds"), "{}", told[2]);
    assert!(told[3].contains("no-such-program-here"), "{}", told[3]);
    let json: Value = serde_json::from_str(&told[4]).unwrap();
    assert_eq!(json["output"], "c\n");
}

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
fn plans_are_shown_and_answered() {
    let world = World::new("");
    let plan = |first: &str, second: &str| json!({"explanation": "why", "plan": [{"step": "look", "status": first}, {"step": "fix", "status": second}]});
    let told = play(
        &world,
        &[
            call("update_plan", &plan("in_progress", "pending")),
            call("update_plan", &plan("completed", "completed")),
        ]
        .concat(),
    );
    assert_eq!(told, ["Plan updated", "Plan updated"]);
    let script = format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n{}[[rule]]\noutput = [{{ text = \"end\" }}]\n",
        call("update_plan", &plan("completed", "in_progress"))
    );
    world.backend.script(&script);
    let output = world.exec(&["plan"]).run().expect(0);
    let items = output.items_of("todo_list");
    assert_eq!(
        items[0]["items"],
        json!([{"text": "look", "completed": true}, {"text": "fix", "completed": false}])
    );
}

#[test]
fn images_are_returned_as_images() {
    let world = World::new("");
    fs::write(world.project().join("dot.png"), DOT).unwrap();
    fs::write(world.project().join("text.png"), "no image").unwrap();
    let told = play(
        &world,
        &[
            call("view_image", &json!({"path": "dot.png"})),
            call("view_image", &json!({"path": "text.png"})),
            call("view_image", &json!({"path": "."})),
        ]
        .concat(),
    );
    let parts: Value = serde_json::from_str(&told[0]).unwrap();
    assert_eq!(parts[0]["type"], "input_image");
    assert!(parts[0]["image_url"].as_str().unwrap().starts_with("data:image/png;base64,"));
    assert!(told[1].contains("unsupported image data"), "{}", told[1]);
    assert!(told[2].contains("project"), "{}", told[2]);
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

#[test]
fn long_output_is_cut_with_exact_counts_and_kept_in_a_file() {
    let world = World::new("");
    let told = play(&world, &call("exec_command", &json!({"cmd": "seq 1 20000", "max_output_tokens": 100})));
    let bytes = (1..=20000).map(|n: u32| n.to_string().len() + 1).sum::<usize>();
    assert!(told[0].contains(&format!("(original token count: {})", bytes.div_ceil(4))), "{}", told[0]);
    assert!(told[0].contains("Total output lines: 20000\n"), "{}", told[0]);
    assert!(told[0].ends_with("\n20000\n") && told[0].contains("tokens truncated…"), "{}", told[0]);
    assert!(told[0].len() < 1000, "{}", told[0].len());
    let path = told[0].lines().find_map(|line| line.strip_prefix("Full output: ")).unwrap();
    assert_eq!(fs::read_to_string(path).unwrap().len(), bytes);
    assert!(std::path::Path::new(path).starts_with(world.codex_home()), "{path}");

    // The file is for the model: a later command can read it.
    let told = play(&world, &call("exec_command", &json!({"cmd": format!("tail -n 1 '{path}'")})));
    assert!(told[0].ends_with("Output:\n20000\n"), "{}", told[0]);
}

#[test]
fn what_a_command_leaves_behind_ends_with_it() {
    let world = World::new("");
    let alive = Alive::new(&world.project(), "alive");
    // The command ends only when what it leaves behind holds the pipe.
    let cmd = format!(
        "(trap '' TERM HUP; {}; touch ready; setsid sleep 600) & until [ -e ready ]; do sleep 0.01; done; echo started",
        alive.hold()
    );
    let told = play(&world, &call("exec_command", &json!({"cmd": cmd, "yield_time_ms": 30000})));
    assert!(told[0].contains("Process exited with code 0"), "{}", told[0]);
    alive.gone();
}

#[test]
fn escalation_is_refused_in_words() {
    let world = World::new("");
    let told = play(
        &world,
        &[
            call(
                "exec_command",
                &json!({"cmd": "touch x", "sandbox_permissions": "require_escalated", "justification": "why"}),
            ),
            call("shell", &json!({"command": ["touch", "x"], "with_escalated_permissions": true})),
        ]
        .concat(),
    );
    for text in &told {
        assert!(text.contains("without requesting escalation"), "a plain sentence: {text}");
    }
    assert!(!world.project().join("x").exists());
    let output = world.exec(&["do it"]).run().expect(0);
    for item in output.items_of("command_execution") {
        assert_eq!(item["status"], "declined", "{item}");
    }
}

#[test]
fn commands_get_the_users_environment_without_our_key() {
    let world = World::new("");
    world.backend.script(&format!(
        "[[rule]]\nwhen = {{ round = 0 }}\n{}[[rule]]\noutput = [{{ text = \"end\" }}]\n",
        call("exec_command", &json!({"cmd": "echo \"[$MINE][$TEST_KEY][$HOME]\""}))
    ));
    world.exec(&["env"]).env("MINE", "mine").run().expect(0);
    let told = outputs(&world);
    assert!(told[0].contains(&format!("[mine][][{}]", world.home().display())), "{}", told[0]);
}
