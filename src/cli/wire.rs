//! Builds what a thread works with from the configuration: the only place that knows all services at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::housekeeping;
use super::usage_account::Account;
use crate::agent::services::Services;
use crate::agent::settings::Settings;
use crate::approvals::standing::Standing;
use crate::auth::credentials::{Credentials, OpenAi};
use crate::auth::issuer::{Issuer, Overrides};
use crate::auth::manager::Manager;
use crate::auth::store::Store;
use crate::auth::workspace::Rules;
use crate::backend::Backend;
use crate::backend::client::DEFAULT_BASE_URL;
use crate::config::{Config, Env, Layer, Provider};
use crate::limits::budget::Budgets;
use crate::limits::require;
use crate::net::http::HttpSettings;
use crate::process::kept;
use crate::process::shell::Shell;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::policy::SandboxMode;
use crate::protocol::thread::ThreadSource;
use crate::responses::provider::{CHATGPT_BASE_URL, OPENAI_BASE_URL};
use crate::responses::{Client, ProviderSettings, headers};
use crate::sandbox;
use crate::workspace::agents_md;
use crate::workspace::undo::Keeper;

/// A headless run does not wait longer than this for a connection.
const CONNECT_BUDGET_MS: u64 = 60_000;

/// What the sign-in service is told we are.
const SIGN_IN_ORIGINATOR: &str = "codex_cli_rs";

/// Opens the credentials that count for the provider. Never touches the network.
///
/// # Errors
/// There are none, or they cannot be used.
pub(crate) fn credentials(config: &Config, env: &Env) -> Result<Arc<Manager>, ErrorInfo> {
    let provider = &config.provider;
    let credentials = if let Some(name) = &provider.env_key {
        match (env.secret(name), &provider.bearer_token) {
            (None, Some(token)) => Credentials::Bearer(token.clone()),
            (value, _) => Credentials::Variable {
                provider: provider.name.clone(),
                name: name.clone(),
                instructions: provider.env_key_instructions.clone(),
                value,
            },
        }
    } else if let Some(token) = &provider.bearer_token {
        Credentials::Bearer(token.clone())
    } else if provider.requires_openai_auth {
        Credentials::OpenAi(Box::new(OpenAi {
            codex_api_key: env.codex_api_key(),
            codex_access_token: env.secret("CODEX_ACCESS_TOKEN"),
            openai_api_key: env.openai_api_key(),
            store: store(config),
            issuer: issuer(env, Overrides::default())?,
            rules: rules(config),
        }))
    } else {
        Credentials::None
    };
    Manager::open(credentials).map_err(ErrorInfo::from)
}

/// Where the configuration keeps credentials.
pub(crate) fn store(config: &Config) -> Store {
    Store::kept_in(&config.codex_home, config.login.store).hiding(&config.secret_env)
}

/// Which sign-ins the configuration accepts.
pub(crate) fn rules(config: &Config) -> Rules {
    let own = |key: &str| match config.origins.get(key) {
        Some(Layer::System | Layer::User | Layer::Managed) => true,
        Some(Layer::Profile(_) | Layer::Project(_) | Layer::Session) => false,
        None => true,
    };
    Rules {
        method: config.login.forced_method,
        allowed: config.login.allowed_methods.clone(),
        workspaces: config.login.forced_workspaces.clone(),
        lasting: own("forced_login_method") && own("forced_chatgpt_workspace_id"),
    }
}

/// The check at the start of work: credentials as [`credentials`] opens them, after a stored sign-in that the
/// configuration does not accept was removed.
///
/// # Errors
/// As there; also when something was removed.
pub(crate) fn admitted(config: &Config, env: &Env) -> Result<Arc<Manager>, ErrorInfo> {
    if config.provider.requires_openai_auth {
        rules(config).enforce(&store(config))?;
    }
    credentials(config, env)
}

/// The service that signs people in; what stands in the environment counts where nothing was `set` by hand.
///
/// # Errors
/// An address cannot be used.
pub(crate) fn issuer(env: &Env, set: Overrides) -> Result<Issuer, ErrorInfo> {
    let text = |name: &str| env.text(name).map(str::to_owned);
    let overrides = Overrides {
        issuer: set.issuer.or_else(|| text("CODEX_APP_SERVER_LOGIN_ISSUER")),
        client_id: set.client_id.or_else(|| text("CODEX_APP_SERVER_LOGIN_CLIENT_ID")),
        refresh_url: set.refresh_url.or_else(|| text("CODEX_REFRESH_TOKEN_URL_OVERRIDE")),
        revoke_url: set.revoke_url.or_else(|| text("CODEX_REVOKE_TOKEN_URL_OVERRIDE")),
    };
    let originator = env.text("CODEX_INTERNAL_ORIGINATOR_OVERRIDE").unwrap_or(SIGN_IN_ORIGINATOR);
    Ok(Issuer::new(overrides, originator, http(env, originator))?)
}

/// What every HTTP client is made with.
pub(crate) fn http(env: &Env, originator: &str) -> HttpSettings {
    let ca_file = env.text("CODEX_CA_CERTIFICATE").or_else(|| env.text("SSL_CERT_FILE"));
    HttpSettings {
        user_agent: headers::user_agent(originator, env.text("TERM")),
        ca_file: ca_file.map(PathBuf::from),
    }
}

/// Services of one thread, and the account whose limits they use.
///
/// # Errors
/// The provider's address cannot be used.
pub(crate) fn services(
    config: &Config,
    env: &Env,
    manager: Arc<Manager>,
    source: &ThreadSource,
) -> Result<(Services, Option<Account>), ErrorInfo> {
    let originator = env.text("CODEX_INTERNAL_ORIGINATOR_OVERRIDE").unwrap_or(source.originator());
    let unbounded = config.features.enabled("unbounded_connection_retries") && *source == ThreadSource::Cli;
    let budget = (!unbounded).then_some(CONNECT_BUDGET_MS);
    let provider = provider(&config.provider, env, manager.is_chatgpt(), budget);
    let instructions_field = provider.instructions_field;
    let http = http(env, originator);
    let output_dir = housekeeping::outputs(config);
    kept::sweep(&output_dir);
    let account = account(config, http.clone(), &manager)?;
    let services = Services {
        client: Client::new(provider, http, manager)?,
        limits: account.as_ref().map(|account| account.cache.clone()),
        budgets: budgets(config)?,
        instructions_field,
        originator: originator.to_owned(),
        installation_id: None,
        env: env.vars(),
        secret_env: Arc::new(config.secret_env.clone()),
        tmpdir: env.tmpdir().map(Path::to_owned),
        undo: Arc::new(Keeper::new(Some(housekeeping::undo(&config.codex_home)))),
        rules: Arc::new(Standing::load(config.rules.clone())),
        journals: housekeeping::journals(config),
        output_dir,
    };
    Ok((services, account))
}

/// The budgets, understood.
fn budgets(config: &Config) -> Result<Budgets, ErrorInfo> {
    let read = |name: &str, text: &Option<String>| match text.as_deref().map(require::parse) {
        None => Ok(Vec::new()),
        Some(Ok(shares)) => Ok(shares),
        Some(Err(problem)) => {
            let message = format!("The budget `{name}` in config.toml cannot be understood: {problem}.");
            Err(ErrorInfo::new(ErrorKind::BadRequest, message))
        }
    };
    let table = &config.budget;
    Ok(Budgets {
        turn: read("turn", &table.turn)?,
        session: read("session", &table.session)?,
        day: read("day", &table.day)?,
    })
}

/// The account of a ChatGPT sign-in; `None` for keys, or when no client can be made for its API.
///
/// # Errors
/// The address of its API cannot be used.
fn account(
    config: &Config,
    http: HttpSettings,
    manager: &Arc<Manager>,
) -> Result<Option<Account>, ErrorInfo> {
    let Some(identity) = manager.identity() else { return Ok(None) };
    let base = config.login.chatgpt_base_url.as_ref();
    let base = base.map_err(|fault| ErrorInfo::new(ErrorKind::BadRequest, fault.clone()))?;
    let backend = Backend::new(base.as_deref().unwrap_or(DEFAULT_BASE_URL), http, manager.clone()).ok();
    let id = identity.account_id;
    Ok(backend.map(|backend| Account::new(config.codex_home.clone(), Arc::new(backend), id.as_deref())))
}

fn provider(from: &Provider, env: &Env, chatgpt: bool, budget: Option<u64>) -> ProviderSettings {
    let default = if chatgpt { CHATGPT_BASE_URL } else { OPENAI_BASE_URL };
    let base_url = from.base_url.as_deref().unwrap_or(default);
    let plain = |pairs: &[(String, crate::base::secret::Secret)]| -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| (name.clone(), value.expose().to_owned())).collect()
    };
    ProviderSettings {
        name: from.name.clone(),
        query_params: plain(&from.query_params),
        headers: plain(&from.headers(env)),
        request_max_retries: from.request_max_retries,
        stream_max_retries: from.stream_max_retries,
        stream_idle_timeout_ms: from.stream_idle_timeout_ms,
        instructions_field: !chatgpt || from.id != "openai",
        connect_budget_ms: budget,
        ..ProviderSettings::with_base_url(&from.id, base_url)
    }
}

/// Settings of the thread's turns, and sentences for the user about instruction files and the sandbox.
pub(crate) fn settings(config: &Config, env: &Env) -> (Settings, Vec<String>) {
    let docs = agents_md::find(agents_md::Search::from(config));
    let block = docs.block(&config.cwd).unwrap_or_default();
    let shell = Shell::of_user(&env.vars());
    let name = shell.path().file_name().map_or_else(|| "sh".into(), |name| name.to_string_lossy());
    let mut warnings = docs.warnings;
    warnings.extend(store(config).tighten());
    sandbox::remember_in(&config.codex_home);
    if config.sandbox.mode() != SandboxMode::DangerFullAccess {
        warnings.extend(sandbox::gaps().map(str::to_owned));
    }
    let settings = Settings::resolve(config, env.tmpdir(), &name, block);
    if settings.roots.searched_in_part() {
        warnings.push(
            "the workspace is too large to be searched completely: repositories and .env files far below are not \
             protected from commands"
                .to_owned(),
        );
    }
    (settings, warnings)
}
