//! The mode in which the terminal scrolls: finished cells are printed once and belong to the terminal, a few live
//! rows stand below them. Everything is relative to the cursor, so that nothing needs to be asked; after a change of
//! the width all is printed anew, because only we know how to wrap it.

use std::io::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::model::Model;
use super::terminal::row;
use super::transcript::{Key, Look};
use super::view;

/// Clears the screen and what was scrolled out of it.
const CLEAR_ALL: &[u8] = b"\x1b[r\x1b[0m\x1b[H\x1b[2J\x1b[3J";
/// Clears from the cursor to the end of the screen.
const CLEAR_BELOW: &[u8] = b"\x1b[0m\x1b[J";
/// Rows of an unfinished cell that stay on the screen.
const LIVE_ROWS: usize = 8;

/// What was printed, and what stands below it.
#[derive(Debug, Default)]
pub(crate) struct Scrollback {
    /// Width of what was printed.
    width: u16,
    /// The last printed cell.
    printed: Option<Key>,
    /// The live rows as they are on the screen.
    shown: Vec<Vec<u8>>,
    /// Row of the cursor among them.
    cursor_row: usize,
    /// Nothing can be relied on: print all anew.
    stale: bool,
}

impl Scrollback {
    /// What was printed is gone or wrong.
    pub(crate) fn forget(&mut self) {
        self.stale = true;
    }

    /// The bytes that bring the terminal up to the state; nothing when it is.
    pub(crate) fn update(&mut self, model: &Model) -> Vec<u8> {
        let (width, height) = model.size;
        let mut out = Vec::new();
        let anew = self.stale || (self.width != width && self.width != 0) || self.was_rewound(model);
        if anew {
            out.extend_from_slice(CLEAR_ALL);
            (self.printed, self.cursor_row) = (None, 0);
            self.shown.clear();
        }
        (self.width, self.stale) = (width, false);
        let finished = self.finished(model);
        let (live, cursor) = self.live(model, width, height);
        if finished.is_empty() && live == self.shown && !anew {
            let row = cursor.map_or(live.len().saturating_sub(1), |(_, y)| usize::from(y));
            if row == self.cursor_row {
                self.place(cursor, &mut out);
                return out;
            }
        }
        self.up_to_start(&mut out);
        out.extend_from_slice(CLEAR_BELOW);
        for line in &finished {
            print(line, width, &mut out);
            out.extend_from_slice(b"\x1b[0m\r\n");
        }
        for (index, line) in live.iter().enumerate() {
            if index > 0 {
                out.extend_from_slice(b"\r\n");
            }
            out.extend_from_slice(line);
        }
        self.cursor_row = live.len().saturating_sub(1);
        self.shown = live;
        self.place(cursor, &mut out);
        out
    }

    /// Takes the live rows away and leaves the cursor where they began: the shell goes on there.
    pub(crate) fn leave(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.up_to_start(&mut out);
        out.extend_from_slice(CLEAR_BELOW);
        self.shown.clear();
        self.cursor_row = 0;
        out
    }

    fn up_to_start(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\x1b[?25l\r");
        if self.cursor_row > 0 {
            let _ = write!(out, "\x1b[{}A", self.cursor_row);
        }
    }

    /// Moves the cursor from its row to where it belongs.
    fn place(&mut self, cursor: view::Cursor, out: &mut Vec<u8>) {
        let Some((x, y)) = cursor else { return };
        let row = usize::from(y);
        if row < self.cursor_row {
            let _ = write!(out, "\x1b[{}A", self.cursor_row - row);
        } else if row > self.cursor_row {
            let _ = write!(out, "\x1b[{}B", row - self.cursor_row);
        }
        let _ = write!(out, "\x1b[{}G\x1b[?25h", x + 1);
        self.cursor_row = row;
    }

    /// Whether cells that were printed are no longer there.
    fn was_rewound(&self, model: &Model) -> bool {
        self.printed.is_some_and(|printed| model.transcript.cells().all(|(key, _)| key != printed))
    }

    /// Lines of cells that are finished and not printed yet: up to the first that still changes.
    fn finished(&mut self, model: &Model) -> Vec<Line<'static>> {
        let look =
            Look { theme: &model.theme, unfolded: model.transcript.is_unfolded(), now_ms: model.now_ms };
        let mut lines = Vec::new();
        let printed = self.printed;
        let fresh =
            model.transcript.cells().rev().take_while(|(key, _)| printed.is_none_or(|last| *key > last));
        let fresh: Vec<_> = fresh.collect();
        for (key, cell) in fresh.into_iter().rev() {
            if cell.is_live() {
                break;
            }
            let rows = cell.lines(self.width, &look);
            if !rows.is_empty() {
                lines.extend(rows);
                lines.push(Line::default());
            }
            self.printed = Some(key);
        }
        lines
    }

    /// The live rows as bytes, and the cursor among them.
    fn live(&self, model: &Model, width: u16, height: u16) -> (Vec<Vec<u8>>, view::Cursor) {
        let (mut lines, foot) = view::live_lines(model, width, height);
        let room = usize::from(height.saturating_sub(foot + 1)).saturating_sub(lines.len());
        let mut all = self.unfinished(model, room);
        all.append(&mut lines);
        let above = u16::try_from(all.len()).unwrap_or(u16::MAX);
        let area = Rect::new(0, 0, width, above.saturating_add(foot).max(1));
        let mut buffer = Buffer::empty(area);
        for (y, line) in (0..).zip(&all) {
            buffer.set_line(0, y, line, width);
        }
        let cursor = view::foot(model, Rect { y: above, height: foot, ..area }, height, &mut buffer);
        let rows = (0..area.height).map(|y| {
            let mut bytes = Vec::new();
            row(&buffer, y, &mut bytes);
            bytes
        });
        (rows.collect(), cursor)
    }

    /// The last rows of what is not printed yet.
    fn unfinished(&self, model: &Model, room: usize) -> Vec<Line<'static>> {
        let look = Look { theme: &model.theme, unfolded: false, now_ms: model.now_ms };
        let mut lines: Vec<Line<'static>> = Vec::new();
        for (key, cell) in model.transcript.cells().rev() {
            if self.printed.is_some_and(|last| key <= last) || lines.len() >= room.min(LIVE_ROWS) {
                break;
            }
            let mut rows = cell.lines(self.width, &look);
            rows.append(&mut lines);
            lines = rows;
        }
        let skip = lines.len().saturating_sub(room.min(LIVE_ROWS));
        lines.split_off(skip)
    }
}

/// One line as bytes.
fn print(line: &Line<'_>, width: u16, out: &mut Vec<u8>) {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width.max(1), 1));
    buffer.set_line(0, 0, line, width);
    row(&buffer, 0, out);
}

#[cfg(test)]
#[path = "scrollback_tests.rs"]
mod tests;
