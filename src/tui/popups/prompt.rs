//! One line to be typed, such as a name.

use ratatui::text::{Line, Span};

use super::field::Field;
use super::frame::{self, Drawn};
use super::wish::{Outcome, Wish};
use crate::protocol::review::Target;
use crate::tui::keys::{Code, Key};
use crate::tui::theme::{Role, Theme};

/// A question answered by typing.
#[derive(Clone, Debug)]
pub(crate) struct Prompt {
    title: &'static str,
    field: Field,
    wish: fn(String) -> Wish,
}

impl Prompt {
    /// Asks for a name for the thread.
    pub(crate) fn rename(now: &str) -> Self {
        Self { title: "Name of this thread", field: Field::new(now), wish: Wish::Rename }
    }

    /// Asks what a reviewer is to look at.
    pub(crate) fn review() -> Self {
        let wish = |words| Wish::Review(Target::Custom { instructions: words });
        Self { title: "What is the reviewer to look at?", field: Field::default(), wish }
    }

    /// Adds pasted text.
    pub(crate) fn paste(&mut self, text: &str) {
        self.field.put(text);
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key) -> Outcome {
        match key.code {
            Code::Enter if !self.field.text().trim().is_empty() => {
                Outcome::Wish((self.wish)(self.field.text().trim().to_owned()))
            }
            Code::Esc => Outcome::Close,
            _ if key == Key::ctrl('c') => Outcome::Close,
            _ => {
                self.field.on_key(key);
                Outcome::Stay
            }
        }
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, theme: &Theme) -> Drawn {
        let (shown, column) = self.field.view(usize::from(width.saturating_sub(5)), false);
        let field = Line::from(vec![Span::styled("  › ", theme.style(Role::Accent)), Span::raw(shown)]);
        let lines = vec![
            frame::title(self.title, "", width, theme),
            Line::default(),
            field,
            Line::default(),
            frame::hint("enter keep · esc back", width, theme),
        ];
        Drawn { lines, cursor: Some((4 + column, 2)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    #[test]
    fn a_name_is_typed() {
        let mut prompt = Prompt::rename("old");
        prompt.on_key(Key::ctrl('u'));
        assert_eq!(prompt.on_key(Key::plain(Code::Enter)), Outcome::Stay);
        prompt.paste(" new name\n");
        assert_screen!("rename", paper(60, &prompt.draw(60, &Theme::default()).lines));
        let outcome = prompt.on_key(Key::plain(Code::Enter));
        assert_eq!(outcome, Outcome::Wish(Wish::Rename("new name".to_owned())));
        assert_eq!(prompt.on_key(Key::plain(Code::Esc)), Outcome::Close);
    }
}
