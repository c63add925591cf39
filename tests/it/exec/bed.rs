//! What the tests of `codex exec` share.

use serde_json::Value;

use crate::support::codex::Output;

/// Types of the JSON lines, with the kind of item where there is one.
pub(super) fn types(output: &Output) -> Vec<String> {
    let name = |event: &Value| match event["item"]["type"].as_str() {
        Some(item) => format!("{}:{item}", event["type"].as_str().unwrap()),
        None => event["type"].as_str().unwrap().to_owned(),
    };
    output.events().iter().map(name).collect()
}
