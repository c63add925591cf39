//! What the model lets be seen of its thinking. Folded it is not in the transcript at all: its headline stands in the
//! status row while it runs. Unfolded it is dim, because it is not the answer.

use std::borrow::Cow;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{inner, marked, prose};

/// Characters of a headline.
const HEADLINE: usize = 80;

/// Sections of a summary, or the raw text of open models.
#[derive(Debug, Default)]
pub(crate) struct Reasoning {
    summary: String,
    raw: String,
    live: bool,
    revision: u32,
}

impl Reasoning {
    /// As the item tells it.
    pub(crate) fn new(summary: &[String], content: &[String], live: bool) -> Self {
        Self { summary: summary.join("\n\n"), raw: content.join("\n\n"), live, revision: 0 }
    }

    /// Takes over the whole.
    pub(crate) fn settle(&mut self, summary: &[String], content: &[String]) {
        let revision = self.revision + 1;
        *self = Self { revision, ..Self::new(summary, content, false) };
    }

    /// A new section of the summary begins.
    pub(crate) fn section(&mut self) {
        if !self.summary.is_empty() {
            self.summary.push_str("\n\n");
        }
    }

    /// More of the summary.
    pub(crate) fn push_summary(&mut self, text: &str) {
        self.summary.push_str(text);
        self.revision += 1;
    }

    /// More of the raw text.
    pub(crate) fn push_raw(&mut self, text: &str) {
        self.raw.push_str(text);
        self.revision += 1;
    }

    /// Nothing more will come.
    pub(crate) fn abandon(&mut self) {
        self.live = false;
    }

    /// The bold line or first sentence of the newest section, in one row.
    pub(crate) fn headline(&self) -> Option<String> {
        let section = self.summary.rsplit("\n\n").find_map(|section| {
            let section = section.trim_start();
            let bold = section.strip_prefix("**").and_then(|rest| Some(rest.split_once("**")?.0));
            bold.map(str::to_owned)
        });
        let words = section.or_else(|| {
            let first = self.summary.trim().lines().next()?.trim();
            let end = first.find(". ").map_or(first.len(), |at| at);
            first.get(..end).map(|words| words.trim_matches('*').to_owned())
        })?;
        let clean = text::sanitize(&words).replace('\n', " ");
        let clean = clean.trim();
        (!clean.is_empty()).then(|| text::truncate_end(clean, HEADLINE).into_owned())
    }

    fn shown(&self) -> &str {
        if self.summary.trim().is_empty() { self.raw.trim() } else { self.summary.trim() }
    }
}

impl Cell for Reasoning {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        if !look.unfolded || self.shown().is_empty() {
            return Vec::new();
        }
        let style = look.style(Role::Dim).add_modifier(Modifier::ITALIC);
        let lines = prose(&plain(self.shown()), style, inner(width));
        marked(Span::styled("•", look.style(Role::Dim)), lines, width)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.shown())
    }

    fn is_live(&self) -> bool {
        self.live
    }

    fn parts(&self, look: &Look<'_>) -> usize {
        usize::from(look.unfolded && !self.shown().is_empty())
    }

    fn stamp(&self, _part: usize, _look: &Look<'_>) -> u64 {
        u64::from(self.revision)
    }
}

/// Without the stars of bold lines: everything is in one dim style here.
fn plain(text: &str) -> String {
    text.replace("**", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headline_is_the_newest_bold_line() {
        for (summary, headline) in [
            ("**Reading the tests**\n\nI look at", Some("Reading the tests")),
            ("**One**\n\ntext\n\n**Two**\n\nmore", Some("Two")),
            ("I should look at it. Then do it.", Some("I should look at it")),
            ("**Half a head", Some("Half a head")),
            ("", None),
        ] {
            let cell = Reasoning::new(&[summary.to_owned()], &[], true);
            assert_eq!(cell.headline().as_deref(), headline, "{summary:?}");
        }
    }
}
