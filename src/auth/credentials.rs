//! Which credentials count, in this order:
//!
//! 1. what the provider names itself: its `env_key`, its bearer token, or "none needed";
//! 2. for the built-in provider: `CODEX_API_KEY`, `CODEX_ACCESS_TOKEN`, then the stored sign-in, then
//!    `OPENAI_API_KEY`. The last comes last because many have it set for other programs, and a key is billed while
//!    a sign-in is not.

use super::api_key::checked;
use super::document::Stored;
use super::error::Error;
use super::external;
use super::held::Current;
use super::issuer::Issuer;
use super::store::Store;
use super::workspace::Rules;
use crate::base::clean;
use crate::base::secret::Secret;

/// A key of so many bytes is no word of a language.
const LONG: usize = 16;

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

impl Credentials {
    /// What counts. Never touches the network.
    ///
    /// # Errors
    /// There are no credentials, or they cannot be used.
    pub(super) fn current(&self) -> Result<Current, Error> {
        match self {
            Self::None => Ok(Current::Fixed(None)),
            Self::Bearer(token) => fixed(Some(token), "experimental_bearer_token"),
            Self::Variable { provider, name, instructions, value } => match usable(value.as_ref(), name)? {
                Some(key) => Ok(Current::Fixed(Some(key))),
                None => Err(Error::MissingVariable {
                    provider: provider.clone(),
                    name: name.clone(),
                    instructions: instructions.clone(),
                }),
            },
            Self::OpenAi(openai) => openai.current(),
        }
    }
}

impl OpenAi {
    /// Whether what counts is a stored key, which ends with its sign-in; keys of the environment do not.
    pub(super) fn is_stored_key(&self, current: &Current) -> bool {
        let elsewhere = self.codex_api_key.is_some() || self.codex_access_token.is_some();
        matches!(current, Current::Fixed(Some(key)) if !elsewhere && self.openai_api_key.as_ref() != Some(key))
    }

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
pub(super) fn remedy(credentials: &Credentials) -> String {
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

fn fixed(key: Option<&Secret>, from: &str) -> Result<Current, Error> {
    usable(key, from)?.map(|key| Current::Fixed(Some(key))).ok_or(Error::NotSignedIn)
}

/// A key that can be sent; empty counts as not there.
fn usable(key: Option<&Secret>, from: &str) -> Result<Option<Secret>, Error> {
    let key = key.map_or(Ok(None), |key| checked(key.expose(), from))?;
    // Short ones are made-up words for servers that want some key; texts would lose those words.
    key.iter().filter(|key| key.expose().len() >= LONG).for_each(clean::never_show);
    Ok(key)
}
