//! Stored commands, patches, calls of tools and reviews as items. Both record modes spell their fields alike, so
//! [`super::events`] and [`super::paginated`] share what is in here.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::shapes::{ChangesIn, Duration, ParsedCommand, path_of};
use super::words::{source_of, status_of};
use super::written::{NO_EXIT_CODE, join};
use crate::base::ids::ItemId;
use crate::protocol::item::{CommandAction, CommandItem, Item, ItemStatus, ToolStatus};
use crate::protocol::review::{self, Output, Target};

/// A command as both record modes store it.
#[derive(Deserialize)]
pub(super) struct CommandIn<'a> {
    #[serde(alias = "id")]
    call_id: String,
    #[serde(default)]
    pub(super) turn_id: Option<String>,
    #[serde(default)]
    process_id: Option<String>,
    command: Vec<String>,
    #[serde(default)]
    command_line: Option<String>,
    #[serde(default)]
    cwd: String,
    #[serde(default, borrow)]
    parsed_cmd: Option<&'a RawValue>,
    #[serde(default)]
    source: Option<String>,
    #[serde(default)]
    aggregated_output: Option<String>,
    #[serde(default)]
    exit_code: Option<i32>,
    #[serde(default)]
    duration: Option<Duration>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    pub(super) shown_after: Option<ItemId>,
    #[serde(default)]
    pub(super) shown_after_end: bool,
}

/// A patch as both record modes store it.
#[derive(Deserialize)]
pub(super) struct PatchIn {
    #[serde(alias = "id")]
    call_id: String,
    #[serde(default)]
    pub(super) turn_id: Option<String>,
    #[serde(default)]
    changes: ChangesIn,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    stderr: Option<String>,
}

/// A call of any other tool; each event uses a few of the fields.
#[derive(Deserialize)]
pub(super) struct ToolIn {
    #[serde(default)]
    call_id: String,
    #[serde(default)]
    pub(super) turn_id: Option<String>,
    #[serde(default)]
    tool: String,
    #[serde(default)]
    arguments: serde_json::Value,
    #[serde(default)]
    content_items: Vec<TextIn>,
    #[serde(default)]
    success: bool,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    query: String,
    #[serde(default)]
    path: String,
    #[serde(default)]
    invocation: Option<InvocationIn>,
    #[serde(default)]
    result: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct TextIn {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Deserialize)]
struct InvocationIn {
    server: String,
    tool: String,
    #[serde(default)]
    arguments: serde_json::Value,
}

/// The start of a review, as both record modes store it.
#[derive(Deserialize)]
pub(super) struct EnteredIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    target: serde_json::Value,
    #[serde(default)]
    user_facing_hint: Option<String>,
}

/// Its end.
#[derive(Deserialize)]
pub(super) struct ExitedIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    review_output: serde_json::Value,
    #[serde(default)]
    review: Option<String>,
}

/// The item of a stored command.
pub(super) fn command(read: CommandIn<'_>) -> Item {
    let actions: Vec<ParsedCommand<'_>> =
        read.parsed_cmd.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let exit_code = read.exit_code.filter(|code| *code != NO_EXIT_CODE);
    let status = match read.status.as_deref() {
        Some(word) => status_of(word),
        None if exit_code == Some(0) => ItemStatus::Completed,
        None => ItemStatus::Failed,
    };
    let line = read.command_line.or_else(|| join(&read.command));
    let ran = status != ItemStatus::Declined;
    Item::CommandExecution(CommandItem {
        id: read.call_id.into(),
        command: line.unwrap_or_else(|| read.command.join(" ")),
        cwd: path_of(&read.cwd),
        process_id: read.process_id,
        source: source_of(read.source.as_deref().unwrap_or_default()),
        status,
        command_actions: actions.into_iter().map(CommandAction::from).collect(),
        aggregated_output: Some(read.aggregated_output.unwrap_or_default())
            .filter(|text| ran || !text.is_empty()),
        exit_code,
        duration_ms: read.duration.map(Duration::ms).filter(|_| ran),
    })
}

/// The item of a stored patch.
pub(super) fn patch(read: PatchIn) -> Item {
    let status = match (read.status.as_deref(), read.success) {
        (Some(word), _) => status_of(word),
        (None, Some(true)) => ItemStatus::Completed,
        (None, _) => ItemStatus::Failed,
    };
    let error = read.stderr.filter(|text| !text.is_empty() && status != ItemStatus::Completed);
    Item::FileChange { id: read.call_id.into(), changes: read.changes.0, status, error }
}

/// The item of a review that began.
pub(super) fn entered_review(read: EnteredIn, fallback: &impl Fn() -> ItemId) -> Item {
    let target: Option<Target> = serde_json::from_value(read.target).ok();
    let words = || target.as_ref().map(Target::words).unwrap_or_default();
    Item::EnteredReviewMode {
        id: read.id.map_or_else(fallback, ItemId::from),
        review: read.user_facing_hint.unwrap_or_else(words),
        target,
    }
}

/// The item of a review that ended.
pub(super) fn exited_review(read: ExitedIn, fallback: &impl Fn() -> ItemId) -> Item {
    let output = Output::of_value(&read.review_output);
    let words = output.as_ref().map(Output::text).or(read.review);
    Item::ExitedReviewMode {
        id: read.id.map_or_else(fallback, ItemId::from),
        review: words.unwrap_or_else(|| review::WITHOUT_RESULT.to_owned()),
        output,
    }
}

/// The item of a stored call; `kind` is the word of its event.
pub(super) fn tool(kind: &str, read: ToolIn) -> Item {
    let id = ItemId::from(read.call_id);
    match (kind, read.invocation) {
        ("web_search_end", _) => Item::WebSearch { id, query: read.query },
        ("view_image_tool_call", _) => Item::ImageView { id, path: path_of(&read.path) },
        ("mcp_tool_call_end", Some(call)) => {
            let failed = read.result.as_ref().is_none_or(|result| result.get("Err").is_some());
            Item::ToolCall {
                id,
                tool: format!("mcp__{}__{}", call.server, call.tool),
                arguments: call.arguments,
                status: tool_status(!failed),
                success: Some(!failed),
                output: read.result.as_ref().map(mcp_text),
            }
        }
        _ => {
            let texts: Vec<String> = read.content_items.into_iter().filter_map(|part| part.text).collect();
            Item::ToolCall {
                id,
                tool: read.tool,
                arguments: read.arguments,
                status: tool_status(read.status.map_or(read.success, |word| word == "completed")),
                success: Some(read.success),
                output: (!texts.is_empty()).then(|| texts.join("\n")).or(read.error),
            }
        }
    }
}

fn tool_status(fine: bool) -> ToolStatus {
    if fine { ToolStatus::Completed } else { ToolStatus::Failed }
}

/// The text parts of an MCP result, or its error.
fn mcp_text(result: &serde_json::Value) -> String {
    if let Some(text) = result.get("Err").and_then(serde_json::Value::as_str) {
        return text.to_owned();
    }
    let parts = result.pointer("/Ok/content").and_then(serde_json::Value::as_array);
    let texts = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str());
    texts.collect::<Vec<_>>().join("\n")
}
