//! A line of the program itself: something to know, a warning, an error with the next step, what the user granted or
//! refused. The level is told by the sign, not only by the colour.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::base::clean::in_words;
use crate::base::ids::ItemId;
use crate::protocol::error::ErrorInfo;
use crate::protocol::note::{Level, Note};
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{detail_width, inner, marked, prose, under};

/// A line of the program itself.
#[derive(Debug)]
pub(crate) struct Notice {
    level: Level,
    message: Box<str>,
    /// The next step.
    hint: Option<Box<str>>,
    /// What is worth knowing only when one looks, such as the raw answer of a server.
    detail: Option<Box<str>>,
}

impl Notice {
    /// A notice of one sentence.
    pub(crate) fn new(level: Level, message: &str) -> Self {
        Self { level, message: in_words(message.trim()).into(), hint: None, detail: None }
    }

    /// A notice as it was kept.
    pub(crate) fn kept(note: &Note) -> Self {
        let hint = note.hint.as_deref().map(Into::into);
        Self { hint, ..Self::new(note.level, &note.message) }
    }

    /// The notice, to be kept; its place is not known in here.
    pub(crate) fn note(&self) -> Note {
        Note {
            id: ItemId::with_prefix("note"),
            after: None,
            after_end: false,
            level: self.level,
            message: self.message.to_string(),
            hint: self.hint.as_deref().map(str::to_owned),
            rows: Vec::new(),
        }
    }

    /// An error with its next step.
    pub(crate) fn error(error: &ErrorInfo) -> Self {
        let hint = error.hint.as_deref().map(Into::into);
        Self { hint, ..Self::new(Level::Error, &error.message) }
    }
}

#[cfg(test)]
impl Notice {
    /// Adds what is shown unfolded only.
    pub(crate) fn with_detail(mut self, detail: &str) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

impl Cell for Notice {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let (sign, role, words) = match self.level {
            Level::Info => ("•", Role::Dim, Role::Text),
            Level::Warning => ("⚠", Role::Warn, Role::Warn),
            Level::Error => ("■", Role::Bad, Role::Bad),
            Level::Granted => ("✔", Role::Good, Role::Text),
        };
        let rows = prose(&self.message, look.style(words), inner(width));
        let mut lines = marked(Span::styled(sign, look.style(role)), rows, width);
        let room = detail_width(width);
        let mut below = Vec::new();
        if let Some(hint) = &self.hint {
            below.extend(prose(hint, look.style(Role::Text), room));
        }
        if let Some(detail) = self.detail.as_ref().filter(|_| look.unfolded) {
            below.extend(prose(detail, look.style(Role::Dim), room));
        }
        lines.extend(under(below, width, look));
        lines
    }

    fn text(&self) -> Cow<'_, str> {
        let more = [self.hint.as_deref(), self.detail.as_deref()];
        let mut out = self.message.to_string();
        for text in more.into_iter().flatten() {
            out.push('\n');
            out.push_str(text);
        }
        Cow::Owned(out)
    }
}
