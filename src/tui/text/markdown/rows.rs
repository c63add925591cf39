//! The rows of a [`Stream`]: what is known of them at one width, how segments are laid out, and the open end of a text
//! as it would look if it ended here.

use std::collections::HashMap;

use ratatui::text::Line;

use super::code::{self, Paints};
use super::mend::{Mended, mend};
use super::prose::{self, Page};
use super::scan::{Kind, Segment};
use super::stream::{Stream, at, rows_of};
use crate::tui::theme::Theme;

/// Rows kept laid out for the next frame: a few large screens.
const MAX_KEPT: usize = 1_000;

/// What is known about the rows at one width.
#[derive(Default)]
pub(super) struct Shown {
    pub(super) width: usize,
    /// For each segment measured so far, the rows up to its end.
    pub(super) ends: Vec<u32>,
    pub(super) theme: Theme,
    pub(super) tail: Option<Tail>,
    /// Finished segments that were on the screen, laid out; forgotten together when there are too many rows.
    pub(super) kept: HashMap<usize, Vec<Line<'static>>>,
    pub(super) kept_rows: usize,
    pub(super) paints: Paints,
}

/// The open end of the text, laid out.
pub(super) struct Tail {
    /// Bytes of the text then.
    pub(super) length: usize,
    pub(super) lines: Vec<Line<'static>>,
}

impl Shown {
    /// Forgets what is not so at this width and in this theme.
    pub(super) fn fit(&mut self, width: usize, theme: &Theme) {
        if self.width != width || self.theme != *theme {
            let ends = if self.width == width { std::mem::take(&mut self.ends) } else { Vec::new() };
            *self = Self { width, theme: theme.clone(), ends, ..Self::default() };
        }
    }
}

impl Stream {
    /// Brings `shown` up to date and gives the number of finished rows.
    pub(super) fn measure(&self, shown: &mut Shown, width: u16, theme: &Theme) -> usize {
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
    pub(super) fn kept<'a>(&self, shown: &'a mut Shown, index: usize, theme: &Theme) -> &'a [Line<'static>] {
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
    pub(super) fn open_lines(&self, width: usize, theme: &Theme, paints: &mut Paints) -> Vec<Line<'static>> {
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

    pub(super) fn lay_out(
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
