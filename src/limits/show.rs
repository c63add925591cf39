//! Everything for people, as plain lines of at most the given width: what `codex usage` prints. Pure.

use jiff::tz::TimeZone;

use super::advice::{self, Pending};
use super::advice_text;
use super::forecast::{self, Forecast};
use super::state::{AccountLimits, LiveWindow, STALE_AFTER_S};
use super::text;
use crate::protocol::limits::{Credits, SpendControl};
use crate::responses::usage_limit;

/// Cells of a bar.
const BAR: usize = 20;

/// What the forecast says, in words; `None` when it says nothing.
pub(crate) fn forecast_words(forecast: Forecast, now: u64, zone: &TimeZone) -> Option<String> {
    let at = |at| text::moment(at, now, zone);
    match forecast {
        Forecast::Unknown => None,
        Forecast::Reached => Some("used up".to_owned()),
        Forecast::Lasts { .. } => Some("lasts until the reset".to_owned()),
        Forecast::RunsOut { at: moment, early, late } => {
            let late = late.map_or_else(|| "or not at all".to_owned(), at);
            Some(format!("runs out {} ({} to {late})", at(moment), at(early)).replace(" to or ", " or "))
        }
    }
}

/// When a window starts anew, in words.
pub(crate) fn reset_words(window: &LiveWindow<'_>, now: u64, zone: &TimeZone) -> String {
    match window.resets_at {
        Some(at) => {
            format!("resets {} (in {})", text::moment(at, now, zone), text::span(at.saturating_sub(now)))
        }
        None if window.restarted => "has started anew".to_owned(),
        None => "reset time not known".to_owned(),
    }
}

/// The row of bought credits; none when there are none.
pub(crate) fn credits_words(credits: &Credits) -> Option<String> {
    if credits.unlimited {
        return Some("unlimited".to_owned());
    }
    let balance = credits.balance.as_deref()?.trim().parse::<f64>().ok()?;
    (credits.has_credits && balance.is_finite() && balance > 0.0)
        .then(|| format!("{:.0} credits", balance.ceil()))
}

/// The row of spend control.
pub(crate) fn spend_words(spend: &SpendControl, now: u64, zone: &TimeZone) -> String {
    let mut words = match (&spend.used, &spend.limit) {
        (Some(used), Some(limit)) => format!("{used} of {limit} spent"),
        (_, Some(limit)) => format!("limit {limit}"),
        _ => "limit set".to_owned(),
    };
    if let Some(left) = spend.remaining_percent {
        words.push_str(&format!(", {} left", text::left(100.0 - left)));
    }
    if spend.reached {
        words.push_str(", reached");
    }
    if let Some(at) = spend.resets_at.filter(|at| *at > now) {
        words.push_str(&format!(", resets {}", text::moment(at, now, zone)));
    }
    words
}

/// A line for somebody who hears it: without its bar.
pub(crate) fn spoken(line: &str) -> String {
    let parts = line.split_once('[').and_then(|(name, rest)| Some((name, rest.split_once("] ")?)));
    match parts {
        Some((name, (bar, rest))) if bar.chars().all(|cell| matches!(cell, '█' | '░')) => {
            format!("{} {rest}", name.trim_end())
        }
        _ => line.to_owned(),
    }
}

/// How old the numbers are, with a remark when they are stale.
pub(crate) fn age_words(state: &AccountLimits, now_s: u64) -> String {
    match state.oldest_ms().map(|ms| ms / 1000) {
        Some(at) if now_s.saturating_sub(at) > STALE_AFTER_S => {
            format!("as of {}, may be out of date", text::age(at, now_s))
        }
        Some(at) => format!("as of {}", text::age(at, now_s)),
        None => "no numbers yet".to_owned(),
    }
}

/// The whole account at `now_s` (our clock).
pub(crate) fn lines(
    state: &AccountLimits,
    now_s: u64,
    zone: &TimeZone,
    pending: Option<Pending>,
) -> Vec<String> {
    let now = state.server_now(now_s);
    let plan = state.plan.as_ref().map_or("not known", |plan| plan.value.as_str());
    let mut lines = vec![format!("Plan: {plan} · {}", age_words(state, now_s))];
    let windows = state.windows(now_s);
    let label = |window: &LiveWindow<'_>| match window.family_name {
        Some(family) => format!("{family} {} limit:", window.name),
        None => format!("{} limit:", window.name),
    };
    let width = windows.iter().map(|window| label(window).chars().count()).max().unwrap_or(0);
    for window in &windows {
        lines.push(format!(
            "{:<width$} [{}] {} left, {}",
            label(window),
            text::bar(window.used, BAR),
            text::left(window.used),
            reset_words(window, now, zone),
        ));
        if let Some(words) =
            forecast_words(forecast::of(window, now), now, zone).filter(|_| window.used < 100.0)
        {
            lines.push(format!("{:<width$} {words}", ""));
        }
    }
    if windows.is_empty() {
        lines.push("No limit windows are known.".to_owned());
    }
    if let Some(words) = state.credits.as_ref().and_then(|credits| credits_words(&credits.value)) {
        lines.push(format!("Credits: {words}"));
    }
    if let Some(spend) = &state.spend {
        lines.push(format!("Spend control: {}", spend_words(&spend.value, now, zone)));
    }
    if let Some(resets) = &state.reset_credits {
        let next = resets.value.credits.as_deref().and_then(|list| {
            let first = advice::usable(list, now).first()?.expires_at?;
            Some(format!(
                ", the next expires {} (in {})",
                text::moment(first, now, zone),
                text::span(first - now)
            ))
        });
        let count = resets.value.available_count;
        let next = next.filter(|_| count > 0).unwrap_or_default();
        lines.push(format!("Usage limit resets: {count} available{next}"));
        if count > 0 && pending.is_none() {
            let advice = advice::advise(&advice::situation(state, now_s, pending));
            lines.push(advice_text::headline(&advice, now, zone));
            lines.extend(advice_text::sum(&advice, now, zone).into_iter().map(|line| format!("  {line}")));
        }
    }
    lines.extend(pending.map(|pending| advice_text::pending(pending, now, zone)));
    if state.is_reached(now_s) {
        let reached = state.reached.as_ref().and_then(|reached| usage_limit::of_workspace(&reached.value));
        let why = reached.map(|words| format!(": {words}")).unwrap_or_default();
        lines.push(format!("The usage limit is reached{why}."));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_not_read_aloud() {
        assert_eq!(spoken("5h limit:     [██░░] 18% left"), "5h limit: 18% left");
        for plain in ["Plan: plus", "a [b] c", "[", ""] {
            assert_eq!(spoken(plain), plain);
        }
    }
}
