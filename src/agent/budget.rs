//! Budgets of turns, threads and days: before each request what was used is held against what is allowed. A budget
//! that is used up ends the turn with a sentence; the next message of the user is the word to go on, and grants the
//! same again for this thread.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::services::Services;
use crate::base::tasks;
use crate::limits::budget::{self, Exceeded, Mark, Scope, Sums};
use crate::limits::history;
use crate::limits::refresh::BACKGROUND;
use crate::limits::text;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::Price;

/// Numbers older than this, in seconds, may lack what others used since.
const FRESH_S: u64 = 120;

/// The end of a turn is told at the latest after this, whatever the service does.
const SETTLE: Duration = Duration::from_millis(1500);

/// What a thread keeps of its spending.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Of the finished turns.
    session: Sums,
    /// The windows when the turn began, or at its first answer when nothing fresh was known before.
    begun: Option<Mark>,
    /// How often a budget was granted beyond the first time.
    granted: BTreeMap<Scope, u32>,
}

impl Ledger {
    /// A turn begins.
    pub(crate) fn begin(&mut self, services: &Services) {
        let fresh = services.limits.as_ref().is_some_and(|cache| {
            let told = cache.get().oldest_ms().map(|ms| ms / 1000);
            told.is_some_and(|at| cache.now_s().saturating_sub(at) <= FRESH_S)
        });
        self.begun = fresh.then(|| mark(services));
    }

    /// An answer has told where the limits stand as it began.
    pub(crate) fn told(&mut self, services: &Services) {
        self.begun.get_or_insert_with(|| mark(services));
    }

    /// A turn has ended: what its last answer cost shows only in a reading that begins now. There is one when the
    /// shared numbers are old enough for it, and it is not waited for longer than [`SETTLE`]. False when there was
    /// none, so that the price is that of all answers but the last.
    pub(crate) async fn settle(&self, services: &Services) -> bool {
        let Some(cache) = services.limits.as_ref().filter(|_| self.begun.is_some()) else { return false };
        let ended_ms = cache.now_ms();
        let _ = tokio::time::timeout(SETTLE, cache.refresh(BACKGROUND)).await;
        cache.get().full_read.is_some_and(|read| read.sent_ms >= ended_ms)
    }

    /// A turn has ended: its price.
    pub(crate) fn end(&mut self, services: &Services) -> Vec<Price> {
        let spent = self.turn(services);
        self.session = self.sum(&spent);
        self.begun = None;
        budget::prices(&spent)
    }

    /// What the thread had used when it was last written down.
    pub(crate) fn take_over(&mut self, spent: &[Price]) {
        self.session = budget::sums(spent);
    }

    /// What the thread has used, the running turn included.
    pub(crate) fn spent(&self, services: &Services) -> Vec<Price> {
        budget::prices(&self.sum(&self.turn(services)))
    }

    fn sum(&self, turn: &Sums) -> Sums {
        let mut sum = self.session.clone();
        for (window, percent) in turn {
            *sum.entry(window).or_insert(0.0) += percent;
        }
        sum
    }

    /// Whether the next request may leave.
    ///
    /// # Errors
    /// A budget is used up.
    pub(crate) async fn check(&mut self, services: &Services) -> Result<(), ErrorInfo> {
        let budgets = &services.budgets;
        let Some(cache) = services.limits.clone().filter(|_| !budgets.is_empty()) else { return Ok(()) };
        let turn = self.turn(services);
        let session = self.sum(&turn);
        let day = match budgets.day.is_empty() {
            true => Sums::new(),
            false => {
                let from_ms = midnight().saturating_mul(1000);
                let read = tasks::blocking("read limits history", move || cache.history()).await;
                history::total_since(&history::spent(&read.unwrap_or_default()), from_ms)
            }
        };
        for (scope, spent) in [(Scope::Turn, &turn), (Scope::Session, &session), (Scope::Day, &day)] {
            let granted = self.granted.entry(scope).or_insert(0);
            if let Some(exceeded) = budgets.exceeded(scope, spent, granted.saturating_add(1)) {
                if scope != Scope::Turn {
                    // As often as it takes to cover what was used, and once more.
                    let share = exceeded.allowed / f64::from(granted.saturating_add(1));
                    let covers = if share > 0.0 {
                        (exceeded.spent / share).floor().min(1e6) as u32
                    } else {
                        u32::MAX - 1
                    };
                    *granted = covers.max(*granted);
                }
                return Err(told(&exceeded));
            }
        }
        Ok(())
    }

    fn turn(&self, services: &Services) -> Sums {
        self.begun.as_ref().map(|begun| begun.until(&mark(services))).unwrap_or_default()
    }
}

fn mark(services: &Services) -> Mark {
    services.limits.as_ref().map(|cache| Mark::of(&cache.get(), cache.now_s())).unwrap_or_default()
}

fn told(exceeded: &Exceeded) -> ErrorInfo {
    let Exceeded { scope, window, spent, allowed } = exceeded;
    let message = format!(
        "The budget of this {} is used up: {} of the {window} limit, {} allowed.",
        scope.word(),
        text::percent(*spent),
        text::percent(*allowed),
    );
    ErrorInfo::new(ErrorKind::Budget, message)
        .with_hint("send a message to go on, or change [budget] in config.toml")
}

/// Unix seconds at which the user's day began.
fn midnight() -> u64 {
    let begin = Timestamp::now().to_zoned(TimeZone::system()).start_of_day();
    begin.ok().and_then(|begin| u64::try_from(begin.timestamp().as_second()).ok()).unwrap_or(0)
}
