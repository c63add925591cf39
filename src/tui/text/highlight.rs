//! Code in colours. Painting is done line by line and on demand, because it costs a thousand times what laying
//! out does: only what is on the screen should come here. Very long lines and very long texts stay plain.

use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use syntect::highlighting::{FontStyle, HighlightState, RangedHighlightIterator, Style as SyntaxStyle};
use syntect::parsing::{ParseState, ScopeStack, SyntaxReference};

use super::syntaxes::{self, Look};
use crate::tui::theme::{Colors, Theme};

/// Bytes of a text that [`lines`] paints; a longer one is plain.
const MAX_TEXT: usize = 64 * 1024;
/// Bytes of a line that is painted; a longer one is plain.
const MAX_LINE: usize = 1_000;

/// One line per line of `code`, in the colours of the language named as after a code fence. Plain when the language
/// is unknown. The code must be sanitised; tabs are left in place.
pub(crate) fn lines(code: &str, language: &str, theme: &Theme) -> Vec<Line<'static>> {
    let painter = if code.len() <= MAX_TEXT { Painter::new(language, theme) } else { None };
    paint_all(code, painter)
}

fn paint_all(code: &str, mut painter: Option<Painter>) -> Vec<Line<'static>> {
    let code = code.strip_suffix('\n').unwrap_or(code);
    let paint = |line: &str| {
        let runs = painter.as_mut().map_or_else(Vec::new, |painter| painter.line(line));
        Line::from(styled(line, &runs))
    };
    code.split('\n').map(paint).collect()
}

/// A stretch of bytes and its style. The runs of a line cover it from its start; what is left over is plain.
pub(crate) type Run = (usize, Style);

/// `line` cut into its runs.
pub(crate) fn styled(line: &str, runs: &[Run]) -> Vec<Span<'static>> {
    let mut spans = Vec::with_capacity(runs.len() + 1);
    let mut rest = line;
    for (length, style) in runs {
        let Some((head, tail)) = rest.split_at_checked(*length) else { break };
        spans.push(Span::styled(head.to_owned(), *style));
        rest = tail;
    }
    if !rest.is_empty() {
        spans.push(Span::raw(rest.to_owned()));
    }
    spans
}

/// Paints the lines of one text in order. A clone paints a line for a try, without going on.
#[derive(Clone)]
pub(crate) struct Painter {
    look: &'static Look,
    theme: Theme,
    parse: ParseState,
    state: HighlightState,
    /// Set when the grammar failed on a line; the rest is plain.
    broken: bool,
}

impl Painter {
    /// A painter for a language named as after a code fence; `None` for one that is not known, or when the
    /// terminal shows no colours.
    pub(crate) fn new(language: &str, theme: &Theme) -> Option<Self> {
        if theme.colors == Colors::None {
            return None;
        }
        Self::with(syntaxes::by_name(language)?, theme)
    }

    /// A painter for a file, by its name alone.
    pub(crate) fn for_path(path: &Path, theme: &Theme) -> Option<Self> {
        if theme.colors == Colors::None {
            return None;
        }
        Self::with(syntaxes::by_path(path)?, theme)
    }

    fn with(syntax: &'static SyntaxReference, theme: &Theme) -> Option<Self> {
        let look = syntaxes::look(theme)?;
        let state = HighlightState::new(&look.highlighter, ScopeStack::new());
        Some(Self { look, theme: theme.clone(), parse: ParseState::new(syntax), state, broken: false })
    }

    /// The runs of the next line, given without its line feed.
    pub(crate) fn line(&mut self, line: &str) -> Vec<Run> {
        if self.broken || line.len() > MAX_LINE {
            return Vec::new();
        }
        let mut ended = String::with_capacity(line.len() + 1);
        ended.push_str(line);
        ended.push('\n');
        let Ok(ops) = self.parse.parse_line(&ended, syntaxes::set()) else {
            self.broken = true;
            return Vec::new();
        };
        let mut runs: Vec<Run> = Vec::new();
        let highlighter = &self.look.highlighter;
        for (style, text, _) in RangedHighlightIterator::new(&mut self.state, &ops, &ended, highlighter) {
            let length = text.trim_end_matches('\n').len();
            let style = to_style(style, self.look, &self.theme);
            match runs.last_mut() {
                _ if length == 0 => {}
                Some((end, last)) if *last == style => *end += length,
                _ => runs.push((length, style)),
            }
        }
        runs
    }
}

/// The foreground of a syntax style; its background is the terminal's own business.
fn to_style(style: SyntaxStyle, look: &Look, theme: &Theme) -> Style {
    let color = style.foreground;
    let foreground = match color.a {
        // Themes made for terminals number the sixteen colours in `r` and say so with an alpha of 0, or ask for
        // the terminal's own foreground with an alpha of 1.
        0 => Some(Color::Indexed(color.r)),
        1 => None,
        _ if Some(color) == look.foreground => None,
        _ => Some(Color::Rgb(color.r, color.g, color.b)),
    };
    let mut out = Style { fg: foreground.and_then(|color| theme.readable(color)), ..Style::new() };
    for (font, modifier) in [
        (FontStyle::BOLD, Modifier::BOLD),
        (FontStyle::ITALIC, Modifier::ITALIC),
        (FontStyle::UNDERLINE, Modifier::UNDERLINED),
    ] {
        if style.font_style.contains(font) {
            out = out.add_modifier(modifier);
        }
    }
    out
}

#[cfg(test)]
#[path = "highlight_tests.rs"]
mod tests;
