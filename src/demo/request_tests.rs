//! How requests are seen.

use serde_json::json;

use super::*;

fn user(text: &str) -> Value {
    json!({"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]})
}

fn call(id: &str) -> Value {
    json!({"type": "function_call", "call_id": id, "name": "exec_command", "arguments": "{}"})
}

fn output(id: &str, text: &str) -> Value {
    json!({"type": "function_call_output", "call_id": id, "output": text})
}

fn said(text: &str) -> Value {
    json!({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": text}]})
}

fn view(input: Vec<Value>) -> View {
    View::new(
        &json!({"model": "m", "input": input, "tools": [{"type": "web_search"}, {"type": "custom", "name": "p"}]}),
        None,
    )
}

#[test]
fn prompts_are_told_from_what_the_program_wrote() {
    let seen = view(vec![
        user("<environment_context>\n  <cwd>/a/b</cwd>\n</environment_context>"),
        user("# AGENTS.md instructions for /a\n<INSTRUCTIONS>x</INSTRUCTIONS>"),
        user("first"),
        said("ok"),
        user("second"),
    ]);
    assert_eq!((seen.user.as_str(), seen.turn, seen.round), ("second", 2, 0));
    assert_eq!(seen.cwd.as_deref(), Some("/a/b"));
    assert!(
        seen.tool("web_search").is_some_and(|tool| !tool.custom)
            && seen.tool("p").is_some_and(|tool| tool.custom)
    );
}

#[test]
fn rounds_and_latest_outputs() {
    let mut input = vec![
        user("go"),
        call("call_look_1"),
        call("call_look_2"),
        output("call_look_1", "a"),
        output("call_look_2", "b"),
    ];
    let seen = view(input.clone());
    assert_eq!((seen.round, seen.latest.len(), seen.latest[1].rule()), (1, 2, "look"));
    input.extend([said("on it"), call("call_more-x_3"), output("call_more-x_3", "c")]);
    let seen = view(input.clone());
    assert_eq!((seen.round, seen.latest.len(), seen.all.len()), (2, 1, 3));
    assert_eq!(seen.last_of("more-x").map(|call| call.text.as_str()), Some("c"));
    // A steering message behind the outputs does not hide them; an interrupted turn does.
    input.push(user("faster"));
    assert_eq!(view(input.clone()).latest.len(), 1);
    input.insert(input.len() - 1, user("<turn_aborted>stopped</turn_aborted>"));
    assert_eq!(view(input).latest.len(), 0);
}

#[test]
fn outputs_of_all_tools_are_understood() {
    for (text, shown, exit, session) in [
        (
            "Chunk ID: 1\nWall time: 0.0 seconds\nProcess exited with code 3\nOriginal token count: 2\nOutput:\nhi\n",
            "hi\n",
            Some(3),
            None,
        ),
        (
            "Wall time: 0.3 seconds\nProcess running with session ID 41\nOutput:\nso far",
            "so far",
            None,
            Some(41),
        ),
        ("Exit code: 0\nWall time: 0.1 seconds\nOutput:\nSuccess.", "Success.", Some(0), None),
        (
            "{\"output\":\"x\",\"metadata\":{\"exit_code\":2}}",
            "{\"output\":\"x\",\"metadata\":{\"exit_code\":2}}",
            Some(2),
            None,
        ),
        ("apply_patch verification failed: no", "apply_patch verification failed: no", None, None),
        // What a command prints is not taken for what the tool says.
        (
            "Process exited with code 1\nOutput:\nProcess exited with code 0\n",
            "Process exited with code 0\n",
            Some(1),
            None,
        ),
    ] {
        let result = CallResult::new(&output("call_x_1", text));
        assert_eq!((result.text.as_str(), result.exit, result.session), (shown, exit, session), "{text}");
    }
    let image = json!({"call_id": "c", "output": [{"type": "input_image", "image_url": "data:"}]});
    assert_eq!(CallResult::new(&image).text, "[input_image]");
}

#[test]
fn kinds_of_requests() {
    let kind = |body: Value, told| View::new(&body, told).kind;
    let tools = json!([{"type": "web_search"}]);
    assert_eq!(kind(json!({"tools": tools}), None), RequestKind::Turn);
    assert_eq!(kind(json!({"tools": [], "parallel_tool_calls": false}), None), RequestKind::Compaction);
    assert_eq!(kind(json!({"tools": tools}), Some("compaction")), RequestKind::Compaction);
    assert_eq!(
        kind(json!({"input": [{"type": "compaction_trigger"}], "tools": tools}), None),
        RequestKind::Compaction
    );
    let title = json!({"text": {"format": {"schema": {"properties": {"title": {}}}}}});
    assert_eq!(kind(title, Some("turn")), RequestKind::Title);
}

#[test]
fn a_prompt_can_carry_a_script() {
    let seen = view(vec![
        user("please\n```script\n[[rule]]\nname = 'x'\n```\nthanks"),
        call("call_x_1"),
        output("call_x_1", ""),
    ]);
    assert_eq!(seen.script.as_deref(), Some("[[rule]]\nname = 'x'"));
    assert_eq!(view(vec![user("```toml\nx\n```")]).script, None);
}
