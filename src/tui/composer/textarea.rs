//! The text, the cursor, and every edit a key can ask for. Knows nothing of keys, prompts or popups. Row-wise
//! movement uses the width of the last drawing, which is the one the person sees.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::clusters::{self, head, slice, tail};
use super::elements::{self, Element, Elements};
use super::kill::KillRing;
use super::layout::Layout;
use super::undo::{Kind, State, Undo};
use crate::tui::keymap::Action;

/// A multi-line editor.
#[derive(Debug)]
pub(crate) struct TextArea {
    text: String,
    cursor: usize,
    elements: Elements,
    undo: Undo,
    kill: KillRing,
    /// Column that `up` and `down` try to keep.
    goal: Option<usize>,
    /// Bytes the last yank put in, for `alt-y`.
    yanked: Option<(usize, usize)>,
    /// Counts changes of the text, so that others can tell.
    revision: u64,
    width: Cell<usize>,
    layout: RefCell<Option<(u64, Rc<Layout>)>>,
}

impl Default for TextArea {
    fn default() -> Self {
        Self {
            text: String::new(),
            cursor: 0,
            elements: Elements::default(),
            undo: Undo::default(),
            kill: KillRing::default(),
            goal: None,
            yanked: None,
            revision: 0,
            width: Cell::new(78),
            layout: RefCell::new(None),
        }
    }
}

impl TextArea {
    /// The text, tokens included.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The cursor, in bytes.
    pub(crate) fn cursor(&self) -> usize {
        self.cursor
    }

    /// What the tokens stand for.
    pub(crate) fn elements(&self) -> &Elements {
        &self.elements
    }

    /// The same, to change what a token stands for. The text is drawn anew.
    pub(crate) fn elements_mut(&mut self) -> &mut Elements {
        self.revision += 1;
        &mut self.elements
    }

    /// Grows with every change of the text.
    pub(crate) fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether there is no text at all.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text as wrapped to `width` columns; computed once per change.
    pub(crate) fn layout(&self, width: usize) -> Rc<Layout> {
        self.width.set(width.max(1));
        let mut cached = self.layout.borrow_mut();
        match cached.as_ref() {
            Some((revision, layout)) if *revision == self.revision && layout.width == width.max(1) => {
                Rc::clone(layout)
            }
            _ => {
                let layout = Rc::new(Layout::new(&self.text, &self.elements, width));
                *cached = Some((self.revision, Rc::clone(&layout)));
                layout
            }
        }
    }

    /// Replaces everything, as one step that undo takes back. The cursor goes to the end.
    pub(crate) fn replace_all(&mut self, text: &str, from: &Elements) {
        let text = self.elements.adopt(text, from);
        let end = self.text.len();
        self.replace(0, end, &text, Kind::Other);
    }

    /// Empties the editor and forgets how the text came about; cut text stays, as text.
    pub(crate) fn reset(&mut self) {
        let elements = std::mem::take(&mut self.elements);
        self.kill.map(|entry| match entry.chars().any(elements::is_token) {
            true if entry.len() + elements.bytes() <= super::OPEN_LIMIT => elements.expand(entry),
            true => entry.chars().filter(|c| !elements::is_token(*c)).collect(),
            false => entry.to_owned(),
        });
        self.text.clear();
        self.cursor = 0;
        self.undo.clear();
        self.touch();
    }

    /// Types one character at the cursor.
    pub(crate) fn type_char(&mut self, c: char) {
        let starts_word = !c.is_whitespace()
            && head(&self.text, self.cursor).chars().next_back().is_some_and(char::is_whitespace);
        let mut buffer = [0; 4];
        let text = c.encode_utf8(&mut buffer);
        self.edit(self.cursor, self.cursor, text, Kind::Type, starts_word);
    }

    /// Puts `text` (cleaned already) in at the cursor as one step.
    pub(crate) fn insert(&mut self, text: &str) {
        self.replace(self.cursor, self.cursor, text, Kind::Other);
    }

    /// Puts an element in at the cursor; its text when there are too many elements.
    pub(crate) fn insert_element(&mut self, element: Element) -> Option<char> {
        let token = self.elements.add(element)?;
        self.insert(token.encode_utf8(&mut [0; 4]));
        Some(token)
    }

    /// Replaces the bytes `start..end` and leaves the cursor after the new text.
    pub(crate) fn replace(&mut self, start: usize, end: usize, with: &str, kind: Kind) {
        self.edit(start, end, with, kind, false);
    }

    fn edit(&mut self, start: usize, end: usize, with: &str, kind: Kind, starts_word: bool) {
        if start > end || !self.text.is_char_boundary(start) || !self.text.is_char_boundary(end) {
            return;
        }
        if start == end && with.is_empty() {
            return;
        }
        let before = State { text: self.text.clone(), cursor: self.cursor };
        self.undo.record(&before, kind, starts_word);
        self.text.replace_range(start..end, with);
        self.cursor = start + with.len();
        self.undo.done(kind, self.cursor);
        self.touch();
    }

    fn touch(&mut self) {
        self.revision += 1;
        self.goal = None;
        self.yanked = None;
    }

    /// Puts the cursor at byte `at`.
    pub(crate) fn move_to(&mut self, at: usize) {
        if self.text.is_char_boundary(at) {
            self.cursor = at;
        }
        self.goal = None;
    }

    /// The paste token under the cursor (the cursor stands on its first cell).
    pub(crate) fn paste_under_cursor(&self) -> Option<(char, &Element)> {
        let token = tail(&self.text, self.cursor).chars().next()?;
        let element = self.elements.get(token)?;
        matches!(element, Element::Paste { .. }).then_some((token, element))
    }

    /// Carries out an editor action. False when it changes nothing (the key may mean something else then).
    pub(crate) fn apply(&mut self, action: Action) -> bool {
        let before = (self.cursor, self.revision);
        if !is_cut(action) {
            self.kill.rest();
        }
        match action {
            Action::MoveUp => return self.move_rows(-1),
            Action::MoveDown => return self.move_rows(1),
            Action::Undo | Action::Redo => self.time_travel(action == Action::Undo),
            Action::Yank | Action::YankOlder => self.yank(action == Action::YankOlder),
            _ => match self.target(action) {
                Some(to) if is_move(action) => self.move_to(to),
                Some(to) => self.delete_to(to, is_cut(action)),
                None => return false,
            },
        }
        before != (self.cursor, self.revision)
    }

    /// Where a movement ends, or how far a deletion reaches.
    fn target(&self, action: Action) -> Option<usize> {
        let (text, at) = (self.text.as_str(), self.cursor);
        Some(match action {
            Action::MoveLeft | Action::DeleteBack => clusters::prev(text, at),
            Action::MoveRight | Action::DeleteForward => clusters::next(text, at),
            Action::WordLeft | Action::CutWordLeft => clusters::word_left(text, at),
            Action::WordRight | Action::CutWordRight => clusters::word_right(text, at),
            Action::CutBlankLeft => clusters::blank_left(text, at),
            Action::LineStart => clusters::line_start(text, at),
            Action::LineEnd => clusters::line_end(text, at),
            // At the edge of its line a cut takes the newline, so that pressing again goes on.
            Action::CutLineStart => match clusters::line_start(text, at) {
                start if start == at => clusters::prev(text, at),
                start => start,
            },
            Action::CutLineEnd => match clusters::line_end(text, at) {
                end if end == at => clusters::next(text, at),
                end => end,
            },
            Action::TextStart => 0,
            Action::TextEnd => text.len(),
            _ => return None,
        })
    }

    fn delete_to(&mut self, to: usize, cut: bool) {
        let (start, end) = (to.min(self.cursor), to.max(self.cursor));
        if cut {
            let forward = to > self.cursor;
            self.kill.cut(slice(&self.text, start, end), forward);
        }
        self.replace(start, end, "", if cut { Kind::Other } else { Kind::Delete });
    }

    fn yank(&mut self, older: bool) {
        let (start, end) = match (older, self.yanked) {
            (false, _) => (self.cursor, self.cursor),
            (true, Some(range)) => range,
            (true, None) => return,
        };
        let cut = if older { self.kill.rotate() } else { self.kill.newest() };
        let Some(cut) = cut.map(str::to_owned) else { return };
        self.replace(start, end, &cut, Kind::Other);
        self.yanked = Some((start, self.cursor));
    }

    fn time_travel(&mut self, back: bool) {
        let now = State { text: self.text.clone(), cursor: self.cursor };
        let state = if back { self.undo.undo(now) } else { self.undo.redo(now) };
        if let Some(State { text, cursor }) = state {
            self.text = text;
            self.cursor = cursor.min(self.text.len());
            self.touch();
        }
    }

    /// Moves by screen rows. False at the first or last row.
    fn move_rows(&mut self, by: isize) -> bool {
        let layout = self.layout(self.width.get());
        let (row, column) = layout.position(&self.text, self.cursor);
        let Some(target) = row.checked_add_signed(by).filter(|r| *r < layout.rows().len()) else {
            return false;
        };
        let goal = *self.goal.get_or_insert(column);
        self.cursor = layout.offset(&self.text, target, goal);
        true
    }
}

fn is_cut(action: Action) -> bool {
    matches!(
        action,
        Action::CutWordLeft
            | Action::CutWordRight
            | Action::CutBlankLeft
            | Action::CutLineStart
            | Action::CutLineEnd
    )
}

fn is_move(action: Action) -> bool {
    matches!(
        action,
        Action::MoveLeft
            | Action::MoveRight
            | Action::WordLeft
            | Action::WordRight
            | Action::LineStart
            | Action::LineEnd
            | Action::TextStart
            | Action::TextEnd
    )
}

#[cfg(test)]
#[path = "textarea_tests.rs"]
mod tests;
