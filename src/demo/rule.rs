//! One rule of a scenario: when to answer, and what. Read strictly, as the whole scenario is.

use std::time::Duration;

use serde_json::Value;

use super::faults::Fault;
use super::script_file::{OutputFile, RuleFile, Usage, When, Wire};
use super::template;

/// When to answer, and what.
#[derive(Clone, Debug)]
pub(crate) struct Rule {
    /// Part of the ids of its calls.
    pub(crate) name: String,
    /// Conditions.
    pub(crate) when: When,
    /// What is answered, in order.
    pub(crate) outputs: Vec<Output>,
    /// Fixed token numbers; counted from the bytes when not given.
    pub(crate) usage: Option<Usage>,
    /// No usage at all.
    pub(crate) no_usage: bool,
    /// Percentages of the short and the long window.
    pub(crate) limits: Option<[f64; 2]>,
    /// Percent of both that the answer costs the account.
    pub(crate) spend: [f64; 2],
    /// Further response headers.
    pub(crate) headers: Vec<(String, String)>,
    /// Wait before the first event.
    pub(crate) delay: Duration,
    /// What goes wrong.
    pub(crate) fault: Option<Fault>,
    /// How often it answers.
    pub(crate) times: Option<u64>,
    /// How the answer looks on the wire.
    pub(crate) wire: Wire,
}

/// One output.
#[derive(Clone, Debug)]
pub(crate) enum Output {
    /// Summary sections.
    Reasoning(Vec<String>),
    /// Text; `phase` as it travels.
    Message { text: String, phase: &'static str, repeat: usize },
    /// A shell command.
    Exec { cmd: String, args: Value },
    /// A function call.
    Call { name: String, namespace: Option<String>, args: Arguments },
    /// A custom tool call.
    Custom { name: String, input: String },
    /// A patch.
    Patch(String),
    /// An item as it is.
    Item(Value),
    /// An event as it is.
    Event(String),
}

/// Arguments of a function call.
#[derive(Clone, Debug)]
pub(crate) enum Arguments {
    /// JSON; templates inside its strings are filled.
    Json(Value),
    /// Text that need not be JSON.
    Text(String),
}

impl Rule {
    /// Shows every text that may hold templates.
    pub(super) fn texts(&self, see: &mut dyn FnMut(&str)) {
        for output in &self.outputs {
            match output {
                Output::Reasoning(sections) => sections.iter().for_each(|text| see(text)),
                Output::Message { text, .. } | Output::Patch(text) => see(text),
                Output::Custom { input, .. } => see(input),
                Output::Exec { cmd, args } => {
                    see(cmd);
                    strings(args, see);
                }
                Output::Call { args: Arguments::Json(args), .. } => strings(args, see),
                Output::Call { args: Arguments::Text(_), .. } | Output::Item(_) | Output::Event(_) => {}
            }
        }
    }
}

fn strings(value: &Value, see: &mut dyn FnMut(&str)) {
    match value {
        Value::String(text) => see(text),
        Value::Array(list) => list.iter().for_each(|value| strings(value, see)),
        Value::Object(map) => map.values().for_each(|value| strings(value, see)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Where (byte offset, when better known than the rule's own) and what is wrong.
pub(super) type Wrong = (Option<usize>, String);

/// Reads a rule; `index` names one without a name, `wire` is the scenario's own.
///
/// # Errors
/// Something in it cannot be.
pub(super) fn read(index: usize, file: RuleFile, wire: &Wire) -> Result<Rule, Wrong> {
    let name = file.name.unwrap_or_else(|| format!("r{}", index + 1));
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > 24 || !name.chars().all(plain) {
        return Err((None, format!("rule name `{name}` must be 1 to 24 of a-z, 0-9 and `-`")));
    }
    let mut outputs = Vec::new();
    for output in file.output {
        let start = output.span().start;
        outputs.push(self::output(output.into_inner()).map_err(|message| (Some(start), message))?);
    }
    let fault = match &file.fault {
        Some(fault) => {
            let read = Fault::from_file(fault.get_ref());
            Some(read.map_err(|message| (Some(fault.span().start), message))?)
        }
        None => None,
    };
    if outputs.is_empty() && fault.is_none() {
        return Err((None, format!("rule `{name}` answers nothing: give it an `output` or a `fault`")));
    }
    let rule = Rule {
        name,
        when: file.when,
        outputs,
        usage: file.usage,
        no_usage: file.no_usage,
        limits: file.limits,
        spend: file.spend,
        headers: file.headers.into_iter().collect(),
        delay: Duration::from_millis(file.delay_ms),
        fault,
        times: file.times,
        wire: file.wire.unwrap_or_else(|| wire.clone()),
    };
    let mut bad = None;
    rule.texts(&mut |text| bad = bad.take().or(template::unknown(text)));
    bad.map_or(Ok(rule), |name| Err((None, format!("unknown template `{{{{{name}}}}}`"))))
}

fn output(file: OutputFile) -> Result<Output, String> {
    let given: Vec<&str> = [
        ("text", file.text.is_some()),
        ("commentary", file.commentary.is_some()),
        ("reasoning", !file.reasoning.0.is_empty()),
        ("exec", file.exec.is_some()),
        ("patch", file.patch.is_some()),
        ("call", file.call.is_some()),
        ("custom", file.custom.is_some()),
        ("item", file.item.is_some()),
        ("event", file.event.is_some()),
    ]
    .into_iter()
    .filter_map(|(name, given)| given.then_some(name))
    .collect();
    if given.len() != 1 {
        let found = if given.is_empty() { "none".to_owned() } else { given.join(" and ") };
        return Err(format!(
            "an output is exactly one of text, commentary, reasoning, exec, patch, call, custom, item, event; found {found}"
        ));
    }
    let args =
        serde_json::to_value(file.args.clone().unwrap_or_default()).map_err(|error| error.to_string())?;
    let repeat = file.repeat.unwrap_or(1);
    if let Some(text) = file.text {
        return Ok(Output::Message { text, phase: "final_answer", repeat });
    }
    if let Some(text) = file.commentary {
        return Ok(Output::Message { text, phase: "commentary", repeat });
    }
    if let Some(cmd) = file.exec {
        return Ok(Output::Exec { cmd, args });
    }
    if let Some(name) = file.call {
        let args = match (file.arguments, file.args) {
            (Some(_), Some(_)) => return Err("give `args` or `arguments`, not both".to_owned()),
            (Some(text), None) => Arguments::Text(text),
            (None, _) => Arguments::Json(args),
        };
        return Ok(Output::Call { name, namespace: file.namespace, args });
    }
    if let Some(name) = file.custom {
        return Ok(Output::Custom { name, input: file.input.unwrap_or_default() });
    }
    if let Some(text) = file.item {
        let item = serde_json::from_str(&text).map_err(|error| format!("`item` is no JSON: {error}"))?;
        return Ok(Output::Item(item));
    }
    Ok(match (file.patch, file.event) {
        (Some(patch), _) => Output::Patch(patch),
        (None, Some(event)) => Output::Event(event),
        (None, None) => Output::Reasoning(file.reasoning.0),
    })
}
