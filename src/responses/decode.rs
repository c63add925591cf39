//! Frame → event. The tag is read first and only the body it names is parsed, borrowing from the frame; no tree
//! of values is built. A frame that cannot be read is skipped: the item that ends the stream's sentence,
//! `output_item.done`, carries everything again.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::value::RawValue;

use super::errors::{self, Failure};
use super::event::{Output, OutputItem, ResponseEvent};
use super::limit_headers;
use super::wire;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::item::MessagePhase;
use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};
use crate::protocol::tokens::TokenUsage;

/// What a frame says.
#[derive(Debug)]
pub(crate) enum Decoded {
    /// Something for the reader.
    Event(ResponseEvent),
    /// The server gave up on this answer.
    Failure(Box<Failure>),
    /// Nothing of use, or not readable.
    Skip,
}

/// Reads one frame.
pub(crate) fn decode(frame: &str) -> Decoded {
    let Some(kind) = kind(frame) else { return Decoded::Skip };
    let event = match kind.as_ref() {
        "response.output_text.delta" | "response.refusal.delta" => {
            delta(frame, |item_id, delta| ResponseEvent::TextDelta { item_id, delta })
        }
        "response.reasoning_summary_text.delta" => {
            delta(frame, |item_id, delta| ResponseEvent::SummaryDelta { item_id, delta })
        }
        "response.reasoning_text.delta" => {
            delta(frame, |item_id, delta| ResponseEvent::ReasoningDelta { item_id, delta })
        }
        "response.reasoning_summary_part.added" => section(frame),
        "response.output_item.added" => item_added(frame),
        "response.output_item.done" => item_done(frame),
        "response.created" => Some(ResponseEvent::Created),
        "response.completed" => Some(ResponseEvent::Completed { usage: usage(frame) }),
        "response.incomplete" => Some(incomplete(frame)),
        "response.failed" | "error" => return Decoded::Failure(Box::new(failed(frame))),
        "codex.rate_limits" => {
            limit_headers::from_event(frame).map(|limits| ResponseEvent::Limits(Box::new(limits)))
        }
        _ => None,
    };
    event.map_or(Decoded::Skip, Decoded::Event)
}

/// The `type` of a frame. Servers write it first, so that usually nothing needs to be parsed.
fn kind(frame: &str) -> Option<Cow<'_, str>> {
    let quick = frame.strip_prefix("{\"type\":").map(str::trim_start).and_then(|rest| rest.strip_prefix('"'));
    if let Some((kind, _)) = quick.and_then(|rest| rest.split_once('"'))
        && !kind.contains('\\')
    {
        return Some(Cow::Borrowed(kind));
    }
    serde_json::from_str::<wire::Tag<'_>>(frame).ok().map(|tag| tag.kind)
}

fn delta(frame: &str, make: impl Fn(String, String) -> ResponseEvent) -> Option<ResponseEvent> {
    let wire: wire::Delta<'_> = serde_json::from_str(frame).ok()?;
    Some(make(wire.item_id.map(Cow::into_owned).unwrap_or_default(), wire.delta.into_owned()))
}

fn section(frame: &str) -> Option<ResponseEvent> {
    let wire: wire::Section<'_> = serde_json::from_str(frame).ok()?;
    Some(ResponseEvent::SummarySection { item_id: wire.item_id.map(Cow::into_owned).unwrap_or_default() })
}

fn item_added(frame: &str) -> Option<ResponseEvent> {
    let event: wire::ItemEvent<'_> = serde_json::from_str(frame).ok()?;
    output(&object(event.item)?).map(|(what, _)| ResponseEvent::ItemAdded(what))
}

fn item_done(frame: &str) -> Option<ResponseEvent> {
    let event: wire::ItemEvent<'_> = serde_json::from_str(frame).ok()?;
    let item = object(event.item)?;
    let (what, kind) = output(&item)?;
    if !can_be_repeated(&item) {
        return None;
    }
    let model_item = ModelItem { json: on_one_line(event.item)?, kind };
    Some(ResponseEvent::ItemDone(Box::new(OutputItem { model_item, what })))
}

/// Reads an item. The derive would take an array for a struct; sent back, the server would refuse it.
fn object(raw: &RawValue) -> Option<wire::OutputItem<'_>> {
    raw.get().starts_with('{').then(|| serde_json::from_str(raw.get()).ok())?
}

/// Whether the service would take the item back: it goes into every later request as it is, so a misshapen one
/// would spoil the thread for good.
fn can_be_repeated(item: &wire::OutputItem<'_>) -> bool {
    let filled = |raw: Option<&RawValue>| wire::read::<Vec<&RawValue>>(raw).is_some_and(|l| !l.is_empty());
    match item.kind.as_ref() {
        "message" => filled(item.content),
        "reasoning" => item.summary.is_none_or(|summary| summary.get().starts_with('[')),
        kind => !kind.is_empty(),
    }
}

/// The item's own bytes. Line breaks can only be white space in JSON; they become blanks, because the rollout
/// keeps one item per line.
fn on_one_line(raw: &RawValue) -> Option<Arc<RawValue>> {
    if memchr::memchr2(b'\n', b'\r', raw.get().as_bytes()).is_none() {
        return Some(Arc::from(raw.to_owned()));
    }
    let line = raw.get().replace(['\n', '\r'], " ");
    RawValue::from_string(line).ok().map(Arc::from)
}

/// What an item is. `None` when it can be of no use: a call that no output could be paired with.
fn output(item: &wire::OutputItem<'_>) -> Option<(Output, ModelItemKind)> {
    let id = wire::text(item.id).unwrap_or_default();
    let call_id = || wire::text(item.call_id).filter(|c| !c.is_empty()).or_else(|| Some(id.clone()));
    let call_id = || call_id().filter(|c| !c.is_empty());
    let name = || wire::text(item.name).unwrap_or_default();
    let call = |call_id: &str, output| ModelItemKind::Call { call_id: call_id.to_owned(), output };
    Some(match item.kind.as_ref() {
        "message" => {
            let kind = match wire::text(item.role).as_deref() {
                Some("user") => ModelItemKind::User,
                Some("developer" | "system") => ModelItemKind::Developer,
                _ => ModelItemKind::Assistant,
            };
            let text = parts(item.content).concat();
            (Output::Message { id, text, phase: wire::read::<MessagePhase>(item.phase) }, kind)
        }
        "reasoning" => (
            Output::Reasoning { id, summary: parts(item.summary), content: parts(item.content) },
            ModelItemKind::Reasoning,
        ),
        "function_call" => {
            let call_id = call_id()?;
            let kind = call(&call_id, OutputKind::Function);
            let (namespace, arguments) = (wire::text(item.namespace), text_or_json(item.arguments));
            (Output::FunctionCall { id, call_id, name: name(), namespace, arguments }, kind)
        }
        "custom_tool_call" => {
            let call_id = call_id()?;
            let kind = call(&call_id, OutputKind::Custom);
            (Output::CustomToolCall { id, call_id, name: name(), input: text_or_json(item.input) }, kind)
        }
        "local_shell_call" => {
            let call_id = call_id()?;
            let kind = call(&call_id, OutputKind::Function);
            (local_shell(id, call_id, item.action), kind)
        }
        "web_search_call" => (Output::WebSearch { id, query: search(item.action) }, ModelItemKind::Other),
        "compaction" | "compaction_summary" => (Output::Compaction { id }, ModelItemKind::Compaction),
        other => (Output::Other { id, kind: other.to_owned() }, ModelItemKind::Other),
    })
}

fn parts(raw: Option<&RawValue>) -> Vec<String> {
    let Some(list) = wire::read::<Vec<&RawValue>>(raw) else { return wire::text(raw).into_iter().collect() };
    list.into_iter()
        .filter_map(|part| wire::read::<wire::Part<'_>>(Some(part)))
        .filter_map(|part| part.text.or(part.refusal).map(Cow::into_owned))
        .collect()
}

/// Text as it is meant to be; some servers write the value itself instead of its text.
fn text_or_json(raw: Option<&RawValue>) -> String {
    wire::text(raw).or_else(|| raw.map(|r| r.get().to_owned())).unwrap_or_default()
}

fn local_shell(id: String, call_id: String, action: Option<&RawValue>) -> Output {
    let action: Option<wire::ShellAction> = wire::read(action);
    let (command, workdir, timeout_ms) =
        action.map_or_else(Default::default, |a| (a.command, a.working_directory, a.timeout_ms));
    Output::LocalShellCall { id, call_id, command, workdir, timeout_ms }
}

fn search(action: Option<&RawValue>) -> String {
    let Some(action) = wire::read::<wire::SearchAction>(action) else { return String::new() };
    let several = action.queries.filter(|q| !q.is_empty()).map(|q| q.join(" · "));
    let query = action.query.filter(|q| !q.is_empty()).or(several);
    match (query, action.url, action.pattern) {
        (Some(query), ..) => query,
        (None, Some(url), Some(pattern)) => format!("{pattern} in {url}"),
        (None, url, pattern) => url.or(pattern).unwrap_or_default(),
    }
}

fn usage(frame: &str) -> Option<TokenUsage> {
    wire::read::<wire::Usage>(response_body(frame)?.usage).map(TokenUsage::from)
}

fn response_body(frame: &str) -> Option<wire::Response<'_>> {
    let body: wire::ResponseBody<'_> = serde_json::from_str(frame).ok()?;
    wire::read(body.response)
}

fn incomplete(frame: &str) -> ResponseEvent {
    let reason = response_body(frame)
        .and_then(|r| wire::read::<wire::IncompleteDetails>(r.incomplete_details))
        .and_then(|details| details.reason);
    let message = match reason.as_deref() {
        Some("max_output_tokens") => {
            "The answer reached the model's output limit and was cut off.".to_owned()
        }
        Some("content_filter") => "The service's content filter cut the answer off.".to_owned(),
        Some(other) => {
            format!("The service ended the answer early (reason: {}).", crate::base::clean::line(other, 100))
        }
        None => "The service ended the answer early and gave no reason.".to_owned(),
    };
    let error = ErrorInfo::new(ErrorKind::Incomplete, message);
    ResponseEvent::Incomplete { error, usage: usage(frame) }
}

/// `response.failed` carries its error inside `response`, a bare `error` event inside `error` or at the top.
fn failed(frame: &str) -> Failure {
    let inside = response_body(frame).and_then(|r| wire::read::<wire::ErrorBody>(r.error));
    let body = inside.or_else(|| {
        let outer: wire::Response<'_> = serde_json::from_str(frame).ok()?;
        wire::read::<wire::ErrorBody>(outer.error)
            .or_else(|| serde_json::from_str::<wire::ErrorBody>(frame).ok())
    });
    errors::from_event(&body.unwrap_or_default())
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
