//! What a thread is: the first line of its file. Reading takes what it understands and leaves the rest unset,
//! because other programs write this line too.

use std::borrow::Cow;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::shapes::Lossy;
use crate::base::ids::ThreadId;
use crate::protocol::thread::ThreadSource;

/// What is known of a thread before its first turn.
#[derive(Clone, Debug)]
pub(crate) struct NewThread {
    /// Identity.
    pub(crate) id: ThreadId,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// The front end that starts it.
    pub(crate) source: ThreadSource,
    /// Version of this program.
    pub(crate) cli_version: String,
    /// Provider id of the configuration.
    pub(crate) model_provider: String,
    /// The instructions the model gets with every request.
    pub(crate) base_instructions: Option<String>,
    /// The thread this one began as.
    pub(crate) forked_from: Option<ThreadId>,
    /// State of the repository, when there is one.
    pub(crate) git: Option<Git>,
}

/// State of the repository at the start. All absent in one without commits.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Git {
    /// Commit id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) commit_hash: Option<String>,
    /// Branch name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) branch: Option<String>,
    /// Where `origin` is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) repository_url: Option<String>,
}

#[derive(Serialize)]
struct Instructions<'a> {
    text: &'a str,
}

/// `session_meta` as written.
#[derive(Serialize)]
pub(crate) struct MetaOut<'a> {
    id: ThreadId,
    session_id: ThreadId,
    #[serde(skip_serializing_if = "Option::is_none")]
    forked_from_id: Option<ThreadId>,
    timestamp: &'a str,
    cwd: Lossy<'a>,
    originator: &'static str,
    cli_version: &'a str,
    source: &'a ThreadSource,
    thread_source: &'static str,
    model_provider: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    base_instructions: Option<Instructions<'a>>,
    history_mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    git: Option<&'a Git>,
}

impl<'a> MetaOut<'a> {
    /// The payload for a thread.
    pub(crate) fn new(thread: &'a NewThread, timestamp: &'a str) -> Self {
        Self {
            id: thread.id,
            session_id: thread.id,
            forked_from_id: thread.forked_from,
            timestamp,
            cwd: Lossy(&thread.cwd),
            originator: thread.source.originator(),
            cli_version: &thread.cli_version,
            source: &thread.source,
            thread_source: "user",
            model_provider: &thread.model_provider,
            base_instructions: thread.base_instructions.as_deref().map(|text| Instructions { text }),
            history_mode: "legacy",
            git: thread.git.as_ref(),
        }
    }
}

/// What a stored thread is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Meta {
    /// Identity.
    pub(crate) id: ThreadId,
    /// When it was started, as written.
    pub(crate) timestamp: Option<String>,
    /// Working directory at the start.
    pub(crate) cwd: Option<PathBuf>,
    /// The front end that started it; absent when it is none of ours.
    pub(crate) source: Option<ThreadSource>,
    /// Made by another thread, not by a person.
    pub(crate) subagent: bool,
    /// Version of the program that started it.
    pub(crate) cli_version: Option<String>,
    /// Provider id.
    pub(crate) model_provider: Option<String>,
    /// The thread this one began as.
    pub(crate) forked_from: Option<ThreadId>,
    /// Repository state at the start.
    pub(crate) git: Option<Git>,
    /// Where the earlier lines of this thread are, when not in this file.
    pub(crate) base: Option<Base>,
}

/// Earlier lines in another file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct Base {
    /// Whose file.
    pub(crate) thread_id: ThreadId,
    /// Lines from this ordinal on do not belong to us.
    pub(crate) end_ordinal_exclusive: u64,
    /// Where that is in the file.
    #[serde(default)]
    pub(crate) end_byte_offset: Option<u64>,
}

/// Fields are raw so that one of a strange shape does not hide the others.
#[derive(Deserialize)]
struct MetaIn<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(default, borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(default, borrow)]
    cwd: Option<&'a RawValue>,
    #[serde(default, borrow)]
    source: Option<&'a RawValue>,
    #[serde(default, borrow)]
    cli_version: Option<&'a RawValue>,
    #[serde(default, borrow)]
    model_provider: Option<&'a RawValue>,
    #[serde(default, borrow)]
    forked_from_id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    git: Option<&'a RawValue>,
    #[serde(default, borrow)]
    history_base: Option<&'a RawValue>,
}

/// A field that may be missing or of another shape than ours.
pub(crate) fn field<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

impl Meta {
    /// Reads a `session_meta` payload.
    pub(crate) fn parse(raw: &RawValue) -> Option<Self> {
        let read: MetaIn<'_> = serde_json::from_str(raw.get()).ok()?;
        Some(Self {
            id: read.id.parse().ok()?,
            timestamp: field(read.timestamp),
            cwd: field(read.cwd),
            source: field(read.source),
            subagent: read.source.is_some_and(|raw| raw.get().contains("\"subagent\"")),
            cli_version: field(read.cli_version),
            model_provider: field(read.model_provider),
            forked_from: field(read.forked_from_id),
            git: field(read.git),
            base: field(read.history_base),
        })
    }

    /// All that is known when the first line cannot be read.
    pub(crate) fn unknown(id: ThreadId) -> Self {
        Self {
            id,
            timestamp: None,
            cwd: None,
            source: None,
            subagent: false,
            cli_version: None,
            model_provider: None,
            forked_from: None,
            git: None,
            base: None,
        }
    }
}
