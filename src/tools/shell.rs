//! The older shell tools: accepted from models that know them, not offered. They wait for the end of the command
//! and kill it after a time-out; there are no sessions.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::Value;

use super::arguments::{clamped, parse};
use super::commands::{Commands, Reached, item_id, told};
use super::context::ToolContext;
use super::exec_command::Escalation;
use super::gate::CommandRequest;
use super::live::Live;
use super::output::{State, aborted_text, json_text, plain_text};
use super::tool::{Tool, ToolCall, ToolOutput};
use crate::base::path::absolute;
use crate::process::shell::Shell;
use crate::process::spawn::Exit;
use crate::protocol::item::CommandSource;

/// Default and longest time-out, in milliseconds.
const TIMEOUT_MS: u64 = 10_000;
const TIMEOUT_MAX_MS: u64 = 3_600_000;
/// Code of a command that was killed for taking too long, as `timeout(1)` gives it.
const TIMED_OUT: i32 = 124;

/// Which of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// `shell`: an argument list.
    Shell,
    /// `shell_command`: a script.
    ShellCommand,
    /// `local_shell`: the hosted call, its `action` handed on as arguments.
    LocalShell,
}

/// One of the older tools.
pub(crate) struct OldShell {
    commands: Arc<Commands>,
    flavour: Flavour,
}

impl OldShell {
    /// Runs commands through these.
    pub(crate) fn new(commands: Arc<Commands>, flavour: Flavour) -> Self {
        Self { commands, flavour }
    }
}

#[derive(Deserialize)]
struct Args {
    command: Command,
    #[serde(alias = "working_directory")]
    workdir: Option<String>,
    #[serde(alias = "timeout")]
    timeout_ms: Option<f64>,
    login: Option<bool>,
    #[serde(flatten)]
    escalation: Escalation,
}

/// Models mix the two forms up.
#[derive(Deserialize)]
#[serde(untagged)]
enum Command {
    Script(String),
    Argv(Vec<String>),
}

/// A hosted call comes with or without its wrapper.
#[derive(Deserialize)]
#[serde(untagged)]
enum Hosted {
    Wrapped { action: Args },
    Bare(Args),
}

impl Tool for OldShell {
    fn name(&self) -> &'static str {
        match self.flavour {
            Flavour::Shell => "shell",
            Flavour::ShellCommand => "shell_command",
            Flavour::LocalShell => "local_shell",
        }
    }

    fn definition(&self) -> Option<Value> {
        None
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            let args = match self.flavour {
                Flavour::LocalShell => parse::<Hosted>(ctx, &call).await.map(|hosted| match hosted {
                    Hosted::Wrapped { action } | Hosted::Bare(action) => action,
                }),
                Flavour::Shell | Flavour::ShellCommand => parse::<Args>(ctx, &call).await,
            };
            match args {
                Ok(args) => self.run(ctx, &call, args).await,
                Err(output) => output,
            }
        })
    }
}

impl OldShell {
    async fn run(&self, ctx: &ToolContext, call: &ToolCall, args: Args) -> ToolOutput {
        let (argv, script) = match args.command {
            Command::Script(script) => (
                Shell::of_user(&ctx.env).argv(&script, args.login.unwrap_or(true) && ctx.login_shell),
                Some(script),
            ),
            Command::Argv(argv) => {
                let script = script_of(&argv);
                (argv, script)
            }
        };
        let request = CommandRequest {
            argv,
            script,
            cwd: absolute(&ctx.cwd, Path::new(args.workdir.as_deref().unwrap_or(""))),
            escalate: args.escalation.asked(),
            justification: args.escalation.justification,
            prefix_rule: args.escalation.prefix_rule,
            item_id: item_id(&call.call_id),
            tty: false,
        };
        if let Some(output) = self.commands.gate.patch(ctx, call, &request).await {
            return output;
        }
        let limit = clamped(args.timeout_ms, TIMEOUT_MS, 1, TIMEOUT_MAX_MS);
        let limit_time = Duration::from_millis(limit);
        match self.commands.run(ctx, &request, CommandSource::Agent, limit_time).await {
            Reached::Refused(reason) => ToolOutput::text(reason),
            Reached::Failed(reason) => ToolOutput::text(format!("{} failed: {reason}", self.name())),
            Reached::Aborted(mut live) => {
                let told = told(&mut live, ctx.output_tokens, State::Exited(TIMED_OUT), Vec::new());
                ToolOutput::text(aborted_text(&told))
            }
            Reached::Done(live, notes) => self.result(ctx, live, limit, notes).await,
        }
    }

    async fn result(
        &self,
        ctx: &ToolContext,
        mut live: Live,
        limit: u64,
        mut notes: Vec<String>,
    ) -> ToolOutput {
        let code = match live.exit().map(Exit::code) {
            Some(code) => code,
            None => {
                live.stop().await;
                notes.push(format!("command timed out after {limit} milliseconds"));
                TIMED_OUT
            }
        };
        live.complete().await;
        let told = told(&mut live, ctx.output_tokens, State::Exited(code), notes);
        ToolOutput::text(match self.flavour {
            Flavour::ShellCommand => plain_text(&told, code),
            Flavour::Shell | Flavour::LocalShell => json_text(&told, code),
        })
    }
}

/// The script of `bash -lc "…"` and its like.
fn script_of(argv: &[String]) -> Option<String> {
    let [program, flag, script] = argv else { return None };
    let name = Path::new(program).file_name()?.to_str()?;
    (matches!(name, "bash" | "zsh" | "sh") && matches!(flag.as_str(), "-c" | "-lc")).then(|| script.clone())
}

#[cfg(test)]
#[path = "shell_tests.rs"]
mod tests;
