//! The line in which one types what to find, and the place found so far. Leaving it by `esc` puts everything back.

use ratatui::text::{Line, Span};

use super::cell::{Look, Needle};
use super::layout::Place;
use super::list::Key;
use super::search::{Direction, Hit, all, find};
use super::viewport::{Anchor, Viewport};
use crate::tui::keys::{Code, Key as Press};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::list::Cells;

/// Characters of what is looked for.
const MAX: usize = 200;

/// Most cells whose places are counted.
const COUNTED: usize = 200;

/// Find, open.
#[derive(Debug)]
pub(crate) struct Finder {
    typed: String,
    needle: Needle,
    hit: Option<Place>,
    /// Where the view stood.
    origin: Anchor,
    /// Which of how many places that is, when they were counted.
    count: Option<(usize, usize)>,
    /// The cell that was unfolded to show the place.
    opened: Option<Key>,
}

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// Still open.
    Stay,
    /// Closed; the view stays where it is.
    Accept,
    /// Closed; the view is back where it was.
    Cancel,
}

impl Finder {
    /// Opens while the view stands at `origin`.
    pub(crate) fn new(origin: Anchor) -> Self {
        Self { typed: String::new(), needle: Needle::default(), hit: None, origin, count: None, opened: None }
    }

    /// What is looked for.
    pub(crate) fn needle(&self) -> &Needle {
        &self.needle
    }

    /// The row that was found.
    pub(crate) fn hit(&self) -> Option<Place> {
        self.hit
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Press, cells: &mut Cells, view: &Viewport, unfolded: bool) -> Found {
        match (key.code, key.ctrl || key.alt) {
            (Code::Esc, _) | (Code::Char('c' | 'g'), true) => {
                self.fold_back(cells);
                view.set_anchor(self.origin);
                return Found::Cancel;
            }
            (Code::Enter, _) => return Found::Accept,
            (Code::Up, _) | (Code::Char('p' | 'r'), true) => {
                self.next(Direction::Older, cells, view, unfolded)
            }
            (Code::F(3), _) if !key.shift => self.next(Direction::Older, cells, view, unfolded),
            (Code::Down | Code::F(3), _) | (Code::Char('n' | 's'), true) => {
                self.next(Direction::Newer, cells, view, unfolded);
            }
            (Code::Backspace, _) | (Code::Char('h'), true) => {
                self.typed.pop();
                self.again(cells, view, unfolded);
            }
            (Code::Char('u' | 'w'), true) => {
                self.typed.clear();
                self.again(cells, view, unfolded);
            }
            (Code::Char(c), false) if self.typed.chars().count() < MAX && !c.is_control() => {
                self.typed.push(c);
                self.again(cells, view, unfolded);
            }
            _ => {}
        }
        Found::Stay
    }

    /// What is looked for changed: from the place at hand, or from the end of what was on the screen.
    fn again(&mut self, cells: &mut Cells, view: &Viewport, unfolded: bool) {
        self.needle = Needle::new(&self.typed);
        let from = self.hit.take();
        self.count = None;
        self.fold_back(cells);
        if self.typed.is_empty() {
            view.set_anchor(self.origin);
            return;
        }
        let hit = view.sheet(cells, unfolded, |sheet| {
            let older = |from| find(sheet, &self.needle, from, Direction::Older, true);
            older(from.or_else(|| view.bottom(sheet))).or_else(|| older(None))
        });
        self.show(hit, cells, view, unfolded);
    }

    /// The next place; goes on at the other end.
    fn next(&mut self, direction: Direction, cells: &mut Cells, view: &Viewport, unfolded: bool) {
        let from = self.hit;
        let hit = view.sheet(cells, unfolded, |sheet| {
            let first = match direction {
                Direction::Older => None,
                Direction::Newer => sheet.place(sheet.start()),
            };
            find(sheet, &self.needle, from, direction, false)
                .or_else(|| find(sheet, &self.needle, first, direction, true))
        });
        if hit.is_some_and(|hit| Some(hit.place.key) != self.opened) {
            self.fold_back(cells);
        }
        self.show(hit, cells, view, unfolded);
    }

    fn show(&mut self, hit: Option<Hit>, cells: &mut Cells, view: &Viewport, unfolded: bool) {
        let Some(hit) = hit else { return };
        if hit.folded
            && let Some(slot) = cells.get_mut(hit.place.key)
        {
            slot.flipped = !slot.flipped;
            self.opened = Some(slot.key);
        }
        self.hit = Some(hit.place);
        view.sheet(cells, unfolded, |sheet| {
            let all = all(sheet, &self.needle, COUNTED).unwrap_or_default();
            self.count = all.iter().position(|place| *place == hit.place).map(|at| (at + 1, all.len()));
            // A row under the sticky prompt is as good as hidden.
            if view.row_of(sheet, hit.place).is_none_or(|row| row == 0 || row + 1 >= view.height()) {
                view.reveal(sheet, hit.place, view.height() / 3);
            }
        });
    }

    fn fold_back(&mut self, cells: &mut Cells) {
        if let Some(slot) = self.opened.take().and_then(|key| cells.get_mut(key)) {
            slot.flipped = !slot.flipped;
        }
    }

    /// The line to type in, with what the keys do.
    pub(crate) fn line(&self, width: u16, look: &Look<'_>) -> Line<'static> {
        let state = match (self.typed.is_empty(), self.hit, self.count) {
            (true, ..) => String::new(),
            (false, None, _) => "  not found · esc back".to_owned(),
            (false, Some(_), count) => {
                let count = count.map(|(at, all)| format!("  {at} of {all} ·")).unwrap_or_default();
                format!("{count}  ctrl-p older · ctrl-n newer · enter keep · esc back").replace("·  ", "· ")
            }
        };
        let line = Line::from(vec![
            Span::styled("Find: ", look.style(Role::Accent)),
            Span::raw(self.typed.clone()),
            Span::styled("▏", look.style(Role::Accent)),
            Span::styled(state, look.style(Role::Dim)),
        ]);
        text::truncate_line(line, usize::from(width))
    }
}
