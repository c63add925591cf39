//! An image the model looked at, by its path.

use std::borrow::Cow;
use std::path::Path;

use ratatui::text::{Line, Span};

use super::patch::shown;
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{head, inner, marked, prose};

/// A path, short and in full.
#[derive(Debug)]
pub(crate) struct Image {
    short: Box<str>,
    full: Box<str>,
}

impl Image {
    /// The image at `path`, shown relative to `cwd`.
    pub(crate) fn new(path: &Path, cwd: &Path) -> Self {
        Self { short: shown(path, cwd).into(), full: path.display().to_string().into() }
    }
}

impl Cell for Image {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let marker = Span::styled("•", look.style(Role::Good));
        let verb = "Viewed image";
        if look.unfolded {
            let words = format!("{verb} {}", self.full);
            return marked(marker, prose(&words, look.style(Role::Text), inner(width)), width);
        }
        let room = usize::from(inner(width)).saturating_sub(verb.len() + 1).max(4);
        let path = text::sanitize(&self.short).replace('\n', " ");
        let path = text::truncate_middle(&path, room).into_owned();
        let words = vec![Span::styled(verb, look.style(Role::Strong)), Span::raw(" "), Span::raw(path)];
        vec![head(marker, words, "", width, look)]
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(&self.full)
    }
}
