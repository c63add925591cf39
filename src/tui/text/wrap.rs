//! Lines that fit. Text is broken at spaces and beside wide characters; a word that fits no row is broken where
//! the row ends. The rows are found on the bare text and the styles cut along afterwards, so that a word of two
//! styles is still one word.

use std::ops::Range;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::width::{cluster_width, is_plain, width};
use unicode_segmentation::UnicodeSegmentation as _;

/// Stands for a cluster that is wider than the whole row.
const TOO_WIDE: &str = "\u{fffd}";

/// One logical line: text and, along it, styles.
#[derive(Clone, Debug, Default)]
pub(crate) struct Flow {
    text: String,
    /// Where each run of one style ends in `text`.
    runs: Vec<(usize, Style)>,
}

impl Flow {
    /// Appends text in one style. It must be sanitised and hold no line feed.
    pub(crate) fn push(&mut self, text: &str, style: Style) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.runs.last_mut() {
            Some((end, last)) if *last == style => *end = self.text.len(),
            _ => self.runs.push((self.text.len(), style)),
        }
    }

    /// Appends another line.
    pub(crate) fn append(&mut self, other: &Self) {
        let mut rest = other.text.as_str();
        let mut from = 0;
        for (end, style) in &other.runs {
            let Some((head, tail)) = rest.split_at_checked(end - from) else { return };
            self.push(head, *style);
            (rest, from) = (tail, *end);
        }
    }

    /// Whether there is no text.
    pub(crate) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The bare text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Rows of at most `first` and then `rest` cells, broken between words. At least one row.
    pub(crate) fn wrap(&self, first: usize, rest: usize) -> Vec<Vec<Span<'static>>> {
        let rows = if is_plain(&self.text) && self.text.len() <= first {
            std::iter::once(0..self.text.len()).collect()
        } else {
            words(&self.text, first, rest)
        };
        self.spans(&rows, first, rest)
    }

    /// Rows of at most `first` and then `rest` cells, broken where a row is full. Keeps every space.
    pub(crate) fn hard_wrap(&self, first: usize, rest: usize) -> Vec<Vec<Span<'static>>> {
        let mut rows = Rows::new(first, rest);
        rows.fill(&self.text, 0, self.text.len());
        self.spans(&rows.finish(), first, rest)
    }

    fn spans(&self, rows: &[Range<usize>], first: usize, rest: usize) -> Vec<Vec<Span<'static>>> {
        let mut out = Vec::with_capacity(rows.len());
        for (index, row) in rows.iter().enumerate() {
            let max = if index == 0 { first } else { rest };
            out.push(self.cut(row.clone(), max));
        }
        out
    }

    /// One row. Only a cluster wider than the row, alone in it, can be too wide; it is replaced.
    fn cut(&self, row: Range<usize>, max: usize) -> Vec<Span<'static>> {
        let mut spans = Vec::new();
        let mut at = row.start;
        let from = self.runs.partition_point(|(end, _)| *end <= row.start);
        for (end, style) in self.runs.get(from..).unwrap_or_default() {
            if at >= row.end {
                break;
            }
            let end = (*end).min(row.end);
            spans.push(Span::styled(self.text.get(at..end).unwrap_or_default().to_owned(), *style));
            at = end;
        }
        let narrow = row.len() <= max || spans.iter().map(|span| width(&span.content)).sum::<usize>() <= max;
        match spans.first() {
            _ if narrow => spans,
            Some(_) if max == 0 => Vec::new(),
            Some(span) => vec![Span::styled(TOO_WIDE, span.style)],
            None => spans,
        }
    }
}

impl From<&Line<'_>> for Flow {
    fn from(line: &Line<'_>) -> Self {
        let mut flow = Self::default();
        for span in &line.spans {
            flow.push(&span.content, span.style);
        }
        flow
    }
}

/// `line` in rows of at most `width` cells, broken between words. The first row begins with `first`, the others
/// with `rest`; both are left out when they would leave no room.
pub(crate) fn wrap(
    line: &Line<'_>,
    width: u16,
    first: &Line<'static>,
    rest: &Line<'static>,
) -> Vec<Line<'static>> {
    indented(line, width, first, rest, Flow::wrap)
}

/// As [`wrap`], but broken where a row is full, every space kept: for code and output.
pub(crate) fn hard_wrap(
    line: &Line<'_>,
    width: u16,
    first: &Line<'static>,
    rest: &Line<'static>,
) -> Vec<Line<'static>> {
    indented(line, width, first, rest, Flow::hard_wrap)
}

fn indented(
    line: &Line<'_>,
    width: u16,
    first: &Line<'static>,
    rest: &Line<'static>,
    rows: fn(&Flow, usize, usize) -> Vec<Vec<Span<'static>>>,
) -> Vec<Line<'static>> {
    let width = usize::from(width);
    let (first, first_width) = prefix(first, width);
    let (rest, rest_width) = prefix(rest, width);
    let rows = rows(&Flow::from(line), width - first_width, width - rest_width);
    let mut out = Vec::with_capacity(rows.len());
    for (index, row) in rows.into_iter().enumerate() {
        let indent = if index == 0 { first } else { rest };
        let mut spans = Vec::with_capacity(indent.len() + row.len());
        spans.extend(indent.iter().cloned());
        spans.extend(row);
        out.push(Line { style: line.style, alignment: line.alignment, spans });
    }
    out
}

/// The spans of an indent and its cells, if at least one cell is left beside it.
fn prefix<'a>(indent: &'a Line<'static>, width: usize) -> (&'a [Span<'static>], usize) {
    let cells = super::line_width(indent);
    if cells < width { (&indent.spans, cells) } else { (&[], 0) }
}

/// Rows being filled: byte ranges of the text.
struct Rows {
    done: Vec<Range<usize>>,
    start: usize,
    end: usize,
    /// Cells of the present row.
    cells: usize,
    max: usize,
    rest: usize,
}

impl Rows {
    fn new(first: usize, rest: usize) -> Self {
        Self { done: Vec::new(), start: 0, end: 0, cells: 0, max: first, rest }
    }

    fn next_row(&mut self, start: usize) {
        self.done.push(self.start..self.end);
        (self.start, self.end, self.cells, self.max) = (start, start, 0, self.rest);
    }

    fn take(&mut self, end: usize, cells: usize) {
        self.end = end;
        self.cells += cells;
    }

    /// Puts `text[from..to]` where there is room, breaking anywhere.
    fn fill(&mut self, text: &str, from: usize, to: usize) {
        let Some(part) = text.get(from..to) else { return };
        if is_plain(part) {
            let mut at = from;
            while at < to {
                if self.cells >= self.max && self.end > self.start {
                    self.next_row(at);
                }
                let step = self.max.saturating_sub(self.cells).clamp(1, to - at);
                at += step;
                self.take(at, step);
            }
            return;
        }
        for (at, cluster) in part.grapheme_indices(true) {
            let cells = cluster_width(cluster);
            if self.cells + cells > self.max && self.end > self.start {
                self.next_row(from + at);
            }
            self.take(from + at + cluster.len(), cells);
        }
    }

    fn finish(mut self) -> Vec<Range<usize>> {
        self.done.push(self.start..self.end);
        self.done
    }
}

/// Greedy rows between words. Spaces at a break belong to no row; those at the start of the text are kept.
fn words(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut rows = Rows::new(first, rest);
    let mut at = 0;
    while at < text.len() {
        let after = text.get(at..).unwrap_or_default();
        let spaces = after.bytes().take_while(|byte| *byte == b' ').count();
        let from = at + spaces;
        let (length, cells) = word(after.get(spaces..).unwrap_or_default());
        let to = from + length;
        if length == 0 {
            break;
        }
        if rows.cells + spaces + cells <= rows.max {
            rows.take(to, spaces + cells);
        } else if cells <= rows.rest && (rows.end > rows.start || spaces > 0) {
            rows.next_row(from);
            rows.take(to, cells);
        } else {
            let room = rows.max.saturating_sub(rows.cells);
            if spaces < room {
                rows.take(from, spaces);
            } else if rows.end > rows.start || spaces > 0 {
                rows.next_row(from);
            }
            rows.fill(text, from, to);
        }
        at = to;
    }
    rows.finish()
}

/// Bytes and cells of the first unbreakable piece of `text`: up to a space, or to the edge of a wide character.
fn word(text: &str) -> (usize, usize) {
    let end = text.find(' ').unwrap_or(text.len());
    let Some(run) = text.get(..end) else { return (text.len(), 0) };
    if is_plain(run) {
        return (end, end);
    }
    let (mut length, mut cells, mut wide_before) = (0, 0, false);
    for cluster in run.graphemes(true) {
        let wide = cluster_width(cluster);
        let sticks = cluster.chars().next().is_some_and(closes);
        if length > 0 && (wide == 2 || wide_before) && !sticks {
            break;
        }
        length += cluster.len();
        cells += wide;
        wide_before = wide == 2 && !cluster.chars().next().is_some_and(opens);
    }
    (length, cells)
}

/// Punctuation that must not begin a row.
fn closes(c: char) -> bool {
    matches!(
        c,
        '，' | '。'
            | '、'
            | '！'
            | '？'
            | '）'
            | '」'
            | '』'
            | '】'
            | '》'
            | '：'
            | '；'
            | ')'
            | ','
            | '.'
            | '!'
            | '?'
            | ':'
            | ';'
    )
}

/// Punctuation that must not end a row.
fn opens(c: char) -> bool {
    matches!(c, '（' | '「' | '『' | '【' | '《')
}

#[cfg(test)]
#[path = "wrap_tests.rs"]
mod tests;
