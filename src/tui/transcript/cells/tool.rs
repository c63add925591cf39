//! A tool call that has no shape of its own, by name and arguments. A call that could not be carried out stands here
//! too, with its reason: nothing the model tried is hidden.

use std::borrow::Cow;

use ratatui::text::{Line, Span};
use serde_json::Value;

use super::output::{Fold, Output};
use crate::protocol::item::ToolStatus;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look, Needle, all_parts};
use crate::tui::transcript::rows::{body, detail_width, head, inner, marked, one_row, prose, under};

/// Result shown folded.
const FOLD: Fold = Fold { head: 3, tail: 1 };

/// A call and its result.
#[derive(Debug)]
pub(crate) struct Tool {
    name: Box<str>,
    arguments: Box<str>,
    status: ToolStatus,
    output: Output,
    revision: u32,
}

impl Tool {
    /// As the item tells it.
    pub(crate) fn new(
        name: &str,
        arguments: &Value,
        status: ToolStatus,
        success: Option<bool>,
        output: Option<&str>,
    ) -> Self {
        let arguments = match arguments {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let status = if success == Some(false) { ToolStatus::Failed } else { status };
        let output = Output::whole(output.unwrap_or_default());
        Self { name: name.into(), arguments: arguments.into(), status, output, revision: 0 }
    }

    /// Nobody will tell its end.
    pub(crate) fn abandon(&mut self) {
        if self.status == ToolStatus::InProgress {
            self.status = ToolStatus::Failed;
            self.revision += 1;
        }
    }

    fn marker(&self, look: &Look<'_>) -> Span<'static> {
        match self.status {
            ToolStatus::InProgress => Span::styled("•", look.style(Role::Accent)),
            ToolStatus::Completed => Span::styled("•", look.style(Role::Good)),
            ToolStatus::Failed => Span::styled("✗", look.style(Role::Bad)),
        }
    }

    fn verb(&self) -> &'static str {
        match self.status {
            ToolStatus::InProgress => "Calling",
            ToolStatus::Completed => "Called",
            ToolStatus::Failed => "Failed:",
        }
    }

    fn heading(&self, width: u16, look: &Look<'_>) -> Line<'static> {
        let room = usize::from(inner(width));
        let words = vec![
            Span::styled(self.verb(), look.style(Role::Strong)),
            Span::raw(" "),
            Span::styled(one_row(&self.name, room), look.style(Role::Code)),
            Span::styled(format!("({})", one_row(&self.arguments, room)), look.style(Role::Dim)),
        ];
        head(self.marker(look), words, "", width, look)
    }
}

impl Cell for Tool {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Owned(format!("{}({})\n{}", self.name, self.arguments, self.output.text()))
    }

    fn is_live(&self) -> bool {
        self.status == ToolStatus::InProgress
    }

    fn parts(&self, look: &Look<'_>) -> usize {
        if look.unfolded { self.output.pieces() } else { 1 }
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        if !look.unfolded {
            lines.push(self.heading(width, look));
            if !self.output.is_empty() {
                let rows = self.output.folded(FOLD, detail_width(width), look);
                lines.extend(under(rows, width, look));
            }
            return lines;
        }
        if part == 0 {
            let call = format!("{} {}({})", self.verb(), self.name, self.arguments);
            lines = marked(self.marker(look), prose(&call, look.style(Role::Code), inner(width)), width);
        }
        if !self.output.is_empty() {
            lines.extend(body(self.output.piece(part, inner(width), look), width));
        }
        lines
    }

    fn stamp(&self, _part: usize, _look: &Look<'_>) -> u64 {
        u64::from(self.revision)
    }

    fn has(&self, needle: &Needle) -> bool {
        [&*self.name, &*self.arguments, self.output.text()].iter().any(|text| needle.is_in(text))
    }
}
