//! The lines of `exec --json` as they are written: a public contract that scripts read, so that nothing stands in here
//! by accident. When which line is written is decided in [`super::jsonl`].

use serde::Serialize;

use super::run::Show;
use crate::protocol::item::{ChangeKind, CommandItem, FileChange, Item, ItemStatus, PlanStatus, PlanStep};
use crate::protocol::network::Visit;
use crate::protocol::tokens::TokenUsage;

/// One line.
#[derive(Serialize)]
#[serde(tag = "type")]
pub(super) enum Line<'a> {
    #[serde(rename = "thread.started")]
    ThreadStarted { thread_id: String },
    #[serde(rename = "turn.started")]
    TurnStarted,
    #[serde(rename = "turn.completed")]
    TurnCompleted {
        usage: Usage,
        /// Ours, and only there when there is something to tell.
        #[serde(skip_serializing_if = "<[Visit]>::is_empty")]
        network: &'a [Visit],
    },
    #[serde(rename = "turn.failed")]
    TurnFailed {
        error: Message<'a>,
        #[serde(skip_serializing_if = "<[Visit]>::is_empty")]
        network: &'a [Visit],
    },
    #[serde(rename = "item.started")]
    ItemStarted { item: ItemLine<'a> },
    #[serde(rename = "item.updated")]
    ItemUpdated { item: ItemLine<'a> },
    #[serde(rename = "item.completed")]
    ItemCompleted { item: ItemLine<'a> },
    #[serde(rename = "error")]
    Error { message: String },
}

impl<'a> Line<'a> {
    pub(super) fn completed(id: u64, details: Details<'a>) -> Self {
        Self::ItemCompleted { item: ItemLine::new(id, details) }
    }
}

/// The text of an error.
#[derive(Serialize)]
pub(super) struct Message<'a> {
    pub(super) message: &'a str,
}

/// The tokens of a turn.
#[derive(Serialize)]
pub(super) struct Usage {
    input_tokens: u64,
    cached_input_tokens: u64,
    cache_write_input_tokens: u64,
    output_tokens: u64,
    reasoning_output_tokens: u64,
}

impl From<&TokenUsage> for Usage {
    fn from(usage: &TokenUsage) -> Self {
        Self {
            input_tokens: usage.input_tokens,
            cached_input_tokens: usage.cached_input_tokens,
            cache_write_input_tokens: usage.cache_write_input_tokens,
            output_tokens: usage.output_tokens,
            reasoning_output_tokens: usage.reasoning_output_tokens,
        }
    }
}

/// An item and the number it has in these lines.
#[derive(Serialize)]
pub(super) struct ItemLine<'a> {
    id: String,
    #[serde(flatten)]
    details: Details<'a>,
}

impl<'a> ItemLine<'a> {
    pub(super) fn new(id: u64, details: Details<'a>) -> Self {
        Self { id: format!("item_{id}"), details }
    }
}

/// What is told of an item, by its kind.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Details<'a> {
    AgentMessage {
        text: &'a str,
    },
    Reasoning {
        text: String,
    },
    CommandExecution {
        command: &'a str,
        aggregated_output: &'a str,
        exit_code: Option<i32>,
        status: &'static str,
    },
    FileChange {
        changes: Vec<Change>,
        status: &'static str,
    },
    WebSearch {
        query: &'a str,
    },
    TodoList {
        items: Vec<TodoItem>,
    },
    Error {
        message: &'a str,
    },
}

/// A file of a patch.
#[derive(Serialize)]
pub(super) struct Change {
    path: String,
    kind: &'static str,
}

/// A step of the plan.
#[derive(Serialize)]
pub(super) struct TodoItem {
    text: String,
    completed: bool,
}

/// What the contract says about an item; `None` for kinds it does not know.
pub(super) fn details(item: &Item, show: Show) -> Option<Details<'_>> {
    match item {
        Item::AgentMessage { text, .. } => Some(Details::AgentMessage { text }),
        Item::Reasoning { summary, content, .. } => {
            show.reasoning(summary, content).map(|text| Details::Reasoning { text })
        }
        Item::CommandExecution(command) => Some(command_details(command)),
        Item::FileChange { changes, status, .. } => Some(Details::FileChange {
            changes: changes.iter().map(change).collect(),
            status: match status {
                ItemStatus::Declined => "failed",
                other => status_word(*other),
            },
        }),
        Item::WebSearch { query, .. } => Some(Details::WebSearch { query }),
        // A call that could not be carried out has no shape of its own, but must not pass unseen.
        Item::ToolCall { success: Some(false), output, tool, .. } => {
            Some(Details::Error { message: output.as_deref().unwrap_or(tool) })
        }
        Item::ToolCall { .. }
        | Item::UserMessage { .. }
        | Item::ImageView { .. }
        | Item::EnteredReviewMode { .. }
        | Item::ExitedReviewMode { .. }
        | Item::ContextCompaction { .. } => None,
    }
}

fn command_details(command: &CommandItem) -> Details<'_> {
    Details::CommandExecution {
        command: &command.command,
        aggregated_output: command.aggregated_output.as_deref().unwrap_or_default(),
        exit_code: command.exit_code,
        status: status_word(command.status),
    }
}

fn status_word(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::InProgress => "in_progress",
        ItemStatus::Completed => "completed",
        ItemStatus::Failed => "failed",
        ItemStatus::Declined => "declined",
    }
}

fn change(change: &FileChange) -> Change {
    let kind = match change.kind {
        ChangeKind::Add => "add",
        ChangeKind::Delete => "delete",
        ChangeKind::Update { .. } => "update",
    };
    Change { path: change.path.to_string_lossy().into_owned(), kind }
}

/// The steps of a plan.
pub(super) fn todo_items(plan: &[PlanStep]) -> Vec<TodoItem> {
    let item = |step: &PlanStep| TodoItem {
        text: step.step.clone(),
        completed: step.status == PlanStatus::Completed,
    };
    plan.iter().map(item).collect()
}
