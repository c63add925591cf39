//! Every way out gives the terminal back as it was.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::process::Command;

use super::bed::{READY, calls_then, codex, exec, ready, says};
use super::terminal::{CTRL_C, CTRL_D, CTRL_G, CTRL_Z, Options, Terminal};
use crate::support::{Alive, World};

/// The app in the middle of a turn: its command runs until somebody ends it.
#[track_caller]
fn busy() -> (World, Alive, Terminal) {
    let world = World::new("");
    let alive = Alive::new(&world.project(), "alive");
    world.backend.script(&calls_then(&exec(&format!("{}; sleep 1000", alive.hold())), "never"));
    let terminal = ready(&world);
    terminal.submit("do it");
    alive.up();
    (world, alive, terminal)
}

#[test]
fn control_c_quits_only_twice() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.keys("a draft");
    terminal.until("› a draft");
    terminal.keys(CTRL_C);
    terminal.until_gone("› a draft");
    terminal.keys(CTRL_C);
    terminal.until("again to quit");
    // Time passes: the first press is forgotten.
    terminal.until_gone("again to quit");
    terminal.keys(CTRL_C);
    terminal.until("again to quit");
    terminal.keys(CTRL_C);
    terminal.end().restored().code(0);
}

#[test]
fn control_c_interrupts_a_turn_first() {
    let (_world, alive, terminal) = busy();
    terminal.keys(CTRL_C);
    terminal.until("■ Interrupted");
    alive.gone();
    terminal.until(READY);
}

#[test]
fn control_d_and_exit_leave() {
    let world = World::new(&says("the answer"));
    let terminal = ready(&world);
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
    let terminal = ready(&world);
    terminal.submit("hello there");
    terminal.until("• the answer");
    terminal.until(READY);
    terminal.keys("/exit\r");
    let told = terminal.end().restored().code(0);
    assert!(told.text().contains("the answer") && told.text().contains("codex resume "), "{}", told.text());
}

#[test]
fn signals_restore_the_terminal_and_end_the_commands() {
    for signal in ["TERM", "HUP", "INT"] {
        let (_world, alive, terminal) = busy();
        terminal.signal(signal);
        let ended = terminal.end().restored();
        assert!(
            ended.status.code() != Some(0) || ended.status.signal().is_some(),
            "{signal}: {}",
            ended.status
        );
        alive.gone();
    }
}

#[test]
fn a_closed_window_ends_the_program() {
    let (_world, alive, terminal) = busy();
    terminal.close();
    alive.gone();
}

/// Builds for tests have a trap in them (`tui/trap.rs`): pasting its word makes that part of the app panic.
#[test]
#[cfg(debug_assertions)]
fn a_fault_gives_the_terminal_back_and_loses_nothing() {
    for part in ["update", "view"] {
        let world = World::new(&says("an answer that is kept"));
        let terminal = ready(&world);
        terminal.submit("hello there");
        terminal.until("• an answer that is kept");
        terminal.until(READY);
        terminal.keys("half a thought");
        terminal.until("› half a thought");
        terminal.paste(&format!("codex-trap:{part}"));
        let ended = terminal.end().restored().code(101);
        let told = ended.text();
        assert!(told.contains("a fault of its own") && told.contains("on purpose in the"), "{told}");
        assert!(told.replace('\n', "").contains("log/codex-tui.log"), "{told}");
        let log = std::fs::read_to_string(world.codex_home().join("log/codex-tui.log")).unwrap();
        assert!(log.contains(&format!("on purpose in the {part}")), "{log}");
        assert!(!log.contains(&world.backend.token), "{log}");
        // The thread goes on where it was, and so does the prompt.
        let again = Terminal::start(codex(&world).args(["resume", "--last"]));
        again.until("• an answer that is kept");
        again.until("› half a thought");
    }
}

#[test]
fn without_a_terminal_it_says_so() {
    let world = World::new(&says("hello"));
    let output = codex(&world).run().expect(1);
    assert!(output.stderr.contains("codex exec"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
}

/// A shell with job control in the terminal; codex is started from it.
fn from_shell(world: &World) -> Terminal {
    let mut shell = Command::new("bash");
    let inner = codex(world).into_command();
    shell.args(["--norc", "--noprofile", "-i"]).env("PS1", "shell$ ").env("HISTFILE", "");
    for (name, value) in inner.get_envs() {
        shell.envs(value.map(|value| (name, value)));
    }
    shell.current_dir(world.project());
    let terminal = Terminal::command(shell, Options::default());
    terminal.until("shell$");
    terminal.keys(&format!("'{}'\r", inner.get_program().to_str().unwrap()));
    terminal.until(READY);
    terminal
}

#[test]
fn control_z_and_back() {
    let world = World::new(&says("hello"));
    let terminal = from_shell(&world);
    terminal.keys("a draft");
    terminal.until("› a draft");
    terminal.keys(CTRL_Z);
    terminal.until("Stopped");
    let left_on = terminal.look(super::emulator::Emulator::left_on);
    // The shell's own line editor has bracketed paste on.
    assert!(left_on.iter().all(|mode| mode == "bracketed paste"), "{left_on:?}");
    terminal.keys("fg\r");
    terminal.until("› a draft");
    terminal.keys(" goes on");
    terminal.until("› a draft goes on");
    terminal.keys(CTRL_C);
    terminal.until(READY);
    terminal.keys(CTRL_D);
    terminal.until_that("the shell", |rows| {
        rows.iter().rev().find(|row| !row.is_empty()).is_some_and(|row| row.starts_with("shell$"))
    });
    terminal.keys("exit\r");
    terminal.end().restored();
}

#[test]
fn stopped_and_continued_from_outside() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.signal("STOP");
    terminal.keys("typed while stopped");
    terminal.signal("CONT");
    terminal.until("› typed while stopped");
}

#[test]
fn the_editor_has_the_terminal_for_itself() {
    let world = World::new(&says("hello"));
    let editor = world.root().join("editor");
    fs::write(
        &editor,
        "#!/bin/sh\nstty -a > \"$HOME/stty\"\nprintf 'in editor '\nread -r line\nprintf '%s' \"$line\" >> \"$1\"\n",
    )
    .unwrap();
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).unwrap();
    let terminal = super::bed::ready_with(codex(&world).env("EDITOR", editor.to_str().unwrap()));
    terminal.keys("before ");
    terminal.until("› before");
    terminal.keys(CTRL_G);
    terminal.until("in editor");
    assert!(terminal.is_cooked());
    assert!(!terminal.look(|e| e.screen().alternate_screen()));
    terminal.keys("after\r");
    terminal.until("› before after");
    let stty = fs::read_to_string(world.home().join("stty")).unwrap();
    assert!(stty.contains(" icanon") && stty.contains(" echo "), "{stty}");
    terminal.keys(CTRL_C);
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
}
