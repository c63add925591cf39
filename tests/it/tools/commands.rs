//! Commands and sessions: what is told of them, and what is left of them.

use std::fs;

use serde_json::{Value, json};

use super::bed::{call, outputs, play};
use crate::support::{Alive, World};

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
