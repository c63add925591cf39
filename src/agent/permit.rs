//! May this command run, may this patch be written: joins the decision (`approvals`), what can be enforced
//! (`sandbox`), what the user granted, and the question to the user. The tools only see the answer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::approvals::decide::{self, Decision, PatchDecision, Request};
use crate::approvals::deletes;
use crate::approvals::grants::Grants;
use crate::approvals::safe;
use crate::patch;
use crate::process::actions;
use crate::process::parse::Commands;
use crate::protocol::ask::{Answer, Ask};
use crate::protocol::item::CommandAction;
use crate::sandbox::{self, Ended, Roots};
use crate::tools::apply_patch::{ApplyPatch, PatchVerdict};
use crate::tools::context::ToolContext;
use crate::tools::gate::{AfterFailure, CommandRequest, Gate, Permit};
use crate::tools::tool::{ToolCall, ToolOutput};

/// The writable paths in force: they change with the settings while tools hold on to them.
#[derive(Clone, Debug)]
pub(crate) struct LiveRoots(Arc<Mutex<Arc<Roots>>>);

impl LiveRoots {
    /// These, until they are replaced.
    pub(crate) fn new(roots: Arc<Roots>) -> Self {
        Self(Arc::new(Mutex::new(roots)))
    }

    /// Those in force now.
    pub(crate) fn now(&self) -> Arc<Roots> {
        Arc::clone(&self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in force, for every call that begins from now on.
    pub(crate) fn replace(&self, roots: Arc<Roots>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = roots;
    }
}

/// The permissions of one thread.
pub(crate) struct Permits {
    roots: LiveRoots,
    grants: Mutex<Grants>,
    patch: Arc<ApplyPatch>,
}

impl Permits {
    /// Permissions that follow from `roots`; `patch` carries out patches that come as shell calls.
    pub(crate) fn new(roots: LiveRoots, patch: Arc<ApplyPatch>) -> Arc<Self> {
        Arc::new(Self { roots, grants: Mutex::default(), patch })
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decision(&self, ctx: &ToolContext, request: &CommandRequest) -> Decision {
        let commands = Commands::of_argv(&request.argv);
        let in_force = self.roots.now();
        let mut roots: Vec<&Path> = in_force.roots().iter().map(|root| root.path.as_path()).collect();
        if roots.is_empty() && in_force.full_access() {
            // Without a sandbox the working directory is what a forced deletion may empty unasked.
            roots.push(&ctx.cwd);
        }
        decide::decide(&Request {
            policy: ctx.approval,
            sandbox: in_force.mode(),
            commands: &commands,
            rules: &[],
            escalate: request.escalate,
            justification: request.justification.as_deref(),
            granted: self.grants().has_command(&request.argv, &request.cwd, request.escalate),
            deletes_inside: deletes::stay_inside(&commands, &request.cwd, &roots),
        })
    }

    async fn command(&self, ctx: &ToolContext, request: &CommandRequest) -> Permit {
        match self.decision(ctx, request) {
            Decision::Run { sandboxed } => self.confined(ctx, request, sandboxed).await,
            Decision::Refuse { reason } => Permit::Refused(reason),
            Decision::Ask { reason, sandboxed } => {
                let answer = ctx.ask(self.question(request, reason)).await;
                match answer {
                    Answer::Accept => self.confined(ctx, request, sandboxed).await,
                    Answer::AcceptForSession => {
                        self.grants().allow_command(&request.argv, &request.cwd, request.escalate);
                        self.confined(ctx, request, sandboxed).await
                    }
                    Answer::Decline => Permit::Refused("rejected by user".to_owned()),
                    Answer::Cancel => Permit::Refused("aborted by user".to_owned()),
                }
            }
        }
    }

    fn question(&self, request: &CommandRequest, reason: Option<String>) -> Ask {
        Ask::Command {
            item_id: request.item_id.clone(),
            command: request.display(),
            cwd: request.cwd.clone(),
            actions: self.actions(request),
            reason,
        }
    }

    /// What cannot be enforced does not run; nor does what nothing holds, before what led to it is safe on disk.
    async fn confined(&self, ctx: &ToolContext, request: &CommandRequest, sandboxed: bool) -> Permit {
        let permit = if sandboxed {
            match sandbox::confine(&self.roots.now(), &request.argv) {
                Ok(confine) => Permit::Sandboxed(confine),
                Err(error) => return did_not_run(&error),
            }
        } else {
            Permit::Unsandboxed
        };
        let held = matches!(permit, Permit::Sandboxed(Some(_)));
        if held || safe::is_harmless(&Commands::of_argv(&request.argv)) {
            return permit;
        }
        match ctx.synced().await {
            Ok(()) => permit,
            Err(why) => did_not_run(&why),
        }
    }

    async fn retry(&self, ctx: &ToolContext, request: &CommandRequest, note: String) -> AfterFailure {
        if !decide::may_offer_retry(ctx.approval) {
            return AfterFailure::Note(note);
        }
        let reason = Some(format!("{note} Run it again without the sandbox?"));
        match ctx.ask(self.question(request, reason)).await {
            Answer::Accept | Answer::AcceptForSession => match ctx.synced().await {
                Ok(()) => AfterFailure::Again,
                Err(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Answer::Decline | Answer::Cancel => AfterFailure::Note(note),
        }
    }
}

fn did_not_run(why: &dyn std::fmt::Display) -> Permit {
    Permit::Refused(format!("the command did not run: {why}"))
}

impl Gate for Permits {
    fn permit<'a>(&'a self, ctx: &'a ToolContext, request: &'a CommandRequest) -> BoxFuture<'a, Permit> {
        self.command(ctx, request).boxed()
    }

    fn after_failure<'a>(
        &'a self,
        ctx: &'a ToolContext,
        request: &'a CommandRequest,
        code: i32,
        output: &'a str,
    ) -> BoxFuture<'a, AfterFailure> {
        let ended = if code > 128 { Ended::Signal(code - 128) } else { Ended::Exit(code) };
        match sandbox::denial(&self.roots.now(), ended, output) {
            Some(note) => self.retry(ctx, request, note).boxed(),
            None => std::future::ready(AfterFailure::Keep).boxed(),
        }
    }

    fn patch<'a>(
        &'a self,
        ctx: &'a ToolContext,
        call: &'a ToolCall,
        request: &'a CommandRequest,
    ) -> BoxFuture<'a, Option<ToolOutput>> {
        async move {
            let found = patch::as_command(&request.argv)?;
            let dir = found.dir.map_or_else(|| request.cwd.clone(), |dir| request.cwd.join(dir));
            Some(self.patch.apply(ctx, &call.call_id, &dir, found.patch).await)
        }
        .boxed()
    }

    fn actions(&self, request: &CommandRequest) -> Vec<CommandAction> {
        actions::of_argv(&request.argv)
    }
}

/// May a patch be written to these real paths?
pub(crate) fn patch_verdict(roots: &Roots, ctx: &ToolContext, paths: &[PathBuf]) -> PatchVerdict {
    let all_writable = paths.iter().all(|path| roots.can_write(path));
    match decide::decide_patch(ctx.approval, all_writable) {
        PatchDecision::Write => PatchVerdict::Write,
        PatchDecision::Ask { reason } => PatchVerdict::Ask(reason.unwrap_or_default()),
        PatchDecision::Refuse { reason } => PatchVerdict::Refuse(reason),
    }
}

#[cfg(test)]
#[path = "permit_tests.rs"]
mod tests;
