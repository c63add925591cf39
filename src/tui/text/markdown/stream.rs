//! A Markdown text, whole or still coming in, and its rows at a width. The text is the only thing kept at length:
//! a segment is laid out once per width to know its height, and again when it is on the screen. Only the open tail
//! is laid out while text arrives.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use ratatui::text::Line;

use super::rows::Shown;
use super::scan::{Scanner, Segment};
use crate::tui::text::Sanitizer;
use crate::tui::theme::Theme;

/// Bytes of text that are kept; offsets must fit their small form.
const MAX_TEXT: usize = 1 << 30;
/// Bytes after which a part ends.
const PART: u32 = 2_048;

/// The rows of a whole text. For a text that stays on the screen a [`Stream`] is better.
pub(crate) fn render(text: &str, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    Stream::whole(text).rows(0..usize::MAX, width, theme)
}

/// A Markdown text that may still grow. Rows of finished blocks never change while it does.
pub(crate) struct Stream {
    pub(super) text: Text,
    sanitizer: Sanitizer,
    pub(super) scanner: Scanner,
    pub(super) segments: Vec<Segment>,
    /// Segments before the end of each finished part.
    parts: Vec<u32>,
    pub(super) ended: bool,
    shown: RefCell<Shown>,
}

/// Sanitised, but with its tabs.
pub(super) enum Text {
    Growing(String),
    /// Complete, and shared with whoever keeps it when the rows are forgotten.
    Whole(Arc<str>),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Growing(text) => text,
            Self::Whole(text) => text,
        }
    }
}

impl Default for Stream {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("bytes", &self.text.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

impl Stream {
    /// An empty text.
    pub(crate) fn new() -> Self {
        Self::of(Text::Growing(String::new()))
    }

    fn of(text: Text) -> Self {
        Self {
            text,
            sanitizer: Sanitizer::keeping_tabs(),
            scanner: Scanner::default(),
            segments: Vec::new(),
            parts: Vec::new(),
            ended: false,
            shown: RefCell::default(),
        }
    }

    /// A text that is complete.
    pub(crate) fn whole(text: &str) -> Self {
        let mut stream = Self::new();
        stream.push(text);
        stream.finish();
        stream
    }

    /// A text that is complete, of at most a gibibyte, and went through a [`Sanitizer`] that keeps tabs.
    pub(crate) fn clean(text: Arc<str>) -> Self {
        let mut stream = Self::of(Text::Whole(text));
        stream.scanner.advance(&stream.text, &mut stream.segments);
        stream.finish();
        stream
    }

    /// More text. Nothing is added after [`Stream::finish`], nor beyond a gibibyte.
    pub(crate) fn push(&mut self, delta: &str) {
        if let Text::Growing(text) = &mut self.text
            && text.len() + delta.len() <= MAX_TEXT
        {
            self.sanitizer.push(delta, text);
            self.scanner.advance(&self.text, &mut self.segments);
            self.close_parts();
        }
    }

    /// The text is complete.
    pub(crate) fn finish(&mut self) {
        if !self.ended {
            if let Text::Growing(text) = &mut self.text {
                self.sanitizer.finish(text);
                self.text = Text::Whole(std::mem::take(text).into());
            }
            self.scanner.end(&self.text, &mut self.segments);
            self.close_parts();
            self.ended = true;
            self.segments.shrink_to_fit();
        }
    }

    /// The text, sanitised, as it was written: for searching and copying.
    pub(crate) fn source(&self) -> &str {
        &self.text
    }

    /// Number of rows.
    #[cfg(test)]
    pub(crate) fn height(&self, width: u16, theme: &Theme) -> usize {
        let shown = &mut *self.shown.borrow_mut();
        self.measure(shown, width, theme) + shown.tail.as_ref().map_or(0, |tail| tail.lines.len())
    }

    /// Number of rows that will not change any more at this width.
    #[cfg(test)]
    pub(crate) fn finished_height(&self, width: u16, theme: &Theme) -> usize {
        self.measure(&mut self.shown.borrow_mut(), width, theme)
    }

    /// These rows, as far as they exist. Only what is asked for is laid out.
    pub(crate) fn rows(&self, range: Range<usize>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let shown = &mut *self.shown.borrow_mut();
        let finished = self.measure(shown, width, theme);
        let mut out = Vec::new();
        let from = shown.ends.partition_point(|end| rows_of(*end) <= range.start);
        for index in from..shown.ends.len() {
            let start = index
                .checked_sub(1)
                .map_or(0, |before| shown.ends.get(before).map_or(0, |end| rows_of(*end)));
            if start >= range.end {
                return out;
            }
            let skip = range.start.saturating_sub(start);
            let lines = self.kept(shown, index, theme);
            out.extend(lines.iter().take(range.end - start).skip(skip).cloned());
        }
        if let Some(tail) = &shown.tail
            && range.end > finished
        {
            let skip = range.start.saturating_sub(finished);
            out.extend(tail.lines.iter().take(range.end - finished).skip(skip).cloned());
        }
        out
    }

    /// All rows that will not change any more.
    #[cfg(test)]
    pub(crate) fn complete(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        self.rows(0..self.finished_height(width, theme), width, theme)
    }

    /// All rows of the open end.
    #[cfg(test)]
    pub(crate) fn tail(&self, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        self.rows(self.finished_height(width, theme)..usize::MAX, width, theme)
    }

    /// Into how many parts the text is cut. A finished part is some kilobytes of finished blocks; the last part is
    /// what is still open. All parts in order are the whole.
    pub(crate) fn parts(&self) -> usize {
        let covered = self.parts.last().map_or(0, |end| at(*end));
        let open = covered < self.segments.len() || !self.ended && !self.text.is_empty();
        self.parts.len() + usize::from(open)
    }

    /// Bytes of text in a part; it changes whenever the rows of the part could.
    pub(crate) fn part_bytes(&self, part: usize) -> usize {
        let segments = self.part_segments(part);
        let start = segments.first().map_or(0, |segment| at(segment.start));
        let end = segments.last().map_or(0, |segment| at(segment.end));
        if part < self.parts.len() { end - start } else { self.text.len() - start }
    }

    /// The rows of a part, laid out now, code in colours.
    pub(crate) fn part(&self, part: usize, width: u16, theme: &Theme) -> Vec<Line<'static>> {
        let shown = &mut *self.shown.borrow_mut();
        let columns = usize::from(width.max(1));
        shown.fit(columns, theme);
        let is_open = part >= self.parts.len() && !self.ended;
        let mut out = Vec::new();
        for index in self.part_range(part) {
            // The open part is asked for with every frame, the others once in a while.
            match self.segments.get(index) {
                Some(_) if is_open => out.extend_from_slice(self.kept(shown, index, theme)),
                Some(segment) => out.extend(self.lay_out(*segment, columns, theme, Some(&mut shown.paints))),
                None => {}
            }
        }
        if is_open {
            out.extend(self.open_lines(columns, theme, &mut shown.paints));
        }
        out
    }

    /// How many rows [`Stream::part`] has. Cheaper: nothing is painted.
    #[cfg(test)]
    pub(crate) fn part_height(&self, part: usize, width: u16, theme: &Theme) -> usize {
        let columns = usize::from(width.max(1));
        let rows = |segment: &Segment| self.lay_out(*segment, columns, theme, None).len();
        let open = match part >= self.parts.len() && !self.ended {
            true => self.open_lines(columns, theme, &mut self.shown.borrow_mut().paints).len(),
            false => 0,
        };
        self.part_segments(part).iter().map(rows).sum::<usize>() + open
    }

    fn part_segments(&self, part: usize) -> &[Segment] {
        self.segments.get(self.part_range(part)).unwrap_or_default()
    }

    fn part_range(&self, part: usize) -> Range<usize> {
        let start = part
            .checked_sub(1)
            .map_or(0, |before| self.parts.get(before).map_or(self.segments.len(), |end| at(*end)));
        start..self.parts.get(part).map_or(self.segments.len(), |end| at(*end))
    }

    /// Ends a part wherever enough finished segments have come together.
    fn close_parts(&mut self) {
        let mut from = self.parts.last().map_or(0, |end| at(*end));
        let Some(mut start) = self.segments.get(from).map(|segment| segment.start) else { return };
        while let Some(segment) = self.segments.get(from) {
            from += 1;
            if segment.end.saturating_sub(start) >= PART {
                self.parts.push(u32::try_from(from).unwrap_or(u32::MAX));
                start = segment.end;
            }
        }
    }
}

pub(super) fn at(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

pub(super) fn rows_of(rows: u32) -> usize {
    at(rows)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
