//! One line to type into: names, searches, keys. The composer is elsewhere; this knows a line and its cursor.

use ratatui::text::Line;
use unicode_segmentation::UnicodeSegmentation as _;

use crate::tui::keys::{Code, Key};
use crate::tui::text;

/// Longest text, in bytes.
const MAX: usize = 4096;

/// A line of text with a cursor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Field {
    before: String,
    after: String,
}

impl Field {
    /// A field with this text, the cursor at its end.
    pub(crate) fn new(text: &str) -> Self {
        let mut field = Self::default();
        field.put(text);
        field
    }

    /// The text.
    pub(crate) fn text(&self) -> String {
        format!("{}{}", self.before, self.after)
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.before.is_empty() && self.after.is_empty()
    }

    /// Adds text at the cursor; newlines become spaces, what a terminal could obey goes.
    pub(crate) fn put(&mut self, text: &str) {
        for c in text.chars() {
            let c = if c == '\n' || c == '\t' { ' ' } else { c };
            if !c.is_control() && self.before.len() + self.after.len() + c.len_utf8() <= MAX {
                self.before.push(c);
            }
        }
    }

    /// Takes a key. True when it was for the field.
    pub(crate) fn on_key(&mut self, key: Key) -> bool {
        match (key.code, key.ctrl, key.alt) {
            (Code::Char(c), false, false) => self.put(c.encode_utf8(&mut [0; 4])),
            (Code::Backspace, false, false) | (Code::Char('h'), true, false) => {
                pop(&mut self.before);
            }
            (Code::Delete, ..) => {
                let first = self.after.graphemes(true).next().map_or(0, str::len);
                self.after.drain(..first);
            }
            (Code::Left, ..) | (Code::Char('b'), true, false) => {
                if let Some(last) = pop(&mut self.before) {
                    self.after.insert_str(0, &last);
                }
            }
            (Code::Right, ..) | (Code::Char('f'), true, false) => {
                let first = self.after.graphemes(true).next().map_or(0, str::len);
                self.before.extend(self.after.drain(..first));
            }
            (Code::Home, ..) | (Code::Char('a'), true, false) => {
                let before = std::mem::take(&mut self.before);
                self.after.insert_str(0, &before);
            }
            (Code::End, ..) | (Code::Char('e'), true, false) => {
                let after = std::mem::take(&mut self.after);
                self.before.push_str(&after);
            }
            (Code::Char('u'), true, false) => self.before.clear(),
            (Code::Char('k'), true, false) => self.after.clear(),
            (Code::Char('w'), true, false) | (Code::Backspace, ..) => {
                let kept = self.before.trim_end();
                let kept = kept.rfind(char::is_whitespace).map_or(0, |at| at + 1);
                self.before.truncate(kept);
            }
            _ => return false,
        }
        true
    }

    /// At most `most` rows of `width` columns around the cursor, and its column and row in them.
    pub(crate) fn rows(&self, width: u16, most: usize) -> (Vec<String>, (u16, u16)) {
        let width = width.max(2);
        if most < 2 {
            let (text, column) = self.view(usize::from(width), false);
            return (vec![text], (column, 0));
        }
        let nothing = Line::default();
        let cut = |text: &str| -> Vec<String> {
            let rows = text::hard_wrap(&Line::raw(text.to_owned()), width, &nothing, &nothing);
            rows.iter().map(Line::to_string).collect()
        };
        let before = cut(&self.before);
        let mut at = before.len().saturating_sub(1);
        let mut column = before.last().map_or(0, |row| text::width(row));
        let mut rows = cut(&self.text());
        if column >= usize::from(width) {
            (at, column) = (at + 1, 0);
        }
        if at >= rows.len() {
            rows.push(String::new());
        }
        let first = (at + 1).saturating_sub(most);
        let shown = rows.into_iter().skip(first).take(most).collect();
        let place = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
        (shown, (place(column), place(at - first)))
    }

    /// The part that fits into `width` columns, and the column of the cursor in it. `hidden` shows dots.
    pub(crate) fn view(&self, width: usize, hidden: bool) -> (String, u16) {
        let hide = |text: &str| -> String {
            if hidden { "•".repeat(text.graphemes(true).count()) } else { text.to_owned() }
        };
        let room = width.saturating_sub(1);
        let before = text::truncate_start(&hide(&self.before), room).into_owned();
        let column = text::width(&before);
        let after = text::truncate_end(&hide(&self.after), width.saturating_sub(column)).into_owned();
        (format!("{before}{after}"), u16::try_from(column).unwrap_or(u16::MAX))
    }
}

fn pop(text: &mut String) -> Option<String> {
    let last = text.graphemes(true).next_back()?.to_owned();
    text.truncate(text.len() - last.len());
    Some(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editing() {
        let left = Key::plain(Code::Left);
        for (start, keys, want, cursor) in [
            ("ab", &[left, Key::plain(Code::Char('x'))][..], "axb", 2),
            ("a👩‍👩‍👧", &[Key::plain(Code::Backspace)], "a", 1),
            ("one two", &[Key::ctrl('w')], "one ", 4),
            ("one", &[Key::ctrl('a'), Key::plain(Code::Delete)], "ne", 0),
            ("one", &[left, Key::ctrl('u'), Key::ctrl('k')], "", 0),
            ("a\nb\u{1b}[0m", &[], "a b[0m", 6),
        ] {
            let mut field = Field::new(start);
            assert!(keys.iter().all(|key| field.on_key(*key)));
            assert_eq!((field.text().as_str(), field.view(40, false).1), (want, cursor), "{start:?}");
        }
        assert!(!Field::default().on_key(Key::plain(Code::Enter)));
    }

    #[test]
    fn long_and_hidden_text() {
        let field = Field::new("0123456789");
        assert_eq!(field.view(6, false), ("…6789".to_owned(), 5));
        assert_eq!(field.view(20, true).0, "•".repeat(10));
    }
}
