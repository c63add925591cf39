//! Input that wants to do harm: nothing from outside is ever executed by the terminal, nothing breaks the layout,
//! nothing stalls the program. Unknown sequences fail the test when the terminal goes (see `emulator`).

use super::bed::{READY, calls_then, codex, exec, ready, ready_sized, says};
use super::terminal::ENTER;
use crate::support::World;

/// Rows are never wider than the screen and the prompt stands in its place.
#[track_caller]
fn sound(terminal: &super::terminal::Terminal) {
    let rows = terminal.rows();
    assert!(rows.iter().any(|row| row.starts_with('›')), "{}", rows.join("\n"));
}

#[test]
fn escapes_of_a_command_are_not_executed() {
    let world = World::new("");
    let nasty = concat!(
        r"printf '\033]0;owned\007\033[2J\033[?1003h\033[31mred\033[0m\033P+q\033\\\000\tTAB\rCR",
        r"\033[5n\033[c\033]52;c;aGk=\007\033[999;999H\302\233\x9b31m \016 \033c\n'; echo after"
    );
    world.backend.script(&calls_then(&exec(nasty), "the end"));
    let terminal = ready(&world);
    terminal.submit("do it");
    terminal.until("• the end");
    terminal.until(READY);
    let text = terminal.text();
    assert!(text.contains("red") && text.contains("after"), "{text}");
    sound(&terminal);
    let (titles, copied) = terminal.look(|e| (e.seen().title.clone(), e.seen().copied.clone()));
    assert!(titles.iter().all(|title| !title.contains("owned")), "{titles:?}");
    assert!(copied.is_empty());
    // The same by hand.
    terminal.submit(&format!("!{nasty}"));
    terminal.until("You ran");
    sound(&terminal);
}

#[test]
fn escapes_of_the_model_are_not_executed() {
    let text = "before \u{1b}]0;owned\u{7}\u{1b}[2Jmid\u{1b}[?1049l \u{0}\u{9b}31m\tx\rback \u{202e}rtl\n\n\
`\u{1b}[31m`\n\n```\n\u{1b}c\u{8}\u{8}\n```\n\n[a](http://x/\u{1b}\\\u{7}y) after";
    let world = World::new(&says(text));
    let terminal = ready(&world);
    terminal.submit("do it");
    terminal.until("after");
    terminal.until(READY);
    let text = terminal.text();
    assert!(text.contains("before") && text.contains("mid"), "{text}");
    assert!(terminal.look(|e| e.screen().alternate_screen()));
    let titles = terminal.look(|e| e.seen().title.clone());
    assert!(titles.iter().all(|title| !title.contains("owned")), "{titles:?}");
    sound(&terminal);
}

#[test]
fn a_line_of_a_megabyte() {
    let world = World::new("");
    world
        .backend
        .script(&calls_then(&exec("head -c 1000000 /dev/zero | tr '\\0' x; echo; echo last"), "the end"));
    let terminal = ready(&world);
    terminal.submit("do it");
    terminal.until("• the end");
    terminal.until(READY);
    sound(&terminal);
    world.backend.script("[[rule]]\noutput = [{ text = 'y', repeat = 1000000 }, { text = 'Done now.' }]\n");
    terminal.submit("and a long answer");
    terminal.until("Done now.");
    sound(&terminal);
}

#[test]
fn a_paste_of_ten_megabytes() {
    let world = World::new(&says("got it"));
    let terminal = ready(&world);
    let line = "0123456789 abcdefghij\n";
    let pasted = line.repeat(10 * 1024 * 1024 / line.len());
    terminal.paste(&pasted);
    terminal.until("[Pasted Content");
    terminal.keys(" and a word");
    terminal.until("and a word");
    terminal.keys("\x03");
    terminal.until(READY);
    // A smaller one is sent whole, and its own escapes are text.
    let pasted = format!("{}\x1b[31m\nend of paste", "z".repeat(5000));
    terminal.paste(&pasted);
    terminal.until("[Pasted Content");
    terminal.keys(ENTER);
    terminal.until("• got it");
    let input = world.backend.requests().last().unwrap()["input"].to_string();
    assert!(input.contains(&"z".repeat(5000)) && input.contains("end of paste"));
}

#[test]
fn resize_storms_while_text_arrives() {
    let words: String = (0..400).map(|n| format!("word{n} **bold{n}** 数字 👩‍👩‍👧\n")).collect();
    let world = World::new(&format!(
        "[wire]\ndelta_chars = 4\ndelta_ms = 1\n{}",
        says(&format!("{words}\n\nThe end."))
    ));
    let terminal = ready_sized(codex(&world), 80, 24);
    terminal.submit("go on");
    terminal.until("word0");
    for round in 0..12 {
        for (cols, rows) in
            [(60, 20), (1, 1), (2, 1), (1, 30), (40, 12), (39, 12), (200, 3), (120, 40), (7, 7)]
        {
            terminal.resize(cols + round % 3, rows);
        }
    }
    terminal.resize(1, 1);
    terminal.resize(80, 24);
    terminal.until("The end.");
    terminal.until(READY);
    sound(&terminal);
    terminal.keys("still alive");
    terminal.until("› still alive");
}

#[test]
fn a_small_window_says_so_and_loses_nothing() {
    let world = World::new(&says("hello"));
    let terminal = ready(&world);
    terminal.keys("kept text");
    terminal.until("› kept text");
    terminal.resize(30, 8);
    terminal.until("40×12");
    terminal.keys(" and more");
    terminal.resize(80, 24);
    terminal.until("› kept text and more");
}
