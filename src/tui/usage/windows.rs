//! A bar for every window of every limit family, with what is left, when it comes back, and what to expect. The words
//! say all that the colours say.

use ratatui::text::{Line, Span};

use super::forecast;
use super::look::{View, plain};
use crate::limits::state::LiveWindow;
use crate::limits::text as words;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Cells of a bar.
const BAR: usize = 20;
/// Widest label of a window.
const LABEL_MAX: usize = 24;
/// Percent left below which a bar asks for attention, and below which it is bad.
const SCARCE: (f64, f64) = (25.0, 10.0);

/// Rows for all windows, two columns in.
pub(crate) fn rows(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let Some(limits) = view.limits else { return Vec::new() };
    let now = view.now();
    let windows = limits.windows(view.now_s);
    let labels: Vec<String> = windows.iter().map(|window| label(window)).collect();
    let column = labels.iter().map(|label| text::width(label)).max().unwrap_or(0) + 4;
    let resets: Vec<String> = windows.iter().map(|window| reset(window, now, view)).collect();
    // Bar, two brackets, two gaps, "100% left".
    let used = column + BAR + 2 + 2 + 9 + 2;
    let beside = resets.iter().all(|reset| used + text::width(reset) <= usize::from(width));
    let mut rows = Vec::new();
    for ((window, label), reset) in windows.iter().zip(&labels).zip(&resets) {
        let mut first = bar_row(window, label, column, theme);
        let mut below = Vec::new();
        if beside {
            first.spans.push(Span::styled(format!("  {reset}"), theme.style(Role::Dim)));
        } else {
            below.push((reset.clone(), Role::Dim));
        }
        rows.push(text::truncate_line(first, usize::from(width)));
        below.extend(forecast::of_window(window, now, view.zone));
        rows.extend(tail(&below, column, width, theme));
    }
    rows
}

/// Name of a window for people: `5h`, `Weekly`, `Other 5h`.
fn label(window: &LiveWindow<'_>) -> String {
    let name = match window.family_name {
        Some(family) => format!("{} {}", plain(family), window.name),
        None => capital(window.name),
    };
    text::truncate_end(&name, LABEL_MAX).into_owned()
}

/// The same text with a capital letter in front.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

fn reset(window: &LiveWindow<'_>, now: u64, view: &View<'_>) -> String {
    match window.resets_at {
        Some(at) => format!(
            "resets in {} ({})",
            words::span(at.saturating_sub(now)),
            words::moment(at, now, view.zone)
        ),
        None if window.restarted => "has started anew".to_owned(),
        None => "reset time not known".to_owned(),
    }
}

fn bar_row(window: &LiveWindow<'_>, label: &str, column: usize, theme: &Theme) -> Line<'static> {
    let left = window.left();
    let role = match left {
        left if left < SCARCE.1 => Role::Bad,
        left if left < SCARCE.0 => Role::Warn,
        _ => Role::Good,
    };
    let pad = column.saturating_sub(2 + text::width(label));
    let left = words::left(window.used);
    Line::from(vec![
        Span::styled(format!("  {label}{}", " ".repeat(pad)), theme.style(Role::Text)),
        Span::styled("[", theme.style(Role::Dim)),
        Span::styled(words::bar(window.used, BAR), theme.style(role)),
        Span::styled("]", theme.style(Role::Dim)),
        Span::styled(format!("  {left:>4} left"), theme.style(Role::Strong)),
    ])
}

/// What stands below a bar: the parts on one row when they fit, else each on its own.
fn tail(parts: &[(String, Role)], column: usize, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    const BETWEEN: &str = " · ";
    let total: usize = parts.iter().map(|(part, _)| text::width(part)).sum::<usize>()
        + text::width(BETWEEN) * parts.len().saturating_sub(1);
    if parts.is_empty() {
        return Vec::new();
    }
    if column + total > usize::from(width) {
        return parts
            .iter()
            .flat_map(|(part, role)| super::look::wrapped(part, *role, column, width, theme))
            .collect();
    }
    let mut spans = vec![Span::raw(" ".repeat(column))];
    for (index, (part, role)) in parts.iter().enumerate() {
        if index > 0 {
            spans.push(Span::styled(BETWEEN, theme.style(Role::Dim)));
        }
        spans.push(Span::styled(part.clone(), theme.style(*role)));
    }
    vec![Line::from(spans)]
}
