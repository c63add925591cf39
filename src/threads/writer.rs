//! The one owner of a live thread's file. Every method returns when its lines are in the system's page cache,
//! where a killed program cannot take them back; what must outlive a power cut is fsynced through [`Flush`], on
//! a blocking task. The file comes into being with the first line, so that a thread nobody used leaves nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::value::RawValue;

use super::append::Queue;
use super::error::Error;
use super::file::{self, Flush, Open};
use super::line::Batch;
use super::meta::NewThread;
use super::repair::Mended;
use super::settings::{ContextOut, Settings};
use super::written;
use crate::base::clock::Clock;
use crate::base::ids::{ThreadId, TurnId};
use crate::protocol::item::Item;
use crate::protocol::limits::{LimitsSnapshot, Price};
use crate::protocol::model_item::ModelItem;
use crate::protocol::note::{Note, Place};
use crate::protocol::tokens::ThreadUsage;
use crate::protocol::turn::TurnEnd;

/// Bytes of notes that wait for the first turn.
const MAX_EARLY: usize = 256 << 10;

/// Appends the lines of one thread.
pub(crate) struct Writer {
    clock: Arc<dyn Clock>,
    state: State,
    /// Lines that wait for the disk.
    queue: Queue,
    /// Notes from before the first turn: they do not make a thread.
    early: Vec<u8>,
}

enum State {
    /// Nothing is ever written.
    Off,
    /// No line yet.
    Waiting { home: PathBuf, thread: Box<NewThread> },
    /// The file is there.
    Open(Open),
}

/// The history begins anew: what the model sees from here on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Compacted<'a> {
    /// The summary with its introduction; empty when the server keeps it encrypted.
    pub(crate) message: &'a str,
    /// All items the model sees from here on.
    pub(crate) history: &'a [ModelItem],
    /// How often this thread was summarised, this time included.
    pub(crate) window_number: u64,
}

#[derive(Serialize)]
struct CompactedOut<'a> {
    message: &'a str,
    replacement_history: Vec<&'a RawValue>,
    window_number: u64,
}

impl Writer {
    /// A writer for a thread that has no file yet.
    pub(crate) fn create(home: &Path, thread: NewThread, clock: Arc<dyn Clock>) -> Self {
        let state = State::Waiting { home: home.to_owned(), thread: Box::new(thread) };
        Self { clock, state, queue: Queue::default(), early: Vec::new() }
    }

    /// A writer that keeps nothing.
    pub(crate) fn ephemeral(clock: Arc<dyn Clock>) -> Self {
        Self { clock, state: State::Off, queue: Queue::default(), early: Vec::new() }
    }

    /// Continues a stored thread in its file. A torn end is mended first, and told.
    ///
    /// # Errors
    /// Somebody else writes the thread, or the file cannot be opened.
    pub(crate) fn reopen(
        home: &Path,
        id: ThreadId,
        path: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, Mended), Error> {
        let (open, mended) = file::reopen(home, id, path)?;
        Ok((Self { clock, state: State::Open(open), queue: Queue::default(), early: Vec::new() }, mended))
    }

    /// The file, once there is one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.state {
            State::Open(open) => Some(&open.path),
            State::Off | State::Waiting { .. } => None,
        }
    }

    /// A turn begins. `window` is the usable context in tokens.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn turn_started(&mut self, turn_id: TurnId, window: Option<u64>) -> Result<(), Error> {
        let now_s = self.clock.now_s();
        self.put(|batch| written::push_turn_start(batch, turn_id, now_s, window))
    }

    /// The settings a turn runs with.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn settings(&mut self, settings: &Settings) -> Result<(), Error> {
        self.put(|batch| batch.push("turn_context", ContextOut::new(settings)))
    }

    /// An entry of what the model sees, byte for byte.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn model_item(&mut self, item: &ModelItem) -> Result<(), Error> {
        self.put(|batch| batch.push("response_item", &*item.json))
    }

    /// A complete item of a turn. Items that are not complete, or have nothing to show, are not stored.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn item(&mut self, item: &Item, turn_id: TurnId) -> Result<(), Error> {
        self.put(|batch| written::push_item(batch, item, turn_id, None))
    }

    /// The same, of an item that was shown in a place other than the one where its line stands.
    pub(crate) fn item_at(&mut self, item: &Item, turn_id: TurnId, place: &Place) -> Result<(), Error> {
        self.put(|batch| written::push_item(batch, item, turn_id, Some(place)))
    }

    /// A line that the user saw beside the items. It makes no file of a thread that has none: it waits for the first
    /// turn, within bounds.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn note(&mut self, note: &Note) -> Result<(), Error> {
        if !matches!(self.state, State::Waiting { .. }) {
            return self.put(|batch| written::push_note(batch, note));
        }
        let mut batch = Batch::new(self.clock.now_ms());
        written::push_note(&mut batch, note)?;
        if self.early.len() + batch.bytes().len() <= MAX_EARLY {
            self.early.extend_from_slice(batch.bytes());
        }
        Ok(())
    }

    /// Tokens and limits as they stand, and what the thread has used of the limits.
    pub(crate) fn usage(
        &mut self,
        usage: Option<&ThreadUsage>,
        limits: Option<&LimitsSnapshot>,
        spent: &[Price],
    ) -> Result<(), Error> {
        self.put(|batch| written::push_usage(batch, usage, limits, spent))
    }

    /// What a turn cost in all, and what the thread has used of the limits.
    pub(crate) fn turn_priced(
        &mut self,
        turn_id: TurnId,
        price: &[Price],
        spent: &[Price],
    ) -> Result<(), Error> {
        self.put(|batch| written::push_turn_price(batch, turn_id, price, spent))
    }

    /// The history begins anew.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn compacted(&mut self, compacted: Compacted<'_>) -> Result<(), Error> {
        self.put(|batch| {
            let payload = CompactedOut {
                message: compacted.message,
                replacement_history: compacted.history.iter().map(|item| &*item.json).collect(),
                window_number: compacted.window_number,
            };
            batch.push("compacted", payload)
        })
    }

    /// Whole lines of another thread, as they are, each with its end.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn copied(&mut self, lines: &[u8]) -> Result<(), Error> {
        self.append(lines)
    }

    /// The last turns, counted by the user's messages, were taken back.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn rolled_back(&mut self, turns: u32) -> Result<(), Error> {
        self.put(|batch| written::push_rolled_back(batch, turns))
    }

    /// A turn ended, however it ended.
    ///
    /// # Errors
    /// The disk refused; the lines wait for the next attempt.
    pub(crate) fn turn_completed(&mut self, end: &TurnEnd) -> Result<(), Error> {
        let now_ms = self.clock.now_ms();
        self.put(|batch| written::push_turn_end(batch, end, now_ms))
    }

    /// Tries again to write what waits.
    ///
    /// # Errors
    /// The disk still refuses; the lines still wait.
    pub(crate) fn retry(&mut self) -> Result<(), Error> {
        if self.queue.is_empty() { Ok(()) } else { self.append(&[]) }
    }

    /// Bytes that wait for the disk; 0 when all is well.
    #[cfg(test)]
    pub(crate) fn unsaved(&self) -> usize {
        self.queue.len()
    }

    /// The fsync for everything written so far; `None` when there is no file, or nothing new since the last one:
    /// each makes the disk empty its cache, and the user waits for it. Folders are synced once.
    ///
    /// # Errors
    /// Lines wait that the disk refuses, or no file handles are left.
    pub(crate) fn flush(&mut self) -> Result<Option<Flush>, Error> {
        self.retry()?;
        let State::Open(open) = &mut self.state else { return Ok(None) };
        if !open.unsynced {
            return Ok(None);
        }
        let file = open.appender.storage().try_clone().map_err(Error::io("sync", &open.path))?;
        open.unsynced = false;
        Ok(Some(Flush { file, dirs: std::mem::take(&mut open.fresh_dirs) }))
    }

    /// The last fsync failed: the next [`Writer::flush`] asks for it again.
    pub(crate) fn not_synced(&mut self) {
        if let State::Open(open) = &mut self.state {
            open.unsynced = true;
        }
    }

    fn put(&mut self, fill: impl FnOnce(&mut Batch) -> serde_json::Result<()>) -> Result<(), Error> {
        if matches!(self.state, State::Off) {
            return Ok(());
        }
        let mut batch = Batch::new(self.clock.now_ms());
        fill(&mut batch)?;
        if batch.bytes().is_empty() { Ok(()) } else { self.append(batch.bytes()) }
    }

    /// Appends what waits and `lines`, in one write. What fails waits again.
    fn append(&mut self, lines: &[u8]) -> Result<(), Error> {
        let mut all = self.queue.take();
        let before = all.len();
        all.extend_from_slice(lines);
        let Err(error) = self.append_now(&all) else { return Ok(()) };
        if self.queue.add(&all) {
            return Err(error);
        }
        all.truncate(before);
        self.queue.add(&all);
        Err(Error::QueueFull { queued_bytes: self.queue.len() })
    }

    fn append_now(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let State::Waiting { home, thread } = &self.state {
            let open = file::create(home, thread, self.clock.now_ms())?;
            self.state = State::Open(open);
        }
        let State::Open(open) = &mut self.state else { return Ok(()) };
        open.unsynced = true;
        if !self.early.is_empty() {
            open.appender.append(&self.early).map_err(Error::io("write", &open.path))?;
            self.early.clear();
        }
        open.appender.append(bytes).map_err(Error::io("write", &open.path))
    }
}

#[cfg(test)]
#[path = "writer_tests.rs"]
mod tests;
