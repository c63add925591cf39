//! The provider that answers: a built-in one, or one of the file's. Everything secret in it stays a secret until
//! it stands in a header.

use crate::base::reach::Reach;
use crate::base::secret::{KEY_VARIABLES, Secret};

use super::env::Env;
use super::error::{Error, Place};
use super::schema::choice::Choice;
use super::schema::providers::{Entry, IN_CLEAR, LocalProvider, ProviderTable, is_open};

/// Repeats of one request.
const REQUEST_RETRIES: u32 = 4;
/// Repeats after a broken stream.
const STREAM_RETRIES: u32 = 5;
/// More repeats than this only hide a dead server.
const RETRIES_MAX: u64 = 100;
/// Longest silence of a stream, in milliseconds.
const IDLE_TIMEOUT_MS: u64 = 300_000;

/// Where requests go and how they are signed.
#[derive(Clone, Debug)]
pub(crate) struct Provider {
    /// Its id in the configuration.
    pub(crate) id: String,
    /// Its name for people.
    pub(crate) name: String,
    /// URL up to the resource name, without a slash at the end; `None` means OpenAI's, which depends on the
    /// kind of sign-in.
    pub(crate) base_url: Option<String>,
    /// Variable that holds the key.
    pub(crate) env_key: Option<String>,
    /// How to get a key, told when the variable is missing.
    pub(crate) env_key_instructions: Option<String>,
    /// The key itself, written in the file.
    pub(crate) bearer_token: Option<Secret>,
    /// Whether the sign-in of `codex login` is used.
    pub(crate) requires_openai_auth: bool,
    /// Added to the URL.
    pub(crate) query_params: Vec<(String, Secret)>,
    /// Added to the headers.
    pub(crate) http_headers: Vec<(String, Secret)>,
    /// Headers whose values are in variables: header, variable.
    pub(crate) env_http_headers: Vec<(String, String)>,
    /// Repeats of one request.
    pub(crate) request_max_retries: u32,
    /// Repeats after a broken stream.
    pub(crate) stream_max_retries: u32,
    /// Longest silence of a stream, in milliseconds.
    pub(crate) stream_idle_timeout_ms: u64,
}

impl Provider {
    /// All additional headers; those whose variable is unset or empty are left out.
    pub(crate) fn headers(&self, env: &Env) -> Vec<(String, Secret)> {
        let from_env = self
            .env_http_headers
            .iter()
            .filter_map(|(header, variable)| Some((header.clone(), env.secret(variable)?)));
        self.http_headers.iter().cloned().chain(from_env).collect()
    }

    /// OpenAI's own.
    fn openai(base_url: Option<String>) -> Self {
        Self { base_url, requires_openai_auth: true, ..Self::plain("openai", "OpenAI") }
    }

    /// A server on this machine. `CODEX_OSS_BASE_URL` and `CODEX_OSS_PORT` move it.
    fn local(kind: LocalProvider, env: &Env) -> Self {
        let (name, port) = match kind {
            LocalProvider::Ollama => ("Ollama", 11434),
            LocalProvider::LmStudio => ("LM Studio", 1234),
        };
        let port = env.text("CODEX_OSS_PORT").and_then(|port| port.parse().ok()).unwrap_or(port);
        let base_url = match env.text("CODEX_OSS_BASE_URL") {
            Some(url) => url.trim_end_matches('/').to_owned(),
            None => format!("http://localhost:{port}/v1"),
        };
        Self { base_url: Some(base_url), ..Self::plain(kind.word(), name) }
    }

    fn own(id: &str, entry: Entry) -> Self {
        let plain = Self::plain(id, entry.name.as_deref().unwrap_or(id));
        let retries = |set: Option<u64>, default: u32| {
            set.map_or(default, |retries| u32::try_from(retries.min(RETRIES_MAX)).unwrap_or(default))
        };
        Self {
            base_url: entry.base_url,
            env_key: entry.env_key,
            env_key_instructions: entry.env_key_instructions,
            bearer_token: entry.bearer_token,
            requires_openai_auth: entry.requires_openai_auth,
            query_params: entry.query_params,
            http_headers: entry.http_headers,
            env_http_headers: entry.env_http_headers,
            request_max_retries: retries(entry.request_max_retries, plain.request_max_retries),
            stream_max_retries: retries(entry.stream_max_retries, plain.stream_max_retries),
            stream_idle_timeout_ms: entry.stream_idle_timeout_ms.unwrap_or(plain.stream_idle_timeout_ms),
            ..plain
        }
    }

    fn plain(id: &str, name: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: name.to_owned(),
            base_url: None,
            env_key: None,
            env_key_instructions: None,
            bearer_token: None,
            requires_openai_auth: false,
            query_params: Vec::new(),
            http_headers: Vec::new(),
            env_http_headers: Vec::new(),
            request_max_retries: REQUEST_RETRIES,
            stream_max_retries: STREAM_RETRIES,
            stream_idle_timeout_ms: IDLE_TIMEOUT_MS,
        }
    }
}

/// Variables that hold keys of this or any other provider: commands have no business with them.
pub(crate) fn secret_variables(table: &ProviderTable) -> Vec<String> {
    let own = table.own.values().flat_map(|entry| {
        entry.env_key.iter().chain(entry.env_http_headers.iter().map(|(_, variable)| variable)).cloned()
    });
    let fixed = KEY_VARIABLES.into_iter().map(str::to_owned);
    let mut names: Vec<String> = fixed.chain(own).collect();
    names.sort();
    names.dedup();
    names
}

/// The model that `--oss` means when the command line names none.
pub(crate) fn local_model(table: &ProviderTable) -> &'static str {
    match table.local {
        Some(LocalProvider::LmStudio) => "openai/gpt-oss-20b",
        Some(LocalProvider::Ollama) | None => "gpt-oss:20b",
    }
}

/// Picks the provider: `--oss`, else `model_provider`, else OpenAI. Returns a warning where one is due.
///
/// # Errors
/// The chosen one is not defined, or nobody said where it is.
pub(crate) fn pick(
    mut table: ProviderTable,
    oss: bool,
    env: &Env,
) -> Result<(Provider, Option<String>), Error> {
    let id = match (oss, table.chosen) {
        (true, _) => table.local.unwrap_or(LocalProvider::Ollama).word().to_owned(),
        (false, chosen) => chosen.unwrap_or_else(|| "openai".to_owned()),
    };
    if let Some(local) = LocalProvider::from_word(&id) {
        return Ok((Provider::local(local, env), None));
    }
    if id == "openai" {
        return match table.openai_in_clear {
            Some(fault) => Err(fault),
            None => Ok((
                Provider::openai(table.openai_base_url.map_or_else(|| older(env), |url| Ok(Some(url)))?),
                None,
            )),
        };
    }
    match (table.own.remove(&id), table.chosen_fault) {
        (Some(Entry { no_address: Some(fault), .. } | Entry { in_clear: Some(fault), .. }), _) => Err(fault),
        (Some(entry), _) => {
            let warning = entry.unsupported.map(|key| {
                format!("provider `{id}` is configured with `{key}`, which is not supported yet and ignored")
            });
            Ok((Provider::own(&id, entry), warning))
        }
        (None, Some(fault)) => Err(fault),
        (None, None) => Ok((Provider::openai(table.openai_base_url), None)),
    }
}

/// The variable that is the older spelling of `openai_base_url`.
fn older(env: &Env) -> Result<Option<String>, Error> {
    const NAME: &str = "OPENAI_BASE_URL";
    let Some(url) = env.text(NAME) else { return Ok(None) };
    if is_open(url, Reach::Here) {
        let place = Place { label: "the environment".to_owned(), at: None };
        return Err(Error::Value { place, key: NAME.to_owned(), problem: IN_CLEAR.to_owned() });
    }
    Ok(Some(url.trim_end_matches('/').to_owned()))
}
