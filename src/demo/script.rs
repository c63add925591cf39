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
//! fault = { kind = "cut", events = 5 }      # all faults: `fault_file::FaultFile`
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

use super::account_file::AccountFile;
use super::error::Error;
use super::faults::Pending;
use super::rule::{self, Rule};
use super::script_file::{Expect, ProjectFile, ScriptFile, Then, When};
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
            let rule = rule::read(index, spanned.into_inner(), &read.wire)
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

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
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
