//! A Markdown text, whole or still coming in, and its rows at a width. The text is the only thing kept at length:
//! a segment is laid out once per width to know its height, and again when it is on the screen. Only the open tail
//! is laid out while text arrives.

use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::ops::{Deref, Range};
use std::sync::Arc;

use ratatui::text::Line;

use super::code::{self, Paints};
use super::mend::{Mended, mend};
use super::prose::{self, Page};
use super::scan::{Kind, Scanner, Segment};
use crate::tui::text::Sanitizer;
use crate::tui::theme::Theme;

/// Bytes of text that are kept; offsets must fit their small form.
const MAX_TEXT: usize = 1 << 30;
/// Bytes after which a part ends.
const PART: u32 = 2_048;
/// Rows kept laid out for the next frame: a few large screens.
const MAX_KEPT: usize = 1_000;

/// The rows of a whole text. For a text that stays on the screen a [`Stream`] is better.
pub(crate) fn render(text: &str, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    Stream::whole(text).rows(0..usize::MAX, width, theme)
}

/// A Markdown text that may still grow. Rows of finished blocks never change while it does.
pub(crate) struct Stream {
    text: Text,
    sanitizer: Sanitizer,
    scanner: Scanner,
    segments: Vec<Segment>,
    /// Segments before the end of each finished part.
    parts: Vec<u32>,
    ended: bool,
    shown: RefCell<Shown>,
}

/// Sanitised, but with its tabs.
enum Text {
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

/// What is known about the rows at one width.
#[derive(Default)]
struct Shown {
    width: usize,
    /// For each segment measured so far, the rows up to its end.
    ends: Vec<u32>,
    theme: Theme,
    tail: Option<Tail>,
    /// Finished segments that were on the screen, laid out; forgotten together when there are too many rows.
    kept: HashMap<usize, Vec<Line<'static>>>,
    kept_rows: usize,
    paints: Paints,
}

/// The open end of the text, laid out.
struct Tail {
    /// Bytes of the text then.
    length: usize,
    lines: Vec<Line<'static>>,
}

impl Shown {
    /// Forgets what is not so at this width and in this theme.
    fn fit(&mut self, width: usize, theme: &Theme) {
        if self.width != width || self.theme != *theme {
            let ends = if self.width == width { std::mem::take(&mut self.ends) } else { Vec::new() };
            *self = Self { width, theme: theme.clone(), ends, ..Self::default() };
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

    /// Brings `shown` up to date and gives the number of finished rows.
    fn measure(&self, shown: &mut Shown, width: u16, theme: &Theme) -> usize {
        let width = usize::from(width.max(1));
        shown.fit(width, theme);
        let mut end = shown.ends.last().copied().unwrap_or(0);
        for segment in self.segments.get(shown.ends.len()..).unwrap_or_default() {
            let rows = self.lay_out(*segment, width, theme, None).len();
            end = end.saturating_add(u32::try_from(rows).unwrap_or(u32::MAX));
            shown.ends.push(end);
        }
        let stale = |tail: &Tail| tail.length != self.text.len();
        if self.ended {
            shown.tail = None;
        } else if shown.tail.as_ref().is_none_or(stale) {
            let lines = self.open_lines(width, theme, &mut shown.paints);
            shown.tail = Some(Tail { length: self.text.len(), lines });
        }
        rows_of(end)
    }

    /// The rows of a finished segment, from the last frame if it was on the screen.
    fn kept<'a>(&self, shown: &'a mut Shown, index: usize, theme: &Theme) -> &'a [Line<'static>] {
        if shown.kept_rows > MAX_KEPT {
            shown.kept.clear();
            shown.kept_rows = 0;
        }
        shown.kept.entry(index).or_insert_with(|| {
            let segment = self.segments.get(index);
            let lines =
                segment.map(|segment| self.lay_out(*segment, shown.width, theme, Some(&mut shown.paints)));
            let lines = lines.unwrap_or_default();
            shown.kept_rows += lines.len();
            lines
        })
    }

    /// The rows of what is not finished: as they would be if the text ended here and were well formed.
    fn open_lines(&self, width: usize, theme: &Theme, paints: &mut Paints) -> Vec<Line<'static>> {
        let from = self.scanner.open_from();
        let open = self.text.get(from..).unwrap_or_default();
        let raw = self.scanner.in_code() || open.contains("```") || open.contains("~~~");
        let mended = match raw {
            true => Mended { shown: open.len(), closers: String::new() },
            false => mend(open),
        };
        let mut segments = Vec::new();
        let shown = self.text.get(..from + mended.shown).unwrap_or_default();
        self.scanner.clone().end(shown, &mut segments);
        let last = if mended.closers.is_empty() { None } else { segments.pop() };
        let lay_out = |segment| self.lay_out(segment, width, theme, Some(paints));
        let mut lines: Vec<_> = segments.into_iter().flat_map(lay_out).collect();
        if let Some(last) = last {
            let text = format!("{}{}", self.slice(last.start, last.end), mended.closers);
            let number = if let Kind::Numbered(number) = last.kind { Some(number) } else { None };
            lines.extend(last.gap.then(Line::default));
            lines.extend(prose::lines(&text, Page { width, theme, paints: None, offset: 0, number }));
        }
        lines
    }

    fn lay_out(
        &self,
        segment: Segment,
        width: usize,
        theme: &Theme,
        paints: Option<&mut Paints>,
    ) -> Vec<Line<'static>> {
        let mut lines = match segment.kind {
            Kind::Prose => self.prose(segment, None, width, theme, paints),
            Kind::Numbered(number) => self.prose(segment, Some(number), width, theme, paints),
            Kind::Rows { head, end } => {
                let text = format!("{}{}", self.slice(head, end), self.slice(segment.start, segment.end));
                let page = Page { width, theme, paints, offset: at(segment.start), number: None };
                prose::lines(&text, page)
            }
            Kind::Code { block, first } => self.code(segment, block, first, width, theme, paints),
        };
        if segment.gap {
            lines.insert(0, Line::default());
        }
        lines
    }

    fn prose(
        &self,
        segment: Segment,
        number: Option<u32>,
        width: usize,
        theme: &Theme,
        paints: Option<&mut Paints>,
    ) -> Vec<Line<'static>> {
        let page = Page { width, theme, paints, offset: at(segment.start), number };
        prose::lines(self.slice(segment.start, segment.end), page)
    }

    fn code(
        &self,
        segment: Segment,
        block: u32,
        first: bool,
        width: usize,
        theme: &Theme,
        paints: Option<&mut Paints>,
    ) -> Vec<Line<'static>> {
        let opening = self.text.get(at(block)..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let (language, indent) = (code::language_of(opening), code::indent_of(opening));
        let text = self.slice(segment.start, segment.end);
        let text = text.strip_suffix('\n').unwrap_or(text);
        let empty = segment.start == segment.end;
        let split = text.split('\n').filter(|_| !empty).map(|line| code::strip(line, indent));
        let lines: Vec<&str> = split.collect();
        let place = (at(segment.start), at(segment.end));
        let runs = paints.map_or_else(Vec::new, |paints| paints.paint(place, language, &lines, theme));
        let rows = code::rows(&lines, first.then_some(language), &runs, width, theme);
        rows.into_iter().map(Line::from).collect()
    }

    fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(at(start)..at(end)).unwrap_or_default()
    }
}

fn at(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

fn rows_of(rows: u32) -> usize {
    at(rows)
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
