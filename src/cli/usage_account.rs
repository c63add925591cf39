//! The account behind the words of `codex usage`: the stored ChatGPT sign-in, whatever provider
//! answers the turns.

use std::path::PathBuf;
use std::sync::Arc;

use super::wire;
use crate::auth::credentials::{Credentials, OpenAi};
use crate::auth::issuer::Overrides;
use crate::auth::manager::Manager;
use crate::backend::Backend;
use crate::backend::client::DEFAULT_BASE_URL;
use crate::base::clock::SystemClock;
use crate::config::{Config, Env};
use crate::limits::Cache;
use crate::limits::redeemer::Redeemer;
use crate::protocol::error::ErrorInfo;
use crate::protocol::thread::ThreadSource;

/// The account. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Account {
    /// Asks the service.
    pub(crate) backend: Arc<Backend>,
    /// Redeems.
    pub(crate) redeemer: Arc<Redeemer>,
    /// What is known of its limits, shared with all processes.
    pub(crate) cache: Cache,
    /// Folder of the user's files.
    pub(crate) codex_home: PathBuf,
}

impl Account {
    /// The account of this id, which `backend` is signed in to.
    pub(crate) fn new(codex_home: PathBuf, backend: Arc<Backend>, id: Option<&str>) -> Self {
        let clock = Arc::new(SystemClock);
        let cache = Cache::open(codex_home.clone(), id, Some(Arc::clone(&backend)), clock.clone());
        let redeemer =
            Redeemer::new(Arc::clone(&backend), &codex_home, id.unwrap_or_default(), cache.clone(), clock);
        Self { backend, redeemer, cache, codex_home }
    }
}

/// There is no account to ask for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Nobody is signed in with ChatGPT.
    #[error("This needs a ChatGPT sign-in: codex login")]
    NoSignIn,
    /// The credentials cannot be read.
    #[error("{0}")]
    Credentials(String),
    /// The configuration is wrong.
    #[error("{0}")]
    Setup(String),
}

impl Error {
    /// Exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            Self::NoSignIn | Self::Credentials(_) => 20,
            Self::Setup(_) => 1,
        }
    }

    /// For machines.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::NoSignIn | Self::Credentials(_) => "no_sign_in",
            Self::Setup(_) => "failed",
        }
    }
}

/// Opens the account. Never touches the network.
///
/// # Errors
/// There is none, or its address cannot be used.
pub(crate) fn open(config: &Config, env: &Env) -> Result<Account, Error> {
    let setup = |error: ErrorInfo| Error::Setup(error.to_string());
    let store = wire::store(config);
    let unfit = |error: crate::auth::error::Error| Error::Credentials(ErrorInfo::from(error).to_string());
    // As at the start of a turn: what is not accepted goes, with the same words.
    wire::rules(config).enforce(&store).map_err(unfit)?;
    let manager = Manager::open(Credentials::OpenAi(Box::new(OpenAi {
        codex_api_key: None,
        codex_access_token: env.secret("CODEX_ACCESS_TOKEN"),
        openai_api_key: None,
        store,
        issuer: wire::issuer(env, Overrides::default()).map_err(setup)?,
        rules: wire::rules(config),
    })))
    .map_err(|error| match error {
        crate::auth::error::Error::NotSignedIn => Error::NoSignIn,
        error => unfit(error),
    })?;
    let account_id = manager.identity().ok_or(Error::NoSignIn)?.account_id;
    let originator = env.text("CODEX_INTERNAL_ORIGINATOR_OVERRIDE").unwrap_or(ThreadSource::Cli.originator());
    let settings = wire::http(env, originator);
    let base = config.login.chatgpt_base_url.as_ref().map_err(|fault| Error::Setup(fault.clone()))?;
    let base = base.as_deref().unwrap_or(DEFAULT_BASE_URL);
    let backend = Backend::new(base, settings, manager).map_err(|error| Error::Setup(error.to_string()))?;
    Ok(Account::new(config.codex_home.clone(), Arc::new(backend), account_id.as_deref()))
}
