//! Good requests pass; every kind of breach is found and named.

use serde_json::json;

use super::*;

fn body(input: Value) -> Value {
    json!({
        "model": "m", "instructions": "be good", "stream": true, "store": false, "prompt_cache_key": "k",
        "include": ["reasoning.encrypted_content"], "tool_choice": "auto", "parallel_tool_calls": true,
        "reasoning": {"effort": "medium"}, "text": {"verbosity": "low"},
        "tools": [{"type": "function", "name": "exec_command", "parameters": {}}, {"type": "web_search"}],
        "input": input,
    })
}

fn user() -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "x", "arguments": "{}"})
}

fn custom(id: &str) -> Value {
    json!({"type": "custom_tool_call", "call_id": id, "name": "x", "input": ""})
}

fn out(id: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": "o"})
}

fn custom_out(id: &str) -> Value {
    json!({"type": "custom_tool_call_output", "call_id": id, "output": [{"type": "input_text", "text": "o"}]})
}

#[test]
fn good_requests_pass() {
    let reasoning = json!({"type": "reasoning", "summary": [], "encrypted_content": "E", "content": null});
    let said =
        json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "x"}]});
    for input in [
        json!([user()]),
        json!([user(), reasoning, said, call("a"), custom("b"), out("a"), custom_out("b"), user(), said]),
        json!([user(), call("a"), out("a"), call("b"), out("b"), {"type": "compaction_trigger"}]),
    ] {
        assert_eq!(check(&body(input)), Ok(()));
    }
}

#[test]
fn calls_and_outputs_must_pair() {
    for (input, part) in [
        (json!([user(), call("a")]), "call `a` has no output"),
        (json!([user(), out("a")]), "has no call before it"),
        (json!([user(), call("a"), out("a"), out("a")]), "has two outputs"),
        (json!([user(), call("a"), call("b"), out("b"), out("a")]), "comes before that of `a`"),
        (json!([user(), call("a"), call("a"), out("a")]), "used twice"),
        (json!([user(), call("a"), user(), out("a")]), "message before the output of call `a`"),
        (
            json!([user(), call("a"), call("b"), out("a"), call("c"), out("b"), out("c")]),
            "before the output of `b`",
        ),
        (json!([user(), call("a"), custom_out("a")]), "type of the other kind"),
        (json!([user(), out("a"), call("a")]), "has no call before it"),
    ] {
        let error = check(&body(input)).unwrap_err();
        assert!(error.contains(part), "{error}, wanted {part}");
    }
}

#[test]
fn fields_must_be_right() {
    for (key, value, part) in [
        ("model", json!(""), "`model`"),
        ("stream", json!(false), "`stream` must be true"),
        ("store", json!(true), "`store` must be false"),
        ("include", json!([]), "encrypted_content"),
        ("include", Value::Null, "`include` must be a list"),
        ("prompt_cache_key", Value::Null, "`prompt_cache_key`"),
        ("tool_choice", json!("none"), "`tool_choice`"),
        ("previous_response_id", json!("r"), "`previous_response_id`"),
        ("instructions", json!(3), "`instructions`"),
        ("reasoning", json!({"effort": "huge"}), "reasoning.effort"),
        ("text", json!({"format": {"type": "json_schema"}}), "text.format"),
        ("tools", json!([{"type": "function", "name": "x"}]), "no `parameters`"),
        ("tools", json!([{"type": "custom", "name": "a b"}]), "no tool name"),
        ("tools", json!([{"type": "custom", "name": "a"}, {"type": "custom", "name": "a"}]), "offered twice"),
        ("input", json!([]), "`input` is empty"),
        ("input", json!("hi"), "`input` must be a list"),
        ("input", json!([{"type": "mystery"}]), "input[0]: type `mystery` is unknown"),
        ("input", json!([{"type": "reasoning", "summary": []}]), "without `encrypted_content`"),
        ("input", json!([{"type": "message", "role": "user", "content": []}]), "`content` is empty"),
        (
            "input",
            json!([{"type": "message", "role": "user", "content": [{"type": "output_text", "text": "x"}]}]),
            "does not belong",
        ),
        (
            "input",
            json!([user(), call("a"), {"type": "function_call_output", "call_id": "a", "output": {}}]),
            "`output` must be",
        ),
    ] {
        let mut body = body(json!([user()]));
        body[key] = value;
        let error = check(&body).unwrap_err();
        assert!(error.contains(part), "{key}: {error}, wanted {part}");
    }
    assert!(check(&Value::Null).is_err());
}
