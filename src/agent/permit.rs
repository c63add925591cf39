//! May this command run, may this patch be written: joins the decision (`approvals`), what can be enforced
//! (`sandbox`), what the user granted, and the question to the user. The tools only see the answer.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::denied::{self, Denied};
use super::live_roots::{self, LiveRoots};
use crate::approvals::decide::{self, Decision, PatchDecision, Request};
use crate::approvals::grants::{Call, Grants};
use crate::approvals::proposal::{self, Proposal};
use crate::approvals::rules::RuleMatch;
use crate::approvals::standing::{Reach, Standing};
use crate::approvals::vouch::{self, Place};
use crate::approvals::{deletes, effects, network, safe};
use crate::base::tasks;
use crate::patch;
use crate::process::actions;
use crate::process::parse::Commands;
use crate::process::shell::Shell;
use crate::protocol::ask::{Answer, Ask, Effect, Narrow, RuleOffer};
use crate::protocol::event::Event;
use crate::protocol::item::CommandAction;
use crate::sandbox::{self, Ended, Roots};
use crate::tools::apply_patch::{ApplyPatch, PatchVerdict};
use crate::tools::context::ToolContext;
use crate::tools::gate::{AfterFailure, CommandRequest, Gate, Permit};
use crate::tools::tool::{ToolCall, ToolOutput};

/// Refused commands that are remembered.
const MAX_DENIED: usize = 32;

/// The permissions of one thread.
pub(crate) struct Permits {
    roots: LiveRoots,
    rules: Arc<Standing>,
    grants: Mutex<Grants>,
    patch: Arc<ApplyPatch>,
    /// No rule leads out of the sandbox.
    inside: bool,
    /// What the sandbox refused, newest last.
    denied: Mutex<VecDeque<Denied>>,
    /// One question at a time: its answer may settle the next one.
    asking: tokio::sync::Mutex<()>,
}

/// A request as it is judged.
struct Judged<'a> {
    request: &'a CommandRequest,
    commands: Commands,
    rules: Vec<Option<RuleMatch>>,
    /// Programs that commands can change, by piece.
    planted: Vec<Option<PathBuf>>,
    /// Why rules that allow it do not count.
    doubts: Vec<String>,
    in_force: Arc<Roots>,
    decision: Decision,
}

impl Permits {
    /// Permissions that follow from `roots` and `rules`; `patch` carries out patches that come as shell calls.
    pub(crate) fn new(
        roots: LiveRoots,
        rules: Arc<Standing>,
        patch: Arc<ApplyPatch>,
        inside: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            roots,
            rules,
            grants: Mutex::default(),
            denied: Mutex::default(),
            patch,
            inside,
            asking: tokio::sync::Mutex::default(),
        })
    }

    fn grants(&self) -> MutexGuard<'_, Grants> {
        self.grants.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn judge<'a>(&self, ctx: &ToolContext, request: &'a CommandRequest) -> Judged<'a> {
        let commands = commands(ctx, request);
        let book = self.rules.now();
        let in_force = self.roots.with_rules(&book);
        let mut roots: Vec<&Path> = in_force.roots().iter().map(|root| root.path.as_path()).collect();
        if roots.is_empty() && in_force.full_access() {
            // Without a sandbox the working directory is what a forced deletion may empty unasked.
            roots.push(&ctx.cwd);
        }
        let mut rules = book.judge(&commands, request.cwd == self.rules.project());
        let outside = request.escalate || in_force.full_access();
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
            escalate: request.escalate,
            justification: request.justification.as_deref(),
            granted: &self.grants().cover(call(request, &commands, outside, &planted)),
            planted: &planted.iter().map(Option::is_some).collect::<Vec<_>>(),
            deletes_inside: deletes::stay_inside(&commands, &request.cwd, &roots),
        });
        Judged { request, commands, rules, planted, doubts, in_force, decision }
    }

    async fn command(&self, ctx: &ToolContext, request: &CommandRequest) -> Permit {
        let mut judged = self.judge(ctx, request);
        for message in self.rules.news() {
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
                let denied = (!sandboxed).then(|| self.denied_before(request)).flatten();
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

    fn denied(&self) -> MutexGuard<'_, VecDeque<Denied>> {
        self.denied.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the sandbox refused to the same command before.
    fn denied_before(&self, request: &CommandRequest) -> Option<Denied> {
        let same = |denied: &&Denied| denied.argv == request.argv && denied.cwd == request.cwd;
        self.denied().iter().rfind(same).cloned()
    }

    /// Asks the user, and keeps what is to be kept of the answer.
    async fn ask(
        &self,
        ctx: &ToolContext,
        judged: &Judged<'_>,
        reason: Option<String>,
        outside: bool,
        needs: &[usize],
        denied: Option<Denied>,
    ) -> Said {
        let Judged { request, commands, rules, planted, .. } = judged;
        // A rule lets a command out of the sandbox, so it is no answer to a question about one that stays inside; nor
        // does a rule count for a program that commands can change.
        let known =
            judged.doubts.is_empty() && !needs.iter().any(|at| planted.get(*at).is_some_and(Option::is_some));
        let proposal = (outside && known)
            .then(|| proposal::propose(commands, needs, rules, request.prefix_rule.as_deref()))
            .flatten()
            .filter(|found| !found.project_only || request.cwd == self.rules.project());
        let rule = proposal.as_ref().map(|found| RuleOffer {
            lines: found.lines.clone(),
            project: self.rules.project().to_owned(),
            project_only: found.project_only,
        });
        let narrow = denied.as_ref().and_then(|denied| denied.narrow.clone());
        let question = Ask::Command {
            item_id: request.item_id.clone(),
            command: request.display(),
            cwd: request.cwd.clone(),
            actions: self.actions(request),
            reason,
            effects: effects(judged, outside, needs, denied),
            rule,
            narrow: narrow.clone(),
        };
        let reach = match ctx.ask(question).await {
            Answer::Decline => return Said::No("rejected by user"),
            Answer::Cancel => return Said::No("aborted by user"),
            Answer::Accept => return Said::Yes,
            answer @ (Answer::Open | Answer::OpenForProject) => {
                let Some(narrow) = narrow else { return Said::No("rejected by user") };
                self.open(ctx, &narrow, answer == Answer::OpenForProject).await;
                return Said::Inside;
            }
            Answer::AcceptForSession => None,
            Answer::AcceptForProject => Some(Reach::Project),
            Answer::AcceptAlways => Some(Reach::Always),
        };
        self.grants().allow(call(request, commands, outside, planted), needs);
        let place = if outside { "outside the sandbox" } else { "in the sandbox" };
        for piece in needs.iter().filter_map(|at| commands.pieces.get(*at)) {
            let words = actions::quote(piece);
            self.roots
                .say(&format!("`{words}` in {} may run {place} in this session", request.cwd.display()));
        }
        if let (Some(reach), Some(proposal)) = (reach, proposal) {
            let reach = if proposal.project_only { Reach::Project } else { reach };
            for words in &proposal.words {
                let words = actions::quote(words);
                self.roots
                    .say(&format!("commands that begin with `{words}` run outside the sandbox, by a rule"));
            }
            self.write_down(ctx, &proposal, reach).await;
        }
        Said::Yes
    }

    /// Opens one place, in the sandbox.
    async fn open(&self, ctx: &ToolContext, narrow: &Narrow, in_project: bool) {
        self.roots.open(narrow);
        self.roots.say(&format!("commands may {}, without leaving the sandbox", narrow.words()));
        if let Narrow::Host(host) = narrow
            && in_project
            && let Some(line) = network::line(host)
        {
            let proposal = Proposal { words: Vec::new(), lines: vec![line], project_only: true };
            self.write_down(ctx, &proposal, Reach::Project).await;
        }
    }

    async fn write_down(&self, ctx: &ToolContext, proposal: &Proposal, reach: Reach) {
        if let Err((path, error)) = self.rules.accept(proposal, reach).await {
            let shown = path.display();
            let message = format!("The rule holds for this session only: {shown} cannot be written: {error}");
            ctx.tell(Event::Warning { message }).await;
        }
    }

    /// What cannot be enforced does not run; nor does what nothing holds, before what led to it is safe on disk.
    async fn confined(&self, ctx: &ToolContext, request: &CommandRequest, sandboxed: bool) -> Permit {
        let permit = if sandboxed {
            self.roots.look_in_turn(ctx.turn_id).await;
            match sandbox::confine(&self.in_force(), &request.argv) {
                Ok(confine) => Permit::Sandboxed(confine),
                Err(error) => return did_not_run(&error),
            }
        } else {
            Permit::Unsandboxed
        };
        if safe::all_harmless(&commands(ctx, request)) {
            return permit;
        }
        ctx.undo
            .before_change((ctx.thread_id, ctx.turn_id), &ctx.cwd, live_roots::lasting(&self.roots.now()))
            .await;
        if matches!(permit, Permit::Sandboxed(Some(_))) {
            return permit;
        }
        match ctx.synced().await {
            Ok(()) => permit,
            Err(why) => did_not_run(&why),
        }
    }

    fn in_force(&self) -> Arc<Roots> {
        self.roots.with_rules(&self.rules.now())
    }

    /// The one place that would have let a stopped command through.
    async fn narrow(&self, ctx: &ToolContext, judged: &Judged<'_>, output: &str) -> Option<Narrow> {
        let home = ctx.env.get(OsStr::new("HOME")).map(PathBuf::from).unwrap_or_default();
        let closed = [home, self.rules.home().to_owned(), ctx.cwd.clone()];
        let (roots, commands) = (Arc::clone(&judged.in_force), judged.commands.clone());
        let (cwd, output) = (judged.request.cwd.clone(), denied::searched(output).to_owned());
        let look = move || denied::narrow(&roots, &commands, &cwd, &output, &closed);
        tasks::blocking("look what was refused", look).await.ok().flatten()
    }

    /// What to do about a command that was stopped.
    async fn retry(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        output: &str,
        note: Option<String>,
    ) -> AfterFailure {
        let judged = self.judge(ctx, request);
        let narrow = self.narrow(ctx, &judged, output).await;
        let note = match (note, &narrow) {
            (Some(note), _) => note,
            (None, Some(Narrow::Port(port))) => format!(
                "In the sandbox port {port} of 127.0.0.1 is not the one of this machine; \
                 `sandbox_workspace_write.loopback_ports = [{port}]` would open it."
            ),
            (None, _) => return AfterFailure::Keep,
        };
        let (argv, cwd) = (request.argv.clone(), request.cwd.clone());
        let found = Denied { argv, cwd, note: note.clone(), narrow };
        {
            let mut denied = self.denied();
            denied.push_back(found.clone());
            let surplus = denied.len().saturating_sub(MAX_DENIED);
            denied.drain(..surplus);
        }
        if !decide::may_offer_retry(ctx.approval) {
            return AfterFailure::Note(note);
        }
        let all: Vec<usize> = (0..judged.commands.pieces.len()).collect();
        let _turn = self.asking.lock().await;
        // What the user let out of the sandbox before needs no second word.
        let covered = self.grants().cover(call(request, &judged.commands, true, &judged.planted));
        let said = if !covered.is_empty() && covered.iter().all(|covered| *covered) {
            Said::Yes
        } else {
            let reason = Some("The sandbox stopped it. Run it again?".to_owned());
            self.ask(ctx, &judged, reason, true, &all, Some(found)).await
        };
        match said {
            Said::Yes => match ctx.synced().await {
                Ok(()) => AfterFailure::Again,
                Err(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Said::Inside => match self.confined(ctx, request, true).await {
                Permit::Sandboxed(confine) => AfterFailure::AgainConfined(confine),
                Permit::Unsandboxed => AfterFailure::Note(note),
                Permit::Refused(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Said::No(_) => AfterFailure::Note(note),
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
    let place = Place { cwd: &request.cwd, path, home, writable: &|path| in_force.can_write(path) };
    let planted = vouch::planted(commands, &place);
    let doubts = vouch::doubts(commands, rules, &planted, &place);
    (planted, doubts)
}

/// What the user would allow.
fn effects(judged: &Judged<'_>, outside: bool, needs: &[usize], denied: Option<Denied>) -> Vec<Effect> {
    let mut found = Vec::new();
    found.extend(denied.map(|denied| Effect::Refused(denied.note)));
    found.extend(match outside {
        true => effects::outside(&judged.commands, needs, &judged.request.cwd),
        false => vec![Effect::Confined(judged.in_force.describe())],
    });
    found.extend(judged.doubts.iter().cloned().map(Effect::Doubt));
    for (at, path) in judged.planted.iter().enumerate() {
        if let (Some(path), true) = (path, needs.contains(&at) && outside) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let doubt = Effect::Doubt(format!("`{name}` is {}, which commands can change", path.display()));
            found.extend((!found.contains(&doubt)).then_some(doubt));
        }
    }
    found
}

/// What the user said, as far as this command is concerned.
enum Said {
    Yes,
    /// Yes, in the sandbox.
    Inside,
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

fn call<'a>(
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
        let note = sandbox::denial(&self.roots.now(), ended, output);
        self.retry(ctx, request, output, note).boxed()
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
