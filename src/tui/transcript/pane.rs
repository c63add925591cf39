//! The transcript as a component: cells, folds, view, find and focus in one. Update methods change it, `view` only
//! draws; no clock and no file in here.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

use super::Level;
use super::cell::{Cell, Look};
use super::cells::block::Block;
use super::cells::notice::Notice;
use super::finder::{Finder, Found};
use super::layout::{Place, Sheet};
use super::list::Key;
use super::model::{Model, Now, Setup};
use super::viewport::{Marks, Scroll, Viewport};
use crate::base::ids::TurnId;
use crate::protocol::event::Event;
use crate::protocol::note::Note;
use crate::threads::Turn;
use crate::tui::keys::{Code, Key as Press};
use crate::tui::theme::Theme;

/// What keys go to, besides the composer.
#[derive(Debug)]
enum Mode {
    Reading,
    Finding(Finder),
    /// One cell has the focus.
    Focused(Key),
}

/// What became of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was for somebody else.
    Ignored,
    /// The transcript took it.
    Taken,
}

/// The transcript.
pub(crate) struct Transcript {
    model: Model,
    view: Viewport,
    unfolded: bool,
    mode: Mode,
}

impl Transcript {
    /// A transcript that holds its header alone.
    pub(crate) fn new(setup: Setup) -> Self {
        Self { model: Model::new(setup), view: Viewport::default(), unfolded: false, mode: Mode::Reading }
    }

    /// Takes the next event of the thread.
    pub(crate) fn apply(&mut self, event: &Event, now: Now) {
        self.model.apply(event, now);
    }

    /// Shows stored turns, oldest first, after what is there.
    pub(crate) fn replay(&mut self, turns: &[Turn]) {
        self.model.replay(turns);
    }

    /// Shows stored turns before everything that is there; the view does not move.
    pub(crate) fn replay_before(&mut self, turns: &[Turn]) {
        self.model.replay_before(turns);
    }

    /// Adds a line of the program itself; it is to be kept with the thread.
    pub(crate) fn notice(&mut self, level: Level, message: &str) {
        self.model.notice(Notice::new(level, message));
    }

    /// Adds a notice with hint or detail; it is to be kept with the thread.
    pub(crate) fn push_notice(&mut self, notice: Notice) {
        self.model.notice(notice);
    }

    /// Adds a line of the program itself that belongs to this start of it, not to the thread.
    pub(crate) fn remark(&mut self, notice: Notice) {
        self.model.remark(notice);
    }

    /// Adds a block; it is to be kept with the thread.
    pub(crate) fn push(&mut self, block: Block) -> Key {
        self.model.push(block)
    }

    /// Gives a block newer rows.
    pub(crate) fn replace(&mut self, key: Key, rows: Vec<(String, String)>) {
        self.model.replace(key, rows);
    }

    /// The notes since the last time, to be kept with the thread.
    pub(crate) fn take_notes(&mut self) -> Vec<Note> {
        self.model.take_notes()
    }

    /// Drops a prompt and everything after it: the thread was rewound.
    pub(crate) fn rewind_to(&mut self, prompt: Key) {
        self.leave_modes();
        self.model.cut_from(prompt);
        self.view.set_anchor(super::viewport::Anchor::End);
    }

    /// Empties the screen but for the header.
    pub(crate) fn clear(&mut self) {
        self.leave_modes();
        self.model.clear();
        self.view.set_anchor(super::viewport::Anchor::End);
    }

    /// The working directory changed.
    pub(crate) fn set_cwd(&mut self, cwd: std::path::PathBuf, directory: String) {
        self.model.set_cwd(cwd, directory);
    }

    /// What the model is thinking about, while it does: for the status row.
    pub(crate) fn headline(&self) -> Option<String> {
        self.model.headline()
    }

    /// Whether something in it changes by itself, so that a clock is needed.
    pub(crate) fn has_live(&self) -> bool {
        self.model.has_live()
    }

    /// The cells and what was set up, for copying and export.
    pub(super) fn model(&self) -> &Model {
        &self.model
    }

    /// All cells, oldest first: for the scrollback and linear modes.
    pub(crate) fn cells(&self) -> impl DoubleEndedIterator<Item = (Key, &dyn Cell)> {
        self.model.cells.iter().map(|slot| (slot.key, slot.body.cell()))
    }

    /// Whether details of every cell are shown.
    pub(crate) fn is_unfolded(&self) -> bool {
        self.unfolded
    }

    /// Folds or unfolds every cell; what is on the screen stays there.
    pub(crate) fn toggle_fold(&mut self) {
        let pin = self.sheet(|view, sheet| view.first_start(sheet)).filter(|_| !self.view.is_at_end());
        self.unfolded = !self.unfolded;
        self.model.cells.unflip_all();
        self.pin(pin);
    }

    /// Folds or unfolds one cell.
    pub(crate) fn flip(&mut self, key: Key) {
        let at = self.start_of(key);
        let row = self.sheet(|view, sheet| view.row_of(sheet, at));
        if let Some(slot) = self.model.cells.get_mut(key) {
            slot.flipped = !slot.flipped;
        }
        self.pin(row.map(|row| (key, row)));
    }

    /// Puts the start of a cell into a row of the screen.
    fn pin(&mut self, pin: Option<(Key, usize)>) {
        if let Some((key, row)) = pin {
            let at = self.start_of(key);
            self.sheet(|view, sheet| view.reveal(sheet, at, row));
        }
    }

    fn start_of(&self, key: Key) -> Place {
        Place { key, part: 0, line: 0 }
    }

    fn sheet<T>(&self, with: impl FnOnce(&Viewport, &Sheet<'_>) -> T) -> T {
        self.view.sheet(&self.model.cells, self.unfolded, |sheet| with(&self.view, sheet))
    }

    /// How many pieces were laid out so far.
    #[cfg(test)]
    pub(super) fn laid_out(&self) -> usize {
        self.sheet(|_, sheet| sheet.cache.borrow().laid_out)
    }

    /// Moves the view.
    pub(crate) fn scroll(&mut self, scroll: Scroll) {
        self.sheet(|view, sheet| view.scroll(sheet, scroll));
    }

    /// Whether the newest row is on the screen and stays there.
    pub(crate) fn is_at_end(&self) -> bool {
        self.view.is_at_end()
    }

    /// Whether the first row is on the screen: time to load an earlier page.
    pub(crate) fn is_at_start(&self) -> bool {
        self.sheet(|view, sheet| sheet.width > 0 && view.shows_start(sheet))
    }

    /// Brings a cell near the top of the screen: for browsing prompts.
    pub(crate) fn reveal(&mut self, key: Key) {
        let at = self.start_of(key);
        self.sheet(|view, sheet| view.reveal(sheet, at, 1));
    }

    /// Opens find.
    pub(crate) fn open_find(&mut self) {
        if !matches!(self.mode, Mode::Finding(_)) {
            self.mode = Mode::Finding(Finder::new(self.view.anchor()));
        }
    }

    /// Gives the focus to the newest activity on the screen, or takes it away.
    pub(crate) fn toggle_focus(&mut self) {
        if let Mode::Focused(_) = self.mode {
            self.mode = Mode::Reading;
            return;
        }
        let before = self.sheet(|view, sheet| view.bottom(sheet)).map(|place| place.key);
        let activity = |slot: &&super::list::Slot| slot.body.is_activity();
        let on_screen = |slot: &&super::list::Slot| before.is_none_or(|key| slot.key <= key);
        let cells = &self.model.cells;
        let found =
            cells.iter().rev().filter(activity).find(on_screen).or_else(|| cells.iter().rev().find(activity));
        if let Some(key) = found.map(|slot| slot.key) {
            self.focus(key);
        }
    }

    fn focus(&mut self, key: Key) {
        self.mode = Mode::Focused(key);
        let at = self.start_of(key);
        self.sheet(|view, sheet| {
            if view.row_of(sheet, at).is_none_or(|row| row == 0) {
                view.reveal(sheet, at, view.height() / 3);
            }
        });
    }

    /// Whether keys go to find or to the focused cell first.
    pub(crate) fn takes_keys(&self) -> bool {
        !matches!(self.mode, Mode::Reading)
    }

    fn leave_modes(&mut self) {
        self.mode = Mode::Reading;
    }

    /// Takes a key while find is open or a cell has the focus.
    pub(crate) fn on_key(&mut self, key: Press) -> Outcome {
        match &mut self.mode {
            Mode::Reading => Outcome::Ignored,
            Mode::Finding(finder) => {
                match finder.on_key(key, &mut self.model.cells, &self.view, self.unfolded) {
                    Found::Stay => {}
                    Found::Accept | Found::Cancel => self.mode = Mode::Reading,
                }
                Outcome::Taken
            }
            Mode::Focused(focus) => {
                let focus = *focus;
                self.on_focus_key(key, focus)
            }
        }
    }

    fn on_focus_key(&mut self, key: Press, focus: Key) -> Outcome {
        let is_activity = |slot: &&super::list::Slot| slot.body.is_activity();
        let cells = &self.model.cells;
        match key.code {
            Code::Up | Code::Char('k') => {
                let next = cells.iter().rev().skip_while(|slot| slot.key >= focus).find(is_activity);
                if let Some(key) = next.map(|slot| slot.key) {
                    self.focus(key);
                }
            }
            Code::Down | Code::Char('j') => {
                let from = cells.index(focus) + 1;
                let next = (from..cells.len()).filter_map(|index| cells.at(index)).find(is_activity);
                if let Some(key) = next.map(|slot| slot.key) {
                    self.focus(key);
                }
            }
            Code::Enter | Code::Char(' ') => self.flip(focus),
            Code::Esc | Code::F(4) => self.mode = Mode::Reading,
            // Whoever types is done with looking: the rest of the word must reach the prompt whole.
            Code::Char(_) if !key.ctrl && !key.alt => {
                self.leave_modes();
                return Outcome::Ignored;
            }
            Code::Char(_)
            | Code::Tab
            | Code::BackTab
            | Code::Backspace
            | Code::Delete
            | Code::Left
            | Code::Right
            | Code::Home
            | Code::End
            | Code::PageUp
            | Code::PageDown
            | Code::F(_) => return Outcome::Ignored,
        }
        Outcome::Taken
    }

    /// The line to type in while find is open: it takes the place of the hint line.
    pub(crate) fn find_line(&self, width: u16, theme: &Theme) -> Option<Line<'static>> {
        match &self.mode {
            Mode::Finding(finder) => Some(finder.line(width, &Look { theme, unfolded: false, now_ms: 0 })),
            Mode::Reading | Mode::Focused(_) => None,
        }
    }

    /// Rows it would fill, at most `max`: the status row stands right below.
    pub(crate) fn rows_wanted(&self, width: u16, max: u16, theme: &Theme, now_ms: u64) -> u16 {
        self.view.measure(
            &self.model.cells,
            self.unfolded,
            width,
            max,
            &Look { theme, unfolded: false, now_ms },
        )
    }

    /// Tells size and time without drawing, so that scrolling can begin.
    pub(crate) fn prepare(&self, size: (u16, u16), theme: &Theme, now_ms: u64) {
        let look = Look { theme, unfolded: self.unfolded, now_ms };
        self.view.prepare(&self.model.cells, self.unfolded, Rect::new(0, 0, size.0, size.1), &look);
    }

    /// Whether something else is seen than the end of it, folded.
    pub(crate) fn is_looked_through(&self) -> bool {
        self.unfolded || self.takes_keys() || !self.is_at_end()
    }

    /// Draws it.
    pub(crate) fn view(&self, area: Rect, buf: &mut Buffer, theme: &Theme, now_ms: u64) {
        let marks = match &self.mode {
            Mode::Reading => Marks::default(),
            Mode::Finding(finder) => Marks { needle: Some(finder.needle()), hit: finder.hit(), focus: None },
            Mode::Focused(key) => Marks { focus: Some(*key), ..Marks::default() },
        };
        let look = Look { theme, unfolded: self.unfolded, now_ms };
        self.view.view(&self.model.cells, self.unfolded, marks, area, buf, &look);
    }

    /// All prompts, oldest first.
    pub(crate) fn prompts(&self) -> impl DoubleEndedIterator<Item = Prompt<'_>> {
        self.model.cells.prompts().map(|(key, user)| Prompt { key, text: user.typed(), turn: user.turn })
    }
}

/// Something the user said, as a place to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prompt<'a> {
    /// Its cell.
    pub(crate) key: Key,
    /// Text as typed.
    pub(crate) text: &'a str,
    /// The turn it began or was added to, as far as known.
    pub(crate) turn: Option<TurnId>,
}

#[cfg(test)]
#[path = "pane_tests.rs"]
mod tests;
