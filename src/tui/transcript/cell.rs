//! What every entry of the transcript can do: lay itself out for a width, and give its text. A cell is laid out in
//! parts so that a huge answer or output costs only what is on the screen; most cells are one part. Cells hold what
//! is to be shown, never laid-out lines: those belong to the layout cache, which forgets them.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::Line;

use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// The key that folds and unfolds everything, as it is named on the screen.
pub(crate) const FOLD_KEY: &str = "ctrl-t";

/// How a cell is to be drawn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look<'a> {
    /// Roles → styles.
    pub(crate) theme: &'a Theme,
    /// Whether details are shown.
    pub(crate) unfolded: bool,
    /// The time, for what is running.
    pub(crate) now_ms: u64,
}

impl Look<'_> {
    /// The style of a role.
    pub(crate) fn style(&self, role: Role) -> Style {
        self.theme.style(role)
    }
}

/// One entry of the transcript.
pub(crate) trait Cell {
    /// All lines, none wider than `width`. Nothing at all hides the cell.
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>>;

    /// The text behind it, also what is folded away: for search and copy.
    fn text(&self) -> Cow<'_, str>;

    /// Whether it still changes by itself: new content, or a clock that runs.
    fn is_live(&self) -> bool {
        false
    }

    /// Whether what comes next may become part of it, as long as it is the last.
    fn may_grow(&self) -> bool {
        false
    }

    /// Into how many pieces the lines are cut.
    fn parts(&self, _look: &Look<'_>) -> usize {
        1
    }

    /// One piece of the lines; all pieces in order are [`Cell::lines`].
    fn part(&self, _part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        self.lines(width, look)
    }

    /// Changes whenever the lines of the piece would, as far as the cell does that by itself.
    fn stamp(&self, _part: usize, _look: &Look<'_>) -> u64 {
        0
    }

    /// It is out of sight: what was kept to lay it out faster may go.
    fn forget(&self) {}

    /// Whether the text holds what is looked for.
    fn has(&self, needle: &Needle) -> bool {
        needle.is_in(&self.text())
    }
}

/// All parts of a cell, one after the other.
pub(crate) fn all_parts(cell: &dyn Cell, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
    (0..cell.parts(look)).flat_map(|part| cell.part(part, width, look)).collect()
}

/// One part as it goes to the screen. Cells keep to the width; this makes sure for those from elsewhere too.
pub(crate) fn fitted(cell: &dyn Cell, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
    let mut lines = cell.part(part, width, look);
    for line in &mut lines {
        if text::line_width(line) > usize::from(width) {
            *line = text::truncate_line(std::mem::take(line), usize::from(width));
        }
    }
    lines
}

/// A text that is looked for. Capitals count only when it has some.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Needle {
    text: String,
    exact: bool,
}

impl Needle {
    /// Looks for `text`.
    pub(crate) fn new(text: &str) -> Self {
        let exact = text.chars().any(char::is_uppercase);
        Self { text: text.to_owned(), exact }
    }

    /// Whether it is found in `text`. The empty text is found nowhere.
    pub(crate) fn is_in(&self, text: &str) -> bool {
        self.find(text, 0).is_some()
    }

    /// Byte ranges of all places in `text`, in order, without overlap.
    pub(crate) fn places(&self, text: &str) -> Vec<std::ops::Range<usize>> {
        let mut places = Vec::new();
        let mut at = 0;
        while let Some(place) = self.find(text, at) {
            at = place.end;
            places.push(place);
        }
        places
    }

    fn find(&self, text: &str, from: usize) -> Option<std::ops::Range<usize>> {
        let first = self.text.chars().next()?;
        let rest = text.get(from..)?;
        if self.exact {
            let at = from + memchr::memmem::find(rest.as_bytes(), self.text.as_bytes())?;
            return Some(at..at + self.text.len());
        }
        if first.is_ascii() {
            let (small, big) = (first.to_ascii_lowercase() as u8, first.to_ascii_uppercase() as u8);
            return memchr::memchr2_iter(small, big, rest.as_bytes()).find_map(|at| self.at(text, from + at));
        }
        rest.char_indices().find_map(|(at, _)| self.at(text, from + at))
    }

    /// The range of the place that begins at `from`, if it is one.
    fn at(&self, text: &str, from: usize) -> Option<std::ops::Range<usize>> {
        let mut found = text.get(from..)?.chars();
        for wanted in self.text.chars() {
            let c = found.next()?;
            if c != wanted && !c.to_lowercase().eq(wanted.to_lowercase()) {
                return None;
            }
        }
        Some(from..text.len() - found.as_str().len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_count_only_when_asked_for() {
        for (needle, text, places) in [
            ("abc", "xABCabc", "1..4 4..7"),
            ("Abc", "abc Abc", "4..7"),
            ("ä", "xÄä", "1..3 3..5"),
            ("", "abc", ""),
            ("aa", "aaa", "0..2"),
            ("missing", "abc", ""),
        ] {
            let found: Vec<_> = Needle::new(needle).places(text).iter().map(|at| format!("{at:?}")).collect();
            assert_eq!(found.join(" "), places, "{needle:?} in {text:?}");
        }
    }
}
