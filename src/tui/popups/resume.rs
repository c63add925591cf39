//! `/resume`: a full page of stored threads. Rows come in batches while it is open; typing filters what has come.

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::field::Field;
use super::frame;
use super::list::{List, Picked, Row};
use super::wish::{Outcome, Wish};
use crate::base::ids::ThreadId;
use crate::base::path::with_tilde;
use crate::tui::door::{ThreadFilter, ThreadRow};
use crate::tui::keymap::Keymap;
use crate::tui::keys::{Code, Key};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Threads that are kept; older ones are found by name or id.
const MAX: usize = 50_000;
/// Cells of a thread's folder: what a list has for it in 80 columns.
const FOLDER: usize = 26;

/// The open picker.
#[derive(Clone, Debug)]
pub(crate) struct Picker {
    filter: ThreadFilter,
    /// The user's own folder, shown as `~`.
    home: Option<PathBuf>,
    /// Which of the filters the keys change.
    focus: usize,
    search: Field,
    all: Vec<ThreadRow>,
    /// Places in `all` that fit what is searched.
    fitting: Vec<usize>,
    list: List,
    done: bool,
    /// Unix milliseconds when rows came last; ages are told from there.
    now_ms: u64,
}

impl Picker {
    /// An empty picker; rows come later. `home` is shown as `~`.
    pub(crate) fn new(filter: ThreadFilter, home: Option<PathBuf>) -> Self {
        Self {
            filter,
            home,
            focus: 0,
            search: Field::default(),
            all: Vec::new(),
            fitting: Vec::new(),
            list: List::plain(Vec::new()),
            done: false,
            now_ms: 0,
        }
    }

    /// What is listed.
    pub(crate) fn filter(&self) -> ThreadFilter {
        self.filter
    }

    /// More rows, of the list `filter` asked for. `now_ms`: unix milliseconds.
    pub(crate) fn add(&mut self, filter: ThreadFilter, rows: Vec<ThreadRow>, now_ms: u64) {
        if filter != self.filter {
            return;
        }
        self.now_ms = now_ms;
        let from = self.all.len();
        self.all.extend(rows.into_iter().take(MAX - from));
        let wanted = self.search.text().to_lowercase();
        let more: Vec<usize> = (from..self.all.len()).filter(|at| self.fits(*at, &wanted)).collect();
        let rows: Vec<Row> = more.iter().filter_map(|at| Some(self.row(self.all.get(*at)?))).collect();
        self.list.extend(rows);
        self.fitting.extend(more);
    }

    /// There are no more rows.
    pub(crate) fn done(&mut self, filter: ThreadFilter) {
        self.done |= filter == self.filter;
    }

    fn fits(&self, at: usize, wanted: &str) -> bool {
        self.all.get(at).is_some_and(|row| {
            wanted.is_empty()
                || row.title.to_lowercase().contains(wanted)
                || row.branch.as_deref().is_some_and(|branch| branch.to_lowercase().contains(wanted))
                || row.id.to_string().starts_with(wanted)
        })
    }

    fn search_again(&mut self) {
        let wanted = self.search.text().to_lowercase();
        self.fitting = (0..self.all.len()).filter(|at| self.fits(*at, &wanted)).collect();
        let rows = self.fitting.iter().filter_map(|at| Some(self.row(self.all.get(*at)?))).collect();
        self.list = List::plain(rows);
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        match key.code {
            Code::Tab => self.focus = (self.focus + 1) % 3,
            Code::BackTab => self.focus = (self.focus + 2) % 3,
            Code::Left | Code::Right if self.search.is_empty() => return self.change_filter(),
            _ => return self.on_list_key(key, keymap),
        }
        Outcome::Stay
    }

    fn on_list_key(&mut self, key: Key, keymap: &Keymap) -> Outcome {
        match self.list.on_key(key, keymap) {
            Picked::Row(_) => self.chosen().map_or(Outcome::Stay, |id| Outcome::Wish(Wish::Resume(id))),
            Picked::Closed => Outcome::Close,
            Picked::Nothing if key == Key::ctrl('c') => Outcome::Close,
            Picked::Nothing => {
                if self.search.on_key(key) {
                    self.search_again();
                }
                Outcome::Stay
            }
            Picked::Moved | Picked::Refused(_) => Outcome::Stay,
        }
    }

    fn change_filter(&mut self) -> Outcome {
        let filter = &mut self.filter;
        match self.focus {
            0 => filter.everywhere = !filter.everywhere,
            1 => filter.archived = !filter.archived,
            _ => filter.by_creation = !filter.by_creation,
        }
        (self.all, self.fitting, self.list, self.done) =
            (Vec::new(), Vec::new(), List::plain(Vec::new()), false);
        Outcome::Keep(Wish::Threads(self.filter))
    }

    fn chosen(&self) -> Option<ThreadId> {
        self.all.get(*self.fitting.get(self.list.selected())?).map(|row| row.id)
    }

    /// Draws the page.
    pub(crate) fn view(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
        let width = area.width;
        let place = match (self.list.len(), self.done) {
            (0, _) => String::new(),
            (all, true) => format!("{} / {all}", self.list.selected() + 1),
            (all, false) => format!("{} / {all}…", self.list.selected() + 1),
        };
        let (shown, column) = self.search.view(usize::from(width.saturating_sub(12)), false);
        let mut lines = vec![
            frame::title("Resume a thread", &place, width, theme),
            text::truncate_line(self.filters(theme), usize::from(width)),
            Line::from(vec![Span::styled("  Search: ", theme.style(Role::Dim)), Span::raw(shown)]),
            Line::default(),
        ];
        let room = usize::from(area.height).saturating_sub(lines.len() + 2).max(1);
        match self.list.len() {
            0 => lines.push(frame::hint(self.nothing(), width, theme)),
            _ => lines.extend(self.list.lines(width, room, theme)),
        }
        for (y, line) in (area.y..area.bottom()).zip(&lines) {
            buf.set_line(area.x, y, line, width);
        }
        let hint = "enter resume · type to search · tab ← → filters · esc back";
        buf.set_line(area.x, area.bottom().saturating_sub(1), &frame::hint(hint, width, theme), width);
        (area.height > 2).then_some((area.x + 10 + column, area.y + 2))
    }

    /// How a thread stands in the list: with its folder when those of all folders are listed, else with its branch.
    fn row(&self, thread: &ThreadRow) -> Row {
        let age = age(self.now_ms.saturating_sub(thread.at_ms));
        let title = text::sanitize(&thread.title).replace('\n', " ");
        let title = if title.trim().is_empty() { "(no prompt)".to_owned() } else { title };
        let right = match &thread.cwd {
            Some(cwd) if self.filter.everywhere => {
                let folder = with_tilde(cwd, self.home.as_deref());
                text::truncate_middle(&text::sanitize(&folder), FOLDER).into_owned()
            }
            _ => text::sanitize(thread.branch.as_deref().unwrap_or_default()).into_owned(),
        };
        Row::new(format!("{age:>4}  {title}")).right(right)
    }

    fn nothing(&self) -> &'static str {
        match (self.done, self.search.is_empty(), self.filter.everywhere) {
            (false, ..) => "Looking…",
            (true, false, _) => "Nothing fits the search",
            (true, true, false) => "No threads in this folder yet; ← → shows those of all folders",
            (true, true, true) => "No threads yet",
        }
    }

    fn filters(&self, theme: &Theme) -> Line<'static> {
        let words = [
            ("Folder: ", if self.filter.everywhere { "all" } else { "this one" }),
            ("Status: ", if self.filter.archived { "archived" } else { "active" }),
            ("Sort: ", if self.filter.by_creation { "created" } else { "updated" }),
        ];
        let mut spans = vec![Span::raw("  ")];
        for (index, (label, value)) in words.into_iter().enumerate() {
            let focused = index == self.focus;
            let style = if focused { Role::Selected } else { Role::Text };
            spans.push(Span::styled(label, theme.style(Role::Dim)));
            spans.push(Span::styled(value, theme.style(style)));
            spans.push(Span::raw("   "));
        }
        Line::from(spans)
    }
}

/// Short: `now`, `5m`, `3h`, `2d`, `6w`, `1y`.
pub(crate) fn age(ms: u64) -> String {
    let minutes = ms / 60_000;
    match minutes {
        0 => "now".to_owned(),
        1..60 => format!("{minutes}m"),
        60..1440 => format!("{}h", minutes / 60),
        1440..20_160 => format!("{}d", minutes / 1440),
        20_160..524_160 => format!("{}w", minutes / 10_080),
        _ => format!("{}y", minutes / 524_160),
    }
}

#[cfg(test)]
#[path = "resume_tests.rs"]
mod tests;
