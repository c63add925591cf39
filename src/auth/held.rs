//! The credentials in use and what is known about them, for all tasks of this process. What is stored takes their place
//! only when it is of the same account.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::document::{Stored, Tokens};
use super::error::{Cause, Error};
use super::external::{Ask, ExternalTokens};
use super::file::Stamp;
use super::issuer::Issuer;
use super::recovery::{Kind, Situation, same_account};
use super::source::Authorization;
use super::store::Store;
use super::under_way::Running;
use super::workspace::Rules;
use crate::base::clock::Clock;
use crate::base::secret::Secret;
use crate::base::tasks;

/// A token that was made within this time is not renewed for a 401, in a turn or outside of one.
const YOUNG: Duration = Duration::from_secs(5 * 60);

/// All of it.
pub(super) struct Held {
    pub(super) current: Mutex<Current>,
    pub(super) book: Mutex<Book>,
    pub(super) running: Mutex<Option<Running>>,
    /// Held by whoever asks a parent application.
    pub(super) asking: tokio::sync::Mutex<()>,
    /// What to do when the service refuses them.
    pub(super) remedy: String,
    /// Store, issuer and rules of a sign-in.
    pub(super) own: Option<(Store, Issuer, Rules)>,
    pub(super) clock: Arc<dyn Clock>,
}

/// The credentials themselves.
#[derive(Clone)]
pub(super) enum Current {
    Fixed(Option<Secret>),
    ChatGpt(Tokens),
    External(ExternalTokens, Option<Ask>),
}

/// What is known about the tokens in use.
#[derive(Default)]
pub(super) struct Book {
    /// Was compared with what is stored.
    pub(super) reread: Option<Secret>,
    /// Was made for this process, and when.
    pub(super) minted: Option<(Secret, Instant)>,
    /// Looked due the moment it was made: the clock is off, and only a 401 counts.
    pub(super) settled: Option<Secret>,
    /// Is never renewed, and why.
    pub(super) refused: Option<(Secret, Cause)>,
    /// No renewal ahead of time before this.
    pub(super) pause: Option<Instant>,
    /// The stored sign-in is of somebody else.
    pub(super) stopped: Option<Error>,
    /// The store as it was when it was looked at.
    pub(super) stamp: Stamp,
    /// What is held is a stored key: it ends with its sign-in.
    pub(super) stored_key: bool,
}

impl Held {
    pub(super) fn get(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, current: Current) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stopped(&self) -> Option<Error> {
        self.book().stopped.clone()
    }

    pub(super) fn authorization(&self) -> Authorization {
        match self.get() {
            Current::Fixed(bearer) => Authorization { bearer, account_id: None },
            Current::ChatGpt(tokens) => {
                Authorization { bearer: Some(tokens.access), account_id: tokens.account_id }
            }
            Current::External(tokens, _) => {
                Authorization { bearer: Some(tokens.access), account_id: Some(tokens.account_id) }
            }
        }
    }

    pub(super) fn situation(&self, current: &Current, used: &Authorization, since: Instant) -> Situation {
        let book = self.book();
        let young = Instant::now().checked_sub(YOUNG).map_or(since, |young| since.min(young));
        let made = book.minted.as_ref().filter(|(token, _)| Some(token) == used.bearer.as_ref());
        Situation {
            kind: match current {
                Current::Fixed(_) | Current::External(_, None) => Kind::Fixed,
                Current::ChatGpt(_) => Kind::Managed,
                Current::External(_, Some(_)) => Kind::External,
            },
            superseded: self.authorization().bearer != used.bearer,
            reread: book.reread.is_some() && book.reread == used.bearer,
            minted_in_turn: made.is_some_and(|(_, at)| *at >= young),
        }
    }

    /// Takes over what is stored, if it is of the same account.
    pub(super) async fn reread(&self) -> Result<(), Error> {
        let (Current::ChatGpt(mine), Some((store, ..))) = (self.get(), self.own.clone()) else {
            return Ok(());
        };
        match load(store).await.and_then(|stored| same_account(mine.account_id.as_deref(), stored)) {
            Ok(tokens) => {
                let mut book = self.book();
                book.stopped = None;
                book.reread = Some(tokens.access.clone());
                drop(book);
                self.set(Current::ChatGpt(tokens));
                Ok(())
            }
            Err(error) => Err(self.stop(error)),
        }
    }

    /// Follows what others did to the file since it was looked at: tokens renewed there are taken over, a sign-out or
    /// another account ends everything. What cannot be read now is no sign-out: what is held still counts.
    pub(super) async fn follow(&self, mine: Tokens) -> Result<Tokens, Error> {
        let Some((store, ..)) = self.own.clone() else { return Ok(mine) };
        let seen = self.book().stamp;
        let look = move || Some(store.stamp()).filter(|now| *now != seen).map(|now| (now, store.load()));
        let looked = tasks::blocking("look whether the sign-in changed", look).await;
        let Some((now, stored)) = looked.ok().flatten() else { return Ok(mine) };
        match stored.and_then(|stored| same_account(mine.account_id.as_deref(), stored)) {
            Ok(tokens) => {
                self.book().stamp = now;
                // Ours are ahead of the file when they could not be written.
                if tokens.access == mine.access || tokens.last_refresh < mine.last_refresh {
                    return Ok(mine);
                }
                self.set(Current::ChatGpt(tokens.clone()));
                Ok(tokens)
            }
            Err(error @ (Error::AccountChanged { .. } | Error::SignedOut)) => Err(self.stop(error)),
            Err(_) => {
                if now[0].is_none() {
                    // Asking a keyring that does not answer for every request would hold up all of them.
                    self.book().stamp = now;
                }
                Ok(mine)
            }
        }
    }

    /// Follows what others did to the stored key that is held: a sign-out, or a sign-in as somebody else, ends its use
    /// until the same key is back.
    pub(super) async fn follow_key(&self) {
        let (Current::Fixed(Some(mine)), Some((store, ..))) = (self.get(), self.own.clone()) else { return };
        let (seen, follows) = {
            let book = self.book();
            (book.stamp, book.stored_key)
        };
        if !follows {
            return;
        }
        let look = move || Some(store.stamp()).filter(|now| *now != seen).map(|now| (now, store.load()));
        let looked = tasks::blocking("look whether the key changed", look).await;
        let Some((now, Ok(stored))) = looked.ok().flatten() else { return };
        let stopped = match stored {
            Some(Stored::ApiKey(key)) if key == mine => None,
            Some(Stored::ApiKey(_)) => {
                Some(Error::AccountChanged { now: Some("another API key".to_owned()) })
            }
            Some(Stored::ChatGpt(tokens)) => same_account(Some(""), Some(Stored::ChatGpt(tokens))).err(),
            None => Some(Error::SignedOut),
        };
        let mut book = self.book();
        (book.stamp, book.stopped) = (now, stopped);
    }

    /// Whether the account is back; until then nothing is sent in its name.
    pub(super) async fn look_again(&self, mine: &Tokens, error: Error) -> Result<Authorization, Error> {
        self.reread().await.map_err(|now| if mine.account_id.is_some() { now } else { error })?;
        Ok(self.authorization())
    }

    /// Remembers an error after which nothing may be sent.
    pub(super) fn stop(&self, error: Error) -> Error {
        if matches!(error, Error::AccountChanged { .. } | Error::SignedOut) {
            self.book().stopped = Some(error.clone());
        }
        error
    }
}

/// What is stored, read without holding others up.
pub(super) async fn load(store: Store) -> Result<Option<Stored>, Error> {
    let ended = |_| Error::RenewalFailed { reason: "the program is ending".to_owned() };
    tasks::blocking("read credentials", move || store.load()).await.map_err(ended)?
}
