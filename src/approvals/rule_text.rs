//! Reads the text of a rules file: calls of `prefix_rule` and `host_executable` with literal arguments, and
//! nothing else of the language they are borrowed from. Each call stands or falls alone. A faulty call that
//! allows is dropped; a faulty one that forbids or asks is kept as far as it can be read, and when nothing of it
//! can, the reading is `blind` and no allowing rule counts until it is mended.

use super::network::{self, NetworkRule};
pub(crate) use super::rule_call::Problem;
use super::rule_call::{Arguments, Parser, Value, place, texts};
use super::rules::{Rule, RuleDecision};

/// What a file says.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Rules in order.
    pub(crate) rules: Vec<Rule>,
    /// Bare names and the paths they stand for.
    pub(crate) hosts: Vec<(String, Vec<String>)>,
    /// What is wrong.
    pub(crate) problems: Vec<Problem>,
    /// Rules about hosts.
    pub(crate) networks: Vec<NetworkRule>,
    /// A rule that may forbid something could not be read.
    pub(crate) blind: bool,
}

/// The calls there are.
const CALLS: [&str; 3] = ["prefix_rule", "host_executable", "network_rule"];
/// More rules than this are a mistake.
const MAX_RULES: usize = 10_000;

/// Reads a rules file.
pub(crate) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    for (line, chunk) in chunks(text) {
        if let Err((problem, unread)) = calls(chunk, line, &mut reading) {
            reading.blind |= may_be_strict(unread);
            reading.problems.push(problem);
        }
        if reading.rules.len() > MAX_RULES {
            reading.problems.push(Problem { line, text: format!("there are more than {MAX_RULES} rules") });
            reading.blind = true;
            break;
        }
    }
    reading
}

/// The calls of a chunk, and nothing beside them; otherwise what is wrong, and the text that it may belong to: all of it,
/// or from its own line on.
fn calls<'a>(chunk: &'a str, line: usize, reading: &mut Reading) -> Result<(), (Problem, &'a str)> {
    let mut parser = Parser::new(chunk, line);
    let mut ended = line;
    while parser.peek().is_some() {
        if parser.eat(';') {
            continue;
        }
        let line = parser.line();
        let unread = if line > ended { parser.rest() } else { chunk };
        let name = parser.name();
        if !CALLS.contains(&name.as_str()) || !parser.eat('(') {
            let calls = "prefix_rule(…), host_executable(…) or network_rule(…)";
            let shown: String = if name.is_empty() { parser.peek().into_iter().collect() } else { name };
            return Err((Problem { line, text: format!("`{shown}`: expected {calls}") }, unread));
        }
        let arguments = parser.arguments();
        match name.as_str() {
            "prefix_rule" => prefix_rule(line, arguments, chunk, reading),
            "host_executable" => host_executable(line, arguments, reading),
            _ => network_rule(line, arguments, chunk, reading),
        }
        ended = parser.line();
    }
    Ok(())
}

/// Cuts the text before each line that begins a call, so that one fault does not swallow the next call.
fn chunks(text: &str) -> Vec<(usize, &str)> {
    let begins = |line: &str| {
        CALLS
            .iter()
            .any(|call| line.strip_prefix(call).is_some_and(|rest| rest.trim_start().starts_with('(')))
    };
    let mut chunks = Vec::new();
    let (mut start, mut first, mut at) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if begins(line) && at > start {
            chunks.push((first, text.get(start..at).unwrap_or_default()));
            (start, first) = (at, index + 1);
        }
        at += line.len();
    }
    chunks.push((first, text.get(start..).unwrap_or_default()));
    chunks
}

/// Whether a text that cannot be read may hold a rule that asks or forbids.
fn may_be_strict(text: &str) -> bool {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).any(|line| {
        let lower = line.to_ascii_lowercase();
        lower.contains("forbid") || lower.contains("prompt") || lower.contains("deny")
    })
}

fn prefix_rule(line: usize, mut arguments: Arguments, chunk: &str, reading: &mut Reading) {
    let (pattern, whole) = pattern(line, &mut arguments);
    let decision = decision(&mut arguments, chunk);
    let justification = justification(&mut arguments);
    let origin = Some(line.to_string().into());
    let rule = Rule { pattern, decision, justification, origin };
    for name in ["match", "not_match"] {
        if let Some((value, at)) = arguments.take(name) {
            examples(&rule, name == "match", &value, at, &mut arguments);
        }
    }
    arguments.none_left();
    let faulty = !arguments.problems.is_empty();
    reading.problems.append(&mut arguments.problems);
    let strict = decision != RuleDecision::Allow;
    // A shorter pattern matches more: right for a strict rule, wrong for an allowing one.
    if rule.pattern.is_empty() {
        reading.blind |= strict;
    } else if strict || (!faulty && whole) {
        reading.rules.push(rule);
    }
}

/// The pattern and whether it is all of it; as much as could be read when it is faulty.
fn pattern(line: usize, arguments: &mut Arguments) -> (Vec<Vec<String>>, bool) {
    let values = match arguments.take("pattern") {
        Some((Value::List(list), _)) => list,
        Some((Value::Text(_), at)) => {
            arguments.fault(at, "`pattern` wants a list of words");
            return (Vec::new(), false);
        }
        None => {
            let torn = std::mem::take(&mut arguments.torn_pattern);
            if arguments.problems.is_empty() {
                arguments.fault(line, "a rule needs a `pattern`");
            }
            return (torn.iter().map_while(place).collect(), false);
        }
    };
    let places: Vec<Vec<String>> = values.iter().map_while(place).collect();
    let whole = places.len() == values.len() && !places.is_empty();
    if !whole {
        arguments.fault(line, "`pattern` wants words or lists of words, none of them empty");
    }
    (places, whole)
}

fn decision(arguments: &mut Arguments, chunk: &str) -> RuleDecision {
    let Some((value, line)) = arguments.take("decision") else {
        // It may stand in the part that could not be read.
        let hidden = !arguments.problems.is_empty() && may_be_strict(chunk);
        return if hidden { RuleDecision::Prompt } else { RuleDecision::Allow };
    };
    let known = match &value {
        Value::Text(word) => RuleDecision::from_word(word),
        Value::List(_) => None,
    };
    known.unwrap_or_else(|| {
        arguments.fault(line, "`decision` is one of \"allow\", \"prompt\" and \"forbidden\"");
        RuleDecision::Prompt
    })
}

fn justification(arguments: &mut Arguments) -> Option<String> {
    match arguments.take("justification")? {
        (Value::Text(text), _) if !text.trim().is_empty() => Some(text),
        (_, line) => {
            arguments.fault(line, "`justification` wants a sentence");
            None
        }
    }
}

/// Checks the examples of a rule.
fn examples(rule: &Rule, should: bool, value: &Value, line: usize, arguments: &mut Arguments) {
    let Value::List(list) = value else {
        return arguments.fault(line, "examples are a list of commands");
    };
    for example in list {
        let words = match example {
            Value::Text(text) => shlex::split(text).filter(|words| !words.is_empty()),
            Value::List(_) => texts(example).filter(|words| !words.is_empty()),
        };
        let Some(words) = words else {
            arguments.fault(line, "an example is a command line or a list of words");
            continue;
        };
        if rule.matches(&words) != should {
            let verb = if should { "does not match" } else { "matches" };
            arguments.fault(line, format!("the rule {verb} its example `{}`", words.join(" ")));
        }
    }
}

fn host_executable(line: usize, mut arguments: Arguments, reading: &mut Reading) {
    let name = match arguments.take("name") {
        Some((Value::Text(name), _)) if !name.is_empty() && !name.contains('/') => Some(name),
        Some((_, at)) => {
            arguments.fault(at, "`name` wants the bare name of a program");
            None
        }
        None => None,
    };
    let paths = match arguments.take("paths") {
        Some((value, at)) => {
            let paths = texts(&value).filter(|paths| paths.iter().all(|path| path.starts_with('/')));
            if paths.is_none() {
                arguments.fault(at, "`paths` wants a list of absolute paths");
            }
            paths
        }
        None => None,
    };
    if arguments.problems.is_empty() && (name.is_none() || paths.is_none()) {
        arguments.fault(line, "host_executable needs `name` and `paths`");
    }
    arguments.none_left();
    reading.problems.append(&mut arguments.problems);
    // With a faulty list no path counts: that allows least.
    reading.hosts.extend(name.map(|name| (name, paths.unwrap_or_default())));
}

fn network_rule(line: usize, mut arguments: Arguments, chunk: &str, reading: &mut Reading) {
    let decision = match arguments.named.iter_mut().find(|(name, ..)| name == "decision") {
        // Both words are in use for hosts.
        Some((_, Value::Text(word), _)) if word == "deny" => {
            *word = RuleDecision::Forbidden.word().to_owned();
            decision(&mut arguments, chunk)
        }
        _ => decision(&mut arguments, chunk),
    };
    let mut text = |name: &str| match arguments.take(name) {
        Some((Value::Text(text), _)) => Some(text),
        _ => None,
    };
    let (host, protocol) = (text("host"), text("protocol"));
    let _ = justification(&mut arguments);
    let rule = host.zip(protocol).and_then(|(host, protocol)| network::rule(&host, &protocol, decision));
    if rule.is_none() {
        arguments.fault(
            line,
            "network_rule needs `host` (a name without scheme, port or path) and `protocol` (\"https\", \"http\" or \
             \"socks5_tcp\")",
        );
    }
    arguments.none_left();
    let faulty = !arguments.problems.is_empty();
    reading.problems.append(&mut arguments.problems);
    match rule {
        Some(rule) if !faulty || decision != RuleDecision::Allow => reading.networks.push(rule),
        _ => reading.blind |= decision != RuleDecision::Allow,
    }
}

#[cfg(test)]
#[path = "rule_text_tests.rs"]
mod tests;
