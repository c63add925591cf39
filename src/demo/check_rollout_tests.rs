//! Each verdict on the stored thread can be bad.

use serde_json::json;

use super::*;
use crate::demo::check_events;

fn line(kind: &str, payload: Value) -> Value {
    json!({"timestamp": "2026-11-20T11:37:15.471Z", "type": kind, "payload": payload})
}

fn call() -> Value {
    json!({"type": "function_call", "id": "fc", "call_id": "c", "name": "x", "arguments": "{}", "status": "completed"})
}

fn output() -> Value {
    json!({"type": "function_call_output", "call_id": "c", "output": "o"})
}

fn good() -> Vec<Value> {
    vec![
        line("session_meta", json!({"id": "t1"})),
        line("event_msg", json!({"type": "task_started", "turn_id": "u"})),
        line("response_item", json!({"type": "message", "role": "developer", "content": []})),
        line("response_item", call()),
        line("response_item", output()),
        line("event_msg", json!({"type": "task_complete", "turn_id": "u", "last_agent_message": "bye"})),
    ]
}

fn wrong(lines: &[Value]) -> [bool; 3] {
    let events = check_events::read("{\"type\":\"thread.started\",\"thread_id\":\"t1\"}\n");
    let run = Run { last_message: Some("bye\n".to_owned()), ..Run::default() };
    let history = [call(), output()];
    [meta(lines, &events).is_err(), same(lines, &history).is_err(), turns(lines, &run).is_err()]
}

#[test]
fn a_good_thread_passes_and_each_loss_is_found() {
    assert_eq!(wrong(&good()), [false; 3]);
    for (lost, want) in [
        (0, [true, false, false]),
        (3, [false, true, false]),
        (4, [false, true, false]),
        (5, [false, false, true]),
    ] {
        let mut lines = good();
        lines.remove(lost);
        assert_eq!(wrong(&lines), want, "without line {lost}");
    }
    let mut doubled = good();
    doubled.insert(4, doubled[4].clone());
    assert_eq!(wrong(&doubled), [false, true, false]);
    let mut changed = good();
    changed[4]["payload"]["output"] = "O".into();
    assert_eq!(wrong(&changed), [false, true, false]);
}

#[test]
fn what_was_shown_must_be_stored_as_often_as_it_was_shown() {
    let told = |text: &str| format!("{{\"type\":\"item.completed\",\"item\":{text}}}\n");
    let message = told(r#"{"type":"agent_message","text":"hi"}"#);
    let command = told(r#"{"type":"command_execution","aggregated_output":"o","exit_code":0}"#);
    let change = told(r#"{"type":"file_change","changes":[{"path":"a"}]}"#);
    let other = told(r#"{"type":"reasoning","text":"r"}"#);
    let events = check_events::read(&format!("{message}{message}{command}{change}{other}"));
    let stored = vec![
        line("event_msg", json!({"type": "agent_message", "message": "hi"})),
        line("event_msg", json!({"type": "agent_message", "message": "hi"})),
        line("event_msg", json!({"type": "exec_command_end", "aggregated_output": "o", "exit_code": 0})),
        line("event_msg", json!({"type": "patch_apply_end", "changes": {"a": {}}})),
        line("event_msg", json!({"type": "task_started", "turn_id": "u"})),
        line("turn_context", json!({"turn_id": "u"})),
    ];
    assert_eq!(shown(&stored, &events), Ok(()));
    for lost in [0, 1, 2, 3, 5] {
        let mut lines = stored.clone();
        lines.remove(lost);
        assert!(shown(&lines, &events).is_err(), "without line {lost}");
    }
}

#[test]
fn lines_must_be_whole() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rollout-x.jsonl");
    let whole = format!("{}\n", line("session_meta", json!({})));
    for (text, fine) in [
        (whole.clone(), true),
        (whole.trim_end().to_owned(), false),
        (format!("{whole}{{\"timestamp\"\n"), false),
        (format!("{whole}{{}}\n"), false),
        (format!("{whole}\0\0\0\n"), false),
    ] {
        std::fs::write(&path, &text).unwrap();
        assert_eq!(read(&path).is_ok(), fine, "{text}");
    }
}
