//! Events of stored threads as items and turn marks: the reading side of [`super::legacy`], also for the events
//! that only other programs write. What has no shape of ours is passed over in silence; what has the wrong shape
//! is told as a reason.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::legacy::{NO_EXIT_CODE, join};
use super::line::{Kind, Reason, payload};
use super::paginated;
use super::shapes::{ChangesIn, Duration, ParsedCommand, path_of};
use super::words::{error_kind, phase_of, source_of, status_of};
use crate::base::clean;
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::input::UserInput;
use crate::protocol::item::{CommandAction, CommandItem, Item, ItemStatus, ToolStatus};
use crate::protocol::limits::Price;
use crate::protocol::network::Visits;
use crate::protocol::note::{Note, Place};
use crate::protocol::review::{self, Output, Target};
use crate::protocol::turn::Changed;

/// What an event means to a reader of the thread.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A turn began.
    TurnStarted {
        /// Which, when it has a name.
        turn_id: Option<TurnId>,
        /// Unix seconds.
        started_at: Option<u64>,
    },
    /// A turn ended.
    TurnEnded {
        /// Which, when it is told.
        turn_id: Option<TurnId>,
        /// Stopped by the user.
        aborted: bool,
        /// Wall time in milliseconds.
        duration_ms: Option<u64>,
        /// Unix seconds.
        completed_at: Option<u64>,
        /// What it cost of the limits.
        price: Vec<Price>,
        /// But for its last answer.
        price_so_far: bool,
        /// What its patches changed.
        changed: Option<Changed>,
        /// What its commands reached in the network.
        network: Visits,
    },
    /// What a turn cost in all.
    TurnPriced {
        /// Which.
        turn_id: Option<TurnId>,
        /// Percent of each window.
        price: Vec<Price>,
    },
    /// A line that the user saw beside the items.
    Note(Note),
    /// The turn failed.
    Failed(ErrorInfo),
    /// An item.
    Item {
        /// Its turn, when it is told.
        turn_id: Option<TurnId>,
        /// The item.
        item: Item,
    },
    /// An item that was shown in another place than the one of its line.
    Placed {
        /// Its turn, when it is told.
        turn_id: Option<TurnId>,
        /// The item.
        item: Item,
        /// Where.
        place: Place,
    },
    /// One section of a reasoning item; sections of one item follow each other.
    Reasoning {
        /// The item, when it is told.
        id: Option<ItemId>,
        /// The text.
        text: String,
        /// Raw reasoning instead of the summary.
        raw: bool,
    },
    /// The last turns were taken back.
    RolledBack {
        /// How many.
        turns: u32,
    },
}

/// Windows of an account; their names are short.
const MOST_WINDOWS: usize = 16;
const WINDOW_CHARS: usize = 60;
/// A long thread uses a window up many times; nobody does so oftener.
const MOST_PERCENT: f64 = 1e6;

/// Fields of every event we read; each event uses a few.
#[derive(Deserialize)]
struct TurnIn {
    #[serde(default)]
    turn_id: Option<String>,
    #[serde(default)]
    started_at: Option<u64>,
    #[serde(default)]
    duration_ms: Option<u64>,
    #[serde(default)]
    completed_at: Option<u64>,
    #[serde(default)]
    num_turns: u32,
    #[serde(default)]
    price: Vec<Price>,
    #[serde(default)]
    price_so_far: bool,
    #[serde(default)]
    changed: Option<Changed>,
    #[serde(default)]
    network: Visits,
}

#[derive(Deserialize)]
struct MessageIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    message: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    images: Option<Vec<String>>,
    #[serde(default)]
    local_images: Option<Vec<PathBuf>>,
    #[serde(default)]
    content: Option<Vec<UserInput>>,
}

#[derive(Deserialize)]
struct ErrorIn<'a> {
    message: String,
    #[serde(default, borrow)]
    codex_error_info: Option<&'a RawValue>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    hint: Option<String>,
}

/// A command as both record modes store it.
#[derive(Deserialize)]
pub(crate) struct CommandIn<'a> {
    #[serde(alias = "id")]
    call_id: String,
    #[serde(default)]
    turn_id: Option<String>,
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
    shown_after: Option<ItemId>,
    #[serde(default)]
    shown_after_end: bool,
}

/// A patch as both record modes store it.
#[derive(Deserialize)]
pub(crate) struct PatchIn {
    #[serde(alias = "id")]
    call_id: String,
    #[serde(default)]
    turn_id: Option<String>,
    #[serde(default)]
    changes: ChangesIn,
    #[serde(default)]
    success: Option<bool>,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    stderr: Option<String>,
}

#[derive(Deserialize)]
struct ToolIn {
    #[serde(default)]
    call_id: String,
    #[serde(default)]
    turn_id: Option<String>,
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

/// Reads an `event_msg` payload. `fallback` names an item whose event has no id of its own.
///
/// # Errors
/// The payload has a known type and the wrong shape.
pub(crate) fn read(raw: &RawValue, fallback: impl Fn() -> ItemId) -> Result<Option<Seen>, Reason> {
    let kind: Kind<'_> = payload(raw)?;
    let seen = match &*kind.kind {
        "task_started" | "turn_started" => {
            let read: TurnIn = payload(raw)?;
            Seen::TurnStarted { turn_id: turn(read.turn_id), started_at: read.started_at }
        }
        end @ ("task_complete" | "turn_complete" | "turn_aborted") => {
            let read: TurnIn = payload(raw)?;
            let aborted = end == "turn_aborted";
            let TurnIn { turn_id, duration_ms, completed_at, price, price_so_far, changed, network, .. } =
                read;
            let turn_id = turn(turn_id);
            Seen::TurnEnded {
                turn_id,
                aborted,
                duration_ms,
                completed_at,
                price: plausible(price),
                price_so_far,
                changed,
                network,
            }
        }
        "turn_priced" => {
            let TurnIn { turn_id, price, .. } = payload(raw)?;
            Seen::TurnPriced { turn_id: turn(turn_id), price: plausible(price) }
        }
        "thread_rolled_back" => Seen::RolledBack { turns: payload::<TurnIn>(raw)?.num_turns },
        // A later version of ours may tell more in it: that costs the note, nothing else.
        "notice" => match payload(raw) {
            Ok(note) => Seen::Note(note),
            Err(_) => return Ok(None),
        },
        "error" => Seen::Failed(error(payload(raw)?)),
        "item_completed" => match paginated::read(raw, &fallback)? {
            Some((turn_id, item)) => Seen::Item { turn_id, item },
            None => return Ok(None),
        },
        text @ ("user_message"
        | "agent_message"
        | "agent_reasoning"
        | "agent_reasoning_raw_content"
        | "context_compacted") => message(text, payload(raw)?, fallback),
        "exec_command_end" => {
            let mut read: CommandIn<'_> = payload(raw)?;
            let (turn_id, after_end) = (turn(read.turn_id.clone()), read.shown_after_end);
            match read.shown_after.take() {
                Some(after) => {
                    Seen::Placed { turn_id, item: command(read), place: Place { after, after_end } }
                }
                None => Seen::Item { turn_id, item: command(read) },
            }
        }
        "patch_apply_end" => {
            let read: PatchIn = payload(raw)?;
            Seen::Item { turn_id: turn(read.turn_id.clone()), item: patch(read) }
        }
        tool_kind @ ("dynamic_tool_call_response"
        | "mcp_tool_call_end"
        | "web_search_end"
        | "view_image_tool_call") => tool(tool_kind, payload(raw)?),
        "entered_review_mode" => Seen::Item { turn_id: None, item: entered_review(payload(raw)?, &fallback) },
        "exited_review_mode" => Seen::Item { turn_id: None, item: exited_review(payload(raw)?, &fallback) },
        _ => return Ok(None),
    };
    Ok(Some(seen))
}

/// A turn id; other programs may use words we cannot hold.
pub(crate) fn turn(text: Option<String>) -> Option<TurnId> {
    text.and_then(|text| text.parse().ok())
}

/// Prices as a file tells them, made such that they can be shown and added up: a file may say anything.
pub(super) fn plausible(price: Vec<Price>) -> Vec<Price> {
    let possible = price.into_iter().filter(|price| price.percent.is_finite() && price.percent >= 0.0);
    let plain = |price: Price| Price {
        window: clean::line(&price.window, WINDOW_CHARS),
        percent: price.percent.min(MOST_PERCENT),
    };
    possible.take(MOST_WINDOWS).map(plain).collect()
}

fn error(read: ErrorIn<'_>) -> ErrorInfo {
    let others: Option<String> = read.codex_error_info.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let kind = error_kind(read.kind.as_deref(), others.as_deref());
    ErrorInfo { kind, message: read.message, hint: read.hint }
}

fn message(kind: &str, read: MessageIn, fallback: impl Fn() -> ItemId) -> Seen {
    let id = read.id.map(ItemId::from);
    match kind {
        "agent_reasoning" => return Seen::Reasoning { id, text: read.text, raw: false },
        "agent_reasoning_raw_content" => return Seen::Reasoning { id, text: read.text, raw: true },
        _ => {}
    }
    let id = id.unwrap_or_else(fallback);
    let item = match kind {
        "user_message" => {
            let content = read.content.unwrap_or_else(|| {
                let text = (!read.message.is_empty()).then_some(UserInput::Text { text: read.message });
                let images = read.images.unwrap_or_default().into_iter().map(|url| UserInput::Image { url });
                let files = read.local_images.unwrap_or_default().into_iter();
                text.into_iter()
                    .chain(images)
                    .chain(files.map(|path| UserInput::LocalImage { path }))
                    .collect()
            });
            Item::UserMessage { id, content }
        }
        "agent_message" => {
            Item::AgentMessage { id, text: read.message, phase: phase_of(read.phase.as_deref()) }
        }
        _ => Item::ContextCompaction { id },
    };
    Seen::Item { turn_id: None, item }
}

/// The start of a review, as both record modes store it.
#[derive(Deserialize)]
pub(crate) struct EnteredIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    target: serde_json::Value,
    #[serde(default)]
    user_facing_hint: Option<String>,
}

/// Its end.
#[derive(Deserialize)]
pub(crate) struct ExitedIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    review_output: serde_json::Value,
    #[serde(default)]
    review: Option<String>,
}

/// The item of a review that began.
pub(crate) fn entered_review(read: EnteredIn, fallback: &impl Fn() -> ItemId) -> Item {
    let target: Option<Target> = serde_json::from_value(read.target).ok();
    let words = || target.as_ref().map(Target::words).unwrap_or_default();
    Item::EnteredReviewMode {
        id: read.id.map_or_else(fallback, ItemId::from),
        review: read.user_facing_hint.unwrap_or_else(words),
        target,
    }
}

/// The item of a review that ended.
pub(crate) fn exited_review(read: ExitedIn, fallback: &impl Fn() -> ItemId) -> Item {
    let output = Output::of_value(&read.review_output);
    let words = output.as_ref().map(Output::text).or(read.review);
    Item::ExitedReviewMode {
        id: read.id.map_or_else(fallback, ItemId::from),
        review: words.unwrap_or_else(|| review::WITHOUT_RESULT.to_owned()),
        output,
    }
}

/// The item of a stored command.
pub(crate) fn command(read: CommandIn<'_>) -> Item {
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
pub(crate) fn patch(read: PatchIn) -> Item {
    let status = match (read.status.as_deref(), read.success) {
        (Some(word), _) => status_of(word),
        (None, Some(true)) => ItemStatus::Completed,
        (None, _) => ItemStatus::Failed,
    };
    let error = read.stderr.filter(|text| !text.is_empty() && status != ItemStatus::Completed);
    Item::FileChange { id: read.call_id.into(), changes: read.changes.0, status, error }
}

fn tool(kind: &str, read: ToolIn) -> Seen {
    let id = ItemId::from(read.call_id);
    let turn_id = turn(read.turn_id);
    let item = match (kind, read.invocation) {
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
    };
    Seen::Item { turn_id, item }
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
