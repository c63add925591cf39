//! Items and turns as the events we write, in the rollout format's older record mode: [`super::payloads`] are its
//! shapes, and [`super::events`] reads them back.

use std::borrow::Cow;

use serde::Serialize;

use super::keep;
use super::line::Batch;
use super::payloads::{Event, SearchAction, TokenInfo, ToolText};
use super::shapes::{Changes, Duration, Lossy, ParsedCommand};
use super::words::{error_words, source_word, status_word};
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::input::UserInput;
use crate::protocol::item::{CommandItem, FileChange, Item, ItemStatus, ToolStatus};
use crate::protocol::limits::{LimitsSnapshot, Price};
use crate::protocol::note::{Note, Place};
use crate::protocol::tokens::ThreadUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// Exit code written for a command that has none.
pub(crate) const NO_EXIT_CODE: i32 = -1;

fn event(batch: &mut Batch, event: Event<'_>) -> serde_json::Result<()> {
    batch.push("event_msg", event)
}

/// Adds the lines of a complete item; none when it is not to be stored.
pub(crate) fn push_item(
    batch: &mut Batch,
    item: &Item,
    turn_id: TurnId,
    place: Option<&Place>,
) -> serde_json::Result<()> {
    if !keep::stored(item) {
        return Ok(());
    }
    match item {
        Item::UserMessage { id, content } => event(batch, user_message(id, content)),
        Item::AgentMessage { id, text, phase } => {
            event(batch, Event::AgentMessage { id, message: text, phase: *phase })
        }
        Item::Reasoning { id, summary, content } => push_reasoning(batch, id, summary, content),
        Item::CommandExecution(command) => event(batch, command_end(command, turn_id, place)),
        Item::FileChange { id, changes, status, error } => {
            event(batch, patch_end(id, changes, *status, error.as_deref(), turn_id))
        }
        Item::ToolCall { id, tool, arguments, status, success, output } => event(
            batch,
            Event::DynamicToolCallResponse {
                call_id: id,
                turn_id,
                tool,
                arguments,
                content_items: output.iter().map(|text| tool_text(text)).collect(),
                success: success.unwrap_or(*status == ToolStatus::Completed),
                error: None,
                duration: Duration::from_ms(0),
                status: if *status == ToolStatus::Completed { "completed" } else { "failed" },
            },
        ),
        Item::WebSearch { id, query } => {
            let action = SearchAction { kind: "search", query };
            event(batch, Event::WebSearchEnd { call_id: id, query, action })
        }
        Item::ImageView { id, path } => {
            event(batch, Event::ViewImageToolCall { call_id: id, path: Lossy(path) })
        }
        Item::EnteredReviewMode { id, review, target } => {
            let target = target.as_ref();
            event(batch, Event::EnteredReviewMode { id, target, user_facing_hint: review })
        }
        Item::ExitedReviewMode { id, review, output } => {
            let review = output.is_none().then_some(review.as_str());
            event(batch, Event::ExitedReviewMode { id, review_output: output.as_ref(), review })
        }
        Item::ContextCompaction { id } => event(batch, Event::ContextCompacted { id }),
    }
}

fn tool_text(text: &str) -> ToolText<'_> {
    ToolText { kind: "inputText", text: keep::capped(text) }
}

fn push_reasoning(
    batch: &mut Batch,
    id: &ItemId,
    summary: &[String],
    content: &[String],
) -> serde_json::Result<()> {
    for text in summary {
        event(batch, Event::AgentReasoning { id, text })?;
    }
    for text in content {
        event(batch, Event::AgentReasoningRawContent { id, text })?;
    }
    Ok(())
}

/// The event knows text, then images, then files. Input in another order is written a second time as it was.
fn user_message<'a>(id: &'a ItemId, content: &'a [UserInput]) -> Event<'a> {
    let mut texts: Vec<&str> = Vec::new();
    let (mut images, mut local_images) = (Vec::new(), Vec::new());
    let mut usual = true;
    for (place, part) in content.iter().enumerate() {
        match part {
            UserInput::Text { text } => {
                usual &= place == 0;
                texts.push(text);
            }
            UserInput::Image { url } => {
                usual &= local_images.is_empty();
                images.push(url.as_str());
            }
            UserInput::LocalImage { path } => local_images.push(Lossy(path)),
        }
    }
    let written_again = !usual && content.iter().all(is_utf8);
    Event::UserMessage {
        id,
        message: if let [only] = texts.as_slice() { Cow::Borrowed(only) } else { texts.join("\n").into() },
        images,
        local_images,
        text_elements: [],
        content: written_again.then_some(content),
    }
}

fn is_utf8(part: &UserInput) -> bool {
    match part {
        UserInput::LocalImage { path } => path.to_str().is_some(),
        UserInput::Text { .. } | UserInput::Image { .. } => true,
    }
}

fn command_end<'a>(command: &'a CommandItem, turn_id: TurnId, place: Option<&'a Place>) -> Event<'a> {
    let words = shlex::split(&command.command);
    let exact = words.as_deref().and_then(join).is_some_and(|again| again == command.command);
    Event::ExecCommandEnd {
        call_id: &command.id,
        process_id: command.process_id.as_deref(),
        turn_id,
        command: words.unwrap_or_else(|| vec!["sh".into(), "-c".into(), command.command.clone()]),
        command_line: (!exact).then_some(&command.command),
        cwd: Lossy(&command.cwd),
        parsed_cmd: command.command_actions.iter().map(ParsedCommand::from).collect(),
        source: source_word(command.source),
        stdout: "",
        stderr: "",
        aggregated_output: keep::capped(command.aggregated_output.as_deref().unwrap_or_default()),
        exit_code: command.exit_code.unwrap_or(NO_EXIT_CODE),
        duration: Duration::from_ms(command.duration_ms.unwrap_or_default()),
        formatted_output: "",
        status: status_word(command.status),
        shown_after: place.map(|place| &place.after),
        shown_after_end: place.is_some_and(|place| place.after_end),
    }
}

/// Words as one shell command line.
pub(crate) fn join(words: &[String]) -> Option<String> {
    shlex::try_join(words.iter().map(String::as_str)).ok()
}

fn patch_end<'a>(
    id: &'a ItemId,
    changes: &'a [FileChange],
    status: ItemStatus,
    error: Option<&'a str>,
    turn_id: TurnId,
) -> Event<'a> {
    Event::PatchApplyEnd {
        call_id: id,
        turn_id,
        stdout: "",
        stderr: error.unwrap_or_default(),
        success: status == ItemStatus::Completed,
        changes: Changes(changes),
        status: status_word(status),
    }
}

/// Adds the line that begins a turn.
pub(crate) fn push_turn_start(
    batch: &mut Batch,
    turn_id: TurnId,
    now_s: u64,
    window: Option<u64>,
) -> serde_json::Result<()> {
    event(
        batch,
        Event::TaskStarted {
            turn_id,
            started_at: now_s,
            model_context_window: window,
            collaboration_mode_kind: "default",
        },
    )
}

/// Adds the line of a note.
pub(crate) fn push_note(batch: &mut Batch, note: &Note) -> serde_json::Result<()> {
    event(batch, Event::Notice(note))
}

/// The mark by which readers leave out the last turns.
pub(crate) fn push_rolled_back(batch: &mut Batch, num_turns: u32) -> serde_json::Result<()> {
    #[derive(Serialize)]
    struct RolledBack {
        r#type: &'static str,
        num_turns: u32,
    }
    batch.push("event_msg", RolledBack { r#type: "thread_rolled_back", num_turns })
}

/// Adds the lines that end a turn: the error first, when there is one.
pub(crate) fn push_turn_end(batch: &mut Batch, end: &TurnEnd, now_ms: u64) -> serde_json::Result<()> {
    let (turn_id, duration_ms) = (end.turn_id, end.duration_ms);
    let (started_at, completed_at) = (now_ms.saturating_sub(duration_ms) / 1000, now_ms / 1000);
    if end.status == TurnStatus::Interrupted {
        let reason = "interrupted";
        let network = &end.network;
        return event(
            batch,
            Event::TurnAborted { turn_id, reason, started_at, completed_at, duration_ms, network },
        );
    }
    if let Some(error) = &end.error {
        event(batch, error_event(error, turn_id))?;
    }
    let last_agent_message = end.last_message.as_deref();
    let (price, price_so_far, changed) = (end.price.as_slice(), end.price_so_far, end.changed);
    event(
        batch,
        Event::TaskComplete {
            turn_id,
            last_agent_message,
            started_at,
            completed_at,
            duration_ms,
            price,
            price_so_far,
            changed,
            network: &end.network,
        },
    )
}

fn error_event(error: &ErrorInfo, turn_id: TurnId) -> Event<'_> {
    let (kind, codex_error_info) = error_words(error.kind);
    let hint = error.hint.as_deref();
    Event::Error { message: &error.message, codex_error_info, turn_id, kind, hint }
}

/// Adds the line with the whole price of a turn that has ended.
pub(crate) fn push_turn_price(
    batch: &mut Batch,
    turn_id: TurnId,
    price: &[Price],
    limits_spent: &[Price],
) -> serde_json::Result<()> {
    event(batch, Event::TurnPriced { turn_id, price, limits_spent })
}

/// Adds the token and limit line.
pub(crate) fn push_usage(
    batch: &mut Batch,
    usage: Option<&ThreadUsage>,
    limits: Option<&LimitsSnapshot>,
    limits_spent: &[Price],
) -> serde_json::Result<()> {
    let info = usage.map(|usage| TokenInfo {
        total_token_usage: usage.total,
        last_token_usage: usage.last,
        model_context_window: usage.context_window,
    });
    event(batch, Event::TokenCount { info, rate_limits: limits, limits_spent })
}

#[cfg(test)]
#[path = "written_tests.rs"]
mod tests;
