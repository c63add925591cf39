//! Unified diffs on the screen: line numbers, signs, syntax colours, bands behind what changed where the terminal
//! has them. Signs and numbers alone must tell the story. Each side of a hunk is painted by itself, because what was
//! removed and what was added are two texts.

use std::borrow::Cow;
use std::path::Path;

use ratatui::style::{Color, Style};
use ratatui::text::{Line, Span};

use super::hunks::{Entry, Reader, Side};
use super::{hard_wrap, highlight, line_width, reveal, sanitize, wrap};
use crate::tui::palette;
use crate::tui::theme::{Colors, Role, Theme};

/// Lines of one diff that are painted; the rest is plain.
const MAX_PAINTED: usize = 2_000;
/// Cells that code must have beside its line number.
const MIN_CODE: usize = 12;

/// The rows of the diff of one file, at most `limit` changed lines of it. Names of files in it are left out: they
/// stand in the heading above.
pub(crate) fn lines(
    unified: &str,
    path: &Path,
    width: u16,
    limit: Option<usize>,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(unified, width, theme);
    sheet.begin(path);
    let mut left = limit.unwrap_or(usize::MAX);
    for entry in Reader::new(unified) {
        let changed = matches!(entry, Entry::Line { side: Side::Old | Side::New, .. });
        if changed && left == 0 {
            break;
        }
        left -= usize::from(changed);
        if !matches!(entry, Entry::File(_)) {
            sheet.add(entry);
        }
    }
    sheet.out
}

/// The rows of a diff of several files, as git prints it: each under its name.
pub(crate) fn git_lines(unified: &str, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let mut sheet = Sheet::new(unified, width, theme);
    for entry in Reader::new(unified) {
        sheet.add(entry);
    }
    sheet.out
}

/// The rows so far, and what is needed for the next.
struct Sheet<'a> {
    theme: &'a Theme,
    width: u16,
    /// Digits of the highest line number.
    digits: usize,
    syntax: Option<highlight::Painter>,
    old: Option<highlight::Painter>,
    new: Option<highlight::Painter>,
    painted: usize,
    out: Vec<Line<'static>>,
}

impl<'a> Sheet<'a> {
    fn new(unified: &str, width: u16, theme: &'a Theme) -> Self {
        let digits = Reader::new(unified).fold(1, |most, entry| match entry {
            Entry::Line { number, .. } => number.max(most),
            _ => most,
        });
        let digits = digits.to_string().len().max(2);
        Self { theme, width, digits, syntax: None, old: None, new: None, painted: 0, out: Vec::new() }
    }

    /// The lines that follow are of this file. Without bands the colours of the signs are all there is to see, and
    /// code stays plain.
    fn begin(&mut self, path: &Path) {
        let banded = self.theme.colors >= Colors::Ansi256;
        self.syntax = if banded { highlight::Painter::for_path(path, self.theme) } else { None };
        self.restart();
    }

    fn restart(&mut self) {
        (self.old, self.new) = (self.syntax.clone(), self.syntax.clone());
    }

    fn add(&mut self, entry: Entry<'_>) {
        match entry {
            Entry::File(path) => {
                if !self.out.is_empty() {
                    self.out.push(Line::default());
                }
                let name = one_line(path);
                let heading = Line::styled(name.into_owned(), self.theme.style(Role::Strong));
                self.out.extend(wrap(&heading, self.width, &Line::default(), &Line::default()));
                self.begin(Path::new(path));
            }
            Entry::Gap => {
                let dim = self.theme.style(Role::Dim);
                let gap = Line::styled(format!("{:>digits$}", "⋮", digits = self.digits), dim);
                self.out.extend(wrap(&gap, self.width, &Line::default(), &Line::default()));
                self.restart();
            }
            Entry::Start => self.restart(),
            Entry::Note(text) => {
                let note = Line::styled(one_line(text).into_owned(), self.theme.style(Role::Dim));
                self.out.extend(wrap(&note, self.width, &self.indent(), &self.indent()));
            }
            Entry::Line { side, number, text } => self.line(side, number, &one_line(text)),
        }
    }

    fn line(&mut self, side: Side, number: usize, text: &str) {
        let (sign, color, band) = match side {
            Side::Old => ("- ", self.theme.style(Role::Removed), self.theme.style(Role::RemovedBand)),
            Side::New => ("+ ", self.theme.style(Role::Added), self.theme.style(Role::AddedBand)),
            Side::Both => ("  ", Style::new(), Style::new()),
        };
        let runs = self.paint(side, text);
        let mut code = Line::from(highlight::styled(text, &runs));
        if band.bg.is_none() {
            code = Line::from(Span::styled(text.to_owned(), color));
        }
        let dim = self.theme.style(Role::Dim);
        let number = Span::styled(format!("{number:>digits$} ", digits = self.digits), dim);
        let (first, rest) = match self.has_numbers() {
            true => (Line::from(vec![number, Span::styled(sign, color)]), self.indent()),
            false => (Line::from(Span::styled(sign, color)), Line::raw("  ")),
        };
        for mut row in hard_wrap(&code, self.width, &first, &rest) {
            if let Some(ground) = band.bg {
                let free = usize::from(self.width).saturating_sub(line_width(&row));
                row.spans.push(Span::raw(" ".repeat(free)));
                for span in row.spans.iter_mut().skip(usize::from(self.has_numbers())) {
                    span.style = on_band(span.style, ground);
                }
            }
            self.out.push(row);
        }
    }

    fn paint(&mut self, side: Side, text: &str) -> Vec<highlight::Run> {
        self.painted += 1;
        if self.painted > MAX_PAINTED {
            return Vec::new();
        }
        let old = match side {
            Side::Old | Side::Both => self.old.as_mut().map(|painter| painter.line(text)),
            Side::New => None,
        };
        let new = match side {
            Side::New | Side::Both => self.new.as_mut().map(|painter| painter.line(text)),
            Side::Old => None,
        };
        new.or(old).unwrap_or_default()
    }

    fn has_numbers(&self) -> bool {
        usize::from(self.width) >= self.digits + 3 + MIN_CODE
    }

    fn indent(&self) -> Line<'static> {
        if self.has_numbers() { Line::raw(" ".repeat(self.digits + 3)) } else { Line::raw("  ") }
    }
}

/// `style` on a band; a colour that could not be read there gives way to the terminal's own.
fn on_band(style: Style, ground: Color) -> Style {
    let fg = style.fg.filter(|color| palette::can_be_read(*color, ground));
    Style { fg, bg: Some(ground), ..style }
}

/// A line with nothing in it that could hide the rest; only the end of a line as Windows has it is left out.
fn one_line(text: &str) -> Cow<'_, str> {
    match reveal(text.strip_suffix('\r').unwrap_or(text)) {
        Cow::Borrowed(text) => sanitize(text),
        Cow::Owned(text) => Cow::Owned(sanitize(&text).into_owned()),
    }
}

#[cfg(test)]
#[path = "diff_tests.rs"]
mod tests;
