//! Text of the model: rendered Markdown behind a marker, also while it streams in. What is complete is laid out once
//! and again only when it comes back into view; per frame only the open part is.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use crate::tui::text::markdown::Stream;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look, all_parts};
use crate::tui::transcript::rows::{body, inner, marked};

/// An answer or a remark on the way.
#[derive(Debug)]
pub(crate) struct Message {
    stream: Stream,
    /// How often the text was replaced.
    revision: u32,
}

impl Message {
    /// A message that begins.
    pub(crate) fn live(text: &str) -> Self {
        let mut stream = Stream::new();
        stream.push(text);
        Self { stream, revision: 0 }
    }

    /// A message that is complete.
    pub(crate) fn done(text: &str) -> Self {
        Self { stream: Stream::whole(text), revision: 0 }
    }

    /// Adds what came.
    pub(crate) fn push(&mut self, delta: &str) {
        self.stream.push(delta);
    }

    /// Takes over the whole text, which is mostly what was streamed.
    pub(crate) fn settle(&mut self, text: &str) {
        self.stream.finish();
        if self.stream.source() != text {
            self.stream = Stream::whole(text);
            self.revision += 1;
        }
    }

    /// Nothing more will come.
    pub(crate) fn abandon(&mut self) {
        self.stream.finish();
    }

    /// The Markdown as the model wrote it.
    pub(crate) fn markdown(&self) -> &str {
        self.stream.source()
    }

    fn is_empty(&self) -> bool {
        self.stream.source().trim_start().is_empty()
    }
}

impl Cell for Message {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.stream.source())
    }

    fn is_live(&self) -> bool {
        !self.stream.is_finished()
    }

    fn parts(&self, _look: &Look<'_>) -> usize {
        if self.is_empty() { 0 } else { self.stream.parts() }
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let lines = self.stream.part(part, inner(width), look.theme);
        match part {
            0 => marked(Span::styled("•", look.style(Role::Accent)), lines, width),
            _ => body(lines, width),
        }
    }

    fn stamp(&self, part: usize, _look: &Look<'_>) -> u64 {
        let bytes = u64::try_from(self.stream.part_bytes(part)).unwrap_or(0);
        u64::from(self.revision) << 40 | bytes << 1 | u64::from(self.stream.is_finished())
    }
}
