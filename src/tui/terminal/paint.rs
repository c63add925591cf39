//! The difference of two screens as bytes: moves, styles, links, text. Rows that only moved are moved by the terminal
//! itself, so that a growing answer costs its own length and not a screen per frame. Pure; the terminal is elsewhere.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write as _;

use ratatui::buffer::{Buffer, Cell, CellWidth as _};
use ratatui::style::{Color, Modifier};

use crate::tui::text::links;

/// Fewer rows than this are drawn anew instead of moved.
const SCROLL_MIN: usize = 4;

/// Cells that are written again rather than jumped over: a jump costs about as much.
const BRIDGE: u16 = 5;

/// Writes what turns the screen `shown` into `wanted`. Both have the same size. Leaves the cursor anywhere.
pub(crate) fn update(shown: &mut Buffer, wanted: &Buffer, out: &mut Vec<u8>) {
    scroll(shown, wanted, out);
    let mut pen = Pen::default();
    let mut at: Option<(u16, u16)> = None;
    for (x, y, cell) in shown.diff_iter(wanted) {
        match at {
            Some((from, row)) if row == y && from <= x && x - from <= BRIDGE => {
                bridge(wanted, from..x, y, &mut pen, out);
            }
            _ => {
                let _ = write!(out, "\x1b[{};{}H", y + 1, x + 1);
            }
        }
        pen.take(cell, out);
        out.extend_from_slice(cell.symbol().as_bytes());
        // Terminals differ in the width of joined emoji: after anything unusual the place is told again.
        let width = cell.symbol().cell_width().max(1);
        at = (width == 1 && cell.symbol().len() <= 3).then_some((x + 1, y));
    }
    pen.put_down(out);
    shown.content.clone_from(&wanted.content);
}

/// Goes over cells that are right already; jumps when one of them is of an unusual width.
fn bridge(wanted: &Buffer, cells: std::ops::Range<u16>, y: u16, pen: &mut Pen, out: &mut Vec<u8>) {
    let end = cells.end;
    let plain = |x| wanted.cell((x, y)).is_some_and(|cell| cell.symbol().len() == 1);
    if !cells.clone().all(plain) {
        let _ = write!(out, "\x1b[{};{}H", y + 1, end + 1);
        return;
    }
    for cell in cells.filter_map(|x| wanted.cell((x, y))) {
        pen.take(cell, out);
        out.extend_from_slice(cell.symbol().as_bytes());
    }
}

/// Writes one row as text, for places where the terminal itself scrolls. Spaces at its end are left out. Returns the
/// columns it takes.
pub(crate) fn row(buffer: &Buffer, y: u16, out: &mut Vec<u8>) -> u16 {
    let area = buffer.area;
    let mut pen = Pen::default();
    let blank = Cell::EMPTY;
    let last = (area.left()..area.right()).rev().find(|x| buffer.cell((*x, y)).is_some_and(|c| *c != blank));
    let mut covered = 0;
    for x in area.left()..last.map_or(area.left(), |last| last + 1) {
        let Some(cell) = buffer.cell((x, y)) else { continue };
        if covered > 0 {
            covered -= 1;
            continue;
        }
        pen.take(cell, out);
        out.extend_from_slice(cell.symbol().as_bytes());
        covered = cell.symbol().cell_width().saturating_sub(1);
    }
    pen.put_down(out);
    last.map_or(0, |last| last + 1 - area.left() + covered)
}

/// The style the terminal writes in now.
#[derive(Default)]
struct Pen {
    fg: Color,
    bg: Color,
    modifier: Modifier,
    link: Color,
}

impl Pen {
    fn take(&mut self, cell: &Cell, out: &mut Vec<u8>) {
        if cell.underline_color != self.link {
            self.link = cell.underline_color;
            match links::target(self.link) {
                Some(url) => out.extend_from_slice(links::open(&url, self.link).as_bytes()),
                None => out.extend_from_slice(links::CLOSE.as_bytes()),
            }
        }
        if (cell.fg, cell.bg, cell.modifier) == (self.fg, self.bg, self.modifier) {
            return;
        }
        out.extend_from_slice(b"\x1b[");
        let start = out.len();
        if !cell.modifier.contains(self.modifier) {
            // There is no dependable way to take one attribute back.
            out.push(b'0');
            *self = Self { link: self.link, ..Self::default() };
        }
        for (modifier, number) in MODIFIERS {
            if cell.modifier.contains(modifier) && !self.modifier.contains(modifier) {
                part(out, start, format_args!("{number}"));
            }
        }
        if cell.fg != self.fg {
            color(out, start, cell.fg, 30);
        }
        if cell.bg != self.bg {
            color(out, start, cell.bg, 40);
        }
        out.push(b'm');
        (self.fg, self.bg, self.modifier) = (cell.fg, cell.bg, cell.modifier);
    }

    fn put_down(&mut self, out: &mut Vec<u8>) {
        if links::target(self.link).is_some() {
            out.extend_from_slice(links::CLOSE.as_bytes());
        }
        if (self.fg, self.bg, self.modifier) != (Color::Reset, Color::Reset, Modifier::empty()) {
            out.extend_from_slice(b"\x1b[0m");
        }
        *self = Self::default();
    }
}

const MODIFIERS: [(Modifier, u8); 6] = [
    (Modifier::BOLD, 1),
    (Modifier::DIM, 2),
    (Modifier::ITALIC, 3),
    (Modifier::UNDERLINED, 4),
    (Modifier::REVERSED, 7),
    (Modifier::CROSSED_OUT, 9),
];

fn part(out: &mut Vec<u8>, start: usize, text: std::fmt::Arguments<'_>) {
    if out.len() > start {
        out.push(b';');
    }
    let _ = out.write_fmt(text);
}

/// `base` is 30 for the text, 40 for the background.
fn color(out: &mut Vec<u8>, start: usize, color: Color, base: u8) {
    let named = |offset: u8| base + offset;
    let number = match color {
        Color::Reset => named(9),
        Color::Black => named(0),
        Color::Red => named(1),
        Color::Green => named(2),
        Color::Yellow => named(3),
        Color::Blue => named(4),
        Color::Magenta => named(5),
        Color::Cyan => named(6),
        Color::Gray => named(7),
        Color::DarkGray => named(60),
        Color::LightRed => named(61),
        Color::LightGreen => named(62),
        Color::LightYellow => named(63),
        Color::LightBlue => named(64),
        Color::LightMagenta => named(65),
        Color::LightCyan => named(66),
        Color::White => named(67),
        Color::Indexed(index) => return part(out, start, format_args!("{};5;{index}", base + 8)),
        Color::Rgb(r, g, b) => return part(out, start, format_args!("{};2;{r};{g};{b}", base + 8)),
    };
    part(out, start, format_args!("{number}"));
}

/// Rows that stand elsewhere now.
#[derive(Debug, PartialEq, Eq)]
struct Shift {
    /// First row of the region.
    top: usize,
    /// Last row of the region.
    bottom: usize,
    /// Rows the content goes up (positive) or down (negative).
    up: isize,
}

/// Lets the terminal move rows that only moved.
fn scroll(shown: &mut Buffer, wanted: &Buffer, out: &mut Vec<u8>) {
    let Some(Shift { top, bottom, up }) = find_shift(&hashes(shown), &hashes(wanted)) else { return };
    let way = if up > 0 { 'S' } else { 'T' };
    let _ = write!(out, "\x1b[{};{}r\x1b[{}{way}\x1b[r", top + 1, bottom + 1, up.unsigned_abs());
    let width = usize::from(shown.area.width);
    let (from, to) = (top * width, (bottom + 1) * width);
    let Some(region) = shown.content.get_mut(from..to) else { return };
    let by = up.unsigned_abs() * width;
    let fresh = if up > 0 {
        region.rotate_left(by);
        region.len() - by..region.len()
    } else {
        region.rotate_right(by);
        0..by
    };
    for cell in region.get_mut(fresh).unwrap_or_default() {
        cell.reset();
    }
}

fn hashes(buffer: &Buffer) -> Vec<u64> {
    let rows = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    rows.map(|row| {
        let mut hasher = DefaultHasher::new();
        row.hash(&mut hasher);
        hasher.finish()
    })
    .collect()
}

/// The longest run of rows that stand elsewhere, when moving them saves drawing enough rows.
fn find_shift(shown: &[u64], wanted: &[u64]) -> Option<Shift> {
    let height = shown.len().min(wanted.len());
    let changed = (0..height).filter(|y| shown.get(*y) != wanted.get(*y)).count();
    if changed < SCROLL_MIN {
        return None;
    }
    let mut best: Option<(usize, Shift)> = None;
    for by in 1..height {
        for down in [false, true] {
            let (from, to) = if down { (wanted, shown) } else { (shown, wanted) };
            let mut start = 0;
            let mut gain = 0;
            for y in 0..=height - by {
                let same = y < height - by && from.get(y + by) == to.get(y);
                if same {
                    gain += usize::from(
                        shown.get(if down { y + by } else { y }) != wanted.get(if down { y + by } else { y }),
                    );
                    continue;
                }
                if gain >= SCROLL_MIN && best.as_ref().is_none_or(|(most, _)| gain > *most) {
                    let by = isize::try_from(by).unwrap_or(0);
                    let bottom = y - 1 + by.unsigned_abs();
                    best = Some((gain, Shift { top: start, bottom, up: if down { -by } else { by } }));
                }
                (start, gain) = (y + 1, 0);
            }
        }
    }
    best.map(|(_, shift)| shift)
}

#[cfg(test)]
#[path = "paint_tests.rs"]
mod tests;
