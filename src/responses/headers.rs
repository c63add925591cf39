//! What we tell about thread and turn beside the body: ids, sandbox and model. The workspace's path and commit
//! stay here.

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use serde::Serialize;

use super::client::TurnState;
use crate::base::ids::{ThreadId, TurnId};

/// The version of the wire that we speak; servers decide by it what they may send.
pub(crate) const WIRE_VERSION: &str = "0.169.0";

/// Who asks, and for what.
#[derive(Clone, Debug)]
pub(crate) struct TurnIds {
    /// The thread, also the key of the prompt cache.
    pub(crate) thread_id: ThreadId,
    /// The thread on whose behalf this one reviews; its name is also the key of the prompt cache then.
    pub(crate) review_of: Option<ThreadId>,
    /// The turn.
    pub(crate) turn_id: TurnId,
    /// How often the thread was compacted.
    pub(crate) window: u32,
    /// This installation, when it has an id.
    pub(crate) installation_id: Option<String>,
    /// Front end, for example `codex_exec`.
    pub(crate) originator: String,
    /// A turn, or the request that summarises.
    pub(crate) kind: RequestKind,
    /// The word of `--sandbox`.
    pub(crate) sandbox_mode: &'static str,
    /// One per turn, shared by all its requests.
    pub(crate) turn_state: TurnState,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RequestKind {
    /// A step of a turn.
    Turn,
    /// A summary of the conversation.
    Compaction,
}

/// The same facts inside the body.
#[derive(Debug, Serialize)]
pub(super) struct ClientMetadata {
    #[serde(rename = "x-codex-installation-id", skip_serializing_if = "Option::is_none")]
    installation_id: Option<String>,
    session_id: String,
    thread_id: String,
    turn_id: String,
    root_turn_id: String,
    #[serde(rename = "x-openai-subagent", skip_serializing_if = "Option::is_none")]
    subagent: Option<&'static str>,
    #[serde(rename = "x-codex-parent-thread-id", skip_serializing_if = "Option::is_none")]
    parent_thread_id: Option<String>,
    #[serde(rename = "x-codex-window-id")]
    window_id: String,
    #[serde(rename = "x-codex-turn-metadata")]
    turn_metadata: String,
}

#[derive(Serialize)]
struct TurnMetadata<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    installation_id: Option<&'a str>,
    session_id: ThreadId,
    thread_id: ThreadId,
    #[serde(skip_serializing_if = "Option::is_none")]
    subagent_kind: Option<&'static str>,
    turn_id: TurnId,
    window_id: &'a str,
    window_number: u32,
    request_kind: RequestKind,
    root_turn_id: TurnId,
    sandbox_mode: &'a str,
    model: &'a str,
}

impl TurnIds {
    /// The thread that the user sees.
    pub(super) fn session_id(&self) -> ThreadId {
        self.review_of.unwrap_or(self.thread_id)
    }

    fn subagent(&self) -> Option<&'static str> {
        self.review_of.map(|_| "review")
    }

    fn window_id(&self) -> String {
        format!("{}:{}", self.thread_id, self.window)
    }

    /// JSON in plain ASCII: it travels in a header too.
    fn metadata(&self, model: &str) -> String {
        let text = serde_json::to_string(&TurnMetadata {
            installation_id: self.installation_id.as_deref(),
            session_id: self.session_id(),
            thread_id: self.thread_id,
            subagent_kind: self.subagent(),
            turn_id: self.turn_id,
            window_id: &self.window_id(),
            window_number: self.window,
            request_kind: self.kind,
            root_turn_id: self.turn_id,
            sandbox_mode: self.sandbox_mode,
            model,
        })
        .unwrap_or_default();
        let mut units = [0; 2];
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if c.is_ascii() {
                out.push(c);
            } else {
                out.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
            }
        }
        out
    }

    /// For the body.
    pub(super) fn client_metadata(&self, model: &str) -> ClientMetadata {
        ClientMetadata {
            installation_id: self.installation_id.clone(),
            session_id: self.session_id().to_string(),
            subagent: self.subagent(),
            parent_thread_id: self.review_of.map(|id| id.to_string()),
            thread_id: self.thread_id.to_string(),
            turn_id: self.turn_id.to_string(),
            root_turn_id: self.turn_id.to_string(),
            window_id: self.window_id(),
            turn_metadata: self.metadata(model),
        }
    }

    /// For the request line, without credentials and without the provider's own.
    pub(super) fn headers(&self, model: &str, builtin: bool) -> HeaderMap {
        let mut map = HeaderMap::new();
        map.insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        map.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let thread_id = self.thread_id.to_string();
        insert(&mut map, "originator", &self.originator);
        insert(&mut map, "session-id", &self.session_id().to_string());
        insert(&mut map, "thread-id", &thread_id);
        insert(&mut map, "x-client-request-id", &thread_id);
        insert(&mut map, "x-codex-window-id", &self.window_id());
        insert(&mut map, "x-codex-turn-metadata", &self.metadata(model));
        if let (Some(subagent), Some(parent)) = (self.subagent(), self.review_of) {
            insert(&mut map, "x-openai-subagent", subagent);
            insert(&mut map, "x-codex-parent-thread-id", &parent.to_string());
        }
        if builtin {
            insert(&mut map, "version", WIRE_VERSION);
            insert(&mut map, "x-codex-routing-hint", &format!("model={model}"));
        }
        map
    }
}

/// Sets a header; a name or value that no header can carry is left out.
pub(super) fn insert(map: &mut HeaderMap, name: &str, value: &str) {
    let name = HeaderName::from_bytes(name.as_bytes());
    if let (Ok(name), Ok(value)) = (name, HeaderValue::from_bytes(value.as_bytes())) {
        map.insert(name, value);
    }
}

/// `codex_exec/0.169.0 (linux; x86_64) xterm (codex_exec; 0.1.0)`: originator and wire version, system,
/// terminal, our own version.
pub(crate) fn user_agent(originator: &str, terminal: Option<&str>) -> String {
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    let terminal: String =
        terminal.unwrap_or("unknown").chars().filter(char::is_ascii_graphic).take(60).collect();
    let own = env!("CARGO_PKG_VERSION");
    format!("{originator}/{WIRE_VERSION} ({os}; {arch}) {terminal} ({originator}; {own})")
}
