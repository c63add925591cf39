//! Events of stored threads as marks of turns and [`super::items`]: the reading side of [`super::written`], also for
//! the events that only other programs write. What has no shape of ours is passed over in silence; what has the wrong shape
//! is told as a reason.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::items::{self, CommandIn, PatchIn, ToolIn};
use super::line::{Kind, Reason, payload};
use super::paginated;
use super::words::{error_kind, phase_of};
use crate::base::clean;
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::input::UserInput;
use crate::protocol::item::Item;
use crate::protocol::limits::Price;
use crate::protocol::network::Visits;
use crate::protocol::note::{Note, Place};
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
                    Seen::Placed { turn_id, item: items::command(read), place: Place { after, after_end } }
                }
                None => Seen::Item { turn_id, item: items::command(read) },
            }
        }
        "patch_apply_end" => {
            let read: PatchIn = payload(raw)?;
            Seen::Item { turn_id: turn(read.turn_id.clone()), item: items::patch(read) }
        }
        tool_kind @ ("dynamic_tool_call_response"
        | "mcp_tool_call_end"
        | "web_search_end"
        | "view_image_tool_call") => {
            let read: ToolIn = payload(raw)?;
            Seen::Item { turn_id: turn(read.turn_id.clone()), item: items::tool(tool_kind, read) }
        }
        "entered_review_mode" => {
            Seen::Item { turn_id: None, item: items::entered_review(payload(raw)?, &fallback) }
        }
        "exited_review_mode" => {
            Seen::Item { turn_id: None, item: items::exited_review(payload(raw)?, &fallback) }
        }
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
