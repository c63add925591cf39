//! What a turn has cost, in percent of each window, and the budgets that end it before the next request. Pure. The
//! numbers are those of the service, rounded by it and told with each answer: what the last answer of a turn cost
//! shows only with the next reading ([`Unpriced`] waits for it), and what other processes use meanwhile is in them
//! too.

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
    /// Of one thread, over all the times that it was opened.
    pub(crate) session: Vec<Share>,
    /// Of one day, over all processes.
    pub(crate) day: Vec<Share>,
}

/// What a budget is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// One turn.
    Turn,
    /// One thread, over all the times that it was opened.
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

/// A turn that has ended, until somebody tells what its last answer cost.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Unpriced {
    /// The windows when it began.
    pub(crate) begun: Mark,
    /// Unix milliseconds of its end.
    pub(crate) ended_ms: u64,
}

impl Unpriced {
    /// What the whole turn cost, once every window was told after its end; until then nobody knows.
    pub(crate) fn whole(&self, state: &AccountLimits, now_s: u64) -> Option<Sums> {
        let windows = state.windows(now_s);
        let mut main = windows.iter().filter(|window| window.is_main()).peekable();
        main.peek()?;
        main.all(|window| window.at_ms >= self.ended_ms).then(|| self.begun.until(&Mark::of(state, now_s)))
    }
}

/// Two sums together.
pub(crate) fn add(sum: &Sums, more: &Sums) -> Sums {
    let mut sum = sum.clone();
    for (window, percent) in more {
        *sum.entry(window).or_insert(0.0) += percent;
    }
    sum
}

/// Sums as they were written down. What cannot be is left out.
pub(crate) fn sums(prices: &[Price]) -> Sums {
    let good = prices.iter().filter(|price| price.percent.is_finite() && price.percent >= 0.0);
    good.filter_map(|price| Some((text::known_name(&price.window)?, price.percent))).collect()
}

/// Sums as they are told.
pub(crate) fn prices(sums: &Sums) -> Vec<Price> {
    sums.iter().map(|(window, percent)| Price { window: (*window).to_owned(), percent: *percent }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::merge::Writer;
    use crate::limits::require;
    use crate::protocol::limits::LimitsSnapshot;

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
    fn a_turn_is_priced_by_the_first_reading_after_its_end() {
        let reading = |at_ms, five: f64, week: Option<f64>| {
            let mut state = AccountLimits::default();
            let window = |used_percent, minutes| LimitWindow {
                used_percent,
                window_minutes: Some(minutes),
                resets_at: Some(900_000),
            };
            let told = LimitsSnapshot {
                primary: Some(window(five, 300)),
                secondary: week.map(|week| window(week, 10_080)),
                ..LimitsSnapshot::default()
            };
            merge::sparse(&mut state, &told, Writer { account_id: None, at_ms, now_ms: at_ms }).unwrap();
            state
        };
        let before = reading(1000, 40.0, Some(10.0));
        let turn = Unpriced { begun: Mark::of(&before, 1), ended_ms: 5000 };
        let whole = |state: &AccountLimits| turn.whole(state, 5);
        assert_eq!(whole(&AccountLimits::default()), None, "nothing is known");
        assert_eq!(whole(&reading(4999, 43.0, Some(10.0))), None, "the last answer is not in it");
        assert_eq!(whole(&reading(5000, 45.0, Some(11.0))), Some(Sums::from([("5h", 5.0), ("weekly", 1.0)])));
        let mut half = reading(4999, 43.0, Some(10.0));
        let writer = Writer { account_id: None, at_ms: 6000, now_ms: 6000 };
        let told = reading(6000, 45.0, None);
        let five = told.families[MAIN].primary.as_ref().map(|held| held.window);
        merge::sparse(&mut half, &LimitsSnapshot { primary: five, ..LimitsSnapshot::default() }, writer)
            .unwrap();
        assert_eq!(whole(&half), None, "of one window only");
        let nothing = Unpriced { begun: Mark::default(), ended_ms: 5000 };
        assert_eq!(
            nothing.whole(&reading(5000, 45.0, None), 5),
            Some(Sums::new()),
            "nothing to compare with"
        );
    }

    #[test]
    fn sums_are_written_down_and_read() {
        let spent = Sums::from([("5h", 3.5), ("secondary usage", 0.25)]);
        assert_eq!(sums(&prices(&spent)), spent);
        let odd = |window: &str, percent| Price { window: window.to_owned(), percent };
        assert!(sums(&[odd("fortnight", 1.0), odd("5h", f64::NAN), odd("weekly", -1.0)]).is_empty());
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
