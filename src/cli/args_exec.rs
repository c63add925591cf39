//! The words and flags of `codex exec` as they are typed, and what all places together ask for.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Args, Subcommand};

use super::args::{Shared, Work};
use super::exec_require;
use super::exit::HELP;
use super::review::{ReviewArgs, Subject};
use super::wrong;
use crate::exec::text::Color;

/// `codex exec`.
#[derive(Args, Debug)]
#[command(after_help = HELP, disable_help_subcommand = true)]
pub(crate) struct Exec {
    /// What to do; `-` reads it from stdin. Piped input is added to it
    pub(crate) prompt: Option<String>,
    /// Options before `resume`.
    #[command(flatten)]
    pub(crate) options: ExecOptions,
    /// Something else than a new thread.
    #[command(subcommand)]
    pub(crate) resume: Option<ExecCommand>,
}

/// The words of `codex exec`.
#[derive(Debug, Subcommand)]
pub(crate) enum ExecCommand {
    /// Continue an earlier thread
    Resume(Resume),
    /// Have changes reviewed
    Review(ReviewArgs),
}

/// `codex exec resume`.
#[derive(Args, Debug)]
#[command(after_help = HELP)]
pub(crate) struct Resume {
    /// Id of the thread; with --last, the prompt stands here
    pub(crate) id: Option<String>,
    /// What to do next; `-` reads it from stdin
    pub(crate) prompt: Option<String>,
    /// Continue the latest thread of this folder
    #[arg(long)]
    pub(crate) last: bool,
    /// With --last: of any folder
    #[arg(long)]
    pub(crate) all: bool,
    /// Options after `resume`.
    #[command(flatten)]
    pub(crate) options: ExecOptions,
}

/// Options of one turn.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct ExecOptions {
    /// Print events as JSON lines to stdout
    #[arg(long, alias = "experimental-json")]
    pub(crate) json: bool,
    /// Also write the last message to FILE
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output_last_message: Option<PathBuf>,
    /// JSON schema that the answer must follow
    #[arg(long, value_name = "FILE")]
    pub(crate) output_schema: Option<PathBuf>,
    /// Model, folders and freedom.
    #[command(flatten)]
    pub(crate) work: Work,
    /// Run also where changes cannot be undone with git
    #[arg(long)]
    pub(crate) skip_git_repo_check: bool,
    /// Use only the administrator's rules about commands
    #[arg(long)]
    pub(crate) ignore_rules: bool,
    /// Store nothing of this thread
    #[arg(long)]
    pub(crate) ephemeral: bool,
    /// Begin only when so much is left, as in week=15%; else end with 10
    #[arg(long, value_name = "WINDOW=PERCENT")]
    pub(crate) require_remaining: Vec<String>,
    /// Wait for the windows to start anew instead of ending
    #[arg(long)]
    pub(crate) wait_for_reset: bool,
    /// Wait no longer than this, as in 2h
    #[arg(long, value_name = "TIME", value_parser = exec_require::span)]
    pub(crate) deadline: Option<Duration>,
    /// When to colour the progress
    #[arg(long, value_name = "WHEN", value_parser = color())]
    pub(crate) color: Option<Color>,
    /// Configuration flags after the word.
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl ExecOptions {
    /// Joins options given further right; they win.
    pub(super) fn join(&mut self, right: Self) {
        self.json |= right.json;
        self.output_last_message = right.output_last_message.or(self.output_last_message.take());
        self.output_schema = right.output_schema.or(self.output_schema.take());
        self.work.join(right.work);
        self.skip_git_repo_check |= right.skip_git_repo_check;
        self.ephemeral |= right.ephemeral;
        self.ignore_rules |= right.ignore_rules;
        self.require_remaining.extend(right.require_remaining);
        self.wait_for_reset |= right.wait_for_reset;
        self.deadline = right.deadline.or(self.deadline);
        self.color = right.color.or(self.color);
        self.shared.join(right.shared);
    }
}

fn color() -> impl TypedValueParser<Value = Color> {
    PossibleValuesParser::new(["always", "never", "auto"]).map(|word| match word.as_str() {
        "always" => Color::Always,
        "never" => Color::Never,
        _ => Color::Auto,
    })
}

/// The words under which `codex exec resume` stands.
const RESUME: [&str; 2] = ["exec", "resume"];

/// What `codex exec` was asked to do, all places joined.
#[derive(Clone, Debug)]
pub(crate) struct ExecRequest {
    /// All options; `shared` includes those before `exec`.
    pub(crate) options: ExecOptions,
    /// The prompt as typed.
    pub(crate) prompt: Option<String>,
    /// The thread to continue.
    pub(crate) resume: Option<ResumeTarget>,
    /// What to review, instead of an ordinary turn.
    pub(crate) review: Option<Subject>,
}

/// Which thread `resume` means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ResumeTarget {
    /// The latest of the folder.
    Last,
    /// The latest of all folders.
    LastAnywhere,
    /// The one with this id, or a beginning of it.
    Id(String),
}

impl Exec {
    /// Joins everything that was typed. `before`: flags that stood before `exec`.
    ///
    /// # Errors
    /// The words of `resume` do not name one thread.
    pub(crate) fn request(self, before: Shared) -> Result<ExecRequest, clap::Error> {
        let mut options = ExecOptions { shared: before, ..ExecOptions::default() };
        options.join(self.options);
        let resume = match self.resume {
            Some(ExecCommand::Resume(resume)) => resume,
            Some(ExecCommand::Review(review)) => return review.request(options, &["exec", "review"]),
            None => return Ok(ExecRequest { options, prompt: self.prompt, resume: None, review: None }),
        };
        options.join(resume.options);
        let last = if resume.all { ResumeTarget::LastAnywhere } else { ResumeTarget::Last };
        let (target, prompt) = match (resume.last, resume.id, resume.prompt) {
            (true, Some(_), Some(_)) => {
                return Err(wrong::usage(
                    &RESUME,
                    ErrorKind::ArgumentConflict,
                    "--last and an id name two threads; give one of them",
                ));
            }
            (true, prompt, None) | (true, None, prompt) => (last, prompt),
            (false, Some(id), prompt) => (ResumeTarget::Id(id), prompt),
            (false, None, _) => {
                return Err(wrong::usage(
                    &RESUME,
                    ErrorKind::MissingRequiredArgument,
                    "which thread? Give its id, or --last",
                ));
            }
        };
        if options.work.bypass && options.work.full_auto {
            return Err(wrong::usage(
                &RESUME,
                ErrorKind::ArgumentConflict,
                "--full-auto keeps the sandbox that the bypass removes",
            ));
        }
        // `codex exec "prompt" resume ID`: the words before `resume` count when none follow.
        Ok(ExecRequest { options, prompt: prompt.or(self.prompt), resume: Some(target), review: None })
    }
}
