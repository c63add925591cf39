//! The seam of every tool. A tool never fails past this point: whatever goes wrong becomes an output that the
//! model can read, and an item that the user can see.

use futures_util::future::BoxFuture;

use super::context::ToolContext;

/// Something the model can call.
pub(crate) trait Tool: Send + Sync {
    /// The name the model calls.
    fn name(&self) -> &'static str;

    /// The definition sent to the model: one JSON object, without line breaks between requests changing it.
    /// `None` for names that are accepted but not offered.
    fn definition(&self) -> Option<serde_json::Value>;

    /// Whether the call may run beside others. Tools that write the workspace by themselves say no.
    fn parallel(&self) -> bool {
        true
    }

    /// Carries out one call. Tells its items through `ctx.events`; ends early when `ctx.cancel` fires.
    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput>;
}

/// One call of the model.
#[derive(Clone, Debug)]
pub(crate) struct ToolCall {
    /// Pairs call and output; also the id of the item that shows the call.
    pub(crate) call_id: String,
    /// The name called.
    pub(crate) name: String,
    /// What it was called with.
    pub(crate) payload: Payload,
}

/// What a tool was called with.
#[derive(Clone, Debug)]
pub(crate) enum Payload {
    /// JSON text of a function call, not yet parsed.
    Function(String),
    /// Free text of a custom tool call.
    Custom(String),
}

impl Payload {
    /// The text as the model wrote it.
    pub(crate) fn text(&self) -> &str {
        match self {
            Self::Function(text) | Self::Custom(text) => text,
        }
    }
}

/// What the model is told.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum ToolOutput {
    /// Plain text.
    Text(String),
    /// One image as a `data:` URL.
    Image {
        /// The URL.
        url: String,
    },
}

impl ToolOutput {
    /// Plain text.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }
}
