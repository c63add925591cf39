//! Soft wrap of the editor's text: which bytes stand on which row, and what each row shows. Blanks at the end of
//! a row hang over its edge, so that no row starts with the blank that ended the word before.

use super::clusters::{columns, next, slice};
use super::elements::{self, Elements};
use crate::tui::text as screen;

/// The editor's text at one width.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Columns it was made for.
    pub(crate) width: usize,
    rows: Vec<Row>,
    labels: Vec<(char, String)>,
}

/// One screen row: bytes of the text from `start` to `end`, newline not included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// First byte.
    pub(crate) start: usize,
    /// Byte after the last.
    pub(crate) end: usize,
    /// A newline or the end of the text follows: a cursor at `end` stands on this row.
    pub(crate) last_of_line: bool,
}

/// A run of a row's text of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// What to draw.
    pub(crate) text: String,
    /// It is the label of a token.
    pub(crate) token: bool,
}

impl Layout {
    /// Wraps `text` to `width` columns (at least 1).
    pub(crate) fn new(text: &str, elements: &Elements, width: usize) -> Self {
        let mut out = Self { width: width.max(1), rows: Vec::new(), labels: elements.labels(text) };
        let mut start = 0;
        for line in text.split('\n') {
            let end = start + line.len();
            out.wrap_line(text, start, end);
            start = end + 1;
        }
        out
    }

    fn wrap_line(&mut self, text: &str, start: usize, end: usize) {
        let mut row = start;
        let mut used = 0;
        // Where the row may be broken: after a blank or around a token, and the columns used up to there.
        let mut break_at: Option<(usize, usize)> = None;
        let mut at = start;
        while at < end {
            let to = next(text, at).min(end);
            let cluster = slice(text, at, to);
            let wide = self.columns(cluster);
            let blank = cluster.starts_with([' ', '\t']);
            if used + wide > self.width && !blank && at > row {
                let (cut, before) = break_at.filter(|(cut, _)| *cut > row).unwrap_or((at, used));
                self.rows.push(Row { start: row, end: cut, last_of_line: false });
                used -= before;
                row = cut;
                break_at = None;
            }
            used += wide;
            at = to;
            if blank || cluster.chars().next().is_some_and(elements::is_token) {
                break_at = Some((at, used));
            }
        }
        self.rows.push(Row { start: row, end, last_of_line: true });
    }

    /// Columns of a cluster or token; a token is never wider than a row.
    fn columns(&self, cluster: &str) -> usize {
        match self.label(cluster) {
            Some(label) => screen::width(label).min(self.width),
            None => columns(cluster),
        }
    }

    fn label(&self, cluster: &str) -> Option<&str> {
        let token = cluster.chars().next().filter(|c| elements::is_token(*c))?;
        Some(self.labels.iter().find(|(t, _)| *t == token).map_or("", |(_, label)| label))
    }

    /// All rows; there is always one.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Row and column of byte `at`. The column may equal the width when blanks hang over.
    pub(crate) fn position(&self, text: &str, at: usize) -> (usize, usize) {
        let row = self.rows.partition_point(|r| r.start <= at).saturating_sub(1);
        let start = self.rows.get(row).map_or(0, |r| r.start);
        let mut column = 0;
        let mut from = start;
        while from < at {
            let to = next(text, from);
            column += self.columns(slice(text, from, to));
            from = to;
        }
        (row, column.min(self.width))
    }

    /// The byte of `row` nearest to `column` from the left.
    pub(crate) fn offset(&self, text: &str, row: usize, column: usize) -> usize {
        let Some(row) = self.rows.get(row.min(self.rows.len().saturating_sub(1))) else { return 0 };
        let mut at = row.start;
        let mut used = 0;
        while at < row.end {
            let to = next(text, at).min(row.end);
            let wide = self.columns(slice(text, at, to));
            // The end of a wrapped row is the start of the following one: stay before it.
            if used + wide > column || (to == row.end && !row.last_of_line) {
                break;
            }
            used += wide;
            at = to;
        }
        at
    }

    /// What `row` shows, tokens as their labels.
    pub(crate) fn pieces(&self, text: &str, row: Row) -> Vec<Piece> {
        let mut out: Vec<Piece> = Vec::new();
        let mut at = row.start;
        while at < row.end {
            let to = next(text, at).min(row.end);
            let cluster = slice(text, at, to);
            at = to;
            let (shown, token) = match self.label(cluster) {
                Some(label) => (screen::truncate_end(label, self.width).into_owned(), true),
                None if cluster == "\t" => (" ".repeat(super::clusters::TAB_COLUMNS), false),
                // Clusters without width would sit in a cell of their neighbour.
                None if columns(cluster) == 0 => continue,
                None => (cluster.to_owned(), false),
            };
            match out.last_mut().filter(|p| p.token == token && !token) {
                Some(piece) => piece.text.push_str(&shown),
                None => out.push(Piece { text: shown, token }),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::composer::elements::Element;

    fn rows(text: &str, width: usize) -> Vec<String> {
        let layout = Layout::new(text, &Elements::default(), width);
        layout.rows().iter().map(|r| slice(text, r.start, r.end).to_owned()).collect()
    }

    #[test]
    fn wrapping() {
        for (text, width, want) in [
            ("", 5, vec![""]),
            ("one two three", 8, vec!["one two ", "three"]),
            ("one two    three", 8, vec!["one two    ", "three"]),
            ("abcdefghij", 4, vec!["abcd", "efgh", "ij"]),
            ("a\n\nb\n", 4, vec!["a", "", "b", ""]),
            ("日本語", 5, vec!["日本", "語"]),
            ("日本", 1, vec!["日", "本"]),
            ("ab cdefgh", 4, vec!["ab ", "cdef", "gh"]),
            ("👩‍👩‍👧👩‍👩‍👧x", 4, vec!["👩‍👩‍👧👩‍👩‍👧", "x"]),
        ] {
            assert_eq!(rows(text, width), want, "{text:?} at {width}");
        }
    }

    #[test]
    fn positions_and_offsets_agree() {
        let text = "one two three\n日本語 x\n";
        let layout = Layout::new(text, &Elements::default(), 8);
        let mut at = 0;
        loop {
            let (row, column) = layout.position(text, at);
            assert_eq!(layout.offset(text, row, column), at, "byte {at} at row {row} column {column}");
            if at == text.len() {
                break;
            }
            at = next(text, at);
        }
        // In the middle of a wide character: its start.
        assert_eq!(layout.offset(text, 2, 1), 14);
        // Beyond the end of a wrapped row: its last cluster, not the following row.
        assert_eq!(layout.offset(text, 0, 99), 7);
    }

    #[test]
    fn tokens_are_one_unit_and_never_wider_than_the_row() {
        let mut elements = Elements::default();
        let token = elements.add(Element::Paste { text: "x".into(), chars: 2430 }).unwrap();
        let text = format!("see {token} now");
        let show = |width| {
            let layout = Layout::new(&text, &elements, width);
            let all: Vec<String> = layout
                .rows()
                .iter()
                .map(|r| layout.pieces(&text, *r).into_iter().map(|p| p.text).collect())
                .collect();
            all
        };
        assert_eq!(show(60), ["see [Pasted Content 2430 chars] now"]);
        assert_eq!(show(30), ["see ", "[Pasted Content 2430 chars] ", "now"]);
        assert_eq!(show(10), ["see ", "[Pasted C… ", "now"]);
    }
}
