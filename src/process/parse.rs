//! Reads a shell command line just far enough to know which programs it runs with which words. Only scripts
//! that consist of plain words and quoted strings are understood; everything that a shell would compute
//! (variables, globs, redirections, subshells, control flow) makes the script opaque. A wrong "opaque" costs a
//! question to the user, a wrong reading could run something else than what was judged: when in doubt, opaque.

/// The commands of one call, as far as they can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commands {
    /// One argument vector per command; never empty vectors. For an opaque script: the call as a whole.
    pub(crate) pieces: Vec<Vec<String>>,
    /// How well the call was understood.
    pub(crate) shape: Shape,
    /// The script that a shell would run, when the call is one.
    pub(crate) script: Option<String>,
}

/// How well a call was understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shape {
    /// Every command is known word by word.
    Plain,
    /// The leading command is known; its input is a here-document.
    Heredoc,
    /// A shell would compute parts of it.
    Opaque,
}

impl Commands {
    /// Reads an argument vector; `bash -lc "<script>"` and its like are opened.
    pub(crate) fn of_argv(argv: &[String]) -> Self {
        match shell_script(argv) {
            Some(script) => Self::of_shell(argv.to_vec(), script),
            None => Self { pieces: whole(argv.to_vec()), shape: Shape::Plain, script: None },
        }
    }

    /// Reads a script for the user's shell.
    #[cfg(test)]
    pub(crate) fn of_script(script: &str) -> Self {
        Self::of_shell(vec!["bash".to_owned(), "-lc".to_owned(), script.to_owned()], script)
    }

    fn of_shell(argv: Vec<String>, script: &str) -> Self {
        let (pieces, shape) = if let Some(pieces) = split(script) {
            (pieces, Shape::Plain)
        } else if let Some(lead) = heredoc_lead(script) {
            (vec![lead], Shape::Heredoc)
        } else {
            (whole(argv), Shape::Opaque)
        };
        Self { pieces, shape, script: Some(script.to_owned()) }
    }
}

fn whole(argv: Vec<String>) -> Vec<Vec<String>> {
    if argv.is_empty() { Vec::new() } else { vec![argv] }
}

/// Folders whose shells are what their names say. A shell anywhere else is a program like any other: its name
/// does not tell what it would make of a script.
const SHELL_DIRS: [&str; 6] =
    ["/bin/", "/usr/bin/", "/usr/local/bin/", "/run/current-system/sw/bin/", "/opt/homebrew/bin/", ""];

/// The script of `bash -lc "<script>"`, also for `sh` and `zsh`, with `-c` alone, and by full path.
pub(crate) fn shell_script(argv: &[String]) -> Option<&str> {
    let [shell, flag, script] = argv else { return None };
    let is = |name: &str| SHELL_DIRS.iter().any(|dir| shell.strip_prefix(dir) == Some(name));
    let known = ["bash", "zsh", "sh"].into_iter().any(is) && matches!(flag.as_str(), "-c" | "-lc");
    known.then_some(script.as_str())
}

/// Splits a script into its commands, or `None` when it holds anything but plain words, quoted strings, `&&`,
/// `||`, `|`, `;`, line breaks and comments. Also `None` for a script without a command.
pub(crate) fn split(script: &str) -> Option<Vec<Vec<String>>> {
    let mut commands = Vec::new();
    let mut current: Vec<String> = Vec::new();
    let mut lexer = Lexer { rest: script };
    // After `&&`, `||` and `|` a command must follow; before any separator but a line break one must stand.
    let mut wanted = false;
    loop {
        match lexer.next(current.is_empty())? {
            Token::Word(word) => {
                current.push(word);
                wanted = false;
            }
            Token::Newline if current.is_empty() => {}
            Token::End if current.is_empty() && !wanted && !commands.is_empty() => return Some(commands),
            _ if current.is_empty() => return None,
            token => {
                commands.push(std::mem::take(&mut current));
                match token {
                    Token::End => return Some(commands),
                    Token::Join => wanted = true,
                    Token::Semicolon | Token::Newline | Token::Word(_) => {}
                }
            }
        }
    }
}

/// The leading command of a script that is one plain command fed by one here-document and nothing after it.
/// `None` when the document itself would be expanded by the shell.
pub(crate) fn heredoc_lead(script: &str) -> Option<Vec<String>> {
    let (head, body) = script.trim_start().split_once('\n')?;
    let (lead, marker) = head.split_once("<<")?;
    // In a comment there is no here-document, and `3<<` or `{name}<<` feeds another descriptor.
    if lead.contains('#') || lead.ends_with(|c: char| c.is_ascii_digit() || c == '}') {
        return None;
    }
    let (strip_tabs, marker) = match marker.strip_prefix('-') {
        Some(rest) => (true, rest.trim()),
        None => (false, marker.trim()),
    };
    let bare = marker.trim_start_matches(['\'', '"']);
    let word = bare.trim_end_matches(['\'', '"']);
    let quoted = marker.len() == word.len() + 2
        && (marker.starts_with('\'') && marker.ends_with('\'')
            || marker.starts_with('"') && marker.ends_with('"'));
    let plain_word = !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain_word || !(quoted || marker == word) {
        return None;
    }
    let mut lines = body.lines();
    let is_end = |line: &str| if strip_tabs { line.trim_start_matches('\t') == word } else { line == word };
    let expands = |line: &str| !quoted && line.contains(['$', '`', '\\']);
    if lines.by_ref().take_while(|line| !is_end(line)).any(expands) {
        return None;
    }
    // What follows the document would be further commands. A missing end marker is the shell's business.
    if lines.any(|line| !line.trim().is_empty()) {
        return None;
    }
    match split(lead)?.as_slice() {
        [one] => Some(one.clone()),
        _ => None,
    }
}

/// Words of the shell grammar that are not commands when they stand first and unquoted (bash and zsh).
const RESERVED: &[&str] = &[
    "!",
    "if",
    "then",
    "else",
    "elif",
    "fi",
    "for",
    "foreach",
    "while",
    "until",
    "do",
    "done",
    "end",
    "case",
    "esac",
    "select",
    // bash: no command behind `&&`, but one by itself.
    "in",
    "function",
    "time",
    "coproc",
    "repeat",
    "nocorrect",
    "noglob",
    // zsh: runs the rest under another name.
    "-",
    "{}",
];

enum Token {
    Word(String),
    /// `&&`, `||` or `|`.
    Join,
    Semicolon,
    Newline,
    End,
}

struct Lexer<'a> {
    rest: &'a str,
}

impl Lexer<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn bump(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let c = chars.next()?;
        self.rest = chars.as_str();
        Some(c)
    }

    fn eat(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The next token; `None` when the script is not plain.
    fn next(&mut self, first: bool) -> Option<Token> {
        while self.eat(" ") || self.eat("\t") || self.eat("\\\n") {}
        if self.peek() == Some('#') {
            self.rest = self.rest.trim_start_matches(|c| c != '\n');
            if self.rest.is_empty() {
                return Some(Token::End);
            }
        }
        match self.peek() {
            None => Some(Token::End),
            Some('\n') => self.bump().map(|_| Token::Newline),
            Some(';') => self.bump().map(|_| Token::Semicolon),
            Some('&') => self.eat("&&").then_some(Token::Join),
            Some('|') => {
                let _ = self.eat("||") || self.eat("|");
                Some(Token::Join)
            }
            Some(_) => self.word(first).map(Token::Word),
        }
    }

    /// One word with its quotes resolved. `first`: it stands where a command's name stands.
    fn word(&mut self, first: bool) -> Option<String> {
        let mut word = String::new();
        let mut quoted = false;
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' => break,
                '\'' => {
                    quoted = true;
                    self.bump();
                    self.single_quoted(&mut word)?;
                }
                '"' => {
                    quoted = true;
                    self.bump();
                    self.double_quoted(&mut word)?;
                }
                '\\' => {
                    self.bump();
                    match self.bump()? {
                        '\n' => {}
                        '\0' => return None,
                        c => {
                            quoted = true;
                            word.push(c);
                        }
                    }
                }
                '{' if self.eat("{}") => word.push_str("{}"),
                // A tilde or `=` here may be expanded; elsewhere both are plain.
                '~' if word.is_empty() || word.ends_with(['=', ':']) => return None,
                '=' if word.is_empty() || (first && is_variable_name(&word)) => return None,
                c if is_plain(c) => {
                    self.bump();
                    word.push(c);
                }
                _ => return None,
            }
        }
        // A name that begins with `%` is a job, not a program.
        let special = first && (word.starts_with('%') || (!quoted && RESERVED.contains(&word.as_str())));
        (!special).then_some(word)
    }

    fn single_quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            match self.bump()? {
                '\'' => return Some(()),
                '\0' => return None,
                c => word.push(c),
            }
        }
    }

    fn double_quoted(&mut self, word: &mut String) -> Option<()> {
        loop {
            match self.bump()? {
                '"' => return Some(()),
                '$' | '`' | '\0' => return None,
                '\\' => match self.bump()? {
                    '\n' => {}
                    '\0' => return None,
                    c @ ('$' | '`' | '"' | '\\') => word.push(c),
                    c => word.extend(['\\', c]),
                },
                c => word.push(c),
            }
        }
    }
}

/// Characters that mean themselves outside quotes, in every shell and locale we hand scripts to.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "_-./,:=@%+^~!#".contains(c)
}

/// `NAME` or `NAME+` before a `=` that would make the word an assignment.
fn is_variable_name(text: &str) -> bool {
    let name = text.strip_suffix('+').unwrap_or(text);
    !name.starts_with(|c: char| c.is_ascii_digit())
        && !name.is_empty()
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
