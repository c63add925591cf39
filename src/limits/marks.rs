//! Windows as a redemption remembers them, and whether they have started anew since. Pure: the only judge of
//! "has the reset come?", for the wait after the answer, for the block afterwards and for intents of earlier runs.

use serde::{Deserialize, Serialize};

use super::state::{AccountLimits, MAIN};
use crate::protocol::limits::{AccountReading, LimitWindow, Told};

/// A window that starts anew moves its end by more than this; smaller steps are rounding of the service.
const JITTER_S: u64 = 60;
/// A share that falls by at least this much, in percent, has been reset: rounding falls by less.
const DROP_PCT: f64 = 1.0;

/// One window at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Mark {
    /// Family.
    pub(crate) limit: String,
    /// `primary` or `secondary`.
    pub(crate) window: String,
    /// Length in minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) minutes: Option<u64>,
    /// Share used.
    pub(crate) used_percent: f64,
    /// Unix seconds at which it starts anew by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) resets_at: Option<u64>,
}

/// What became of remembered windows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Moved {
    /// They started anew.
    Yes,
    /// They are the same.
    No,
    /// They came to their end by themselves: a reset cannot be told from that any more.
    Past,
}

/// The windows of the main family, which is the one that reset credits are about.
pub(crate) fn marks(reading: &AccountReading) -> Vec<Mark> {
    let family = reading.families.iter().find(|family| family.id == MAIN);
    let of = |window: &str, told: &Told<LimitWindow>| match told {
        Told::Is(found) => Some(mark(window, found)),
        Told::Silent | Told::Nothing => None,
    };
    family.map_or_else(Vec::new, |family| {
        [of("primary", &family.primary), of("secondary", &family.secondary)].into_iter().flatten().collect()
    })
}

/// The windows of the main family as they are known from readings after `since_ms` (unix milliseconds).
pub(crate) fn known(state: &AccountLimits, since_ms: u64) -> Vec<Mark> {
    let Some(family) = state.families.get(MAIN) else { return Vec::new() };
    let held = [("primary", &family.primary), ("secondary", &family.secondary)];
    let fresh = held.into_iter().filter_map(|(window, held)| {
        held.as_ref().filter(|held| held.at_ms > since_ms).map(|held| mark(window, &held.window))
    });
    fresh.collect()
}

fn mark(window: &str, found: &LimitWindow) -> Mark {
    Mark {
        limit: MAIN.to_owned(),
        window: window.to_owned(),
        minutes: found.window_minutes,
        // A number that is none would not survive the way through JSON.
        used_percent: if found.used_percent.is_finite() { found.used_percent } else { 0.0 },
        resets_at: found.resets_at,
    }
}

/// Whether nothing of any window is used. False when no window is known.
pub(crate) fn untouched(marks: &[Mark]) -> bool {
    !marks.is_empty() && marks.iter().all(|mark| mark.used_percent <= 0.0)
}

/// What became of `before` at `now_s` (unix seconds of the service), when the windows are `now`.
pub(crate) fn moved(before: &[Mark], now: &[Mark], now_s: u64) -> Moved {
    let mut used = before.iter().filter(|mark| mark.used_percent > 0.0).peekable();
    if used.peek().is_none() {
        // Nothing was in use: there is nothing a reset could be seen by.
        return Moved::Yes;
    }
    let mut waiting = used.filter(|mark| mark.resets_at.is_none_or(|at| at > now_s)).peekable();
    if waiting.peek().is_none() {
        return Moved::Past;
    }
    let anew = waiting.any(|old| {
        let same = |mark: &&Mark| mark.limit == old.limit && is_same_length(mark, old);
        now.iter().find(same).is_some_and(|new| is_anew(old, new))
    });
    if anew { Moved::Yes } else { Moved::No }
}

/// The same window: by its length when both tell it, for the service may swap the places.
fn is_same_length(a: &Mark, b: &Mark) -> bool {
    match (a.minutes, b.minutes) {
        (Some(a), Some(b)) => a == b,
        _ => a.window == b.window,
    }
}

fn is_anew(old: &Mark, new: &Mark) -> bool {
    let later = match (old.resets_at, new.resets_at) {
        (Some(old), Some(new)) => new > old.saturating_add(JITTER_S),
        _ => false,
    };
    let emptied = new.used_percent <= 0.0 || old.used_percent - new.used_percent >= DROP_PCT;
    later || (emptied && new.used_percent < old.used_percent)
}

/// The five-hour window of the main limit, for tests.
#[cfg(test)]
pub(crate) fn five_hours(used: f64, resets_at: u64) -> Mark {
    Mark {
        limit: "codex".to_owned(),
        window: "primary".to_owned(),
        minutes: Some(300),
        used_percent: used,
        resets_at: Some(resets_at),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(minutes: u64, used: f64, resets: u64) -> Mark {
        let window = if minutes < 1000 { "primary" } else { "secondary" };
        Mark {
            limit: MAIN.to_owned(),
            window: window.to_owned(),
            minutes: Some(minutes),
            used_percent: used,
            resets_at: Some(resets),
        }
    }

    #[test]
    fn a_reset_is_told_from_rounding_and_from_the_end_of_a_window() {
        let before = [mark(300, 90.0, 1000), mark(10_080, 50.0, 9000)];
        let weekly = mark(10_080, 50.0, 9000);
        for (now_s, now, want) in [
            (500, vec![mark(300, 90.0, 1000), weekly.clone()], Moved::No),
            (500, vec![mark(300, 89.6, 1030), weekly.clone()], Moved::No),
            (500, vec![mark(300, 95.0, 1000), weekly.clone()], Moved::No),
            (500, vec![mark(300, 0.0, 1000), weekly.clone()], Moved::Yes),
            (500, vec![mark(300, 2.0, 18_500), weekly.clone()], Moved::Yes),
            (500, vec![mark(300, 90.0, 1000), mark(10_080, 0.0, 600_000)], Moved::Yes),
            // Swapped places.
            (500, vec![mark(10_080, 50.0, 9000), mark(300, 90.0, 1000)], Moved::No),
            // The short window ended by itself; the long one is what counts.
            (1001, vec![mark(300, 0.0, 19_001), weekly.clone()], Moved::No),
            (1001, vec![mark(300, 0.0, 19_001), mark(10_080, 1.0, 600_000)], Moved::Yes),
            (9001, vec![mark(300, 0.0, 19_001), mark(10_080, 0.0, 700_000)], Moved::Past),
            // A reading that says nothing.
            (500, vec![], Moved::No),
        ] {
            assert_eq!(moved(&before, &now, now_s), want, "{now_s} {now:?}");
        }
        assert_eq!(moved(&[], &[], 0), Moved::Yes);
        assert_eq!(moved(&[mark(300, 0.0, 1000)], &[mark(300, 0.0, 2000)], 500), Moved::Yes);
    }

    #[test]
    fn untouched_windows_are_all_at_zero() {
        assert!(untouched(&[mark(300, 0.0, 1), mark(10_080, 0.0, 1)]));
        assert!(!untouched(&[mark(300, 0.0, 1), mark(10_080, 0.5, 1)]));
        assert!(!untouched(&[]));
    }
}
