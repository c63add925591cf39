//! What the user said: on a band, so that one finds one's own words while scrolling. Without colours the marker and
//! bold type do that.

use std::borrow::Cow;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::output::cuts;
use crate::base::ids::TurnId;
use crate::protocol::input::UserInput;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look, all_parts};
use crate::tui::transcript::rows::{inner, marked, one_row, prose};

/// Bytes of a piece: a pasted book is laid out only where one looks.
const PIECE: usize = 16 * 1024;

/// A prompt.
#[derive(Debug)]
pub(crate) struct User {
    text: Box<str>,
    /// Names of images, in order.
    images: Box<[Box<str>]>,
    /// The turn it began or was added to, as far as known.
    pub(crate) turn: Option<TurnId>,
    /// Where pieces of the text end, the last one left out.
    cuts: Box<[usize]>,
}

impl User {
    /// From the parts of the input.
    pub(crate) fn new(content: &[UserInput]) -> Self {
        let mut texts = Vec::new();
        let mut images: Vec<Box<str>> = Vec::new();
        for part in content {
            match part {
                UserInput::Text { text } => texts.push(text.as_str()),
                UserInput::Image { url } if url.starts_with("data:") => images.push("pasted image".into()),
                UserInput::Image { url } => images.push(one_row(url, 200).into()),
                UserInput::LocalImage { path } => images.push(path.display().to_string().into()),
            }
        }
        let text: Box<str> = texts.join("\n").trim_end().into();
        Self { cuts: cuts(&text, PIECE), text, images: images.into(), turn: None }
    }

    /// Text as typed.
    pub(crate) fn typed(&self) -> &str {
        &self.text
    }

    /// Its first line in a row, for the top of the screen while its answer is read.
    pub(crate) fn sticky(&self, width: u16, look: &Look<'_>) -> Line<'static> {
        let room = usize::from(inner(width));
        let mut words = one_row(&self.text, room);
        if words.is_empty() {
            words = self.images.first().map_or_else(String::new, |name| format!("[{name}]"));
        }
        let words = vec![Line::styled(text::truncate_end(&words, room).into_owned(), look.style(Role::Dim))];
        let mut lines = marked(Span::styled("›", look.style(Role::Accent)), words, width);
        banded(&mut lines, width, look.style(Role::Band));
        lines.pop().unwrap_or_default()
    }

    fn picture_rows(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let rows = self.images.iter().enumerate().map(|(index, name)| {
            let label = format!("[Image #{}] ", index + 1);
            let room = usize::from(inner(width)).saturating_sub(label.len());
            let name = text::sanitize(name).replace('\n', " ");
            format!("{label}{}", text::truncate_middle(&name, room))
        });
        rows.flat_map(|row| prose(&row, look.style(Role::Dim), inner(width))).collect()
    }
}

impl Cell for User {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.text)
    }

    fn parts(&self, _look: &Look<'_>) -> usize {
        self.cuts.len() + 1
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let start = part.checked_sub(1).map_or(Some(0), |before| self.cuts.get(before).copied());
        let end = self.cuts.get(part).copied().unwrap_or(self.text.len());
        let raw = start.and_then(|start| self.text.get(start..end)).unwrap_or_default();
        let band = look.style(Role::Band);
        let mut lines = match raw.is_empty() && !self.images.is_empty() {
            true => Vec::new(),
            false => prose(raw, own_words(band), inner(width)),
        };
        let last = part == self.cuts.len();
        if last {
            lines.extend(self.picture_rows(width, look));
        }
        let marker = if part == 0 { "›" } else { " " };
        let mut lines = marked(Span::styled(marker, look.style(Role::Accent)), lines, width);
        // Padding makes sense only where the band can be seen.
        if band.bg.is_some() {
            if part == 0 {
                lines.insert(0, Line::default());
            }
            if last {
                lines.push(Line::default());
            }
        }
        banded(&mut lines, width, band);
        lines
    }
}

/// The band itself marks the words; without one they are bold.
fn own_words(band: Style) -> Style {
    if band.bg.is_some() { Style::new() } else { Style::new().bold() }
}

/// Lays the band under whole rows.
fn banded(lines: &mut [Line<'static>], width: u16, band: Style) {
    if band.bg.is_none() {
        return;
    }
    for line in lines {
        let rest = usize::from(width).saturating_sub(text::line_width(line));
        for span in &mut line.spans {
            span.style = band.patch(span.style);
        }
        line.spans.push(Span::styled(" ".repeat(rest), band));
    }
}
