//! What went not quite right, one at a time: read, keep, copy, dismiss.

use ratatui::text::Line;

use super::frame::{self, Drawn};
use super::wish::{Outcome, Wish};
use crate::tui::keys::{Code, Key};
use crate::tui::theme::{Role, Theme};

/// Warnings kept; the oldest go.
const MAX: usize = 100;

/// A sentence for the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning {
    /// When: "Start-up" or a time of day.
    pub(crate) when: String,
    /// One sentence.
    pub(crate) text: String,
}

/// The warnings of this run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Warnings {
    all: Vec<Warning>,
}

impl Warnings {
    /// Keeps a warning; the same sentence only once.
    pub(crate) fn push(&mut self, when: impl Into<String>, text: impl Into<String>) {
        let text = text.into();
        if self.all.iter().any(|warning| warning.text == text) {
            return;
        }
        if self.all.len() == MAX {
            self.all.remove(0);
        }
        self.all.push(Warning { when: when.into(), text });
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Drops one.
    pub(crate) fn remove(&mut self, index: usize) {
        if index < self.all.len() {
            self.all.remove(index);
        }
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Warning] {
        &self.all
    }
}

/// The panel: which one is shown.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Panel {
    at: usize,
}

impl Panel {
    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, warnings: &Warnings) -> Outcome {
        let last = warnings.len().saturating_sub(1);
        match (key.code, key.ctrl) {
            (Code::Left, _) => self.at = self.at.saturating_sub(1),
            (Code::Right, _) => self.at = (self.at + 1).min(last),
            (Code::Char('k') | Code::Enter, false) if self.at < last => self.at += 1,
            (Code::Char('k') | Code::Enter | Code::Char('q'), false)
            | (Code::F(2), _)
            | (Code::Char('c'), true) => {
                return Outcome::Close;
            }
            (Code::Esc, _) => {
                let gone = self.at;
                self.at = self.at.min(last.saturating_sub(1));
                let wish = Wish::DropWarning(gone);
                return if last == 0 { Outcome::Wish(wish) } else { Outcome::Keep(wish) };
            }
            (Code::Char('o'), true) => {
                if let Some(warning) = warnings.all().get(self.at) {
                    return Outcome::Keep(Wish::Copy("the warning".to_owned(), warning.text.clone()));
                }
            }
            _ => {}
        }
        Outcome::Stay
    }

    /// Its rows.
    pub(crate) fn draw(&self, warnings: &Warnings, width: u16, height: usize, theme: &Theme) -> Drawn {
        let Some(warning) = warnings.all().get(self.at) else {
            return Drawn::rows(vec![frame::title("No warnings", "", width, theme)]);
        };
        let place = format!("{} of {} · {}", self.at + 1, warnings.len(), warning.when);
        let mut lines = vec![frame::title("Warnings", &place, width, theme), Line::default()];
        lines.extend(frame::prose(&warning.text, Role::Text, width, theme));
        lines.push(Line::default());
        let hint = "k keep · esc dismiss · ctrl-o copy · ← → move";
        lines.push(frame::hint(hint, width, theme));
        Drawn::rows(frame::fit(lines, height, 2, theme))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    fn two() -> Warnings {
        let mut warnings = Warnings::default();
        warnings.push("Start-up", "The key \"modle\" in config.toml is unknown; did you mean \"model\"?");
        warnings.push("Start-up", "The key \"modle\" in config.toml is unknown; did you mean \"model\"?");
        warnings.push("11:34", "This thread used another model before.");
        warnings
    }

    #[test]
    fn keys() {
        let mut warnings = two();
        assert_eq!(warnings.len(), 2);
        let mut panel = Panel::default();
        assert_eq!(panel.on_key(Key::plain(Code::Char('k')), &warnings), Outcome::Stay);
        assert_eq!(panel.at, 1);
        assert_eq!(panel.on_key(Key::plain(Code::Esc), &warnings), Outcome::Keep(Wish::DropWarning(1)));
        warnings.remove(1);
        assert_eq!(panel.at, 0);
        assert!(matches!(panel.on_key(Key::ctrl('o'), &warnings), Outcome::Keep(Wish::Copy(..))));
        assert_eq!(panel.on_key(Key::plain(Code::Esc), &warnings), Outcome::Wish(Wish::DropWarning(0)));
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            let drawn = Panel::default().draw(&two(), width, 10, &Theme::default());
            assert_screen!(format!("first_{width}"), paper(width, &drawn.lines));
        }
    }
}
