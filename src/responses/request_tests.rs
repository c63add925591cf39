//! Tests of the body: its fields as captured from the reference, and that history is repeated byte for byte.

use std::sync::Arc;

use serde_json::{Value, json};

use super::*;
use crate::base::ids::{ThreadId, TurnId};
use crate::protocol::model_item::ModelItemKind;
use crate::responses::client::TurnState;
use crate::responses::headers::RequestKind;
use crate::responses::items;

pub(crate) fn ids() -> TurnIds {
    TurnIds {
        review_of: None,
        thread_id: "01a1f8c7-2292-7f13-b513-4138c72f74cf".parse::<ThreadId>().unwrap(),
        turn_id: "01a1f8c7-22bb-7371-ba6a-48b864284841".parse::<TurnId>().unwrap(),
        window: 2,
        installation_id: Some("inst".to_owned()),
        originator: "codex_exec".to_owned(),
        kind: RequestKind::Turn,
        sandbox_mode: "workspace-write",
        turn_state: TurnState::default(),
    }
}

fn request<'a>(ids: &'a TurnIds, input: &'a [ModelItem]) -> Request<'a> {
    Request {
        model: "gpt-5.5",
        instructions: Some("be good"),
        input,
        tools: &[],
        parallel_tool_calls: true,
        reasoning: Some(Reasoning { effort: Some("medium"), summary: None }),
        verbosity: Some("low"),
        output_schema: None,
        service_tier: None,
        ids,
    }
}

fn raw(text: &str) -> ModelItem {
    let json = RawValue::from_string(text.to_owned()).unwrap();
    ModelItem { json: Arc::from(json), kind: ModelItemKind::Other }
}

#[test]
fn fields_of_a_turn() {
    let ids = ids();
    let input = [raw(r#"{"type":"message"}"#)];
    let tools = [RawValue::from_string(r#"{"type":"function","name":"x"}"#.to_owned()).unwrap()];
    let body = Request { tools: &tools, ..request(&ids, &input) }.body();
    let mut value: Value = serde_json::from_slice(&body).unwrap();
    let metadata = value["client_metadata"].take();
    let thread = "01a1f8c7-2292-7f13-b513-4138c72f74cf";
    assert_eq!(
        value,
        json!({
            "model": "gpt-5.5", "stream": true, "instructions": "be good", "input": [{"type": "message"}],
            "tools": [{"type": "function", "name": "x"}], "tool_choice": "auto", "parallel_tool_calls": true,
            "reasoning": {"effort": "medium"}, "store": false, "include": ["reasoning.encrypted_content"],
            "prompt_cache_key": thread, "text": {"verbosity": "low"}, "client_metadata": null,
        })
    );
    assert_eq!(metadata["thread_id"], thread);
    assert_eq!(metadata["x-codex-window-id"], format!("{thread}:2"));
    assert_eq!(metadata["x-codex-installation-id"], "inst");
    let turn: Value = serde_json::from_str(metadata["x-codex-turn-metadata"].as_str().unwrap()).unwrap();
    assert_eq!(turn["request_kind"], "turn");
    assert_eq!(turn["window_number"], 2);
    assert_eq!(turn["sandbox_mode"], "workspace-write");
    assert!(turn.get("workspaces").is_none(), "the workspace stays here");
}

#[test]
fn fields_that_come_and_go() {
    let ids = ids();
    let schema = json!({"type": "object"});
    let plain = Request { instructions: None, reasoning: None, verbosity: None, ..request(&ids, &[]) };
    let value: Value = serde_json::from_slice(&plain.body()).unwrap();
    for absent in ["instructions", "reasoning", "text", "service_tier"] {
        assert!(value.get(absent).is_none(), "{absent}");
    }
    let full = Request {
        output_schema: Some(&schema),
        service_tier: Some("priority"),
        reasoning: Some(Reasoning { effort: None, summary: Some("auto") }),
        ..plain
    };
    let value: Value = serde_json::from_slice(&full.body()).unwrap();
    assert_eq!(value["reasoning"], json!({"summary": "auto"}));
    assert_eq!(value["service_tier"], "priority");
    assert_eq!(
        value["text"],
        json!({"format": {"type": "json_schema", "strict": true, "schema": schema, "name": "codex_output_schema"}})
    );
}

#[test]
fn the_next_request_begins_with_the_bytes_of_the_one_before() {
    let ids = ids();
    let odd = r#"{ "type" : "reasoning","x":1.50,"é":"\u00e9" }"#;
    let mut history = vec![items::harness("env"), raw(odd)];
    let first = request(&ids, &history).body();
    history.push(items::harness("more"));
    let second = request(&ids, &history).body();
    let text = String::from_utf8(first.to_vec()).unwrap();
    assert!(text.contains(odd));
    let shared = text.find(odd).unwrap() + odd.len();
    assert_eq!(first[..shared], second[..shared]);
}

#[test]
fn headers_tell_ids_and_stay_ascii() {
    let map = ids().headers("modell-ü", true);
    let thread = "01a1f8c7-2292-7f13-b513-4138c72f74cf";
    for name in ["session-id", "thread-id", "x-client-request-id"] {
        assert_eq!(map.get(name).unwrap(), thread);
    }
    assert_eq!(map.get("x-codex-window-id").unwrap(), &format!("{thread}:2"));
    assert_eq!(map.get("originator").unwrap(), "codex_exec");
    assert_eq!(map.get("version").unwrap(), "0.169.0");
    let metadata: Value =
        serde_json::from_str(map.get("x-codex-turn-metadata").unwrap().to_str().unwrap()).unwrap();
    assert_eq!(metadata["model"], "modell-ü");
    assert!(ids().headers("m", false).get("version").is_none());
    let agent = crate::responses::headers::user_agent("codex_exec", Some("xterm 256\n"));
    assert!(
        agent.starts_with("codex_exec/0.169.0 (linux; ") && agent.contains(") xterm256 (codex_exec; "),
        "{agent}"
    );
}
