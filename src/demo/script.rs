//! A scenario: what is asked, what is answered, what must be true afterwards. Reading it is strict and every
//! error names file and line, because a scenario that half works hides what a test wanted to see.
//!
//! Rules are tried in order for every request; the first whose conditions all hold answers:
//!
//! ```toml
//! [[rule]]
//! name = "run"                              # its calls are called `call_run_…`
//! when = { user = "build it", round = 0 }   # all conditions: `script_file::When`
//! [[rule.output]]                           # all outputs: `script_file::OutputFile`
//! commentary = "I build it."
//! [[rule.output]]
//! exec = "make"
//!
//! [[rule]]
//! when = { after = "run", exit = "nonzero" }
//! output = [{ text = "It failed: {{last_line}}" }]   # all templates: `template`
//!
//! [[rule]]
//! when = { after = "run" }
//! times = 1                                 # the first answer is cut, the retry falls through
//! fault = { kind = "cut", events = 5 }      # all faults: `script_file::FaultFile`
//! output = [{ text = "It works." }]
//!
//! [[rule]]
//! when = { after = "run" }
//! output = [{ text = "It works." }]
//! ```
//!
//! A test puts such a text in force with `POST /control/script`, adds `[[fault]]` entries for the next requests
//! with `POST /control/faults`, or lets the prompt carry the text in a fenced block called `script`.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use serde_json::Value;

use super::account_state::AccountFile;
use super::error::Error;
use super::faults::{Fault, Pending};
use super::script_file::{Expect, OutputFile, ProjectFile, RuleFile, ScriptFile, Then, Usage, When, Wire};
use super::template;

/// One scenario, or several joined into one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Script {
    /// Word by which it is chosen.
    pub(crate) name: String,
    /// Headline.
    pub(crate) title: String,
    /// What a spectator is told beforehand.
    pub(crate) story: String,
    /// What the user asks.
    pub(crate) prompt: String,
    /// What the user asks when the thread is resumed.
    pub(crate) follow_up: Option<String>,
    /// The project before.
    pub(crate) files: Vec<ProjectFile>,
    /// What must be true afterwards.
    pub(crate) expects: Vec<Expect>,
    /// What the user runs afterwards.
    pub(crate) then: Vec<Then>,
    /// The account that clients are signed in to.
    pub(crate) account: Option<AccountFile>,
    /// Faults that wait from the start.
    pub(crate) faults: Vec<Pending>,
    /// The rules, first match wins.
    pub(crate) rules: Vec<Rule>,
    /// Tells scripts apart when firings are counted.
    pub(crate) id: u64,
}

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

impl Script {
    /// Reads a scenario. `file` is what errors call the text.
    ///
    /// # Errors
    /// The text is no TOML, has unknown keys, or something in it cannot be.
    pub(crate) fn read(file: &str, text: &str) -> Result<Self, Error> {
        let at = |offset: usize, message: String| Error::Script {
            file: file.to_owned(),
            line: 1 + text.as_bytes().iter().take(offset).filter(|byte| **byte == b'\n').count(),
            message,
        };
        let read: ScriptFile = toml::from_str(text)
            .map_err(|error| at(error.span().map_or(0, |span| span.start), error.message().to_owned()))?;
        let mut script = Self {
            title: read.title.unwrap_or_default(),
            story: read.story.unwrap_or_default(),
            prompt: read.prompt.unwrap_or_default(),
            follow_up: read.follow_up,
            then: read.then,
            account: read.account,
            name: read.name.unwrap_or_else(|| file.to_owned()),
            id: hash(text),
            ..Self::default()
        };
        for file in read.file {
            check_path(&file.get_ref().path).map_err(|message| at(file.span().start, message))?;
            script.files.push(file.into_inner());
        }
        for expect in read.expect {
            check_expect(expect.get_ref()).map_err(|message| at(expect.span().start, message))?;
            script.expects.push(expect.into_inner());
        }
        for fault in read.fault {
            let pending = Pending::from_file(fault.get_ref());
            script.faults.push(pending.map_err(|message| at(fault.span().start, message))?);
        }
        let mut lines = BTreeMap::new();
        for (index, spanned) in read.rule.into_iter().enumerate() {
            let start = spanned.span().start;
            let rule = rule(index, spanned.into_inner(), &read.wire)
                .map_err(|(offset, message)| at(offset.unwrap_or(start), message))?;
            if lines.insert(rule.name.clone(), start).is_some() {
                return Err(at(start, format!("there is a rule `{}` already", rule.name)));
            }
            script.rules.push(rule);
        }
        match script.unknown_name() {
            Some((rule, message)) => Err(at(lines.get(&rule).copied().unwrap_or(0), message)),
            None => Ok(script),
        }
    }

    /// Joins scenarios into one that knows all prompts. Rules keep their order; those without any condition
    /// come last, or nothing behind them would ever be asked.
    pub(crate) fn join(scripts: impl IntoIterator<Item = Self>) -> Self {
        let mut joined = Self::default();
        let mut last = Vec::new();
        for script in scripts {
            if joined.name.is_empty() {
                joined = Self { rules: Vec::new(), ..script.clone() };
            }
            joined.account = joined.account.or(script.account);
            for rule in script.rules {
                let open = rule.when == When::default() && rule.times.is_none();
                if open { last.push(rule) } else { joined.rules.push(rule) }
            }
        }
        joined.rules.append(&mut last);
        joined
    }

    /// A name used by `after`, `exits` or a template that no rule has, with the rule that uses it.
    fn unknown_name(&self) -> Option<(String, String)> {
        let known: BTreeSet<&str> = self.rules.iter().map(|rule| rule.name.as_str()).collect();
        for rule in &self.rules {
            let mut used: Vec<String> = rule.when.after.0.clone();
            used.extend(rule.when.exits.keys().cloned());
            rule.texts(&mut |text| used.extend(template::rules_named(text)));
            if let Some(name) = used.iter().find(|name| !known.contains(name.as_str())) {
                return Some((rule.name.clone(), format!("no rule is called `{name}`")));
            }
        }
        None
    }
}

impl Rule {
    /// Shows every text that may hold templates.
    fn texts(&self, see: &mut dyn FnMut(&str)) {
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

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

/// Where (byte offset, when better known than the rule's own) and what is wrong.
type Wrong = (Option<usize>, String);

fn rule(index: usize, file: RuleFile, wire: &Wire) -> Result<Rule, Wrong> {
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

fn check_path(path: &str) -> Result<(), String> {
    let inside = !path.is_empty() && !path.starts_with('/') && !path.split('/').any(|part| part == "..");
    if inside { Ok(()) } else { Err(format!("`{path}` must lie inside the project")) }
}

fn check_expect(expect: &Expect) -> Result<(), String> {
    let subjects = [
        expect.file.is_some(),
        expect.absent.is_some(),
        expect.unchanged.is_some(),
        expect.command.is_some(),
        expect.item.is_some(),
        expect.message,
        expect.route.is_some(),
    ];
    match subjects.iter().filter(|given| **given).count() {
        1 => Ok(()),
        n => Err(format!(
            "an expectation is exactly one of file, absent, unchanged, command, item, message, route; found {n}"
        )),
    }
}

#[cfg(test)]
#[path = "script_tests.rs"]
mod tests;
