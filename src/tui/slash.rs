//! The slash commands: one table of names, help and rules. Only commands that work are in it. What a command
//! does is the app's business.

use crate::workspace::undo::Which;

/// A command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    /// Model and reasoning.
    Model,
    /// What codex may do without asking.
    Permissions,
    /// Have changes reviewed.
    Review,
    /// Summarise to free context.
    Compact,
    /// Changes in git.
    Diff,
    /// Take back what the last turn changed.
    Undo,
    /// Bring it again.
    Redo,
    /// Session, account and limits.
    Status,
    /// Limits, resets, token activity.
    Usage,
    /// New thread.
    New,
    /// New thread on an empty screen.
    Clear,
    /// Earlier threads.
    Resume,
    /// Go on in a copy.
    Fork,
    /// Name the thread.
    Rename,
    /// Write an AGENTS.md.
    Init,
    /// Mention a file.
    Mention,
    /// Copy an answer.
    Copy,
    /// Conversation as Markdown.
    Export,
    /// Background terminals.
    Ps,
    /// End background terminals.
    Stop,
    /// Show the directory.
    Pwd,
    /// Change the directory.
    Cd,
    /// Items of the status line.
    Statusline,
    /// Items of the title.
    Title,
    /// Fullscreen or scrollback.
    Tui,
    /// Syntax theme.
    Theme,
    /// Retained warnings.
    Warnings,
    /// Forget credentials.
    Logout,
    /// Leave.
    Exit,
}

/// What is known about a command.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// The command.
    pub(crate) command: Command,
    /// Its name, then its other names.
    pub(crate) names: &'static [&'static str],
    /// One line for the list.
    pub(crate) help: &'static str,
    /// What may follow the name; empty when nothing.
    pub(crate) takes: &'static str,
    /// It runs while a turn runs.
    pub(crate) during_turn: bool,
}

/// The turn that `/undo` means.
pub(crate) fn turn(args: &str) -> Option<Which> {
    match args.trim() {
        "" => Some(Which::Last),
        number => number.parse().ok().map(Which::Number),
    }
}

const fn row(
    command: Command,
    names: &'static [&'static str],
    takes: &'static str,
    during_turn: bool,
    help: &'static str,
) -> Row {
    Row { command, names, help, takes, during_turn }
}

/// Every command, in the order of the list.
pub(crate) const ROWS: &[Row] = &[
    row(Command::Model, &["model"], "", false, "model, and how much it reasons"),
    row(Command::Permissions, &["permissions", "approvals"], "", false, "what runs without asking"),
    row(Command::Status, &["status"], "", true, "session, account, context and limits"),
    row(Command::Usage, &["usage"], "[view]", true, "limits, resets; daily, weekly or cumulative tokens"),
    row(Command::Diff, &["diff"], "[turn]", true, "changes in git, new files included"),
    row(Command::Review, &["review"], "[what]", false, "have changes reviewed"),
    row(Command::Undo, &["undo"], "[turn]", false, "take back what the last turn changed in files"),
    row(Command::Redo, &["redo"], "", false, "bring again what /undo took back"),
    row(Command::Compact, &["compact"], "", false, "summarise to free context"),
    row(Command::New, &["new"], "", false, "new thread; this one stays resumable"),
    row(Command::Clear, &["clear"], "", false, "new thread on an empty screen"),
    row(Command::Resume, &["resume"], "[id]", false, "go on with an earlier thread"),
    row(Command::Fork, &["fork"], "", false, "go on in a copy of this thread"),
    row(Command::Rename, &["rename"], "[name]", true, "name this thread"),
    row(Command::Init, &["init"], "", false, "have an AGENTS.md written"),
    row(Command::Mention, &["mention"], "", true, "insert the path of a file"),
    row(Command::Copy, &["copy"], "", true, "copy an answer or its code"),
    row(Command::Export, &["export"], "[file]", true, "write the conversation as Markdown"),
    row(Command::Ps, &["ps"], "", true, "list background terminals"),
    row(Command::Stop, &["stop"], "", true, "end all background terminals"),
    row(Command::Pwd, &["pwd"], "", true, "show the directory"),
    row(Command::Cd, &["cd"], "<folder>", false, "change the directory"),
    row(Command::Statusline, &["statusline"], "", true, "items of the status line"),
    row(Command::Title, &["title"], "", true, "items of the terminal title"),
    row(Command::Theme, &["theme"], "", true, "colours of code"),
    row(Command::Tui, &["tui"], "", true, "fullscreen or scrollback from next start"),
    row(Command::Warnings, &["warnings"], "", true, "read the warnings of this session"),
    row(Command::Logout, &["logout"], "", false, "forget the stored credentials"),
    row(Command::Exit, &["exit", "quit"], "", true, "leave"),
];

/// What a submitted text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Parsed {
    /// Not a command: a prompt. Also `/usr/bin is full` and a lone `/`.
    Prompt,
    /// A command with what follows its name.
    Command(Command, String),
    /// Looks like a command, but there is none of this name.
    Unknown(String),
}

impl Command {
    /// What is known about it.
    pub(crate) fn row(self) -> Option<&'static Row> {
        ROWS.iter().find(|r| r.command == self)
    }

    /// Its name, without the slash.
    pub(crate) fn name(self) -> &'static str {
        self.row().and_then(|r| r.names.first()).copied().unwrap_or_default()
    }

    /// Whether it runs while a turn runs.
    pub(crate) fn during_turn(self) -> bool {
        self.row().is_some_and(|r| r.during_turn)
    }
}

/// Reads a submitted text.
pub(crate) fn parse(text: &str) -> Parsed {
    let Some(rest) = text.trim().strip_prefix('/') else { return Parsed::Prompt };
    let (name, args) = rest.split_once(|c: char| c.is_whitespace()).unwrap_or((rest, ""));
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if !is_name {
        return Parsed::Prompt;
    }
    match ROWS.iter().find(|r| r.names.iter().any(|n| n.eq_ignore_ascii_case(name))) {
        Some(row) => Parsed::Command(row.command, args.trim().to_owned()),
        None => Parsed::Unknown(name.to_owned()),
    }
}

/// The commands for `typed` (without the slash): those that start with it first, then those that hold its
/// letters in order, tightest first.
pub(crate) fn filter(typed: &str) -> Vec<&'static Row> {
    let typed = typed.to_ascii_lowercase();
    let mut ranked: Vec<(usize, &Row)> = ROWS.iter().filter_map(|r| Some((rank(r, &typed)?, r))).collect();
    ranked.sort_by_key(|(rank, _)| *rank);
    ranked.into_iter().map(|(_, row)| row).collect()
}

/// Smaller is better: 0 the exact name, 1 a start of the name, 2 of another name, then the span of the letters.
fn rank(row: &Row, typed: &str) -> Option<usize> {
    let each = row.names.iter().enumerate().filter_map(|(i, name)| match () {
        () if *name == typed => Some(0),
        () if name.starts_with(typed) => Some(1 + i.min(1)),
        () => span(name, typed).map(|s| 3 + s),
    });
    each.min()
}

/// Length of the part of `name` that holds the letters of `typed` in order, from the first one on.
fn span(name: &str, typed: &str) -> Option<usize> {
    let first = typed.chars().next()?;
    let start = name.find(first)?;
    let mut rest = name.char_indices().filter(|(i, _)| *i >= start);
    let mut end = start;
    for c in typed.chars() {
        end = rest.find(|(_, have)| *have == c)?.0;
    }
    Some(end - start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_plain() {
        let mut names: Vec<&str> = ROWS.iter().flat_map(|r| r.names).copied().collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
        assert!(names.iter().all(|n| matches!(parse(&format!("/{n}")), Parsed::Command(..))));
        assert!(ROWS.iter().all(|r| r.command.row() == Some(r)));
    }

    #[test]
    fn parsing() {
        for (text, want) in [
            ("/status", Parsed::Command(Command::Status, String::new())),
            ("  /Quit \n", Parsed::Command(Command::Exit, String::new())),
            ("/rename a good  name ", Parsed::Command(Command::Rename, "a good  name".into())),
            ("/approvals", Parsed::Command(Command::Permissions, String::new())),
            ("/stat", Parsed::Unknown("stat".into())),
            ("/usr/bin is full", Parsed::Prompt),
            ("/", Parsed::Prompt),
            ("/ status", Parsed::Prompt),
            ("/* comment */", Parsed::Prompt),
            ("say /status", Parsed::Prompt),
            ("", Parsed::Prompt),
        ] {
            assert_eq!(parse(text), want, "{text:?}");
        }
    }

    #[test]
    fn starts_come_before_scattered_letters() {
        let names = |typed: &str| -> Vec<&str> { filter(typed).iter().map(|r| r.command.name()).collect() };
        assert_eq!(names("").len(), ROWS.len());
        assert_eq!(names("st").get(..3).unwrap(), ["status", "stop", "statusline"]);
        assert_eq!(names("title").first(), Some(&"title"));
        assert_eq!(names("QUIT"), ["exit"]);
        assert_eq!(names("cpt").first(), Some(&"compact"));
        assert_eq!(names("zzz"), [""; 0]);
    }
}
