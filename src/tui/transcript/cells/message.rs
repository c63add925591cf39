//! Text of the model: rendered Markdown behind a marker, also while it streams in. What is complete is laid out once
//! and again only when it comes back into view; per frame only the open part is. A finished message holds its text
//! and, while it is in view, how it is cut: a long thread has many messages.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use ratatui::text::{Line, Span};

use crate::tui::text::Sanitizer;
use crate::tui::text::markdown::{Stream, render};
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look, all_parts};
use crate::tui::transcript::rows::{body, inner, marked};

/// Bytes up to which a finished message is one part.
const SMALL: usize = 2 * 1024;

/// An answer or a remark on the way.
#[derive(Debug)]
pub(crate) struct Message {
    state: State,
    /// How often the text was replaced.
    revision: u32,
}

#[derive(Debug)]
enum State {
    Live(Box<Stream>),
    Done {
        /// Sanitised, but with its tabs.
        text: Arc<str>,
        /// The text cut into parts, from the time they are wanted until they are forgotten; never for small ones.
        parts: RefCell<Option<Box<Stream>>>,
    },
}

impl State {
    fn done(text: &str) -> Self {
        let mut clean = String::with_capacity(text.len());
        let mut machine = Sanitizer::keeping_tabs();
        machine.push(text, &mut clean);
        machine.finish(&mut clean);
        Self::Done { text: clean.into(), parts: RefCell::default() }
    }

    fn text(&self) -> &str {
        match self {
            Self::Live(stream) => stream.source(),
            Self::Done { text, .. } => text,
        }
    }

    /// The text cut into parts; `None` when it is one.
    fn cut<T>(&self, with: impl FnOnce(&Stream) -> T) -> Option<T> {
        match self {
            Self::Live(stream) => Some(with(stream)),
            Self::Done { text, .. } if text.len() <= SMALL => None,
            Self::Done { text, parts } => Some(with(
                parts.borrow_mut().get_or_insert_with(|| Box::new(Stream::clean(Arc::clone(text)))),
            )),
        }
    }
}

impl Message {
    /// A message that begins.
    pub(crate) fn live(text: &str) -> Self {
        let mut stream = Stream::new();
        stream.push(text);
        Self { state: State::Live(Box::new(stream)), revision: 0 }
    }

    /// A message that is complete.
    pub(crate) fn done(text: &str) -> Self {
        Self { state: State::done(text), revision: 0 }
    }

    /// Adds what came.
    pub(crate) fn push(&mut self, delta: &str) {
        if let State::Live(stream) = &mut self.state {
            stream.push(delta);
        }
    }

    /// Takes over the whole text, which is mostly what was streamed.
    pub(crate) fn settle(&mut self, text: &str) {
        self.state = State::done(text);
        self.revision += 1;
    }

    /// Nothing more will come.
    pub(crate) fn abandon(&mut self) {
        if let State::Live(stream) = &self.state {
            self.state = State::done(stream.source());
            self.revision += 1;
        }
    }

    /// The Markdown as the model wrote it, but for what a terminal could obey.
    pub(crate) fn markdown(&self) -> &str {
        self.state.text()
    }
}

impl Cell for Message {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.state.text())
    }

    fn is_live(&self) -> bool {
        matches!(self.state, State::Live(_))
    }

    fn parts(&self, _look: &Look<'_>) -> usize {
        match self.state.text().trim_start().is_empty() {
            true => 0,
            false => self.state.cut(Stream::parts).unwrap_or(1),
        }
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let room = inner(width);
        let lines = self.state.cut(|stream| stream.part(part, room, look.theme));
        let lines = lines.unwrap_or_else(|| render(self.state.text(), room, look.theme));
        match part {
            0 => marked(Span::styled("•", look.style(Role::Accent)), lines, width),
            _ => body(lines, width),
        }
    }

    fn stamp(&self, part: usize, _look: &Look<'_>) -> u64 {
        let bytes = match &self.state {
            State::Live(stream) => u64::try_from(stream.part_bytes(part)).unwrap_or(0),
            State::Done { .. } => 0,
        };
        u64::from(self.revision) << 40 | bytes
    }

    fn forget(&self) {
        if let State::Done { parts, .. } = &self.state {
            parts.take();
        }
    }
}
