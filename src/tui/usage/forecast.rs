//! What to expect of a window, and what to do with a reset credit, in the app's rows.

use jiff::tz::TimeZone;
use ratatui::text::Line;

use super::look::{View, wrapped};
use crate::limits::advice::{self, Action, Credits, NextCredit};
use crate::limits::forecast::{self, Forecast};
use crate::limits::state::LiveWindow;
use crate::limits::{advice_text, show};
use crate::protocol::limits::ResetCredit;
use crate::tui::theme::{Role, Theme};

/// What to expect of a window; nothing when too little is known or it is used up.
pub(super) fn of_window(window: &LiveWindow<'_>, now: u64, zone: &TimeZone) -> Option<(String, Role)> {
    let forecast = forecast::of(window, now);
    let role = match forecast {
        Forecast::RunsOut { .. } => Role::Warn,
        Forecast::Unknown | Forecast::Reached | Forecast::Lasts { .. } => Role::Dim,
    };
    show::forecast_words(forecast, now, zone).filter(|_| window.used < 100.0).map(|words| (words, role))
}

/// What to do with a reset credit, in one sentence; nothing without credits.
pub(super) fn advice(view: &View<'_>, width: u16, theme: &Theme) -> Vec<Line<'static>> {
    if let Some(pending) = view.standing.pending {
        let words = advice_text::pending(pending, view.now(), view.zone);
        return wrapped(&words, Role::Warn, 2, width, theme);
    }
    let Some(limits) = view.limits.filter(|_| view.resets().unwrap_or(0) > 0) else { return Vec::new() };
    let advice = advice::advise(&advice::situation(limits, view.now_s, None));
    let role = match advice.action {
        Action::RedeemNow | Action::UseBefore(_) => Role::Warn,
        Action::Unknown | Action::NoCredit | Action::WaitUntil(_) | Action::Hold => Role::Text,
    };
    wrapped(&advice_text::headline(&advice, view.now(), view.zone), role, 2, width, theme)
}

/// The same about one credit, with its sum, for the confirmation. `picked`: `None` leaves it to the service.
pub(super) fn sum(
    view: &View<'_>,
    picked: Option<&ResetCredit>,
    width: u16,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let Some(limits) = view.limits else { return Vec::new() };
    let mut situation = advice::situation(limits, view.now_s, None);
    situation.credits = Credits::Some(NextCredit {
        id: picked.map(|credit| credit.id.clone()),
        title: None,
        expires_at: picked.and_then(|credit| credit.expires_at),
        expiry_unreadable: picked.is_some_and(|credit| credit.expiry_unreadable),
    });
    let mut advice = advice::advise(&situation);
    let role = match advice.action {
        Action::Unknown | Action::NoCredit => return Vec::new(),
        Action::RedeemNow | Action::UseBefore(_) => Role::Text,
        Action::WaitUntil(_) | Action::Hold => Role::Warn,
    };
    let mut rows = wrapped(&advice_text::headline(&advice, view.now(), view.zone), role, 2, width, theme);
    // When it expires stands above already.
    advice.credit = None;
    for line in advice_text::sum(&advice, view.now(), view.zone) {
        rows.extend(wrapped(&line, Role::Dim, 4, width, theme));
    }
    rows
}
