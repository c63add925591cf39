//! A block of labels and values, such as that of `/status`. It holds what was true when it was asked for.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::base::ids::ItemId;
use crate::protocol::note::{Level, Note};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};

/// A title with rows below it.
#[derive(Debug)]
pub(crate) struct Block {
    /// Its identity as a note: what is known later takes the place of this.
    id: ItemId,
    title: Box<str>,
    rows: Vec<(String, String)>,
}

impl Block {
    /// A block of these labels and values.
    pub(crate) fn new(title: &str, rows: Vec<(String, String)>) -> Self {
        Self { id: ItemId::with_prefix("note"), title: title.into(), rows }
    }

    /// A block as it was kept.
    pub(crate) fn kept(note: &Note) -> Self {
        Self { id: note.id.clone(), title: note.message.as_str().into(), rows: note.rows.clone() }
    }

    /// Takes newer rows; false when they are the same.
    pub(crate) fn set(&mut self, rows: Vec<(String, String)>) -> bool {
        let newer = self.rows != rows;
        self.rows = rows;
        newer
    }

    /// The block, to be kept; its place is not known in here.
    pub(crate) fn note(&self) -> Note {
        Note {
            id: self.id.clone(),
            after: None,
            after_end: false,
            level: Level::Info,
            message: self.title.to_string(),
            hint: None,
            rows: self.rows.clone(),
        }
    }
}

impl Cell for Block {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let style = |role| look.theme.style(role);
        let label_width = self.rows.iter().map(|(label, _)| text::width(label)).max().unwrap_or(0) + 2;
        let mut lines = vec![Line::from(vec![
            Span::styled("• ", style(Role::Accent)),
            Span::styled(text::sanitize(&self.title).replace('\n', " "), style(Role::Strong)),
        ])];
        let rest = Line::raw(" ".repeat((label_width + 2).min(usize::from(width) / 2)));
        for (label, value) in &self.rows {
            let plain = |words: &str| text::sanitize(words).replace('\n', " ");
            let pad = label_width.saturating_sub(text::width(label) + 1);
            let label = format!("  {}:{}", plain(label), " ".repeat(pad));
            let first = Line::from(Span::styled(label, style(Role::Dim)));
            lines.extend(text::wrap(&Line::from(plain(value)), width, &first, &rest));
        }
        lines
    }

    fn text(&self) -> Cow<'_, str> {
        let rows: Vec<String> = self.rows.iter().map(|(label, value)| format!("{label}: {value}")).collect();
        Cow::Owned(rows.join("\n"))
    }
}
