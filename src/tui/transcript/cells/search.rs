//! A search that the service ran.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{head, inner, marked, one_row, prose};

/// What was searched or opened.
#[derive(Debug)]
pub(crate) struct Search {
    query: Box<str>,
    live: bool,
}

impl Search {
    /// A search, running or done.
    pub(crate) fn new(query: &str, live: bool) -> Self {
        Self { query: query.trim().into(), live }
    }

    /// It is over.
    pub(crate) fn abandon(&mut self) {
        self.live = false;
    }
}

impl Cell for Search {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let (role, verb) = match (self.live, self.query.is_empty()) {
            (true, _) => (Role::Accent, "Searching the web"),
            (false, true) => (Role::Good, "Searched the web"),
            (false, false) => (Role::Good, "Searched the web for"),
        };
        let marker = Span::styled("•", look.style(role));
        if look.unfolded && !self.query.is_empty() {
            let words = format!("{verb} {}", self.query);
            return marked(marker, prose(&words, look.style(Role::Text), inner(width)), width);
        }
        let query = one_row(&self.query, usize::from(inner(width)));
        let words = vec![Span::styled(verb, look.style(Role::Strong)), Span::raw(" "), Span::raw(query)];
        vec![head(marker, words, "", width, look)]
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.query)
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn stamp(&self, _part: usize, _look: &Look<'_>) -> u64 {
        u64::from(self.live)
    }
}
