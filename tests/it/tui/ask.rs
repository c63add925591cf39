//! Questions: the whole of what is asked, each answer, and nothing that was typed before may answer.

use std::fs;

use super::bed::{READY, be_read, calls_then, codex, exec, ready_with};
use super::terminal::{ENTER, ESC, Terminal};
use crate::support::World;

const QUESTION: &str = "Run this command?";

fn asking(end: &str) -> World {
    let calls = "[[rule.output]]\nexec = 'echo hi > asked.txt'\n\
         args = { sandbox_permissions = 'require_escalated', justification = 'I want to.' }\n";
    World::new(&calls_then(calls, end))
}

fn start(world: &World) -> Terminal {
    ready_with(codex(world).args(["-a", "on-request", "-s", "workspace-write"]))
}

/// Waits for the question and answers it.
#[track_caller]
fn answer(terminal: &Terminal, key: &str) {
    terminal.until(QUESTION);
    be_read();
    terminal.keys(key);
    terminal.until_gone(QUESTION);
}

#[test]
fn yes_runs_it() {
    let world = asking("it ran");
    let terminal = start(&world);
    terminal.submit("do it");
    terminal.until(QUESTION);
    let text = terminal.text();
    assert!(text.contains("I want to.") && text.contains("echo hi > asked.txt"), "{text}");
    answer(&terminal, "y");
    terminal.until("• it ran");
    assert_eq!(fs::read_to_string(world.project().join("asked.txt")).unwrap(), "hi\n");
}

#[test]
fn no_but_go_on_tells_the_model() {
    let world = asking("as you wish");
    let terminal = start(&world);
    terminal.submit("do it");
    answer(&terminal, "d");
    terminal.until("• as you wish");
    assert!(!world.project().join("asked.txt").exists());
    assert!(terminal.text().contains("✗"), "{}", terminal.text());
}

#[test]
fn esc_stops_the_turn() {
    let world = asking("never said");
    let terminal = start(&world);
    terminal.submit("do it");
    answer(&terminal, ESC);
    terminal.until(READY);
    assert_eq!(world.backend.requests().len(), 1);
    assert!(!world.project().join("asked.txt").exists());
}

#[test]
fn a_session_answer_holds_for_the_next_time() {
    let world = asking("it ran");
    let terminal = start(&world);
    terminal.submit("do it");
    answer(&terminal, "a");
    terminal.until("• it ran");
    fs::remove_file(world.project().join("asked.txt")).unwrap();
    terminal.submit("once more");
    terminal.until_that("two answers", |rows| super::bed::count(rows, "• it ran") == 2);
    assert!(world.project().join("asked.txt").exists());
}

#[test]
fn keys_typed_ahead_answer_nothing() {
    let world = asking("it ran");
    let terminal = start(&world);
    terminal.submit("do it");
    terminal.until_gone(READY);
    terminal.until_that("an empty prompt or the question", |rows| {
        rows.iter().any(|row| row.contains("Add to what") || row.contains(QUESTION))
    });
    // Key by key up to the very frame that shows the question, and a moment beyond.
    let mut typed = 0;
    while !terminal.text().contains(QUESTION) {
        typed += 1;
        terminal.keys("y");
        terminal.until_that("an echo or the question", |rows| {
            let dense: String = rows.concat().split_whitespace().collect();
            dense.contains(&"y".repeat(typed)) || rows.iter().any(|row| row.contains(QUESTION))
        });
    }
    terminal.keys(&format!("y{ENTER}yad"));
    terminal.until(QUESTION);
    assert!(!world.project().join("asked.txt").exists());
    answer(&terminal, "d");
    terminal.until("• it ran");
    // What was typed stands in the prompt.
    terminal.until("› y");
}

#[test]
fn a_patch_is_shown_whole() {
    let lines: String = (1..=16).map(|n| format!("+content {n}\n")).collect();
    let patch = format!(
        "[[rule.output]]\npatch = '''*** Begin Patch\n*** Add File: new.txt\n{lines}*** End Patch\n'''\n"
    );
    let world = World::new(&calls_then(&patch, "patched"));
    let terminal = ready_with(codex(&world).args(["-a", "untrusted", "-s", "read-only"]));
    terminal.resize(80, 40);
    terminal.submit("add it");
    terminal.until("Make this change?");
    terminal.until("content 16");
    be_read();
    terminal.keys("y");
    terminal.until("• patched");
    assert_eq!(fs::read_to_string(world.project().join("new.txt")).unwrap().lines().count(), 16);
}

#[test]
fn two_questions_come_in_order() {
    let call = |name: &str| {
        format!(
            "{}args = {{ sandbox_permissions = 'require_escalated', justification = 'want {name}' }}\n",
            exec(&format!("touch {name}.txt"))
        )
    };
    let world = World::new(&calls_then(&[call("one"), call("two")].concat(), "both done"));
    let terminal = start(&world);
    terminal.submit("do both");
    terminal.until("want one");
    be_read();
    terminal.keys("y");
    terminal.until("want two");
    be_read();
    terminal.keys("y");
    terminal.until("• both done");
    assert!(world.project().join("one.txt").exists() && world.project().join("two.txt").exists());
}

#[test]
fn a_refused_patch_is_one_calm_cell() {
    let patch = "[[rule.output]]\npatch = '''*** Begin Patch\n*** Add File: a.txt\n+one\n*** Add File: b.txt\n+two\n*** End Patch\n'''\n";
    let world = World::new(&calls_then(patch, "left alone"));
    let terminal = ready_with(codex(&world).args(["-a", "untrusted", "-s", "read-only"]));
    terminal.submit("add them");
    terminal.until("Make these changes?");
    be_read();
    terminal.keys("d");
    terminal.until("• left alone");
    let text = terminal.text();
    let refused: Vec<&str> = text.lines().skip_while(|row| !row.starts_with('✗')).take(4).collect();
    assert_eq!(refused[0].trim_end(), "✗ Not changed: 2 files", "{text}");
    assert!(refused[1].contains("└ You said no") && refused[2].trim().is_empty(), "{text}");
    assert_eq!(text.matches('✗').count(), 1, "{text}");
}
