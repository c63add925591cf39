//! Where requests go and how patient we are, as resolved from the configuration. Plain values: nothing here
//! reads files or the environment.

use std::fmt;

/// Base address of the built-in provider for an API key.
pub(crate) const OPENAI_BASE_URL: &str = "https://api.openai.com/v1";

/// Base address of the built-in provider for a ChatGPT sign-in.
pub(crate) const CHATGPT_BASE_URL: &str = "https://chatgpt.com/backend-api/codex";

/// One provider of the Responses API.
#[derive(Clone)]
pub(crate) struct ProviderSettings {
    /// Key in `model_providers`; `openai` is the built-in one.
    pub(crate) id: String,
    /// Name for people.
    pub(crate) name: String,
    /// Address up to and without `/responses`.
    pub(crate) base_url: String,
    /// Added to the address.
    pub(crate) query_params: Vec<(String, String)>,
    /// `http_headers` and `env_http_headers`, values resolved. May hold keys.
    pub(crate) headers: Vec<(String, String)>,
    /// How often one request is sent again, silently.
    pub(crate) request_max_retries: u32,
    /// How often an answer is asked for again.
    pub(crate) stream_max_retries: u32,
    /// Longest silence, before the headers and between events.
    pub(crate) stream_idle_timeout_ms: u64,
    /// The base instructions travel as `instructions`; otherwise the caller puts them into a developer message.
    pub(crate) instructions_field: bool,
    /// How long to go on when no connection can be made; `None` for without end.
    pub(crate) connect_budget_ms: Option<u64>,
}

impl ProviderSettings {
    /// The built-in provider, whose requests carry a few more headers.
    pub(crate) fn is_builtin(&self) -> bool {
        self.id == "openai"
    }

    /// Everything by default except the address.
    pub(crate) fn with_base_url(id: &str, base_url: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            query_params: Vec::new(),
            headers: Vec::new(),
            request_max_retries: 4,
            stream_max_retries: 5,
            stream_idle_timeout_ms: 300_000,
            instructions_field: true,
            connect_budget_ms: Some(60_000),
        }
    }
}

impl fmt::Debug for ProviderSettings {
    /// Leaves out header and query values: they may be keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderSettings")
            .field("id", &self.id)
            .field("base_url", &self.base_url)
            .field("stream_idle_timeout_ms", &self.stream_idle_timeout_ms)
            .finish_non_exhaustive()
    }
}
