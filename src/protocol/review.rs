//! A review: what is looked at, and what was found. Read field by field, because a model writes it: a bad field costs
//! that field only, and an answer that is no review at all stays a text. The rendered text is what scripts and other
//! Codex programs read.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What is said of a review that was stopped or failed.
pub(crate) const WITHOUT_RESULT: &str = "The review ended without a result.";

/// Findings that are kept of one answer.
const MAX_FINDINGS: usize = 200;
/// Hexadecimal digits of a commit that are shown.
const SHORT_SHA: usize = 7;

/// What is reviewed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum Target {
    /// Staged, unstaged and untracked changes.
    UncommittedChanges,
    /// What the branch would bring into another one.
    BaseBranch {
        /// The other one.
        branch: String,
    },
    /// One commit.
    Commit {
        /// Its name, as given.
        sha: String,
        /// Its first line, when known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        title: Option<String>,
    },
    /// Whatever the user says.
    Custom {
        /// In their words.
        instructions: String,
    },
}

impl Target {
    /// A few words, as they stand behind "Review:".
    pub(crate) fn words(&self) -> String {
        match self {
            Self::UncommittedChanges => "current changes".to_owned(),
            Self::BaseBranch { branch } => format!("changes against '{branch}'"),
            Self::Commit { sha, title } => {
                let hex = sha.chars().all(|c| c.is_ascii_hexdigit());
                let sha: String = sha.chars().take(if hex { SHORT_SHA } else { usize::MAX }).collect();
                match title.as_deref().filter(|title| !title.trim().is_empty()) {
                    Some(title) => format!("commit {sha}: {title}"),
                    None => format!("commit {sha}"),
                }
            }
            Self::Custom { instructions } => instructions.trim().to_owned(),
        }
    }
}

/// What a review came to.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Output {
    /// What should be changed, the most important first as a rule.
    pub(crate) findings: Vec<Finding>,
    /// Whether the change as a whole is correct, in a few words.
    pub(crate) overall_correctness: String,
    /// Why, in prose.
    pub(crate) overall_explanation: String,
    /// How sure the reviewer is, from 0 to 1.
    pub(crate) overall_confidence_score: f64,
}

/// One thing that should be changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Finding {
    /// One line.
    pub(crate) title: String,
    /// Markdown.
    pub(crate) body: String,
    /// From 0 to 1.
    pub(crate) confidence_score: f64,
    /// 0 (at once) to 3 (when there is time).
    pub(crate) priority: Option<u8>,
    /// Where.
    pub(crate) code_location: Location,
}

/// A place in a file; the path is empty when none was told.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Location {
    /// Absolute path.
    pub(crate) absolute_file_path: String,
    /// Which lines.
    pub(crate) line_range: LineRange,
}

/// Lines from 1, both included; 0 when none were told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct LineRange {
    /// The first one.
    pub(crate) start: u32,
    /// The last one.
    pub(crate) end: u32,
}

impl Finding {
    /// The title with its priority before it.
    pub(crate) fn heading(&self) -> String {
        let title = if self.title.trim().is_empty() { "Finding" } else { self.title.trim() };
        match self.priority {
            Some(priority) if !title.starts_with("[P") => format!("[P{priority}] {title}"),
            _ => title.to_owned(),
        }
    }

    /// `path:start-end` with `path` as it is to be shown; empty when no place was told.
    pub(crate) fn place(&self, path: &str) -> String {
        match (path, self.code_location.line_range) {
            ("", _) => String::new(),
            (path, LineRange { start: 0, .. }) => path.to_owned(),
            (path, LineRange { start, end }) => format!("{path}:{start}-{end}"),
        }
    }
}

impl Output {
    /// An answer as it came: JSON, JSON with words around it, or only words.
    pub(crate) fn of_answer(text: &str) -> Self {
        let whole = text.trim();
        let inner = || {
            let (from, to) = (whole.find('{')?, whole.rfind('}')?);
            whole.get(from..=to)
        };
        let read =
            |json: &str| serde_json::from_str(json).ok().and_then(|value: Value| Self::of_value(&value));
        read(whole)
            .or_else(|| inner().and_then(read))
            .unwrap_or_else(|| Self { overall_explanation: whole.to_owned(), ..Self::default() })
    }

    /// A review; `None` when the value is something else, or holds a finding that cannot be read.
    pub(crate) fn of_value(value: &Value) -> Option<Self> {
        let object = value.as_object()?;
        let findings = match object.get("findings") {
            Some(Value::Array(list)) => {
                list.iter().take(MAX_FINDINGS).map(finding).collect::<Option<Vec<_>>>()?
            }
            None | Some(Value::Null) => Vec::new(),
            Some(_) => return None,
        };
        let known = ["findings", "overall_correctness", "overall_explanation"];
        known.iter().any(|name| object.contains_key(*name)).then(|| Self {
            findings,
            overall_correctness: text(value, "overall_correctness"),
            overall_explanation: text(value, "overall_explanation"),
            overall_confidence_score: score(value, "overall_confidence_score"),
        })
    }

    /// As people and scripts read it.
    pub(crate) fn text(&self) -> String {
        let mut out = self.overall_explanation.trim().to_owned();
        match self.findings.len() {
            0 if out.is_empty() => out.push_str("The reviewer gave no answer."),
            0 => {}
            count => {
                if !out.is_empty() {
                    out.push_str("\n\n");
                }
                out.push_str(if count == 1 { "Review comment:" } else { "Full review comments:" });
            }
        }
        for finding in &self.findings {
            let place = finding.place(&finding.code_location.absolute_file_path);
            let place = if place.is_empty() { place } else { format!(" — {place}") };
            let _ = write!(out, "\n\n- {}{place}", finding.heading());
            for line in finding.body.trim().lines() {
                let _ = write!(out, "\n{}", format!("  {line}").trim_end());
            }
        }
        out
    }
}

fn finding(value: &Value) -> Option<Finding> {
    if let Some(title) = value.as_str() {
        return Some(Finding { title: title.to_owned(), ..Finding::default() });
    }
    let (title, body) = (text(value, "title"), text(value, "body"));
    if title.is_empty() && body.is_empty() {
        return None;
    }
    let place = value.get("code_location").unwrap_or(&Value::Null);
    let lines = place.get("line_range").unwrap_or(&Value::Null);
    let line = |name: &str| lines.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
    let start = line("start").unwrap_or(0);
    Some(Finding {
        // A title is one line, whatever the model writes.
        title: title.split_whitespace().collect::<Vec<_>>().join(" "),
        body,
        confidence_score: score(value, "confidence_score"),
        priority: value.get("priority").and_then(Value::as_u64).and_then(|n| u8::try_from(n).ok()),
        code_location: Location {
            absolute_file_path: text(place, "absolute_file_path"),
            line_range: LineRange { start, end: line("end").unwrap_or(start).max(start) },
        },
    })
}

fn text(value: &Value, name: &str) -> String {
    value.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn score(value: &Value, name: &str) -> f64 {
    value.get(name).and_then(Value::as_f64).unwrap_or_default()
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
