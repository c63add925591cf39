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
    hint: &'static str,
    /// Rows the text may take.
    rows: usize,
    leave: Outcome,
}

impl Prompt {
    /// Asks for a name for the thread.
    pub(crate) fn rename(now: &str) -> Self {
        Self {
            title: "Name of this thread",
            field: Field::new(now),
            wish: Wish::Rename,
            hint: "enter keep · esc back",
            rows: 1,
            leave: Outcome::Close,
        }
    }

    /// Asks what a reviewer is to look at.
    pub(crate) fn review() -> Self {
        let wish = |words| Wish::Review(Target::Custom { instructions: words });
        Self {
            title: "What is the reviewer to look at?",
            field: Field::default(),
            wish,
            hint: "enter review · esc back",
            rows: 6,
            leave: Outcome::Wish(Wish::ReviewMenu),
        }
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
            Code::Esc => self.leave.clone(),
            _ if key == Key::ctrl('c') => Outcome::Close,
            _ => {
                self.field.on_key(key);
                Outcome::Stay
            }
        }
    }

    /// Its rows.
    pub(crate) fn draw(&self, width: u16, theme: &Theme) -> Drawn {
        let (rows, (column, row)) = self.field.rows(width.saturating_sub(5), self.rows);
        let mut lines = vec![frame::title(self.title, "", width, theme), Line::default()];
        lines.extend(rows.into_iter().enumerate().map(|(at, text)| {
            let before = if at == 0 { "  › " } else { "    " };
            Line::from(vec![Span::styled(before, theme.style(Role::Accent)), Span::raw(text)])
        }));
        lines.push(Line::default());
        lines.push(frame::hint(self.hint, width, theme));
        Drawn { lines, cursor: Some((4 + column, 2 + row)) }
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

    #[test]
    fn instructions_take_several_rows() {
        let mut prompt = Prompt::review();
        prompt.paste("Look at the locks only: is any of them held across a wait, and is every one released?");
        let drawn = prompt.draw(60, &Theme::default());
        assert_screen!("review", paper(60, &drawn.lines));
        assert_eq!(drawn.cursor, Some((34, 3)));
        assert_eq!(prompt.on_key(Key::plain(Code::Esc)), Outcome::Wish(Wish::ReviewMenu));
    }
}
