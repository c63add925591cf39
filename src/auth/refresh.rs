//! One renewal of a sign-in, for all tasks and processes of a home: under the lock, after looking whether somebody
//! else was faster, and only when the result can be kept. A refresh token counts once, and its second use may end the
//! sign-in everywhere: it is marked as sent before it leaves, and the mark goes only when it is certain that the token
//! was not spent, or that what came for it is stored.

use std::sync::Arc;
use std::time::Duration;

use super::document::{self, Answer, Tokens};
use super::error::{Cause, Error};
use super::issuer::{Issuer, Reason};
use super::marks::Marks;
use super::recovery::same_account;
use super::store::{Locks, Store};
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::tasks;

/// A token that runs out within this time is renewed, in seconds.
const AHEAD_S: u64 = 5 * 60;
/// A token that says nothing about its end is renewed when it is so old, in seconds.
const OLD_S: u64 = 8 * 24 * 3600;
/// Tries to save an answer. The token is spent by then: giving up means to lose the sign-in.
const SAVES: u32 = 5;
const SAVE_PAUSE: Duration = Duration::from_millis(200);

/// What is renewed.
#[derive(Clone)]
pub(super) struct Job {
    pub(super) issuer: Issuer,
    pub(super) store: Store,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) reason: Reason,
    /// What this process has.
    pub(super) mine: Tokens,
}

/// What there is now.
#[derive(Clone, Debug)]
pub(super) struct Renewed {
    pub(super) tokens: Tokens,
    /// Whether the service made them for us, just now.
    pub(super) minted: bool,
}

/// Why these tokens should be renewed before they are used, if they should and can.
pub(super) fn due(tokens: &Tokens, now_s: u64) -> Option<Reason> {
    tokens.refresh.as_ref()?;
    match (tokens.expires_at, tokens.last_refresh) {
        (Some(end), _) => (end < now_s.saturating_add(AHEAD_S)).then_some(Reason::Proactive),
        (None, Some(last)) => (last.saturating_add(OLD_S) < now_s).then_some(Reason::Scheduled),
        (None, None) => None,
    }
}

/// Whether these tokens are of use as they are.
pub(super) fn alive(tokens: &Tokens, now_s: u64) -> bool {
    tokens.expires_at.is_none_or(|end| now_s < end)
}

/// Renews, or takes over what another process has renewed.
///
/// # Errors
/// Nothing was sent, or [`Error::Refused`] and [`Error::RenewalFailed`] as the service has it.
pub(super) async fn renew(job: Job) -> Result<Renewed, Error> {
    let first = job.clone();
    let ready = match blocking(move || prepare(&first)).await? {
        Prepared::Taken(tokens) => return Ok(Renewed { tokens: *tokens, minted: false }),
        Prepared::Ready(ready) => ready,
    };
    let from = ready.tokens.provenance.as_ref();
    let answer = match job.issuer.refresh(&ready.refresh, from, job.reason).await {
        Ok(answer) => answer,
        Err(error) => {
            settle(&job.store, &ready.refresh, &error);
            return Err(error);
        }
    };
    let expected = ready.tokens.account_id.as_deref();
    if answer.accounts().any(|account| Some(account.as_str()) != expected) {
        let error = Error::Refused { cause: Cause::OtherAccount };
        settle(&job.store, &ready.refresh, &error);
        return Err(error);
    }
    save(job, *ready, answer).await
}

/// Turns the mark of a token that was sent into what is known about it now.
fn settle(store: &Store, token: &Secret, error: &Error) {
    let marks = Marks::of(store);
    match error {
        // May be spent: the mark says so already.
        Error::Refused { cause: Cause::Unanswered } => {}
        // A cause that we do not know may be a mood of the service; whoever starts next may ask once more.
        Error::Refused { cause } if *cause != Cause::Unknown => drop(marks.put(token, *cause)),
        _ => marks.clear(),
    }
}

enum Prepared {
    /// Somebody else was faster.
    Taken(Box<Tokens>),
    Ready(Box<Ready>),
}

/// All that must be true before a token is spent.
struct Ready {
    locks: Locks,
    tokens: Tokens,
    refresh: Secret,
}

fn prepare(job: &Job) -> Result<Prepared, Error> {
    let locks = match job.store.lock() {
        Ok(locks) => locks,
        // Whoever else may write the file may have renewed the tokens in it.
        Err(error) => {
            let tokens = stored(job)?;
            return if is_better(job, &tokens) {
                Ok(Prepared::Taken(Box::new(tokens)))
            } else {
                Err(replaced(error))
            };
        }
    };
    let tokens = stored(job)?;
    if is_better(job, &tokens) {
        return Ok(Prepared::Taken(Box::new(tokens)));
    }
    let Some(refresh) = tokens.refresh.clone() else { return Err(Error::RunOut) };
    let marks = Marks::of(&job.store);
    if let Some(cause) = marks.get(&refresh) {
        return Err(Error::Refused { cause });
    }
    job.store.check_writable()?;
    marks.put(&refresh, Cause::Unanswered).map_err(|error| job.store.file_error("replaced", &error))?;
    Ok(Prepared::Ready(Box::new(Ready { locks, tokens, refresh })))
}

/// What is stored for the same account.
fn stored(job: &Job) -> Result<Tokens, Error> {
    same_account(job.mine.account_id.as_deref(), job.store.load()?)
}

fn is_better(job: &Job, tokens: &Tokens) -> bool {
    let other = tokens.access != job.mine.access;
    other && (job.reason == Reason::Unauthorized || due(tokens, job.clock.now_s()).is_none())
}

fn replaced(error: Error) -> Error {
    match error {
        Error::File { path, reason, .. } => Error::File { path, doing: "replaced", reason },
        other => other,
    }
}

/// Keeps the answer, if what was renewed is still what is stored.
async fn save(job: Job, ready: Ready, answer: Answer) -> Result<Renewed, Error> {
    blocking(move || {
        let Ready { locks, tokens, refresh } = ready;
        let now_s = job.clock.now_s();
        let marks = Marks::of(&job.store);
        for round in 0..SAVES {
            if round > 0 {
                std::thread::sleep(SAVE_PAUSE);
            }
            // A program without our lock may have signed in or out meanwhile; what it stored stays.
            let Ok(document) = job.store.read() else { continue };
            let mut document = document.unwrap_or_default();
            let stored = document::understand(&document, job.store.path())?;
            let stored = same_account(job.mine.account_id.as_deref(), stored)?;
            if stored.refresh.as_ref() != Some(&refresh) {
                return Ok(Renewed { tokens: stored, minted: false });
            }
            document::merge(&mut document, &answer, now_s);
            if job.store.write(&document).is_ok() {
                marks.clear();
                break;
            }
        }
        // Unsaved tokens still serve this process. A damaged or full disk is told by the next one, and the mark keeps
        // it from sending the old token again.
        drop(locks);
        Ok(Renewed { tokens: with(tokens, &answer, now_s), minted: true })
    })
    .await
}

/// The tokens with those of the answer over them.
fn with(old: Tokens, answer: &Answer, now_s: u64) -> Tokens {
    let access = answer.access.clone().unwrap_or(old.access);
    let read = |token: &Secret| super::claims::read(token.expose());
    Tokens {
        expires_at: read(&access).and_then(|claims| claims.expires_at),
        identity: answer.id.as_ref().and_then(read).unwrap_or(old.identity),
        refresh: answer.refresh.clone().or(old.refresh),
        last_refresh: Some(now_s),
        access,
        account_id: old.account_id,
        provenance: old.provenance,
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let failed = |_| Error::RenewalFailed { reason: "the program is ending".to_owned() };
    tasks::blocking("renew the sign-in", work).await.map_err(failed)?
}

#[cfg(test)]
#[path = "refresh_tests.rs"]
mod tests;
