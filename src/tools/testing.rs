//! What the tests of several tools share: a context in a temporary folder and a gate that answers as told.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;

use super::commands::Commands;
use super::context::{ToolContext, ToolEvent};
use super::gate::{AfterFailure, CommandRequest, Gate, Permit};
use super::tool::{Payload, Tool, ToolCall, ToolOutput};
use crate::base::ids::{ThreadId, TurnId};
use crate::base::tasks::CancellationToken;
use crate::process::testing::launcher;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, Item};
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy, ShellEnvPolicy};

/// A tool context whose events can be read.
pub(crate) struct Bench {
    pub(crate) ctx: ToolContext,
    pub(crate) events: mpsc::Receiver<ToolEvent>,
    _dir: tempfile::TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (sender, events) = mpsc::channel(10_000);
        let cwd = dir.path().canonicalize().unwrap();
        let env =
            [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("SHELL", "/bin/bash"), ("HOME", "/nonexistent")];
        let env = env.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        let ctx = ToolContext {
            thread_id: ThreadId::new(),
            turn_id: TurnId::new(),
            output_dir: cwd.join("outputs"),
            cwd,
            approval: ApprovalPolicy::Never,
            sandbox: Arc::new(SandboxPolicy::DangerFullAccess),
            roots: Arc::new(crate::sandbox::resolve(
                &SandboxPolicy::DangerFullAccess,
                std::path::Path::new("/"),
                None,
            )),
            env: Arc::new(env.into_iter().collect()),
            login_shell: true,
            shell_env: Arc::new(ShellEnvPolicy::default()),
            secret_env: Arc::new(Vec::new()),
            output_tokens: 10_000,
            undo: Arc::default(),
            events: sender,
            cancel: CancellationToken::new(),
        };
        Self { ctx, events, _dir: dir }
    }

    /// Items told so far: whether completed, and the item.
    pub(super) fn items(&mut self) -> Vec<(bool, Item)> {
        let mut items = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            match event {
                ToolEvent::Event(Event::ItemStarted { item }) => items.push((false, item)),
                ToolEvent::Event(Event::ItemCompleted { item }) => items.push((true, item)),
                _ => {}
            }
        }
        items
    }

    /// The completed commands told so far; checks that every one was started before.
    pub(super) fn completed(&mut self) -> Vec<CommandItem> {
        let mut open = Vec::new();
        let mut done = Vec::new();
        for (completed, item) in self.items() {
            let Item::CommandExecution(command) = item else { continue };
            if completed {
                if let Some(at) = open.iter().position(|id| *id == command.id) {
                    open.remove(at);
                }
                done.push(command);
            } else {
                open.push(command.id);
            }
        }
        assert_eq!(open, [], "every started item has its final state");
        done
    }
}

/// Answers every request the same way.
pub(super) struct FixedGate {
    pub(super) permit: Permit,
    pub(super) after: AfterFailure,
    pub(super) asked: Mutex<Vec<CommandRequest>>,
}

impl Gate for FixedGate {
    fn permit<'a>(&'a self, _: &'a ToolContext, request: &'a CommandRequest) -> BoxFuture<'a, Permit> {
        self.asked.lock().unwrap().push(request.clone());
        Box::pin(std::future::ready(self.permit.clone()))
    }

    fn after_failure<'a>(
        &'a self,
        _: &'a ToolContext,
        _: &'a CommandRequest,
        _: i32,
        _: &'a str,
    ) -> BoxFuture<'a, AfterFailure> {
        Box::pin(std::future::ready(self.after.clone()))
    }

    fn patch<'a>(
        &'a self,
        _: &'a ToolContext,
        _: &'a ToolCall,
        request: &'a CommandRequest,
    ) -> BoxFuture<'a, Option<ToolOutput>> {
        let is_patch = request.script.as_deref().is_some_and(|script| script.starts_with("apply_patch"));
        Box::pin(std::future::ready(is_patch.then(|| ToolOutput::text("patched"))))
    }
}

/// A gate with these answers.
pub(super) fn gate(permit: Permit, after: AfterFailure) -> Arc<FixedGate> {
    Arc::new(FixedGate { permit, after, asked: Mutex::default() })
}

/// Commands that always may run.
pub(super) fn commands() -> Arc<Commands> {
    Commands::new(launcher(), gate(Permit::Unsandboxed, AfterFailure::Keep))
}

/// A function call.
pub(super) fn call(name: &str, arguments: &str) -> ToolCall {
    ToolCall {
        call_id: format!("call_{name}"),
        name: name.to_owned(),
        payload: Payload::Function(arguments.to_owned()),
    }
}

/// Calls a tool and gives its text.
pub(super) async fn text(tool: &dyn Tool, ctx: &ToolContext, arguments: serde_json::Value) -> String {
    match tool.call(ctx, call(tool.name(), &arguments.to_string())).await {
        ToolOutput::Text(text) => text,
        ToolOutput::Image { .. } => panic!("a picture"),
    }
}
