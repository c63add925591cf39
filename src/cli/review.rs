//! `codex review` and `codex exec review`: what is to be reviewed, as typed. The rest is `codex exec`.

use clap::Args;
use clap::error::ErrorKind;

use super::args::Shared;
use super::args_exec::{ExecOptions, ExecRequest};
use super::exit::HELP;
use super::wrong;
use crate::protocol::review::Target;

/// What is to be reviewed, and how.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct ReviewArgs {
    /// Own instructions instead; `-` reads them from stdin
    #[arg(group = "subject")]
    pub(crate) prompt: Option<String>,
    /// Review what is not committed: staged, unstaged and new files
    #[arg(long, group = "subject")]
    pub(crate) uncommitted: bool,
    /// Review the changes since the work parted from BRANCH
    #[arg(long, value_name = "BRANCH", group = "subject")]
    pub(crate) base: Option<String>,
    /// Review the changes of one commit
    #[arg(long, value_name = "SHA", group = "subject")]
    pub(crate) commit: Option<String>,
    /// What to call that commit, instead of its own title
    #[arg(long, value_name = "TITLE")]
    pub(crate) title: Option<String>,
    /// Options after `review`.
    #[command(flatten)]
    pub(crate) options: ExecOptions,
}

/// What is reviewed, as far as the command line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// This.
    Target(Target),
    /// What the prompt says.
    Prompt,
}

impl Subject {
    /// The target; `prompt` is the prompt, read.
    pub(crate) fn target(self, prompt: &str) -> Target {
        match self {
            Self::Target(target) => target,
            Self::Prompt => Target::Custom { instructions: prompt.to_owned() },
        }
    }
}

impl ReviewArgs {
    /// As `codex review`. `before`: flags that stood before the word.
    ///
    /// # Errors
    /// See [`ReviewArgs::request`].
    pub(crate) fn alone(self, before: Shared) -> Result<ExecRequest, clap::Error> {
        self.request(ExecOptions { shared: before, ..ExecOptions::default() }, &["review"])
    }

    /// Joins everything that was typed. `options` stood before the words in `path`.
    ///
    /// # Errors
    /// Nothing to review is named, or an option does not go with a review.
    pub(crate) fn request(self, mut options: ExecOptions, path: &[&str]) -> Result<ExecRequest, clap::Error> {
        options.join(self.options);
        let conflict = |text: &str| Err(wrong::usage(path, ErrorKind::ArgumentConflict, text));
        if options.output_schema.is_some() {
            return conflict("a review has a form of its own; --output-schema does not go with it");
        }
        if !options.work.image.is_empty() {
            return conflict("a review looks at changes; --image does not go with it");
        }
        if options.work.bypass && options.work.full_auto {
            return conflict("--full-auto keeps the sandbox that the bypass removes");
        }
        if self.title.is_some() && self.commit.is_none() {
            return conflict("--title names the commit of --commit");
        }
        let subject = match (self.uncommitted, self.base, self.commit, &self.prompt) {
            (true, ..) => Subject::Target(Target::UncommittedChanges),
            (_, Some(branch), ..) => Subject::Target(Target::BaseBranch { branch }),
            (_, _, Some(sha), _) => Subject::Target(Target::Commit { sha, title: self.title }),
            (_, _, _, Some(_)) => Subject::Prompt,
            (false, None, None, None) => {
                let text = "what is to be reviewed? Give --uncommitted, --base BRANCH, --commit SHA, or instructions";
                return Err(wrong::usage(path, ErrorKind::MissingRequiredArgument, text));
            }
        };
        Ok(ExecRequest { options, prompt: self.prompt, resume: None, review: Some(subject) })
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::super::args::{Command, parse};
    use super::*;

    fn read(line: &[&str]) -> Result<ExecRequest, clap::Error> {
        let words = std::iter::once("codex").chain(line.iter().copied()).map(OsString::from);
        let cli = parse(words)?;
        match cli.command {
            Some(Command::Review(review)) => review.alone(cli.shared),
            Some(Command::Exec(exec)) => exec.request(cli.shared),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_target_is_named_once() {
        let commit =
            |title: Option<&str>| Target::Commit { sha: "abc".into(), title: title.map(str::to_owned) };
        for (line, target) in [
            (&["--uncommitted"][..], Target::UncommittedChanges),
            (&["--base", "main"], Target::BaseBranch { branch: "main".into() }),
            (&["--commit", "abc"], commit(None)),
            (&["--commit", "abc", "--title", "T"], commit(Some("T"))),
        ] {
            for words in [&["review"][..], &["exec", "review"], &["exec", "--json", "review"]] {
                let line: Vec<&str> = words.iter().chain(line).copied().collect();
                let request = read(&line).unwrap();
                assert_eq!(request.review, Some(Subject::Target(target.clone())), "{line:?}");
                assert_eq!(request.options.json, words.contains(&"--json"));
            }
        }
        assert_eq!(read(&["review", "look at a"]).unwrap().review, Some(Subject::Prompt));
        assert_eq!(Subject::Prompt.target("x"), Target::Custom { instructions: "x".into() });
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (line, part) in [
            (&["review"][..], "what is to be reviewed?"),
            (&["exec", "review"], "codex exec review"),
            (&["review", "--uncommitted", "and more"], "cannot be used with"),
            (&["review", "--uncommitted", "--base", "x"], "cannot be used with"),
            (&["review", "--title", "x", "--uncommitted"], "--commit"),
            (&["review", "--uncommitted", "--output-schema", "x"], "form of its own"),
            (&["review", "--uncommitted", "-i", "x"], "--image"),
        ] {
            let text = read(line).unwrap_err().to_string();
            assert!(text.contains(part), "{line:?}: {text}");
        }
    }
}
