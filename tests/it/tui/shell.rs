//! Commands of the user: their own shell, live, with their exit code in words, and told to the model next time.

use super::bed::{READY, calls_then, codex, count, exec, ready, ready_with, says};
use super::terminal::{ENTER, ESC};
use crate::support::{Alive, World};

#[test]
fn a_failed_command_states_its_exit_code() {
    let world = World::new(&says("seen"));
    let terminal = ready(&world);
    terminal.keys("!ls /nowhere; exit 7");
    terminal.until("! ls /nowhere; exit 7");
    assert!(terminal.text().contains("Shell mode"), "{}", terminal.text());
    terminal.keys(ENTER);
    terminal.until("You ran");
    let text = terminal.text();
    assert!(text.contains("✗ You ran ls /nowhere; exit 7 · exited (status 7)"), "{text}");
    assert!(text.contains("└ ls: cannot access"), "{text}");
    terminal.submit("what happened");
    terminal.until("• seen");
    let input = world.backend.requests().last().unwrap()["input"].to_string();
    assert!(input.contains("<user_shell_command>") && input.contains("Exit code: 7"), "{input}");
}

#[test]
fn a_running_command_is_live_and_esc_ends_all_of_it() {
    let world = World::new(&says("seen"));
    let alive = Alive::new(&world.project(), "alive");
    let terminal = ready(&world);
    terminal.submit(&format!("!{}; echo out; sleep 1000 & sleep 1000", alive.hold()));
    alive.up();
    terminal.until_that("output", |rows| {
        rows.iter().any(|row| row.trim_start_matches([' ', '└']).trim() == "out")
    });
    assert!(terminal.text().contains("Running"), "{}", terminal.text());
    terminal.keys(ESC);
    alive.gone();
    terminal.until(READY);
}

#[test]
fn output_order_and_environment_are_those_of_a_shell() {
    let world = World::new(&says("seen"));
    let terminal = ready(&world);
    terminal.submit("!touch ../outside && echo $((6*7)) && pwd");
    terminal.until("42");
    terminal.until("project");
    assert!(world.root().join("outside").exists(), "outside the sandbox");
}

/// What the model leaves running is listed and ended, between turns and while one runs.
#[test]
fn what_runs_in_the_background_is_listed_and_ended() {
    let call = "[[rule.output]]\nexec = 'echo up; exec sleep 600'\nargs = { yield_time_ms = 300 }\n";
    let world = World::new(&calls_then(call, "it runs"));
    let terminal = ready(&world);
    terminal.submit("/ps");
    terminal.until("No background terminals run.");
    terminal.submit("start it");
    terminal.until("Left running (session ");
    terminal.until("• it runs");
    terminal.until(READY);
    terminal.submit("/ps");
    terminal.until("1 background terminal (/stop ends it):");
    terminal.until("$ echo up; exec sleep 600");
    terminal.submit("/stop");
    terminal.until("Ended the background terminal.");
    terminal.submit("/ps");
    terminal.until_that("nothing is left", |rows| count(rows, "No background terminals run.") == 2);
}

/// The row of a running turn counts what runs in the background, also when that ends by itself or by `/stop`.
#[test]
fn what_ends_in_the_background_is_not_counted_any_more() {
    for by_hand in [false, true] {
        ends_in_the_background(by_hand);
    }
}

fn ends_in_the_background(by_hand: bool) {
    let world = World::new("");
    let waits = |gate: &str| format!("until test -e {gate}; do sleep 0.02; done");
    let call = format!("[[rule.output]]\nexec = '{}'\nargs = {{ yield_time_ms = 300 }}\n", waits("one"));
    world.backend.script(&calls_then(&call, "it runs"));
    let terminal = ready_with(codex(&world).args(["-a", "never", "-s", "workspace-write"]));
    terminal.submit("start it");
    terminal.until("• it runs");
    terminal.until(READY);
    world.backend.script(&calls_then(&exec(&waits("two")), "the other ran"));
    terminal.submit("and another");
    terminal.until("to interrupt) · 1 background terminal");
    match by_hand {
        true => terminal.submit("/stop"),
        false => std::fs::write(world.project().join("one"), "").unwrap(),
    }
    terminal.until_gone("1 background terminal");
    assert!(terminal.text().contains("to interrupt"), "the turn still runs: {}", terminal.text());
    std::fs::write(world.project().join("two"), "").unwrap();
    terminal.until("• the other ran");
}
