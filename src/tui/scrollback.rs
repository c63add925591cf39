//! The mode in which the terminal scrolls: finished cells are printed once and belong to the terminal, a few live
//! rows stand below them. What was printed is never taken back, because a program cannot clear its own lines out of
//! a scrollback without clearing what the user had there before: at another width the terminal wraps what it holds,
//! as it does for the shell's lines, and only the live rows are drawn anew. Everything is relative to the cursor, so
//! that nothing needs to be asked; where the live rows begin follows from how wide they were. Whatever moves through
//! the transcript (scrolling, details, find, going back) has a screen of its own for the time.

use std::io::Write as _;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::model::Model;
use super::terminal::row;
use super::transcript::{Key, Look};
use super::view;

/// Clears from the start of the cursor's row to the end of the screen. Not in one step: from the first place of the
/// screen tmux takes that for the wish to keep what is there, and moves it into the scrollback.
const CLEAR_BELOW: &[u8] = b"\x1b[0m\x1b[2K\x1b[2G\x1b[J\r";
/// Rows of unfinished cells that are shown at least, where there is room.
const UNFINISHED: usize = 8;

/// One live row as it is on the screen.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    bytes: Vec<u8>,
    /// Columns it takes.
    width: u16,
}

/// What was printed, and what stands below it.
#[derive(Debug, Default)]
pub(crate) struct Scrollback {
    /// Width of the live rows.
    width: u16,
    /// The last printed cell.
    printed: Option<Key>,
    /// The live rows as they are on the screen.
    shown: Vec<Row>,
    /// Row of the cursor among them.
    cursor_row: usize,
    /// Its column.
    cursor_column: u16,
    /// The live rows are to be drawn whole.
    stale: bool,
    /// The screen is to be empty but for the live rows.
    emptied: bool,
}

impl Scrollback {
    /// The live rows may look different by now: the window changed.
    pub(crate) fn forget(&mut self) {
        self.stale = true;
    }

    /// Everything on the screen goes up into the scrollback with the next frame.
    pub(crate) fn empty(&mut self) {
        (self.stale, self.emptied) = (true, true);
    }

    /// The bytes that bring the terminal up to the state; nothing when it is.
    pub(crate) fn update(&mut self, model: &Model) -> Vec<u8> {
        let (width, height) = model.size;
        let mut out = Vec::new();
        if self.width != width {
            self.follow(width, model.setup.surroundings.rewraps);
        }
        let finished = self.finished(model);
        let (live, cursor) = self.live(model, width, height);
        if std::mem::take(&mut self.emptied) {
            self.up_to_start(&mut out);
            out.extend_from_slice(CLEAR_BELOW);
            out.extend(std::iter::repeat_n(b'\n', usize::from(height.saturating_sub(1))));
            out.extend_from_slice(b"\x1b[H");
            self.cursor_row = 0;
        }
        if finished.is_empty() && live.len() == self.shown.len() && !self.stale {
            self.change_rows(live, &mut out);
        } else {
            self.print_all(&finished, live, &mut out);
        }
        self.stale = false;
        self.place(cursor, &mut out);
        out
    }

    /// The window has another width: the terminal has wrapped the live rows by now, if it does that, and the cursor
    /// moved along with its text.
    fn follow(&mut self, width: u16, rewraps: bool) {
        if rewraps && width > 0 {
            let rows = |columns: u16| usize::from(columns.div_ceil(width).max(1));
            let above = self.shown.iter().take(self.cursor_row).map(|row| rows(row.width)).sum::<usize>();
            self.cursor_row = above + usize::from(self.cursor_column / width);
        }
        self.width = width;
        self.stale = true;
    }

    /// Prints what is finished where the live rows stood, and the live rows below it.
    fn print_all(&mut self, finished: &[Line<'static>], live: Vec<Row>, out: &mut Vec<u8>) {
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
            out.extend_from_slice(&line.bytes);
        }
        self.cursor_row = live.len().saturating_sub(1);
        self.cursor_column = live.last().map_or(0, |row| row.width);
        self.shown = live;
    }

    /// Writes the live rows that changed over what stands there.
    fn change_rows(&mut self, live: Vec<Row>, out: &mut Vec<u8>) {
        for (index, line) in live.iter().enumerate() {
            if self.shown.get(index) != Some(line) {
                out.extend_from_slice(b"\x1b[?25l");
                self.go_to(index, out);
                out.extend_from_slice(b"\r\x1b[2K");
                out.extend_from_slice(&line.bytes);
                self.cursor_column = line.width;
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
        self.cursor_column = x;
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

    /// Lines of cells that are finished and not printed yet: up to the first that still changes.
    fn finished(&mut self, model: &Model) -> Vec<Line<'static>> {
        let look = Look { theme: &model.theme, unfolded: false, now_ms: model.now_ms };
        let mut lines = Vec::new();
        let printed = self.printed;
        let fresh =
            model.transcript.cells().rev().take_while(|(key, _)| printed.is_none_or(|last| *key > last));
        let fresh: Vec<_> = fresh.collect();
        let newest = fresh.first().map(|(key, _)| *key);
        for (key, cell) in fresh.into_iter().rev() {
            let grows = cell.may_grow() && newest == Some(key) && model.is_running();
            if cell.is_live() || grows {
                break;
            }
            let rows = cell.lines(self.width, &look);
            if !rows.is_empty() {
                if self.printed.is_some() {
                    lines.push(Line::default());
                }
                lines.extend(rows);
            }
            self.printed = Some(key);
        }
        lines
    }

    /// The live rows as bytes, and the cursor among them.
    fn live(&self, model: &Model, width: u16, height: u16) -> (Vec<Row>, view::Cursor) {
        let (mut lines, foot) = view::live_lines(model, width, height);
        let room = usize::from(height.saturating_sub(foot + 1)).saturating_sub(lines.len());
        // Live rows that a smaller window pushes out at the top can not be had back.
        let room = room.min(UNFINISHED.max(usize::from(height / 2)));
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
            let width = row(&buffer, y, &mut bytes);
            Row { bytes, width }
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
            if !lines.is_empty() {
                lines.insert(0, Line::default());
            }
            for part in (0..cell.parts(&look)).rev() {
                if lines.len() >= room {
                    break;
                }
                let mut rows = cell.part(part, self.width, &look);
                rows.append(&mut lines);
                lines = rows;
            }
        }
        if !lines.is_empty() && self.printed.is_some() {
            lines.insert(0, Line::default());
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
