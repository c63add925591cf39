//! Owner of the credentials that this process runs as: hands them out, renews them before they run out, and after a
//! 401 does what [`recovery`] says. A sign-in is renewed here and nowhere else.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::credentials::{Credentials, OpenAi, remedy};
use super::document::{Stored, Tokens};
use super::error::Error;
use super::external::{self, Ask, ExternalTokens};
use super::file::Stamp;
use super::held::{Book, Current, Held, load};
use super::issuer::{Issuer, Reason};
use super::recovery::{self, Step};
use super::refresh::{alive, due};
use super::source::{Authorization, TokenSource};
use super::store::Store;
use super::workspace::Rules;
use crate::base::clock::{Clock, SystemClock};

/// After a renewal ahead of time failed, the next one waits so long.
const PAUSE: Duration = Duration::from_secs(60);

/// Holds the credentials that this process runs as.
#[derive(Clone)]
pub(crate) struct Manager {
    inner: Arc<Held>,
}

/// Who is signed in, as far as the tokens say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    /// Account that requests are for.
    pub(crate) account_id: Option<String>,
    /// Address.
    pub(crate) email: Option<String>,
    /// Plan in the server's word.
    pub(crate) plan: Option<String>,
}

impl Manager {
    /// Reads what counts. Never touches the network.
    ///
    /// # Errors
    /// There are no credentials, or they cannot be used: better told now than after a request was prepared.
    pub(crate) fn open(credentials: Credentials) -> Result<Arc<Self>, Error> {
        Self::open_at(credentials, Arc::new(SystemClock))
    }

    pub(super) fn open_at(credentials: Credentials, clock: Arc<dyn Clock>) -> Result<Arc<Self>, Error> {
        let remedy = remedy(&credentials);
        let stamp = match &credentials {
            Credentials::OpenAi(openai) => openai.store.stamp(),
            _ => Stamp::default(),
        };
        let current = credentials.current()?;
        let stored_key =
            matches!(&credentials, Credentials::OpenAi(openai) if openai.is_stored_key(&current));
        let own = match credentials {
            Credentials::OpenAi(openai) => Some((openai.store, openai.issuer, openai.rules)),
            _ => None,
        };
        let remedy = match &current {
            Current::ChatGpt(_) => "sign in again with: codex login".to_owned(),
            _ => remedy,
        };
        Ok(Self::holding(current, Book { stamp, stored_key, ..Book::default() }, remedy, own, clock))
    }

    /// Runs as tokens of a parent application from the start; `openai` tells what else is accepted.
    ///
    /// # Errors
    /// The configuration does not accept their account.
    #[cfg_attr(not(test), allow(dead_code, reason = "the front end for parent applications is its user"))]
    pub(crate) fn of_parent(openai: OpenAi, tokens: ExternalTokens, ask: Ask) -> Result<Arc<Self>, Error> {
        openai.rules.account(Some(&tokens.account_id))?;
        let own = Some((openai.store, openai.issuer, openai.rules));
        let remedy = "sign in again in the application that started codex".to_owned();
        let current = Current::External(tokens, Some(ask));
        Ok(Self::holding(current, Book::default(), remedy, own, Arc::new(SystemClock)))
    }

    fn holding(
        current: Current,
        book: Book,
        remedy: String,
        own: Option<(Store, Issuer, Rules)>,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let (current, book, running) = (Mutex::new(current), Mutex::new(book), Mutex::default());
        let asking = tokio::sync::Mutex::default();
        Arc::new(Self { inner: Arc::new(Held { current, book, running, asking, remedy, own, clock }) })
    }

    /// Whether requests go out under a ChatGPT sign-in, which has another base address.
    pub(crate) fn is_chatgpt(&self) -> bool {
        self.identity().is_some()
    }

    /// Who is signed in; `None` for keys.
    pub(crate) fn identity(&self) -> Option<Identity> {
        match self.inner.get() {
            Current::Fixed(_) => None,
            Current::ChatGpt(Tokens { account_id, identity, .. }) => {
                Some(Identity { account_id, email: identity.email, plan: identity.plan })
            }
            Current::External(tokens, _) => {
                Some(Identity { account_id: Some(tokens.account_id), email: None, plan: tokens.plan })
            }
        }
    }

    /// Goes on as whoever is signed in now, after [`Error::AccountChanged`]. Only the user may decide that.
    ///
    /// # Errors
    /// Nobody is signed in with ChatGPT now, or the configuration does not accept it.
    pub(crate) async fn adopt(&self) -> Result<Identity, Error> {
        let (Current::ChatGpt(_), Some((store, _, rules))) = (self.inner.get(), self.inner.own.clone())
        else {
            return Err(Error::NotSignedIn);
        };
        match load(store).await? {
            Some(Stored::ChatGpt(tokens)) => {
                rules.account(tokens.account_id.as_deref())?;
                self.inner.set(Current::ChatGpt(tokens));
                *self.inner.book() = Book::default();
                self.identity().ok_or(Error::NotSignedIn)
            }
            Some(Stored::ApiKey(_)) => Err(Error::AccountChanged { now: Some("an API key".to_owned()) }),
            None => Err(Error::SignedOut),
        }
    }

    /// Runs as tokens of a parent application from now on.
    ///
    /// # Errors
    /// The configuration does not accept their account.
    #[cfg_attr(not(test), allow(dead_code, reason = "the front end for parent applications is its user"))]
    pub(crate) fn use_external(&self, tokens: ExternalTokens, ask: Ask) -> Result<(), Error> {
        if let Some((_, _, rules)) = &self.inner.own {
            rules.account(Some(&tokens.account_id))?;
        }
        self.inner.set(Current::External(tokens, Some(ask)));
        *self.inner.book() = Book::default();
        Ok(())
    }

    /// The user has signed out in this process: nothing more is sent in that name. `kept`: keys that were never stored
    /// still count.
    pub(crate) fn signed_out(&self, kept: bool) {
        if !kept || matches!(self.inner.get(), Current::ChatGpt(_)) {
            self.inner.stop(Error::SignedOut);
        }
    }

    async fn current(&self) -> Result<Authorization, Error> {
        let inner = &self.inner;
        let Current::ChatGpt(tokens) = inner.get() else {
            inner.follow_key().await;
            return inner.stopped().map_or_else(|| Ok(inner.authorization()), Err);
        };
        if let Some(error) = inner.stopped() {
            return inner.look_again(&tokens, error).await;
        }
        let tokens = inner.follow(tokens).await?;
        let now_s = inner.clock.now_s();
        let Some(reason) = due(&tokens, now_s).filter(|_| inner.may_renew_ahead(&tokens)) else {
            return Ok(inner.authorization());
        };
        match Held::renew(inner, &tokens, reason).await {
            Ok(()) => Ok(inner.authorization()),
            Err(error @ (Error::AccountChanged { .. } | Error::SignedOut)) => Err(error),
            Err(_) if alive(&tokens, now_s) => {
                inner.book().pause = Some(Instant::now() + PAUSE);
                Ok(inner.authorization())
            }
            Err(error) => Err(error),
        }
    }

    async fn after_401(&self, used: &Authorization, since: Instant) -> Result<bool, Error> {
        let inner = &self.inner;
        let current = inner.get();
        match recovery::step(inner.situation(&current, used, since)) {
            Step::Retry => Ok(true),
            Step::Final => Ok(false),
            Step::Reread => inner.reread().await.map(|()| true),
            Step::Renew => match current {
                Current::ChatGpt(tokens) => {
                    Held::renew(inner, &tokens, Reason::Unauthorized).await.map(|()| true)
                }
                _ => Ok(false),
            },
            Step::Ask => self.ask_parent(used).await,
        }
    }

    /// Asks the parent application, once for all who were refused the same token.
    async fn ask_parent(&self, used: &Authorization) -> Result<bool, Error> {
        let inner = &self.inner;
        let _turn = inner.asking.lock().await;
        if inner.authorization().bearer != used.bearer {
            return Ok(true);
        }
        let Current::External(tokens, Some(ask)) = inner.get() else { return Ok(false) };
        let fresh = external::fresh(&ask, &tokens).await?;
        inner.book().minted = Some((fresh.access.clone(), Instant::now()));
        inner.set(Current::External(fresh, Some(ask)));
        Ok(true)
    }
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").finish_non_exhaustive()
    }
}

impl TokenSource for Manager {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        self.current().boxed()
    }

    fn remedy(&self) -> String {
        self.inner.remedy.clone()
    }

    fn recover<'a>(&'a self, used: &'a Authorization) -> BoxFuture<'a, Result<bool, Error>> {
        self.after_401(used, Instant::now()).boxed()
    }

    fn recover_in_turn<'a>(
        &'a self,
        used: &'a Authorization,
        since: Instant,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.after_401(used, since).boxed()
    }
}

#[cfg(test)]
#[path = "manager_tests.rs"]
mod tests;
