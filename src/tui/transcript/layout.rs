//! Laid-out lines of cells, and walking over them row by row. Only what somebody looks at is laid out and it is
//! forgotten again when it is out of sight, so that neither time nor memory follows the length of the transcript.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ratatui::text::Line;

use super::cell::{Look, fitted};
use super::list::{Cells, Key, Slot};
use crate::tui::theme::Theme;

/// Pieces and lines kept; beyond either, what was not just used is forgotten.
const MAX_PIECES: usize = 512;
const MAX_LINES: usize = 8 * 1024;

/// A row of the transcript by the cell it belongs to: stays valid while others come and go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) key: Key,
    pub(crate) part: usize,
    pub(crate) line: usize,
}

/// A row by the index of its cell: valid until the list changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Pos {
    pub(crate) index: usize,
    pub(crate) part: usize,
    pub(crate) line: usize,
}

/// Lines of pieces.
#[derive(Default)]
pub(crate) struct Cache {
    pieces: HashMap<(Key, usize, bool), Piece>,
    lines: usize,
    round: u64,
    /// Cells of which a piece was forgotten.
    out_of_sight: Vec<Key>,
    /// How often something was laid out; tests count it.
    #[cfg(test)]
    pub(crate) laid_out: usize,
}

struct Piece {
    width: u16,
    revision: u32,
    stamp: u64,
    gap: bool,
    round: u64,
    lines: Arc<[Line<'static>]>,
}

impl Cache {
    /// Forgets everything: the theme changed.
    pub(crate) fn clear(&mut self) {
        self.out_of_sight.extend(self.pieces.keys().map(|(key, ..)| *key));
        self.pieces.clear();
        self.lines = 0;
    }

    /// A frame begins; what the one before did not use may go. Gives the cells of which nothing is kept any more.
    pub(crate) fn next_round(&mut self) -> Vec<Key> {
        self.round += 1;
        self.trim();
        let mut gone = std::mem::take(&mut self.out_of_sight);
        if !gone.is_empty() {
            gone.sort_unstable();
            gone.dedup();
            let kept: HashSet<Key> = self.pieces.keys().map(|(key, ..)| *key).collect();
            gone.retain(|key| !kept.contains(key));
        }
        gone
    }

    fn trim(&mut self) {
        if self.pieces.len() > MAX_PIECES || self.lines > MAX_LINES {
            let oldest = self.round.saturating_sub(1);
            let out_of_sight = &mut self.out_of_sight;
            self.pieces.retain(|(key, ..), piece| {
                let keep = piece.round >= oldest;
                if !keep {
                    out_of_sight.push(*key);
                }
                keep
            });
            self.lines = self.pieces.values().map(|piece| piece.lines.len()).sum();
        }
    }
}

/// The cells as they look at a width.
#[derive(Clone, Copy)]
pub(crate) struct Sheet<'a> {
    pub(crate) cells: &'a Cells,
    pub(crate) cache: &'a RefCell<Cache>,
    pub(crate) width: u16,
    pub(crate) theme: &'a Theme,
    pub(crate) unfolded: bool,
    pub(crate) now_ms: u64,
}

impl Sheet<'_> {
    /// Whether details of a cell are shown.
    pub(crate) fn is_unfolded(&self, slot: &Slot) -> bool {
        self.unfolded != slot.flipped
    }

    fn look(&self, slot: &Slot) -> Look<'_> {
        Look { theme: self.theme, unfolded: self.is_unfolded(slot), now_ms: self.now_ms }
    }

    /// How many pieces a cell has.
    pub(crate) fn parts(&self, index: usize) -> usize {
        self.cells.at(index).map_or(0, |slot| slot.body.cell().parts(&self.look(slot)))
    }

    /// The lines of a piece, with the blank line that parts the cell from the one above.
    pub(crate) fn lines(&self, index: usize, part: usize) -> Arc<[Line<'static>]> {
        match self.cells.at(index) {
            Some(slot) => self.piece(slot, part, index > 0 && part == 0, self.look(slot)),
            None => Arc::default(),
        }
    }

    /// The lines of a piece as if its cell was unfolded, without the blank line.
    pub(crate) fn unfolded_lines(&self, slot: &Slot, part: usize) -> Arc<[Line<'static>]> {
        self.piece(slot, part, false, self.unfolded_look())
    }

    /// How many pieces a cell has unfolded.
    pub(crate) fn unfolded_parts(&self, slot: &Slot) -> usize {
        slot.body.cell().parts(&self.unfolded_look())
    }

    fn unfolded_look(&self) -> Look<'_> {
        Look { theme: self.theme, unfolded: true, now_ms: self.now_ms }
    }

    fn piece(&self, slot: &Slot, part: usize, gap: bool, look: Look<'_>) -> Arc<[Line<'static>]> {
        let cell = slot.body.cell();
        let stamp = cell.stamp(part, &look);
        let mut cache = self.cache.borrow_mut();
        let round = cache.round;
        let name = (slot.key, part, look.unfolded);
        if let Some(piece) = cache.pieces.get_mut(&name)
            && (piece.width, piece.revision, piece.stamp, piece.gap)
                == (self.width, slot.revision, stamp, gap)
        {
            piece.round = round;
            return Arc::clone(&piece.lines);
        }
        let mut lines = fitted(cell, part, self.width, &look);
        if gap && !lines.is_empty() {
            lines.insert(0, Line::default());
        }
        let lines: Arc<[Line<'static>]> = lines.into();
        let piece = Piece {
            width: self.width,
            revision: slot.revision,
            stamp,
            gap,
            round,
            lines: Arc::clone(&lines),
        };
        cache.lines += lines.len();
        if let Some(old) = cache.pieces.insert(name, piece) {
            cache.lines = cache.lines.saturating_sub(old.lines.len());
        }
        cache.trim();
        #[cfg(test)]
        {
            cache.laid_out += 1;
        }
        lines
    }

    /// The row a place is at now, or the nearest after it.
    pub(crate) fn pos(&self, place: Place) -> Pos {
        let index = self.cells.index(place.key);
        if self.cells.at(index).is_none_or(|slot| slot.key != place.key) {
            return self.first_at(index, 0);
        }
        let parts = self.parts(index);
        if place.part >= parts {
            return match parts.checked_sub(1) {
                Some(last) => {
                    Pos { index, part: last, line: self.lines(index, last).len().saturating_sub(1) }
                }
                None => self.first_at(index + 1, 0),
            };
        }
        let line = place.line.min(self.lines(index, place.part).len().saturating_sub(1));
        self.first_at_line(Pos { index, part: place.part, line })
    }

    /// The place of a row; `None` behind the last cell.
    pub(crate) fn place(&self, pos: Pos) -> Option<Place> {
        Some(Place { key: self.cells.at(pos.index)?.key, part: pos.part, line: pos.line })
    }

    fn first_at_line(&self, pos: Pos) -> Pos {
        if self.lines(pos.index, pos.part).is_empty() { self.first_at(pos.index, pos.part + 1) } else { pos }
    }

    /// The first row of the first piece that has any, from this one on.
    fn first_at(&self, mut index: usize, mut part: usize) -> Pos {
        while index < self.cells.len() {
            if part >= self.parts(index) {
                (index, part) = (index + 1, 0);
            } else if self.lines(index, part).is_empty() {
                part += 1;
            } else {
                return Pos { index, part, line: 0 };
            }
        }
        Pos { index: self.cells.len(), part: 0, line: 0 }
    }

    /// The last piece with rows before this one.
    fn piece_before(&self, mut index: usize, mut part: usize) -> Option<(usize, usize, usize)> {
        loop {
            match part.checked_sub(1) {
                Some(before) => part = before,
                None => {
                    index = index.checked_sub(1)?;
                    part = self.parts(index);
                    continue;
                }
            }
            let lines = self.lines(index, part).len();
            if lines > 0 {
                return Some((index, part, lines));
            }
        }
    }

    /// The very first row.
    pub(crate) fn start(&self) -> Pos {
        self.first_at(0, 0)
    }

    /// `rows` further up, or the first row.
    pub(crate) fn up(&self, mut pos: Pos, mut rows: usize) -> Pos {
        loop {
            if rows <= pos.line {
                return Pos { line: pos.line - rows, ..pos };
            }
            let Some((index, part, lines)) = self.piece_before(pos.index, pos.part) else {
                return Pos { line: 0, ..pos };
            };
            rows -= pos.line + 1;
            pos = Pos { index, part, line: lines - 1 };
        }
    }

    /// `rows` further down, or behind the last row.
    pub(crate) fn down(&self, mut pos: Pos, mut rows: usize) -> Pos {
        while pos.index < self.cells.len() {
            let left = self.lines(pos.index, pos.part).len().saturating_sub(pos.line);
            if rows < left {
                return Pos { line: pos.line + rows, ..pos };
            }
            rows -= left;
            pos = self.first_at(pos.index, pos.part + 1);
        }
        pos
    }

    /// The last `height` rows: where they begin and how many there are.
    pub(crate) fn tail(&self, height: usize) -> (Pos, usize) {
        let mut pos = Pos { index: self.cells.len(), part: 0, line: 0 };
        let mut rows = 0;
        while let Some((index, part, lines)) = self.piece_before(pos.index, pos.part) {
            pos = Pos { index, part, line: lines.saturating_sub(height - rows) };
            rows += lines - pos.line;
            if rows >= height {
                break;
            }
        }
        (pos, rows)
    }

    /// Up to `height` rows from `pos` on.
    pub(crate) fn rows(&self, pos: Pos, height: usize) -> Vec<Row> {
        let mut rows = Vec::with_capacity(height);
        let mut at = pos;
        while rows.len() < height && at.index < self.cells.len() {
            let lines = self.lines(at.index, at.part);
            for line in (at.line..lines.len()).take(height - rows.len()) {
                rows.push(Row { pos: Pos { line, ..at }, lines: Arc::clone(&lines) });
            }
            at = self.first_at(at.index, at.part + 1);
        }
        rows
    }
}

/// A row in view.
pub(crate) struct Row {
    pub(crate) pos: Pos,
    lines: Arc<[Line<'static>]>,
}

impl Row {
    /// What it shows.
    pub(crate) fn line(&self) -> Option<&Line<'static>> {
        self.lines.get(self.pos.line)
    }
}
