//! Reads the text of a rules file: calls of `prefix_rule` and `host_executable` with literal arguments, and
//! nothing else of the language they are borrowed from. Each call stands or falls alone. A faulty call that
//! allows is dropped; a faulty one that forbids or asks is kept as far as it can be read, and when nothing of it
//! can, the reading is `blind` and no allowing rule counts until it is mended.

use super::network::{self, NetworkRule};
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

/// A fault in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) text: String,
}

/// The calls there are.
const CALLS: [&str; 3] = ["prefix_rule", "host_executable", "network_rule"];
/// More rules than this are a mistake.
const MAX_RULES: usize = 10_000;

/// Reads a rules file.
pub(crate) fn read(text: &str) -> Reading {
    let mut reading = Reading::default();
    for (line, chunk) in chunks(text) {
        let mut parser = Parser { rest: chunk, line };
        if let Err(problem) = parser.chunk(chunk, &mut reading) {
            reading.blind |= may_be_strict(chunk);
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

/// A literal argument.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Value {
    Text(String),
    List(Vec<Value>),
}

type Read<T> = Result<T, Problem>;

/// The arguments of a call as far as they could be read.
#[derive(Default)]
struct Arguments {
    named: Vec<(String, Value, usize)>,
    /// Elements of a pattern before the place where it became unreadable.
    torn_pattern: Vec<Value>,
    problems: Vec<Problem>,
}

impl Arguments {
    fn take(&mut self, name: &str) -> Option<(Value, usize)> {
        let at = self.named.iter().position(|(given, _, _)| given == name)?;
        let (_, value, line) = self.named.remove(at);
        Some((value, line))
    }

    fn fault(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem { line, text: text.into() });
    }
}

struct Parser<'a> {
    rest: &'a str,
    line: usize,
}

impl Parser<'_> {
    fn fault<T>(&self, text: impl Into<String>) -> Read<T> {
        Err(Problem { line: self.line, text: text.into() })
    }

    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        self.line += usize::from(c == '\n');
        Some(c)
    }

    /// Skips white space, line breaks and comments; the next character.
    fn peek(&mut self) -> Option<char> {
        loop {
            match self.rest.chars().next()? {
                '#' => self.rest = self.rest.trim_start_matches(|c| c != '\n'),
                c if c.is_whitespace() => drop(self.bump()),
                c => return Some(c),
            }
        }
    }

    fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    fn name(&mut self) -> String {
        let _ = self.peek();
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let name = self.rest.strip_suffix(rest).unwrap_or_default().to_owned();
        self.rest = rest;
        name
    }

    /// One call, and nothing after it.
    fn chunk(&mut self, chunk: &str, reading: &mut Reading) -> Read<()> {
        while self.peek().is_some() {
            if self.eat(';') {
                continue;
            }
            let line = self.line;
            let name = self.name();
            if !CALLS.contains(&name.as_str()) || !self.eat('(') {
                let calls = "prefix_rule(…), host_executable(…) or network_rule(…)";
                let shown: String = if name.is_empty() { self.rest.chars().take(1).collect() } else { name };
                return Err(Problem { line, text: format!("`{shown}`: expected {calls}") });
            }
            let mut arguments = Arguments::default();
            self.arguments(&mut arguments);
            match name.as_str() {
                "prefix_rule" => prefix_rule(line, arguments, chunk, reading),
                "host_executable" => host_executable(line, arguments, reading),
                _ => network_rule(line, arguments, chunk, reading),
            }
        }
        Ok(())
    }

    /// Everything up to the closing bracket of a call.
    fn arguments(&mut self, into: &mut Arguments) {
        loop {
            if self.eat(')') {
                return;
            }
            if self.peek().is_none() {
                into.fault(self.line, "the call is not closed with `)`");
                return;
            }
            if let Err(problem) = self.argument(into) {
                into.problems.push(problem);
                self.skip_argument();
            }
            if !self.eat(',') && self.peek().is_some_and(|c| c != ')') {
                into.fault(self.line, "expected `,` or `)` after an argument");
                self.skip_argument();
                self.eat(',');
            }
        }
    }

    fn argument(&mut self, into: &mut Arguments) -> Read<()> {
        let name = self.name();
        if name.is_empty() || !self.eat('=') {
            return self.fault("expected an argument `name=…`");
        }
        let _ = self.peek();
        let line = self.line;
        let mut torn = Vec::new();
        match self.value(0, &mut torn) {
            Ok(_) if into.named.iter().any(|(given, _, _)| *given == name) => {
                self.fault(format!("`{name}` is given twice"))
            }
            Ok(value) => {
                into.named.push((name, value, line));
                Ok(())
            }
            Err(problem) => {
                if name == "pattern" {
                    into.torn_pattern = torn;
                }
                Err(problem)
            }
        }
    }

    /// To the end of a faulty argument.
    fn skip_argument(&mut self) {
        let mut depth = 0usize;
        while let Some(c) = self.peek() {
            match c {
                ',' | ')' if depth == 0 => return,
                '[' | '(' | '{' => depth += 1,
                ']' | ')' | '}' => depth = depth.saturating_sub(1),
                '"' | '\'' => {
                    let _ = self.text(false);
                    continue;
                }
                _ => {}
            }
            self.bump();
        }
    }

    /// A value; `torn` gets the elements of an outer list that cannot be read to its end.
    fn value(&mut self, depth: usize, torn: &mut Vec<Value>) -> Read<Value> {
        match self.peek() {
            Some('"' | '\'') => self.text(false).map(Value::Text),
            Some('r') if self.rest.starts_with("r\"") || self.rest.starts_with("r'") => {
                self.bump();
                self.text(true).map(Value::Text)
            }
            Some('[') if depth < 2 => {
                self.bump();
                let mut list = Vec::new();
                loop {
                    if self.eat(']') {
                        return Ok(Value::List(list));
                    }
                    match self.element(depth, &mut Vec::new()) {
                        Ok(value) => list.push(value),
                        Err(problem) => {
                            *torn = list;
                            return Err(problem);
                        }
                    }
                }
            }
            Some('[') => self.fault("lists go two deep at most"),
            _ => self.fault("expected a string or a list of strings, written out"),
        }
    }

    fn element(&mut self, depth: usize, torn: &mut Vec<Value>) -> Read<Value> {
        let value = self.value(depth + 1, torn)?;
        match self.eat(',') || self.peek() == Some(']') {
            true => Ok(value),
            false => self.fault("expected `,` or `]` in a list"),
        }
    }

    /// A string on one line. `raw`: without escapes.
    fn text(&mut self, raw: bool) -> Read<String> {
        if self.rest.starts_with("\"\"\"") || self.rest.starts_with("'''") {
            self.bump();
            return self.fault("strings over several lines are not understood");
        }
        let quote = self.bump();
        let mut out = String::new();
        loop {
            match self.rest.chars().next() {
                None | Some('\n') => return self.fault("a string is not closed"),
                c if c == quote => {
                    self.bump();
                    return Ok(out);
                }
                Some('\\') if !raw => {
                    self.bump();
                    out.push(self.escape()?);
                }
                Some(c) => {
                    self.bump();
                    out.push(c);
                }
            }
        }
    }

    fn escape(&mut self) -> Read<char> {
        let c = match self.bump() {
            Some(c @ ('\\' | '"' | '\'')) => c,
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('u') => {
                let hex = self.rest.get(..4).filter(|hex| hex.bytes().all(|b| b.is_ascii_hexdigit()));
                let code = hex.and_then(|hex| u32::from_str_radix(hex, 16).ok()).and_then(char::from_u32);
                let Some(c) = code else { return self.fault("`\\u` wants four hexadecimal digits") };
                self.rest = self.rest.get(4..).unwrap_or_default();
                c
            }
            _ => return self.fault("unknown escape in a string; write `\\\\` for a backslash"),
        };
        Ok(c)
    }
}

/// A list of strings, none of them empty.
fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::List(list) = value else { return None };
    let one = |value: &Value| match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    list.iter().map(one).collect()
}

/// One place of a pattern.
fn place(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(text) => (!text.is_empty()).then(|| vec![text.clone()]),
        Value::List(_) => texts(value).filter(|list| !list.is_empty()),
    }
}

fn prefix_rule(line: usize, mut arguments: Arguments, chunk: &str, reading: &mut Reading) {
    let (pattern, whole) = pattern(line, &mut arguments);
    let decision = decision(&mut arguments, chunk);
    let justification = justification(&mut arguments);
    let rule = Rule { pattern, decision, justification };
    for name in ["match", "not_match"] {
        if let Some((value, at)) = arguments.take(name) {
            examples(&rule, name == "match", &value, at, &mut arguments);
        }
    }
    unknown(&mut arguments);
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
    unknown(&mut arguments);
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
    unknown(&mut arguments);
    let faulty = !arguments.problems.is_empty();
    reading.problems.append(&mut arguments.problems);
    match rule {
        Some(rule) if !faulty || decision != RuleDecision::Allow => reading.networks.push(rule),
        _ => reading.blind |= decision != RuleDecision::Allow,
    }
}

fn unknown(arguments: &mut Arguments) {
    for (name, _, line) in std::mem::take(&mut arguments.named) {
        arguments.fault(line, format!("there is no argument `{name}`"));
    }
}

#[cfg(test)]
#[path = "rule_text_tests.rs"]
mod tests;
