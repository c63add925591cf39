//! Items as the newer record mode stores them: one `item_completed` event per item. Read only; we never write
//! them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::events::turn;
use super::items::{self, CommandIn, PatchIn};
use super::line::{Kind, Reason, payload};
use super::shapes::path_of;
use super::words::phase_of;
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::input::UserInput;
use crate::protocol::item::{Item, ToolStatus};

#[derive(Deserialize)]
struct CompletedIn<'a> {
    #[serde(default)]
    turn_id: Option<String>,
    #[serde(borrow)]
    item: &'a RawValue,
}

/// Fields of the items that are messages or plain calls; each uses a few.
#[derive(Deserialize)]
struct ItemIn {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    content: Vec<PartIn>,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    summary_text: Vec<String>,
    #[serde(default)]
    raw_content: Vec<String>,
    #[serde(default)]
    server: String,
    #[serde(default)]
    tool: String,
    #[serde(default)]
    arguments: serde_json::Value,
    #[serde(default)]
    status: Option<String>,
    #[serde(default)]
    result: Option<serde_json::Value>,
    #[serde(default)]
    error: Option<serde_json::Value>,
    #[serde(default)]
    query: String,
    #[serde(default)]
    path: String,
}

#[derive(Deserialize)]
struct PartIn {
    #[serde(default)]
    text: Option<String>,
    #[serde(default, alias = "url")]
    image_url: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

/// Reads an `item_completed` payload; `None` for kinds that have no shape of ours.
///
/// # Errors
/// A known kind has the wrong shape.
pub(crate) fn read(
    raw: &RawValue,
    fallback: &impl Fn() -> ItemId,
) -> Result<Option<(Option<TurnId>, Item)>, Reason> {
    let completed: CompletedIn<'_> = payload(raw)?;
    let kind: Kind<'_> = payload(completed.item)?;
    let item = match &*kind.kind {
        "CommandExecution" => items::command(payload::<CommandIn<'_>>(completed.item)?),
        "FileChange" => items::patch(payload::<PatchIn>(completed.item)?),
        "EnteredReviewMode" => items::entered_review(payload(completed.item)?, fallback),
        "ExitedReviewMode" => items::exited_review(payload(completed.item)?, fallback),
        known @ ("UserMessage" | "AgentMessage" | "Reasoning" | "McpToolCall" | "DynamicToolCall"
        | "WebSearch" | "ImageView" | "ContextCompaction") => {
            plain(known, payload(completed.item)?, fallback)
        }
        _ => return Ok(None),
    };
    Ok(Some((turn(completed.turn_id), item)))
}

fn plain(kind: &str, read: ItemIn, fallback: &impl Fn() -> ItemId) -> Item {
    let id = read.id.map_or_else(fallback, ItemId::from);
    match kind {
        "UserMessage" => {
            Item::UserMessage { id, content: read.content.into_iter().filter_map(input).collect() }
        }
        "AgentMessage" => {
            let text = read.content.into_iter().filter_map(|part| part.text).collect();
            Item::AgentMessage { id, text, phase: phase_of(read.phase.as_deref()) }
        }
        "Reasoning" => Item::Reasoning { id, summary: read.summary_text, content: read.raw_content },
        "WebSearch" => Item::WebSearch { id, query: read.query },
        "ImageView" => Item::ImageView { id, path: path_of(&read.path) },
        "ContextCompaction" => Item::ContextCompaction { id },
        _ => {
            let fine = read.status.as_deref() == Some("completed");
            let tool = if read.server.is_empty() {
                read.tool
            } else {
                format!("mcp__{}__{}", read.server, read.tool)
            };
            Item::ToolCall {
                id,
                tool,
                arguments: read.arguments,
                status: if fine { ToolStatus::Completed } else { ToolStatus::Failed },
                success: Some(fine),
                output: read.error.or(read.result).map(|value| text_of(&value)),
            }
        }
    }
}

fn input(part: PartIn) -> Option<UserInput> {
    match (part.text, part.image_url, part.path) {
        (Some(text), _, _) => Some(UserInput::Text { text }),
        (None, Some(url), _) => Some(UserInput::Image { url }),
        (None, None, Some(path)) => Some(UserInput::LocalImage { path: path_of(&path) }),
        (None, None, None) => None,
    }
}

/// What a tool's result says to a person.
fn text_of(value: &serde_json::Value) -> String {
    let parts = value.get("content").and_then(serde_json::Value::as_array);
    let texts: Vec<&str> =
        parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str()).collect();
    let message = value.as_str().or_else(|| value.get("message")?.as_str());
    match (message, texts.is_empty()) {
        (Some(text), _) => text.to_owned(),
        (None, false) => texts.join("\n"),
        (None, true) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As another program writes them.
    #[test]
    fn reviews_are_read() {
        let read = |item: &str| {
            let raw = format!(r#"{{"type":"item_completed","thread_id":"t","item":{item}}}"#);
            let raw = RawValue::from_string(raw).unwrap();
            super::read(&raw, &|| ItemId::from("none")).unwrap().unwrap().1
        };
        let begun = read(
            r#"{"type":"EnteredReviewMode","id":"a","target":{"type":"commit","sha":"abc"},"user_facing_hint":"commit abc"}"#,
        );
        assert!(
            matches!(begun, Item::EnteredReviewMode { review, target: Some(_), .. } if review == "commit abc")
        );
        let done = read(
            r#"{"type":"ExitedReviewMode","id":"b","review_output":{"findings":[],"overall_explanation":"Fine."}}"#,
        );
        assert!(matches!(done, Item::ExitedReviewMode { review, output: Some(_), .. } if review == "Fine."));
        let cut = read(r#"{"type":"ExitedReviewMode","id":"c","review_output":null}"#);
        assert!(matches!(cut, Item::ExitedReviewMode { output: None, .. }));
    }
}
