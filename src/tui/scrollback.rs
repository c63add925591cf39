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
    /// Details were shown in what was printed.
    unfolded: bool,
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
        let unfolded = model.transcript.is_unfolded();
        let other = (self.width, self.unfolded) != (width, unfolded) && self.width != 0;
        let anew = self.stale || other || self.was_rewound(model);
        if anew {
            out.extend_from_slice(CLEAR_ALL);
            (self.printed, self.cursor_row) = (None, 0);
            self.shown.clear();
        }
        (self.width, self.unfolded, self.stale) = (width, unfolded, false);
        let finished = self.finished(model);
        let (live, cursor) = self.live(model, width, height);
        if finished.is_empty() && live.len() == self.shown.len() {
            self.change_rows(live, &mut out);
        } else {
            self.print_all(&finished, live, &mut out);
        }
        self.place(cursor, &mut out);
        out
    }

    /// Prints what is finished where the live rows stood, and the live rows below it.
    fn print_all(&mut self, finished: &[Line<'static>], live: Vec<Vec<u8>>, out: &mut Vec<u8>) {
        self.up_to_start(out);
        out.extend_from_slice(CLEAR_BELOW);
        for line in finished {
            print(line, self.width, out);
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
    }

    /// Writes the live rows that changed over what stands there.
    fn change_rows(&mut self, live: Vec<Vec<u8>>, out: &mut Vec<u8>) {
        for (index, line) in live.iter().enumerate() {
            if self.shown.get(index) != Some(line) {
                out.extend_from_slice(b"\x1b[?25l");
                self.go_to(index, out);
                out.extend_from_slice(b"\r\x1b[2K");
                out.extend_from_slice(line);
            }
        }
        self.shown = live;
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
        self.go_to(usize::from(y), out);
        let _ = write!(out, "\x1b[{}G\x1b[?25h", x + 1);
    }

    /// Moves the cursor to a live row.
    fn go_to(&mut self, row: usize, out: &mut Vec<u8>) {
        if row < self.cursor_row {
            let _ = write!(out, "\x1b[{}A", self.cursor_row - row);
        } else if row > self.cursor_row {
            let _ = write!(out, "\x1b[{}B", row - self.cursor_row);
        }
        self.cursor_row = row;
    }

    /// Whether cells that were printed are no longer there.
    fn was_rewound(&self, model: &Model) -> bool {
        self.printed.is_some_and(|printed| {
            let mut newer = model.transcript.cells().rev().take_while(|(key, _)| *key >= printed);
            newer.all(|(key, _)| key != printed)
        })
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
            if self.printed.is_some_and(|last| key <= last) {
                break;
            }
            // From the end of it, and no more than is shown: a long answer must not cost its length in each frame.
            for part in (0..cell.parts(&look)).rev() {
                if lines.len() >= room {
                    break;
                }
                let mut rows = cell.part(part, self.width, &look);
                rows.append(&mut lines);
                lines = rows;
            }
        }
        let skip = lines.len().saturating_sub(room);
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
