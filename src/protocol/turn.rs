//! How a turn ends.

use serde::{Deserialize, Serialize};

use super::error::ErrorInfo;
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
}
