//! Calls and outputs of a history in pairs: every call answered exactly once, because the API refuses anything else.

use std::collections::HashMap;

use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};

/// What the model is told of a call that was never answered.
pub(super) const NO_OUTPUT: &str = "aborted: codex ended before this call did";

/// Calls that wait for their output.
#[derive(Debug, Default)]
struct Pairs {
    open: HashMap<String, usize>,
    seen: usize,
}

impl Pairs {
    /// Takes the next item; false when it answers nothing, or repeats a call that is still open.
    fn take(&mut self, kind: &ModelItemKind) -> bool {
        self.seen += 1;
        match kind {
            ModelItemKind::Call { call_id, .. } if self.open.contains_key(call_id) => false,
            ModelItemKind::Call { call_id, .. } => self.open.insert(call_id.clone(), self.seen).is_none(),
            ModelItemKind::Output { call_id } => self.open.remove(call_id).is_some(),
            _ => true,
        }
    }
}

/// `items` with every call answered exactly once: a call that was never answered gets an output that says so,
/// an output without its call goes, and so does what is there twice. The API refuses anything else.
pub(super) fn paired(items: Vec<ModelItem>) -> Vec<ModelItem> {
    let mut pairs = Pairs::default();
    let kept: Vec<ModelItem> = items.into_iter().filter(|item| pairs.take(&item.kind)).collect();
    if pairs.open.is_empty() {
        return kept;
    }
    let mut out = Vec::with_capacity(kept.len() + pairs.open.len());
    // From the end: the last call of an id is the one that stayed open.
    for item in kept.into_iter().rev() {
        if let ModelItemKind::Call { call_id, output } = &item.kind
            && pairs.open.remove(call_id).is_some()
        {
            out.extend(aborted_output(call_id, *output));
        }
        out.push(item);
    }
    out.reverse();
    out
}

fn aborted_output(call_id: &str, output: OutputKind) -> Option<ModelItem> {
    let kind = match output {
        OutputKind::Function => "function_call_output",
        OutputKind::Custom => "custom_tool_call_output",
    };
    let json = serde_json::json!({"type": kind, "call_id": call_id, "output": NO_OUTPUT});
    let raw = serde_json::value::to_raw_value(&json).ok()?;
    Some(ModelItem { json: raw.into(), kind: ModelItemKind::Output { call_id: call_id.to_owned() } })
}
