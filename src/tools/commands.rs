//! From a request to a running command: tell the item, ask the gate, start, wait, and once more when the gate
//! says so. Shared by every tool that runs commands; what a result looks like is the tools' own business.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::context::ToolContext;
use super::gate::{AfterFailure, CommandRequest, Gate, Permit};
use super::live::Live;
use super::output::{State, Told};
use super::sessions::Sessions;
use crate::base::ids::ItemId;
use crate::process::env::{self, Marks};
use crate::process::profile::Profiles;
use crate::process::spawn::{Exit, Launcher};
use crate::process::spec::{CommandSpec, Stdin};
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, CommandSource, Item, ItemStatus};
use crate::sandbox;

/// What the tools that run commands share: one per thread.
pub(crate) struct Commands {
    launcher: Launcher,
    profiles: Profiles,
    pub(super) gate: Arc<dyn Gate>,
    pub(crate) sessions: Sessions,
}

/// How far a command came.
pub(super) enum Reached {
    /// It ended, or runs on after the time given.
    Done(Live, Vec<String>),
    /// The user stopped it; it is gone.
    Aborted(Live),
    /// It did not run; its item has its final state. The sentence is for the model.
    Refused(String),
    /// It could not run; its item has its final state. The reason is for the model.
    Failed(String),
}

impl Commands {
    /// The commands of one thread. `launcher` is `Launcher::default()` outside of tests.
    pub(crate) fn new(launcher: Launcher, gate: Arc<dyn Gate>) -> Arc<Self> {
        Arc::new(Self { launcher, profiles: Profiles::default(), gate, sessions: Sessions::default() })
    }

    /// Runs a command for at most `limit` from its start. The caller completes the item of what it gets.
    pub(super) async fn run(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        source: CommandSource,
        limit: Duration,
    ) -> Reached {
        let item = self.begin(ctx, request, source).await;
        let permit = self.gate.permit(ctx, request).await;
        let (confined, permit) = match permit {
            Permit::Refused(reason) => {
                refuse(ctx, item, ItemStatus::Declined, Some(&reason)).await;
                return Reached::Refused(reason);
            }
            Permit::Sandboxed(confine) => (true, confine),
            Permit::Unsandboxed => (false, None),
        };
        if ctx.cancel.is_cancelled() {
            refuse(ctx, item, ItemStatus::Declined, None).await;
            return Reached::Refused("aborted by user".to_owned());
        }
        let (live, mut notes) = match self.once(ctx, request, item, confined, permit, limit).await {
            Reached::Done(live, notes) => (live, notes),
            other => return other,
        };
        let code = live.exit().map_or(0, Exit::code);
        notes.extend(live.apart().filter(|_| confined && !ctx.sandbox.network_access()));
        if !confined || code == 0 {
            return noted(live, notes, None);
        }
        let again = match self.gate.after_failure(ctx, request, code, &live.whole()).await {
            AfterFailure::Keep => return noted(live, notes, None),
            AfterFailure::Note(note) => return noted(live, notes, Some(note)),
            AfterFailure::AgainConfined(confine) => {
                self.once(ctx, request, live.leave_item(), true, confine, limit).await
            }
            AfterFailure::Again => self.once(ctx, request, live.leave_item(), false, None, limit).await,
        };
        match again {
            Reached::Done(live, more) => {
                notes.extend(more);
                noted(live, notes, None)
            }
            other => other,
        }
    }

    /// Runs a command of the user's own: nobody is asked and nothing is confined.
    pub(super) async fn run_unasked(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        source: CommandSource,
        limit: Duration,
    ) -> Reached {
        let item = self.begin(ctx, request, source).await;
        match self.once(ctx, request, item, false, None, limit).await {
            Reached::Done(live, notes) => noted(live, notes, None),
            other => other,
        }
    }

    /// One attempt.
    async fn once(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        item: CommandItem,
        confined: bool,
        confine: Option<String>,
        limit: Duration,
    ) -> Reached {
        let mut spec = spec(ctx, request, confined, confine);
        let note = tokio::select! {
            biased; // an interrupt does not wait for a slow profile
            () = ctx.cancel.cancelled() => None,
            note = self.profiles.apply(&self.launcher, &mut spec) => note,
        };
        if spec.confine.is_some() {
            sandbox::hand_over(&ctx.env, &mut spec.env);
        }
        let mut live = match self.launcher.start(&spec) {
            Ok(running) => Live::new(ctx, running, item),
            Err(error) => {
                let text = error.to_string();
                refuse(ctx, item, ItemStatus::Failed, Some(&text)).await;
                return Reached::Failed(text);
            }
        };
        let deadline = Instant::now() + limit;
        tokio::select! {
            biased; // an interrupt beats everything
            () = ctx.cancel.cancelled() => {
                live.stop().await;
                live.complete().await;
                return Reached::Aborted(live);
            }
            exit = live.run() => {
                if let Some(text) = never_ran(&exit, request) {
                    refuse(ctx, live.leave_item(), ItemStatus::Failed, Some(&text)).await;
                    return Reached::Failed(text);
                }
            }
            () = sleep_until(deadline) => {}
        }
        Reached::Done(live, note.into_iter().collect())
    }

    /// Tells the item of a command that is about to run, or to be refused.
    async fn begin(&self, ctx: &ToolContext, request: &CommandRequest, source: CommandSource) -> CommandItem {
        let item = CommandItem {
            id: request.item_id.clone(),
            command: request.display(),
            cwd: request.cwd.clone(),
            process_id: None,
            source,
            status: ItemStatus::InProgress,
            command_actions: self.gate.actions(request),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        };
        ctx.tell(Event::ItemStarted { item: Item::CommandExecution(item.clone()) }).await;
        item
    }
}

/// A command with what is told beside its output: of its start, of the network, and of what stopped it.
fn noted(mut live: Live, mut notes: Vec<String>, stopped: Option<String>) -> Reached {
    notes.extend(live.reached().into_iter().chain(stopped));
    if !notes.is_empty() {
        live.remark(notes.join("\n"));
    }
    Reached::Done(live, notes)
}

/// The item of a call: same name as the call.
pub(super) fn item_id(call_id: &str) -> ItemId {
    ItemId::from(call_id)
}

/// What to tell about a command; takes the output the model has not seen.
pub(super) fn told(live: &mut Live, tokens: u64, state: State, notes: Vec<String>) -> Told {
    let (chunk, file) = live.take(tokens);
    Told { wall: live.wall(), state, chunk, tokens, file, notes }
}

fn spec(ctx: &ToolContext, request: &CommandRequest, confined: bool, confine: Option<String>) -> CommandSpec {
    let thread_id = ctx.thread_id.to_string();
    let marks = Marks {
        thread_id: &thread_id,
        call_id: request.item_id.as_str(),
        network_blocked: confined && confine.is_some() && !ctx.sandbox.network_access(),
    };
    CommandSpec {
        argv: request.argv.iter().map(Into::into).collect(),
        cwd: request.cwd.clone(),
        env: env::for_command(&ctx.env, &ctx.shell_env, &ctx.secret_env, marks),
        tty: request.tty,
        stdin: Stdin::Closed,
        confine,
    }
}

/// Why the program never started, if so.
fn never_ran(exit: &Exit, request: &CommandRequest) -> Option<String> {
    match exit {
        Exit::Setup(text) => Some(text.clone()),
        Exit::Exec(errno) => {
            let program = request.argv.first().map_or("", String::as_str);
            Some(format!("cannot run `{program}`: {}", std::io::Error::from_raw_os_error(*errno)))
        }
        Exit::Code(_) | Exit::Signal(_) | Exit::Lost => None,
    }
}

/// The final state of a command that did not run.
async fn refuse(ctx: &ToolContext, mut item: CommandItem, status: ItemStatus, why: Option<&str>) {
    item.status = status;
    item.aggregated_output = why.map(str::to_owned);
    ctx.tell(Event::ItemCompleted { item: Item::CommandExecution(item) }).await;
}
