//! One visible thing of a thread. This one shape is drawn, stored and sent: the names on the wire are those of
//! the app-server protocol.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::input::UserInput;
use super::review;
use crate::base::ids::ItemId;

/// A message, a command, a patch: everything a reader of the thread sees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub(crate) enum Item {
    /// What the user handed in.
    UserMessage {
        /// Identity.
        id: ItemId,
        /// Text and images, in order.
        content: Vec<UserInput>,
    },
    /// Text of the model.
    AgentMessage {
        /// Identity.
        id: ItemId,
        /// Markdown.
        text: String,
        /// Whether this is the answer or a remark on the way.
        #[serde(default)]
        phase: Option<MessagePhase>,
    },
    /// What the model lets be seen of its thinking.
    Reasoning {
        /// Identity.
        id: ItemId,
        /// Sections of the summary.
        #[serde(default)]
        summary: Vec<String>,
        /// Raw reasoning of open models.
        #[serde(default)]
        content: Vec<String>,
    },
    /// A command and what became of it.
    CommandExecution(CommandItem),
    /// A patch and what became of it.
    FileChange {
        /// Identity.
        id: ItemId,
        /// One entry per file.
        changes: Vec<FileChange>,
        /// How it went.
        status: ItemStatus,
        /// Why it failed or was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    /// A tool call that has no shape of its own, also one that could not be carried out.
    #[serde(rename = "dynamicToolCall")]
    ToolCall {
        /// Identity.
        id: ItemId,
        /// Tool name as the model called it.
        tool: String,
        /// Arguments as the model wrote them; text when they are not JSON.
        arguments: serde_json::Value,
        /// How it went.
        status: ToolStatus,
        /// Whether the tool did what was asked; absent while it runs.
        success: Option<bool>,
        /// What the model was told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        output: Option<String>,
    },
    /// A search the server ran.
    WebSearch {
        /// Identity.
        id: ItemId,
        /// What was searched or opened.
        query: String,
    },
    /// An image the model looked at.
    ImageView {
        /// Identity.
        id: ItemId,
        /// Absolute path.
        path: PathBuf,
    },
    /// A review began here.
    EnteredReviewMode {
        /// Identity.
        id: ItemId,
        /// What is reviewed, in a few words.
        review: String,
        /// The same as data; not part of the protocol.
        #[serde(skip)]
        target: Option<review::Target>,
    },
    /// A review ended here.
    ExitedReviewMode {
        /// Identity.
        id: ItemId,
        /// What it came to, rendered.
        review: String,
        /// The same as data; absent when it was stopped or failed. Not part of the protocol.
        #[serde(skip)]
        output: Option<review::Output>,
    },
    /// The conversation was summarised here.
    ContextCompaction {
        /// Identity.
        id: ItemId,
    },
}

impl Item {
    /// Identity of the item, whatever its kind.
    pub(crate) fn id(&self) -> &ItemId {
        match self {
            Self::UserMessage { id, .. }
            | Self::AgentMessage { id, .. }
            | Self::Reasoning { id, .. }
            | Self::FileChange { id, .. }
            | Self::ToolCall { id, .. }
            | Self::WebSearch { id, .. }
            | Self::ImageView { id, .. }
            | Self::EnteredReviewMode { id, .. }
            | Self::ExitedReviewMode { id, .. }
            | Self::ContextCompaction { id } => id,
            Self::CommandExecution(command) => &command.id,
        }
    }
}

/// A command: what runs, where, and how it ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct CommandItem {
    /// Identity; equal to the call id of the model.
    pub(crate) id: ItemId,
    /// The command line, quoted for a shell.
    pub(crate) command: String,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Session number while the command lives on in the background.
    #[serde(default)]
    pub(crate) process_id: Option<String>,
    /// Who started it.
    #[serde(default)]
    pub(crate) source: CommandSource,
    /// How it went.
    pub(crate) status: ItemStatus,
    /// What the command does, for display.
    pub(crate) command_actions: Vec<CommandAction>,
    /// stdout and stderr in the order they were written, bounded; absent while running.
    #[serde(default)]
    pub(crate) aggregated_output: Option<String>,
    /// Exit code; 128 + signal number when killed.
    #[serde(default)]
    pub(crate) exit_code: Option<i32>,
    /// Wall time in milliseconds.
    #[serde(default)]
    pub(crate) duration_ms: Option<u64>,
}

/// State of a command or patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ItemStatus {
    /// Not finished.
    InProgress,
    /// Finished well (exit code 0).
    Completed,
    /// Finished badly.
    Failed,
    /// Never ran: the user or the policy said no.
    Declined,
}

/// State of a plain tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum ToolStatus {
    /// Not finished.
    InProgress,
    /// Finished well.
    Completed,
    /// Finished badly.
    Failed,
}

/// Who started a command.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum CommandSource {
    /// The model.
    #[default]
    Agent,
    /// The user, with `!`.
    UserShell,
    /// The model, as a session that may outlive the call.
    UnifiedExecStartup,
    /// The model, writing to such a session.
    UnifiedExecInteraction,
}

/// What a command does, as far as its words tell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub(crate) enum CommandAction {
    /// Shows a file.
    Read {
        /// This piece of the command line.
        command: String,
        /// File name.
        name: String,
        /// Path as far as known.
        path: PathBuf,
    },
    /// Lists a directory.
    ListFiles {
        /// This piece of the command line.
        command: String,
        /// Directory, when named.
        path: Option<String>,
    },
    /// Searches text.
    Search {
        /// This piece of the command line.
        command: String,
        /// What is searched.
        query: Option<String>,
        /// Where, when named.
        path: Option<String>,
    },
    /// Anything else.
    Unknown {
        /// This piece of the command line.
        command: String,
    },
}

/// One file of a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FileChange {
    /// Absolute path.
    pub(crate) path: PathBuf,
    /// What happens to it.
    pub(crate) kind: ChangeKind,
    /// Unified diff (updates), or the whole content (adds and deletes).
    pub(crate) diff: String,
}

/// What a patch does to one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(crate) enum ChangeKind {
    /// The file is new, or written anew.
    Add,
    /// The file goes.
    Delete,
    /// The file changes, and moves when `move_path` is set.
    Update {
        /// Absolute new path.
        move_path: Option<PathBuf>,
    },
}

/// Whether a message of the model is the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum MessagePhase {
    /// A remark on the way.
    Commentary,
    /// A part of the answer.
    PartialAnswer,
    /// The answer.
    FinalAnswer,
}

/// A step of the model's plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanStep {
    /// What is to be done.
    pub(crate) step: String,
    /// How far it is.
    pub(crate) status: PlanStatus,
}

/// How far a plan step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum PlanStatus {
    /// Not begun.
    #[serde(rename = "pending")]
    Pending,
    /// Being done.
    #[serde(rename = "inProgress", alias = "in_progress")]
    InProgress,
    /// Done.
    #[serde(rename = "completed")]
    Completed,
}

/// More of an item that is still being made. Display only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ItemDelta {
    /// Text of an `AgentMessage`.
    Text(String),
    /// A new section of a `Reasoning` summary begins.
    SummarySection,
    /// Text of the current summary section.
    Summary(String),
    /// Raw reasoning text.
    Reasoning(String),
    /// Output of a command, already valid UTF-8.
    Output(String),
}
