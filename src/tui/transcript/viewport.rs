//! Which rows of the transcript are on the screen. The view either follows the end or stands at a row, named by its
//! cell: new output, earlier pages and other widths do not move it.

use std::cell::{Cell, RefCell};

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::Line;
use ratatui::widgets::{Clear, Widget as _};

use super::cell::{Look, Needle};
use super::layout::{Cache, Place, Pos, Sheet};
use super::list::{Body, Cells, Key};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Rows of a page that stay visible when turning it.
const OVERLAP: usize = 2;

/// Rows of a prompt on top of the screen that may be out of sight before its first line is repeated.
const OWN_ROWS: usize = 4;

/// A way to move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scroll {
    /// Rows towards the start.
    Up(usize),
    /// Rows towards the end.
    Down(usize),
    /// One page towards the start.
    PageUp,
    /// One page towards the end.
    PageDown,
    /// To the first row.
    Start,
    /// To the end, and along with it.
    End,
}

/// Where the view stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Anchor {
    /// At the end, wherever that goes.
    End,
    /// With this row on top.
    Top(Place),
}

/// What is to be marked on the screen.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Marks<'a> {
    /// A text that is looked for.
    pub(crate) needle: Option<&'a Needle>,
    /// The row of the place that was found.
    pub(crate) hit: Option<Place>,
    /// The cell that has the focus.
    pub(crate) focus: Option<Key>,
}

/// The screen as it was drawn last: what keys between two frames refer to.
#[derive(Clone, Debug, Default)]
struct Drawn {
    width: u16,
    height: u16,
    theme: Theme,
    now_ms: u64,
}

/// The view on the transcript.
pub(crate) struct Viewport {
    anchor: Cell<Anchor>,
    drawn: RefCell<Drawn>,
    cache: RefCell<Cache>,
}

impl Default for Viewport {
    fn default() -> Self {
        Self { anchor: Cell::new(Anchor::End), drawn: RefCell::default(), cache: RefCell::default() }
    }
}

impl Viewport {
    /// Where the view stands.
    pub(crate) fn anchor(&self) -> Anchor {
        self.anchor.get()
    }

    /// Puts the view back where it stood.
    pub(crate) fn set_anchor(&self, anchor: Anchor) {
        self.anchor.set(anchor);
    }

    /// Whether the newest row is on the screen and stays there.
    pub(crate) fn is_at_end(&self) -> bool {
        self.anchor.get() == Anchor::End
    }

    /// Calls `with` with the cells as they were drawn last. Nothing can be laid out before the first frame.
    pub(crate) fn sheet<T>(&self, cells: &Cells, unfolded: bool, with: impl FnOnce(&Sheet<'_>) -> T) -> T {
        let drawn = self.drawn.borrow();
        let sheet = Sheet {
            cells,
            cache: &self.cache,
            width: drawn.width,
            theme: &drawn.theme,
            unfolded,
            now_ms: drawn.now_ms,
        };
        with(&sheet)
    }

    /// Rows of the screen as it was drawn last.
    pub(crate) fn height(&self) -> usize {
        usize::from(self.drawn.borrow().height)
    }

    /// How many rows the transcript takes at a width, at most `max`.
    pub(crate) fn measure(
        &self,
        cells: &Cells,
        unfolded: bool,
        width: u16,
        max: u16,
        look: &Look<'_>,
    ) -> u16 {
        if width == 0 || max == 0 {
            return 0;
        }
        let (theme, now_ms) = (look.theme, look.now_ms);
        let sheet = Sheet { cells, cache: &self.cache, width, theme, unfolded, now_ms };
        u16::try_from(sheet.tail(usize::from(max)).1).unwrap_or(max)
    }

    /// The row on top of the screen.
    fn top(&self, sheet: &Sheet<'_>) -> Pos {
        let (end, _) = sheet.tail(self.height().max(1));
        match self.anchor.get() {
            Anchor::End => end,
            Anchor::Top(place) => sheet.pos(place).min(end),
        }
    }

    /// The last row of the screen.
    pub(crate) fn bottom(&self, sheet: &Sheet<'_>) -> Option<Place> {
        let height = self.height().max(1);
        sheet.rows(self.top(sheet), height).last().and_then(|row| sheet.place(row.pos))
    }

    /// Whether the first row is on the screen.
    pub(crate) fn shows_start(&self, sheet: &Sheet<'_>) -> bool {
        self.top(sheet) == sheet.start()
    }

    /// Moves the view.
    pub(crate) fn scroll(&self, sheet: &Sheet<'_>, scroll: Scroll) {
        if sheet.width == 0 || self.height() == 0 {
            return;
        }
        let page = self.height().saturating_sub(OVERLAP).max(1);
        let top = self.top(sheet);
        match scroll {
            Scroll::Up(rows) => self.stand_at(sheet, sheet.up(top, rows)),
            Scroll::PageUp => self.stand_at(sheet, sheet.up(top, page)),
            Scroll::Down(rows) => self.stand_at(sheet, sheet.down(top, rows)),
            Scroll::PageDown => self.stand_at(sheet, sheet.down(top, page)),
            Scroll::Start => self.stand_at(sheet, sheet.start()),
            Scroll::End => self.anchor.set(Anchor::End),
        }
    }

    /// Shows a place in a row of the screen.
    pub(crate) fn reveal(&self, sheet: &Sheet<'_>, place: Place, row: usize) {
        if sheet.width > 0 {
            self.stand_at(sheet, sheet.up(sheet.pos(place), row));
        }
    }

    /// The row of the screen a place is in, if it is on the screen.
    pub(crate) fn row_of(&self, sheet: &Sheet<'_>, place: Place) -> Option<usize> {
        let pos = sheet.pos(place);
        sheet.rows(self.top(sheet), self.height()).iter().position(|row| row.pos == pos)
    }

    /// The first cell whose start is on the screen, and its row.
    pub(crate) fn first_start(&self, sheet: &Sheet<'_>) -> Option<(Key, usize)> {
        let rows = sheet.rows(self.top(sheet), self.height());
        let row = rows.iter().position(|row| (row.pos.part, row.pos.line) == (0, 0))?;
        Some((sheet.cells.at(rows.get(row)?.pos.index)?.key, row))
    }

    /// Stands with `top` on top, or follows the end when that is where it is.
    fn stand_at(&self, sheet: &Sheet<'_>, top: Pos) {
        let (end, _) = sheet.tail(self.height().max(1));
        let anchor = match sheet.place(top) {
            Some(place) if top < end => Anchor::Top(place),
            _ => Anchor::End,
        };
        self.anchor.set(anchor);
    }

    /// Draws the rows in view.
    pub(crate) fn view(
        &self,
        cells: &Cells,
        unfolded: bool,
        marks: Marks<'_>,
        area: Rect,
        buf: &mut Buffer,
        look: &Look<'_>,
    ) {
        self.prepare(cells, unfolded, area, look);
        if area.is_empty() {
            return;
        }
        self.sheet(cells, unfolded, |sheet| self.draw(sheet, marks, area, buf, look));
    }

    /// Takes over size, theme and time; keeps the top row where it is at another width.
    pub(crate) fn prepare(&self, cells: &Cells, unfolded: bool, area: Rect, look: &Look<'_>) {
        let (width, theme) = {
            let drawn = self.drawn.borrow();
            (drawn.width, drawn.theme.clone())
        };
        if theme != *look.theme {
            self.cache.borrow_mut().clear();
        }
        let out_of_sight = self.cache.borrow_mut().next_round();
        for slot in out_of_sight.into_iter().filter_map(|key| cells.get(key)) {
            slot.body.cell().forget();
        }
        let moved = match self.anchor.get() {
            Anchor::Top(place) if width != area.width && width > 0 && area.width > 0 => {
                let old = self.sheet(cells, unfolded, |sheet| read_before(sheet, place));
                Some((place, old))
            }
            _ => None,
        };
        *self.drawn.borrow_mut() =
            Drawn { width: area.width, height: area.height, theme: look.theme.clone(), now_ms: look.now_ms };
        if let Some((place, read)) = moved {
            let line = self.sheet(cells, unfolded, |sheet| line_after(sheet, place, read));
            self.anchor.set(Anchor::Top(Place { line, ..place }));
        }
    }

    fn draw(&self, sheet: &Sheet<'_>, marks: Marks<'_>, area: Rect, buf: &mut Buffer, look: &Look<'_>) {
        let top = self.top(sheet);
        let away = !self.is_at_end();
        let height = usize::from(area.height) - usize::from(away && area.height > 2);
        let hit = marks.hit.map(|place| sheet.pos(place));
        for (y, shown) in (area.y..).zip(sheet.rows(top, height)) {
            let (pos, Some(line)) = (shown.pos, shown.line()) else { continue };
            buf.set_line(area.x, y, line, area.width);
            let row = Rect { x: area.x, y, width: area.width, height: 1 };
            if let Some(needle) = marks.needle {
                mark_places(needle, line, hit == Some(pos), row, buf, look);
            }
            let focused =
                marks.focus.is_some() && sheet.cells.at(pos.index).map(|slot| slot.key) == marks.focus;
            if focused && pos.part == 0 && pos.line == usize::from(pos.index > 0) {
                buf.set_style(row, look.style(Role::Selected));
            }
        }
        if area.height > 2 {
            if let Some(line) = sticky(sheet, top, area.width, look) {
                let row = Rect { height: 1, ..area };
                Clear.render(row, buf);
                line.render(row, buf);
            }
            if away {
                let words =
                    text::truncate_end("↓ Back to bottom · esc", usize::from(area.width)).into_owned();
                let line = Line::styled(words, look.style(Role::Dim)).centered();
                let row = Rect { y: area.bottom() - 1, height: 1, ..area };
                line.render(row, buf);
            }
        }
    }
}

/// The prompt whose answer is on top of the screen, once it has gone out of sight itself.
fn sticky(sheet: &Sheet<'_>, top: Pos, width: u16, look: &Look<'_>) -> Option<Line<'static>> {
    let on_top = sheet.cells.at(top.index)?;
    let prompt = match &on_top.body {
        Body::User(_) if top.part == 0 && top.line < OWN_ROWS => return None,
        Body::User(_) => on_top,
        _ => sheet.cells.prompt_before(on_top.key)?,
    };
    match &prompt.body {
        Body::User(user) => Some(user.sticky(width, look)),
        _ => None,
    }
}

/// Characters of the piece before its top line: the same at every width.
fn read_before(sheet: &Sheet<'_>, place: Place) -> usize {
    let pos = sheet.pos(place);
    sheet.lines(pos.index, pos.part).iter().take(pos.line).map(letters).sum()
}

fn line_after(sheet: &Sheet<'_>, place: Place, read: usize) -> usize {
    let index = sheet.cells.index(place.key);
    let mut left = read;
    let lines = sheet.lines(index, place.part);
    for (line, content) in lines.iter().enumerate() {
        let here = letters(content);
        if left < here || (left == 0 && line > 0) {
            return line;
        }
        left -= here;
    }
    0
}

fn letters(line: &Line<'_>) -> usize {
    line.spans.iter().map(|span| span.content.chars().filter(|c| !c.is_whitespace()).count()).sum()
}

/// Marks the places of a text in a row; those of the row that was found stand out.
fn mark_places(needle: &Needle, line: &Line<'_>, is_hit: bool, row: Rect, buf: &mut Buffer, look: &Look<'_>) {
    let content: String = line.spans.iter().map(|span| span.content.as_ref()).collect();
    let style = match is_hit {
        true => look.style(Role::Selected),
        false => look.style(Role::Strong).add_modifier(Modifier::UNDERLINED),
    };
    for place in needle.places(&content) {
        let before = content.get(..place.start).map_or(0, text::width);
        let cells = content.get(place).map_or(0, text::width);
        let x = row.x.saturating_add(u16::try_from(before).unwrap_or(u16::MAX));
        let width = u16::try_from(cells).unwrap_or(u16::MAX);
        buf.set_style(Rect { x, width, ..row }.intersection(row), style);
    }
}

#[cfg(test)]
#[path = "viewport_tests.rs"]
mod tests;
