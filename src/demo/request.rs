//! What the client sent, as the rules see it: the prompt, the outputs of the latest calls, how far the turn is.
//! Reads only; whether the request is right is decided in `validate`.

use serde_json::Value;

use super::script_file::RequestKind;

/// Starts of user messages that the program wrote by itself.
const HARNESS: [&str; 7] = [
    "<conversation_summary",
    "<environment_context",
    "<turn_aborted",
    "<user_shell_command",
    "<user_action",
    "<INSTRUCTIONS",
    "# AGENTS.md",
];

/// A request as the rules see it.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// Model asked for.
    pub(crate) model: String,
    /// What the request is for.
    pub(crate) kind: RequestKind,
    /// The last prompt.
    pub(crate) user: String,
    /// Number of prompts in the thread.
    pub(crate) turn: usize,
    /// Responses since the last prompt.
    pub(crate) round: usize,
    /// Outputs of the calls of the last response.
    pub(crate) latest: Vec<CallResult>,
    /// Outputs of all calls of the thread.
    pub(crate) all: Vec<CallResult>,
    /// Tools offered.
    pub(crate) tools: Vec<OfferedTool>,
    /// Working directory, from the environment message.
    pub(crate) cwd: Option<String>,
    /// A script that the prompt carries in a fenced block called `script`.
    pub(crate) script: Option<String>,
}

/// The output of one call.
#[derive(Clone, Debug)]
pub(crate) struct CallResult {
    /// The call; ours are `call_<rule>_<number>`.
    pub(crate) call_id: String,
    /// The output without the lines in front of it.
    pub(crate) text: String,
    /// Exit code, when the output tells one.
    pub(crate) exit: Option<i64>,
    /// Session number of a command that still runs.
    pub(crate) session: Option<i64>,
}

/// A tool that the client offers.
#[derive(Clone, Debug)]
pub(crate) struct OfferedTool {
    /// Name, or type for hosted tools.
    pub(crate) name: String,
    /// Takes free text.
    pub(crate) custom: bool,
}

impl Default for View {
    fn default() -> Self {
        Self {
            model: String::new(),
            kind: RequestKind::Turn,
            user: String::new(),
            turn: 0,
            round: 0,
            latest: Vec::new(),
            all: Vec::new(),
            tools: Vec::new(),
            cwd: None,
            script: None,
        }
    }
}

impl CallResult {
    /// The rule that made the call; empty for calls of others.
    pub(crate) fn rule(&self) -> &str {
        self.call_id.strip_prefix("call_").and_then(|rest| rest.rsplit_once('_')).map_or("", |(rule, _)| rule)
    }

    fn new(item: &Value) -> Self {
        let whole = output_text(item.get("output"));
        let (head, text) = match whole.split_once("\nOutput:\n") {
            Some((head, text)) => (head.to_owned(), text.to_owned()),
            None if whole.starts_with("Output:\n") => (String::new(), whole.replacen("Output:\n", "", 1)),
            None => (whole.clone(), whole.clone()),
        };
        let number = |prefix: &str| {
            head.lines().find_map(|line| line.trim().strip_prefix(prefix)?.trim().parse().ok())
        };
        let json = || serde_json::from_str::<Value>(&whole).ok();
        let exit = number("Process exited with code ")
            .or_else(|| number("Exit code: "))
            .or_else(|| json()?.pointer("/metadata/exit_code")?.as_i64());
        let session = number("Process running with session ID ");
        Self { call_id: string(item, "call_id"), text, exit, session }
    }
}

impl View {
    /// Looks at the body of a request. `kind_told` is the `request_kind` of the turn metadata.
    pub(crate) fn new(body: &Value, kind_told: Option<&str>) -> Self {
        let mut view = Self { model: string(body, "model"), ..Self::default() };
        view.tools = tools(body);
        let mut answering = false;
        for item in body.get("input").and_then(Value::as_array).into_iter().flatten() {
            match item.get("type").and_then(Value::as_str).unwrap_or("message") {
                "function_call_output" | "custom_tool_call_output" => {
                    let result = CallResult::new(item);
                    view.latest.push(result.clone());
                    view.all.push(result);
                    answering = false;
                }
                "message" if item.get("role").and_then(Value::as_str) != Some("assistant") => {
                    view.read_message(item);
                    answering = false;
                }
                "compaction_trigger" => view.kind = RequestKind::Compaction,
                "compaction" => {}
                _ => {
                    // Something the model made: the first of a response counts as one round.
                    if !answering {
                        view.round += 1;
                        view.latest.clear();
                    }
                    answering = true;
                }
            }
        }
        if answering {
            view.latest.clear();
        }
        view.decide_kind(body, kind_told);
        view
    }

    /// The last output of a call that `rule` made.
    pub(crate) fn last_of(&self, rule: &str) -> Option<&CallResult> {
        self.all.iter().rev().find(|call| call.rule() == rule)
    }

    /// The offered tool of this name.
    pub(crate) fn tool(&self, name: &str) -> Option<&OfferedTool> {
        self.tools.iter().find(|tool| tool.name == name)
    }

    fn read_message(&mut self, item: &Value) {
        let user = item.get("role").and_then(Value::as_str) == Some("user");
        let mut prompt = Vec::new();
        for text in texts(item.get("content")) {
            let start = text.trim_start();
            if let Some(cwd) = start.split_once("<cwd>").and_then(|(_, rest)| rest.split_once("</cwd>")) {
                self.cwd = Some(cwd.0.to_owned());
            }
            if start.starts_with("<turn_aborted") {
                self.latest.clear();
            }
            let harness =
                HARNESS.iter().any(|mark| start.starts_with(mark)) || text.contains("<INSTRUCTIONS>");
            if user && !harness {
                prompt.push(text);
            }
        }
        if prompt.is_empty() {
            return;
        }
        self.user = prompt.join("\n");
        self.turn += 1;
        self.round = 0;
        if let Some(script) = fenced(&self.user) {
            self.script = Some(script);
        }
    }

    fn decide_kind(&mut self, body: &Value, told: Option<&str>) {
        let no_tools = self.tools.is_empty();
        let alone = body.get("parallel_tool_calls") == Some(&Value::Bool(false));
        let title = body.pointer("/text/format/schema/properties/title").is_some();
        if told == Some("compaction") || (no_tools && alone && told.is_none()) {
            self.kind = RequestKind::Compaction;
        } else if no_tools && title {
            self.kind = RequestKind::Title;
        }
    }
}

/// The text of a field, empty when there is none.
pub(crate) fn string(value: &Value, key: &str) -> String {
    value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn tools(body: &Value) -> Vec<OfferedTool> {
    let list = body.get("tools").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .map(|tool| {
            let kind = string(tool, "type");
            let name = tool.get("name").and_then(Value::as_str).map_or_else(|| kind.clone(), str::to_owned);
            OfferedTool { name, custom: kind == "custom" }
        })
        .collect()
}

fn texts(content: Option<&Value>) -> Vec<String> {
    match content {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(parts)) => {
            parts.iter().map(|part| string(part, "text")).filter(|t| !t.is_empty()).collect()
        }
        _ => Vec::new(),
    }
}

fn output_text(output: Option<&Value>) -> String {
    match output {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let shown = parts.iter().map(|part| match part.get("text").and_then(Value::as_str) {
                Some(text) => text.to_owned(),
                None => format!("[{}]", string(part, "type")),
            });
            shown.collect::<Vec<_>>().join("\n")
        }
        Some(other) => other.to_string(),
        None => String::new(),
    }
}

/// The content of the first fenced block called `script`.
fn fenced(text: &str) -> Option<String> {
    let mut lines = text.lines().skip_while(|line| line.trim() != "```script");
    lines.next()?;
    let block: Vec<&str> = lines.take_while(|line| line.trim() != "```").collect();
    Some(block.join("\n"))
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
