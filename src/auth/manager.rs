//! Owner of the current credentials. Which of them counts, in this order:
//!
//! 1. what the provider names itself: its `env_key`, its bearer token, or "none needed";
//! 2. for the built-in provider: `CODEX_API_KEY`, then the stored sign-in, then `OPENAI_API_KEY`. The last comes
//!    last because many have it set for other programs, and a key is billed while a sign-in is not.
//!
//! Tokens are not renewed here yet: after a 401 the store is read again, in case another program did it.

use std::sync::{Arc, Mutex};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::api_key::checked;
use super::error::Error;
use super::source::{Authorization, TokenSource};
use super::store::{Store, Stored, Tokens};
use crate::base::secret::Secret;
use crate::base::tasks;

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
    OpenAi {
        /// `CODEX_API_KEY`.
        codex_api_key: Option<Secret>,
        /// `OPENAI_API_KEY`.
        openai_api_key: Option<Secret>,
        /// The store.
        store: Store,
    },
}

/// Holds the credentials that this process runs as.
#[derive(Debug)]
pub(crate) struct Manager {
    current: Mutex<Current>,
    /// What to do when the service refuses them.
    remedy: String,
    store: Option<Store>,
}

#[derive(Clone, Debug)]
enum Current {
    Fixed(Option<Secret>),
    ChatGpt(Tokens),
}

impl Manager {
    /// Reads what counts. Never touches the network.
    ///
    /// # Errors
    /// There are no credentials, or they cannot be used: better told now than after a request was prepared.
    pub(crate) fn open(credentials: Credentials) -> Result<Arc<Self>, Error> {
        let remedy = remedy(&credentials);
        let (current, store) = match credentials {
            Credentials::None => (Current::Fixed(None), None),
            Credentials::Bearer(token) => (fixed(Some(&token), "experimental_bearer_token")?, None),
            Credentials::Variable { provider, name, instructions, value } => {
                match usable(value.as_ref(), &name)? {
                    Some(key) => (Current::Fixed(Some(key)), None),
                    None => return Err(Error::MissingVariable { provider, name, instructions }),
                }
            }
            Credentials::OpenAi { codex_api_key, openai_api_key, store } => {
                if let Some(key) = usable(codex_api_key.as_ref(), "CODEX_API_KEY")? {
                    (Current::Fixed(Some(key)), None)
                } else {
                    from_store(store, openai_api_key.as_ref())?
                }
            }
        };
        Ok(Arc::new(Self { current: Mutex::new(current), remedy, store }))
    }

    /// Whether requests go out under a ChatGPT sign-in, which has another base address.
    pub(crate) fn is_chatgpt(&self) -> bool {
        matches!(self.get(), Current::ChatGpt(_))
    }

    fn get(&self) -> Current {
        self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    fn set(&self, current: Current) {
        *self.current.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = current;
    }

    fn authorization_now(&self) -> Authorization {
        match self.get() {
            Current::Fixed(bearer) => Authorization { bearer, account_id: None },
            Current::ChatGpt(tokens) => {
                Authorization { bearer: Some(tokens.access), account_id: tokens.account_id }
            }
        }
    }

    /// Takes over the stored tokens if they are of the same account and not those that were refused.
    async fn reload(&self, used: &Authorization) -> Result<bool, Error> {
        let (Current::ChatGpt(mine), Some(store)) = (self.get(), self.store.clone()) else {
            return Ok(false);
        };
        let stored = tasks::blocking("read credentials", move || store.load()).await;
        match stored.unwrap_or(Ok(None))? {
            Some(Stored::ChatGpt(tokens)) if tokens.account_id == mine.account_id => {
                let better = Some(&tokens.access) != used.bearer.as_ref();
                self.set(Current::ChatGpt(tokens));
                Ok(better)
            }
            _ => Err(Error::AccountChanged),
        }
    }
}

impl TokenSource for Manager {
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization, Error>> {
        std::future::ready(Ok(self.authorization_now())).boxed()
    }

    fn remedy(&self) -> String {
        self.remedy.clone()
    }

    fn recover<'a>(&'a self, used: &'a Authorization) -> BoxFuture<'a, Result<bool, Error>> {
        self.reload(used).boxed()
    }
}

/// Names the place the credentials came from: a key stored elsewhere would not help.
fn remedy(credentials: &Credentials) -> String {
    match credentials {
        Credentials::None => "the provider needs a key: set env_key in its configuration".to_owned(),
        Credentials::Variable { name, .. } => format!("check the key in {name}"),
        Credentials::Bearer(_) => "check experimental_bearer_token".to_owned(),
        Credentials::OpenAi { codex_api_key: Some(_), .. } => "check the key in CODEX_API_KEY".to_owned(),
        Credentials::OpenAi { .. } => "store a valid key with: codex login --with-api-key".to_owned(),
    }
}

fn from_store(store: Store, openai_api_key: Option<&Secret>) -> Result<(Current, Option<Store>), Error> {
    match store.load()? {
        Some(Stored::ApiKey(key)) => Ok((fixed(Some(&key), &store.path().display().to_string())?, None)),
        Some(Stored::ChatGpt(tokens)) => Ok((Current::ChatGpt(tokens), Some(store))),
        None => Ok((fixed(openai_api_key, "OPENAI_API_KEY")?, None)),
    }
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
