//! A review: a conversation of its own inside a turn, with its own instructions, few tools and commands that only
//! read. The thread lends itself to it: history, settings and tools are exchanged for the reviewer's and put back
//! whatever happens. What the reviewer does is shown and kept as items; of what it said only the result stays in the
//! thread's conversation.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::calls::{self, Pending};
use super::compact::Threshold;
use super::configure;
use super::context::instructions;
use super::errors;
use super::history::History;
use super::ingest::Ingest;
use super::live_roots::LiveRoots;
use super::request;
use super::settings::Settings;
use super::thread::Thread;
use super::toolbox::Toolbox;
use super::turn::{Finished, Stop, Turn};
use crate::base::clean;
use crate::base::ids::{ItemId, ThreadId};
use crate::base::tasks;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::item::{Item, MessagePhase};
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};
use crate::protocol::review::{self, Output, Target};
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::Change;
use crate::responses::items::{self, Part};
use crate::tools::registry::Registry;
use crate::workspace::commits;

/// Characters of a name or title that the reviewer is told.
const NAME: usize = 200;

/// What the thread has besides the reviewer's, while it lends itself.
struct Lent {
    history: History,
    settings: Settings,
    registry: Arc<Registry>,
    roots: LiveRoots,
    threshold: Threshold,
    since_compaction: usize,
    window_number: u32,
    last_usage: TokenUsage,
}

impl Turn<'_> {
    /// Runs a turn that reviews `target`.
    pub(crate) async fn run_review(mut self, target: Target) -> Finished {
        let started = Instant::now();
        let result = match self.open().await {
            Ok(()) => self.review(target).await,
            Err(stop) => Err(stop),
        };
        self.end(result, started).await
    }

    async fn review(&mut self, target: Target) -> Result<(), Stop> {
        let cwd = self.thread.settings.cwd.clone();
        let (wanted, hidden) = (target.clone(), Arc::clone(&self.thread.services.secret_env));
        let asked = tasks::blocking("look at git", move || question(&cwd, &hidden, wanted)).await;
        let (target, prompt) = asked.map_err(|failed| errors::internal(&failed))??;
        let (id, words) = (ItemId::with_prefix("rev"), target.words());
        let item = Item::EnteredReviewMode { id, review: words.clone(), target: Some(target) };
        self.thread.readers.tell(Event::ItemStarted { item: item.clone() }).await;
        self.thread.complete(item).await;
        let lent = lend(self.thread);
        let answer = self.ask_reviewer(prompt).await;
        self.thread.settle(true).await;
        give_back(self.thread, lent).await;
        let output = answer.as_deref().ok().map(Output::of_answer);
        let why = match &answer {
            Err(Stop::Failed(error)) => format!(" {}", error.message),
            Err(Stop::Interrupted) => " The developer stopped it.".to_owned(),
            Ok(_) => String::new(),
        };
        self.keep(&words, &why, output).await;
        answer?;
        self.thread.writable()?;
        Ok(())
    }

    /// What stays of the review in the conversation and on the screen.
    async fn keep(&mut self, words: &str, why: &str, output: Option<Output>) {
        let text = output.as_ref().map_or_else(|| review::WITHOUT_RESULT.to_owned(), Output::text);
        let result = instructions::REVIEW_RESULT.trim_end().replace("{{target}}", words);
        let result = result.replace("{{results}}", &format!("{text}{why}"));
        self.thread.remember(items::harness(result));
        let answered = output.is_some();
        let item = Item::ExitedReviewMode { id: ItemId::with_prefix("rev"), review: text.clone(), output };
        self.thread.readers.tell(Event::ItemStarted { item: item.clone() }).await;
        self.thread.complete(item).await;
        if answered {
            self.thread.remember(items::assistant(&text));
            let id = ItemId::with_prefix("msg");
            let phase = Some(MessagePhase::FinalAnswer);
            self.thread.complete(Item::AgentMessage { id, text: text.clone(), phase }).await;
            self.last_message = Some(text);
        }
    }

    /// The reviewer's answer, after as many steps as it takes.
    async fn ask_reviewer(&mut self, prompt: String) -> Result<String, Stop> {
        self.thread.tell_context();
        self.thread.remember(items::user(&ItemId::with_prefix("msg"), &[Part::text(prompt)]));
        loop {
            self.compact_if_due().await?;
            self.thread.ledger.check(&self.thread.services).await?;
            let stream = request::turn_stream(self.thread, self.id, &self.state, None, &self.cancel);
            let sampled = match self.sample(stream, false).await {
                Err(Stop::Failed(error)) if self.can_help(&error) => {
                    self.overflowed = true;
                    self.compact().await?;
                    continue;
                }
                other => other?,
            };
            let (calls, answer) = self.heard(sampled).await?;
            if calls.is_empty() {
                return Ok(answer);
            }
            calls::run(self, calls).await?;
        }
    }

    /// Takes what a complete attempt brought: remarks on the way are shown, the last message is the answer.
    async fn heard(&mut self, ingest: Ingest) -> Result<(Vec<Pending>, String), Stop> {
        let (done, _) = ingest.into_done();
        let called = done.iter().any(|done| done.call.is_some());
        let (mut pending, mut answer) = (Vec::new(), String::new());
        for done in done {
            match done.answer() {
                Some(text) if !called => answer = text.to_owned(),
                _ => {
                    if let Some(item) = done.item {
                        self.thread.complete(item).await;
                    }
                }
            }
            self.thread.remember(done.model_item);
            pending.extend(done.call);
        }
        self.thread.writable()?;
        Ok((pending, answer))
    }
}

/// What a reviewer's commands may touch in a thread with this policy: nothing, unless the user has said that nothing
/// is to be confined, or can be.
pub(crate) fn sandbox(policy: &SandboxPolicy) -> SandboxPolicy {
    match policy {
        SandboxPolicy::DangerFullAccess => SandboxPolicy::DangerFullAccess,
        _ => SandboxPolicy::ReadOnly { network_access: false },
    }
}

/// Exchanges what belongs to the thread for what belongs to a reviewer.
fn lend(thread: &mut Thread) -> Lent {
    let change = Change {
        model: thread.config.model.review.clone(),
        approval: Some(ApprovalPolicy::Never),
        sandbox: Some(sandbox(&thread.settings.sandbox)),
        ..Change::default()
    };
    let mut config = configure::changed(&thread.config, change);
    config.git_writes = false;
    config.model.base_instructions = Some(instructions::REVIEW.to_owned());
    (config.model.instructions, config.model.developer_instructions) = (None, None);
    let tmpdir = thread.services.tmpdir.clone();
    let settings = Settings::resolve(&config, tmpdir.as_deref(), &thread.settings.shell, String::new());
    let Toolbox { registry, roots } = Toolbox::of_reviewer(&config, &settings, &thread.services);
    thread.reviewer = Some(ThreadId::new());
    Lent {
        history: std::mem::take(&mut thread.history),
        settings: std::mem::replace(&mut thread.settings, settings),
        registry: std::mem::replace(&mut thread.registry, Arc::new(registry)),
        roots: std::mem::replace(&mut thread.roots, roots),
        threshold: std::mem::take(&mut thread.threshold),
        since_compaction: std::mem::take(&mut thread.since_compaction),
        window_number: std::mem::take(&mut thread.window_number),
        last_usage: thread.usage.last,
    }
}

/// Puts it back. The context is as full as it was before.
async fn give_back(thread: &mut Thread, lent: Lent) {
    thread.reviewer = None;
    thread.history = lent.history;
    thread.settings = lent.settings;
    thread.registry = lent.registry;
    thread.roots = lent.roots;
    thread.threshold = lent.threshold;
    thread.since_compaction = lent.since_compaction;
    thread.window_number = lent.window_number;
    thread.tell_usage(lent.last_usage).await;
}

/// The target with all that git knows of it, and what the reviewer is asked. Blocks.
fn question(cwd: &Path, hidden: &[String], target: Target) -> Result<(Target, String), ErrorInfo> {
    let failed = |error: commits::Error| ErrorInfo::new(ErrorKind::BadRequest, error.to_string());
    Ok(match target {
        Target::UncommittedChanges => {
            commits::inside(cwd, hidden).map_err(failed)?;
            (target, prompt(&Target::UncommittedChanges, None))
        }
        Target::BaseBranch { .. } | Target::Commit { .. } => located(cwd, hidden, target).map_err(failed)?,
        Target::Custom { ref instructions } if instructions.trim().is_empty() => {
            return Err(ErrorInfo::new(ErrorKind::BadRequest, "There is nothing to review: say what."));
        }
        Target::Custom { .. } => {
            let text = prompt(&target, None);
            (target, text)
        }
    })
}

fn located(cwd: &Path, hidden: &[String], target: Target) -> Result<(Target, String), commits::Error> {
    Ok(match target {
        Target::BaseBranch { branch } => {
            let base = commits::merge_base(cwd, hidden, &branch)?;
            let target = Target::BaseBranch { branch: clean::line(&branch, NAME) };
            let text = prompt(&target, Some(&base));
            (target, text)
        }
        Target::Commit { sha, title } => {
            let found = commits::commit(cwd, hidden, &sha)?;
            let title = title.map(|title| clean::line(&title, NAME)).filter(|title| !title.is_empty());
            let title = title.or(Some(found.title)).filter(|title| !title.is_empty());
            let target = Target::Commit { sha: found.sha.clone(), title };
            let text = prompt(&target, Some(&found.sha));
            (target, text)
        }
        other => (other, String::new()),
    })
}

/// What the reviewer is asked; `commit` is the merge base or the commit itself. Pure.
fn prompt(target: &Target, commit: Option<&str>) -> String {
    let commit = commit.unwrap_or("HEAD");
    match target {
        Target::UncommittedChanges => "Review the uncommitted changes of this repository: what is staged, what is \
            not, and new files that git does not track yet. `git status --short`, `git diff` and `git diff --cached` \
            show them; new files have to be read."
            .to_owned(),
        Target::BaseBranch { branch } => format!(
            "Review what the present work would bring into the branch '{branch}'. Both parted at commit {commit}: \
             `git diff {commit}` shows the changes, uncommitted ones included."
        ),
        Target::Commit { title, .. } => {
            let title = title.as_ref().map(|title| format!(" (\"{title}\")")).unwrap_or_default();
            format!("Review what commit {commit}{title} changed: `git show {commit}` shows it.")
        }
        Target::Custom { instructions } => instructions.trim().to_owned(),
    }
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
