//! What a stream tells. Deltas are display only; [`ResponseEvent::ItemDone`] is the authority.

use crate::protocol::error::ErrorInfo;
use crate::protocol::item::MessagePhase;
use crate::protocol::limits::LimitsSnapshot;
use crate::protocol::model_item::ModelItem;
use crate::protocol::tokens::TokenUsage;

/// One thing that the model's answer told.
#[derive(Clone, Debug)]
pub(crate) enum ResponseEvent {
    /// The answer begins.
    Created,
    /// The model that really answers, when the server names it.
    Model(String),
    /// Rate limits as this answer tells them.
    Limits(Box<LimitsSnapshot>),
    /// A message, some reasoning or a call begins; its texts may still be empty.
    ItemAdded(Output),
    /// More text of a message.
    TextDelta {
        /// Which message; empty when the server did not say.
        item_id: String,
        /// The text.
        delta: String,
    },
    /// A new section of a reasoning summary begins.
    SummarySection {
        /// Which reasoning item.
        item_id: String,
    },
    /// More text of the current summary section.
    SummaryDelta {
        /// Which reasoning item.
        item_id: String,
        /// The text.
        delta: String,
    },
    /// More raw reasoning.
    ReasoningDelta {
        /// Which reasoning item.
        item_id: String,
        /// The text.
        delta: String,
    },
    /// An item is complete: store it.
    ItemDone(Box<OutputItem>),
    /// The attempt failed. Everything it told is void, except what the reader already acted upon; another
    /// attempt follows after the wait.
    Retrying {
        /// This retry, from 1.
        attempt: u32,
        /// Retries allowed; 0 when time is the bound and not a number (no connection).
        max: u32,
        /// Wait before the retry, in milliseconds.
        delay_ms: u64,
        /// What went wrong.
        error: ErrorInfo,
    },
    /// The good end.
    Completed {
        /// Tokens, when the server counts them.
        usage: Option<TokenUsage>,
    },
    /// The server ended the answer early. An end.
    Incomplete {
        /// Which limit it was.
        error: ErrorInfo,
        /// Tokens, when the server counts them.
        usage: Option<TokenUsage>,
    },
    /// No answer, and trying again is useless or used up. An end.
    Failed(ErrorInfo),
}

impl ResponseEvent {
    /// Whether nothing follows.
    pub(crate) fn is_end(&self) -> bool {
        matches!(self, Self::Completed { .. } | Self::Incomplete { .. } | Self::Failed(_))
    }
}

/// A complete item of the answer.
#[derive(Clone, Debug)]
pub(crate) struct OutputItem {
    /// The item as it goes into the history: its JSON byte for byte.
    pub(crate) model_item: ModelItem,
    /// What it says.
    pub(crate) what: Output,
}

/// What an item of the answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Output {
    /// Text of the model.
    Message {
        /// The server's id.
        id: String,
        /// All text parts, joined; a refusal counts as text.
        text: String,
        /// Whether it is the answer, when the server says so.
        phase: Option<MessagePhase>,
    },
    /// Thinking, as far as it is shown.
    Reasoning {
        /// The server's id.
        id: String,
        /// Sections of the summary.
        summary: Vec<String>,
        /// Raw reasoning of open models.
        content: Vec<String>,
    },
    /// A call with JSON arguments.
    FunctionCall {
        /// The server's id.
        id: String,
        /// Pairs call and output.
        call_id: String,
        /// The tool.
        name: String,
        /// The tool's group, for example an MCP server.
        namespace: Option<String>,
        /// JSON text as the model wrote it; may be broken.
        arguments: String,
    },
    /// A call with free text.
    CustomToolCall {
        /// The server's id.
        id: String,
        /// Pairs call and output.
        call_id: String,
        /// The tool.
        name: String,
        /// The text.
        input: String,
    },
    /// A call of the hosted shell type, to be run here.
    LocalShellCall {
        /// The server's id.
        id: String,
        /// Pairs call and output.
        call_id: String,
        /// Program and arguments.
        command: Vec<String>,
        /// Where to run it, when said.
        workdir: Option<String>,
        /// Time limit in milliseconds, when said.
        timeout_ms: Option<u64>,
    },
    /// A search that the server ran.
    WebSearch {
        /// The server's id.
        id: String,
        /// What was searched, opened or looked for.
        query: String,
    },
    /// An encrypted summary of the conversation.
    Compaction {
        /// The server's id.
        id: String,
    },
    /// Anything else: kept, not looked at.
    Other {
        /// The server's id.
        id: String,
        /// The `type`.
        kind: String,
    },
}
