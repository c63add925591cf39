//! Limit windows in words: their names, what is left, when they start anew.

use crate::protocol::limits::{LimitWindow, LimitsSnapshot};

/// Shares used at which the user is told, in percent.
const WARN_AT: [u8; 3] = [75, 90, 95];
/// From here on a notice stands above the prompt, in percent used.
const NOTICE_FROM: u8 = 90;
/// Shortest name first; a window within five percent of the length has the name.
const NAMES: [(u64, &str); 5] =
    [(300, "5h"), (1440, "daily"), (10_080, "weekly"), (43_200, "monthly"), (525_600, "annual")];

/// Name of a window by its length.
pub(crate) fn name(window: &LimitWindow) -> &'static str {
    let Some(minutes) = window.window_minutes else { return "usage" };
    let near = |length: u64| minutes.abs_diff(length) * 20 <= length;
    NAMES.iter().find(|(length, _)| near(*length)).map_or("usage", |(_, name)| name)
}

/// What is left, in whole percent.
pub(crate) fn left_pct(window: &LimitWindow) -> u8 {
    // Rounded down: "1% left" must not mean that there is less.
    (100.0 - window.used_percent.clamp(0.0, 100.0)).floor() as u8
}

/// Both windows, short one first.
pub(crate) fn windows(limits: &LimitsSnapshot) -> impl Iterator<Item = &LimitWindow> {
    limits.primary.iter().chain(&limits.secondary)
}

/// Adds what a newer reading tells; what it lacks stays.
pub(crate) fn merge(old: &mut LimitsSnapshot, new: &LimitsSnapshot) {
    macro_rules! keep {
        ($($field:ident),*) => { $(if new.$field.is_some() { old.$field.clone_from(&new.$field); })* };
    }
    keep!(limit_id, limit_name, primary, secondary, credits, plan_type, rate_limit_reached_type);
}

/// The notice above the prompt when a window is nearly used up: the fullest one counts.
pub(crate) fn notice(limits: &LimitsSnapshot) -> Option<String> {
    let fullest = windows(limits).min_by_key(|window| left_pct(window))?;
    let left = left_pct(fullest);
    (100 - left >= NOTICE_FROM).then(|| format!("⚠ {} limit: {left}% left · /status", name(fullest)))
}

/// Which thresholds were told, per window, until it starts anew.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    windows: [Option<(Option<u64>, u8)>; 2],
}

impl Told {
    /// The warnings a new reading calls for: the highest threshold newly crossed of each window; none at the limit
    /// itself, where the error says it, and none while there are credits.
    pub(crate) fn warnings(&mut self, limits: &LimitsSnapshot) -> Vec<String> {
        let paid = limits.credits.as_ref().is_some_and(|credits| credits.unlimited || credits.has_credits);
        let mut out = Vec::new();
        for (slot, window) in self.windows.iter_mut().zip([&limits.primary, &limits.secondary]) {
            let Some(window) = window else { continue };
            let known = slot.filter(|(resets, _)| *resets == window.resets_at).map_or(0, |(_, at)| at);
            let used = 100 - left_pct(window);
            let crossed = WARN_AT.into_iter().rev().find(|at| used >= *at).filter(|at| *at > known);
            let Some(at) = crossed else { continue };
            *slot = Some((window.resets_at, at));
            if used < 100 && !paid {
                out.push(format!("Less than {}% of your {} limit is left", 100 - at, name(window)));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::limits::Credits;

    fn window(used: f64, minutes: u64, resets: u64) -> LimitWindow {
        LimitWindow { used_percent: used, window_minutes: Some(minutes), resets_at: Some(resets) }
    }

    fn limits(used: f64, resets: u64) -> LimitsSnapshot {
        LimitsSnapshot { primary: Some(window(used, 300, resets)), ..LimitsSnapshot::default() }
    }

    #[test]
    fn names_by_length() {
        let names = [299, 1440, 10_079, 43_800, 525_600, 77].map(|minutes| name(&window(0.0, minutes, 0)));
        assert_eq!(names, ["5h", "daily", "weekly", "monthly", "annual", "usage"]);
    }

    #[test]
    fn each_threshold_is_told_once_until_the_window_starts_anew() {
        let mut told = Told::default();
        for (used, resets, warned) in [
            (50.0, 1, None),
            (76.0, 1, Some("25%")),
            (80.0, 1, None),
            (96.0, 1, Some("5%")),
            (97.0, 1, None),
            (76.0, 2, Some("25%")),
            (100.0, 2, None),
        ] {
            let warnings = told.warnings(&limits(used, resets));
            assert_eq!(warnings.len(), usize::from(warned.is_some()), "{used}");
            assert!(warned.is_none_or(|part| warnings[0].contains(part)));
        }
        let credits = Some(Credits { has_credits: true, unlimited: false, balance: None });
        let paid = LimitsSnapshot { credits, ..limits(99.0, 3) };
        assert!(Told::default().warnings(&paid).is_empty());
    }

    #[test]
    fn a_partial_reading_keeps_the_rest() {
        let mut old = limits(10.0, 1);
        old.plan_type = Some("plus".to_owned());
        merge(&mut old, &limits(92.5, 1));
        assert_eq!(old.plan_type.as_deref(), Some("plus"));
        assert_eq!(notice(&old).as_deref(), Some("⚠ 5h limit: 7% left · /status"));
        assert_eq!(notice(&limits(89.0, 1)), None);
    }
}
