//! What the turns of a thread are frozen with: configuration and model, resolved once.

use std::path::PathBuf;
use std::sync::Arc;

use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy, ShellEnvPolicy};

/// Settings of a thread's turns.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// Slug of the model.
    pub(crate) model: String,
    /// Base instructions.
    pub(crate) instructions: Arc<str>,
    /// More instructions of the user, as a developer message.
    pub(crate) developer_instructions: Option<String>,
    /// Request for the hand-over note of a compaction.
    pub(crate) compact_prompt: Arc<str>,
    /// Whether the model takes a `reasoning` field.
    pub(crate) reasons: bool,
    /// Reasoning effort.
    pub(crate) effort: Option<String>,
    /// Kind of reasoning summary; `None` for none.
    pub(crate) summary: Option<String>,
    /// Verbosity, for models that know it.
    pub(crate) verbosity: Option<String>,
    /// `priority` or `flex`.
    pub(crate) service_tier: Option<String>,
    /// Whether the model may make several calls at once.
    pub(crate) parallel_calls: bool,
    /// Usable context window in tokens.
    pub(crate) context_window: u64,
    /// Context fill at which the conversation is compacted, in tokens.
    pub(crate) compact_limit: u64,
    /// Output budget of a command in tokens, when the model names none.
    pub(crate) output_tokens: u64,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Name of the user's shell, for the environment message.
    pub(crate) shell: String,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: Arc<SandboxPolicy>,
    /// Writable and protected paths that follow from it.
    pub(crate) roots: Arc<crate::sandbox::Roots>,
    /// Which variables commands inherit.
    pub(crate) shell_env: Arc<ShellEnvPolicy>,
    /// Instruction files, as one message; empty when there are none.
    pub(crate) agents_md: String,
}
