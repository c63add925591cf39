//! A question with a fixed set of answers: title, some text, rows that each stand for a wish. Model, permissions,
//! confirmations and copying are such menus.

use super::frame::{self, Drawn};
use super::list::{List, Picked, Row};
use super::wish::{Outcome, Wish};
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, GUARD_MS, Key};
use crate::tui::theme::{Role, Theme};

/// Rows of a long menu that are shown at once.
const ROWS: usize = 12;
/// A menu.
#[derive(Clone, Debug)]
pub(crate) struct Menu {
    title: String,
    text: Option<String>,
    list: List,
    wishes: Vec<Wish>,
    /// Another key that chooses, and what it wants instead.
    other: Option<(char, Vec<Wish>)>,
    hint: &'static str,
    /// Letters are for the prompt, and close it: it came unasked.
    yields: bool,
    /// Keys before this moment were meant for something else.
    guard_ms: u64,
    /// What leaving it wants.
    leaving: Option<Wish>,
}

impl Menu {
    /// A menu of these rows.
    pub(crate) fn new(title: impl Into<String>, rows: Vec<(Row, Wish)>) -> Self {
        let (rows, wishes) = rows.into_iter().unzip();
        Self {
            title: title.into(),
            text: None,
            list: List::numbered(rows),
            wishes,
            other: None,
            hint: "enter select · esc back",
            yields: false,
            guard_ms: 0,
            leaving: None,
        }
    }

    /// Begins with this row, though it is not what holds now.
    pub(crate) fn select(mut self, row: usize) -> Self {
        self.list.select(row);
        self
    }

    /// Adds a paragraph under the title.
    pub(crate) fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }

    /// Lets the letter `key` choose too, with other wishes.
    pub(crate) fn other(mut self, key: char, wishes: Vec<Wish>, hint: &'static str) -> Self {
        self.other = Some((key, wishes));
        self.hint = hint;
        self
    }

    /// Lets letters that choose nothing close it and go to the prompt.
    pub(crate) fn yielding(mut self) -> Self {
        self.yields = true;
        self
    }

    /// It opens by itself: what was typed a moment before is not for it.
    pub(crate) fn unasked(mut self, now_ms: u64) -> Self {
        self.guard_ms = now_ms.saturating_add(GUARD_MS);
        self
    }

    /// Leaving it is an answer too.
    pub(crate) fn leaving(mut self, wish: Wish) -> Self {
        self.leaving = Some(wish);
        self
    }

    /// Takes a key at this time: not before it could be read.
    pub(crate) fn on_key_at(&mut self, key: Key, now_ms: u64, keymap: &Keymap) -> Outcome {
        if now_ms < self.guard_ms {
            return Outcome::Keep(Wish::TypedAhead(vec![key]));
        }
        match (self.on_key(key, keymap), &self.leaving) {
            (Outcome::Close, Some(leaving)) => Outcome::Wish(leaving.clone()),
            (outcome, _) => outcome,
        }
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        if let Some((letter, wishes)) = &self.other
            && key == Key::plain(Code::Char(*letter))
        {
            return wishes
                .get(self.list.selected())
                .map_or(Outcome::Stay, |wish| Outcome::Wish(wish.clone()));
        }
        match self.list.on_key(key, keymap) {
            Picked::Nothing if self.yields && key.is_letter() => Outcome::Wish(Wish::TypedAhead(vec![key])),
            Picked::Nothing | Picked::Moved => Outcome::Stay,
            Picked::Row(index) => {
                self.wishes.get(index).map_or(Outcome::Close, |wish| Outcome::Wish(wish.clone()))
            }
            Picked::Refused(why) => Outcome::Keep(Wish::Notice(why)),
            Picked::Closed => Outcome::Close,
        }
    }

    /// Its rows, at most `height`.
    pub(crate) fn draw(&self, width: u16, height: usize, theme: &Theme) -> Drawn {
        let mut lines = vec![frame::title(&self.title, "", width, theme)];
        if let Some(text) = &self.text {
            // What there is to choose is seen in any case.
            let most = height.saturating_sub(self.list.len().min(ROWS) + 4).max(1);
            let mut rows = frame::prose(text, Role::Text, width, theme);
            if rows.len() > most {
                rows.truncate(most);
                rows.pop();
                rows.push(frame::hint("…", width, theme));
            }
            lines.extend(rows);
        }
        lines.push(ratatui::text::Line::default());
        let room = height.saturating_sub(lines.len() + 2).clamp(1, ROWS);
        let list = self.list.lines(width, room, theme);
        let keep = list.len() + 2;
        lines.extend(list);
        lines.push(ratatui::text::Line::default());
        lines.push(frame::hint(self.hint, width, theme));
        Drawn::rows(frame::fit(lines, height, keep, theme))
    }
}
