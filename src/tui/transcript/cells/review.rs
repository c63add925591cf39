//! A review: the mark where it begins, and at its end what it came to. Findings are the reviewer's words: cleaned,
//! laid out as Markdown, each under its heading with the place it is about.

use std::borrow::Cow;
use std::path::Path;

use ratatui::text::{Line, Span};

use super::patch::shown;
use crate::protocol::review::{Finding, Output};
use crate::tui::text::{self, markdown, sanitize};
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{body, count, head, inner, marked, prose};

/// Columns the text of a finding stands in from its heading.
const INDENT: &str = "  ";

/// The start or the end of a review.
#[derive(Debug)]
pub(crate) enum Review {
    /// It begins.
    Begun {
        /// What is reviewed.
        words: Box<str>,
    },
    /// It ended without a result.
    Cut {
        /// Why.
        words: Box<str>,
    },
    /// It ended.
    Done {
        /// The rendered text.
        text: Box<str>,
        /// The reviewer's verdict in a few words.
        verdict: Box<str>,
        /// Why.
        explanation: Box<str>,
        /// What was found.
        findings: Vec<Shown>,
    },
}

/// A finding as it is shown.
#[derive(Debug)]
pub(crate) struct Shown {
    heading: Box<str>,
    place: Box<str>,
    body: Box<str>,
    priority: Option<u8>,
}

impl Shown {
    fn new(finding: &Finding, cwd: &Path) -> Self {
        let path = &finding.code_location.absolute_file_path;
        let path = if path.is_empty() { String::new() } else { shown(Path::new(path), cwd) };
        Self {
            heading: sanitize(&finding.heading()).into(),
            place: sanitize(&finding.place(&path)).into(),
            body: sanitize(&finding.body).trim().into(),
            priority: finding.priority,
        }
    }
}

impl Review {
    /// The mark at the start.
    pub(crate) fn begun(words: &str) -> Self {
        Self::Begun { words: sanitize(words).into() }
    }

    /// What it came to; paths are shown relative to `cwd`.
    pub(crate) fn ended(text: &str, output: Option<&Output>, cwd: &Path) -> Self {
        let Some(output) = output else { return Self::Cut { words: sanitize(text).into() } };
        Self::Done {
            text: sanitize(text).into(),
            verdict: sanitize(output.overall_correctness.trim()).into(),
            explanation: sanitize(output.overall_explanation.trim()).into(),
            findings: output.findings.iter().map(|finding| Shown::new(finding, cwd)).collect(),
        }
    }

    /// The text of the answer, when there is one.
    pub(crate) fn answer(&self) -> Option<&str> {
        match self {
            Self::Done { text, .. } => Some(text),
            Self::Begun { .. } | Self::Cut { .. } => None,
        }
    }
}

/// The end of a review with its result.
fn done(
    verdict: &str,
    explanation: &str,
    findings: &[Shown],
    width: u16,
    look: &Look<'_>,
) -> Vec<Line<'static>> {
    let found = match findings.len() {
        // An answer in words alone may name some.
        0 if verdict.is_empty() => String::new(),
        0 => " · no findings".to_owned(),
        some => format!(" · {}", count(some, "finding", "findings")),
    };
    let verdict = if verdict.is_empty() { String::new() } else { format!(" · {verdict}") };
    let words = vec![Span::styled("Review finished", look.style(Role::Strong))];
    let tail = format!("{found}{verdict}");
    let mut lines = vec![head(Span::styled("•", look.style(Role::Accent)), words, &tail, width, look)];
    let explanation = match (explanation, findings) {
        ("", []) => "The reviewer gave no answer.",
        (words, _) => words,
    };
    lines.extend(body(markdown::render(explanation, inner(width), look.theme), width));
    for finding in findings {
        lines.push(Line::default());
        lines.extend(body(one(finding, inner(width), look), width));
    }
    lines
}

/// One finding, not moved in.
fn one(finding: &Shown, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
    let role = match finding.priority {
        Some(0 | 1) => Role::Bad,
        Some(2) => Role::Warn,
        _ => Role::Strong,
    };
    let (tag, title) = match finding.heading.split_once("] ") {
        Some((tag, title)) if tag.starts_with("[P") => (format!("{tag}] "), title),
        _ => (String::new(), &*finding.heading),
    };
    let mut spans =
        vec![Span::styled(tag, look.style(role)), Span::styled(title.to_owned(), look.style(Role::Strong))];
    if !finding.place.is_empty() {
        spans.push(Span::styled(format!(" — {}", finding.place), look.style(Role::Dim)));
    }
    let mut lines = text::wrap(&Line::from(spans), width, &Line::default(), &Line::raw(INDENT));
    if !finding.body.is_empty() {
        let room = width.saturating_sub(2).max(1);
        let rows = markdown::render(&finding.body, room, look.theme);
        lines.extend(rows.into_iter().map(|mut row| {
            if width > 10 && !row.spans.is_empty() {
                row.spans.insert(0, Span::raw(INDENT));
            }
            row
        }));
    }
    lines
}

impl Cell for Review {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        match self {
            Self::Begun { words } => {
                let rows = prose(&format!("Review: {words}"), look.style(Role::Strong), inner(width));
                marked(Span::styled("•", look.style(Role::Accent)), rows, width)
            }
            Self::Cut { words } => {
                let rows = prose(words, look.style(Role::Text), inner(width));
                marked(Span::styled("•", look.style(Role::Dim)), rows, width)
            }
            Self::Done { verdict, explanation, findings, .. } => {
                done(verdict, explanation, findings, width, look)
            }
        }
    }

    fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Begun { words } => Cow::Owned(format!("Review: {words}")),
            Self::Cut { words } => Cow::Borrowed(words),
            Self::Done { text, .. } => Cow::Borrowed(text),
        }
    }
}
