//! Limits in words: names of windows, bars, moments, spans. The same words on the screen, in the status line and on
//! the command line. Pure: the moment and the time zone come in.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::state::Slot;

/// Where people see the usage of their account.
pub(crate) const PAGE: &str = "https://chatgpt.com/codex/settings/usage";

/// A window within five percent of the length has the name.
const NAMES: [(u64, &str); 5] =
    [(300, "5h"), (1440, "daily"), (10_080, "weekly"), (43_200, "monthly"), (525_600, "annual")];

/// Name of a window by its length in minutes.
pub(crate) fn window_name(minutes: Option<u64>, slot: Slot) -> &'static str {
    let near = |minutes: u64, length: u64| minutes.abs_diff(length) * 20 <= length;
    let named = minutes.and_then(|minutes| NAMES.iter().find(|(length, _)| near(minutes, *length)));
    match (named, slot) {
        (Some((_, name)), _) => name,
        (None, Slot::Primary) => "usage",
        (None, Slot::Secondary) => "secondary usage",
    }
}

/// The name of a window as it was written down; `None` for words that name none.
pub(crate) fn known_name(name: &str) -> Option<&'static str> {
    let names = NAMES.iter().map(|(_, name)| *name).chain(["usage", "secondary usage"]);
    names.into_iter().find(|known| *known == name)
}

/// The window that a user means by a word on the command line, in minutes; `None` for words that mean none.
pub(crate) fn window_word(word: &str) -> Option<&'static str> {
    match word.to_ascii_lowercase().as_str() {
        "5h" | "short" => Some("5h"),
        "day" | "daily" => Some("daily"),
        "week" | "weekly" => Some("weekly"),
        "month" | "monthly" => Some("monthly"),
        "year" | "annual" => Some("annual"),
        _ => None,
    }
}

/// What is left in whole percent, rounded down: "1 %" must not mean that there is less. Between 0 and 1 it is "<1".
pub(crate) fn left(used: f64) -> String {
    let left = (100.0 - used).clamp(0.0, 100.0);
    if left > 0.0 && left < 1.0 { "<1%".to_owned() } else { format!("{}%", left.floor() as u8) }
}

/// A share in percent, with one digit after the point below ten.
pub(crate) fn percent(share: f64) -> String {
    let share = if share.is_finite() { share } else { 0.0 };
    let rounded = (share * 10.0).round() / 10.0;
    if rounded.abs() >= 10.0 || rounded.fract() == 0.0 {
        format!("{}%", rounded.round())
    } else {
        format!("{rounded:.1}%")
    }
}

/// A bar of `cells` cells, filled with what is left. Something left is at least one cell, something used too.
pub(crate) fn bar(used: f64, cells: usize) -> String {
    let left = (100.0 - used).clamp(0.0, 100.0);
    let exact = left / 100.0 * cells as f64;
    let mut filled = exact.round() as usize;
    if left > 0.0 {
        filled = filled.max(1);
    }
    if left < 100.0 {
        filled = filled.min(cells.saturating_sub(1));
    }
    let mut bar = "█".repeat(filled.min(cells));
    bar.push_str(&"░".repeat(cells.saturating_sub(filled)));
    bar
}

/// A moment in the user's zone: `15:40` today, `15:40 on 23 Nov` on another day, with the year in another year.
pub(crate) fn moment(at: u64, now: u64, zone: &TimeZone) -> String {
    let (Some(at), Some(now)) = (zoned(at, zone), zoned(now, zone)) else {
        return "an unknown time".to_owned();
    };
    let form = if at.date() == now.date() {
        "%H:%M"
    } else if at.year() == now.year() {
        "%H:%M on %-d %b"
    } else {
        "%H:%M on %-d %b %Y"
    };
    at.strftime(form).to_string()
}

/// A moment with day and year, for what is decided upon.
pub(crate) fn full_moment(at: u64, zone: &TimeZone) -> String {
    zoned(at, zone)
        .map_or_else(|| "an unknown time".to_owned(), |at| at.strftime("%H:%M on %-d %b %Y").to_string())
}

/// A moment for machines: RFC 3339 in UTC.
pub(crate) fn rfc3339(at: u64) -> Option<String> {
    Some(Timestamp::from_second(i64::try_from(at).ok()?).ok()?.to_string())
}

/// A span in at most two parts: `3y`, `3d 4h`, `2h 5m`, `12m`, `40s`.
pub(crate) fn span(seconds: u64) -> String {
    // Hours of what is years away say nothing.
    if seconds >= 2 * 365 * 86_400 {
        return format!("{}y", seconds / (365 * 86_400));
    }
    let (d, h, m, s) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60, seconds % 60);
    match (d, h, m) {
        (0, 0, 0) => format!("{s}s"),
        (0, 0, m) => format!("{m}m"),
        (0, h, 0) => format!("{h}h"),
        (0, h, m) => format!("{h}h {m}m"),
        (d, 0, _) => format!("{d}d"),
        (d, h, _) => format!("{d}d {h}h"),
    }
}

/// How old something is: `just now`, `40s ago`, `3d 4h ago`. Something from the future is from just now.
pub(crate) fn age(at: u64, now: u64) -> String {
    match now.saturating_sub(at) {
        0..=4 => "just now".to_owned(),
        seconds => format!("{} ago", span(seconds)),
    }
}

fn zoned(at: u64, zone: &TimeZone) -> Option<jiff::Zoned> {
    Some(Timestamp::from_second(i64::try_from(at).ok()?).ok()?.to_zoned(zone.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_by_length() {
        let names: Vec<_> = [299, 1440, 10_079, 43_800, 525_600, 77]
            .iter()
            .map(|m| window_name(Some(*m), Slot::Primary))
            .collect();
        assert_eq!(names, ["5h", "daily", "weekly", "monthly", "annual", "usage"]);
        assert_eq!(window_name(None, Slot::Secondary), "secondary usage");
        assert_eq!((window_word("Week"), window_word("fortnight")), (Some("weekly"), None));
    }

    #[test]
    fn shares_and_bars() {
        assert_eq!([0.0, 42.5, 99.0, 99.4, 100.0, 250.0].map(left), ["100%", "57%", "1%", "<1%", "0%", "0%"]);
        assert_eq!([0.04, 0.56, 3.0, 12.34].map(percent), ["0%", "0.6%", "3%", "12%"]);
        assert_eq!(bar(42.0, 10), "██████░░░░");
        assert_eq!(bar(0.0, 4), "████");
        assert_eq!(bar(0.1, 4), "███░");
        assert_eq!(bar(99.9, 4), "█░░░");
        assert_eq!(bar(100.0, 4), "░░░░");
        assert_eq!(bar(50.0, 0), "");
    }

    #[test]
    fn moments_have_a_date_when_not_today() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = 1_795_190_400; // 2026-11-20 17:00 there
        assert_eq!(moment(now + 3600, now, &zone), "18:00");
        assert_eq!(moment(now + 8 * 3600, now, &zone), "01:00 on 21 Nov");
        assert_eq!(moment(now + 60 * 86_400, now, &zone), "17:00 on 19 Jan 2027");
        assert_eq!(full_moment(now, &zone), "17:00 on 20 Nov 2026");
        assert_eq!(moment(u64::MAX, now, &zone), "an unknown time");
        assert_eq!(rfc3339(now).as_deref(), Some("2026-11-20T16:00:00Z"));
    }

    #[test]
    fn spans() {
        let spans = [0, 59, 60, 3600, 3660, 86_400, 97_000, 63_071_999, 63_072_000].map(span);
        assert_eq!(spans, ["0s", "59s", "1m", "1h", "1h 1m", "1d", "1d 2h", "729d 23h", "2y"]);
        assert_eq!(
            (age(90, 100), age(97, 100), age(200, 100)),
            ("10s ago".into(), "just now".into(), "just now".into())
        );
    }
}
