//! Plan, bought credits, spend control and reset credits as rows.

use ratatui::text::{Line, Span};

use super::look::{View, plain, wrapped};
use super::windows::capital;
use crate::limits::{advice, show, text as words};
use crate::protocol::limits::{ResetCredit, ResetType};
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// Reset credits that are listed on the first page.
const LISTED: usize = 3;
/// Column of the values.
const COLUMN: usize = 10;

/// Plans that a workspace has, by parts of their names.
const WORKSPACE: [&str; 6] = ["team", "business", "enterprise", "edu", "ent26", "hc"];

/// The plan for people: `Plus`, `Self serve business usage based`.
pub(crate) fn plan_name(plan: &str) -> String {
    capital(&plain(plan).replace('_', " "))
}

/// Whether a plan belongs to a workspace: its owner manages limits and credits.
pub(super) fn is_workspace(plan: &str) -> bool {
    let plan = plan.to_ascii_lowercase();
    let parts: Vec<&str> = plan.split(['_', '-', ' ']).collect();
    WORKSPACE.iter().any(|word| parts.contains(word)) || plan == "education"
}

/// Rows for what there is.
pub(super) fn rows(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let Some(limits) = view.limits else { return Vec::new() };
    let mut rows = Vec::new();
    let mut row = |label: &str, value: String, role: Role| {
        let first = Line::from(Span::styled(
            format!("  {label:<width$}", width = COLUMN - 2),
            theme.style(Role::Text),
        ));
        let rest = Line::raw(" ".repeat(COLUMN));
        rows.extend(text::wrap(&Line::from(Span::styled(value, theme.style(role))), width, &first, &rest));
    };
    if let Some(words) = limits.credits.as_ref().and_then(|held| show::credits_words(&held.value)) {
        row("Credits", words, Role::Text);
    }
    if let Some(spend) = &limits.spend {
        let role = if spend.value.reached { Role::Bad } else { Role::Text };
        row("Spend", plain(&show::spend_words(&spend.value, view.now(), view.zone)), role);
    }
    let workspace = limits.plan.as_ref().is_some_and(|plan| is_workspace(&plan.value));
    match view.resets() {
        None | Some(0) if workspace => {
            row(
                "Managed",
                "by your workspace: its owner can raise limits and add credits".to_owned(),
                Role::Dim,
            );
        }
        None => {}
        Some(0) => row("Resets", "none available".to_owned(), Role::Dim),
        Some(count) => {
            row("Resets", format!("{count} available"), Role::Strong);
            rows.extend(listed(view, width, theme));
        }
    }
    rows
}

/// The reset credits that go first, one row each.
fn listed(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    let now = view.now();
    let held = view.limits.and_then(|limits| limits.reset_credits.as_ref());
    let list = held.and_then(|held| held.value.credits.as_deref()).unwrap_or_default();
    let usable = advice::usable(list, now);
    let mut rows = Vec::new();
    for credit in usable.iter().take(LISTED) {
        let words = format!("{} · {}", title(credit, view), expiry_in_short(credit, view));
        rows.extend(wrapped(&words, expiry_role(credit, now), COLUMN, width, theme));
    }
    if usable.len() > LISTED {
        let more = format!("and {} more", usable.len() - LISTED);
        rows.extend(wrapped(&more, Role::Dim, COLUMN, width, theme));
    }
    rows
}

/// Seconds before its expiry from which a credit stands out.
const SOON_S: u64 = 48 * 3600;

/// How a credit stands out.
pub(super) fn expiry_role(credit: &ResetCredit, now: u64) -> Role {
    match credit.expires_at {
        Some(at) if at.saturating_sub(now) <= SOON_S => Role::Warn,
        _ => Role::Dim,
    }
}

/// Name of a credit: the service's, or what it resets.
pub(super) fn title(credit: &ResetCredit, view: &View<'_>) -> String {
    let named = credit.title.as_deref().map(plain).filter(|title| !title.is_empty());
    named.unwrap_or_else(|| match credit.reset_type {
        ResetType::CodexRateLimits => generic(view),
        ResetType::Unknown => "Reset of an unknown kind".to_owned(),
    })
}

/// What a reset of the main windows is called: `Full reset (weekly + 5h)`.
pub(super) fn generic(view: &View<'_>) -> String {
    let Some(limits) = view.limits else { return "Full reset".to_owned() };
    let plan = limits.plan.as_ref().map(|plan| plan.value.to_ascii_lowercase());
    let mut windows: Vec<_> =
        limits.windows(view.now_s).into_iter().filter(|window| window.is_main()).collect();
    windows.sort_by_key(|window| std::cmp::Reverse(window.minutes));
    let names: Vec<&str> = windows.iter().map(|window| window.name).collect();
    if names.contains(&"monthly") || matches!(plan.as_deref(), Some("free" | "go")) {
        return "Full reset (monthly)".to_owned();
    }
    match names.as_slice() {
        [] => "Full reset".to_owned(),
        names => format!("Full reset ({})", names.join(" + ")),
    }
}

/// When a credit is gone: exact local time and how long that is.
pub(super) fn expiry(credit: &ResetCredit, view: &View<'_>) -> String {
    let now = view.now();
    match credit.expires_at {
        Some(at) if at <= now => format!("expired {}", words::full_moment(at, view.zone)),
        Some(at) => {
            format!("expires in {} ({})", words::span(at - now), words::full_moment(at, view.zone))
        }
        None if credit.expiry_unreadable => "expires at a time that cannot be read".to_owned(),
        None => "does not expire".to_owned(),
    }
}

/// The same with no more of the date than it takes, for a list that is glanced at.
fn expiry_in_short(credit: &ResetCredit, view: &View<'_>) -> String {
    let now = view.now();
    match credit.expires_at {
        Some(at) if at > now => {
            format!("expires in {} ({})", words::span(at - now), words::moment(at, now, view.zone))
        }
        _ => expiry(credit, view),
    }
}

/// When it was granted; nothing when that is not known.
pub(super) fn granted(credit: &ResetCredit, view: &View<'_>) -> Option<String> {
    Some(format!("granted {}", words::full_moment(credit.granted_at?, view.zone)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plans() {
        assert_eq!(plan_name("self_serve_business_usage_based"), "Self serve business usage based");
        for (plan, workspace) in [
            ("plus", false),
            ("Team", true),
            ("self_serve_business_prolite", true),
            ("enterprise_cbp_automation", true),
            ("edu_plus", true),
            ("education", true),
            ("hc", true),
            ("scheduled", false),
            ("", false),
        ] {
            assert_eq!(is_workspace(plan), workspace, "{plan}");
        }
    }
}
