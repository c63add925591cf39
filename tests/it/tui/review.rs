//! `/review`: chosen, watched, stopped, read again.

use std::fs;
use std::process::Command;

use super::bed::{READY, calls_then, codex, exec, ready, ready_sized};
use super::terminal::{ENTER, ESC};
use crate::support::World;
use crate::support::scripts::HELLO;

fn repository(world: &World) {
    let run = |args: &[&str]| {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"];
        let done =
            Command::new("git").args(identity).args(args).current_dir(world.project()).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    };
    run(&["init", "-q"]);
    fs::write(world.project().join("a"), "1").unwrap();
    run(&["add", "."]);
    run(&["commit", "-qm", "First"]);
    run(&["branch", "-M", "trunk"]);
    run(&["checkout", "-qb", "work"]);
}

fn findings(world: &World) -> String {
    serde_json::json!({
        "findings": [{
            "title": "[P1] Keep the lock", "body": "It is let go too early.", "confidence_score": 0.9,
            "priority": 1, "code_location": {
                "absolute_file_path": world.project().join("src/a.rs"), "line_range": { "start": 3, "end": 5 },
            },
        }],
        "overall_correctness": "patch is incorrect", "overall_explanation": "One race.",
        "overall_confidence_score": 0.8,
    })
    .to_string()
}

#[test]
fn changes_against_a_branch_are_reviewed_and_read_again_later() {
    let world = World::new("");
    let call = exec("echo looking; exec cat go");
    let thanks = "[[rule]]\nwhen = { user = ['thank you'] }\noutput = [{ text = 'You are welcome.' }]\n";
    world.backend.script(&format!("{thanks}{}", calls_then(&call, &findings(&world))));
    repository(&world);
    let gate = Command::new("mkfifo").arg(world.project().join("go")).status().unwrap();
    assert!(gate.success());
    let terminal = ready_sized(codex(&world), 100, 40);
    terminal.submit("/review");
    terminal.until("What is to be reviewed?");
    terminal.keys("1");
    terminal.until("Which branch to compare with?");
    terminal.keys("trun");
    terminal.until("Filter: trun");
    terminal.keys(ENTER);
    terminal.until("Review: changes against 'trunk'");
    terminal.until("Waits for the end of the review");
    terminal.until("looking");
    terminal.submit("thank you");
    terminal.until("Queued for after this turn");
    fs::write(world.project().join("go"), "gone on").unwrap();
    terminal.until("Review finished · 1 finding · patch is incorrect");
    terminal.until("[P1] Keep the lock — src/a.rs:3-5");
    terminal.until("You are welcome.");
    terminal.until(READY);
    let text = terminal.text();
    assert!(text.contains("One race.") && text.contains("  It is let go too early."), "{text}");
    assert_eq!(text.matches("Keep the lock").count(), 1, "the message does not repeat it: {text}");
    let asked = world.backend.requests();
    assert!(!asked[1]["input"].to_string().contains("thank you"), "a reviewer is not steered");
    drop(terminal);
    let terminal = ready_sized(codex(&world).args(["resume", "--last"]), 100, 40);
    terminal.until("Review: changes against 'trunk'");
    let again = terminal.text();
    assert!(again.contains("[P1] Keep the lock — src/a.rs:3-5"), "{again}");
    assert_eq!(again.matches("Keep the lock").count(), 1, "{again}");
}

#[test]
fn a_review_is_stopped_and_nothing_of_it_goes_on() {
    let world = World::new("");
    world.backend.script(&calls_then(&exec("echo looking; exec sleep 1000"), "late"));
    repository(&world);
    let terminal = ready(&world);
    terminal.submit("/review look at the locks");
    terminal.until("Review: look at the locks");
    terminal.until("looking");
    terminal.keys(ESC);
    terminal.until("The review ended without a result.");
    terminal.until("Interrupted after");
    terminal.until(READY);
    assert_eq!(world.backend.requests().len(), 1);
}

#[test]
fn what_cannot_be_reviewed_is_said() {
    let world = World::new(HELLO);
    let terminal = ready(&world);
    for choice in ["1", "3"] {
        terminal.submit("/review");
        terminal.until("What is to be reviewed?");
        terminal.keys(choice);
        terminal.until("This repository has no commits yet");
        terminal.submit("/clear");
        terminal.until_that("an empty screen", |rows| !rows.iter().any(|row| row.contains("no commits yet")));
        terminal.until(READY);
    }
    assert!(world.backend.requests().is_empty());
}
