//! The payloads of the events we write, field by field; [`super::written`] fills them. The names and fields are those
//! of the rollout format's older record mode, so that other Codex programs can show and continue our threads. The few
//! fields of our own (`id`, `content`, `command_line`, `status`, `hint`, `kind`, `price`, `price_so_far`, `changed`,
//! `network`, `limits_spent`, `shown_after`, `shown_after_end`) and the kinds `notice` and `turn_priced` are additions
//! that others skip, and make the replay exact.

use std::borrow::Cow;

use serde::Serialize;

use super::shapes::{Changes, Duration, Lossy, ParsedCommand};
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::input::UserInput;
use crate::protocol::item::MessagePhase;
use crate::protocol::limits::{LimitsSnapshot, Price};
use crate::protocol::network::Visits;
use crate::protocol::note::Note;
use crate::protocol::review::{Output, Target};
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::Changed;

/// Payloads of `event_msg` lines.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Event<'a> {
    TaskStarted {
        turn_id: TurnId,
        started_at: u64,
        model_context_window: Option<u64>,
        collaboration_mode_kind: &'static str,
    },
    TaskComplete {
        turn_id: TurnId,
        last_agent_message: Option<&'a str>,
        started_at: u64,
        completed_at: u64,
        duration_ms: u64,
        /// Ours, as the next: what the line below the answer says.
        #[serde(skip_serializing_if = "<[Price]>::is_empty")]
        price: &'a [Price],
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        price_so_far: bool,
        #[serde(skip_serializing_if = "Option::is_none")]
        changed: Option<Changed>,
        #[serde(skip_serializing_if = "Visits::is_empty")]
        network: &'a Visits,
    },
    TurnAborted {
        turn_id: TurnId,
        reason: &'static str,
        started_at: u64,
        completed_at: u64,
        duration_ms: u64,
        #[serde(skip_serializing_if = "Visits::is_empty")]
        network: &'a Visits,
    },
    Error {
        message: &'a str,
        codex_error_info: &'static str,
        turn_id: TurnId,
        kind: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        hint: Option<&'a str>,
    },
    /// Ours: what the turn cost in all, told after its end.
    TurnPriced {
        turn_id: TurnId,
        price: &'a [Price],
        /// As in the line of tokens.
        #[serde(skip_serializing_if = "<[Price]>::is_empty")]
        limits_spent: &'a [Price],
    },
    TokenCount {
        info: Option<TokenInfo>,
        rate_limits: Option<&'a LimitsSnapshot>,
        /// Ours; other programs pass it over.
        #[serde(skip_serializing_if = "<[Price]>::is_empty")]
        limits_spent: &'a [Price],
    },
    UserMessage {
        id: &'a ItemId,
        message: Cow<'a, str>,
        images: Vec<&'a str>,
        local_images: Vec<Lossy<'a>>,
        text_elements: [(); 0],
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<&'a [UserInput]>,
    },
    AgentMessage {
        id: &'a ItemId,
        message: &'a str,
        phase: Option<MessagePhase>,
    },
    AgentReasoning {
        id: &'a ItemId,
        text: &'a str,
    },
    AgentReasoningRawContent {
        id: &'a ItemId,
        text: &'a str,
    },
    ExecCommandEnd {
        call_id: &'a ItemId,
        #[serde(skip_serializing_if = "Option::is_none")]
        process_id: Option<&'a str>,
        turn_id: TurnId,
        command: Vec<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        command_line: Option<&'a str>,
        cwd: Lossy<'a>,
        parsed_cmd: Vec<ParsedCommand<'a>>,
        source: &'static str,
        stdout: &'static str,
        stderr: &'static str,
        aggregated_output: Cow<'a, str>,
        exit_code: i32,
        duration: Duration,
        formatted_output: &'static str,
        status: &'static str,
        /// Ours; other programs pass it over.
        #[serde(skip_serializing_if = "Option::is_none")]
        shown_after: Option<&'a ItemId>,
        #[serde(skip_serializing_if = "std::ops::Not::not")]
        shown_after_end: bool,
    },
    PatchApplyEnd {
        call_id: &'a ItemId,
        turn_id: TurnId,
        stdout: &'static str,
        stderr: &'a str,
        success: bool,
        changes: Changes<'a>,
        status: &'static str,
    },
    DynamicToolCallResponse {
        call_id: &'a ItemId,
        turn_id: TurnId,
        tool: &'a str,
        arguments: &'a serde_json::Value,
        content_items: Vec<ToolText<'a>>,
        success: bool,
        error: Option<()>,
        duration: Duration,
        status: &'static str,
    },
    WebSearchEnd {
        call_id: &'a ItemId,
        query: &'a str,
        action: SearchAction<'a>,
    },
    ViewImageToolCall {
        call_id: &'a ItemId,
        path: Lossy<'a>,
    },
    ContextCompacted {
        id: &'a ItemId,
    },
    EnteredReviewMode {
        id: &'a ItemId,
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<&'a Target>,
        user_facing_hint: &'a str,
    },
    ExitedReviewMode {
        id: &'a ItemId,
        review_output: Option<&'a Output>,
        /// Ours: why there is none.
        #[serde(skip_serializing_if = "Option::is_none")]
        review: Option<&'a str>,
    },
    /// Ours; other programs pass it over.
    Notice(&'a Note),
}

/// `token_count.info`.
#[derive(Serialize)]
pub(super) struct TokenInfo {
    pub(super) total_token_usage: TokenUsage,
    pub(super) last_token_usage: TokenUsage,
    pub(super) model_context_window: Option<u64>,
}

/// A text part of a tool's answer.
#[derive(Serialize)]
pub(super) struct ToolText<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) text: Cow<'a, str>,
}

/// What a search did.
#[derive(Serialize)]
pub(super) struct SearchAction<'a> {
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) query: &'a str,
}
