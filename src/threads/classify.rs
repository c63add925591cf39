//! What a stored model item is to the history. The JSON stays as it is, with one exception: a field that other
//! programs add for their own bookkeeping is taken out, because the API refuses items that carry it.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};

/// How user-role messages begin that a program wrote. Each is long enough that a person hardly begins with it.
const HARNESS_OPENINGS: [&str; 12] = [
    "<environment_context>",
    "<turn_aborted>",
    "<user_shell_command>",
    "<user_action>",
    "<user_instructions>",
    "<model_switch>",
    "<collaboration_mode>",
    "<conversation_summary>",
    "<subagent_notification>",
    "<hook_prompt",
    "<skill>\n<name>",
    "# AGENTS.md instructions for ",
];

/// Bookkeeping of other programs inside the item.
const PASSTHROUGH: &str = "internal_chat_message_metadata_passthrough";

/// The few fields that decide.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(rename = "type", default, borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    role: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    call_id: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    content: Option<&'a RawValue>,
    #[serde(default, borrow)]
    name: Option<&'a RawValue>,
    #[serde(default, borrow)]
    arguments: Option<&'a RawValue>,
    #[serde(default, borrow)]
    input: Option<&'a RawValue>,
    #[serde(default, borrow)]
    output: Option<&'a RawValue>,
    #[serde(default, borrow)]
    summary: Option<&'a RawValue>,
    #[serde(default, borrow, rename = "internal_chat_message_metadata_passthrough")]
    passthrough: Option<&'a RawValue>,
}

#[derive(Deserialize, Default)]
struct Passthrough<'a> {
    #[serde(default, borrow)]
    content_item_kinds: Vec<Cow<'a, str>>,
}

/// Names the kind of an item; `None` for what does not belong into a request at all.
pub(crate) fn classify(json: Arc<RawValue>) -> Option<ModelItem> {
    let head: Head<'_> = serde_json::from_str(json.get()).ok()?;
    let kind = head.kind_of()?;
    if !head.can_be_repeated() {
        return None;
    }
    match head.passthrough.and_then(|_| without_passthrough(&json)) {
        Some(clean) => Some(ModelItem { json: clean.into(), kind }),
        None => Some(ModelItem { json, kind }),
    }
}

/// The kind of an item that is only looked at.
pub(crate) fn kind_of(json: &RawValue) -> Option<ModelItemKind> {
    serde_json::from_str::<Head<'_>>(json.get()).ok()?.kind_of()
}

impl Head<'_> {
    /// Whether the service would take the item: a misshapen one in the history would make it refuse every
    /// request of the thread.
    fn can_be_repeated(&self) -> bool {
        let is = |field: Option<&RawValue>, openings: &[char]| {
            field.is_some_and(|f| f.get().starts_with(openings))
        };
        match &*self.kind {
            "message" => self.content.is_some_and(|content| is_content(content.get())),
            "reasoning" => self.summary.is_none_or(|summary| summary.get().starts_with('[')),
            "function_call" => is(self.name, &['"']) && self.arguments.is_some(),
            "custom_tool_call" => is(self.name, &['"']) && self.input.is_some(),
            "function_call_output" | "custom_tool_call_output" => is(self.output, &['"', '[']),
            _ => true,
        }
    }

    /// `None` for what does not belong into a request.
    fn kind_of(&self) -> Option<ModelItemKind> {
        let call_id = || self.call_id.as_deref().map(str::to_owned);
        Some(match &*self.kind {
            "message" => match self.role.as_deref()? {
                "user" if is_harness(self) => ModelItemKind::Harness,
                "user" => ModelItemKind::User,
                "assistant" => ModelItemKind::Assistant,
                _ => ModelItemKind::Developer,
            },
            "reasoning" => ModelItemKind::Reasoning,
            "function_call" | "local_shell_call" => {
                ModelItemKind::Call { call_id: call_id()?, output: OutputKind::Function }
            }
            "custom_tool_call" => ModelItemKind::Call { call_id: call_id()?, output: OutputKind::Custom },
            "function_call_output" | "custom_tool_call_output" => {
                ModelItemKind::Output { call_id: call_id()? }
            }
            "compaction" | "compaction_summary" | "context_compaction" => ModelItemKind::Compaction,
            "" | "ghost_snapshot" | "compaction_trigger" => return None,
            _ => ModelItemKind::Other,
        })
    }
}

/// A text, or a list that begins with a part.
fn is_content(content: &str) -> bool {
    content.starts_with('"')
        || content.strip_prefix('[').is_some_and(|list| list.trim_start().starts_with('{'))
}

/// A user-role message is ours when its parts say so, or when its text begins like one of ours.
fn is_harness(head: &Head<'_>) -> bool {
    let kinds: Passthrough<'_> =
        head.passthrough.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    if !kinds.content_item_kinds.is_empty() && !kinds.content_item_kinds.iter().any(|k| k == "unknown") {
        return !kinds.content_item_kinds.iter().any(|kind| kind.starts_with("user."));
    }
    let first = head.content.and_then(|raw| first_text(raw.get()));
    first.is_some_and(|text| is_harness_text(&text))
}

/// Whether a user-role text was written by a program.
pub(crate) fn is_harness_text(text: &str) -> bool {
    let text = text.trim_start();
    HARNESS_OPENINGS.iter().any(|opening| text.starts_with(opening))
}

/// The text of the first part of a message's content, or the content itself when it is plain text.
fn first_text(content: &str) -> Option<Cow<'_, str>> {
    /// Takes the first element of a list and ignores the others.
    struct First<'a>(Option<Part<'a>>);
    impl<'de: 'a, 'a> Deserialize<'de> for First<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct List;
            impl<'de> Visitor<'de> for List {
                type Value = First<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a list of content parts")
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<First<'de>, A::Error> {
                    let first = seq.next_element()?;
                    while seq.next_element::<IgnoredAny>()?.is_some() {}
                    Ok(First(first))
                }
            }
            deserializer.deserialize_seq(List)
        }
    }
    if content.starts_with('"') {
        return serde_json::from_str::<String>(content).ok().map(Cow::Owned);
    }
    serde_json::from_str::<First<'_>>(content).ok()?.0?.text
}

/// One part of a message.
#[derive(Deserialize)]
struct Part<'a> {
    #[serde(default, borrow)]
    text: Option<Cow<'a, str>>,
    #[serde(default, borrow)]
    image_url: Option<Cow<'a, str>>,
}

/// Text and images of a message, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Message {
    /// Text parts, joined by line breaks.
    pub(crate) text: String,
    /// URLs of the image parts.
    pub(crate) images: Vec<String>,
}

/// Reads the content of a message item.
pub(crate) fn message_of(json: &RawValue) -> Message {
    #[derive(Deserialize)]
    struct Content<'a> {
        #[serde(default, borrow)]
        content: Option<&'a RawValue>,
    }
    let content: Option<Content<'_>> = serde_json::from_str(json.get()).ok();
    let Some(raw) = content.and_then(|content| content.content) else { return Message::default() };
    if let Ok(text) = serde_json::from_str::<String>(raw.get()) {
        return Message { text, images: Vec::new() };
    }
    let parts: Vec<Part<'_>> = serde_json::from_str(raw.get()).unwrap_or_default();
    let texts: Vec<&str> = parts.iter().filter_map(|part| part.text.as_deref()).collect();
    Message {
        text: texts.join("\n"),
        images: parts.iter().filter_map(|part| part.image_url.as_deref().map(str::to_owned)).collect(),
    }
}

/// The same object without the foreign field; the other fields keep their bytes and their order.
fn without_passthrough(json: &RawValue) -> Option<Box<RawValue>> {
    struct Fields<'a>(Vec<(Cow<'a, str>, &'a RawValue)>);
    impl<'de: 'a, 'a> Deserialize<'de> for Fields<'a> {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Map;
            impl<'de> Visitor<'de> for Map {
                type Value = Fields<'de>;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(
                    self,
                    mut map: A,
                ) -> Result<Self::Value, A::Error> {
                    let mut fields = Vec::new();
                    while let Some((key, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                        fields.push((key, value));
                    }
                    Ok(Fields(fields))
                }
            }
            deserializer.deserialize_map(Map)
        }
    }
    let fields: Fields<'_> = serde_json::from_str(json.get()).ok()?;
    let mut out = String::with_capacity(json.get().len());
    for (key, value) in fields.0.iter().filter(|(key, _)| key != PASSTHROUGH) {
        out.push(if out.is_empty() { '{' } else { ',' });
        out.push_str(&serde_json::to_string(key).ok()?);
        out.push(':');
        out.push_str(value.get());
    }
    out.push('}');
    RawValue::from_string(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(json: &str) -> Option<ModelItemKind> {
        classify(RawValue::from_string(json.to_owned()).unwrap().into()).map(|item| item.kind)
    }

    #[test]
    fn kinds() {
        let call = |output| ModelItemKind::Call { call_id: "c".into(), output };
        let output = || ModelItemKind::Output { call_id: "c".into() };
        for (json, want) in [
            (r#"{"type":"message","role":"developer","content":[{}]}"#, Some(ModelItemKind::Developer)),
            (r#"{"type":"message","role":"system","content":[{}]}"#, Some(ModelItemKind::Developer)),
            (r#"{"type":"message","role":"assistant","content":[{}]}"#, Some(ModelItemKind::Assistant)),
            (r#"{"type":"message","role":"user","content":[{}]}"#, Some(ModelItemKind::User)),
            (r#"{"type":"message","role":"user","content":"hi"}"#, Some(ModelItemKind::User)),
            (r#"{"type":"reasoning","summary":[]}"#, Some(ModelItemKind::Reasoning)),
            (
                r#"{"type":"function_call","call_id":"c","name":"n","arguments":""}"#,
                Some(call(OutputKind::Function)),
            ),
            (r#"{"type":"local_shell_call","call_id":"c"}"#, Some(call(OutputKind::Function))),
            (
                r#"{"type":"custom_tool_call","call_id":"c","name":"n","input":""}"#,
                Some(call(OutputKind::Custom)),
            ),
            (r#"{"type":"function_call_output","call_id":"c","output":""}"#, Some(output())),
            (r#"{"type":"custom_tool_call_output","call_id":"c","output":[]}"#, Some(output())),
            (r#"{"type":"compaction","encrypted_content":"x"}"#, Some(ModelItemKind::Compaction)),
            (r#"{"type":"web_search_call"}"#, Some(ModelItemKind::Other)),
            (r#"{"type":"function_call"}"#, None),
            (r#"{"type":"function_call","call_id":"c","arguments":"{}"}"#, None),
            (r#"{"type":"function_call_output","call_id":"c"}"#, None),
            (r#"{"type":"message","role":"user","content":7}"#, None),
            (r#"{"type":"message","role":"user","content":[7]}"#, None),
            (r#"{"type":"message","role":"assistant","content":[]}"#, None),
            (r#"{"type":"message","role":"assistant"}"#, None),
            (r#"{"type":"reasoning","summary":"s"}"#, None),
            (r#"{"type":"ghost_snapshot"}"#, None),
            (r#"{"no":"type"}"#, None),
            (r#"{"type":3}"#, None),
            ("[]", None),
        ] {
            assert_eq!(kind(json), want, "{json}");
        }
    }

    #[test]
    fn harness_messages_by_opening_and_by_label() {
        for text in [
            "<environment_context>x",
            "\\n<turn_aborted>",
            "# AGENTS.md instructions for /p",
            "<skill>\\n<name>x",
        ] {
            let json = format!(
                r#"{{"type":"message","role":"user","content":[{{"type":"input_text","text":"{text}"}},{{}}]}}"#
            );
            assert_eq!(kind(&json), Some(ModelItemKind::Harness), "{text}");
        }
        for text in ["<plugin>of my pom</plugin>", "# AGENTS.md", "<skill>", "why <turn_aborted>?"] {
            let json = format!(r#"{{"type":"message","role":"user","content":[{{"text":"{text}"}}]}}"#);
            assert_eq!(kind(&json), Some(ModelItemKind::User), "{text}");
        }
        let labelled = |label: &str| {
            format!(
                r#"{{"type":"message","role":"user","content":[{{"text":"hello"}}],"{PASSTHROUGH}":{{"content_item_kinds":["{label}"]}}}}"#
            )
        };
        assert_eq!(kind(&labelled("compaction.summary")), Some(ModelItemKind::Harness));
        assert_eq!(kind(&labelled("user.text")), Some(ModelItemKind::User));
    }

    #[test]
    fn only_the_foreign_field_goes() {
        let json =
            format!(r#"{{"type": "reasoning", "{PASSTHROUGH}": {{"a": 1}}, "n": 1.50, "b\u0041": [1, 2]}}"#);
        let item = classify(RawValue::from_string(json).unwrap().into()).unwrap();
        assert_eq!(item.json.get(), r#"{"type":"reasoning","n":1.50,"bA":[1, 2]}"#);
        let own = r#"{ "type":"reasoning",  "n":1.50 }"#;
        let item = classify(RawValue::from_string(own.to_owned()).unwrap().into()).unwrap();
        assert_eq!(item.json.get(), own);
    }
}
