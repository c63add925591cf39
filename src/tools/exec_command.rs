//! `exec_command`: runs a command line in the user's shell. Returns when the command ends; one that takes longer
//! than the model wants to wait becomes a session.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::arguments::{clamped, function, parse};
use super::commands::{Commands, Reached, item_id, told};
use super::context::ToolContext;
use super::gate::CommandRequest;
use super::live::Live;
use super::output::{State, aborted_text, exec_text};
use super::tool::{Tool, ToolCall, ToolOutput};
use crate::base::path::absolute;
use crate::process::shell::Shell;
use crate::process::spawn::Exit;
use crate::protocol::item::CommandSource;

/// Default and range of the wait, in milliseconds.
const YIELD_MS: u64 = 10_000;
const YIELD_MIN_MS: u64 = 250;
const YIELD_MAX_MS: u64 = 30_000;

/// The tool.
pub(crate) struct ExecCommand {
    commands: Arc<Commands>,
}

impl ExecCommand {
    /// Runs commands through these.
    pub(crate) fn new(commands: Arc<Commands>) -> Self {
        Self { commands }
    }
}

#[derive(Deserialize)]
struct Args {
    cmd: String,
    workdir: Option<String>,
    shell: Option<String>,
    login: Option<bool>,
    #[serde(default)]
    tty: bool,
    yield_time_ms: Option<f64>,
    max_output_tokens: Option<f64>,
    #[serde(flatten)]
    escalation: Escalation,
}

/// How a model asks to leave the sandbox: the present form and the older one.
#[derive(Default, Deserialize)]
pub(super) struct Escalation {
    sandbox_permissions: Option<SandboxPermissions>,
    with_escalated_permissions: Option<bool>,
    pub(super) justification: Option<String>,
    pub(super) prefix_rule: Option<Vec<String>>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum SandboxPermissions {
    UseDefault,
    RequireEscalated,
}

impl Escalation {
    /// Whether it asks at all.
    pub(super) fn asked(&self) -> bool {
        self.sandbox_permissions == Some(SandboxPermissions::RequireEscalated)
            || self.with_escalated_permissions == Some(true)
    }
}

impl Tool for ExecCommand {
    fn name(&self) -> &'static str {
        "exec_command"
    }

    fn definition(&self) -> Option<Value> {
        let parameters = json!({
            "cmd": { "type": "string", "description": "Command line for the shell." },
            "workdir": { "type": "string", "description": "Directory to run in; the turn's working directory when left out." },
            "shell": { "type": "string", "description": "Shell to use instead of the user's." },
            "login": { "type": "boolean", "description": "Read the user's login profile first. Default true." },
            "tty": { "type": "boolean", "description": "Give the command a terminal, so that it can be written to. Default false." },
            "yield_time_ms": { "type": "number", "description": "How long to wait for the end before the command goes on as a session. Default 10000, at most 30000." },
            "max_output_tokens": { "type": "number", "description": "Longest output to return. Default 10000." },
            "sandbox_permissions": { "type": "string", "enum": ["use_default", "require_escalated"], "description": "`require_escalated` asks to run outside the sandbox." },
            "justification": { "type": "string", "description": "With `require_escalated`: one short question to the user that says why." },
            "prefix_rule": { "type": "array", "items": { "type": "string" }, "description": "With `require_escalated`: first words of the command that the user may allow for the future." },
        });
        let description = include_str!("../../assets/tools/exec_command.md");
        Some(function(self.name(), description, &parameters, &["cmd"]))
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            match parse::<Args>(ctx, &call).await {
                Ok(args) => self.run(ctx, &call, args).await,
                Err(output) => output,
            }
        })
    }
}

impl ExecCommand {
    async fn run(&self, ctx: &ToolContext, call: &ToolCall, args: Args) -> ToolOutput {
        let shell = match &args.shell {
            Some(named) if !named.is_empty() => Shell::named(named),
            _ => Shell::of_user(&ctx.env),
        };
        let request = CommandRequest {
            argv: shell.argv(&args.cmd, args.login.unwrap_or(true) && ctx.login_shell),
            escalate: args.escalation.asked(),
            script: Some(args.cmd),
            cwd: absolute(&ctx.cwd, Path::new(args.workdir.as_deref().unwrap_or(""))),
            justification: args.escalation.justification,
            prefix_rule: args.escalation.prefix_rule,
            item_id: item_id(&call.call_id),
            tty: args.tty,
        };
        if let Some(output) = self.commands.gate.patch(ctx, call, &request).await {
            return output;
        }
        let wait = clamped(args.yield_time_ms, YIELD_MS, YIELD_MIN_MS, YIELD_MAX_MS);
        let tokens = clamped(args.max_output_tokens, ctx.output_tokens, 0, u64::from(u32::MAX));
        let source = CommandSource::UnifiedExecStartup;
        match self.commands.run(ctx, &request, source, Duration::from_millis(wait)).await {
            Reached::Refused(reason) => ToolOutput::text(reason),
            Reached::Failed(reason) => ToolOutput::text(format!("exec_command failed: {reason}")),
            Reached::Aborted(mut live) => {
                let state = State::Exited(live.exit().map_or(0, Exit::code));
                ToolOutput::text(aborted_text(&told(&mut live, tokens, state, Vec::new())))
            }
            Reached::Done(live, notes) => self.result(live, tokens, notes).await,
        }
    }

    /// The text of a command that ended, or became a session.
    async fn result(&self, mut live: Live, tokens: u64, mut notes: Vec<String>) -> ToolOutput {
        if let Some(exit) = live.exit().cloned() {
            live.complete().await;
            let told = told(&mut live, tokens, State::Exited(exit.code()), notes);
            return ToolOutput::text(exec_text(&told, &chunk_id()));
        }
        let mut told = told(&mut live, tokens, State::Running(0), Vec::new());
        let (id, warning) = self.commands.sessions.admit(live);
        notes.extend(warning);
        told.state = State::Running(id);
        told.notes = notes;
        ToolOutput::text(exec_text(&told, &chunk_id()))
    }
}

/// Six hexadecimal digits that tell results apart.
pub(super) fn chunk_id() -> String {
    let (number, ..) = uuid::Uuid::new_v4().as_fields();
    format!("{:06x}", number & 0x00ff_ffff)
}

#[cfg(test)]
#[path = "exec_command_tests.rs"]
mod tests;
