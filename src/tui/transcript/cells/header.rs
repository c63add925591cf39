//! The first two lines of a transcript: which program, and where. It scrolls away with the rest.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};

/// Program, version and directory.
#[derive(Debug)]
pub(crate) struct Header {
    version: &'static str,
    directory: Box<str>,
}

impl Header {
    /// `directory` as it is to be shown, `~` for home.
    pub(crate) fn new(version: &'static str, directory: &str) -> Self {
        Self { version, directory: directory.into() }
    }
}

impl Cell for Header {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let width = usize::from(width);
        let name = Line::from(vec![
            Span::styled(">_ ", look.style(Role::Accent)),
            Span::styled("codex", look.style(Role::Strong)),
            Span::styled(format!(" (v{})", self.version), look.style(Role::Dim)),
        ]);
        let directory = text::reveal_line(&self.directory);
        let room = width.saturating_sub(3);
        let directory = format!("   {}", text::truncate_middle(&directory, room));
        let directory = Line::from(Span::styled(directory, look.style(Role::Dim)));
        [name, directory].map(|line| text::truncate_line(line, width)).into()
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("codex {} {}", self.version, self.directory))
    }
}
