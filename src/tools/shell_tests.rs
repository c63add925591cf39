//! Tests of `shell`.

use std::time::Instant;

use serde_json::json;

use super::*;
use crate::protocol::item::ItemStatus;
use crate::tools::testing::{Bench, commands, text};

async fn run(bench: &Bench, flavour: Flavour, arguments: Value) -> String {
    text(&OldShell::new(commands(), flavour), &bench.ctx, arguments).await
}

#[tokio::test]
async fn the_three_forms_of_a_call() {
    let mut bench = Bench::new();
    let script = "echo a; exit 2";
    for (flavour, arguments) in [
        (Flavour::Shell, json!({"command": ["sh", "-c", script], "workdir": "."})),
        (
            Flavour::LocalShell,
            json!({"action": {"type": "exec", "command": ["sh", "-c", script], "env": {}}}),
        ),
        (
            Flavour::LocalShell,
            json!({"type": "exec", "command": ["sh", "-c", script], "working_directory": null}),
        ),
    ] {
        let got: Value = serde_json::from_str(&run(&bench, flavour, arguments).await).unwrap();
        assert_eq!((&got["output"], &got["metadata"]["exit_code"]), (&json!("a\n"), &json!(2)));
        assert_eq!(bench.completed()[0].command, "sh -c 'echo a; exit 2'");
    }
    let got = run(&bench, Flavour::ShellCommand, json!({"command": script, "login": false})).await;
    assert!(
        got.starts_with("Exit code: 2\nWall time: 0.") && got.ends_with(" seconds\nOutput:\na\n"),
        "{got}"
    );
}

#[tokio::test]
async fn a_slow_command_is_killed() {
    let mut bench = Bench::new();
    let started = Instant::now();
    let script = "trap '' TERM; echo begun; while :; do sleep 1; done";
    let got =
        run(&bench, Flavour::ShellCommand, json!({"command": script, "login": false, "timeout_ms": 300}))
            .await;
    assert!(got.starts_with("Exit code: 124\n"), "{got}");
    assert!(got.ends_with("\nbegun\ncommand timed out after 300 milliseconds\n"), "{got}");
    assert!(started.elapsed().as_secs() < 10);
    assert_eq!(bench.completed()[0].status, ItemStatus::Failed);
}

#[test]
fn scripts_are_recognised() {
    let script = |argv: &[&str]| script_of(&argv.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
    assert_eq!(script(&["/bin/bash", "-lc", "ls"]).as_deref(), Some("ls"));
    assert_eq!(script(&["sh", "-c", "ls"]).as_deref(), Some("ls"));
    assert_eq!(script(&["python3", "-c", "ls"]), None);
    assert_eq!(script(&["bash", "-lc", "ls", "x"]), None);
    assert_eq!(script(&["ls"]), None);
}
