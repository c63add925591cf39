//! May this command run, may this patch be written: joins the decision (`approvals`), what can be enforced
//! (`sandbox`), what the user granted, and the question to the user. The tools only see the answer.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::approvals::decide::{self, Decision, PatchDecision, Request};
use crate::approvals::grants::{Call, Grants};
use crate::approvals::proposal;
use crate::approvals::rules::RuleMatch;
use crate::approvals::standing::{Reach, Standing};
use crate::approvals::{deletes, effects, safe};
use crate::base::ids::TurnId;
use crate::base::tasks;
use crate::patch;
use crate::process::actions;
use crate::process::parse::Commands;
use crate::process::shell::Shell;
use crate::protocol::ask::{Answer, Ask, Effect, RuleOffer};
use crate::protocol::event::Event;
use crate::protocol::item::CommandAction;
use crate::sandbox::{self, Ended, Roots};
use crate::tools::apply_patch::{ApplyPatch, PatchVerdict};
use crate::tools::context::ToolContext;
use crate::tools::gate::{AfterFailure, CommandRequest, Gate, Permit};
use crate::tools::tool::{ToolCall, ToolOutput};

/// The writable paths in force: they change with the settings while tools hold on to them.
#[derive(Clone, Debug)]
pub(crate) struct LiveRoots {
    roots: Arc<Mutex<Arc<Roots>>>,
    /// The turn in which they were looked through last.
    looked: Arc<Mutex<Option<TurnId>>>,
}

impl LiveRoots {
    /// These, until they are replaced.
    pub(crate) fn new(roots: Arc<Roots>) -> Self {
        Self { roots: Arc::new(Mutex::new(roots)), looked: Arc::default() }
    }

    /// Those in force now.
    pub(crate) fn now(&self) -> Arc<Roots> {
        Arc::clone(&self.roots.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Puts others in force, for every call that begins from now on.
    pub(crate) fn replace(&self, roots: Arc<Roots>) {
        *self.roots.lock().unwrap_or_else(PoisonError::into_inner) = roots;
    }

    /// Those in force now, with the repositories and secrets that came to exist before the first command of `turn`.
    async fn in_turn(&self, turn: TurnId) -> Arc<Roots> {
        let first = self.looked.lock().unwrap_or_else(PoisonError::into_inner).replace(turn) != Some(turn);
        let now = self.now();
        if !first || now.full_access() {
            return now;
        }
        let look = Arc::clone(&now);
        match tasks::blocking("look through the roots", move || look.look_again()).await {
            Ok(again) if again != *now => {
                let again = Arc::new(again);
                self.replace(Arc::clone(&again));
                again
            }
            _ => now,
        }
    }
}

/// The permissions of one thread.
pub(crate) struct Permits {
    roots: LiveRoots,
    rules: Arc<Standing>,
    grants: Mutex<Grants>,
    patch: Arc<ApplyPatch>,
    /// One question at a time: its answer may settle the next one.
    asking: tokio::sync::Mutex<()>,
}

/// A request as it is judged.
struct Judged<'a> {
    request: &'a CommandRequest,
    commands: Commands,
    rules: Vec<Option<RuleMatch>>,
    decision: Decision,
}

impl Permits {
    /// Permissions that follow from `roots` and `rules`; `patch` carries out patches that come as shell calls.
    pub(crate) fn new(roots: LiveRoots, rules: Arc<Standing>, patch: Arc<ApplyPatch>) -> Arc<Self> {
        Arc::new(Self {
            roots,
            rules,
            grants: Mutex::default(),
            patch,
            asking: tokio::sync::Mutex::default(),
        })
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge<'a>(&self, ctx: &ToolContext, request: &'a CommandRequest) -> Judged<'a> {
        let commands = commands(ctx, request);
        let in_force = self.roots.now();
        let mut roots: Vec<&Path> = in_force.roots().iter().map(|root| root.path.as_path()).collect();
        if roots.is_empty() && in_force.full_access() {
            // Without a sandbox the working directory is what a forced deletion may empty unasked.
            roots.push(&ctx.cwd);
        }
        let rules = self.rules.now().judge(&commands, request.cwd == self.rules.project());
        let outside = request.escalate || in_force.full_access();
        let decision = decide::decide(&Request {
            policy: ctx.approval,
            sandbox: in_force.mode(),
            commands: &commands,
            rules: &rules,
            escalate: request.escalate,
            justification: request.justification.as_deref(),
            granted: &self.grants().cover(call(request, &commands, outside)),
            deletes_inside: deletes::stay_inside(&commands, &request.cwd, &roots),
        });
        Judged { request, commands, rules, decision }
    }

    async fn command(&self, ctx: &ToolContext, request: &CommandRequest) -> Permit {
        let mut judged = self.judge(ctx, request);
        let mut turn = None;
        if matches!(judged.decision, Decision::Ask { .. }) {
            turn = Some(self.asking.lock().await);
            judged = self.judge(ctx, request);
        }
        let sandboxed = match &judged.decision {
            Decision::Run { sandboxed } => *sandboxed,
            Decision::Refuse { reason } => return Permit::Refused(reason.clone()),
            Decision::Ask { reason, sandboxed, needs } => {
                match self.ask(ctx, &judged, reason.clone(), !sandboxed, needs).await {
                    Said::Yes => *sandboxed,
                    Said::No(why) => return Permit::Refused(why.to_owned()),
                }
            }
        };
        drop(turn);
        self.confined(ctx, request, sandboxed).await
    }

    /// Asks the user, and keeps what is to be kept of the answer.
    async fn ask(
        &self,
        ctx: &ToolContext,
        judged: &Judged<'_>,
        reason: Option<String>,
        outside: bool,
        needs: &[usize],
    ) -> Said {
        let Judged { request, commands, rules, .. } = judged;
        // A rule lets a command out of the sandbox, so it is no answer to a question about one that stays inside.
        let proposal = outside
            .then(|| proposal::propose(commands, needs, rules, request.prefix_rule.as_deref()))
            .flatten()
            .filter(|found| !found.project_only || request.cwd == self.rules.project());
        let effects = match outside {
            true => effects::outside(commands, needs, &request.cwd),
            false => vec![Effect::Confined(self.roots.now().describe())],
        };
        let rule = proposal.as_ref().map(|found| RuleOffer {
            lines: found.lines.clone(),
            project: self.rules.project().to_owned(),
            project_only: found.project_only,
        });
        let question = Ask::Command {
            item_id: request.item_id.clone(),
            command: request.display(),
            cwd: request.cwd.clone(),
            actions: self.actions(request),
            reason,
            effects,
            rule,
        };
        let reach = match ctx.ask(question).await {
            Answer::Decline => return Said::No("rejected by user"),
            Answer::Cancel => return Said::No("aborted by user"),
            Answer::Accept => return Said::Yes,
            Answer::AcceptForSession => None,
            Answer::AcceptForProject => Some(Reach::Project),
            Answer::AcceptAlways => Some(Reach::Always),
        };
        self.grants().allow(call(request, commands, outside), needs);
        if let (Some(reach), Some(proposal)) = (reach, proposal) {
            let reach = if proposal.project_only { Reach::Project } else { reach };
            if let Err((path, error)) = self.rules.accept(&proposal, reach).await {
                let shown = path.display();
                let message =
                    format!("The rule holds for this session only: {shown} cannot be written: {error}");
                ctx.tell(Event::Warning { message }).await;
            }
        }
        Said::Yes
    }

    /// What cannot be enforced does not run; nor does what nothing holds, before what led to it is safe on disk.
    async fn confined(&self, ctx: &ToolContext, request: &CommandRequest, sandboxed: bool) -> Permit {
        let permit = if sandboxed {
            match sandbox::confine(&*self.roots.in_turn(ctx.turn_id).await, &request.argv) {
                Ok(confine) => Permit::Sandboxed(confine),
                Err(error) => return did_not_run(&error),
            }
        } else {
            Permit::Unsandboxed
        };
        if safe::all_harmless(&commands(ctx, request)) {
            return permit;
        }
        ctx.undo.before_change(&ctx.cwd).await;
        if matches!(permit, Permit::Sandboxed(Some(_))) {
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
        let judged = self.judge(ctx, request);
        let all: Vec<usize> = (0..judged.commands.pieces.len()).collect();
        let _turn = self.asking.lock().await;
        // What the user let out of the sandbox before needs no second word.
        let covered = self.grants().cover(call(request, &judged.commands, true));
        let said = if !covered.is_empty() && covered.iter().all(|covered| *covered) {
            Said::Yes
        } else {
            let reason = Some(format!("{note} Run it again without the sandbox?"));
            self.ask(ctx, &judged, reason, true, &all).await
        };
        match said {
            Said::Yes => match ctx.synced().await {
                Ok(()) => AfterFailure::Again,
                Err(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Said::No(_) => AfterFailure::Note(note),
        }
    }
}

/// What the user said, as far as this command is concerned.
enum Said {
    Yes,
    /// What the model is told.
    No(&'static str),
}

/// The pieces of a request. The user's own shell is taken for the one of its name, wherever it lies; a shell that
/// the model names is a program like any other.
fn commands(ctx: &ToolContext, request: &CommandRequest) -> Commands {
    let own = Shell::of_user(&ctx.env);
    match request.argv.split_first() {
        Some((shell, rest)) if Path::new(shell) == own.path() => {
            let name = own.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
            Commands::of_argv(&std::iter::once(name).chain(rest.iter().cloned()).collect::<Vec<_>>())
        }
        _ => Commands::of_argv(&request.argv),
    }
}

fn call<'a>(request: &'a CommandRequest, commands: &'a Commands, outside: bool) -> Call<'a> {
    Call { commands, argv: &request.argv, cwd: &request.cwd, outside }
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
    // A repository further down may have come to exist since the roots were looked through.
    let in_repository = |path: &Path| path.components().any(|part| part.as_os_str() == ".git");
    let writable = |path: &PathBuf| roots.full_access() || (roots.can_write(path) && !in_repository(path));
    let all_writable = paths.iter().all(writable);
    match decide::decide_patch(ctx.approval, all_writable) {
        PatchDecision::Write => PatchVerdict::Write,
        PatchDecision::Ask { reason } => PatchVerdict::Ask(reason.unwrap_or_default()),
        PatchDecision::Refuse { reason } => PatchVerdict::Refuse(reason),
    }
}

#[cfg(test)]
#[path = "permit_tests.rs"]
mod tests;
