//! Entries of the history that we write ourselves. Each is rendered once and then repeated byte for byte; each
//! gets an id of its own (`msg_`, `fco_`, `ctco_` and a UUIDv7).

use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::base::ids::ItemId;
use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};

/// One part of a message or of an output.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(crate) enum Part {
    /// Text.
    InputText {
        /// The text.
        text: String,
    },
    /// An image.
    InputImage {
        /// `https:` or `data:` URL.
        image_url: String,
        /// How closely to look, for example `original`.
        #[serde(skip_serializing_if = "Option::is_none")]
        detail: Option<&'static str>,
    },
}

impl Part {
    /// Text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::InputText { text: text.into() }
    }

    /// An image by URL.
    pub(crate) fn image(url: impl Into<String>) -> Self {
        Self::InputImage { image_url: url.into(), detail: None }
    }
}

/// Body of the output of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum OutputBody {
    /// Plain text.
    Text(String),
    /// Text and images.
    Parts(Vec<Part>),
}

#[derive(Serialize)]
struct Message<'a> {
    r#type: &'static str,
    id: &'a ItemId,
    role: &'static str,
    content: &'a [Part],
}

#[derive(Serialize)]
struct Output<'a> {
    r#type: &'static str,
    id: &'a ItemId,
    call_id: &'a str,
    output: &'a OutputBody,
}

/// What the user handed in. `id` is also the id of the item that shows it.
pub(crate) fn user(id: &ItemId, parts: &[Part]) -> ModelItem {
    message(id, "user", parts, ModelItemKind::User)
}

/// Text of the model that broke off: what the user saw of it.
pub(crate) fn assistant(text: &str) -> ModelItem {
    #[derive(Serialize)]
    struct Part<'a> {
        r#type: &'static str,
        text: &'a str,
        annotations: [(); 0],
    }
    #[derive(Serialize)]
    struct Said<'a> {
        r#type: &'static str,
        id: &'a ItemId,
        role: &'static str,
        content: [Part<'a>; 1],
    }
    let content = [Part { r#type: "output_text", text, annotations: [] }];
    let said = Said { r#type: "message", id: &ItemId::with_prefix("msg"), role: "assistant", content };
    ModelItem { json: raw(&said), kind: ModelItemKind::Assistant }
}

/// A user-role message of the program itself: environment, AGENTS.md, markers.
pub(crate) fn harness(text: impl Into<String>) -> ModelItem {
    message(&ItemId::with_prefix("msg"), "user", &[Part::text(text)], ModelItemKind::Harness)
}

/// Instructions of ours.
pub(crate) fn developer(parts: &[Part]) -> ModelItem {
    message(&ItemId::with_prefix("msg"), "developer", parts, ModelItemKind::Developer)
}

/// The base instructions as a developer message, for providers without the `instructions` field. Equal text
/// gives an equal id, so that the prompt cache holds across threads.
pub(crate) fn base_instructions(text: &str) -> ModelItem {
    let id = uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, text.as_bytes());
    message(&ItemId::from(format!("msg_{id}")), "developer", &[Part::text(text)], ModelItemKind::Developer)
}

/// The output of a call; `kind` is that of the call.
pub(crate) fn output(call_id: &str, kind: OutputKind, body: &OutputBody) -> ModelItem {
    let (r#type, prefix) = match kind {
        OutputKind::Function => ("function_call_output", "fco"),
        OutputKind::Custom => ("custom_tool_call_output", "ctco"),
    };
    let id = ItemId::with_prefix(prefix);
    let json = raw(&Output { r#type, id: &id, call_id, output: body });
    ModelItem { json, kind: ModelItemKind::Output { call_id: call_id.to_owned() } }
}

fn message(id: &ItemId, role: &'static str, content: &[Part], kind: ModelItemKind) -> ModelItem {
    ModelItem { json: raw(&Message { r#type: "message", id, role, content }), kind }
}

/// Renders without line breaks. These types always render; an empty object stands for the impossible.
fn raw(value: &impl Serialize) -> Arc<RawValue> {
    serde_json::value::to_raw_value(value).map_or_else(|_| Arc::from(RawValue::NULL.to_owned()), Arc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(item: &ModelItem) -> serde_json::Value {
        serde_json::from_str(item.json.get()).unwrap()
    }

    #[test]
    fn messages() {
        let id = ItemId::from("msg_1");
        let item = user(&id, &[Part::text("a\nb"), Part::image("data:x")]);
        assert_eq!(
            item.json.get(),
            r#"{"type":"message","id":"msg_1","role":"user","content":[{"type":"input_text","text":"a\nb"},{"type":"input_image","image_url":"data:x"}]}"#
        );
        assert_eq!(item.kind, ModelItemKind::User);
        let note = harness("<turn_aborted/>");
        assert_eq!(note.kind, ModelItemKind::Harness);
        assert!(value(&note)["id"].as_str().unwrap().starts_with("msg_0"));
        assert_eq!(value(&developer(&[Part::text("x")]))["role"], "developer");
    }

    #[test]
    fn base_instructions_are_stable() {
        let item = base_instructions("be good");
        assert_eq!(item.json.get(), base_instructions("be good").json.get());
        assert_ne!(item.json.get(), base_instructions("be better").json.get());
    }

    #[test]
    fn outputs() {
        let text = OutputBody::Text("done".to_owned());
        let function = value(&output("c1", OutputKind::Function, &text));
        assert_eq!(function["type"], "function_call_output");
        assert_eq!(function["output"], "done");
        assert_eq!(function["call_id"], "c1");
        assert!(function["id"].as_str().unwrap().starts_with("fco_"));
        let image = Part::InputImage { image_url: "data:y".to_owned(), detail: Some("original") };
        let custom = output("c2", OutputKind::Custom, &OutputBody::Parts(vec![image]));
        assert_eq!(value(&custom)["type"], "custom_tool_call_output");
        assert_eq!(value(&custom)["output"][0]["detail"], "original");
        assert_eq!(custom.kind, ModelItemKind::Output { call_id: "c2".to_owned() });
    }
}
