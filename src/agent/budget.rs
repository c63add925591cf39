//! Budgets of turns, threads and days: before each request what was used is held against what is allowed. A budget
//! that is used up ends the turn with a sentence; the next message of the user is the word to go on, and grants the
//! same again for this thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;

use super::services::Services;
use crate::base::ids::TurnId;
use crate::base::tasks::{self, Task};
use crate::limits::AccountLimits;
use crate::limits::budget::{self, Exceeded, Mark, Scope, Sums, Unpriced};
use crate::limits::history;
use crate::limits::refresh::BACKGROUND;
use crate::limits::text;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::Price;

/// Numbers older than this, in seconds, may lack what others used since.
const FRESH_S: u64 = 120;

/// The end of a thread waits no longer than this for the price of its last turn.
const SETTLE: Duration = Duration::from_millis(1500);

/// What a thread keeps of its spending.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// Of the finished turns.
    session: Sums,
    /// The windows when the turn began, or at its first answer when nothing fresh was known before.
    begun: Option<Mark>,
    /// The last turn, as long as its price lacks its last answer.
    due: Option<Due>,
    /// How often a budget was granted beyond the first time.
    granted: BTreeMap<Scope, u32>,
}

/// A finished turn whose price is not known yet.
#[derive(Debug)]
struct Due {
    turn_id: TurnId,
    turn: Unpriced,
    /// What the thread had used before it.
    before: Sums,
    watch: watch::Receiver<Arc<AccountLimits>>,
    /// The reading that was asked for at its end.
    reading: Option<Task<()>>,
}

/// The whole price of a turn.
#[derive(Debug)]
pub(crate) struct Priced {
    /// Which turn.
    pub(crate) turn_id: TurnId,
    /// Percent of each window.
    pub(crate) price: Vec<Price>,
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

    /// An answer has told where the limits stand as it began: before a turn's first one that is what the turn
    /// before it has cost. Later ones cannot be told apart from it any more.
    pub(crate) fn told(&mut self, services: &Services) -> Option<Priced> {
        let priced = self.price(services);
        self.due = None;
        match &priced {
            Some(_) => self.begun = Some(mark(services)),
            None => drop(self.begun.get_or_insert_with(|| mark(services))),
        }
        priced
    }

    /// A turn has ended: its price, and whether that lacks what the last answer cost. That shows only in a reading
    /// which begins now: one is made when the shared numbers are old enough for it, and nobody waits for it here.
    pub(crate) fn end(
        &mut self,
        services: &Services,
        turn_id: TurnId,
        completed: bool,
    ) -> (Vec<Price>, bool) {
        let spent = self.turn(services);
        let session = budget::add(&self.session, &spent);
        let before = std::mem::replace(&mut self.session, session);
        let begun = self.begun.take();
        self.due = None;
        if let (Some(cache), Some(begun), true) = (&services.limits, begun, completed) {
            let (watch, turn) = (cache.watch(), Unpriced { begun, ended_ms: cache.now_ms() });
            let cache = cache.clone();
            let reading = tasks::spawn("price of a turn", async move {
                // Whoever reads first tells it: this one, another window, the next answer.
                let _ = cache.refresh(BACKGROUND).await;
            });
            self.due = Some(Due { turn_id, turn, before, watch, reading: Some(reading) });
        }
        (budget::prices(&spent), true)
    }

    /// Whether the price of the last turn is not known yet.
    pub(crate) fn is_due(&self) -> bool {
        self.due.is_some()
    }

    /// Comes back when the price of the last turn is known. Cancel-safe.
    pub(crate) async fn follow(&mut self, services: &Services) {
        let (Some(due), Some(cache)) = (&mut self.due, &services.limits) else {
            return std::future::pending().await;
        };
        loop {
            let state = due.watch.borrow_and_update().clone();
            if due.turn.whole(&state, cache.now_s()).is_some() {
                return;
            }
            if due.watch.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    /// The thread ends: the reading that was begun for its last turn may still come, for a short while.
    pub(crate) async fn settle(&mut self, services: &Services) -> Option<Priced> {
        if let Some(reading) = self.due.as_mut().and_then(|due| due.reading.take()) {
            let _ = tokio::time::timeout(SETTLE, reading.join()).await;
        }
        self.price(services)
    }

    /// The price of the last turn, when it has become known.
    pub(crate) fn price(&mut self, services: &Services) -> Option<Priced> {
        let cache = services.limits.as_ref()?;
        let whole = self.due.as_ref()?.turn.whole(&cache.get(), cache.now_s())?;
        let due = self.due.take()?;
        self.session = budget::add(&due.before, &whole);
        Some(Priced { turn_id: due.turn_id, price: budget::prices(&whole) })
    }

    /// What the thread had used when it was last written down.
    pub(crate) fn take_over(&mut self, spent: &[Price]) {
        self.session = budget::sums(spent);
    }

    /// What the thread has used, the running turn included.
    pub(crate) fn spent(&self, services: &Services) -> Vec<Price> {
        budget::prices(&budget::add(&self.session, &self.turn(services)))
    }

    /// Whether the next request may leave.
    ///
    /// # Errors
    /// A budget is used up.
    pub(crate) async fn check(&mut self, services: &Services) -> Result<(), ErrorInfo> {
        let budgets = &services.budgets;
        let Some(cache) = services.limits.clone().filter(|_| !budgets.is_empty()) else { return Ok(()) };
        let turn = self.turn(services);
        let session = budget::add(&self.session, &turn);
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
