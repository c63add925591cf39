//! One turn: request, stream, calls, again, until the model has answered. Everything that waits also listens to
//! ops, so that an interrupt or more input is heard at once. The conversation is committed attempt by attempt:
//! what an attempt brought is stored when the service has said that it is complete, never half.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::calls;
use super::ingest::{Ingest, Step};
use super::past;
use super::request;
use super::thread::Thread;
use super::user_shell;
use crate::base::ids::{ItemId, TurnId};
use crate::base::tasks::CancellationToken;
use crate::protocol::ask::Answer;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::item::Item;
use crate::protocol::limits::LimitsSnapshot;
use crate::protocol::op::Op;
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};
use crate::responses::{ResponseEvent, ResponseStream, TurnState, items};

/// Why a turn ends before its answer.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The user interrupted, or the thread is closing.
    Interrupted,
    /// Something failed for good.
    Failed(ErrorInfo),
}

impl From<ErrorInfo> for Stop {
    fn from(error: ErrorInfo) -> Self {
        Self::Failed(error)
    }
}

/// A running turn.
pub(crate) struct Turn<'a> {
    pub(crate) thread: &'a mut Thread,
    ops: &'a mut mpsc::Receiver<Op>,
    pub(crate) id: TurnId,
    /// Fires on interrupt; every call of the turn holds a child of it.
    pub(crate) cancel: CancellationToken,
    /// Input that arrived while the turn ran and is not yet part of the conversation.
    steering: Vec<Vec<UserInput>>,
    /// Ops that must wait for the turn's end.
    later: Vec<Op>,
    /// A value of the server's that its requests of this turn repeat.
    pub(crate) state: TurnState,
    pub(crate) schema: Option<serde_json::Value>,
    /// The thread was asked to end, or nobody holds its door any more.
    closing: bool,
    usage: TokenUsage,
    pub(super) last_message: Option<String>,
    /// The service said "too long" and we compacted for it; once per turn.
    pub(super) overflowed: bool,
}

/// What a finished turn leaves to its thread.
pub(crate) struct Finished {
    /// The thread is to end.
    pub(crate) closing: bool,
    /// What the turn could not take: input that came too late, changes of settings.
    pub(crate) left_over: Vec<Op>,
}

impl<'a> Turn<'a> {
    /// A turn that has not begun.
    pub(crate) fn new(
        thread: &'a mut Thread,
        ops: &'a mut mpsc::Receiver<Op>,
        schema: Option<serde_json::Value>,
    ) -> Self {
        Self {
            thread,
            ops,
            id: TurnId::new(),
            cancel: CancellationToken::new(),
            steering: Vec::new(),
            later: Vec::new(),
            state: TurnState::default(),
            schema,
            closing: false,
            usage: TokenUsage::default(),
            last_message: None,
            overflowed: false,
        }
    }

    /// Runs the turn for `input` to its end.
    pub(crate) async fn run(mut self, input: Vec<UserInput>) -> Finished {
        let started = Instant::now();
        let result = match self.begin().await {
            Ok(()) => self.answer(input).await,
            Err(stop) => Err(stop),
        };
        self.end(result, started).await
    }

    /// Runs a turn that only summarises the conversation.
    pub(crate) async fn run_compaction(mut self) -> Finished {
        let started = Instant::now();
        let result = match self.begin().await {
            Ok(()) => self.compact().await,
            Err(stop) => Err(stop),
        };
        self.end(result, started).await
    }

    async fn begin(&mut self) -> Result<(), Stop> {
        self.open().await?;
        self.thread.tell_context();
        let undo = Arc::clone(&self.thread.services.undo);
        if let Some(news) = undo.news(&self.thread.settings.cwd, self.thread.id).await {
            self.thread.remember(items::harness(news));
        }
        self.thread.writable()?;
        Ok(())
    }

    /// Begins the turn on disk and for the readers.
    pub(super) async fn open(&mut self) -> Result<(), Stop> {
        self.thread.turn_id = self.id;
        self.thread.changed = None;
        self.thread.ledger.begin(&self.thread.services);
        // Before the turn's own lines: it may have to end an earlier turn.
        let ready = past::ready(self.thread).await;
        let (id, window) = (self.id, self.thread.settings.context_window);
        self.thread.store(|w| w.turn_started(id, Some(window)));
        self.thread.readers.tell(Event::TurnStarted { turn_id: self.id }).await;
        ready?;
        self.thread.store_settings();
        self.thread.writable()?;
        Ok(())
    }

    async fn answer(&mut self, input: Vec<UserInput>) -> Result<(), Stop> {
        self.user_message(input).await?;
        loop {
            self.compact_if_due().await?;
            self.thread.ledger.check(&self.thread.services).await?;
            let stream =
                request::turn_stream(self.thread, self.id, &self.state, self.schema.as_ref(), &self.cancel);
            let sampled = match self.sample(stream, true).await {
                Err(Stop::Failed(error)) if self.can_help(&error) => {
                    self.overflowed = true;
                    self.compact().await?;
                    continue;
                }
                other => other?,
            };
            let calls = self.commit(sampled).await?;
            let called = !calls.is_empty();
            if called {
                calls::run(self, calls).await?;
                self.thread.tell_sessions(false).await;
            }
            user_shell::record(self.thread, false).await;
            let steered = self.take_steering().await?;
            if !called && !steered {
                return Ok(());
            }
        }
    }

    /// Adds the user's input to the conversation and to the disk, before any request carries it.
    async fn user_message(&mut self, input: Vec<UserInput>) -> Result<(), Stop> {
        user_shell::record(self.thread, false).await;
        let id = ItemId::with_prefix("msg");
        let message = super::input::message(&id, &input, &self.thread.settings.cwd).await?;
        let item = Item::UserMessage { id, content: input };
        self.thread.readers.tell(Event::ItemStarted { item: item.clone() }).await;
        self.thread.remember(message);
        self.thread.complete(item).await;
        self.thread.writable()?;
        Ok(())
    }

    async fn take_steering(&mut self) -> Result<bool, Stop> {
        let inputs = std::mem::take(&mut self.steering);
        let steered = !inputs.is_empty();
        for input in inputs {
            self.user_message(input).await?;
        }
        Ok(steered)
    }

    /// One answer of the model, with all the retries it takes. An answer that is not `visible` (the note of a
    /// compaction) is not shown while it is written, and never stored.
    ///
    /// # Errors
    /// The turn ends without an answer: interrupted, or every attempt failed.
    pub(crate) async fn sample(&mut self, mut stream: ResponseStream, visible: bool) -> Result<Ingest, Stop> {
        let mut ingest = Ingest::default();
        loop {
            let event = tokio::select! {
                biased; // ops first: an interrupt must not wait behind a flood of deltas
                op = self.ops.recv() => {
                    self.on_op(op);
                    if self.cancel.is_cancelled() {
                        self.salvage(ingest, visible).await;
                        return Err(Stop::Interrupted);
                    }
                    continue;
                }
                Some(event) = self.thread.tool_events.recv() => {
                    self.thread.on_tool_event(event).await;
                    continue;
                }
                event = stream.next() => match event {
                    Some(event) => event,
                    // Only a cancelled stream ends without an end event.
                    None => {
                        self.salvage(ingest, visible).await;
                        return Err(Stop::Interrupted);
                    }
                },
                () = self.thread.readers.flush(), if self.thread.readers.holding() => continue,
            };
            if let ResponseEvent::Model(name) = &event {
                self.answered_by(name).await;
            }
            match ingest.on(event, &mut self.thread.seen_ids) {
                Step::Tell(events) => {
                    for event in events.into_iter().filter(|e| visible || !is_item(e)) {
                        if let Event::Limits(limits) = &event {
                            self.limits_told(limits).await;
                        }
                        self.thread.readers.tell(event).await;
                    }
                }
                Step::Complete(usage) => {
                    if let Some(usage) = usage {
                        self.count(usage).await;
                    }
                    return Ok(ingest);
                }
                Step::Failed { error, usage } => {
                    if let Some(usage) = usage {
                        self.count(usage).await;
                    }
                    if visible && self.can_help(&error) {
                        // It will be sent again: what was written so far comes anew.
                        for event in ingest.drop_attempt() {
                            self.thread.readers.tell(event).await;
                        }
                    } else {
                        self.salvage(ingest, visible).await;
                    }
                    return Err(Stop::Failed(error));
                }
            }
        }
    }

    /// The service may answer with another model than the one that was asked; that is said once for each.
    async fn answered_by(&mut self, name: &str) {
        let asked = &self.thread.settings.model;
        if is_model(name, asked) || self.thread.answered_by.as_deref() == Some(name) {
            return;
        }
        let message = format!("The service answers with {name} instead of {asked}.");
        self.thread.answered_by = Some(name.to_owned());
        self.thread.readers.tell(Event::Warning { message }).await;
    }

    /// Limits go into the cache that all processes share; those of the main family also into the rollout.
    async fn limits_told(&mut self, limits: &LimitsSnapshot) {
        if limits.limit_id.as_deref().is_none_or(|id| id == "codex") {
            self.thread.limits = Some(limits.clone());
        }
        if let Some(cache) = &self.thread.services.limits {
            cache.record(vec![limits.clone()]).await;
            if let Some(priced) = self.thread.ledger.told(&self.thread.services) {
                self.thread.priced(priced).await;
            }
        }
    }

    /// Whether a compaction may get the same request through.
    pub(super) fn can_help(&self, error: &ErrorInfo) -> bool {
        error.kind == ErrorKind::ContextTooLong && !self.overflowed
    }

    /// Keeps the text of an attempt that will not be repeated: the user saw it.
    async fn salvage(&mut self, ingest: Ingest, visible: bool) {
        if !visible {
            return;
        }
        let (kept, dropped) = ingest.salvage();
        for event in dropped {
            self.thread.readers.tell(event).await;
        }
        for (message, item) in kept {
            self.thread.remember(message);
            self.thread.complete(item).await;
        }
    }

    /// Stores what a complete attempt brought; returns the calls to carry out.
    async fn commit(&mut self, ingest: Ingest) -> Result<Vec<calls::Pending>, Stop> {
        let mut pending = Vec::new();
        let (done, dropped) = ingest.into_done();
        for event in dropped {
            self.thread.readers.tell(event).await;
        }
        for done in done {
            if let Some(text) = done.answer() {
                self.last_message = Some(text.to_owned());
            }
            self.thread.remember(done.model_item);
            if let Some(item) = done.item {
                self.thread.complete(item).await;
            }
            pending.extend(done.call);
        }
        self.thread.writable()?;
        Ok(pending)
    }

    async fn count(&mut self, usage: TokenUsage) {
        self.usage.add(&usage);
        self.thread.count(usage).await;
    }

    /// What an op means while a turn runs.
    pub(crate) fn on_op(&mut self, op: Option<Op>) {
        match op {
            Some(Op::UserTurn { input, output_schema }) => {
                self.steering.push(input);
                self.schema = output_schema.or(self.schema.take());
            }
            Some(Op::Interrupt) => {
                user_shell::interrupt(self.thread);
                self.cancel.cancel();
            }
            Some(Op::Note(note)) => self.thread.store(|w| w.note(&note)),
            Some(Op::UserShell { command }) => user_shell::start(self.thread, command),
            // Those of the thread; a reviewer's own end with it.
            Some(op @ Op::StopSessions) if self.thread.reviewer.is_some() => self.later.push(op),
            Some(Op::StopSessions) => self.thread.registry.commands().sessions.stop(),
            Some(op @ Op::TakeBack) => {
                // At once for what the turn still wants; told when it has ended.
                self.thread.roots.forget();
                self.later.push(op);
            }
            Some(op @ (Op::Configure(_) | Op::Rewind { .. } | Op::Sessions | Op::Review { .. })) => {
                self.later.push(op)
            }
            Some(Op::Answer { id, answer }) => {
                if self.thread.asks.answer(id, answer) && answer == Answer::Cancel {
                    self.cancel.cancel();
                }
            }
            // Compaction comes by itself when it is needed; between turns the op does it at once.
            Some(Op::Compact) => {}
            Some(Op::Shutdown) | None => {
                self.closing = true;
                self.cancel.cancel();
            }
        }
    }

    /// Splits the turn for waits that need ops and thread at once.
    pub(crate) fn parts(&mut self) -> (&mut Thread, &mut mpsc::Receiver<Op>) {
        (self.thread, self.ops)
    }

    pub(super) async fn end(mut self, result: Result<(), Stop>, started: Instant) -> Finished {
        self.cancel.cancel();
        self.thread.settle(matches!(result, Err(Stop::Interrupted)) || self.closing).await;
        for id in self.thread.asks.cancel_all() {
            self.thread.readers.tell(Event::AskResolved { id }).await;
        }
        let (status, error) = match result {
            Ok(()) => (TurnStatus::Completed, None),
            Err(Stop::Interrupted) => (TurnStatus::Interrupted, None),
            Err(Stop::Failed(error)) => (TurnStatus::Failed, Some(error)),
        };
        self.thread.close_open_calls("aborted");
        if status == TurnStatus::Interrupted {
            self.thread.remember_aborted();
        }
        let completed = status == TurnStatus::Completed;
        let (price, price_so_far) = self.thread.ledger.end(&self.thread.services, self.id, completed);
        let mut end = TurnEnd {
            turn_id: self.id,
            status,
            error,
            usage: self.usage,
            last_message: self.last_message.take(),
            duration_ms: started.elapsed().as_millis() as u64,
            price,
            changed: self.thread.changed.take(),
            network: std::mem::take(&mut self.thread.visits),
            price_so_far,
        };
        self.thread.store(|w| w.turn_completed(&end));
        if let (Err(error), TurnStatus::Completed) = (self.thread.sync().await, status) {
            end.status = TurnStatus::Failed;
            end.error = Some(error);
        }
        let running = self.thread.registry.commands().sessions.count() > 0;
        self.thread.services.undo.after_turn(self.thread.id, running).await;
        self.thread.tell_sessions(false).await;
        self.thread.readers.tell(Event::TurnCompleted(Box::new(end))).await;
        let mut left_over = std::mem::take(&mut self.later);
        let inputs = std::mem::take(&mut self.steering).into_iter();
        left_over.extend(inputs.map(|input| Op::UserTurn { input, output_schema: None }));
        Finished { closing: self.closing, left_over }
    }
}

/// Whether the name of the model that answers means the one that was asked: itself, or a dated version of it.
fn is_model(name: &str, asked: &str) -> bool {
    let (name, asked) = (name.to_ascii_lowercase(), asked.to_ascii_lowercase());
    let date = name.strip_prefix(asked.as_str()).map(|rest| rest.trim_start_matches(['-', '@']));
    date.is_some_and(|date| date.chars().all(|c| c.is_ascii_digit() || c == '-'))
}

/// Whether an event shows an item.
fn is_item(event: &Event) -> bool {
    matches!(event, Event::ItemStarted { .. } | Event::ItemDelta { .. } | Event::ItemDropped { .. })
}

#[cfg(test)]
mod tests {
    use super::is_model;

    #[test]
    fn a_dated_version_is_the_same_model() {
        for (name, asked, same) in [
            ("gpt-5.5", "gpt-5.5", true),
            ("GPT-5.5", "gpt-5.5", true),
            ("gpt-5.5-2026-04-01", "gpt-5.5", true),
            ("gpt-5.5-mini", "gpt-5.5", false),
            ("gpt-5.2", "gpt-5.5", false),
            ("gpt-5", "gpt-5.5", false),
        ] {
            assert_eq!(is_model(name, asked), same, "{name} for {asked}");
        }
    }
}
