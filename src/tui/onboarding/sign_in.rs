//! How to pay for answers, when nothing is stored: an API key, or a look around with a scripted service.

use ratatui::text::{Line, Span};

use crate::base::secret::Secret;
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, Key};
use crate::tui::popups::field::Field;
use crate::tui::popups::frame::{self, Drawn};
use crate::tui::popups::list::{List, Picked, Row};
use crate::tui::theme::{Role, Theme};

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Nothing yet.
    Stay,
    /// Use this key.
    ApiKey(Secret),
    /// Try it offline.
    Demo,
    /// Leave the program.
    Quit,
}

/// The page.
pub(crate) struct Page {
    list: List,
    key: Option<Field>,
    busy: bool,
    trouble: Option<String>,
}

impl Page {
    /// The choices.
    pub(crate) fn new() -> Self {
        let rows = vec![
            Row::new("Use an API key").detail("you pay for what you use"),
            Row::new("Try it offline").detail("nothing leaves this machine"),
            Row::new("Leave"),
        ];
        Self { list: List::numbered(rows), key: None, busy: false, trouble: None }
    }

    /// The key was not taken.
    pub(crate) fn refused(&mut self, why: &str) {
        self.busy = false;
        self.trouble = Some(why.to_owned());
    }

    /// Adds pasted text to the key.
    pub(crate) fn paste(&mut self, text: &str) {
        if let Some(field) = &mut self.key {
            field.put(text.trim());
        }
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        if key == Key::ctrl('c') {
            return Outcome::Quit;
        }
        if self.busy {
            return Outcome::Stay;
        }
        let Some(field) = &mut self.key else {
            return match self.list.on_key(key, keymap) {
                Picked::Row(0) => {
                    self.key = Some(Field::default());
                    Outcome::Stay
                }
                Picked::Row(1) => Outcome::Demo,
                Picked::Row(_) | Picked::Closed => Outcome::Quit,
                Picked::Nothing | Picked::Moved | Picked::Refused(_) => Outcome::Stay,
            };
        };
        match key.code {
            Code::Esc => {
                self.key = None;
                self.trouble = None;
            }
            Code::Enter if !field.text().trim().is_empty() => {
                self.busy = true;
                self.trouble = None;
                return Outcome::ApiKey(Secret::new(field.text().trim()));
            }
            _ => drop(field.on_key(key)),
        }
        Outcome::Stay
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, theme: &Theme) -> Drawn {
        let mut lines =
            vec![Line::default(), frame::title("Welcome to codex", "", width, theme), Line::default()];
        let mut cursor = None;
        match &self.key {
            None => {
                let text = "Codex needs a service that answers. How do you want to sign in?";
                lines.extend(frame::prose(text, Role::Text, width, theme));
                lines.push(Line::default());
                lines.extend(self.list.lines(width, 3, theme));
            }
            Some(field) => {
                let text =
                    "Paste or type your API key. It is stored in your codex folder, readable only by you.";
                lines.extend(frame::prose(text, Role::Text, width, theme));
                lines.push(Line::default());
                let (shown, column) = field.view(usize::from(width.saturating_sub(6)), true);
                cursor = u16::try_from(lines.len()).ok().map(|row| (4 + column, row));
                lines.push(Line::from(vec![
                    Span::styled("  › ", theme.style(Role::Accent)),
                    Span::raw(shown),
                ]));
            }
        }
        if let Some(trouble) = &self.trouble {
            lines.push(Line::default());
            lines.extend(frame::prose(&format!("■ {trouble}"), Role::Bad, width, theme));
        }
        lines.push(Line::default());
        let hint = match (&self.key, self.busy) {
            (_, true) => "storing…",
            (None, _) => "enter select · esc leave",
            (Some(_), _) => "enter use this key · esc back",
        };
        lines.push(frame::hint(hint, width, theme));
        Drawn { lines, cursor }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    #[test]
    fn a_key_is_typed_or_pasted_and_never_shown() {
        let map = Keymap::default();
        let mut page = Page::new();
        page.on_key(Key::plain(Code::Enter), &map);
        assert_eq!(page.on_key(Key::plain(Code::Enter), &map), Outcome::Stay);
        page.paste("sk-secret\n");
        let lines = page.draw(60, &Theme::default()).lines;
        assert!(!lines.iter().any(|line| line.to_string().contains("secret")));
        let outcome = page.on_key(Key::plain(Code::Enter), &map);
        assert_eq!(outcome, Outcome::ApiKey(Secret::new("sk-secret")));
        assert_eq!(page.on_key(Key::plain(Code::Enter), &map), Outcome::Stay, "once is enough");
        page.refused("That is not a key.");
        assert!(matches!(page.on_key(Key::plain(Code::Enter), &map), Outcome::ApiKey(_)));
    }

    #[test]
    fn choices() {
        let map = Keymap::default();
        let press = |code| Page::new().on_key(Key::plain(code), &map);
        assert_eq!(press(Code::Char('2')), Outcome::Demo);
        assert_eq!(press(Code::Char('3')), Outcome::Quit);
        assert_eq!(press(Code::Esc), Outcome::Quit);
    }

    #[test]
    fn views() {
        for width in [60, 80, 120] {
            let mut page = Page::new();
            assert_screen!(
                format!("choices_{width}"),
                paper(width, &page.draw(width, &Theme::default()).lines)
            );
            page.on_key(Key::plain(Code::Enter), &Keymap::default());
            page.paste("sk-1234567890");
            page.refused("The key was not stored: no space left on the disk.");
            assert_screen!(format!("key_{width}"), paper(width, &page.draw(width, &Theme::default()).lines));
        }
    }
}
