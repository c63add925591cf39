//! Full readings: one per time-to-live for all processes together. Whoever finds the numbers too old takes the
//! fetch lock, looks again (somebody else may just have asked) and asks. A failure counts like an answer for a
//! few seconds, so that ten processes do not all run into it.

use std::time::Duration;

use super::cache::Cache;
use super::merge::{self, Writer};
use super::state::{AccountLimits, Failure};
use crate::backend::{self, reset_credits, usage};
use crate::base::tasks::{self, Task};
use crate::protocol::limits::{AccountReading, ResetCredits};

/// Age at which numbers are read anew when somebody looks at them.
pub(crate) const ON_DEMAND: Duration = Duration::from_secs(5);

/// Age at which they are read anew in the background.
pub(crate) const BACKGROUND: Duration = Duration::from_secs(60);

/// Nobody asks again this soon after a failure, unless the user wants it at once.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// An exchange takes at most ten seconds, with renewed credentials twice that.
const WAIT_FOR_OTHERS: Duration = Duration::from_secs(25);

/// Why the numbers are not fresh. What is known stays readable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Error {
    /// The sign-in does not serve: nothing but signing in helps.
    #[error("{text}")]
    SignIn {
        /// One sentence.
        text: String,
        /// The next step.
        hint: Option<String>,
    },
    /// The service did not give an answer.
    #[error("{}", .0.text)]
    Failed(Failure),
}

impl Error {
    /// Whether signing in is what helps.
    pub(crate) fn is_sign_in(&self) -> bool {
        matches!(self, Self::SignIn { .. })
    }

    /// The next step for the user.
    pub(crate) fn hint(&self) -> Option<&str> {
        match self {
            Self::SignIn { hint, .. } | Self::Failed(Failure { hint, .. }) => hint.as_deref(),
        }
    }
}

impl Cache {
    /// Makes sure that the last full reading is at most `max_age` old.
    ///
    /// # Errors
    /// There is no fresher reading; [`Cache::get`] still has what is known.
    pub(crate) async fn refresh(&self, max_age: Duration) -> Result<(), Error> {
        let asked_ms = self.now_ms();
        if let Some(known) = verdict(&self.get(), max_age, asked_ms, self.now_ms()) {
            return known;
        }
        let _one = self.inner.refreshing.lock().await;
        self.reload().await;
        if let Some(known) = verdict(&self.get(), max_age, asked_ms, self.now_ms()) {
            return known;
        }
        let file = self.file();
        let lock = tasks::blocking("wait for the fetch lock", move || file.fetch_lock(WAIT_FOR_OTHERS)).await;
        let Ok(Some(_lock)) = lock else {
            return Err(self.busy());
        };
        self.reload().await;
        match verdict(&self.get(), max_age, asked_ms, self.now_ms()) {
            Some(known) => known,
            None => self.fetch().await,
        }
    }

    /// Reads anew whenever the numbers are older than [`BACKGROUND`], and follows other processes, as long as the
    /// task is held.
    pub(crate) fn keep_fresh(&self) -> Task<()> {
        let (cache, follow) = (self.clone(), self.follow());
        tasks::spawn("limits refresher", async move {
            let _follow = follow;
            loop {
                // What went wrong is in the state, where readers see it.
                let _ = cache.refresh(BACKGROUND).await;
                let state = cache.get();
                let read = state.full_read.map_or(0, |read| read.done_ms);
                let failed = state.failure.as_ref().map_or(0, |failure| failure.at_ms);
                let age = cache.now_ms().saturating_sub(read.max(failed));
                let rest = (BACKGROUND.as_millis() as u64).saturating_sub(age).clamp(1_000, 60_000);
                tokio::time::sleep(Duration::from_millis(rest)).await;
            }
        })
    }

    async fn fetch(&self) -> Result<(), Error> {
        let Some(backend) = self.inner.backend.clone() else {
            return Err(Error::SignIn {
                text: backend::Error::NotSignedIn.to_string(),
                hint: backend::Error::NotSignedIn.hint(),
            });
        };
        let before = self.file().account_id().map(str::to_owned);
        let sent_ms = self.now_ms();
        let (usage, list) = tokio::join!(usage::read(&backend), reset_credits::list(&backend));
        let (answer, reading) = match usage {
            Ok(read) => read,
            Err(error) => return Err(self.failed(error).await),
        };
        if self.file().account_id() != answer.account_id.as_deref() {
            if answer.account_id == before {
                // Another account signed in while we waited: this answer is not its own.
                return Ok(());
            }
            self.switch(answer.account_id.as_deref());
        }
        self.adopt(answer.account_id, reading, list.ok(), sent_ms).await;
        Ok(())
    }

    /// Takes over a full reading that was asked for at `sent_ms` (unix milliseconds), also one made for another
    /// purpose. Readings of another account are left out.
    pub(crate) async fn adopt(
        &self,
        account_id: Option<String>,
        reading: AccountReading,
        list: Option<ResetCredits>,
        sent_ms: u64,
    ) {
        let now_ms = self.now_ms();
        self.change(move |state| {
            let writer = Writer { account_id: account_id.as_deref(), at_ms: sent_ms, now_ms };
            // The file in force is this account's, or somebody switched again and the next reading is right.
            let _ = merge::full(state, &reading, writer);
            if let Some(list) = list {
                let _ = merge::reset_credits(state, &list, writer);
            }
        })
        .await;
    }

    async fn failed(&self, error: backend::Error) -> Error {
        let (text, hint) = (error.to_string(), error.hint());
        if error.is_sign_in() {
            // Not shared: another process may have better credentials.
            return Error::SignIn { text, hint };
        }
        let failure = Failure { at_ms: self.now_ms(), text, hint };
        let shared = failure.clone();
        self.change(move |state| state.failure = Some(shared)).await;
        Error::Failed(failure)
    }

    fn busy(&self) -> Error {
        let text = "Another process is asking for the limits and gets no answer.".to_owned();
        Error::Failed(Failure { at_ms: self.now_ms(), text, hint: None })
    }
}

/// What is known already: fresh numbers, or a failure that is fresh. `None`: ask.
fn verdict(
    state: &AccountLimits,
    max_age: Duration,
    asked_ms: u64,
    now_ms: u64,
) -> Option<Result<(), Error>> {
    let within = |at_ms: u64, age: Duration| {
        // A stamp from the future comes from a clock that was set back.
        at_ms <= now_ms && now_ms - at_ms <= age.as_millis() as u64
    };
    if let Some(read) = state.full_read
        && (within(read.done_ms, max_age) && !max_age.is_zero()
            || (asked_ms..=now_ms).contains(&read.sent_ms))
    {
        return Some(Ok(()));
    }
    let failure = state.failure.as_ref()?;
    let fresh = within(failure.at_ms, AFTER_FAILURE.min(max_age)) && !max_age.is_zero();
    (fresh || (asked_ms..=now_ms).contains(&failure.at_ms)).then(|| Err(Error::Failed(failure.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::state::FullRead;

    #[test]
    fn when_to_ask() {
        let read = |sent_ms, done_ms| AccountLimits {
            full_read: Some(FullRead { sent_ms, done_ms }),
            ..AccountLimits::default()
        };
        let failed = |at_ms| AccountLimits {
            failure: Some(Failure { at_ms, text: String::new(), hint: None }),
            ..AccountLimits::default()
        };
        let asks = |state: &AccountLimits, age, asked, now| {
            verdict(state, Duration::from_millis(age), asked, now).is_none()
        };
        assert!(asks(&AccountLimits::default(), 5000, 0, 100_000));
        assert!(!asks(&read(95_000, 95_500), 5000, 100_000, 100_000));
        assert!(asks(&read(94_000, 94_500), 5000, 100_000, 100_000));
        assert!(asks(&read(200_000, 200_000), 5000, 100_000, 100_000), "from the future");
        assert!(asks(&read(99_999, 99_999), 0, 100_000, 100_000), "at once");
        assert!(!asks(&read(100_001, 100_500), 0, 100_000, 101_000), "somebody asked after I did");
        assert!(!asks(&failed(98_000), 5000, 100_000, 100_000));
        assert!(asks(&failed(94_000), 60_000, 100_000, 100_000));
        assert!(asks(&failed(98_000), 0, 100_000, 100_000), "the user wants it at once");
    }
}
