//! The thread that the client stored: every line whole, nothing missing. It is compared with what the backend
//! sent and was sent, so that a record that is lost, doubled or rendered anew is found.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::check::Finding;
use super::check_events::Events;
use super::client::{Run, files_below};
use super::request::string;
use super::server::Server;
use super::setting::Setting;

/// Checks the one rollout file of the setting.
pub(crate) fn check(setting: &Setting, server: &Server, events: &Events, run: &Run) -> Vec<Finding> {
    let lines = match only_file(&setting.home).and_then(|path| read(&path)) {
        Ok(lines) => lines,
        Err(wrong) => return vec![Finding::new("the thread is stored as JSON lines", Err(wrong))],
    };
    let history = server.backend().state().last_history.clone();
    vec![
        Finding::new("the thread is stored as JSON lines", Ok(())),
        Finding::new("the stored thread begins with its identity", meta(&lines, events)),
        Finding::new(
            "the stored thread has every item the model saw, once and in order",
            same(&lines, &history),
        ),
        Finding::new("the stored thread tells its turns from begin to end", turns(&lines, run)),
        Finding::new("the stored thread has everything that was shown", shown(&lines, events)),
    ]
}

fn only_file(home: &Path) -> Result<PathBuf, String> {
    let fits = |name: &str| name.starts_with("rollout-") && name.ends_with(".jsonl");
    let mut files = files_below(&home.join("sessions"), &fits);
    match (files.pop(), files.len()) {
        (Some(file), 0) => Ok(file),
        (Some(_), more) => Err(format!("there are {} rollout files", more + 1)),
        (None, _) => Err("there is no rollout file".to_owned()),
    }
}

/// All lines; each must be an object with `timestamp`, `type` and `payload`, and the last must have its end.
fn read(path: &Path) -> Result<Vec<Value>, String> {
    let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
    if !text.ends_with('\n') {
        return Err("the last line has no end".to_owned());
    }
    let mut lines = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let value: Value =
            serde_json::from_str(line).map_err(|error| format!("line {}: {error}", number + 1))?;
        let texts = !string(&value, "timestamp").is_empty() && !string(&value, "type").is_empty();
        if !texts || !value.get("payload").is_some_and(Value::is_object) {
            return Err(format!("line {} lacks timestamp, type or payload", number + 1));
        }
        lines.push(value);
    }
    Ok(lines)
}

fn meta(lines: &[Value], events: &Events) -> Result<(), String> {
    let first = lines.first().ok_or("it is empty")?;
    if string(first, "type") != "session_meta" {
        return Err(format!("the first line is {}", string(first, "type")));
    }
    let id = first.pointer("/payload/id").and_then(Value::as_str);
    match &events.thread {
        Some(thread) if id == Some(thread) => Ok(()),
        thread => Err(format!("it is called {id:?}, the events say {thread:?}")),
    }
}

/// The stored items, in order, against the history as the backend knows it. Outputs of calls that ran side by
/// side are stored as they became known, so within their row the order is free. Instructions of the program may be
/// stored elsewhere (base instructions stand in the first line), so only the rest is compared.
fn same(lines: &[Value], history: &[Value]) -> Result<(), String> {
    let stored = lines.iter().filter(|line| string(line, "type") == "response_item");
    let stored: Vec<Value> = stored.filter_map(|line| line.get("payload")).filter_map(essence).collect();
    let stored = outputs_sorted(stored);
    let known: Vec<Value> = outputs_sorted(history.iter().filter_map(essence).collect());
    if known.is_empty() {
        return Err("the backend knows no history".to_owned());
    }
    let at = stored.iter().zip(&known).take_while(|(stored, known)| stored == known).count();
    match (stored.get(at), known.get(at)) {
        (None, None) => Ok(()),
        (stored, known) => Err(format!(
            "item {at}\nstored: {}\nknown:  {}",
            stored.map_or_else(|| "nothing".to_owned(), short),
            known.map_or_else(|| "nothing".to_owned(), short),
        )),
    }
}

/// The items with every row of outputs put into the order of their call ids.
fn outputs_sorted(mut items: Vec<Value>) -> Vec<Value> {
    let is_output = |item: &Value| string(item, "type").ends_with("_output");
    for row in items.chunk_by_mut(|a, b| is_output(a) && is_output(b)) {
        row.sort_by_key(|item| string(item, "call_id"));
    }
    items
}

/// What must be equal in both; `None` for instructions of the program.
fn essence(item: &Value) -> Option<Value> {
    if string(item, "role") == "developer" {
        return None;
    }
    let keys = [
        "type",
        "id",
        "role",
        "content",
        "call_id",
        "name",
        "arguments",
        "input",
        "output",
        "summary",
        "encrypted_content",
    ];
    let mut essence = serde_json::Map::new();
    for key in keys {
        if let Some(value) = item.get(key).filter(|value| !value.is_null()) {
            essence.insert(key.to_owned(), value.clone());
        }
    }
    Some(Value::Object(essence))
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

/// Every turn that was begun has an end, and the last end carries the final message.
fn turns(lines: &[Value], run: &Run) -> Result<(), String> {
    let events: Vec<&Value> = lines
        .iter()
        .filter(|line| string(line, "type") == "event_msg")
        .filter_map(|line| line.get("payload"))
        .collect();
    let ids = |kind: &str| -> Vec<String> {
        events
            .iter()
            .filter(|event| string(event, "type") == kind)
            .map(|event| string(event, "turn_id"))
            .collect()
    };
    let (begun, ended) = (ids("task_started"), ids("task_complete"));
    if begun.is_empty() || begun != ended {
        return Err(format!("begun: {begun:?}, ended: {ended:?}"));
    }
    let last = events.iter().rev().find(|event| string(event, "type") == "task_complete");
    let stored = last.map(|event| string(event, "last_agent_message")).unwrap_or_default();
    let told = run.last_message.as_deref().unwrap_or_default();
    if stored.trim_end() != told.trim_end() || stored.is_empty() {
        return Err(format!("the last turn ended with: {stored}"));
    }
    Ok(())
}

/// Items that have no record of their own kind.
const OTHERS: [&str; 4] = ["reasoning", "todo_list", "web_search", "error"];

/// Every item that was told as complete is stored for those who show the thread later, as often as it was told.
fn shown(lines: &[Value], events: &Events) -> Result<(), String> {
    let mut stored: Vec<&Value> = lines
        .iter()
        .filter(|line| string(line, "type") == "event_msg")
        .filter_map(|line| line.get("payload"))
        .collect();
    let told = events.lines.iter().filter(|event| string(event, "type") == "item.completed");
    for item in told.filter_map(|event| event.get("item")) {
        let same = |payload: &&Value| match string(item, "type").as_str() {
            "agent_message" => {
                string(payload, "type") == "agent_message" && payload.get("message") == item.get("text")
            }
            "command_execution" => {
                string(payload, "type") == "exec_command_end"
                    && payload.get("exit_code") == item.get("exit_code")
                    && payload.get("aggregated_output") == item.get("aggregated_output")
            }
            "file_change" => {
                let paths = item.get("changes").and_then(Value::as_array).map_or(0, Vec::len);
                string(payload, "type") == "patch_apply_end"
                    && payload.get("changes").and_then(Value::as_object).map_or(0, serde_json::Map::len)
                        == paths
            }
            _ => false,
        };
        match stored.iter().position(same) {
            Some(at) => drop(stored.remove(at)),
            None if OTHERS.contains(&string(item, "type").as_str()) => {}
            None => return Err(format!("missing: {}", short(item))),
        }
    }
    settings(lines)
}

/// Every turn says with which settings it ran.
fn settings(lines: &[Value]) -> Result<(), String> {
    let ids = |kind: &str, sub: &str| -> Vec<String> {
        let of_kind = lines.iter().filter(|line| string(line, "type") == kind);
        let payloads = of_kind.filter_map(|line| line.get("payload"));
        payloads
            .filter(|p| sub.is_empty() || string(p, "type") == sub)
            .map(|p| string(p, "turn_id"))
            .collect()
    };
    let (turns, told) = (ids("event_msg", "task_started"), ids("turn_context", ""));
    match turns.iter().find(|turn| !told.contains(turn)) {
        Some(turn) => Err(format!("turn {turn} has no settings")),
        None => Ok(()),
    }
}

#[cfg(test)]
#[path = "check_rollout_tests.rs"]
mod tests;
