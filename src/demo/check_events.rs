//! The JSON lines of `exec --json`: well-formed, complete, and the items that the scenario expects.

use serde_json::Value;

use super::check::Finding;
use super::client::Run;
use super::request::string;
use super::script_file::Expect;

/// The lines of one run.
#[derive(Debug)]
pub(crate) struct Events {
    /// Lines that are objects.
    pub(crate) lines: Vec<Value>,
    /// Lines that are not.
    broken: Vec<String>,
    /// Id of the thread.
    pub(crate) thread: Option<String>,
}

/// Reads standard output of the client.
pub(crate) fn read(stdout: &str) -> Events {
    let (mut lines, mut broken) = (Vec::new(), Vec::new());
    for line in stdout.lines() {
        match serde_json::from_str::<Value>(line) {
            Ok(value) if value.is_object() => lines.push(value),
            _ => broken.push(line.chars().take(120).collect()),
        }
    }
    let started = lines.iter().find(|line| string(line, "type") == "thread.started");
    let thread = started.map(|line| string(line, "thread_id")).filter(|id| !id.is_empty());
    Events { lines, broken, thread }
}

/// What must hold for every good turn.
pub(crate) fn form(events: &Events) -> Vec<Finding> {
    vec![
        Finding::new("every line of output is a JSON object", json(events)),
        Finding::new("the events begin and end as they should", frame(events)),
        Finding::new("every started item gets its final state", items_end(events)),
    ]
}

fn json(events: &Events) -> Result<(), String> {
    if events.broken.is_empty() { Ok(()) } else { Err(events.broken.join("\n")) }
}

fn frame(events: &Events) -> Result<(), String> {
    let kinds: Vec<String> = events.lines.iter().map(|line| string(line, "type")).collect();
    match kinds.as_slice() {
        [first, second, .., last] if first == "thread.started" && second == "turn.started" => {
            if last != "turn.completed" {
                return Err(format!(
                    "the last event is {}",
                    events.lines.last().map(Value::to_string).unwrap_or_default()
                ));
            }
        }
        _ => return Err(format!("the events are {kinds:?}")),
    }
    if let Some(at) = kinds.iter().position(|kind| kind == "error" || kind == "turn.failed") {
        return Err(events.lines.get(at).map(Value::to_string).unwrap_or_default());
    }
    let usage =
        events.lines.last().and_then(|line| line.pointer("/usage/input_tokens")).and_then(Value::as_u64);
    if usage.is_some_and(|tokens| tokens > 0) {
        Ok(())
    } else {
        Err("turn.completed tells no usage".to_owned())
    }
}

fn items_end(events: &Events) -> Result<(), String> {
    let mut open: Vec<String> = Vec::new();
    let mut closed: Vec<String> = Vec::new();
    for line in &events.lines {
        let id = line.pointer("/item/id").and_then(Value::as_str).unwrap_or_default().to_owned();
        match string(line, "type").as_str() {
            "item.started" => open.push(id),
            "item.completed" => {
                open.retain(|other| *other != id);
                if closed.contains(&id) {
                    return Err(format!("{id} is completed twice"));
                }
                if line.pointer("/item/status").is_some_and(|status| status == "in_progress") {
                    return Err(format!("{id} is completed while in progress"));
                }
                closed.push(id);
            }
            _ => {}
        }
    }
    if open.is_empty() { Ok(()) } else { Err(format!("{} never ended", open.join(", "))) }
}

/// The items that the scenario expects, each once. Not their order: calls of one answer run side by side.
pub(crate) fn items(events: &Events, expects: &[Expect]) -> Vec<Finding> {
    let completed = events.lines.iter().filter(|line| string(line, "type") == "item.completed");
    let completed: Vec<&Value> = completed.filter_map(|line| line.get("item")).collect();
    let mut used = vec![false; completed.len()];
    let mut findings = Vec::new();
    for expect in expects {
        let Some(kind) = &expect.item else { continue };
        let free = |at: usize| used.get(at) == Some(&false);
        let found = completed.iter().enumerate().position(|(at, item)| free(at) && fits(item, kind, expect));
        let part = expect.contains.as_deref().unwrap_or_default();

        let kind_words = kind.replace('_', " ");
        let what = match &expect.status {
            Some(status) => format!("{kind_words} `{part}` ends as {status}"),
            None => format!("{kind_words} `{part}` is told"),
        };
        let verdict = match found {
            Some(at) => {
                used[at] = true;
                Ok(())
            }
            None => Err(nearest(&completed, kind, part)),
        };
        findings.push(Finding::new(what, verdict));
    }
    findings
}

fn fits(item: &Value, kind: &str, expect: &Expect) -> bool {
    about(item, kind, expect.contains.as_deref().unwrap_or_default())
        && expect.status.as_ref().is_none_or(|status| string(item, "status") == *status)
        && expect.exit.is_none_or(|exit| exit.fits(item.get("exit_code").and_then(Value::as_i64)))
}

fn about(item: &Value, kind: &str, part: &str) -> bool {
    let subject = ["command", "text", "changes"].iter().filter_map(|key| item.get(*key));
    let subject: String =
        subject.map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned)).collect();
    string(item, "type") == kind && subject.contains(part)
}

fn nearest(completed: &[&Value], kind: &str, part: &str) -> String {
    let near: Vec<String> =
        completed.iter().filter(|item| about(item, kind, part)).map(|item| item.to_string()).collect();
    if near.is_empty() { "there is no such item after the one before".to_owned() } else { near.join("\n") }
}

/// The final message: the same in the events and in the file, and with the text the scenario expects.
pub(crate) fn message(run: &Run, events: &Events, expects: &[Expect]) -> Finding {
    let told = events.lines.iter().rev().filter_map(|line| line.get("item"));
    let told =
        told.filter(|item| string(item, "type") == "agent_message").map(|item| string(item, "text")).next();
    let part = expects
        .iter()
        .find(|expect| expect.message)
        .and_then(|expect| expect.contains.as_deref())
        .unwrap_or_default();
    let verdict = match (told, &run.last_message) {
        (None, _) => Err("no message was told".to_owned()),
        (Some(told), _) if !told.contains(part) => Err(told),
        (Some(_), None) => Err("the file of -o was not written".to_owned()),
        (Some(told), Some(file)) if told.trim_end() != file.trim_end() => {
            Err(format!("the file of -o says: {file}"))
        }
        _ => Ok(()),
    };
    Finding::new(format!("the final message says `{part}`"), verdict)
}

#[cfg(test)]
#[path = "check_events_tests.rs"]
mod tests;
