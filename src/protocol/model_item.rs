//! One entry of what the model sees. It is kept as the exact JSON text that was received or first written:
//! requests repeat it byte for byte (the server's prompt cache depends on that) and a long history costs its
//! own length in memory, not a tree of values.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An input item of the Responses API together with the little we need to know about it.
#[derive(Clone, Debug)]
pub(crate) struct ModelItem {
    /// The JSON object, exactly as it travels.
    pub(crate) json: Arc<RawValue>,
    /// What it is.
    pub(crate) kind: ModelItemKind,
}

/// What a [`ModelItem`] is to the history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ModelItemKind {
    /// Instructions of ours (role `developer`).
    Developer,
    /// Text the user wrote.
    User,
    /// A user-role message that the program wrote: environment, AGENTS.md, markers, records of `!` commands.
    /// Never counts as a prompt.
    Harness,
    /// An answer of the model.
    Assistant,
    /// Reasoning, given back unchanged.
    Reasoning,
    /// A call that needs exactly one output.
    Call {
        /// Pairs call and output.
        call_id: String,
        /// Which output type answers it.
        output: OutputKind,
    },
    /// The output of a call.
    Output {
        /// Pairs call and output.
        call_id: String,
    },
    /// An encrypted summary made by the server.
    Compaction,
    /// Anything that is kept but not looked at, such as a hosted search.
    Other,
}

/// The type name of the item that answers a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OutputKind {
    /// `function_call_output` (also answers `local_shell_call`).
    Function,
    /// `custom_tool_call_output`.
    Custom,
}

impl ModelItem {
    /// Length of the JSON in bytes; a quarter of it is the usual estimate in tokens.
    pub(crate) fn bytes(&self) -> usize {
        self.json.get().len()
    }

    /// The text parts of a message, in order; none when it is something else.
    pub(crate) fn texts(&self) -> Vec<String> {
        #[derive(Deserialize)]
        struct Message {
            content: Vec<Part>,
        }
        #[derive(Deserialize)]
        struct Part {
            text: Option<String>,
        }
        serde_json::from_str(self.json.get())
            .map(|message: Message| message.content.into_iter().filter_map(|part| part.text).collect())
            .unwrap_or_default()
    }
}
