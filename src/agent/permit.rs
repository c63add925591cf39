//! May this command run: joins the decision (`approvals`), what can be enforced (`sandbox`) and what the user granted.
//! The question itself is [`super::consent`]'s, what follows a failure [`super::retry`]'s. The tools only see the answer.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::consent::Said;
use super::denied::{self, Denied};
use super::live_roots;
use super::places::Places;
use super::retry::Remembered;
use crate::approvals::decide::{self, Decision, Request};
use crate::approvals::grants::{Call, Grants};
use crate::approvals::rules::RuleMatch;
use crate::approvals::vouch::{self, Place};
use crate::approvals::{deletes, safe};
use crate::base::tasks;
use crate::patch;
use crate::process::actions;
use crate::process::parse::Commands;
use crate::process::shell::Shell;
use crate::protocol::event::Event;
use crate::protocol::item::CommandAction;
use crate::sandbox::{self, Ended, Roots};
use crate::tools::apply_patch::ApplyPatch;
use crate::tools::context::ToolContext;
use crate::tools::gate::{AfterFailure, CommandRequest, Gate, Permit};
use crate::tools::tool::{ToolCall, ToolOutput};

/// The permissions of one thread.
pub(crate) struct Permits {
    pub(super) places: Places,
    grants: Mutex<Grants>,
    patch: Arc<ApplyPatch>,
    /// No rule leads out of the sandbox.
    inside: bool,
    pub(super) remembered: Remembered,
    /// One question at a time: its answer may settle the next one.
    pub(super) asking: tokio::sync::Mutex<()>,
}

/// A request as it is judged.
pub(super) struct Judged<'a> {
    pub(super) request: &'a CommandRequest,
    pub(super) commands: Commands,
    pub(super) rules: Vec<Option<RuleMatch>>,
    /// Programs that commands can change, by piece.
    pub(super) planted: Vec<Option<PathBuf>>,
    /// Why rules that allow it do not count.
    pub(super) doubts: Vec<String>,
    pub(super) in_force: Arc<Roots>,
    decision: Decision,
}

impl Permits {
    /// Permissions that follow from `places`; `patch` carries out patches that come as shell calls.
    pub(crate) fn new(places: Places, patch: Arc<ApplyPatch>, inside: bool) -> Arc<Self> {
        Arc::new(Self {
            places,
            grants: Mutex::default(),
            remembered: Remembered::default(),
            patch,
            inside,
            asking: tokio::sync::Mutex::default(),
        })
    }

    pub(super) fn grants(&self) -> MutexGuard<'_, Grants> {
        let mut grants = self.grants.lock().unwrap_or_else(PoisonError::into_inner);
        grants.since(self.places.roots.forgotten());
        grants
    }

    pub(super) fn judge<'a>(&self, ctx: &ToolContext, request: &'a CommandRequest) -> Judged<'a> {
        let commands = commands(ctx, request);
        let book = self.places.rules.now();
        let in_force = self.places.in_force();
        let mut roots: Vec<&Path> = in_force.roots().iter().map(|root| root.path.as_path()).collect();
        if roots.is_empty() && in_force.full_access() {
            // Without a sandbox the working directory is what a forced deletion may empty unasked.
            roots.push(&ctx.cwd);
        }
        let mut rules = book.judge(&commands, request.cwd == self.places.rules.project());
        // What is open needs no way out, whoever asks for one.
        let open = || denied::is_open(&in_force, &commands, &request.cwd) && !self.remembered.failed(request);
        let escalate = request.escalate && !open();
        let outside = escalate || in_force.full_access();
        let (planted, doubts) = match in_force.full_access() {
            // Commands can change everything then, and nothing holds them.
            true => (Vec::new(), Vec::new()),
            false => suspect(ctx, request, &commands, &in_force, &mut rules),
        };
        let decision = decide::decide(&Request {
            policy: ctx.approval,
            sandbox: in_force.mode(),
            commands: &commands,
            rules: &rules,
            escalate,
            justification: request.justification.as_deref(),
            granted: &self.grants().cover(call(request, &commands, outside, &planted)),
            planted: &planted.iter().map(Option::is_some).collect::<Vec<_>>(),
            deletes_inside: deletes::stay_inside(&commands, &request.cwd, &roots),
        });
        Judged { request, commands, rules, planted, doubts, in_force, decision }
    }

    async fn command(&self, ctx: &ToolContext, request: &CommandRequest) -> Permit {
        let mut judged = self.judge(ctx, request);
        for message in self.places.rules.news() {
            ctx.tell(Event::Warning { message }).await;
        }
        let mut turn = None;
        if matches!(judged.decision, Decision::Ask { .. }) {
            turn = Some(self.asking.lock().await);
            judged = self.judge(ctx, request);
        }
        let sandboxed = match &judged.decision {
            Decision::Run { sandboxed } => *sandboxed || self.inside,
            Decision::Refuse { reason } => return Permit::Refused(reason.clone()),
            Decision::Ask { reason, sandboxed, needs } => {
                let denied = if *sandboxed { None } else { self.needed(&judged).await };
                match self.ask(ctx, &judged, reason.clone(), !sandboxed, needs, denied).await {
                    Said::Yes => *sandboxed,
                    Said::Inside => true,
                    Said::No(why) => return Permit::Refused(why.to_owned()),
                }
            }
        };
        drop(turn);
        self.confined(ctx, request, sandboxed).await
    }

    /// What was refused to a command that asks to leave the sandbox, or before it was ever tried the one closed place
    /// that its words name.
    async fn needed(&self, judged: &Judged<'_>) -> Option<Denied> {
        let request = judged.request;
        if self.remembered.failed(request) {
            return self.remembered.of(request);
        }
        let (roots, commands, cwd) =
            (Arc::clone(&judged.in_force), judged.commands.clone(), request.cwd.clone());
        let look = move || denied::foreseen(&roots, &commands, &cwd);
        let narrow = tasks::blocking("look what is needed", look).await.ok().flatten();
        let narrow = narrow.filter(|narrow| self.places.may_open(narrow));
        narrow.map(|narrow| Denied { narrow: Some(narrow), ..Denied::silent(request) })
    }

    /// What cannot be enforced does not run; nor does what nothing holds, before what led to it is safe on disk.
    pub(super) async fn confined(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        sandboxed: bool,
    ) -> Permit {
        let permit = if sandboxed {
            self.places.roots.look_in_turn(ctx.turn_id).await;
            let in_force = self.places.in_force();
            // What is open for git is not open for a program of the same name.
            let (planted, _) = suspect(ctx, request, &commands(ctx, request), &in_force, &mut []);
            let words = if planted.iter().any(Option::is_some) { &[][..] } else { &request.argv };
            match sandbox::confine(&in_force, words) {
                Ok(confine) => Permit::Sandboxed(confine),
                Err(error) => return did_not_run(&error),
            }
        } else {
            Permit::Unsandboxed
        };
        if safe::all_harmless(&commands(ctx, request)) {
            return permit;
        }
        let told = ctx
            .undo
            .before_change(
                (ctx.thread_id, ctx.turn_id),
                &ctx.cwd,
                live_roots::lasting(&self.places.roots.now()),
            )
            .await;
        if let Some(message) = told {
            ctx.tell(Event::Warning { message }).await;
        }
        if matches!(permit, Permit::Sandboxed(Some(_))) {
            return permit;
        }
        match ctx.synced().await {
            Ok(()) => permit,
            Err(why) => did_not_run(&why),
        }
    }
}

/// What about the programs, options and folders of a call is not what its words say.
fn suspect(
    ctx: &ToolContext,
    request: &CommandRequest,
    commands: &Commands,
    in_force: &Roots,
    rules: &mut [Option<RuleMatch>],
) -> (Vec<Option<PathBuf>>, Vec<String>) {
    let set = ctx.shell_env.set.get("PATH").map(OsStr::new);
    let path = set.or_else(|| ctx.env.get(OsStr::new("PATH")).map(OsString::as_os_str)).unwrap_or_default();
    let home = ctx.env.get(OsStr::new("HOME")).map(Path::new).unwrap_or(Path::new("/"));
    let place = Place {
        cwd: &request.cwd,
        path,
        home,
        writable: &|path| in_force.can_write(path),
        guarded: &|git| in_force.is_guarded(git),
    };
    let planted = vouch::planted(commands, &place);
    let doubts = vouch::doubts(commands, rules, &planted, &place);
    (planted, doubts)
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

pub(super) fn call<'a>(
    request: &'a CommandRequest,
    commands: &'a Commands,
    outside: bool,
    planted: &'a [Option<PathBuf>],
) -> Call<'a> {
    Call { commands, argv: &request.argv, cwd: &request.cwd, outside, planted }
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
        let denial = sandbox::denial(&self.places.roots.now(), &request.cwd, ended, output);
        self.retry(ctx, request, output, denial).boxed()
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

#[cfg(test)]
#[path = "permit_tests.rs"]
mod tests;
