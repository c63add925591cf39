//! The place where the conversation was summarised to free context.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{clock, head};

/// A compaction, running or done.
#[derive(Debug)]
pub(crate) struct Compaction {
    since_ms: Option<u64>,
    took_ms: Option<u64>,
    live: bool,
}

impl Compaction {
    /// One that runs since `now_ms`.
    pub(crate) fn live(now_ms: u64) -> Self {
        Self { since_ms: Some(now_ms), took_ms: None, live: true }
    }

    /// One of which only is known that it happened.
    pub(crate) fn done() -> Self {
        Self { since_ms: None, took_ms: None, live: false }
    }

    /// Nobody will tell its end.
    pub(crate) fn abandon(&mut self) {
        self.live = false;
    }

    /// It is over.
    pub(crate) fn settle(&mut self, now_ms: u64) {
        self.took_ms = self.since_ms.map(|since| now_ms.saturating_sub(since));
        self.live = false;
    }
}

impl Cell for Compaction {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let (role, words, ms) = match (self.live, self.since_ms) {
            (true, Some(since)) => {
                (Role::Accent, "Compacting context", Some(look.now_ms.saturating_sub(since)))
            }
            _ => (Role::Dim, "Context compacted", self.took_ms),
        };
        let tail = ms.map(|ms| format!(" · {}", clock(ms))).unwrap_or_default();
        let words = vec![Span::raw(words)];
        vec![head(Span::styled("•", look.style(role)), words, &tail, width, look)]
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("Context compacted")
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn stamp(&self, _part: usize, look: &Look<'_>) -> u64 {
        match self.since_ms {
            Some(since) if self.live => 1 + look.now_ms.saturating_sub(since) / 1000,
            _ => 0,
        }
    }
}
