//! The rows above the prompt that are about limits: what waits, what was just said, what gets scarce, what can be
//! used. At most two rows, so that the prompt stays where it is.

use ratatui::text::{Line, Span};

use super::look::View;
use super::reached;
use super::standing::Hint;
use crate::limits::text as words;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Percent used from which a notice stands above the prompt.
const FROM: f64 = 90.0;

/// The rows, at the right edge when they fit.
pub(crate) fn rows(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let parked =
        view.standing.parked.as_ref().map(|parked| (reached::waiting(parked.at, view), Role::Accent));
    let said = view.standing.told().map(|text| (format!("⚠ {text}"), Role::Warn));
    let second = said.or_else(|| scarce(view)).or_else(|| hint(view));
    parked.into_iter().chain(second).map(|(words, role)| right(&words, role, width, theme)).collect()
}

/// Seconds until a row reads differently by itself; nothing when none does.
pub(crate) fn rest_s(view: &View<'_>) -> Option<u64> {
    view.standing.parked.as_ref().map(|parked| reached::waiting_rest_s(parked.at, view))
}

/// The fullest of the main windows when it is nearly used up, or the limit when it is reached.
fn scarce(view: &View<'_>) -> Option<(String, Role)> {
    let limits = view.limits?;
    let windows = limits.windows(view.now_s);
    let main = windows.iter().filter(|window| window.is_main());
    let fullest = main.max_by(|a, b| a.used.total_cmp(&b.used))?;
    if fullest.used < FROM || limits.has_bought_credits() {
        return None;
    }
    let until = fullest.resets_at.map(|at| format!(" · resets {}", words::moment(at, view.now(), view.zone)));
    let (left, until) = (words::left(fullest.used), until.unwrap_or_default());
    Some((format!("⚠ {} limit: {left} left{until} · /usage", fullest.name), Role::Warn))
}

fn hint(view: &View<'_>) -> Option<(String, Role)> {
    let count = view.resets().filter(|count| *count > 0 && view.standing.hint == Hint::Shown)?;
    let what =
        if count == 1 { "1 usage limit reset".to_owned() } else { format!("{count} usage limit resets") };
    Some((format!("You have {what} available · /usage"), Role::Dim))
}

/// At the right edge; cut at its end when it does not fit.
fn right(words: &str, role: Role, width: u16, theme: &Theme) -> Line<'static> {
    let width = usize::from(width);
    let shown = text::truncate_end(words, width).into_owned();
    let gap = width.saturating_sub(text::width(&shown));
    Line::from(vec![Span::raw(" ".repeat(gap)), Span::styled(shown, theme.style(role))])
}
