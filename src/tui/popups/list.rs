//! Rows to choose from: the one list all popups are made of. Knows how to move, skip what cannot be chosen, choose by
//! number, and stay inside its height. What a row means is its owner's business.

use ratatui::text::{Line, Span};

use crate::tui::keymap::{Action, Context, Keymap};
use crate::tui::keys::{Code, Key};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Rows a page key moves.
const PAGE: usize = 8;
/// Behind the label of what holds now.
const CURRENT: &str = " (current)";
/// Spaces between a label and what follows.
const GAP: usize = 2;

/// One row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// What is chosen.
    pub(crate) label: String,
    /// More about it, less important.
    pub(crate) detail: String,
    /// At the right edge: a key, a count, a time.
    pub(crate) right: String,
    /// It is what holds now.
    pub(crate) current: bool,
    /// Why it cannot be chosen.
    pub(crate) refused: Option<String>,
}

impl Row {
    /// A row with just a label.
    pub(crate) fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), ..Self::default() }
    }

    /// Adds the less important part.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// Adds what stands at the right edge.
    pub(crate) fn right(mut self, right: impl Into<String>) -> Self {
        self.right = right.into();
        self
    }

    /// Marks what holds now.
    pub(crate) fn current(mut self, current: bool) -> Self {
        self.current = current;
        self
    }
}

/// What a key did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Picked {
    /// Nothing: the key is not for lists.
    Nothing,
    /// The selection moved.
    Moved,
    /// This row was chosen.
    Row(usize),
    /// The row cannot be chosen; why.
    Refused(String),
    /// The list is left.
    Closed,
}

/// Rows and the selected one.
#[derive(Clone, Debug)]
pub(crate) struct List {
    rows: Vec<Row>,
    selected: usize,
    numbered: bool,
}

impl List {
    /// A list whose rows have numbers that choose them at once.
    pub(crate) fn numbered(rows: Vec<Row>) -> Self {
        let selected = rows.iter().position(|row| row.current).unwrap_or(0);
        Self { rows, selected, numbered: true }
    }

    /// A list beside a search box: letters and digits belong to the box.
    pub(crate) fn plain(rows: Vec<Row>) -> Self {
        Self { numbered: false, ..Self::numbered(rows) }
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The rows.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// Which row is selected.
    pub(crate) fn selected(&self) -> usize {
        self.selected
    }

    /// Selects a row; the last one when there are not so many.
    pub(crate) fn select(&mut self, index: usize) {
        self.selected = index.min(self.rows.len().saturating_sub(1));
    }

    /// Puts other rows in; the selection stays at its place.
    pub(crate) fn replace(&mut self, rows: Vec<Row>) {
        self.rows = rows;
        self.select(self.selected);
    }

    /// Adds rows at the end.
    pub(crate) fn extend(&mut self, rows: impl IntoIterator<Item = Row>) {
        self.rows.extend(rows);
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Picked {
        let last = self.rows.len().saturating_sub(1);
        let text = matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt;
        if text && !self.numbered {
            return Picked::Nothing;
        }
        if let (Code::Char(c), true) = (key.code, text)
            && let Some(number) = c.to_digit(10).and_then(|digit| usize::try_from(digit).ok())
        {
            return self.by_number(number);
        }
        let to = match keymap.action(Context::List, key) {
            Some(Action::ListUp) if self.selected == 0 => last,
            Some(Action::ListUp) => self.selected - 1,
            Some(Action::ListDown) if self.selected >= last => 0,
            Some(Action::ListDown) => self.selected + 1,
            Some(Action::ListPageUp) => self.selected.saturating_sub(PAGE),
            Some(Action::ListPageDown) => (self.selected + PAGE).min(last),
            Some(Action::ListFirst) => 0,
            Some(Action::ListLast) => last,
            Some(Action::ListAccept) => return self.choose(self.selected),
            Some(Action::ListCancel) => return Picked::Closed,
            _ => return Picked::Nothing,
        };
        self.selected = to;
        Picked::Moved
    }

    fn by_number(&mut self, number: usize) -> Picked {
        match number.checked_sub(1).filter(|index| *index < self.rows.len()) {
            Some(index) => {
                self.selected = index;
                self.choose(index)
            }
            None => Picked::Nothing,
        }
    }

    fn choose(&self, index: usize) -> Picked {
        match self.rows.get(index) {
            None => Picked::Nothing,
            Some(Row { refused: Some(why), .. }) => Picked::Refused(why.clone()),
            Some(_) => Picked::Row(index),
        }
    }

    /// At most `height` rows around the selected one.
    pub(crate) fn lines(&self, width: u16, height: usize, theme: &Theme) -> Vec<Line<'static>> {
        let height = height.max(1);
        let top = self.selected.saturating_sub(height / 2).min(self.rows.len().saturating_sub(height));
        let label_width = self.label_width(usize::from(width));
        let rows = self.rows.iter().enumerate().skip(top).take(height);
        rows.map(|(index, row)| self.line(index, row, usize::from(width), label_width, theme)).collect()
    }

    /// Width of the column of labels: that of the longest, unless that leaves no room for details.
    fn label_width(&self, width: usize) -> usize {
        // Nothing stands beside the labels of the longest lists; they are not measured for it.
        if self.rows.iter().all(|row| row.detail.is_empty() && row.refused.is_none()) {
            return 0;
        }
        let label = |row: &Row| text::width(&row.label) + if row.current { CURRENT.len() } else { 0 };
        let longest = self.rows.iter().map(label).max().unwrap_or(0);
        let detailed = self.rows.iter().any(|row| !row.detail.is_empty());
        if detailed { longest.min((width / 2).max(10)) } else { longest }
    }

    fn line(
        &self,
        index: usize,
        row: &Row,
        width: usize,
        label_width: usize,
        theme: &Theme,
    ) -> Line<'static> {
        let chosen = index == self.selected;
        let style = match (chosen, &row.refused) {
            (true, _) => theme.style(Role::Selected),
            (false, Some(_)) => theme.style(Role::Dim),
            (false, None) => theme.style(Role::Text),
        };
        let dim = theme.style(Role::Dim);
        let mark = if chosen { "› " } else { "  " };
        let number = if self.numbered {
            format!("{:>width$}. ", index + 1, width = digits(self.rows.len()))
        } else {
            String::new()
        };
        let head = 2 + text::width(&number);
        let right = text::truncate_end(&row.right, width / 3).into_owned();
        let right_room = if right.is_empty() { 0 } else { text::width(&right) + GAP };
        let room = width.saturating_sub(head + right_room);
        let current = if row.current { CURRENT } else { "" };
        let label = text::truncate_end(&format!("{}{current}", row.label), room).into_owned();
        let mut used = head + text::width(&label);
        let mut spans = vec![
            Span::styled(mark, if chosen { theme.style(Role::Accent) } else { dim }),
            Span::styled(number, style),
            Span::styled(label, style),
        ];
        let detail = row.refused.as_deref().unwrap_or(&row.detail);
        let column = (head + label_width + GAP).max(used + GAP);
        let free = width.saturating_sub(right_room + column);
        if !detail.is_empty() && free > 8 {
            let detail = text::truncate_end(detail, free).into_owned();
            spans.push(Span::raw(" ".repeat(column - used)));
            used = column + text::width(&detail);
            spans.push(Span::styled(detail, dim));
        }
        if !right.is_empty() {
            spans.push(Span::raw(" ".repeat(width.saturating_sub(used + text::width(&right)))));
            spans.push(Span::styled(right, dim));
        }
        Line::from(spans)
    }
}

fn digits(number: usize) -> usize {
    if number > 9 { 2 } else { 1 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::testing::{assert_screen, paper};

    fn list() -> List {
        let mut rows = vec![
            Row::new("First")
                .detail("does something that takes quite some words to tell, more than there is room for"),
            Row::new("The second row").detail("short").current(true),
            Row::new("Third").right("ctrl-x"),
        ];
        rows.push(Row { refused: Some("not while a turn runs".to_owned()), ..Row::new("Fourth") });
        List::numbered(rows)
    }

    fn key(code: Code) -> Key {
        Key::plain(code)
    }

    #[test]
    fn keys_move_and_choose() {
        let map = Keymap::default();
        for (keys, picked, selected) in [
            (&[key(Code::Down)][..], Picked::Moved, 2),
            (&[key(Code::Char('k')), key(Code::Up)], Picked::Moved, 3),
            (&[key(Code::Home), key(Code::Enter)], Picked::Row(0), 0),
            (&[key(Code::Char('3'))], Picked::Row(2), 2),
            (&[key(Code::Char('9'))], Picked::Nothing, 1),
            (&[key(Code::End), key(Code::Enter)], Picked::Refused("not while a turn runs".to_owned()), 3),
            (&[key(Code::End), key(Code::Down)], Picked::Moved, 0),
            (&[key(Code::Esc)], Picked::Closed, 1),
            (&[key(Code::Char('z'))], Picked::Nothing, 1),
        ] {
            let mut list = list();
            let last = keys.iter().map(|key| list.on_key(*key, &map)).last().unwrap();
            assert_eq!((last, list.selected()), (picked, selected), "{keys:?}");
        }
    }

    #[test]
    fn beside_a_search_box_letters_are_text() {
        let mut list = List::plain(list().rows);
        assert_eq!(list.on_key(key(Code::Char('j')), &Keymap::default()), Picked::Nothing);
        assert_eq!(list.on_key(Key::ctrl('n'), &Keymap::default()), Picked::Moved);
    }

    #[test]
    fn an_empty_list_does_nothing() {
        let mut list = List::numbered(Vec::new());
        for code in [Code::Down, Code::Up, Code::Enter, Code::End, Code::PageDown] {
            assert!(!matches!(list.on_key(key(code), &Keymap::default()), Picked::Row(_)));
        }
        assert!(list.lines(40, 5, &Theme::default()).is_empty());
    }

    #[test]
    fn views() {
        for width in [30, 60, 80] {
            assert_screen!(
                format!("rows_{width}"),
                paper(width, &list().lines(width, 10, &Theme::default()))
            );
        }
        let many = (0..40).map(|n| Row::new(format!("row {n}"))).collect();
        let mut list = List::numbered(many);
        list.select(20);
        assert_screen!("around_the_selected", paper(30, &list.lines(30, 7, &Theme::default())));
    }
}
