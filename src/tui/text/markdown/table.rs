//! Tables: a bold header, a heavy rule, thin rules between the rows, no outer border. Columns shrink together and
//! their cells wrap; when a column would become too narrow to read, each row becomes a block of its own.

use pulldown_cmark::Alignment;
use ratatui::style::Style;
use ratatui::text::Span;

use crate::tui::text::{Flow, width};
use crate::tui::theme::{Role, Theme};

/// Cells between columns.
const GAP: usize = 2;
/// Cells below which a wrapped column is not readable.
const MIN_COLUMN: usize = 6;
/// Cells a continued value is indented by in a block.
const INDENT: usize = 2;

/// A table being read.
pub(super) struct Table {
    alignments: Vec<Alignment>,
    head: Vec<Flow>,
    rows: Vec<Vec<Flow>>,
    in_head: bool,
}

impl Table {
    /// A table whose header comes next.
    pub(super) fn new(alignments: Vec<Alignment>) -> Self {
        Self { alignments, head: Vec::new(), rows: Vec::new(), in_head: true }
    }

    /// The header is over.
    pub(super) fn end_head(&mut self) {
        self.in_head = false;
    }

    /// A row begins.
    pub(super) fn begin_row(&mut self) {
        self.rows.push(Vec::new());
    }

    /// The next cell.
    pub(super) fn push(&mut self, cell: Flow) {
        match self.rows.last_mut() {
            Some(row) if !self.in_head => row.push(cell),
            _ => self.head.push(cell),
        }
    }

    /// The style that the text of a header cell has.
    pub(super) fn head_style(theme: &Theme) -> Style {
        theme.style(Role::Accent).patch(theme.style(Role::Strong))
    }

    /// The rows on the screen.
    pub(super) fn lines(&self, max: usize, theme: &Theme) -> Vec<Vec<Span<'static>>> {
        match self.columns(max) {
            Some(columns) => self.grid(&columns, theme),
            None => self.blocks(max, theme),
        }
    }

    /// The width of each column, if all can be read.
    fn columns(&self, max: usize) -> Option<Vec<usize>> {
        let mut natural = vec![1; self.alignments.len().max(self.head.len())];
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (column, cell) in natural.iter_mut().zip(row) {
                *column = (*column).max(width(cell.text()));
            }
        }
        let room = max.checked_sub(GAP * natural.len().saturating_sub(1))?;
        fit(&natural, room)
    }

    fn grid(&self, columns: &[usize], theme: &Theme) -> Vec<Vec<Span<'static>>> {
        let dim = theme.style(Role::Dim);
        let mut out = self.row(&self.head, columns);
        out.push(rule("━", columns, dim));
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                out.push(rule("─", columns, dim));
            }
            out.extend(self.row(row, columns));
        }
        out
    }

    /// One row of cells, as high as its highest cell.
    fn row(&self, cells: &[Flow], columns: &[usize]) -> Vec<Vec<Span<'static>>> {
        let wrap =
            |(index, max): (usize, &usize)| cells.get(index).map_or(Vec::new(), |cell| cell.wrap(*max, *max));
        let mut cells: Vec<_> = columns.iter().enumerate().map(wrap).collect();
        let height = cells.iter().map(Vec::len).max().unwrap_or(0);
        let mut out = Vec::with_capacity(height);
        for y in 0..height {
            let mut line = Vec::new();
            let mut owed = 0;
            for (index, (cell, column)) in cells.iter_mut().zip(columns).enumerate() {
                let spans = cell.get_mut(y).map(std::mem::take).unwrap_or_default();
                let free = column.saturating_sub(spans.iter().map(|span| width(&span.content)).sum());
                let before = match self.alignments.get(index) {
                    Some(Alignment::Right) => free,
                    Some(Alignment::Center) => free / 2,
                    _ => 0,
                };
                if !spans.is_empty() {
                    pad(&mut line, owed + before);
                    line.extend(spans);
                    owed = free - before + GAP;
                } else {
                    owed += column + GAP;
                }
            }
            out.push(line);
        }
        out
    }

    /// `header: value`, one block per row.
    fn blocks(&self, max: usize, theme: &Theme) -> Vec<Vec<Span<'static>>> {
        let mut out = Vec::new();
        for (index, row) in self.rows.iter().enumerate() {
            if index > 0 {
                out.push(rule("─", &[max.min(MIN_COLUMN)], theme.style(Role::Dim)));
            }
            for (column, cell) in row.iter().enumerate() {
                let mut flow = self.head.get(column).cloned().unwrap_or_default();
                if !flow.is_empty() {
                    flow.push(": ", Self::head_style(theme));
                }
                flow.append(cell);
                let indent = if max > 2 * INDENT { INDENT } else { 0 };
                for (index, mut spans) in flow.wrap(max, max - indent).into_iter().enumerate() {
                    if index > 0 && indent > 0 {
                        spans.insert(0, Span::raw(" ".repeat(indent)));
                    }
                    out.push(spans);
                }
            }
        }
        if self.rows.is_empty() {
            out.extend(self.head.iter().flat_map(|cell| cell.wrap(max, max)));
        }
        out
    }
}

/// Column widths that add up to at most `room`: what is narrow keeps its width, the others share what is left.
fn fit(natural: &[usize], room: usize) -> Option<Vec<usize>> {
    if natural.iter().sum::<usize>() <= room {
        return Some(natural.to_vec());
    }
    if natural.iter().map(|column| (*column).min(MIN_COLUMN)).sum::<usize>() > room {
        return None;
    }
    let mut order: Vec<usize> = (0..natural.len()).collect();
    order.sort_by_key(|index| natural.get(*index).copied());
    let mut out = natural.to_vec();
    let mut left = room;
    for (done, index) in order.iter().enumerate() {
        let share = left / (natural.len() - done);
        if let Some(column) = out.get_mut(*index) {
            *column = (*column).min(share);
            left -= *column;
        }
    }
    Some(out)
}

fn rule(sign: &str, columns: &[usize], style: Style) -> Vec<Span<'static>> {
    let parts: Vec<String> = columns.iter().map(|column| sign.repeat(*column)).collect();
    vec![Span::styled(parts.join(&" ".repeat(GAP)), style)]
}

fn pad(line: &mut Vec<Span<'static>>, cells: usize) {
    if cells > 0 {
        line.push(Span::raw(" ".repeat(cells)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_share_the_room() {
        for (natural, room, expected) in [
            (&[3, 4][..], 10, Some(vec![3, 4])),
            (&[3, 40], 20, Some(vec![3, 17])),
            (&[30, 40], 21, Some(vec![10, 11])),
            (&[30, 8, 40], 30, Some(vec![11, 8, 11])),
            (&[30, 40], 11, None),
            (&[2, 40], 8, Some(vec![2, 6])),
        ] {
            assert_eq!(fit(natural, room), expected, "{natural:?} in {room}");
        }
    }
}
