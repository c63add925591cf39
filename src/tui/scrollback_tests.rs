//! Tests of `scrollback`.

use super::*;
use crate::protocol::turn::TurnStatus;
use crate::tui::msg::Msg;
use crate::tui::scene::Scene;

/// A terminal with a scrollback, and the mode on it.
struct Shell {
    terminal: vt100::Parser,
    scrollback: Scrollback,
}

impl Shell {
    fn new(width: u16, height: u16) -> Self {
        let size = |n: u16| n.try_into().unwrap();
        let mut terminal = vt100::Parser::new(size(height), size(width), 1000);
        terminal.process(b"$ earlier command\r\nits output\r\n$ codex\r\n");
        Self { terminal, scrollback: Scrollback::default() }
    }

    fn draw(&mut self, scene: &Scene) -> usize {
        let bytes = self.scrollback.update(&scene.model);
        self.terminal.process(&bytes);
        bytes.len()
    }

    fn resize(&mut self, scene: &mut Scene, width: u16, height: u16) {
        let size = |n: u16| n.try_into().unwrap();
        self.terminal.screen_mut().set_size(size(height), size(width));
        scene.send(Msg::Resize(width, height));
        self.draw(scene);
    }

    /// Everything that can be scrolled to.
    fn all(&mut self) -> Vec<String> {
        let (rows, width) = self.terminal.screen().size();
        self.terminal.screen_mut().set_scrollback(usize::MAX);
        let above = self.terminal.screen().scrollback();
        let mut lines = Vec::new();
        for back in (1..=above).rev() {
            self.terminal.screen_mut().set_scrollback(back);
            lines.extend(self.terminal.screen().rows(0, width.get()).next());
        }
        self.terminal.screen_mut().set_scrollback(0);
        lines.extend(self.terminal.screen().rows(0, width.get()).take(rows.get().into()));
        lines
    }

    fn count(&mut self, words: &str) -> usize {
        self.all().iter().filter(|line| line.contains(words)).count()
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

#[test]
fn after_other_widths_there_is_one_copy() {
    let mut scene = Scene::new(80, 20);
    let mut shell = Shell::new(80, 20);
    let answer =
        "a sentence that is rather long so that it has to be wrapped in a narrow window, and ends here.";
    scene.turn("first prompt").says(answer).ends(TurnStatus::Completed);
    shell.draw(&scene);
    for (width, height) in [(60, 20), (100, 20), (40, 12), (100, 30)] {
        shell.resize(&mut scene, width, height);
        once(
            &mut shell,
            &[">_ codex", "first prompt", "a sentence that", "Worked for", "What is to be done?"],
        );
    }
    assert!(shell.count("wrapped in a narrow window, and ends here.") == 1, "wrapped for the width at hand");
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
