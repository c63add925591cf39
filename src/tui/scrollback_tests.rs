//! The mode in which the terminal scrolls, in a terminal with a scrollback: one copy of everything.

use super::*;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandAction, CommandItem, Item, ItemStatus};
use crate::protocol::turn::TurnStatus;
use crate::tui::msg::Msg;
use crate::tui::scene::{Scene, command_item};

/// A terminal with a scrollback, and the mode on it.
struct Shell {
    terminal: vt100::Parser,
    scrollback: Scrollback,
    /// It wraps what it holds at another width, as most do; others cut it off.
    rewraps: bool,
}

fn emulator(width: u16, height: u16) -> vt100::Parser {
    let size = |n: u16| n.try_into().unwrap();
    vt100::Parser::new(size(height), size(width), 1000)
}

impl Shell {
    fn new(width: u16, height: u16) -> Self {
        let mut terminal = emulator(width, height);
        terminal.process(b"$ earlier command\r\nits output\r\n$ codex\r\n");
        Self { terminal, scrollback: Scrollback::default(), rewraps: true }
    }

    fn draw(&mut self, scene: &Scene) -> usize {
        let bytes = self.scrollback.update(&scene.model);
        self.terminal.process(&bytes);
        bytes.len()
    }

    fn resize(&mut self, scene: &mut Scene, width: u16, height: u16) {
        let size = |n: u16| n.try_into().unwrap();
        match self.rewraps {
            true => self.rewrap(width, height),
            false => self.terminal.screen_mut().set_size(size(height), size(width)),
        }
        scene.model.setup.surroundings.rewraps = self.rewraps;
        scene.send(Msg::Resize(width, height));
        self.draw(scene);
    }

    /// Another size, in a terminal that knows which rows are one line.
    fn rewrap(&mut self, width: u16, height: u16) {
        let (row, column) = self.terminal.screen().cursor_position();
        let mut lines = vec![String::new()];
        let (mut at, mut column) = (0, usize::from(column));
        let rows = self.rows();
        let above = rows.len() - usize::from(self.terminal.screen().size().0.get());
        let cursor = above + usize::from(row);
        let last = rows.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0).max(cursor);
        for (index, (text, wrapped)) in rows.into_iter().enumerate().take(last + 1) {
            let line = lines.last_mut().unwrap();
            if index == cursor {
                (at, column) = (usize::MAX, column + line.chars().count());
            }
            line.push_str(&text);
            if !wrapped {
                at = if at == usize::MAX { lines.len() - 1 } else { at };
                lines.push(String::new());
            }
        }
        lines.pop();
        self.terminal = emulator(width, height);
        self.terminal.process(lines.join("\r\n").as_bytes());
        let taken = |line: &String| line.chars().count().div_ceil(width.into()).max(1);
        let below = lines.iter().skip(at).map(taken).sum::<usize>() - 1 - column / usize::from(width);
        let row = usize::from(self.terminal.screen().cursor_position().0) - below;
        let column = column % usize::from(width);
        self.terminal.process(format!("\x1b[{};{}H", row + 1, column + 1).as_bytes());
    }

    /// All rows, and whether each goes on in the next one.
    fn rows(&mut self) -> Vec<(String, bool)> {
        let row = |screen: &vt100::Screen, row: u16| {
            let width = screen.size().1.get();
            let text = screen.rows(0, width).nth(row.into()).unwrap_or_default();
            (text, screen.row_wrapped(row))
        };
        self.terminal.screen_mut().set_scrollback(usize::MAX);
        let above = self.terminal.screen().scrollback();
        let mut rows = Vec::new();
        for back in (1..=above).rev() {
            self.terminal.screen_mut().set_scrollback(back);
            rows.push(row(self.terminal.screen(), 0));
        }
        self.terminal.screen_mut().set_scrollback(0);
        let screen = self.terminal.screen();
        rows.extend((0..screen.size().0.get()).map(|y| row(screen, y)));
        rows
    }

    /// Everything that can be scrolled to.
    fn all(&mut self) -> Vec<String> {
        self.rows().into_iter().map(|(text, _)| text).collect()
    }

    fn count(&mut self, words: &str) -> usize {
        let all: String =
            self.rows().into_iter().map(|(t, wraps)| if wraps { t } else { t + "\n" }).collect();
        all.matches(words).count()
    }
}

fn once(shell: &mut Shell, words: &[&str]) {
    for words in words {
        assert_eq!(shell.count(words), 1, "{words}: {:#?}", shell.all());
    }
}

#[test]
fn each_cell_is_there_once_and_the_shell_before_it_stays() {
    let mut scene = Scene::new(60, 14);
    let mut shell = Shell::new(60, 14);
    shell.draw(&scene);
    once(&mut shell, &["$ earlier command", ">_ codex", "What is to be done?"]);
    for n in 0..12 {
        scene.turn(&format!("prompt {n}."));
        shell.draw(&scene);
        scene.says(&format!("answer {n}.\n\nsecond part {n}."));
        shell.draw(&scene);
        scene.ends(TurnStatus::Completed);
        shell.draw(&scene);
    }
    once(&mut shell, &["$ earlier command", ">_ codex", "What is to be done?", "for shortcuts"]);
    for n in 0..12 {
        once(&mut shell, &[&format!("prompt {n}."), &format!("answer {n}."), &format!("second part {n}.")]);
    }
}

const SIZES: [(u16, u16); 7] = [(60, 20), (100, 20), (40, 12), (100, 30), (52, 14), (40, 14), (120, 40)];

#[test]
fn after_other_sizes_there_is_one_copy_and_the_shell_before_it_stays() {
    for rewraps in [true, false] {
        let mut scene = Scene::new(80, 20);
        let mut shell = Shell { rewraps, ..Shell::new(80, 20) };
        let before: String = (1..=30).map(|n| format!("line {n:02} of the shell\r\n")).collect();
        shell.terminal.process(before.as_bytes());
        let answer =
            "a sentence that is rather long so that it has to be wrapped in a narrow window, and ends here.";
        scene.turn("first prompt").says(answer).ends(TurnStatus::Completed);
        shell.draw(&scene);
        scene.text("a draft of some length that a narrow window shows in more than one of its rows");
        shell.draw(&scene);
        for (width, height) in SIZES {
            shell.resize(&mut scene, width, height);
            once(&mut shell, &["$ earlier command", ">_ codex", "first prompt", "a sentence that"]);
            once(&mut shell, &["Worked for", "a draft of some"]);
            if rewraps {
                once(&mut shell, &["and ends here."]);
            }
            (1..=30).for_each(|n| once(&mut shell, &[&format!("line {n:02} of the shell")]));
        }
    }
}

#[test]
fn other_sizes_while_an_answer_is_written() {
    let mut scene = Scene::new(80, 24);
    let mut shell = Shell::new(80, 24);
    scene.turn("first prompt").runs("c1", "make test");
    shell.draw(&scene);
    for (width, height) in SIZES {
        scene.wait(1000);
        shell.resize(&mut scene, width, height);
        once(
            &mut shell,
            &["$ earlier command", ">_ codex", "first prompt", "Running make test", "Working ("],
        );
        once(&mut shell, &["Add to what is being done"]);
    }
    scene.ran("c1", "make test", "ok\n", 0).says("the end").ends(TurnStatus::Completed);
    shell.draw(&scene);
    once(&mut shell, &["Ran make test", "the end", "Worked for", "What is to be done?"]);
    assert_eq!(shell.count("Running make test") + shell.count("Working ("), 0, "{:#?}", shell.all());
}

#[test]
fn what_is_read_one_after_the_other_is_printed_when_it_is_complete() {
    let mut scene = Scene::new(80, 24);
    let mut shell = Shell::new(80, 24);
    scene.turn("look");
    for name in ["one.txt", "two.txt"] {
        let action =
            CommandAction::Read { command: format!("cat {name}"), name: name.to_owned(), path: name.into() };
        let read =
            CommandItem { command_actions: vec![action], ..command_item(name, &format!("cat {name}")) };
        let done = CommandItem { status: ItemStatus::Completed, exit_code: Some(0), ..read.clone() };
        scene.event(Event::ItemStarted { item: Item::CommandExecution(read) });
        scene.event(Event::ItemCompleted { item: Item::CommandExecution(done) });
        shell.draw(&scene);
    }
    scene.says("seen").ends(TurnStatus::Completed);
    shell.draw(&scene);
    once(&mut shell, &["one.txt", "two.txt", "Explored", "seen"]);
}

#[test]
fn an_emptied_screen_loses_nothing() {
    let mut scene = Scene::new(60, 14);
    let mut shell = Shell::new(60, 14);
    scene.turn("go").says("done").ends(TurnStatus::Completed);
    shell.draw(&scene);
    shell.scrollback.empty();
    shell.draw(&scene);
    once(&mut shell, &["$ earlier command", ">_ codex", "• done", "What is to be done?"]);
    let screen: Vec<String> = shell.terminal.screen().rows(0, 60).collect();
    assert!(screen.iter().all(|row| !row.contains("• done")), "{screen:#?}");
    assert!(screen.iter().take(2).any(|row| row.contains("What is to be done?")), "{screen:#?}");
}

#[test]
fn what_can_be_gone_on_with_stands_in_the_live_rows_until_something_is_said() {
    let mut scene = Scene::new(80, 20);
    let mut shell = Shell::new(80, 20);
    scene.model.glance = Some(crate::tui::glance::Glance::new(scene.model.transcript.cells().count()));
    scene.send(Msg::Answer(crate::tui::msg::Answer::Glimpse(crate::tui::door::Glimpse::Last(None))));
    shell.draw(&scene);
    once(&mut shell, &["no thread in this folder yet"]);
    scene.turn("go").says("done").ends(TurnStatus::Completed);
    shell.draw(&scene);
    assert_eq!(shell.count("no thread in this folder yet"), 0);
}

#[test]
fn live_rows_change_in_place() {
    let mut scene = Scene::new(60, 16);
    let mut shell = Shell::new(60, 16);
    scene.turn("go").runs("c1", "make test");
    shell.draw(&scene);
    for _ in 0..5 {
        scene.wait(1000);
        shell.draw(&scene);
    }
    once(&mut shell, &["Running make test · 5s", "Working (5s"]);
    scene.ran("c1", "make test", "ok\n", 0);
    shell.draw(&scene);
    once(&mut shell, &["Ran make test", "Working (5s"]);
    assert_eq!(shell.count("Running make test"), 0);
    scene.asks(1, "c2", "make install");
    shell.draw(&scene);
    once(&mut shell, &["Run this command?", "$ make install"]);
    scene.keys(&["y"]).event(crate::protocol::event::Event::AskResolved { id: crate::base::ids::AskId(1) });
    shell.draw(&scene);
    assert_eq!(shell.count("Run this command?"), 0);
}

#[test]
fn the_cursor_is_in_the_prompt_and_nothing_is_written_twice() {
    let mut scene = Scene::new(60, 14);
    let mut shell = Shell::new(60, 14);
    shell.draw(&scene);
    scene.text("abc");
    shell.draw(&scene);
    let (row, column) = shell.terminal.screen().cursor_position();
    assert_eq!(shell.terminal.screen().rows(0, 60).nth(row.into()).unwrap(), "› abc");
    assert_eq!(column, 5);
    assert!(shell.draw(&scene) < 20, "only the cursor");
}

#[test]
fn leaving_takes_the_live_rows_away() {
    let mut scene = Scene::new(60, 14);
    let mut shell = Shell::new(60, 14);
    scene.turn("go").says("done").ends(TurnStatus::Completed);
    shell.draw(&scene);
    let bytes = shell.scrollback.leave();
    shell.terminal.process(&bytes);
    assert_eq!(shell.count("What is to be done?"), 0);
    shell.terminal.process(b"$ next");
    let last = shell.all().into_iter().rfind(|line| !line.trim().is_empty()).unwrap();
    assert_eq!(last, "$ next");
}
