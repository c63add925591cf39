//! Terminals that can do less, and the other ways to show: scrollback, plain lines, no colour.

use std::path::Path;

use super::bed::{READY, calls_then, codex, count, exec, ready_with, says};
use super::terminal::{CTRL_D, CTRL_T, END, ENTER, ESC, Options, PAGE_UP, Terminal};
use crate::support::codex::binary;
use crate::support::{Codex, World};

fn scrollback(world: &World) -> Terminal {
    ready_with(codex(world).arg("--no-alt-screen"))
}

#[test]
fn scrollback_holds_one_copy_of_everything() {
    let answer: String = (1..=60).map(|n| format!("paragraph {n:02}.\n\n")).collect();
    let world = World::new("");
    world.backend.script(&calls_then(&exec("echo output of it"), &answer));
    let terminal = scrollback(&world);
    assert!(!terminal.look(|e| e.screen().alternate_screen()));
    terminal.submit("tell me");
    terminal.until("paragraph 60.");
    terminal.until(READY);
    let check = |terminal: &Terminal| {
        let rows = terminal.all_rows();
        for n in 1..=60 {
            assert_eq!(count(&rows, &format!("paragraph {n:02}.")), 1, "{n}\n{}", rows.join("\n"));
        }
        for once in [">_ ", "› tell me", "└ output of it", READY] {
            assert_eq!(count(&rows, once), 1, "{once}\n{}", rows.join("\n"));
        }
    };
    check(&terminal);
    for cols in [60, 100] {
        terminal.resize(cols, 24);
        terminal.keys("x");
        terminal.until("› x");
        terminal.keys("\x7f");
        terminal.until(READY);
        check(&terminal);
    }
    terminal.keys(CTRL_D);
    let ended = terminal.end().restored().code(0);
    assert_eq!(count(&ended.rows, "paragraph 60."), 1, "{}", ended.text());
    assert_eq!(count(&ended.rows, READY), 0, "{}", ended.text());
}

#[test]
fn the_text_of_the_shell_survives_other_sizes() {
    let parts: String = (1..=30).map(|n| format!("\n\npart {n}.")).collect();
    let answer =
        format!("a rather long answer that has to be wrapped in a window as narrow as sixty.{parts}");
    let world = World::new(&says(&answer));
    // A shell that printed something and then becomes codex.
    let script = "for n in $(seq 200); do echo shell line $n.; done; exec \"$0\" --no-alt-screen";
    let shell = Codex::program(Path::new("/bin/sh"), &world.home(), &world.project());
    let shell = shell.env("TEST_KEY", &world.backend.token).env("TERM", "xterm-256color");
    let shell = shell.args(["-c", script]).arg(binary());
    let terminal = Terminal::with(shell, Options { rewraps: true, ..Options::default() });
    terminal.until(READY);
    terminal.submit("tell me");
    terminal.until("part 30.");
    terminal.until(READY);
    let check = |terminal: &Terminal| {
        let all: String = terminal.all_lines().join("\n");
        for n in 1..=200 {
            assert_eq!(all.matches(&format!("shell line {n}.")).count(), 1, "{n}\n{all}");
        }
        for once in [">_ ", "› tell me", "a rather long", "as sixty.", "Worked for", READY] {
            assert_eq!(all.matches(once).count(), 1, "{once}\n{all}");
        }
    };
    check(&terminal);
    for (cols, rows) in [(60, 24), (100, 24), (80, 40), (40, 12), (80, 24)] {
        terminal.resize(cols, rows);
        terminal.keys("x");
        terminal.until("› x");
        terminal.keys("\x7f");
        terminal.until(READY);
        check(&terminal);
    }
    // Details and earlier rows have a screen of their own.
    for (there, back) in [(CTRL_T, CTRL_T), (CTRL_T, ESC), (PAGE_UP, END)] {
        terminal.keys(there);
        terminal.until_whole("a page", |emulator| emulator.screen().alternate_screen());
        terminal.keys(back);
        terminal.until_whole("no page", |emulator| !emulator.screen().alternate_screen());
        check(&terminal);
    }
}

#[test]
fn plain_lines_are_only_appended() {
    let world = World::new("");
    world.backend.script(&calls_then(&exec("echo output of it"), "the last words"));
    let terminal = Terminal::start(codex(&world).arg("--screen-reader"));
    terminal.until("codex");
    terminal.keys("tell me\r");
    terminal.until("the last words");
    terminal.until("output of it");
    let raw = terminal.raw();
    assert!(!raw.contains("\x1b["), "{raw:?}");
    assert!(raw.chars().all(|c| !('\u{2500}'..='\u{257f}').contains(&c)), "{raw}");
    assert_eq!(raw.matches("the last words").count(), 1, "{raw}");
    terminal.keys(CTRL_D);
    terminal.end().restored().code(0);
}

#[test]
fn plain_lines_number_the_choices() {
    let calls = "[[rule.output]]\nexec = 'echo hi > asked.txt'\n\
         args = { sandbox_permissions = 'require_escalated', justification = 'I want to.' }\n";
    let world = World::new(&calls_then(calls, "it ran"));
    let terminal =
        Terminal::start(codex(&world).args(["--screen-reader", "-a", "on-request", "-s", "workspace-write"]));
    terminal.until("codex");
    terminal.keys("do it\r");
    terminal.until("1.");
    terminal.until("echo hi > asked.txt");
    super::bed::be_read();
    terminal.keys("1\r");
    terminal.until("it ran");
    assert!(world.project().join("asked.txt").exists());
}

#[test]
fn earlier_threads_are_read_out_with_numbers() {
    let world = World::new(&says("the first answer"));
    world.codex().args(["exec", "a question to find"]).run().expect(0);
    let terminal = Terminal::start(codex(&world).args(["resume", "--screen-reader"]));
    terminal.until("1: a question to find, ");
    terminal.until("Type a number and press enter");
    terminal.keys("7\n");
    terminal.until("from 1 to 1");
    terminal.keys("1\n");
    terminal.until("the first answer");
    terminal.keys("/exit\n");
    terminal.end().restored().code(0);
    assert_eq!(world.rollouts().len(), 1);
}

#[test]
fn a_dumb_terminal_gets_plain_lines() {
    let world = World::new(&says("the end"));
    let terminal = Terminal::start(world.codex().env("TERM", "dumb"));
    terminal.until("codex");
    terminal.keys("tell me\r");
    terminal.until("the end");
    assert!(!terminal.raw().contains('\x1b'), "{:?}", terminal.raw());
}

#[test]
fn without_colour_nothing_is_coloured() {
    let world = World::new(&says("# Title\n\n`code`\n\n```rust\nfn main() {}\n```"));
    let terminal = ready_with(codex(&world).env("NO_COLOR", "1"));
    terminal.submit("tell me");
    terminal.until("fn main");
    terminal.until(READY);
    assert_eq!(colours(&terminal), Vec::<String>::new());
}

#[test]
fn sixteen_colours_are_enough_for_xterm() {
    let world = World::new(&says("```rust\nfn main() { let x = 1; }\n```"));
    let terminal = ready_with(world.codex().env("TERM", "xterm"));
    terminal.submit("tell me");
    terminal.until("fn main");
    terminal.until(READY);
    let wide: Vec<String> = colours(&terminal).into_iter().filter(|colour| colour.contains("Rgb")).collect();
    assert_eq!(wide, Vec::<String>::new());
    assert!(!terminal.raw().contains("38;5;2"), "256 colours");
}

/// All colours on the screen but the terminal's own.
fn colours(terminal: &Terminal) -> Vec<String> {
    terminal.look(|emulator| {
        let screen = emulator.screen();
        let (rows, cols) = screen.size();
        let cells = (0..rows.get()).flat_map(|row| (0..cols.get()).map(move |col| (row, col)));
        let cells = cells.filter_map(|(row, col)| screen.cell(row, col));
        let used = cells.flat_map(|cell| [cell.fgcolor(), cell.bgcolor()]);
        used.filter(|colour| *colour != vt100::Color::Default).map(|colour| format!("{colour:?}")).collect()
    })
}

#[test]
fn the_kitty_keyboard_works() {
    let world = World::new(&says("hello"));
    let terminal = ready_with(codex(&world));
    terminal.keys("one\x1b[13;2utwo");
    terminal.until("two");
    assert!(terminal.text().contains("› one"), "{}", terminal.text());
    terminal.keys("\x1b[99;5u");
    terminal.until(READY);
    terminal.keys("abc");
    terminal.until("› abc");
    terminal.keys(ENTER);
    terminal.until("• hello");
}

#[test]
fn a_notification_is_sent_only_without_focus() {
    let world = World::new(&says("the answer"));
    let terminal = ready_with(codex(&world));
    terminal.submit("first question");
    terminal.until("• the answer");
    terminal.until(READY);
    let told = |terminal: &Terminal| terminal.look(|e| e.seen().bells + e.seen().notices.len());
    assert_eq!(told(&terminal), 0);
    // The window loses the focus.
    terminal.keys("\x1b[O");
    terminal.submit("second question");
    terminal.until_that("two answers", |rows| count(rows, "• the answer") == 2);
    terminal.until(READY);
    assert_eq!(told(&terminal), 1);
}

#[test]
fn the_demo_needs_no_account() {
    let world = World::new("");
    std::fs::write(world.codex_home().join("config.toml"), "").unwrap();
    let terminal = Terminal::start(codex(&world));
    terminal.until("offline");
    let page = terminal.text();
    assert!(page.contains("API key"), "{page}");
}

#[test]
fn the_demo_plays_in_the_app_and_leaves_nothing() {
    let world = World::new("");
    let before = std::fs::read_dir(world.codex_home()).unwrap().count();
    let terminal = Terminal::start(codex(&world).args(["demo", "--speed", "0"]));
    terminal.until("Scripted model, nothing leaves this machine");
    terminal.until("enter sends this");
    let project = terminal.rows()[1].trim().to_owned();
    assert!(std::path::Path::new(&project).is_dir(), "{project}");
    terminal.keys(ENTER);
    terminal.until("Fixed. The test passes now");
    // The next one is suggested; a patch outside the project is asked for.
    terminal.until("› Feel the sandbox");
    terminal.keys(ENTER);
    terminal.until("Make this change?");
    super::bed::be_read();
    terminal.keys("d");
    terminal.until("The sandbox held.");
    // The account is scripted too.
    terminal.until("› Spend some of my limits");
    terminal.keys(ENTER);
    terminal.until("of the 5h limit and");
    terminal.until(READY);
    terminal.keys(super::terminal::CTRL_D);
    let told = terminal.end().restored().code(0).text();
    assert!(told.contains("temporary folders are removed") && !told.contains("codex resume"), "{told}");
    assert!(!std::path::Path::new(&project).exists());
    assert_eq!(
        std::fs::read_dir(world.codex_home()).unwrap().count(),
        before,
        "nothing of the user's is touched"
    );
    // In text, when that is asked for.
    let text = Terminal::start(codex(&world).args([
        "demo",
        "--headless",
        "--speed",
        "0",
        "--scenario",
        "fix-a-bug",
    ]));
    let told = text.end().restored().code(0).text();
    assert!(told.contains("That was the demonstration") && !told.contains("enter sends this"), "{told}");
}

#[test]
fn keys_and_themes_that_are_none_are_told_with_file_and_line() {
    let world = World::new(&says("hello"));
    let path = world.codex_home().join("config.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let more = "[tui]\ntheme = 'draculla'\n[tui.keymap.chat]\ninterrupt = 'no-such-key'\n";
    std::fs::write(&path, format!("{text}{more}")).unwrap();
    let line = text.lines().count();
    std::fs::create_dir(world.codex_home().join("themes")).unwrap();
    std::fs::write(world.codex_home().join("themes/own.tmTheme"), "<plist>\n<dict>\n<oops/>\n").unwrap();
    let terminal = Terminal::start(codex(&world));
    terminal.until(READY);
    terminal.submit("still works");
    terminal.until("• hello");
    terminal.until("3 warnings · f2");
    terminal.keys("\x1bOQ");
    // The panel wraps long paths anywhere.
    let said = |wanted: &str| {
        let wanted = wanted.to_owned();
        move |rows: &[String]| {
            let panel = rows.iter().rev().take_while(|row| !row.contains("Warnings")).collect::<Vec<_>>();
            let text = panel.into_iter().rev().map(|row| row.trim()).collect::<String>();
            text.contains(&wanted)
        }
    };
    let places = [
        (format!("config.toml:{}:", line + 4), "no-such-key"),
        ("own.tmTheme:3".to_owned(), "not a"),
        (format!("config.toml:{}:", line + 2), "dracula"),
    ];
    for (place, word) in places {
        terminal.until_that(&place, said(&place));
        terminal.until_that(word, said(word));
        terminal.keys("k");
    }
}

#[test]
fn nothing_is_written_while_nothing_happens() {
    let world = World::new(&says("hello"));
    let terminal = ready_with(codex(&world));
    terminal.submit("hi there");
    terminal.until("• hello");
    terminal.until(READY);
    // time itself: the last toast and timer have gone.
    std::thread::sleep(std::time::Duration::from_millis(700));
    let before = terminal.raw().len();
    // time itself: nothing may be written while nothing happens.
    std::thread::sleep(std::time::Duration::from_millis(1500));
    assert_eq!(terminal.raw().len(), before);
}
