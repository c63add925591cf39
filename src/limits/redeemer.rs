//! Redeems for one account, the same for every front end: [`prepare`] tells what a wish comes to, the person says yes,
//! [`start`] begins the [`Redemption`].
//!
//! [`prepare`]: Redeemer::prepare
//! [`start`]: Redeemer::start

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::advice::Pending;
use super::cache::Cache;
use super::intent::{Book, Decision, Reading, decide};
use super::journal::{self, Place};
use super::marks;
use super::redemption::{self, Redemption};
use super::state::AccountLimits;
use crate::backend::{self, Backend, reset_credits, usage};
use crate::base::clock::Clock;
use crate::base::tasks;
use crate::protocol::limits::{AccountReading, ResetCredits, Told};

/// Another process is waited for so long: it has requests, pauses and readings of its own to get through.
pub(super) const PATIENCE: Duration = Duration::from_secs(75);
/// Redeems for one account.
pub(crate) struct Redeemer {
    pub(super) backend: Arc<Backend>,
    home: PathBuf,
    pub(super) account: String,
    pub(super) place: Place,
    /// Learns every reading that is made here.
    cache: Cache,
    pub(super) clock: Arc<dyn Clock>,
}

/// A wish to redeem.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wish {
    /// The credit that was named.
    pub(crate) credit: Option<String>,
    /// Redeem although the windows of the last reset have not started anew.
    pub(crate) force: bool,
    /// Return with the answer, without waiting for the windows.
    pub(crate) no_wait: bool,
    /// Do not wait for another process that is redeeming.
    pub(crate) at_once: bool,
    /// The user was told of a damaged journal and still says yes.
    pub(crate) despite_damage: bool,
}

/// What a wish comes to, before anybody said yes.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// What would be done.
    pub(crate) decision: Decision,
    /// The account as it was read; `None` when an earlier intent comes first, for which nothing need be read.
    pub(crate) reading: Option<Reading>,
    /// The journal was damaged, and is now here.
    pub(crate) damaged: Option<PathBuf>,
    /// Whose account was looked at.
    pub(super) account: String,
    pub(super) last_key: Option<String>,
    pub(super) made_ms: u64,
}

#[cfg(test)]
impl Plan {
    /// A plan that nobody made, for those who show plans.
    pub(crate) fn of(decision: Decision, reading: Option<Reading>) -> Self {
        Self { decision, reading, damaged: None, account: String::new(), last_key: None, made_ms: 0 }
    }
}

/// Why a wish cannot be judged.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The journal cannot be used.
    #[error("{0}")]
    Journal(#[from] journal::Error),
    /// The account cannot be read.
    #[error("{0}")]
    Backend(#[from] backend::Error),
    /// Another process holds the journal and does not let go.
    #[error("another process is redeeming and does not come to its end")]
    Busy,
}

impl Redeemer {
    /// For `account`, whose sign-in `backend` uses.
    pub(crate) fn new(
        backend: Arc<Backend>,
        codex_home: &Path,
        account: &str,
        cache: Cache,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let place = Place::new(codex_home, account);
        let home = codex_home.to_owned();
        Arc::new(Self { backend, home, account: account.to_owned(), place, cache, clock })
    }

    /// The one for the account whose limits are shown now: this one, until another account is signed in.
    pub(crate) fn in_force(self: &Arc<Self>) -> Arc<Self> {
        let account = self.cache.account_id().unwrap_or_default();
        if account == self.account {
            return Arc::clone(self);
        }
        let (backend, clock) = (Arc::clone(&self.backend), Arc::clone(&self.clock));
        Self::new(backend, &self.home, &account, self.cache.clone(), clock)
    }

    /// What is written down, read without waiting for anybody.
    ///
    /// # Errors
    /// The journal cannot be read.
    pub(crate) async fn book(&self) -> Result<Book, Error> {
        let place = self.place.clone();
        Ok(blocking(move || place.peek()).await?.0)
    }

    /// The redemption that is not over, if there is one. A journal that cannot be read is for those who redeem.
    pub(crate) fn pending(&self) -> Option<Pending> {
        self.place.peek().ok()?.0.pending()
    }

    /// Looks at what a wish comes to. Sends nothing, writes nothing but a damaged journal's new name.
    ///
    /// # Errors
    /// The journal or the account cannot be read.
    pub(crate) async fn prepare(&self, wish: &Wish) -> Result<Plan, Error> {
        let (book, damaged) = self.look().await?;
        let made_ms = self.clock.now_ms();
        let last_key = book.last_key().map(str::to_owned);
        let account = self.account.clone();
        let empty = Reading::default();
        if book.intent.is_some() {
            let decision = decide(&book, &empty, wish.credit.as_deref(), wish.force);
            return Ok(Plan { decision, reading: None, damaged, account, last_key, made_ms });
        }
        let reading = self.read().await?;
        let decision = decide(&book, &reading, wish.credit.as_deref(), wish.force);
        Ok(Plan { decision, reading: Some(reading), damaged, account, last_key, made_ms })
    }

    /// Does what the plan says, after the person said yes. Refusals of the plan stay refusals.
    pub(crate) fn start(self: &Arc<Self>, plan: Plan, wish: Wish) -> Redemption {
        redemption::start(Arc::clone(self), plan, wish)
    }

    /// Notes when numbers that were read for another purpose show the effect of the last reset. Never waits for
    /// anybody.
    pub(crate) async fn notice(&self, state: &AccountLimits) {
        let (state, now_s) = (state.clone(), state.server_now(self.clock.now_s()));
        let place = self.place.clone();
        let _ = blocking(move || {
            let seen = |book: &mut Book| {
                let since_ms =
                    book.unseen().map_or(u64::MAX, |receipt| receipt.answered_at.saturating_mul(1000));
                book.notice(&Reading { at: now_s, marks: marks::known(&state, since_ms), credits: None })
            };
            if !seen(&mut place.peek()?.0) {
                return Ok(());
            }
            let Some(journal) = place.take(Duration::ZERO)? else { return Ok(()) };
            let mut book = journal.load()?;
            if seen(&mut book) { journal.store(&book) } else { Ok(()) }
        })
        .await;
    }

    /// The user has heard of the damaged journal; from now on a yes knows of it.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub(crate) async fn damage_told(&self) -> Result<(), Error> {
        let place = self.place.clone();
        let told = blocking(move || {
            let Some(journal) = place.take(Duration::ZERO)? else { return Ok(()) };
            let mut book = journal.load()?;
            if book.damaged.take().is_some() { journal.store(&book) } else { Ok(()) }
        });
        Ok(told.await?)
    }

    /// What is written down; sets a damaged file aside.
    async fn look(&self) -> Result<(Book, Option<PathBuf>), Error> {
        let place = self.place.clone();
        blocking(move || {
            let (book, whole) = place.peek()?;
            if whole && book.damaged.is_none() {
                return Ok(Ok((book, None)));
            }
            let Some(journal) = place.take(PATIENCE)? else { return Ok(Err(Error::Busy)) };
            let book = journal.load()?;
            let damaged = book.damaged.clone();
            Ok(Ok((book, damaged)))
        })
        .await?
    }

    /// Windows and credits, read together.
    pub(super) async fn read(&self) -> Result<Reading, backend::Error> {
        let sent_ms = self.clock.now_ms();
        let (usage, list) = tokio::join!(usage::read(&self.backend), reset_credits::list(&self.backend));
        let (answer, account) = usage?;
        if answer.account_id.as_deref().unwrap_or_default() != self.account {
            return Err(account_changed());
        }
        let list = list.ok();
        let reading = self.reading(&account, list.clone());
        self.cache.adopt(answer.account_id, account, list, sent_ms).await;
        Ok(reading)
    }

    fn reading(&self, account: &AccountReading, list: Option<ResetCredits>) -> Reading {
        let count = match account.reset_count {
            Told::Is(count) => Some(ResetCredits { available_count: count, credits: None }),
            Told::Silent | Told::Nothing => None,
        };
        Reading {
            at: self.clock.now_s().saturating_add_signed(account.clock_ahead_s),
            marks: marks::marks(account),
            credits: list.or(count),
        }
    }
}

/// The error for a plan or an answer of another account.
pub(super) fn account_changed() -> backend::Error {
    backend::Error::Credentials(crate::auth::error::Error::AccountChanged { now: None })
}

/// Work with the journal, where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, journal::Error> + Send + 'static,
) -> Result<T, journal::Error> {
    tasks::blocking("redemption journal", work).await.unwrap_or_else(|failed| Err(failed.into()))
}
