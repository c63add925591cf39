//! `/statusline` and `/title`: which items, in which order, with what they would show now.

use ratatui::text::{Line, Span};

use super::frame::{self, Drawn};
use super::list::{List, Picked, Row};
use super::wish::{Outcome, Wish};
use crate::tui::door::Setting;
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, Key};
use crate::tui::theme::{Role, Theme};

/// Rows of items.
const ROWS: usize = 12;

/// What is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// The status line.
    StatusLine,
    /// The terminal's title.
    Title,
}

/// An item that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Choice {
    /// Its name in the configuration.
    pub(crate) name: &'static str,
    /// What it is.
    pub(crate) about: &'static str,
    /// What it shows now; nothing when there is no data.
    pub(crate) now: String,
    /// It is shown.
    pub(crate) on: bool,
}

/// The open chooser: shown items first, in their order.
#[derive(Clone, Debug)]
pub(crate) struct Chooser {
    target: Target,
    choices: Vec<Choice>,
    list: List,
}

impl Chooser {
    /// A chooser over all items.
    pub(crate) fn new(target: Target, choices: Vec<Choice>) -> Self {
        let mut chooser = Self { target, choices, list: List::plain(Vec::new()) };
        chooser.list = List::plain(chooser.rows());
        chooser
    }

    fn rows(&self) -> Vec<Row> {
        let row = |choice: &Choice| {
            let mark = if choice.on { "[x]" } else { "[ ]" };
            Row::new(format!("{mark} {}", choice.name)).detail(choice.about)
        };
        self.choices.iter().map(row).collect()
    }

    /// The names of what is shown.
    fn names(&self) -> Vec<String> {
        self.choices.iter().filter(|choice| choice.on).map(|choice| choice.name.to_owned()).collect()
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        let at = self.list.selected();
        match key.code {
            Code::Char(' ') => {
                if let Some(choice) = self.choices.get_mut(at) {
                    choice.on = !choice.on;
                }
            }
            Code::Left if at > 0 => {
                self.choices.swap(at, at - 1);
                self.list.select(at - 1);
            }
            Code::Right if at + 1 < self.choices.len() => {
                self.choices.swap(at, at + 1);
                self.list.select(at + 1);
            }
            _ => {
                return match self.list.on_key(key, keymap) {
                    Picked::Row(_) => Outcome::Wish(Wish::Save(self.setting())),
                    Picked::Closed => Outcome::Close,
                    Picked::Nothing if key == Key::ctrl('c') => Outcome::Close,
                    Picked::Nothing | Picked::Moved | Picked::Refused(_) => Outcome::Stay,
                };
            }
        }
        self.list.replace(self.rows());
        Outcome::Stay
    }

    fn setting(&self) -> Setting {
        match self.target {
            Target::StatusLine => Setting::StatusLine(self.names()),
            Target::Title => Setting::Title(self.names()),
        }
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let title = match self.target {
            Target::StatusLine => "Status line",
            Target::Title => "Terminal title",
        };
        let mut lines = vec![frame::title(title, "", width, theme), Line::default()];
        let room = height.saturating_sub(6).clamp(1, ROWS);
        let list = self.list.lines(width, room, theme);
        lines.extend(list);
        lines.push(Line::default());
        let shown: Vec<&str> =
            self.choices.iter().filter(|c| c.on && !c.now.is_empty()).map(|c| c.now.as_str()).collect();
        let preview = Line::from(vec![
            Span::styled("  Now: ", theme.style(Role::Dim)),
            Span::styled(shown.join(" · "), theme.style(Role::Text)),
        ]);
        lines.push(crate::tui::text::truncate_line(preview, usize::from(width)));
        lines.push(frame::hint("space show · ← → order · enter keep · esc back", width, theme));
        Drawn::rows(frame::fit(lines, height, 3, theme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    fn chooser() -> Chooser {
        let choice = |name, about, now: &str, on| Choice { name, about, now: now.to_owned(), on };
        let choices = vec![
            choice("model", "name of the model", "GPT-5.5", true),
            choice("current-dir", "working directory", "~/project", true),
            choice("git-branch", "branch of the project", "", false),
        ];
        Chooser::new(Target::StatusLine, choices)
    }

    #[test]
    fn items_are_switched_and_ordered() {
        let map = Keymap::default();
        let mut chooser = chooser();
        for code in [Code::Right, Code::Down, Code::Char(' ')] {
            assert_eq!(chooser.on_key(Key::plain(code), &map), Outcome::Stay);
        }
        let names = ["current-dir", "model", "git-branch"].map(str::to_owned).to_vec();
        let saved = chooser.on_key(Key::plain(Code::Enter), &map);
        assert_eq!(saved, Outcome::Wish(Wish::Save(Setting::StatusLine(names))));
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            assert_screen!(
                format!("chooser_{width}"),
                paper(width, &chooser().draw(width, 12, &Theme::default()).lines)
            );
        }
    }
}
