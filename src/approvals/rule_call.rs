//! Reads one call of a rules file: a name and literal arguments, strings and lists of strings. A faulty argument does not
//! take the others with it, and of a pattern that is torn its beginning is kept: a strict rule may still stand on it.

/// A fault in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Line, from 1.
    pub(crate) line: usize,
    /// What is wrong.
    pub(crate) text: String,
}

/// A literal argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    List(Vec<Value>),
}

type Read<T> = Result<T, Problem>;

/// The arguments of a call as far as they could be read.
#[derive(Default)]
pub(super) struct Arguments {
    pub(super) named: Vec<(String, Value, usize)>,
    /// Elements of a pattern before the place where it became unreadable.
    pub(super) torn_pattern: Vec<Value>,
    pub(super) problems: Vec<Problem>,
}

impl Arguments {
    /// Takes an argument out, with its line.
    pub(super) fn take(&mut self, name: &str) -> Option<(Value, usize)> {
        let at = self.named.iter().position(|(given, _, _)| given == name)?;
        let (_, value, line) = self.named.remove(at);
        Some((value, line))
    }

    /// Notes a fault.
    pub(super) fn fault(&mut self, line: usize, text: impl Into<String>) {
        self.problems.push(Problem { line, text: text.into() });
    }

    /// What was not taken is unknown.
    pub(super) fn none_left(&mut self) {
        for (name, _, line) in std::mem::take(&mut self.named) {
            self.fault(line, format!("there is no argument `{name}`"));
        }
    }
}

/// Reads the text of calls.
pub(super) struct Parser<'a> {
    rest: &'a str,
    line: usize,
}

impl<'a> Parser<'a> {
    /// Begins at `line` of a file.
    pub(super) fn new(rest: &'a str, line: usize) -> Self {
        Self { rest, line }
    }

    /// Where it is.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// What it has not read.
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

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
    pub(super) fn peek(&mut self) -> Option<char> {
        loop {
            match self.rest.chars().next()? {
                '#' => self.rest = self.rest.trim_start_matches(|c| c != '\n'),
                c if c.is_whitespace() => drop(self.bump()),
                c => return Some(c),
            }
        }
    }

    /// Takes a character if it comes next.
    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.bump();
        }
        found
    }

    /// A name; empty when there is none.
    pub(super) fn name(&mut self) -> String {
        let _ = self.peek();
        let rest = self.rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '_');
        let name = self.rest.strip_suffix(rest).unwrap_or_default().to_owned();
        self.rest = rest;
        name
    }

    /// Everything up to the closing bracket of a call.
    pub(super) fn arguments(&mut self) -> Arguments {
        let mut into = Arguments::default();
        loop {
            if self.eat(')') {
                return into;
            }
            if self.peek().is_none() {
                into.fault(self.line, "the call is not closed with `)`");
                return into;
            }
            if let Err(problem) = self.argument(&mut into) {
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
pub(super) fn texts(value: &Value) -> Option<Vec<String>> {
    let Value::List(list) = value else { return None };
    let one = |value: &Value| match value {
        Value::Text(text) if !text.is_empty() => Some(text.clone()),
        _ => None,
    };
    list.iter().map(one).collect()
}

/// One place of a pattern.
pub(super) fn place(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::Text(text) => (!text.is_empty()).then(|| vec![text.clone()]),
        Value::List(_) => texts(value).filter(|list| !list.is_empty()),
    }
}
