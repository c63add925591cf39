//! How a turn ends, and the settings it runs with.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::ErrorInfo;
use super::limits::Price;
use super::network::Visits;
use super::policy::{ApprovalPolicy, SandboxPolicy};
use super::tokens::TokenUsage;
use crate::base::ids::TurnId;

/// State of a turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum TurnStatus {
    /// Running.
    InProgress,
    /// The model gave its answer.
    Completed,
    /// The user stopped it.
    Interrupted,
    /// It failed; the error says why.
    Failed,
}

/// The end of a turn.
#[derive(Clone, Debug)]
pub(crate) struct TurnEnd {
    /// Which turn.
    pub(crate) turn_id: TurnId,
    /// Never `InProgress`.
    pub(crate) status: TurnStatus,
    /// Set when the status is `Failed`.
    pub(crate) error: Option<ErrorInfo>,
    /// Tokens of this turn alone.
    pub(crate) usage: TokenUsage,
    /// The final answer, when there is one.
    pub(crate) last_message: Option<String>,
    /// Wall time in milliseconds.
    pub(crate) duration_ms: u64,
    /// What it cost of each limit window; empty when nobody knows.
    pub(crate) price: Vec<Price>,
    /// What its last answer cost is not in the price: nobody has told it yet.
    pub(crate) price_so_far: bool,
    /// What its patches changed together; absent when they changed nothing.
    pub(crate) changed: Option<Changed>,
    /// What its commands reached through their chosen ways into the network, and what they were refused there.
    pub(crate) network: Visits,
}

/// The size of a change of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Changed {
    /// Files.
    pub(crate) files: u32,
    /// Lines that came.
    pub(crate) added: u32,
    /// Lines that went.
    pub(crate) removed: u32,
}

/// New settings; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Slug of the model.
    pub(crate) model: Option<String>,
    /// Reasoning effort, in the API's word.
    pub(crate) effort: Option<String>,
    /// When to ask.
    pub(crate) approval: Option<ApprovalPolicy>,
    /// What commands may touch.
    pub(crate) sandbox: Option<SandboxPolicy>,
    /// Absolute working directory.
    pub(crate) cwd: Option<PathBuf>,
}

/// The settings of the following turns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Configured {
    /// Slug of the model.
    pub(crate) model: String,
    /// Reasoning effort, when one is set.
    pub(crate) effort: Option<String>,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: SandboxPolicy,
    /// What that comes to on this machine, a sentence each.
    pub(crate) access: Vec<String>,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Usable context window in tokens.
    pub(crate) context_window: u64,
}
