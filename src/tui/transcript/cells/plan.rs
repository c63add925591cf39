//! The model's plan: a box per step, done ones struck, the running one bold and pointed at, so that the state can be
//! read without colours.

use std::borrow::Cow;

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use serde_json::Value;

use crate::protocol::item::{PlanStatus, PlanStep};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, Look};
use crate::tui::transcript::rows::{body, detail_width, head, inner, prose};

/// A plan as it stands.
#[derive(Debug)]
pub(crate) struct Plan {
    explanation: Option<Box<str>>,
    steps: Box<[PlanStep]>,
}

impl Plan {
    /// All steps, and why they changed.
    pub(crate) fn new(explanation: Option<&str>, steps: &[PlanStep]) -> Self {
        let explanation = explanation.filter(|text| !text.trim().is_empty()).map(Into::into);
        Self { explanation, steps: steps.into() }
    }

    /// The plan of a stored call to the plan tool, which tells its plan by an event while it is live.
    pub(crate) fn of_call(tool: &str, arguments: &Value) -> Option<Self> {
        if tool != "update_plan" {
            return None;
        }
        let steps: Vec<PlanStep> = serde_json::from_value(arguments.get("plan")?.clone()).ok()?;
        Some(Self::new(arguments.get("explanation").and_then(Value::as_str), &steps))
    }

    fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.status == PlanStatus::Completed).count()
    }
}

impl Cell for Plan {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let tail = format!(" · {} of {} done", self.done(), self.steps.len());
        let words = vec![Span::styled("Plan", look.style(Role::Strong))];
        let mut lines = vec![head(Span::styled("•", look.style(Role::Accent)), words, &tail, width, look)];
        if let Some(why) = &self.explanation {
            let style = look.style(Role::Dim).add_modifier(Modifier::ITALIC);
            lines.extend(body(prose(why, style, inner(width)), width));
        }
        let nothing = Line::default();
        for step in &self.steps {
            let (sign, style) = match step.status {
                PlanStatus::Completed => {
                    (Span::styled("☑ ", look.style(Role::Good)), look.style(Role::Dim).crossed_out())
                }
                PlanStatus::InProgress => {
                    (Span::styled("▸ ", look.style(Role::Accent)), look.style(Role::Strong))
                }
                PlanStatus::Pending => (Span::styled("☐ ", look.style(Role::Dim)), look.style(Role::Dim)),
            };
            let mut rows = prose(&step.step, style, detail_width(width));
            for (index, row) in rows.iter_mut().enumerate() {
                row.spans.insert(0, if index == 0 { sign.clone() } else { Span::raw("  ") });
            }
            let rows = rows.into_iter().flat_map(|row| text::wrap(&row, inner(width), &nothing, &nothing));
            lines.extend(body(rows.collect(), width));
        }
        lines
    }

    fn text(&self) -> Cow<'_, str> {
        let mut out = self.explanation.as_deref().unwrap_or_default().to_owned();
        for step in &self.steps {
            let sign = if step.status == PlanStatus::Completed { "[x]" } else { "[ ]" };
            out.push_str(&format!("\n- {sign} {}", step.step));
        }
        Cow::Owned(out)
    }
}
