//! What a thread keeps and tells: every line of its record, the model's view of it, where it stands. Stored comes
//! before told, so that nothing that was seen can be lost.

use super::calls::Pending;
use super::context::instructions;
use super::errors;
use super::request;
use super::thread::Thread;
use crate::base::ids::TurnId;
use crate::base::tasks;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::Item;
use crate::protocol::model_item::ModelItem;
use crate::protocol::tokens::TokenUsage;
use crate::protocol::turn::{TurnEnd, TurnStatus};
use crate::responses::items::{self, OutputBody, Part};
use crate::threads::{Compacted, Writer};
use crate::tools::tool::ToolOutput;

impl Thread {
    /// Stores a line. A failure is kept until the turn looks: the writer repeats what it could not write.
    pub(crate) fn store(&mut self, write: impl FnOnce(&mut Writer) -> Result<(), crate::threads::Error>) {
        self.unsaved = write(&mut self.writer).err().map(|error| errors::rollout(&error));
    }

    /// Whether everything so far is on disk.
    ///
    /// # Errors
    /// The last write failed: the turn must not go on as if it were safe.
    pub(crate) fn writable(&mut self) -> Result<(), ErrorInfo> {
        self.unsaved.take().map_or(Ok(()), Err)
    }

    /// Makes what was stored durable against a power cut.
    ///
    /// # Errors
    /// Something is not on disk, or may not stay there.
    pub(crate) async fn sync(&mut self) -> Result<(), ErrorInfo> {
        self.writable()?;
        let Some(flush) = self.writer.flush().map_err(|error| errors::rollout(&error))? else {
            return Ok(());
        };
        let done = match tasks::blocking("sync rollout", move || flush.run()).await {
            Ok(done) => done.map_err(|error| errors::not_durable(&error)),
            Err(failed) => Err(errors::internal(&failed)),
        };
        if done.is_err() {
            self.writer.not_synced();
        }
        done
    }

    /// Adds an item to the model's view, in memory and on disk.
    pub(crate) fn remember(&mut self, item: ModelItem) {
        self.store_model_item(&item);
        self.since_compaction += 1;
        self.history.push(item);
    }

    fn store_model_item(&mut self, item: &ModelItem) {
        if self.reviewer.is_none() {
            self.store(|w| w.model_item(item));
        }
    }

    /// Tells a complete item after it was stored.
    pub(crate) async fn complete(&mut self, item: Item) {
        let turn_id = self.turn_id;
        let place = self.readers.positions.of(item.id()).cloned();
        self.store(|w| match &place {
            Some(place) => w.item_at(&item, turn_id, place),
            None => w.item(&item, turn_id),
        });
        self.readers.tell(Event::ItemCompleted { item }).await;
    }

    /// Stores the settings that the turn runs with.
    pub(crate) fn store_settings(&mut self) {
        let settings = &self.settings;
        let stored = crate::threads::Settings {
            turn_id: Some(self.turn_id),
            cwd: Some(settings.cwd.clone()),
            model: Some(settings.model.clone()),
            effort: settings.effort.clone(),
            summary: settings.summary.clone(),
            approval: Some(settings.approval),
            sandbox: Some(settings.sandbox.as_ref().clone()),
        };
        self.store(|w| w.settings(&stored));
    }

    /// Tells the model what of its context is new or changed.
    pub(crate) fn tell_context(&mut self) {
        for item in request::due_context(self, &self.history) {
            self.remember(item);
        }
    }

    /// Goes on with a shorter conversation, in memory and on disk.
    pub(crate) fn replace_history(&mut self, summary: &str, replacement: Vec<ModelItem>) {
        self.window_number += 1;
        let window_number = u64::from(self.window_number);
        if self.reviewer.is_none() {
            self.store(|w| w.compacted(Compacted { message: summary, history: &replacement, window_number }));
        }
        self.history.replace(replacement);
        self.since_compaction = 0;
        let tokens = self.tokens();
        self.threshold.compacted(tokens);
    }

    /// Stores an output as soon as it is known; it joins the history later, in call order.
    pub(crate) fn store_output(&mut self, pending: &Pending, output: ToolOutput) -> ModelItem {
        let item = items::output(&pending.call.call_id, pending.output, &body(output));
        self.store_model_item(&item);
        item
    }

    /// Adds an item that is on disk already.
    pub(crate) fn add_stored(&mut self, item: ModelItem) {
        self.since_compaction += 1;
        self.history.push(item);
    }

    /// Answers every call that has no output, so that the next request is accepted.
    pub(crate) fn close_open_calls(&mut self, text: &str) {
        for (call_id, output) in self.history.open_calls() {
            let item = items::output(&call_id, output, &OutputBody::Text(text.to_owned()));
            self.remember(item);
        }
    }

    /// Ends a turn that a crash cut off: the record gets its end, the model a note.
    pub(crate) fn end_lost_turn(&mut self, turn_id: TurnId) {
        self.remember(items::harness(instructions::TURN_LOST.trim_end()));
        let end = TurnEnd {
            turn_id,
            status: TurnStatus::Interrupted,
            error: None,
            usage: TokenUsage::default(),
            last_message: None,
            duration_ms: 0,
            price: Vec::new(),
            changed: None,
            network: Default::default(),
            price_so_far: false,
        };
        self.store(|w| w.turn_completed(&end));
    }

    /// Leaves the note that tells the model about an interrupt.
    pub(crate) fn remember_aborted(&mut self) {
        self.remember(items::harness(instructions::TURN_ABORTED.trim_end()));
    }

    /// Adds an answer's usage and tells where the thread stands.
    pub(crate) async fn count(&mut self, usage: TokenUsage) {
        self.usage.total.add(&usage);
        self.history.counted(usage.total_tokens);
        self.tell_usage(usage).await;
    }

    /// Tells and stores where the thread stands; `last` is how full its context is.
    pub(crate) async fn tell_usage(&mut self, last: TokenUsage) {
        self.usage.last = last;
        self.usage.context_window = Some(self.settings.context_window);
        let (now, limits) = (self.usage, self.limits.take());
        let spent = self.ledger.spent(&self.services);
        self.store(|w| w.usage(Some(&now), limits.as_ref(), &spent));
        self.limits = limits;
        self.readers.tell(Event::Usage(now)).await;
    }
}

/// A tool's answer in the words of the wire.
fn body(output: ToolOutput) -> OutputBody {
    match output {
        ToolOutput::Text(text) => OutputBody::Text(text),
        ToolOutput::Image { url } => {
            OutputBody::Parts(vec![Part::InputImage { image_url: url, detail: Some("original") }])
        }
    }
}
