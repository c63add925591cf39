//! What `codex exec` prints, and where.

use std::fs;

use serde_json::{Value, json};

use super::bed::types;
use crate::support::World;
use crate::support::scripts::HELLO;

/// Runs a command, patches a file, answers.
const WORK: &str = r#"
[[rule]]
name = "look"
when = { round = 0 }
[[rule.output]]
reasoning = "Thinking hard"
[[rule.output]]
commentary = "I look."
[[rule.output]]
exec = "echo out; echo err >&2; exit 2"
[[rule]]
name = "change"
when = { after = "look" }
[[rule.output]]
patch = """
*** Begin Patch
*** Add File: added.txt
+one
*** End Patch
"""
[[rule]]
output = [{ text = "All done." }]
"#;

/// Names of all keys of an object, sorted.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

#[test]
fn json_lines_have_the_known_shapes() {
    let world = World::new(WORK);
    let output = world.exec(&["go"]).run().expect(0);
    assert_eq!(
        types(&output),
        [
            "thread.started",
            "turn.started",
            "item.completed:reasoning",
            "item.completed:agent_message",
            "item.started:command_execution",
            "item.completed:command_execution",
            "item.started:file_change",
            "item.completed:file_change",
            "item.completed:agent_message",
            "turn.completed",
        ]
    );
    assert_eq!(output.stderr, "");
    let events = output.events();
    assert_eq!(keys(&events[0]), ["thread_id", "type"]);
    assert_eq!(events[2]["item"], json!({"id": "item_0", "type": "reasoning", "text": "Thinking hard"}));
    assert_eq!(
        events[4]["item"],
        json!({"id": "item_2", "type": "command_execution", "aggregated_output": "", "exit_code": null,
            "status": "in_progress", "command": "/bin/sh -lc 'echo out; echo err >&2; exit 2'"})
    );
    assert_eq!(events[5]["item"]["aggregated_output"], "out\nerr\n");
    assert_eq!(
        (&events[5]["item"]["exit_code"], &events[5]["item"]["status"]),
        (&json!(2), &json!("failed"))
    );
    let path = world.project().join("added.txt");
    assert_eq!(
        events[7]["item"],
        json!({"id": "item_3", "type": "file_change", "status": "completed",
            "changes": [{"path": path, "kind": "add"}]})
    );
    assert_eq!(events[8]["item"]["text"], "All done.");
    assert_eq!(
        keys(&events[9]["usage"]),
        [
            "cache_write_input_tokens",
            "cached_input_tokens",
            "input_tokens",
            "output_tokens",
            "reasoning_output_tokens"
        ]
    );
    assert_eq!(fs::read_to_string(path).unwrap(), "one\n");
}

#[test]
fn plain_output_is_the_answer_alone_and_progress_goes_to_stderr() {
    let world = World::new(WORK);
    let output = world.codex().args(["exec", "go"]).run().expect(0);
    assert_eq!(output.stdout, "All done.\n");
    for part in [
        &format!("workdir: {}", world.project().display()),
        "model: gpt-5.5",
        "provider: test",
        "approval: never",
        "sandbox: workspace-write",
        "session id: ",
        "user\ngo\n",
        "Thinking hard",
        "codex\nI look.\n",
        "exec\n/bin/sh -lc 'echo out; echo err >&2; exit 2' in ",
        " exited 2 in ",
        "out\nerr\n",
        "apply patch\n",
        "added.txt",
        "+one",
        "codex\nAll done.\n",
        "tokens used\n",
    ] {
        assert!(output.stderr.contains(part), "{part:?} is missing:\n{}", output.stderr);
    }
    assert!(!output.stderr.contains('\u{1b}'), "no colours into a pipe: {}", output.stderr);
}

#[test]
fn long_output_of_commands_is_shown_in_part() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"seq 1 5000\" }]\n\
         [[rule]]\noutput = [{ text = \"Counted.\" }]\n",
    );
    let output = world.codex().args(["e", "count"]).run().expect(0);
    assert!(output.stderr.lines().count() < 100, "{}", output.stderr);
    assert!(output.stderr.contains("more lines"), "{}", output.stderr);
    assert!(output.stderr.contains("\n5000\n") && output.stderr.contains("\n1\n"), "{}", output.stderr);
}

#[test]
fn colours_are_as_asked() {
    let world = World::new(HELLO);
    let output = world.codex().args(["exec", "--color", "always", "hi"]).run().expect(0);
    assert!(output.stderr.contains("\u{1b}["), "{}", output.stderr);
    assert_eq!(output.stdout, "Hello there.\n");
    let output = world.codex().args(["exec", "--color", "never", "hi"]).run().expect(0);
    assert!(!output.stderr.contains('\u{1b}'), "{}", output.stderr);
    world.codex().args(["exec", "--color", "blue", "hi"]).run().expect(2);
}

#[test]
fn the_last_message_goes_into_a_file_too() {
    let world = World::new(HELLO);
    let file = world.root().join("answer.txt");
    let path = file.to_str().unwrap();
    world.exec(&["-o", path, "hi"]).run().expect(0);
    assert_eq!(fs::read_to_string(&file).unwrap(), "Hello there.");

    // Without an answer, an older one must not pass for it.
    world.backend.script("[[rule]]\nfault = { kind = \"status\", code = 400 }\n");
    let output = world.codex().args(["exec", "-o", path, "hi"]).run().expect(1);
    assert_eq!(fs::read_to_string(&file).unwrap(), "");
    assert!(output.stderr.contains("answer.txt"), "{}", output.stderr);

    world.backend.script(HELLO);
    let output = world.codex().args(["exec", "-o", "/dev/full", "hi"]).run().expect(1);
    assert_eq!(output.stdout, "Hello there.\n", "the answer is not lost");
    assert!(output.stderr.contains("cannot write the answer to /dev/full"), "{}", output.stderr);

    // What cannot work for certain is said before anything is paid for.
    let before = world.backend.requests().len();
    let output = world.codex().args(["exec", "-o", "no/such/folder/x", "hi"]).run().expect(1);
    assert!(output.stderr.contains("cannot write the answer to no/such/folder/x"), "{}", output.stderr);
    assert_eq!(world.backend.requests().len(), before);
    assert!(!output.stderr.contains(".codex-"), "no names of ours: {}", output.stderr);
}

#[test]
fn a_closed_stdout_stops_the_turn() {
    let world = World::new(
        "[[rule]]\nwhen = { round = 0 }\noutput = [{ exec = \"true\" }]\n[[rule]]\nwhen = { round = 1 }\n\
         output = [{ exec = \"sleep 600\" }]\n[[rule]]\noutput = [{ text = \"never\" }]\n",
    );
    let output = world.exec(&["go"]).closed_stdout().run();
    assert_eq!((output.code, output.stderr.as_str()), (Some(141), ""));
}
