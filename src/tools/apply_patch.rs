//! The tool that changes files. It plans the whole patch, has the real paths judged, asks when told to, and only
//! then writes, all or nothing. It never runs beside another tool: two patches planned against the same files would
//! undo each other.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde::Deserialize;

use super::context::ToolContext;
use super::tool::{Payload, Tool, ToolCall, ToolOutput};
use crate::base::ids::{ItemId, ThreadId, TurnId};
use crate::base::tasks;
use crate::patch::words;
use crate::patch::words::{UNFIT, UNWRITTEN};
use crate::patch::{self, Plan, TurnDiff};
use crate::protocol::ask::{Answer, Ask, Narrow, PlaceOffer};
use crate::protocol::event::Event;
use crate::protocol::item::{FileChange, Item, ItemStatus};

/// Turns whose diff is remembered.
const MAX_TURNS: usize = 8;

/// Whether a patch may be written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum PatchVerdict {
    /// Yes.
    Write,
    /// Only if the user agrees.
    Ask {
        /// Why, for the user.
        reason: String,
        /// The folder whose opening is another answer.
        place: Option<Box<PlaceOffer>>,
        /// Why there is none.
        missing: Option<String>,
    },
    /// No; the reason is told to the model.
    Refuse(String),
}

/// Decides about patches.
pub(crate) trait PatchJudge: Send + Sync {
    /// Judges the real paths (links followed) that a patch would write, make or remove.
    fn verdict(&self, ctx: &ToolContext, paths: &[PathBuf]) -> PatchVerdict;

    /// Opens a place that was offered, for as long as the answer says.
    fn open<'a>(&'a self, ctx: &'a ToolContext, narrow: &'a Narrow, answer: Answer) -> BoxFuture<'a, ()>;

    /// The user agreed to changes of these files for the session.
    fn allowed<'a>(&'a self, _ctx: &'a ToolContext, _paths: &'a [PathBuf]) -> BoxFuture<'a, ()> {
        std::future::ready(()).boxed()
    }

    /// Grows each time the user takes back what was agreed to for the session.
    fn forgotten(&self) -> u64 {
        0
    }
}

/// The tool. One serves all threads.
pub(crate) struct ApplyPatch {
    judge: Arc<dyn PatchJudge>,
    /// Folder for the journals of running patches.
    journals: PathBuf,
    /// Real paths that the user agreed to for the rest of a thread, and how often such words had been taken back by then.
    granted: Mutex<HashSet<(ThreadId, u64, PathBuf)>>,
    diffs: Mutex<VecDeque<(TurnId, TurnDiff)>>,
}

/// Arguments when the tool is called as a function.
#[derive(Deserialize)]
struct Arguments {
    input: String,
}

impl ApplyPatch {
    /// A tool that asks `judge` before writing and keeps its journals in `journals`.
    pub(crate) fn new(judge: Arc<dyn PatchJudge>, journals: PathBuf) -> Self {
        Self { judge, journals, granted: Mutex::default(), diffs: Mutex::default() }
    }

    /// Applies a patch below `dir` and tells its item; also for patches found inside shell calls.
    pub(crate) async fn apply(
        &self,
        ctx: &ToolContext,
        call_id: &str,
        dir: &Path,
        text: String,
    ) -> ToolOutput {
        let started = Instant::now();
        let id = ItemId::from(call_id);
        let cwd = dir.to_owned();
        let roots = Arc::clone(&ctx.roots);
        let files = patch::Guarded(Arc::new(move |path| roots.cannot_read(path)));
        let planned = tasks::blocking("patch plan", move || patch::plan(&patch::parse(&text)?, &cwd, &files));
        let plan = match planned.await {
            Ok(Ok(plan)) => plan,
            Ok(Err(patch::Error::Empty)) => {
                return self.fail(ctx, id, Vec::new(), "patch rejected: empty patch".into()).await;
            }
            Ok(Err(error)) => {
                let text = format!("{UNFIT}{error}");
                return self.fail(ctx, id, Vec::new(), text).await;
            }
            Err(error) => {
                return self.fail(ctx, id, Vec::new(), format!("{UNWRITTEN}{error}")).await;
            }
        };
        let item = item(&id, &plan.changes, ItemStatus::InProgress, None);
        ctx.tell(Event::ItemStarted { item }).await;
        if let Err(reason) = self.permit(ctx, &id, &plan).await {
            let item = self::item(&id, &plan.changes, ItemStatus::Declined, Some(reason.clone()));
            ctx.tell(Event::ItemCompleted { item }).await;
            return ToolOutput::Text(reason);
        }
        self.write(ctx, id, plan, started).await
    }

    /// The judge's verdict, and the user's answer if it takes one; the error is what the model is told.
    async fn permit(&self, ctx: &ToolContext, id: &ItemId, plan: &Plan) -> Result<(), String> {
        let paths = plan.paths();
        if paths.is_empty() {
            return Ok(());
        }
        // What cannot be read is not replaced or removed either, whoever agrees.
        if let Some(why) = paths.iter().find_map(|path| ctx.roots.cannot_read(path)) {
            return Err(format!("patch rejected: {why}"));
        }
        let (reason, place, missing) = match self.judge.verdict(ctx, &paths) {
            PatchVerdict::Write => return Ok(()),
            PatchVerdict::Refuse(reason) => return Err(format!("patch rejected: {reason}")),
            PatchVerdict::Ask { .. } if self.is_granted(ctx.thread_id, &paths) => return Ok(()),
            PatchVerdict::Ask { reason, place, missing } => (reason, place.map(|place| *place), missing),
        };
        let reason = Some(reason).filter(|reason| !reason.is_empty());
        let (changes, offered) = (plan.changes.clone(), place.clone());
        let ask = Ask::Patch { item_id: id.clone(), changes, reason, place: offered, missing };
        match ctx.ask(ask).await {
            Answer::Accept => Ok(()),
            Answer::AcceptForSession | Answer::AcceptForProject | Answer::AcceptAlways => {
                self.judge.allowed(ctx, &paths).await;
                let forgotten = self.judge.forgotten();
                let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
                granted.extend(paths.into_iter().map(|path| (ctx.thread_id, forgotten, path)));
                Ok(())
            }
            answer @ (Answer::Open | Answer::OpenForProject | Answer::OpenAlways) => match place {
                Some(place) => {
                    self.judge.open(ctx, &place.narrow, answer).await;
                    Ok(())
                }
                None => Err(words::REJECTED.into()),
            },
            Answer::Decline => Err(words::REJECTED.into()),
            Answer::Cancel => Err(words::ABORTED.into()),
        }
    }

    fn is_granted(&self, thread: ThreadId, paths: &[PathBuf]) -> bool {
        let forgotten = self.judge.forgotten();
        let granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        paths.iter().all(|path| granted.contains(&(thread, forgotten, path.clone())))
    }

    async fn write(&self, ctx: &ToolContext, id: ItemId, plan: Plan, started: Instant) -> ToolOutput {
        if ctx.cancel.is_cancelled() {
            return self.finish(ctx, id, plan.changes, ItemStatus::Declined, "aborted by user".into()).await;
        }
        let told = ctx
            .undo
            .before_change((ctx.thread_id, ctx.turn_id), &ctx.cwd, ctx.sandbox.writable_roots().to_vec())
            .await;
        if let Some(message) = told {
            ctx.tell(Event::Warning { message }).await;
        }
        let journals = self.journals.clone();
        // Once begun it runs to its end: an interrupt must not leave half a patch.
        let written =
            tasks::blocking("patch write", move || (patch::commit(&plan, Some(&journals)), plan)).await;
        let (result, plan) = match written {
            Ok(written) => written,
            Err(error) => {
                return self.fail(ctx, id, Vec::new(), format!("{UNWRITTEN}{error}")).await;
            }
        };
        match result {
            Ok(committed) => {
                if let Some(message) = committed.unguarded {
                    ctx.tell(Event::Warning { message }).await;
                }
                let text = outcome(started.elapsed(), &patch::report(&plan));
                let diff = self.record(ctx, &plan);
                let item = item(&id, &plan.changes, ItemStatus::Completed, None);
                ctx.tell(Event::ItemCompleted { item }).await;
                ctx.tell(Event::DiffUpdated { diff }).await;
                ToolOutput::Text(text)
            }
            Err(error) => {
                let text = format!("{UNWRITTEN}{error}");
                self.finish(ctx, id, plan.changes, ItemStatus::Failed, text).await
            }
        }
    }

    /// The diff of the turn with this patch in it.
    fn record(&self, ctx: &ToolContext, plan: &Plan) -> String {
        let mut diffs = self.diffs.lock().unwrap_or_else(PoisonError::into_inner);
        let known = diffs.iter().position(|(turn, _)| *turn == ctx.turn_id);
        let (_, mut diff) =
            known.and_then(|at| diffs.remove(at)).unwrap_or_else(|| (ctx.turn_id, TurnDiff::default()));
        diff.record(&plan.touched);
        let text = diff.render(&ctx.cwd);
        diffs.push_back((ctx.turn_id, diff));
        if diffs.len() > MAX_TURNS {
            diffs.pop_front();
        }
        text
    }

    /// Tells an item that never started, and gives its error to the model.
    async fn fail(
        &self,
        ctx: &ToolContext,
        id: ItemId,
        changes: Vec<FileChange>,
        text: String,
    ) -> ToolOutput {
        let item = item(&id, &changes, ItemStatus::InProgress, None);
        ctx.tell(Event::ItemStarted { item }).await;
        self.finish(ctx, id, changes, ItemStatus::Failed, text).await
    }

    /// Tells the end of an item that did not go well.
    async fn finish(
        &self,
        ctx: &ToolContext,
        id: ItemId,
        changes: Vec<FileChange>,
        status: ItemStatus,
        text: String,
    ) -> ToolOutput {
        ctx.tell(Event::ItemCompleted { item: item(&id, &changes, status, Some(text.clone())) }).await;
        ToolOutput::Text(text)
    }
}

impl Tool for ApplyPatch {
    fn name(&self) -> &'static str {
        "apply_patch"
    }

    fn definition(&self) -> Option<serde_json::Value> {
        Some(serde_json::json!({
            "type": "custom",
            "name": self.name(),
            "description": include_str!("../../assets/tools/apply_patch.md"),
            "format": {
                "type": "grammar",
                "syntax": "lark",
                "definition": include_str!("../../assets/tools/apply_patch.lark"),
            },
        }))
    }

    fn parallel(&self) -> bool {
        false
    }

    fn call<'a>(&'a self, ctx: &'a ToolContext, call: ToolCall) -> BoxFuture<'a, ToolOutput> {
        Box::pin(async move {
            match patch_text(&call.payload) {
                Ok(text) => self.apply(ctx, &call.call_id, &ctx.cwd, text).await,
                Err(text) => self.fail(ctx, ItemId::from(call.call_id), Vec::new(), text).await,
            }
        })
    }
}

/// The patch of a call, whichever way it came.
fn patch_text(payload: &Payload) -> Result<String, String> {
    let text = payload.text();
    let is_json = text.trim_start().starts_with('{');
    match (payload, is_json) {
        (Payload::Custom(_), false) => Ok(text.to_owned()),
        (Payload::Function(_), false) if text.trim_start().starts_with("*** ") => Ok(text.to_owned()),
        _ => match serde_json::from_str::<Arguments>(text) {
            Ok(arguments) => Ok(arguments.input),
            Err(error) => Err(format!("failed to parse function arguments: {error}")),
        },
    }
}

fn item(id: &ItemId, changes: &[FileChange], status: ItemStatus, error: Option<String>) -> Item {
    Item::FileChange { id: id.clone(), changes: changes.to_vec(), status, error }
}

/// What the model is told about a patch that was written.
fn outcome(wall: Duration, output: &str) -> String {
    format!("Exit code: 0\nWall time: {:.1} seconds\nOutput:\n{output}", wall.as_secs_f64())
}

#[cfg(test)]
#[path = "apply_patch_tests.rs"]
mod tests;
