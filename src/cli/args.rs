//! The command line as it is typed. Only shapes: what the words mean is decided by their commands. Flags that
//! people put before or after a word (`codex -c a=1 exec -c b=2`) are accepted in both places and joined.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{ArgAction, Args, FromArgMatches, Parser, Subcommand};

use super::args_exec::Exec;
use super::demo::DemoArgs;
use super::doctor::Doctor;
use super::execpolicy::ExecPolicy;
use super::exit::{Exit, HELP};
use super::review::ReviewArgs;
use super::sandbox_args::SandboxArgs;
use super::undo::Undo;
use super::usage::{self, GuardArgs, UsageArgs};
use super::usage_credits::CreditsArgs;
use super::usage_explain::ExplainArgs;
use super::usage_past::{ActivityArgs, HistoryArgs};
use super::usage_redeem::{self, RedeemArgs};
use super::wrong;
use crate::protocol::policy::{ApprovalPolicy, SandboxMode};

/// Exit codes of `codex sandbox`, as other wrappers of commands have them.
const SANDBOX_HELP: &str = "\
Exit code: that of COMMAND, or
  1      the sandbox cannot be enforced as asked; COMMAND did not run
  126    COMMAND cannot be executed
  127    COMMAND was not found
  128+N  COMMAND was ended by signal N";

/// A coding agent for the terminal.
#[derive(Debug, Parser)]
#[command(name = "codex", version, about, after_help = HELP)]
pub(crate) struct Cli {
    /// Configuration flags before the word.
    #[command(flatten)]
    pub(crate) shared: Shared,
    /// Flags of the terminal app.
    #[command(flatten)]
    pub(crate) screen: Screen,
    /// What to do first; without a word the terminal app opens
    pub(crate) prompt: Option<String>,
    /// The word.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// Flags that every word takes.
#[derive(Args, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Shared {
    /// Set a value of the configuration, in TOML or as text
    #[arg(short = 'c', long = "config", value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
    /// Use this profile of the configuration
    #[arg(short, long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Switch a feature on
    #[arg(long, value_name = "FEATURE")]
    pub(crate) enable: Vec<String>,
    /// Switch a feature off
    #[arg(long, value_name = "FEATURE")]
    pub(crate) disable: Vec<String>,
}

impl Shared {
    /// Joins flags given further right; they win.
    pub(crate) fn join(&mut self, right: Self) {
        self.config.extend(right.config);
        self.profile = right.profile.or(self.profile.take());
        self.enable.extend(right.enable);
        self.disable.extend(right.disable);
    }
}

/// What works where, and how freely.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Work {
    /// Model to use
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) model: Option<String>,
    /// Limits of commands: read-only, workspace-write or danger-full-access
    #[arg(short, long, value_name = "MODE", value_parser = sandbox_mode(), hide_possible_values = true)]
    pub(crate) sandbox: Option<SandboxMode>,
    /// Let commands write the workspace, and nothing else unasked
    #[arg(long, conflicts_with = "bypass")]
    pub(crate) full_auto: bool,
    /// No sandbox, no questions; only where something else protects you
    #[arg(long = "dangerously-bypass-approvals-and-sandbox", id = "bypass", alias = "yolo")]
    pub(crate) bypass: bool,
    /// Work in DIR
    #[arg(short = 'C', long = "cd", value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
    /// Let commands also write below DIR
    #[arg(long, value_name = "DIR")]
    pub(crate) add_dir: Vec<PathBuf>,
    /// Attach an image; several with commas or by repeating
    #[arg(short, long = "image", value_name = "FILE", value_delimiter = ',', action = ArgAction::Append)]
    pub(crate) image: Vec<PathBuf>,
}

impl Work {
    /// Joins flags given further right; they win.
    pub(crate) fn join(&mut self, right: Self) {
        self.model = right.model.or(self.model.take());
        self.sandbox = right.sandbox.or(self.sandbox);
        self.full_auto |= right.full_auto;
        self.bypass |= right.bypass;
        self.cwd = right.cwd.or(self.cwd.take());
        self.add_dir.extend(right.add_dir);
        self.image.extend(right.image);
    }
}

/// Flags of the terminal app.
#[derive(Args, Clone, Debug, Default)]
pub(crate) struct Screen {
    /// Model, folders and freedom.
    #[command(flatten)]
    pub(crate) work: Work,
    /// When to ask: untrusted, on-failure, on-request or never
    #[arg(short = 'a', long = "ask-for-approval", value_name = "POLICY", value_parser = approval(), hide_possible_values = true)]
    pub(crate) approval: Option<ApprovalPolicy>,
    /// Search the web as it is now
    #[arg(long)]
    pub(crate) search: bool,
    /// Use a model server on this machine
    #[arg(long)]
    pub(crate) oss: bool,
    /// Keep finished text in the terminal's own scrollback
    #[arg(long)]
    pub(crate) no_alt_screen: bool,
    /// Plain lines for screen readers; choices have numbers
    #[arg(long)]
    pub(crate) screen_reader: bool,
}

/// `codex resume`.
#[derive(Args, Debug)]
pub(crate) struct ResumeScreen {
    /// Id or name of the thread; without it a list opens
    pub(crate) id: Option<String>,
    /// What to do next; with --last, the first word is the prompt
    pub(crate) prompt: Option<String>,
    /// Continue the latest thread of this folder
    #[arg(long)]
    pub(crate) last: bool,
    /// Threads of all folders, in the list and for --last
    #[arg(long)]
    pub(crate) all: bool,
    /// Flags of the terminal app.
    #[command(flatten)]
    pub(crate) screen: Screen,
    /// Configuration flags after the word.
    #[command(flatten)]
    pub(crate) shared: Shared,
}

/// The words.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Open an earlier thread in the terminal app
    Resume(Box<ResumeScreen>),
    /// Run one turn without a screen and print the answer
    #[command(visible_alias = "e")]
    Exec(Box<Exec>),
    /// Have changes reviewed, without a screen
    Review(Box<ReviewArgs>),
    /// Run a command inside the sandbox and return its exit code
    #[command(alias = "debug")]
    Sandbox(Box<Sandbox>),
    /// Check that everything works here, the sandbox by live attempts
    Doctor(Doctor),
    /// Take back what the last turn changed in this directory
    Undo(Undo),
    /// Check rules about commands
    #[command(hide = true)]
    Execpolicy(ExecPolicy),
    /// Try it with a scripted model, without account or network
    Demo(DemoArgs),
    /// Sign in, or show who is signed in
    Login(Login),
    /// Forget the credentials
    Logout,
    /// Show usage limits and reset credits of the ChatGPT sign-in
    Usage(Box<Usage>),
}

/// `codex usage`.
#[derive(Args, Debug)]
#[command(after_help = usage::HELP, args_conflicts_with_subcommands = true, disable_help_subcommand = true)]
pub(crate) struct Usage {
    /// What to show without a word.
    #[command(flatten)]
    pub(crate) show: UsageArgs,
    /// What else to show or do.
    #[command(subcommand)]
    pub(crate) command: Option<UsageCommand>,
}

/// The words of `codex usage`.
#[derive(Debug, Subcommand)]
pub(crate) enum UsageCommand {
    /// End with an exit code that says whether enough is left
    #[command(after_help = usage::HELP)]
    Guard(GuardArgs),
    /// Tokens per day, as the service counts them
    Activity(ActivityArgs),
    /// Use per day, as this machine has read it
    History(HistoryArgs),
    /// Who used the limits: threads, models, tools
    Explain(ExplainArgs),
    /// List the reset credits
    Credits(CreditsArgs),
    /// Use a reset credit: the windows start anew
    #[command(after_help = usage_redeem::HELP)]
    Redeem(RedeemArgs),
}

/// `codex sandbox`.
#[derive(Args, Debug)]
#[command(
    after_help = SANDBOX_HELP,
    disable_help_subcommand = true,
    args_conflicts_with_subcommands = true,
    override_usage = "codex sandbox [linux] [OPTIONS] -- <COMMAND>..."
)]
pub(crate) struct Sandbox {
    /// What to run and how.
    #[command(flatten)]
    run: SandboxArgs,
    /// The older spelling with the system's name.
    #[command(subcommand)]
    system: Option<SandboxSystem>,
}

/// Systems that may be named before the options.
#[derive(Debug, Subcommand)]
enum SandboxSystem {
    /// The same (older spelling)
    #[command(alias = "landlock")]
    Linux(SandboxArgs),
    /// Run it and say what was refused; without a command, say what holds
    Explain(SandboxArgs),
}

impl Sandbox {
    /// The words after `codex sandbox`, read without the rest of the command line being built, which costs as much
    /// as the sandbox itself. `None` when they are others, or not plainly right: [`parse`] then says what is wrong.
    pub(crate) fn alone(mut words: impl Iterator<Item = OsString>) -> Option<Self> {
        let program = words.next()?;
        if words.next()? != "sandbox" {
            return None;
        }
        let words: Vec<OsString> = words.collect();
        if let [dashes, command @ ..] = words.as_slice()
            && dashes == "--"
        {
            // Nothing of ours to read, so it is not read.
            return Some(Self { system: None, run: SandboxArgs::plain(command.to_vec()) });
        }
        let command = Self::augment_args(clap::Command::new("codex sandbox"));
        let matches = command.try_get_matches_from(std::iter::once(program).chain(words)).ok()?;
        Self::from_arg_matches(&matches).ok()
    }

    /// What to run, whichever spelling was used, and whether to explain it.
    pub(crate) fn request(self) -> (SandboxArgs, bool) {
        match self.system {
            Some(SandboxSystem::Linux(run)) => (run, false),
            Some(SandboxSystem::Explain(run)) => (run, true),
            None => (self.run, false),
        }
    }
}

/// `codex login`.
#[derive(Args, Debug)]
pub(crate) struct Login {
    /// Sign in with a browser on this machine
    #[arg(long, group = "way")]
    pub(crate) browser: bool,
    /// Sign in with a code, in a browser on any device
    #[arg(long, group = "way")]
    pub(crate) device_auth: bool,
    /// Read an API key from stdin and store it
    #[arg(long, group = "way")]
    pub(crate) with_api_key: bool,
    /// Read an access token from stdin and store it
    #[arg(long, group = "way")]
    pub(crate) with_access_token: bool,
    /// Another service to sign in at.
    #[arg(long = "experimental_issuer", hide = true, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// Another client id.
    #[arg(long = "experimental_client-id", hide = true, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// Another port for the browser to come back to; 0 takes any free one.
    #[arg(long = "experimental_port", hide = true, value_name = "N")]
    pub(crate) port: Option<u16>,
    /// Once took the key itself, where every process could read it.
    #[arg(long, hide = true, num_args = 0..=1, default_missing_value = "", value_name = "KEY")]
    api_key: Option<OsString>,
    /// Show instead of sign in.
    #[command(subcommand)]
    pub(crate) command: Option<LoginCommand>,
}

/// The words of `codex login`.
#[derive(Debug, Subcommand)]
pub(crate) enum LoginCommand {
    /// Show who is signed in; exit code 1 when nobody is
    Status,
}

fn sandbox_mode() -> impl TypedValueParser<Value = SandboxMode> {
    let modes = [SandboxMode::ReadOnly, SandboxMode::WorkspaceWrite, SandboxMode::DangerFullAccess];
    PossibleValuesParser::new(modes.map(SandboxMode::as_str)).map(move |word| {
        // The parser lets only these words pass.
        modes.into_iter().find(|mode| mode.as_str() == word).unwrap_or(SandboxMode::ReadOnly)
    })
}

fn approval() -> impl TypedValueParser<Value = ApprovalPolicy> {
    let words = [
        ("untrusted", ApprovalPolicy::Untrusted),
        ("on-failure", ApprovalPolicy::OnFailure),
        ("on-request", ApprovalPolicy::OnRequest),
        ("never", ApprovalPolicy::Never),
    ];
    PossibleValuesParser::new(words.map(|(word, _)| word)).map(move |typed| {
        // The parser lets only these words pass.
        words
            .into_iter()
            .find(|(word, _)| *word == typed)
            .map_or(ApprovalPolicy::OnRequest, |(_, policy)| policy)
    })
}

/// Reads the command line.
///
/// # Errors
/// It is wrong, or asks for help or the version: [`report`] prints that.
pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Cli, clap::Error> {
    let cli = Cli::try_parse_from(args).map_err(wrong::with_tips)?;
    if let Some(Command::Login(Login { api_key: Some(_), .. })) = &cli.command {
        return Err(wrong::usage(
            &["login"],
            ErrorKind::UnknownArgument,
            "--api-key would show the key to every process. Pipe it in instead: \
             printenv OPENAI_API_KEY | codex login --with-api-key",
        ));
    }
    match (&cli.command, cli.prompt.as_deref().and_then(wrong::missing_word)) {
        (None, Some(error)) => Err(error),
        _ => Ok(cli),
    }
}

/// Prints help, version or what is wrong, and says how to exit.
pub(crate) fn report(error: &clap::Error) -> Exit {
    // Nobody may be reading; that changes nothing.
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Success }
}

#[cfg(test)]
#[path = "args_tests.rs"]
mod tests;
