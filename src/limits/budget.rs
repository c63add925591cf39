//! What a turn has cost, in percent of each window, and the budgets that end it before the next request. Pure. The
//! numbers are those of the service, rounded by it and told with each answer: what the last answer of a turn cost
//! shows only with the next reading, and what other processes use meanwhile is in them too.

use std::collections::BTreeMap;

use super::merge;
use super::require::Share;
use super::state::{AccountLimits, MAIN, Slot};
use super::text;
use crate::protocol::limits::{LimitWindow, Price};

/// The windows of the main family at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Mark(Vec<(Slot, LimitWindow)>);

/// Percent per window.
pub(crate) type Sums = BTreeMap<&'static str, f64>;

/// Budgets as configured.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Budgets {
    /// Of one turn.
    pub(crate) turn: Vec<Share>,
    /// Of one thread since it was opened.
    pub(crate) session: Vec<Share>,
    /// Of one day, over all processes.
    pub(crate) day: Vec<Share>,
}

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// One turn.
    Turn,
    /// One thread since it was opened.
    Session,
    /// One day.
    Day,
}

impl Scope {
    /// For people.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Turn => "turn",
            Self::Session => "session",
            Self::Day => "day",
        }
    }
}

/// A budget that is used up.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exceeded {
    /// Which.
    pub(crate) scope: Scope,
    /// Of which window.
    pub(crate) window: &'static str,
    /// Percent used.
    pub(crate) spent: f64,
    /// Percent allowed.
    pub(crate) allowed: f64,
}

impl Budgets {
    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.turn.is_empty() && self.session.is_empty() && self.day.is_empty()
    }

    /// The first budget of `scope` that `spent` uses up, when it was granted `times` times.
    pub(crate) fn exceeded(&self, scope: Scope, spent: &Sums, times: u32) -> Option<Exceeded> {
        let shares = match scope {
            Scope::Turn => &self.turn,
            Scope::Session => &self.session,
            Scope::Day => &self.day,
        };
        shares.iter().find_map(|share| {
            let (window, allowed) = (share.window, share.percent * f64::from(times));
            let spent = *spent.get(window)?;
            (spent >= allowed && spent > 0.0).then_some(Exceeded { scope, window, spent, allowed })
        })
    }
}

impl Mark {
    /// The windows at `now_s` (our clock); those that have started anew count as unused.
    pub(crate) fn of(state: &AccountLimits, now_s: u64) -> Self {
        let live = state.windows(now_s);
        let windows = live.iter().filter(|window| window.family == MAIN).map(|window| {
            let (used_percent, window_minutes) = (window.used, window.minutes);
            (window.slot, LimitWindow { used_percent, window_minutes, resets_at: window.resets_at })
        });
        Self(windows.collect())
    }

    /// What was used from `self` to `later`. A window that started anew in between counts from its start.
    pub(crate) fn until(&self, later: &Self) -> Sums {
        let mut sums = Sums::new();
        for (slot, new) in &later.0 {
            let Some((_, old)) = self.0.iter().find(|(known, _)| known == slot) else { continue };
            let from = if merge::same(old, new) { old.used_percent } else { 0.0 };
            let spent = (new.used_percent - from).max(0.0);
            *sums.entry(text::window_name(new.window_minutes, *slot)).or_insert(0.0) += spent;
        }
        sums
    }
}

/// Sums as they are told.
pub(crate) fn prices(sums: &Sums) -> Vec<Price> {
    sums.iter().map(|(window, percent)| Price { window: (*window).to_owned(), percent: *percent }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::require;

    fn mark(used5: f64, ends5: u64, used7: f64) -> Mark {
        let window = |used_percent, minutes, at| LimitWindow {
            used_percent,
            window_minutes: Some(minutes),
            resets_at: Some(at),
        };
        Mark(vec![
            (Slot::Primary, window(used5, 300, ends5)),
            (Slot::Secondary, window(used7, 10_080, 900_000)),
        ])
    }

    #[test]
    fn prices_of_turns() {
        let sums = mark(40.0, 9000, 10.0).until(&mark(43.5, 9001, 10.4));
        assert_eq!(sums["5h"], 3.5);
        assert!((sums["weekly"] - 0.4).abs() < 1e-9);
        let restarted = mark(90.0, 9000, 10.0).until(&mark(2.0, 27_000, 10.0));
        assert_eq!((restarted["5h"], restarted["weekly"]), (2.0, 0.0));
        assert!(Mark::default().until(&mark(5.0, 9, 5.0)).is_empty(), "nothing was known before");
        let corrected = mark(40.0, 9000, 10.0).until(&mark(39.5, 9000, 10.0));
        assert_eq!(corrected["5h"], 0.0);
    }

    #[test]
    fn budgets_are_used_up() {
        let budgets = Budgets { turn: require::parse("week=2%,5h=10%").unwrap(), ..Budgets::default() };
        let sums = |week: f64, five: f64| Sums::from([("weekly", week), ("5h", five)]);
        assert_eq!(budgets.exceeded(Scope::Turn, &sums(1.9, 9.9), 1), None);
        assert_eq!(budgets.exceeded(Scope::Turn, &sums(2.0, 0.0), 1).map(|e| e.window), Some("weekly"));
        assert_eq!(budgets.exceeded(Scope::Turn, &sums(2.0, 0.0), 2), None, "granted once more");
        assert_eq!(budgets.exceeded(Scope::Turn, &sums(0.0, 25.0), 2).map(|e| e.allowed), Some(20.0));
        assert_eq!(budgets.exceeded(Scope::Day, &sums(99.0, 99.0), 1), None);
        let nothing = Budgets { turn: require::parse("week=0").unwrap(), ..Budgets::default() };
        assert_eq!(nothing.exceeded(Scope::Turn, &sums(0.0, 0.0), 1), None, "something must have been used");
    }
}
