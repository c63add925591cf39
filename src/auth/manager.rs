//! Owner of the current credentials. Which of them counts, in this order:
//!
//! 1. what the provider names itself: its `env_key`, its bearer token, or "none needed";
//! 2. for the built-in provider: `CODEX_API_KEY`, `CODEX_ACCESS_TOKEN`, then the stored sign-in, then
//!    `OPENAI_API_KEY`. The last comes last because many have it set for other programs, and a key is billed while
//!    a sign-in is not.
//!
//! A sign-in is renewed here and nowhere else: before it runs out, and after a 401 as [`recovery`] says. A renewal
//! belongs to nobody who waits for it: an interrupted turn must not lose the answer to a token that is spent.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};

use super::api_key::checked;
use super::document::{Stored, Tokens};
use super::error::{Cause, Error};
use super::external::{self, Ask, ExternalTokens};
use super::issuer::{Issuer, Reason};
use super::recovery::{self, Kind, Situation, Step, same_account};
use super::refresh::{self, Job, Renewed, alive, due};
use super::source::{Authorization, TokenSource};
use super::store::Store;
use super::workspace::Rules;
use crate::base::clock::{Clock, SystemClock};
use crate::base::secret::Secret;
use crate::base::tasks;

/// A token that was made within this time is not renewed for a 401, in a turn or outside of one.
const YOUNG: Duration = Duration::from_secs(5 * 60);
/// After a renewal ahead of time failed, the next one waits so long.
const PAUSE: Duration = Duration::from_secs(60);

/// Where a provider's credentials come from, as the configuration says. Values of variables are resolved.
#[derive(Clone, Debug)]
pub(crate) enum Credentials {
    /// The provider wants none.
    None,
    /// `env_key`.
    Variable {
        /// Name of the provider, for the error.
        provider: String,
        /// The variable.
        name: String,
        /// `env_key_instructions`.
        instructions: Option<String>,
        /// Its value, when set.
        value: Option<Secret>,
    },
    /// `experimental_bearer_token`.
    Bearer(Secret),
    /// The built-in provider, and others with `requires_openai_auth`.
    OpenAi(Box<OpenAi>),
}

/// Credentials of OpenAI's own services.
#[derive(Clone, Debug)]
pub(crate) struct OpenAi {
    /// `CODEX_API_KEY`.
    pub(crate) codex_api_key: Option<Secret>,
    /// `CODEX_ACCESS_TOKEN`.
    pub(crate) codex_access_token: Option<Secret>,
    /// `OPENAI_API_KEY`.
    pub(crate) openai_api_key: Option<Secret>,
    /// The store.
    pub(crate) store: Store,
    /// Who renews a sign-in.
    pub(crate) issuer: Issuer,
    /// Which sign-ins are accepted.
    pub(crate) rules: Rules,
}

/// Holds the credentials that this process runs as.
#[derive(Clone)]
pub(crate) struct Manager {
    inner: Arc<Inner>,
}

struct Inner {
    current: Mutex<Current>,
    book: Mutex<Book>,
    running: Mutex<Option<Running>>,
    /// What to do when the service refuses them.
    remedy: String,
    /// Store, issuer and rules of a sign-in.
    own: Option<(Store, Issuer, Rules)>,
    clock: Arc<dyn Clock>,
}

/// A renewal that is under way.
type Running = Shared<BoxFuture<'static, Result<(), Error>>>;

#[derive(Clone)]
enum Current {
    Fixed(Option<Secret>),
    ChatGpt(Tokens),
    External(ExternalTokens, Option<Ask>),
}

/// What is known about the tokens in use.
#[derive(Default)]
struct Book {
    /// Was compared with what is stored.
    reread: Option<Secret>,
    /// Was made for this process, and when.
    minted: Option<(Secret, Instant)>,
    /// Looked due the moment it was made: the clock is off, and only a 401 counts.
    settled: Option<Secret>,
    /// Is never renewed, and why.
    refused: Option<(Secret, Cause)>,
    /// No renewal ahead of time before this.
    pause: Option<Instant>,
    /// The stored sign-in is of somebody else.
    stopped: Option<Error>,
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
        let mut own = None;
        let current = match credentials {
            Credentials::None => Current::Fixed(None),
            Credentials::Bearer(token) => fixed(Some(&token), "experimental_bearer_token")?,
            Credentials::Variable { provider, name, instructions, value } => {
                match usable(value.as_ref(), &name)? {
                    Some(key) => Current::Fixed(Some(key)),
                    None => return Err(Error::MissingVariable { provider, name, instructions }),
                }
            }
            Credentials::OpenAi(openai) => {
                let current = openai.current()?;
                own = Some((openai.store, openai.issuer, openai.rules));
                current
            }
        };
        let remedy = match &current {
            Current::ChatGpt(_) => "sign in again with: codex login".to_owned(),
            _ => remedy,
        };
        let (current, book, running) = (Mutex::new(current), Mutex::default(), Mutex::default());
        Ok(Arc::new(Self { inner: Arc::new(Inner { current, book, running, remedy, own, clock }) }))
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

    async fn current(&self) -> Result<Authorization, Error> {
        let inner = &self.inner;
        let Current::ChatGpt(tokens) = inner.get() else { return Ok(inner.authorization()) };
        if let Some(error) = inner.stopped() {
            return inner.look_again(&tokens, error).await;
        }
        let now_s = inner.clock.now_s();
        let Some(reason) = due(&tokens, now_s).filter(|_| inner.may_renew_ahead(&tokens)) else {
            return Ok(inner.authorization());
        };
        match Inner::renew(inner, &tokens, reason).await {
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
                    Inner::renew(inner, &tokens, Reason::Unauthorized).await.map(|()| true)
                }
                _ => Ok(false),
            },
            Step::Ask => match current {
                Current::External(tokens, Some(ask)) => {
                    let fresh = external::fresh(&ask, &tokens).await?;
                    inner.book().minted = Some((fresh.access.clone(), Instant::now()));
                    inner.set(Current::External(fresh, Some(ask)));
                    Ok(true)
                }
                _ => Ok(false),
            },
        }
    }
}

impl std::fmt::Debug for Manager {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Manager").finish_non_exhaustive()
    }
}

impl Inner {
    fn get(&self) -> Current {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, current: Current) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = current;
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopped(&self) -> Option<Error> {
        self.book().stopped.clone()
    }

    fn authorization(&self) -> Authorization {
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

    fn may_renew_ahead(&self, tokens: &Tokens) -> bool {
        let book = self.book();
        let paused =
            book.pause.is_some_and(|until| Instant::now() < until) && alive(tokens, self.clock.now_s());
        book.settled.as_ref() != Some(&tokens.access) && !paused
    }

    fn situation(&self, current: &Current, used: &Authorization, since: Instant) -> Situation {
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
    async fn reread(&self) -> Result<(), Error> {
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

    /// Whether the account is back; until then nothing is sent in its name.
    async fn look_again(&self, mine: &Tokens, error: Error) -> Result<Authorization, Error> {
        self.reread().await.map_err(|now| if mine.account_id.is_some() { now } else { error })?;
        Ok(self.authorization())
    }

    /// Remembers an error after which nothing may be sent.
    fn stop(&self, error: Error) -> Error {
        if matches!(error, Error::AccountChanged { .. } | Error::SignedOut) {
            self.book().stopped = Some(error.clone());
        }
        error
    }

    /// Renews `tokens`, once for all who ask.
    async fn renew(inner: &Arc<Self>, tokens: &Tokens, reason: Reason) -> Result<(), Error> {
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

impl OpenAi {
    /// What counts.
    fn current(&self) -> Result<Current, Error> {
        if let Some(key) = usable(self.codex_api_key.as_ref(), "CODEX_API_KEY")? {
            self.rules.key()?;
            return Ok(Current::Fixed(Some(key)));
        }
        if let Some(token) = &self.codex_access_token {
            let tokens = external::read(token.expose(), "CODEX_ACCESS_TOKEN")?;
            self.rules.account(Some(&tokens.account_id))?;
            return Ok(Current::External(tokens, None));
        }
        let stored = self.store.load()?;
        if let Some(stored) = &stored {
            self.rules.stored(stored)?;
        }
        match stored {
            Some(Stored::ApiKey(key)) => fixed(Some(&key), &self.store.path().display().to_string()),
            Some(Stored::ChatGpt(tokens)) => Ok(Current::ChatGpt(tokens)),
            None if self.rules.key().is_err() => Err(Error::NotSignedIn),
            None => fixed(self.openai_api_key.as_ref(), "OPENAI_API_KEY"),
        }
    }
}

/// Names the place the credentials came from: a key stored elsewhere would not help.
fn remedy(credentials: &Credentials) -> String {
    match credentials {
        Credentials::None => "the provider needs a key: set env_key in its configuration".to_owned(),
        Credentials::Variable { name, .. } => format!("check the key in {name}"),
        Credentials::Bearer(_) => "check experimental_bearer_token".to_owned(),
        Credentials::OpenAi(openai) if openai.codex_api_key.is_some() => {
            "check the key in CODEX_API_KEY".to_owned()
        }
        Credentials::OpenAi(openai) if openai.codex_access_token.is_some() => {
            "check the token in CODEX_ACCESS_TOKEN".to_owned()
        }
        Credentials::OpenAi(_) => "store a valid key with: codex login --with-api-key".to_owned(),
    }
}

async fn load(store: Store) -> Result<Option<Stored>, Error> {
    let ended = |_| Error::RenewalFailed { reason: "the program is ending".to_owned() };
    tasks::blocking("read credentials", move || store.load()).await.map_err(ended)?
}

fn fixed(key: Option<&Secret>, from: &str) -> Result<Current, Error> {
    usable(key, from)?.map(|key| Current::Fixed(Some(key))).ok_or(Error::NotSignedIn)
}

/// A key that can be sent; empty counts as not there.
fn usable(key: Option<&Secret>, from: &str) -> Result<Option<Secret>, Error> {
    key.map_or(Ok(None), |key| checked(key.expose(), from))
}

#[cfg(test)]
#[path = "manager_tests.rs"]
mod tests;
