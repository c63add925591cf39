//! What pages are drawn from, and when their words change by themselves.

use jiff::tz::TimeZone;
use ratatui::text::{Line, Span};

use super::standing::Standing;
use crate::limits::AccountLimits;
use crate::tui::text;
use crate::tui::theme::{Role, Theme};

/// What a page may know.
#[derive(Clone, Copy)]
pub(crate) struct View<'a> {
    /// The numbers.
    pub(crate) limits: Option<&'a AccountLimits>,
    /// What the app knows besides.
    pub(crate) standing: &'a Standing,
    /// Unix seconds, our clock.
    pub(crate) now_s: u64,
    /// The user's zone.
    pub(crate) zone: &'a TimeZone,
}

impl View<'_> {
    /// Our time on the service's clock, in unix seconds.
    pub(crate) fn now(&self) -> u64 {
        self.limits.map_or(self.now_s, |limits| limits.server_now(self.now_s))
    }

    /// How many reset credits there are, when it is known.
    pub(crate) fn resets(&self) -> Option<u64> {
        self.limits?.reset_credits.as_ref().map(|held| held.value.available_count)
    }

    /// Seconds until any countdown or age on a page reads differently.
    pub(crate) fn rest_s(&self) -> u64 {
        let Some(limits) = self.limits else { return 60 };
        let now = self.now();
        let windows = limits.windows(self.now_s);
        let resets = windows.iter().filter_map(|window| window.resets_at);
        let list = limits.reset_credits.as_ref().and_then(|held| held.value.credits.as_deref());
        let expiries = list.unwrap_or_default().iter().filter_map(|credit| credit.expires_at);
        let ahead = resets.chain(expiries).filter(|at| *at > now).map(|at| countdown(at - now));
        let age = limits.oldest_ms().map(|ms| self.now_s.saturating_sub(ms / 1000));
        ahead.chain(age.map(older)).min().unwrap_or(60)
    }
}

/// Seconds until a countdown of `left` seconds reads differently: it shows seconds only at its end.
pub(crate) fn countdown(left: u64) -> u64 {
    if left <= 60 { 1 } else { left % 60 + 1 }
}

/// The same for an age.
fn older(age: u64) -> u64 {
    if age < 60 { 1 } else { 60 - age % 60 }
}

/// A text of the service on one row: nothing a terminal could obey, no newlines.
pub(crate) fn plain(raw: &str) -> String {
    text::sanitize(raw).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Text in a role, wrapped, each row `indent` columns in.
pub(crate) fn wrapped(
    words: &str,
    role: Role,
    indent: usize,
    width: u16,
    theme: &Theme,
) -> Vec<Line<'static>> {
    let margin = Line::raw(" ".repeat(indent));
    text::wrap(&Line::from(Span::styled(words.to_owned(), theme.style(role))), width, &margin, &margin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_change_once_a_minute_until_the_last_one() {
        assert_eq!([1, 59, 60, 61, 119, 120, 7300].map(countdown), [1, 1, 1, 2, 60, 1, 41]);
        assert_eq!([0, 59, 60, 119, 3599].map(older), [1, 1, 60, 1, 1]);
    }
}
