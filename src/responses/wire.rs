//! The JSON shapes that the server sends. Everything is optional and most of it is kept raw until needed: a
//! field of an unexpected type must not cost the whole event.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::protocol::tokens::TokenUsage;

/// Only the `type`, when it does not stand first.
#[derive(Deserialize)]
pub(super) struct Tag<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
}

/// Every kind of delta.
#[derive(Deserialize)]
pub(super) struct Delta<'a> {
    #[serde(borrow, default)]
    pub(super) item_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub(super) delta: Cow<'a, str>,
}

/// A new section of a summary.
#[derive(Deserialize)]
pub(super) struct Section<'a> {
    #[serde(borrow, default)]
    pub(super) item_id: Option<Cow<'a, str>>,
}

/// `response.output_item.added` and `.done`.
#[derive(Deserialize)]
pub(super) struct ItemEvent<'a> {
    #[serde(borrow)]
    pub(super) item: &'a RawValue,
}

/// Any output item. Fields that several kinds use in different shapes stay raw.
#[derive(Deserialize)]
pub(super) struct OutputItem<'a> {
    #[serde(borrow, rename = "type")]
    pub(super) kind: Cow<'a, str>,
    #[serde(borrow, default)]
    pub(super) id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) role: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) phase: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) summary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) call_id: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) namespace: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) arguments: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) input: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) action: Option<&'a RawValue>,
}

/// One part of `content` or `summary`.
#[derive(Deserialize)]
pub(super) struct Part<'a> {
    #[serde(borrow, default)]
    pub(super) text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub(super) refusal: Option<Cow<'a, str>>,
}

/// `action` of a web search.
#[derive(Deserialize)]
pub(super) struct SearchAction {
    #[serde(default)]
    pub(super) query: Option<String>,
    #[serde(default)]
    pub(super) queries: Option<Vec<String>>,
    #[serde(default)]
    pub(super) url: Option<String>,
    #[serde(default)]
    pub(super) pattern: Option<String>,
}

/// `action` of a local shell call.
#[derive(Deserialize)]
pub(super) struct ShellAction {
    #[serde(default)]
    pub(super) command: Vec<String>,
    #[serde(default)]
    pub(super) working_directory: Option<String>,
    #[serde(default)]
    pub(super) timeout_ms: Option<u64>,
}

/// `response.created`, `.completed`, `.incomplete`, `.failed`.
#[derive(Deserialize)]
pub(super) struct ResponseBody<'a> {
    #[serde(borrow, default)]
    pub(super) response: Option<&'a RawValue>,
}

/// What we read of a response object.
#[derive(Deserialize)]
pub(super) struct Response<'a> {
    #[serde(borrow, default)]
    pub(super) usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) incomplete_details: Option<&'a RawValue>,
}

/// Why a response is incomplete.
#[derive(Deserialize)]
pub(super) struct IncompleteDetails {
    #[serde(default)]
    pub(super) reason: Option<String>,
}

/// Tokens of a response.
#[derive(Deserialize)]
pub(super) struct Usage {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
    #[serde(default)]
    output_tokens: Option<u64>,
    #[serde(default)]
    output_tokens_details: Option<OutputDetails>,
    #[serde(default)]
    total_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
    #[serde(default)]
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct OutputDetails {
    #[serde(default)]
    reasoning_tokens: Option<u64>,
}

impl From<Usage> for TokenUsage {
    fn from(wire: Usage) -> Self {
        let input = wire.input_tokens.unwrap_or(0);
        let output = wire.output_tokens.unwrap_or(0);
        let details = wire.input_tokens_details.as_ref();
        Self {
            input_tokens: input,
            cached_input_tokens: details.and_then(|d| d.cached_tokens).unwrap_or(0),
            cache_write_input_tokens: details.and_then(|d| d.cache_write_tokens).unwrap_or(0),
            output_tokens: output,
            reasoning_output_tokens: wire.output_tokens_details.and_then(|d| d.reasoning_tokens).unwrap_or(0),
            total_tokens: wire.total_tokens.unwrap_or(input.saturating_add(output)),
        }
    }
}

/// The inside of `error`, in bodies and in events.
#[derive(Debug, Default, Deserialize)]
pub(super) struct ErrorBody {
    #[serde(default, rename = "type", deserialize_with = "lenient_text")]
    pub(super) kind: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) code: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) message: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) plan_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub(super) resets_at: Option<u64>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub(super) resets_in_seconds: Option<u64>,
}

/// `codex.rate_limits`.
#[derive(Deserialize)]
pub(super) struct LimitsEvent<'a> {
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) plan_type: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) metered_limit_name: Option<String>,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) limit_name: Option<String>,
    #[serde(borrow, default)]
    pub(super) rate_limits: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) credits: Option<&'a RawValue>,
}

/// Its windows.
#[derive(Deserialize)]
pub(super) struct LimitsWindows<'a> {
    #[serde(borrow, default)]
    pub(super) primary: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub(super) secondary: Option<&'a RawValue>,
}

/// One window.
#[derive(Deserialize)]
pub(super) struct LimitsWindow {
    #[serde(default)]
    pub(super) used_percent: Option<f64>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub(super) window_minutes: Option<u64>,
    #[serde(default, deserialize_with = "lenient_seconds")]
    pub(super) reset_at: Option<u64>,
}

/// Credits.
#[derive(Deserialize)]
pub(super) struct LimitsCredits {
    #[serde(default)]
    pub(super) has_credits: bool,
    #[serde(default)]
    pub(super) unlimited: bool,
    #[serde(default, deserialize_with = "lenient_text")]
    pub(super) balance: Option<String>,
}

/// Reads `raw` as `T`, or nothing.
pub(super) fn read<'a, T: Deserialize<'a>>(raw: Option<&'a RawValue>) -> Option<T> {
    raw.and_then(|raw| serde_json::from_str(raw.get()).ok())
}

/// A text; `None` for anything else.
pub(super) fn text(raw: Option<&RawValue>) -> Option<String> {
    read::<Cow<'_, str>>(raw).map(Cow::into_owned)
}

fn lenient_text<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Ok(match serde_json::Value::deserialize(from)? {
        serde_json::Value::String(text) => Some(text),
        serde_json::Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn lenient_seconds<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    let value = serde_json::Value::deserialize(from)?;
    Ok(value.as_u64().or_else(|| value.as_f64().filter(|n| *n >= 0.0).map(|n| n as u64)))
}
