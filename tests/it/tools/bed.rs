//! What the tests of tools start from: one answer with calls, and what the calls were answered with.

use serde_json::{Value, json};

use crate::support::World;

/// Outputs of all calls of the thread, in the order in which they were sent back.
pub(super) fn outputs(world: &World) -> Vec<String> {
    let last = world.backend.requests().pop().unwrap();
    let of_item = |item: &Value| match item["type"].as_str().unwrap() {
        "function_call_output" | "custom_tool_call_output" => Some(match &item["output"] {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        }),
        _ => None,
    };
    last["input"].as_array().unwrap().iter().filter_map(of_item).collect()
}

/// Plays one answer with these outputs (TOML), then the end; returns what the calls were answered with.
pub(super) fn play(world: &World, calls: &str) -> Vec<String> {
    let script = format!(
        "[[rule]]\nname = \"do\"\nwhen = {{ round = 0 }}\n{calls}\n[[rule]]\noutput = [{{ text = \"end\" }}]\n"
    );
    world.backend.script(&script);
    world.exec(&["do it"]).run().expect(0);
    outputs(world)
}

/// One call as TOML; `args` is JSON text.
pub(super) fn call(name: &str, args: &Value) -> String {
    format!("[[rule.output]]\ncall = \"{name}\"\narguments = {}\n", json!(args.to_string()))
}

/// One patch as TOML, as the freeform tool takes it.
pub(super) fn patch(text: &str) -> String {
    format!("[[rule.output]]\ncustom = \"apply_patch\"\ninput = {}\n", json!(text))
}
