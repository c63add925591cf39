//! Renewals of this process: one for all tasks that ask, and they belong to nobody who waits for them, because an
//! interrupted turn must not lose the answer to a token that is spent.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::document::Tokens;
use super::error::{Cause, Error};
use super::held::{Current, Held};
use super::issuer::Reason;
use super::refresh::{self, Job, Renewed, alive, due};
use crate::base::tasks;

/// A renewal that is under way.
pub(super) type Running = Shared<BoxFuture<'static, Result<(), Error>>>;

/// Renewals of this process that are under way.
static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
/// So long the end of the process waits for them.
const FAREWELL: Duration = Duration::from_secs(5);

/// Waits for renewals that are under way: the end of the process would lose the answer to a token that is spent.
pub(crate) async fn settle() {
    let end = Instant::now() + FAREWELL;
    while UNDER_WAY.load(Ordering::Acquire) > 0 && Instant::now() < end {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Counts a renewal for as long as it lives.
struct UnderWay;

impl UnderWay {
    fn new() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::AcqRel);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Held {
    /// Whether these tokens may be renewed before they run out.
    pub(super) fn may_renew_ahead(&self, tokens: &Tokens) -> bool {
        let book = self.book();
        let paused =
            book.pause.is_some_and(|until| Instant::now() < until) && alive(tokens, self.clock.now_s());
        book.settled.as_ref() != Some(&tokens.access) && !paused
    }

    /// Renews `tokens`, once for all who ask.
    pub(super) async fn renew(inner: &Arc<Self>, tokens: &Tokens, reason: Reason) -> Result<(), Error> {
        if let Some(cause) = inner.refused(tokens) {
            return Err(Error::Refused { cause });
        }
        let running = {
            let mut running = inner.running();
            match (&*running, inner.get()) {
                (Some(running), _) => running.clone(),
                (None, Current::ChatGpt(now)) if now.access == tokens.access => {
                    let begun = Self::begin(inner, now, reason)?;
                    *running = Some(begun.clone());
                    begun
                }
                // Somebody was faster.
                (None, _) => return Ok(()),
            }
        };
        running.await
    }

    fn begin(inner: &Arc<Self>, mine: Tokens, reason: Reason) -> Result<Running, Error> {
        let Some((store, issuer, _)) = inner.own.clone() else { return Err(Error::RunOut) };
        let owner = Arc::clone(inner);
        let job = Job { issuer, store, clock: Arc::clone(&inner.clock), reason, mine: mine.clone() };
        let under_way = UnderWay::new();
        let task = tasks::spawn("renew the sign-in", async move {
            let _under_way = under_way;
            let result = refresh::renew(job).await;
            let result = owner.finish(&mine, result);
            *owner.running() = None;
            result
        });
        let ended = |_| Err(Error::RenewalFailed { reason: "the program is ending".to_owned() });
        Ok(async move { task.join().await.unwrap_or_else(ended) }.boxed().shared())
    }

    fn finish(&self, mine: &Tokens, result: Result<Renewed, Error>) -> Result<(), Error> {
        match result {
            Ok(Renewed { tokens, minted }) => {
                let off = due(&tokens, self.clock.now_s()).is_some();
                let mut book = self.book();
                book.settled = off.then(|| tokens.access.clone());
                book.reread = None;
                book.pause = None;
                if minted {
                    book.minted = Some((tokens.access.clone(), Instant::now()));
                }
                drop(book);
                self.set(Current::ChatGpt(tokens));
                Ok(())
            }
            Err(Error::Refused { cause }) => {
                self.book().refused = mine.refresh.clone().map(|token| (token, cause));
                Err(Error::Refused { cause })
            }
            Err(error) => Err(self.stop(error)),
        }
    }

    fn refused(&self, tokens: &Tokens) -> Option<Cause> {
        let book = self.book();
        let (token, cause) = book.refused.as_ref()?;
        (Some(token) == tokens.refresh.as_ref()).then_some(*cause)
    }
}
