//! Outputs of a rule as the events of one response, in the order and detail of the real service: items are
//! announced, written in small deltas, and told once more as a whole. Pure but for the ids.

use serde_json::{Value, json};
use uuid::Uuid;

use super::faults::Fault;
use super::request::View;
use super::rule::{Arguments, Output, Rule};
use super::script_file::{Usage, Wire};
use super::template::{Filling, fill, fill_json};

/// One event of a response.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    /// Type, also the name of the frame.
    pub(crate) kind: String,
    /// Data.
    pub(crate) json: String,
    /// A small piece after which the pace waits.
    pub(crate) delta: bool,
}

/// A whole response.
#[derive(Debug)]
pub(crate) struct Answer {
    /// Everything in order.
    pub(crate) events: Vec<Event>,
    /// The items, as they are expected back.
    pub(crate) items: Vec<Value>,
}

/// Makes the response of `rule`. `cached` and `input` are estimates in tokens, used when the rule names none.
pub(crate) fn answer(rule: &Rule, from: &Filling<'_>, input: u64, cached: u64) -> Answer {
    let mut writer = Writer::new(&from.view.model, &rule.wire);
    writer.begin();
    for output in &rule.outputs {
        writer.output(output, &rule.name, from);
    }
    let usage = match rule.usage {
        _ if rule.no_usage => Value::Null,
        Some(usage) => usage_json(&usage),
        None => usage_json(&Usage {
            input,
            cached: cached.min(input),
            output: 8 + writer.written / 4,
            reasoning: writer.reasoned / 4,
            ..Usage::default()
        }),
    };
    writer.end(rule.fault.as_ref(), usage);
    Answer { events: writer.events, items: writer.items }
}

fn usage_json(usage: &Usage) -> Value {
    let mut json = json!({
        "input_tokens": usage.input,
        "output_tokens": usage.output,
        "total_tokens": usage.total.unwrap_or(usage.input + usage.output),
    });
    if !usage.no_details {
        json["input_tokens_details"] = json!({ "cached_tokens": usage.cached });
        json["output_tokens_details"] = json!({ "reasoning_tokens": usage.reasoning });
    }
    json
}

/// Builds the events one after the other.
struct Writer<'a> {
    wire: &'a Wire,
    response_id: String,
    model: String,
    sequence: u64,
    index: usize,
    /// Bytes of all outputs, and those of them that are reasoning.
    written: u64,
    reasoned: u64,
    events: Vec<Event>,
    items: Vec<Value>,
}

impl<'a> Writer<'a> {
    fn new(model: &str, wire: &'a Wire) -> Self {
        Self {
            wire,
            response_id: id("resp"),
            model: model.to_owned(),
            sequence: 0,
            index: 0,
            written: 0,
            reasoned: 0,
            events: Vec::new(),
            items: Vec::new(),
        }
    }

    fn push(&mut self, kind: &str, mut data: Value, delta: bool) {
        data["type"] = kind.into();
        data["sequence_number"] = self.sequence.into();
        self.sequence += 1;
        self.events.push(Event { kind: kind.to_owned(), json: data.to_string(), delta });
    }

    fn response(&self, status: &str) -> Value {
        json!({ "id": self.response_id, "object": "response", "status": status, "model": self.model })
    }

    fn begin(&mut self) {
        let response = self.response("in_progress");
        self.push("response.created", json!({ "response": response }), false);
        self.push("response.in_progress", json!({ "response": response }), false);
    }

    fn end(&mut self, fault: Option<&Fault>, usage: Value) {
        let (kind, mut response) = match fault {
            Some(Fault::Failed { code, message }) => {
                let mut response = self.response("failed");
                response["error"] = json!({ "code": code, "message": message });
                ("response.failed", response)
            }
            Some(Fault::Incomplete { reason }) => {
                let mut response = self.response("incomplete");
                response["incomplete_details"] = json!({ "reason": reason });
                ("response.incomplete", response)
            }
            _ => ("response.completed", self.response("completed")),
        };
        if !usage.is_null() {
            response["usage"] = usage;
        }
        self.push(kind, json!({ "response": response }), false);
    }

    fn output(&mut self, output: &Output, rule: &str, from: &Filling<'_>) {
        match output {
            Output::Reasoning(sections) => {
                let sections: Vec<String> = sections.iter().map(|text| fill(text, from)).collect();
                self.reasoning(&sections);
            }
            Output::Message { text, phase, repeat } => self.message(&fill(text, from).repeat(*repeat), phase),
            Output::Exec { cmd, args } => {
                let (name, args) = shell_call(from.view, &fill(cmd, from), fill_json(args, from));
                self.call(rule, name, None, &args.to_string());
            }
            Output::Call { name, namespace, args } => {
                let args = match args {
                    Arguments::Json(json) => fill_json(json, from).to_string(),
                    Arguments::Text(text) => text.clone(),
                };
                self.call(rule, name, namespace.as_deref(), &args);
            }
            Output::Custom { name, input } => self.custom(rule, name, &fill(input, from)),
            Output::Patch(patch) => self.patch(rule, &fill(patch, from), from.view),
            Output::Item(item) => {
                self.item_event("response.output_item.added", item);
                self.done(item.clone());
            }
            Output::Event(data) => {
                self.events.push(Event { kind: "scripted".to_owned(), json: data.clone(), delta: false })
            }
        }
    }

    fn item_event(&mut self, kind: &str, item: &Value) {
        self.push(kind, json!({ "output_index": self.index, "item": item }), false);
    }

    fn done(&mut self, item: Value) {
        self.item_event("response.output_item.done", &item);
        self.items.push(item);
        self.index += 1;
    }

    /// Writes `text` as deltas and then once as a whole. `at` are the fields that say where it belongs.
    fn stream(&mut self, event: &str, whole: &str, text: &str, at: &Value) {
        self.written += text.len() as u64;
        for piece in pieces(text, self.wire.delta_chars) {
            let mut data = at.clone();
            data["delta"] = piece.into();
            self.push(&format!("{event}.delta"), data, true);
        }
        let mut data = at.clone();
        data[whole] = text.into();
        self.push(&format!("{event}.done"), data, false);
    }

    fn reasoning(&mut self, sections: &[String]) {
        let rs = id("rs");
        let mut item = json!({ "type": "reasoning", "id": rs, "summary": [] });
        self.item_event("response.output_item.added", &item);
        let before = self.written;
        for (number, text) in sections.iter().enumerate() {
            let at = json!({ "item_id": rs, "output_index": self.index, "summary_index": number });
            let mut part = at.clone();
            part["part"] = json!({ "type": "summary_text", "text": "" });
            self.push("response.reasoning_summary_part.added", part.clone(), false);
            self.stream("response.reasoning_summary_text", "text", text, &at);
            part["part"]["text"] = text.as_str().into();
            self.push("response.reasoning_summary_part.done", part, false);
        }
        self.reasoned += self.written - before;
        item["summary"] =
            sections.iter().map(|text| json!({ "type": "summary_text", "text": text })).collect();
        item["encrypted_content"] = format!("scripted-{rs}").into();
        self.done(item);
    }

    fn message(&mut self, text: &str, phase: &str) {
        let msg = id("msg");
        let message = |status: &str, content: Value| json!({ "type": "message", "id": msg, "role": "assistant", "status": status, "phase": phase, "content": content });
        self.item_event("response.output_item.added", &message("in_progress", json!([])));
        let at = json!({ "item_id": msg, "output_index": self.index, "content_index": 0 });
        let mut part = at.clone();
        part["part"] = json!({ "type": "output_text", "annotations": [], "text": "" });
        self.push("response.content_part.added", part.clone(), false);
        self.stream("response.output_text", "text", text, &at);
        part["part"]["text"] = text.into();
        let content = json!([part["part"]]);
        self.push("response.content_part.done", part, false);
        self.done(message("completed", content));
    }

    fn call(&mut self, rule: &str, name: &str, namespace: Option<&str>, args: &str) {
        let (fc, call_id) = (id("fc"), id(&format!("call_{rule}")));
        let call = |status: &str, args: &str| {
            let mut item = json!({ "type": "function_call", "id": fc, "call_id": call_id, "name": name,
                "status": status, "arguments": args });
            if let Some(namespace) = namespace {
                item["namespace"] = namespace.into();
            }
            item
        };
        self.item_event("response.output_item.added", &call("in_progress", ""));
        let at = json!({ "item_id": fc, "output_index": self.index });
        self.stream("response.function_call_arguments", "arguments", args, &at);
        self.done(call("completed", args));
    }

    fn custom(&mut self, rule: &str, name: &str, input: &str) {
        let (ctc, call_id) = (id("ctc"), id(&format!("call_{rule}")));
        let call = |status: &str, input: &str| {
            json!({ "type": "custom_tool_call", "id": ctc, "call_id": call_id, "name": name,
                "status": status, "input": input })
        };
        self.item_event("response.output_item.added", &call("in_progress", ""));
        let at = json!({ "item_id": ctc, "output_index": self.index });
        self.stream("response.custom_tool_call_input", "input", input, &at);
        self.done(call("completed", input));
    }

    /// A patch by whichever tool is offered: free text, a function, or the shell.
    fn patch(&mut self, rule: &str, patch: &str, view: &View) {
        match view.tool("apply_patch") {
            Some(tool) if tool.custom => self.custom(rule, "apply_patch", patch),
            Some(_) => self.call(rule, "apply_patch", None, &json!({ "input": patch }).to_string()),
            None => {
                let cmd = format!("apply_patch <<'EOF'\n{}\nEOF", patch.trim_end());
                let (name, args) = shell_call(view, &cmd, json!({}));
                self.call(rule, name, None, &args.to_string());
            }
        }
    }
}

/// Name and arguments of a shell call by the best tool that is offered.
fn shell_call(view: &View, cmd: &str, mut args: Value) -> (&'static str, Value) {
    let offered = |name: &str| view.tool(name).is_some();
    if offered("shell_command") && !offered("exec_command") {
        args["command"] = cmd.into();
        return ("shell_command", args);
    }
    if offered("shell") && !offered("exec_command") {
        args["command"] = json!(["sh", "-c", cmd]);
        return ("shell", args);
    }
    args["cmd"] = cmd.into();
    ("exec_command", args)
}

fn id(prefix: &str) -> String {
    let number = Uuid::new_v4().simple().to_string();
    format!("{prefix}_{}", number.get(..12).unwrap_or(&number))
}

/// Cuts a text into pieces of about `chars` characters, behind a space or line end where one is near.
fn pieces(text: &str, chars: usize) -> Vec<&str> {
    let chars = chars.max(1);
    let mut pieces = Vec::new();
    let (mut start, mut count) = (0, 0);
    for (at, c) in text.char_indices() {
        count += 1;
        let end = at + c.len_utf8();
        if (count >= chars && c.is_whitespace()) || count >= chars.saturating_mul(3) {
            pieces.extend(text.get(start..end));
            (start, count) = (end, 0);
        }
    }
    pieces.extend(text.get(start..).filter(|rest| !rest.is_empty()));
    pieces
}

#[cfg(test)]
#[path = "answer_tests.rs"]
mod tests;
