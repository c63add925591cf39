//! History, tools and settings → the body of a request. The history is copied byte for byte, never rendered
//! again, so that each request of a thread begins with the bytes of the one before (the server's prompt cache).

use bytes::Bytes;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use super::headers::{ClientMetadata, TurnIds};
use crate::protocol::model_item::ModelItem;

/// Everything one request says. Borrowed: it is rendered once, also for its retries.
#[derive(Debug)]
pub(crate) struct Request<'a> {
    /// Slug of the model.
    pub(crate) model: &'a str,
    /// Base instructions; `None` when they travel as the first developer message.
    pub(crate) instructions: Option<&'a str>,
    /// The whole history.
    pub(crate) input: &'a [ModelItem],
    /// Tool definitions, as offered.
    pub(crate) tools: &'a [Box<RawValue>],
    /// Whether several calls may come in one answer.
    pub(crate) parallel_tool_calls: bool,
    /// Left out for models that do not reason.
    pub(crate) reasoning: Option<Reasoning<'a>>,
    /// `low`, `medium` or `high`, for models that know it.
    pub(crate) verbosity: Option<&'a str>,
    /// JSON schema that the answer must follow.
    pub(crate) output_schema: Option<&'a serde_json::Value>,
    /// `priority` for fast mode.
    pub(crate) service_tier: Option<&'a str>,
    /// Who asks.
    pub(crate) ids: &'a TurnIds,
}

/// How to reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Reasoning<'a> {
    /// `minimal` to `xhigh`; the model's own default when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) effort: Option<&'a str>,
    /// `auto`, `concise` or `detailed`; no summary when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) summary: Option<&'a str>,
}

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    instructions: Option<&'a str>,
    #[serde(serialize_with = "as_they_are")]
    input: &'a [ModelItem],
    tools: &'a [Box<RawValue>],
    tool_choice: &'static str,
    parallel_tool_calls: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning<'a>>,
    store: bool,
    include: &'a [&'static str],
    #[serde(skip_serializing_if = "Option::is_none")]
    service_tier: Option<&'a str>,
    prompt_cache_key: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
    client_metadata: ClientMetadata,
}

#[derive(Serialize)]
struct Text<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    verbosity: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format<'a>>,
}

#[derive(Serialize)]
struct Format<'a> {
    r#type: &'static str,
    strict: bool,
    schema: &'a serde_json::Value,
    name: &'static str,
}

fn as_they_are<S: Serializer>(items: &&[ModelItem], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(items.iter().map(|item| &*item.json))
}

impl Request<'_> {
    /// Renders the body.
    pub(crate) fn body(&self) -> Bytes {
        let format = self.output_schema.map(|schema| Format {
            r#type: "json_schema",
            strict: true,
            schema,
            name: "codex_output_schema",
        });
        let text = (self.verbosity.is_some() || format.is_some())
            .then_some(Text { verbosity: self.verbosity, format });
        let include: &[&str] = if self.reasoning.is_some() { &["reasoning.encrypted_content"] } else { &[] };
        let body = Body {
            model: self.model,
            stream: true,
            instructions: self.instructions,
            input: self.input,
            tools: self.tools,
            tool_choice: "auto",
            parallel_tool_calls: self.parallel_tool_calls,
            reasoning: self.reasoning,
            store: false,
            include,
            service_tier: self.service_tier,
            prompt_cache_key: self.ids.session_id().to_string(),
            text,
            client_metadata: self.ids.client_metadata(self.model),
        };
        let history: usize = self.input.iter().map(|item| item.bytes() + 1).sum();
        let tools: usize = self.tools.iter().map(|tool| tool.get().len() + 1).sum();
        let mut out = Vec::with_capacity(history + tools + self.instructions.map_or(0, str::len) + 4096);
        // Writing these types into memory cannot fail.
        let _ = serde_json::to_writer(&mut out, &body);
        Bytes::from(out)
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
pub(crate) mod tests;
