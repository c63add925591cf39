//! `[model_providers.<id>]` as written, and which one is chosen. Header values, query values and tokens are
//! secrets from here on: a proxy's key may be in any of them.

use std::collections::BTreeMap;

use crate::base::reach::{self, Reach};
use crate::base::secret::{KEY_VARIABLES, Secret, is_likely};
use crate::config::error::Error;

use super::choice::words;
use super::reader::Reader;

/// Ids that mean something of ours and cannot be defined in a file.
pub(crate) const RESERVED: [&str; 4] = ["openai", "ollama", "lmstudio", "amazon-bedrock"];

words! {
    /// Program that serves models on this machine.
    LocalProvider {
        /// Ollama.
        Ollama = "ollama",
        /// LM Studio.
        LmStudio = "lmstudio",
    }
}

/// What is wrong with an address that would get a secret in clear text.
pub(crate) const IN_CLEAR: &str = "begins with http://, so that everybody on the way could read the sign-in or key \
                                   that is sent there; allowed: https://…, or http://… on this machine";

/// What the file says about providers.
pub(crate) struct ProviderTable {
    /// `model_provider`.
    pub(crate) chosen: Option<String>,
    /// The fault to report when the chosen one does not exist.
    pub(crate) chosen_fault: Option<Error>,
    /// `openai_base_url`.
    pub(crate) openai_base_url: Option<String>,
    /// The fault to report when OpenAI is chosen: the sign-in or key would go there in clear text.
    pub(crate) openai_in_clear: Option<Error>,
    /// `oss_provider`.
    pub(crate) local: Option<LocalProvider>,
    /// Providers by id.
    pub(crate) own: BTreeMap<String, Entry>,
}

/// One provider as written.
pub(crate) struct Entry {
    /// Shown name.
    pub(crate) name: Option<String>,
    /// URL up to the resource name.
    pub(crate) base_url: Option<String>,
    /// Variable that holds the key.
    pub(crate) env_key: Option<String>,
    /// How to get a key, told when the variable is missing.
    pub(crate) env_key_instructions: Option<String>,
    /// The key itself.
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
    pub(crate) request_max_retries: Option<u64>,
    /// Repeats after a broken stream.
    pub(crate) stream_max_retries: Option<u64>,
    /// Longest silence of a stream, in milliseconds.
    pub(crate) stream_idle_timeout_ms: Option<u64>,
    /// The fault to report when this one is chosen: nobody said where it is. OpenAI's address would be wrong, it
    /// would get prompts and a key that are meant for somebody else.
    pub(crate) no_address: Option<Error>,
    /// The fault to report when this one is chosen: its key, or the sign-in, would go there in clear text.
    pub(crate) in_clear: Option<Error>,
    /// A way of signing in that does not work yet, when one is asked for.
    pub(crate) unsupported: Option<&'static str>,
}

/// Reads the choice and all providers.
///
/// # Errors
/// An id is reserved or a value is not allowed.
pub(crate) fn read(reader: &mut Reader<'_>) -> Result<ProviderTable, Error> {
    let chosen = reader.name("model_provider")?;
    let own = reader.each("model_providers", |id, one| {
        if RESERVED.contains(&id) {
            let problem = "is built in and cannot be redefined; choose another id".to_owned();
            let key = one.path_text().to_owned();
            return Err(Error::Value { place: one.first_place(), key, problem });
        }
        Ok((id.to_owned(), entry(one)?))
    })?;
    let chosen_fault = chosen.as_deref().map(|id| {
        let known = ["openai", "ollama", "lmstudio"].into_iter().chain(own.iter().map(|(id, _)| id.as_str()));
        let list = known.map(crate::config::diagnose::quoted).collect::<Vec<_>>().join(", ");
        let found = crate::config::diagnose::quoted(id);
        reader.fault("model_provider", &format!("is {found}, which is not defined; defined: {list}"))
    });
    let openai_base_url = url(reader, "openai_base_url")?;
    Ok(ProviderTable {
        chosen_fault,
        chosen,
        openai_in_clear: in_clear(reader, "openai_base_url", openai_base_url.as_deref(), Some(Reach::Here)),
        openai_base_url,
        local: reader.choice("oss_provider")?,
        own: own.into_iter().collect(),
    })
}

fn entry(reader: &mut Reader<'_>) -> Result<Entry, Error> {
    wire_api(reader)?;
    let unsupported = ["auth", "aws"].into_iter().find(|key| reader.written().any(|(name, ..)| name == key));
    let base_url = url(reader, "base_url")?;
    let requires_openai_auth = reader.flag("requires_openai_auth")?.unwrap_or(false);
    let no_address = (base_url.is_none() && !requires_openai_auth).then(|| Error::Value {
        place: reader.first_place(),
        key: format!("{}.base_url", reader.path_text()),
        problem: "is missing: where is this provider? Allowed: http://… or https://…".to_owned(),
    });
    let mut entry = Entry {
        name: reader.name("name")?,
        base_url,
        env_key: variable(reader, "env_key")?,
        env_key_instructions: reader.text("env_key_instructions")?,
        bearer_token: reader.text("experimental_bearer_token")?.map(Secret::new),
        requires_openai_auth,
        query_params: secrets(reader.text_map("query_params")?),
        http_headers: secrets(reader.text_map("http_headers")?),
        env_http_headers: reader.text_map("env_http_headers")?.into_iter().collect(),
        request_max_retries: reader.number("request_max_retries", 0)?,
        stream_max_retries: reader.number("stream_max_retries", 0)?,
        stream_idle_timeout_ms: reader.number("stream_idle_timeout_ms", 1)?,
        no_address,
        in_clear: None,
        unsupported,
    };
    entry.in_clear = in_clear(reader, "base_url", entry.base_url.as_deref(), entry.limit());
    Ok(entry)
}

impl Entry {
    /// How far what is sent to this provider may go in clear text; `None` when nothing of it is secret.
    ///
    /// The sign-in and OpenAI's keys stay on this machine. A provider's own key was made for that server, and
    /// servers of models in a private network seldom have a certificate: there the user's word counts. It never
    /// goes further than that.
    fn limit(&self) -> Option<Reach> {
        let openais = |name: &String| KEY_VARIABLES.contains(&name.as_str());
        let own = self.env_key.is_some() || self.bearer_token.is_some();
        let variables =
            || self.env_key.iter().chain(self.env_http_headers.iter().map(|(_, variable)| variable));
        if (self.requires_openai_auth && !own) || variables().any(openais) {
            return Some(Reach::Here);
        }
        let mut names = self.http_headers.iter().chain(&self.query_params).map(|(name, _)| name);
        let from_env = |(header, variable): &(String, String)| is_likely(header) || is_likely(variable);
        let password = || {
            let url = self.base_url.as_deref().and_then(|url| url::Url::parse(url).ok());
            url.is_some_and(|url| url.password().is_some())
        };
        (own || names.any(|name| is_likely(name)) || self.env_http_headers.iter().any(from_env) || password())
            .then_some(Reach::Near)
    }
}

/// The fault of an address that secrets would reach in clear text, beyond what `limit` allows.
pub(super) fn in_clear(
    reader: &Reader<'_>,
    key: &str,
    address: Option<&str>,
    limit: Option<Reach>,
) -> Option<Error> {
    let readable = is_open(address?, limit?);
    readable.then(|| reader.fault(key, IN_CLEAR))
}

/// Whether what is sent to this address can be read beyond `limit`.
pub(crate) fn is_open(address: &str, limit: Reach) -> bool {
    url::Url::parse(address).is_ok_and(|url| reach::is_readable_beyond(&url, limit))
}

/// Only one protocol is left; the older one gets a sentence of its own because many files still ask for it.
fn wire_api(reader: &mut Reader<'_>) -> Result<(), Error> {
    match reader.text("wire_api")?.as_deref() {
        None | Some("responses") => Ok(()),
        Some("chat") => Err(reader
            .fault("wire_api", "is \"chat\", a protocol that is no longer spoken; allowed: \"responses\"")),
        Some(other) => {
            let found = crate::config::diagnose::quoted(other);
            Err(reader.fault("wire_api", &format!("is {found}; allowed: \"responses\"")))
        }
    }
}

/// A base URL; the value is not repeated in errors, it may hold a password.
pub(super) fn url(reader: &mut Reader<'_>, key: &'static str) -> Result<Option<String>, Error> {
    let Some(text) = reader.name(key)? else { return Ok(None) };
    let valid = url::Url::parse(&text)
        .is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.host_str().is_some());
    if valid {
        return Ok(Some(text.trim_end_matches('/').to_owned()));
    }
    Err(reader.fault(key, "is not a URL; allowed: http://… or https://…"))
}

/// The name of an environment variable. A key pasted here by mistake is not repeated in the error.
fn variable(reader: &mut Reader<'_>, key: &'static str) -> Result<Option<String>, Error> {
    let Some(name) = reader.name(key)? else { return Ok(None) };
    if name.contains(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
        return Err(reader.fault(key, "is not the name of an environment variable"));
    }
    Ok(Some(name))
}

fn secrets(map: BTreeMap<String, String>) -> Vec<(String, Secret)> {
    map.into_iter().map(|(name, value)| (name, Secret::new(value))).collect()
}
