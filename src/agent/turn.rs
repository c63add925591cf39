//! One turn: request, stream, calls, again, until the model has answered. Everything that waits also listens to
//! ops, so that an interrupt or more input is heard at once.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::mpsc;

use super::calls;
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
use crate::protocol::op::Op;
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};
use crate::responses::{TurnState, items};

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
    pub(super) ops: &'a mut mpsc::Receiver<Op>,
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
        self.thread.registry.commands().sessions.turn_begins();
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

    /// Whether a compaction may get the same request through.
    pub(super) fn can_help(&self, error: &ErrorInfo) -> bool {
        error.kind == ErrorKind::ContextTooLong && !self.overflowed
    }

    pub(super) async fn count(&mut self, usage: TokenUsage) {
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
        let (running, own) = self.thread.registry.commands().sessions.run_on();
        if let Some(message) = self.thread.services.undo.after_turn(self.thread.id, running, own).await {
            self.thread.readers.tell(Event::Warning { message }).await;
        }
        self.thread.tell_sessions(false).await;
        self.thread.readers.tell(Event::TurnCompleted(Box::new(end))).await;
        let mut left_over = std::mem::take(&mut self.later);
        let inputs = std::mem::take(&mut self.steering).into_iter();
        left_over.extend(inputs.map(|input| Op::UserTurn { input, output_schema: None }));
        Finished { closing: self.closing, left_over }
    }
}
