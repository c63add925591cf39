//! Going back to an earlier prompt, with the files or without, in the same run and after a resume.

use std::fs;
use std::path::PathBuf;

use super::bed::{READY, be_read, calls_then, codex, exec, ready_sized};
use super::terminal::{CTRL_D, ENTER, ESC, Options, Terminal};
use crate::support::World;

const ARGS: [&str; 4] = ["-a", "never", "-s", "workspace-write"];

/// A turn in which this command runs.
fn turn(world: &World, terminal: &Terminal, prompt: &str, command: &str) {
    let end = format!("{prompt} is done");
    world.backend.script(&calls_then(&exec(command), &end));
    terminal.submit(prompt);
    terminal.until(&format!("• {end}"));
    terminal.until(READY);
}

/// Two turns that work on the same file.
fn two_turns(world: &World) -> (Terminal, PathBuf) {
    fs::write(world.project().join("notes.txt"), "mine\n").unwrap();
    let terminal = ready_sized(codex(world).args(ARGS), 100, 40);
    turn(world, &terminal, "first", "echo one >> notes.txt; echo 1 > made.txt");
    turn(world, &terminal, "second", "echo two >> notes.txt");
    (terminal, world.project().join("notes.txt"))
}

fn resumed(world: &World) -> Terminal {
    let options = Options { cols: 100, rows: 40, ..Options::default() };
    let terminal = Terminal::with(codex(world).args(["resume", "--last"]).args(ARGS), options);
    terminal.until("• second is done");
    terminal.until(READY);
    terminal
}

/// To the first of the two prompts.
fn to_the_first(terminal: &Terminal) {
    terminal.keys(ESC);
    terminal.until("again to edit");
    terminal.keys(ESC);
    terminal.until("enter go back");
    terminal.keys("h");
    terminal.keys(ENTER);
}

#[test]
fn files_come_along_when_they_are_wanted_also_after_a_resume() {
    for again in [false, true] {
        let world = World::new("");
        let (mut terminal, notes) = two_turns(&world);
        if again {
            terminal.keys(CTRL_D);
            terminal.end().restored().code(0);
            terminal = resumed(&world);
        }
        to_the_first(&terminal);
        terminal.until("with the files, or without?");
        terminal.until("made.txt, notes.txt");
        be_read();
        terminal.keys("2");
        terminal.until("Went back, and files too");
        assert_eq!(fs::read_to_string(&notes).unwrap(), "mine\n");
        assert!(!world.project().join("made.txt").exists());
        terminal.until("› first");
        // Another turn would make the edits unreachable, as in any editor; until then they come again, all at once.
        terminal.keys("\x15");
        terminal.submit("/redo");
        terminal.until("Turns 1, 2: brought again");
        assert_eq!(fs::read_to_string(&notes).unwrap(), "mine\none\ntwo\n");
        assert!(world.project().join("made.txt").exists());
        turn(&world, &terminal, "third", "true");
        let sent = world.backend.requests().last().unwrap()["input"].to_string();
        assert!(!sent.contains("second is done"), "the model has forgotten: {sent}");
    }
}

#[test]
fn the_careful_choice_leaves_the_files_and_what_the_user_wrote_stays_in_any_case() {
    let world = World::new("");
    let (terminal, notes) = two_turns(&world);
    to_the_first(&terminal);
    terminal.until("with the files, or without?");
    be_read();
    terminal.keys(ENTER);
    terminal.until("Files are as they were left");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine\none\ntwo\n");

    let world = World::new("");
    let (terminal, notes) = two_turns(&world);
    fs::write(&notes, "mine again\n").unwrap();
    to_the_first(&terminal);
    terminal.until("notes.txt (changed since)");
    be_read();
    terminal.keys("2");
    terminal.until("left      notes.txt (changed since)");
    assert_eq!(fs::read_to_string(&notes).unwrap(), "mine again\n");
    assert!(!world.project().join("made.txt").exists());
}

#[test]
fn without_changed_files_nothing_is_asked() {
    let world = World::new("");
    let terminal = ready_sized(codex(&world).args(ARGS), 100, 40);
    turn(&world, &terminal, "first", "true");
    turn(&world, &terminal, "second", "echo nothing");
    to_the_first(&terminal);
    terminal.until("Went back. Files stay as they are.");
    terminal.until("› first");
}
