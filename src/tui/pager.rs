//! A full page to read: a diff, a long command, the keys. Scrolls, finds, closes. Rows are laid out once per width and theme.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::keymap::{self, Action, Context, HelpRow, Keymap};
use super::keys::{Code, Key};
use super::popups::field::Field;
use super::text;
use super::theme::{Role, Theme};

/// Cells for the keys on the page of keys.
const KEYS: usize = 20;

/// Width from which the page of keys has two columns: most helps fit on one row each.
const TWO_COLUMNS: u16 = 120;

/// Between the keys of one action.
const BETWEEN_KEYS: &str = " / ";

/// What a page holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Content {
    /// Code in this language, kept as it is.
    Code(String, &'static str),
    /// A diff of several files as git prints it.
    Diff(String),
    /// Diffs file by file.
    Files(Vec<(String, PathBuf, String)>),
    /// Keys.
    Help(Vec<HelpRow>),
}

/// A page and the place in it.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    title: String,
    content: Content,
    top: usize,
    find: Option<Field>,
    needle: String,
    laid: RefCell<Option<(Look, Rc<Vec<Line<'static>>>)>>,
    height: std::cell::Cell<usize>,
}

impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        (&self.title, &self.content) == (&other.title, &other.content)
    }
}

/// What rows are laid out for.
type Look = (u16, Theme);

/// What a key did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Turned {
    /// The page is still there.
    Stay,
    /// It closes.
    Close,
}

impl Page {
    /// A page at its start.
    pub(crate) fn new(title: impl Into<String>, content: Content) -> Self {
        Self {
            title: title.into(),
            content,
            top: 0,
            find: None,
            needle: String::new(),
            laid: RefCell::default(),
            height: std::cell::Cell::new(1),
        }
    }

    /// Takes a key.
    pub(crate) fn on_key(&mut self, key: Key, keymap: &Keymap) -> Turned {
        if self.find.is_some() {
            self.on_find_key(key);
            return Turned::Stay;
        }
        let page = self.height.get().saturating_sub(1).max(1);
        let down = |page: &mut Self, by: usize| page.top = page.top.saturating_add(by);
        match keymap.action(Context::Pager, key) {
            Some(Action::PagerUp) => self.top = self.top.saturating_sub(1),
            Some(Action::PagerDown) => down(self, 1),
            Some(Action::PagerPageUp) => self.top = self.top.saturating_sub(page),
            Some(Action::PagerPageDown) => down(self, page),
            Some(Action::PagerHalfUp) => self.top = self.top.saturating_sub(page / 2),
            Some(Action::PagerHalfDown) => down(self, page / 2),
            Some(Action::PagerTop) => self.top = 0,
            Some(Action::PagerBottom) => self.top = usize::MAX,
            Some(Action::PagerFind) => self.find = Some(Field::default()),
            Some(Action::PagerClose) => return Turned::Close,
            _ if key == Key::plain(Code::Char('n')) => self.seek(true),
            _ if key == Key::plain(Code::Char('N')) => self.seek(false),
            _ => {}
        }
        self.keep_inside();
        Turned::Stay
    }

    fn on_find_key(&mut self, key: Key) {
        let Some(field) = &mut self.find else { return };
        match key.code {
            Code::Esc => self.find = None,
            Code::Enter => {
                self.needle = field.text().to_lowercase();
                self.find = None;
                self.seek(true);
                self.keep_inside();
            }
            _ if key == Key::ctrl('c') => self.find = None,
            _ => drop(field.on_key(key)),
        }
    }

    /// Goes to the next or the one before row that holds what is looked for.
    fn seek(&mut self, on: bool) {
        let Some((_, lines)) = self.laid.borrow().clone() else { return };
        if self.needle.is_empty() {
            return;
        }
        let has = |index: &usize| {
            lines.get(*index).is_some_and(|line| line.to_string().to_lowercase().contains(&self.needle))
        };
        let found = if on {
            (self.top + 1..lines.len()).chain(0..self.top + 1).find(has)
        } else {
            (0..self.top).rev().chain((self.top..lines.len()).rev()).find(has)
        };
        self.top = found.unwrap_or(self.top);
    }

    fn keep_inside(&mut self) {
        let Some(rows) = self.laid.borrow().as_ref().map(|(_, lines)| lines.len()) else { return };
        self.top = self.top.min(rows.saturating_sub(self.height.get()));
    }

    fn lines(&self, width: u16, theme: &Theme) -> Rc<Vec<Line<'static>>> {
        if let Some((laid, lines)) = &*self.laid.borrow()
            && laid.0 == width
            && laid.1 == *theme
        {
            return Rc::clone(lines);
        }
        let lines = Rc::new(lay_out(&self.content, width, theme));
        *self.laid.borrow_mut() = Some(((width, theme.clone()), Rc::clone(&lines)));
        lines
    }

    /// Draws it.
    pub(crate) fn view(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
        let height = area.height.saturating_sub(3);
        self.height.set(usize::from(height).max(1));
        let lines = self.lines(area.width, theme);
        let top = self.top.min(lines.len().saturating_sub(usize::from(height)));
        let last = (top + usize::from(height)).min(lines.len());
        let place = if lines.len() <= usize::from(height) {
            String::new()
        } else {
            format!("{}–{last} of {}", top + 1, lines.len())
        };
        let heading = super::popups::frame::title(&self.title, &place, area.width, theme);
        buf.set_line(area.x, area.y, &heading, area.width);
        for (y, line) in (area.y + 2..).zip(lines.iter().skip(top).take(usize::from(height))) {
            buf.set_line(area.x, y, line, area.width);
            if !self.needle.is_empty() && line.to_string().to_lowercase().contains(&self.needle) {
                buf.set_style(Rect::new(area.x, y, area.width, 1), Modifier::REVERSED);
            }
        }
        self.foot(Rect { y: area.bottom().saturating_sub(1), height: 1, ..area }, buf, theme)
    }

    fn foot(&self, area: Rect, buf: &mut Buffer, theme: &Theme) -> Option<(u16, u16)> {
        let Some(field) = &self.find else {
            let hint = "space page · ↑ ↓ row · / find · n next · q close";
            let hint = super::popups::frame::hint(hint, area.width, theme);
            buf.set_line(area.x, area.y, &hint, area.width);
            return None;
        };
        let (shown, column) = field.view(usize::from(area.width).saturating_sub(8), false);
        let line = Line::from(vec![Span::styled("  Find: ", theme.style(Role::Accent)), Span::raw(shown)]);
        buf.set_line(area.x, area.y, &line, area.width);
        Some((area.x + 8 + column, area.y))
    }
}

fn lay_out(content: &Content, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    match content {
        Content::Code(code, language) => {
            let indent = Line::raw("  ");
            let shown = text::reveal(code);
            let clean = text::sanitize(&shown);
            let lines = text::highlight::lines(&clean, language, theme);
            lines.iter().flat_map(|line| text::hard_wrap(line, width, &indent, &indent)).collect()
        }
        Content::Diff(diff) if diff.trim().is_empty() => {
            super::popups::frame::prose("Nothing has changed.", Role::Dim, width, theme)
        }
        Content::Diff(diff) => {
            text::diff::git_lines(diff, width.saturating_sub(2), theme).into_iter().map(indent).collect()
        }
        Content::Files(files) => {
            let mut lines = Vec::new();
            for (heading, path, diff) in files {
                lines.push(super::popups::frame::title(&text::reveal_line(heading), "", width, theme));
                let diff = text::diff::lines(diff, path, width.saturating_sub(2), None, theme);
                lines.extend(diff.into_iter().map(indent));
                lines.push(Line::default());
            }
            lines
        }
        Content::Help(rows) => help(rows, width, theme),
    }
}

fn indent(mut line: Line<'static>) -> Line<'static> {
    line.spans.insert(0, Span::raw("  "));
    line
}

/// Keys under their headings; in two columns where there is room. Nothing is cut: what is too long goes on below.
fn help(rows: &[HelpRow], width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let columns = if width >= TWO_COLUMNS { 2 } else { 1 };
    let room = width / columns;
    let keys_width = rows.iter().map(|row| text::width(&row.keys)).max().unwrap_or(0).min(KEYS);
    let mut lines: Vec<Line<'static>> = Vec::new();
    let mut section = "";
    for row in rows {
        if row.section != section {
            if !section.is_empty() {
                lines.push(Line::default());
            }
            section = row.section;
            lines.push(Line::styled(format!("  {section}"), theme.style(Role::Strong)));
        }
        let indent = Line::raw(" ".repeat(keys_width + 6));
        let help = text::wrap(&Line::raw(row.help), room.saturating_sub(2), &indent, &indent);
        let mut help = help.into_iter().map(|line| line.spans.into_iter().skip(1).collect::<Vec<_>>());
        let mut keys = keys_in_rows(&row.keys, keys_width).into_iter();
        loop {
            let (keys, help) = (keys.next(), help.next());
            if keys.is_none() && help.is_none() {
                break;
            }
            let keys = keys.unwrap_or_default();
            let gap = " ".repeat(keys_width.saturating_sub(text::width(&keys)) + 2);
            let mut spans =
                vec![Span::raw("    "), Span::styled(keys, theme.style(Role::Code)), Span::raw(gap)];
            spans.extend(help.unwrap_or_default());
            lines.push(Line::from(spans));
        }
    }
    let mut lines = if columns == 1 { lines } else { beside(lines, usize::from(room)) };
    lines.extend(names(width, theme));
    lines
}

/// What the actions are called in the configuration.
fn names(width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let heading = Line::styled("  Names for [tui.keymap] in config.toml", theme.style(Role::Strong));
    let mut lines = vec![Line::default(), heading];
    for context in Context::ALL {
        let all = keymap::names(context).collect::<Vec<_>>().join(" ");
        let row = Line::from(vec![
            Span::styled(format!("{}: ", context.name()), theme.style(Role::Code)),
            Span::raw(all),
        ]);
        lines.extend(text::wrap(&row, width.saturating_sub(2), &Line::raw("    "), &Line::raw("      ")));
    }
    lines
}

/// The keys of one action in rows of at most `width` cells, as far as each key by itself fits.
fn keys_in_rows(keys: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for key in keys.split(BETWEEN_KEYS) {
        match rows.last_mut() {
            Some(row) if text::width(row) + BETWEEN_KEYS.len() + text::width(key) <= width => {
                row.push_str(BETWEEN_KEYS);
                row.push_str(key);
            }
            _ => rows.push(text::truncate_end(key, width).into_owned()),
        }
    }
    rows
}

/// The sections of the second half beside those of the first.
fn beside(mut lines: Vec<Line<'static>>, room: usize) -> Vec<Line<'static>> {
    let half = lines.len() / 2;
    let blank = lines.iter().skip(half).position(|line| line.spans.is_empty());
    let right = lines.split_off(blank.map_or(lines.len(), |at| half + at));
    let mut right = right.into_iter().skip(1);
    for line in &mut lines {
        let style = line.style;
        let gap = room.saturating_sub(text::line_width(line));
        for span in &mut line.spans {
            span.style = style.patch(span.style);
        }
        line.style = ratatui::style::Style::new();
        if let Some(other) = right.next() {
            line.spans.push(Span::raw(" ".repeat(gap)));
            let style = other.style;
            line.spans
                .extend(other.spans.into_iter().map(|span| Span { style: style.patch(span.style), ..span }));
        }
    }
    lines
}

#[cfg(test)]
#[path = "pager_tests.rs"]
mod tests;
