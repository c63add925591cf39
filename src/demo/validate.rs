//! What a request must look like. Stricter than the real service where the service would only be slower or
//! dearer: the point is to find faults of the client. Pure; the first breach found is told.

use std::collections::{HashSet, VecDeque};

use serde_json::Value;

use super::request::string;

/// A call that waits for its output.
struct Open {
    call_id: String,
    custom: bool,
}

/// Checks one body; the error is one precise sentence.
pub(crate) fn check(body: &Value) -> Result<(), String> {
    if !body.is_object() {
        return Err("the body is no JSON object".to_owned());
    }
    fields(body)?;
    tools(body)?;
    let input = body.get("input").and_then(Value::as_array).ok_or("`input` must be a list")?;
    if input.is_empty() {
        return Err("`input` is empty".to_owned());
    }
    for (index, item) in input.iter().enumerate() {
        item_shape(item).map_err(|message| format!("input[{index}]: {message}"))?;
    }
    pairs(input)
}

fn fields(body: &Value) -> Result<(), String> {
    if string(body, "model").is_empty() {
        return Err("`model` must be a non-empty text".to_owned());
    }
    if string(body, "prompt_cache_key").is_empty() {
        return Err("`prompt_cache_key` must be a non-empty text".to_owned());
    }
    for (key, want) in [("stream", true), ("store", false)] {
        if body.get(key) != Some(&Value::Bool(want)) {
            return Err(format!("`{key}` must be {want}"));
        }
    }
    let include = body.get("include").and_then(Value::as_array).ok_or("`include` must be a list")?;
    if !include.iter().any(|entry| entry == "reasoning.encrypted_content") {
        return Err("`include` must ask for reasoning.encrypted_content, since nothing is stored".to_owned());
    }
    if body.get("tool_choice").is_some_and(|choice| choice != "auto") {
        return Err("`tool_choice` must be \"auto\"".to_owned());
    }
    if body.get("previous_response_id").is_some_and(|id| !id.is_null()) {
        return Err("`previous_response_id` needs a stored response, and nothing is stored".to_owned());
    }
    for (key, fine) in [
        ("instructions", body.get("instructions").is_none_or(Value::is_string)),
        ("parallel_tool_calls", body.get("parallel_tool_calls").is_none_or(Value::is_boolean)),
        ("reasoning", body.get("reasoning").is_none_or(Value::is_object)),
        ("client_metadata", body.get("client_metadata").is_none_or(Value::is_object)),
        ("service_tier", body.get("service_tier").is_none_or(Value::is_string)),
        ("text", body.get("text").is_none_or(Value::is_object)),
    ] {
        if !fine {
            return Err(format!("`{key}` has the wrong type"));
        }
    }
    effort(body)?;
    format(body)
}

fn effort(body: &Value) -> Result<(), String> {
    let known = ["none", "minimal", "low", "medium", "high", "xhigh"];
    match body.pointer("/reasoning/effort") {
        Some(effort) if !known.iter().any(|word| effort == word) => {
            Err(format!("`reasoning.effort` {effort} is not one of {}", known.join(", ")))
        }
        _ => Ok(()),
    }
}

fn format(body: &Value) -> Result<(), String> {
    let Some(format) = body.pointer("/text/format") else { return Ok(()) };
    let kind = string(format, "type");
    if kind == "text" {
        return Ok(());
    }
    if kind != "json_schema"
        || string(format, "name").is_empty()
        || !format.get("schema").is_some_and(Value::is_object)
    {
        return Err("`text.format` must be json_schema with `name` and `schema`".to_owned());
    }
    Ok(())
}

fn tools(body: &Value) -> Result<(), String> {
    let Some(tools) = body.get("tools") else { return Ok(()) };
    let tools = tools.as_array().ok_or("`tools` must be a list")?;
    let mut names = HashSet::new();
    for (index, tool) in tools.iter().enumerate() {
        let (kind, name) = (string(tool, "type"), string(tool, "name"));
        if kind.is_empty() {
            return Err(format!("tools[{index}] has no `type`"));
        }
        if kind == "function" && !tool.get("parameters").is_some_and(Value::is_object) {
            return Err(format!("tools[{index}] `{name}` has no `parameters`"));
        }
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if matches!(kind.as_str(), "function" | "custom")
            && (name.is_empty() || name.len() > 64 || !name.chars().all(plain))
        {
            return Err(format!("tools[{index}]: `{name}` is no tool name"));
        }
        if !name.is_empty() && !names.insert(name.clone()) {
            return Err(format!("tool `{name}` is offered twice"));
        }
    }
    Ok(())
}

fn item_shape(item: &Value) -> Result<(), String> {
    let need = |keys: &[&str]| match keys.iter().find(|key| !item.get(**key).is_some_and(Value::is_string)) {
        Some(key) => Err(format!("{} without `{key}`", string(item, "type"))),
        None => Ok(()),
    };
    match string(item, "type").as_str() {
        "message" => message_shape(item),
        "reasoning" => {
            if !item.get("summary").is_some_and(Value::is_array) {
                return Err("reasoning without `summary`".to_owned());
            }
            need(&["encrypted_content"])
        }
        "function_call" => need(&["call_id", "name", "arguments"]),
        "custom_tool_call" => need(&["call_id", "name", "input"]),
        "function_call_output" | "custom_tool_call_output" => {
            need(&["call_id"])?;
            output_shape(item)
        }
        "local_shell_call" => need(&["call_id"]),
        "compaction" => need(&["encrypted_content"]),
        "compaction_trigger"
        | "web_search_call"
        | "tool_search_call"
        | "tool_search_output"
        | "image_generation_call"
        | "additional_tools" => Ok(()),
        "" => Err("no `type`".to_owned()),
        other => Err(format!("type `{other}` is unknown")),
    }
}

fn message_shape(item: &Value) -> Result<(), String> {
    let role = string(item, "role");
    if !matches!(role.as_str(), "user" | "developer" | "system" | "assistant") {
        return Err(format!("role `{role}` is unknown"));
    }
    let parts = item.get("content").and_then(Value::as_array).ok_or("`content` must be a list")?;
    if parts.is_empty() {
        return Err("`content` is empty".to_owned());
    }
    for part in parts {
        let kind = string(part, "type");
        let fits = match kind.as_str() {
            "input_text" => role != "assistant" && part.get("text").is_some_and(Value::is_string),
            "input_image" => role == "user" && part.get("image_url").is_some_and(Value::is_string),
            "output_text" | "refusal" => role == "assistant",
            _ => false,
        };
        if !fits {
            return Err(format!(
                "a `{kind}` part does not belong into a message of role `{role}`, or lacks its content"
            ));
        }
    }
    Ok(())
}

fn output_shape(item: &Value) -> Result<(), String> {
    match item.get("output") {
        Some(Value::String(_)) => Ok(()),
        Some(Value::Array(parts)) => {
            let fine = |part: &Value| matches!(string(part, "type").as_str(), "input_text" | "input_image");
            if parts.iter().all(fine) {
                Ok(())
            } else {
                Err("an output part is no input_text or input_image".to_owned())
            }
        }
        _ => Err("`output` must be a text or a list of parts".to_owned()),
    }
}

/// Every call is answered exactly once, in the order of the calls, before anybody speaks again.
fn pairs(input: &[Value]) -> Result<(), String> {
    let mut open: VecDeque<Open> = VecDeque::new();
    let mut seen = HashSet::new();
    let mut answering = false;
    for (index, item) in input.iter().enumerate() {
        let kind = string(item, "type");
        let call_id = string(item, "call_id");
        match kind.as_str() {
            "function_call" | "custom_tool_call" | "local_shell_call" => {
                if answering && let Some(call) = open.front() {
                    return Err(format!(
                        "input[{index}]: call `{call_id}` before the output of `{}`",
                        call.call_id
                    ));
                }
                if !seen.insert(call_id.clone()) {
                    return Err(format!("input[{index}]: call id `{call_id}` is used twice"));
                }
                open.push_back(Open { call_id, custom: kind == "custom_tool_call" });
                answering = false;
            }
            "function_call_output" | "custom_tool_call_output" => {
                answer(&mut open, &seen, &call_id, kind == "custom_tool_call_output")
                    .map_err(|message| format!("input[{index}]: {message}"))?;
                answering = true;
            }
            "message" if string(item, "role") == "assistant" => {}
            "message" | "compaction_trigger" | "compaction" => {
                if let Some(call) = open.front() {
                    return Err(format!(
                        "input[{index}]: {kind} before the output of call `{}`",
                        call.call_id
                    ));
                }
            }
            _ => {}
        }
    }
    match open.front() {
        Some(call) => Err(format!("call `{}` has no output", call.call_id)),
        None => Ok(()),
    }
}

fn answer(
    open: &mut VecDeque<Open>,
    seen: &HashSet<String>,
    call_id: &str,
    custom: bool,
) -> Result<(), String> {
    match open.front() {
        Some(call) if call.call_id == call_id && call.custom == custom => {
            open.pop_front();
            Ok(())
        }
        Some(call) if call.call_id == call_id => {
            Err(format!("the output of `{call_id}` has the type of the other kind of call"))
        }
        Some(call) if open.iter().any(|call| call.call_id == call_id) => {
            Err(format!("the output of `{call_id}` comes before that of `{}`", call.call_id))
        }
        _ if seen.contains(call_id) => Err(format!("call `{call_id}` has two outputs")),
        _ => Err(format!("the output of `{call_id}` has no call before it")),
    }
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
