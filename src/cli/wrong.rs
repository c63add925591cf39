//! What people probably meant with a command line that is wrong: a prompt without quotes, a word of OpenAI's Codex
//! CLI that is not there yet.

use clap::CommandFactory;
use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

use super::args::Cli;

/// Words of OpenAI's Codex CLI that are missing here.
const MISSING: [&str; 17] = [
    "app-server",
    "apply",
    "archive",
    "cloud",
    "completion",
    "debug",
    "delete",
    "doctor",
    "exec-server",
    "features",
    "fork",
    "mcp",
    "mcp-server",
    "plugin",
    "remote-control",
    "unarchive",
    "update",
];

/// What to do about a prompt of several words.
const IN_QUOTES: &str = "the prompt is one argument; put it in quotes";

/// Adds to the parser's error what was probably meant.
pub(crate) fn with_tips(mut error: clap::Error) -> clap::Error {
    let usage = error.get(ContextKind::Usage).map(ToString::to_string).unwrap_or_default();
    match error.kind() {
        ErrorKind::UnknownArgument if usage.contains("codex exec") => {
            let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else { return error };
            if !word.starts_with('-') {
                suggest(&mut error, IN_QUOTES);
            }
        }
        // The first word was taken for the prompt, the second is no command.
        ErrorKind::InvalidSubcommand if usage.contains("[PROMPT] [COMMAND]") => {
            suggest(&mut error, IN_QUOTES)
        }
        _ => {}
    }
    error
}

/// A word of OpenAI's Codex CLI that is missing here would be taken for a prompt; whoever means one can quote more
/// than the word.
pub(crate) fn missing_word(prompt: &str) -> Option<clap::Error> {
    let missing = MISSING.contains(&prompt);
    missing.then(|| usage(&[], ErrorKind::InvalidSubcommand, &format!("`codex {prompt}` is not there yet")))
}

fn suggest(error: &mut clap::Error, tip: &str) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip.to_owned())]));
}

/// An error found after parsing, with the usage of the words in `path`.
pub(crate) fn usage(path: &[&str], kind: ErrorKind, message: &str) -> clap::Error {
    let mut command = Cli::command();
    command.build();
    match path.iter().try_fold(&mut command, |at, word| at.find_subcommand_mut(word)) {
        Some(found) => found.error(kind, message),
        None => Cli::command().error(kind, message),
    }
}

#[cfg(test)]
mod tests {
    use super::super::args::parse;
    use super::*;
    use std::ffi::OsString;

    fn said(line: &[&str]) -> String {
        let error =
            parse(std::iter::once("codex").chain(line.iter().copied()).map(OsString::from)).unwrap_err();
        error.to_string()
    }

    #[test]
    fn the_likely_meaning_is_told() {
        for (line, tip) in [
            (&["fork"][..], "not there yet"),
            (&["exec", "fix", "the", "bug"], "put it in quotes"),
            (&["fix", "the", "bug"], "put it in quotes"),
            (&["exec", "resume", "--last", "fix", "it", "now"], "put it in quotes"),
        ] {
            let text = said(line);
            assert!(text.contains(tip), "{line:?}: {text}");
            assert!(!text.contains("'e'"), "{line:?}: {text}");
        }
        assert!(!said(&["exec", "--nope"]).contains("quotes"));
        assert!(!said(&["login", "nope"]).contains("exec"));
        assert!(!said(&["login", "nope"]).contains("quotes"));
    }

    #[test]
    fn errors_found_later_show_the_usage_of_their_word() {
        let text = usage(&["exec", "resume"], ErrorKind::MissingRequiredArgument, "which?").to_string();
        assert!(text.contains("which?") && text.contains("codex exec resume [OPTIONS]"), "{text}");
    }
}
