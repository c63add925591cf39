//! What a text is when `enter` is pressed: a command, a line for the user's shell, or a prompt. What cannot be
//! sent stays in the prompt, and the person is told why.

use super::draft::Draft;
use crate::tui::slash::{self, Command, Parsed};

/// What to do with a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sending {
    /// Keep it and tell this.
    Not(String),
    /// Run a slash command with its arguments.
    Command(Command, String),
    /// Run this in the user's shell.
    Shell(String),
    /// Send it.
    Prompt,
}

/// Decides for `draft`, which is not blank unless it is for the shell.
pub(crate) fn decide(draft: &Draft, running: bool) -> Sending {
    let text = draft.expand();
    if draft.shell {
        return match text.trim() {
            "" => Sending::Not("Type a command after !, for example !git status".to_owned()),
            command => Sending::Shell(command.to_owned()),
        };
    }
    match slash::parse(&text) {
        Parsed::Command(command, args) => match refusal(command, &args, running) {
            Some(reason) => Sending::Not(reason),
            None => Sending::Command(command, args),
        },
        Parsed::Unknown(name) => Sending::Not(format!("There is no command /{name} (type / for the list)")),
        Parsed::Prompt => Sending::Prompt,
    }
}

/// Why a command cannot run now, or not like this.
pub(crate) fn refusal(command: Command, args: &str, running: bool) -> Option<String> {
    let name = command.name();
    if running && !command.during_turn() {
        return Some(format!("/{name} has to wait until the turn has ended"));
    }
    let takes = command.row().map_or("", |r| r.takes);
    (takes.is_empty() && !args.is_empty()).then(|| format!("/{name} takes nothing after its name"))
}
