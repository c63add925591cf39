//! What the loop woke up for → messages for the update: signals, bytes of the keyboard, what effects came to, events of
//! the thread, time. The order within each is kept.

use std::collections::VecDeque;

use tokio::time::Instant;

use super::channels::{Channels, close};
use super::run::{App, ESCAPE, PASTE};
use crate::base::tasks;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::tui::door::Live;
use crate::tui::msg::{Msg, Opened};
use crate::tui::runner::Done;
use crate::tui::signals::Signal;
use crate::tui::terminal::{self, Input, Waiting};
use crate::tui::update;

/// Events taken before the screen is looked at again.
const BATCH: usize = 1024;

impl App {
    pub(super) async fn on_signal(&mut self, signal: Option<Signal>) -> Result<(), terminal::Error> {
        match signal {
            Some(Signal::Resize) => {
                // Also when the size is what it was: it may have been another one meanwhile, and text was lost.
                self.window.forget();
                self.resize().await?;
            }
            Some(Signal::Continue) => {
                self.window.give_back()?;
                self.retake().await?;
            }
            Some(Signal::End(number)) => self.end(number),
            None => {}
        }
        Ok(())
    }

    pub(super) async fn resize(&mut self) -> Result<(), terminal::Error> {
        let (columns, rows) = self.window.size();
        self.window.owe_at_once();
        self.message(Msg::Resize(columns, rows)).await
    }

    pub(super) fn end(&mut self, signal: i32) {
        self.signal = Some(signal);
        self.leaving = true;
    }

    pub(super) async fn on_bytes(&mut self, bytes: &[u8]) -> Result<(), terminal::Error> {
        self.input_at = Instant::now();
        let mut inputs = Vec::new();
        self.decoder.feed(bytes, &mut inputs);
        self.on_inputs(terminal::with_wheel(inputs)).await
    }

    async fn on_inputs(&mut self, inputs: Vec<Input>) -> Result<(), terminal::Error> {
        for input in inputs {
            self.window.owe_at_once();
            self.message(Msg::Input(input)).await?;
            if self.leaving {
                break;
            }
        }
        Ok(())
    }

    pub(super) async fn on_time(&mut self) -> Result<(), terminal::Error> {
        if self.decoder.waiting() != Waiting::Nothing {
            let patience = if self.decoder.waiting() == Waiting::Paste { PASTE } else { ESCAPE };
            if self.input_at.elapsed() >= patience {
                let mut inputs = Vec::new();
                self.decoder.flush(&mut inputs);
                self.on_inputs(inputs).await?;
            }
        }
        if self.model.wake_at_ms().is_some_and(|ms| ms <= self.at().ms) {
            self.message(Msg::Tick).await?;
        }
        Ok(())
    }

    pub(super) async fn on_done(&mut self, done: Done) -> Result<(), terminal::Error> {
        match done {
            Done::Answer(answer) => self.message(Msg::Answer(answer)).await,
            Done::Bytes(bytes) => Ok(self.window.write(&bytes)?),
            Done::Opened(result) => {
                self.opening = self.opening.saturating_sub(1);
                self.on_opened(result).await
            }
        }
    }

    async fn on_opened(&mut self, result: Result<Box<Live>, ErrorInfo>) -> Result<(), terminal::Error> {
        let wanted = self.opening == 0;
        let Live { info, ops, events, past, earlier, usage, warnings, limits } = match result {
            Ok(live) if wanted => *live,
            Ok(live) => {
                let channels = Channels { ops: live.ops, events: live.events };
                self.ending.push(tasks::spawn("end thread", close(channels, VecDeque::new())));
                return Ok(());
            }
            Err(_) if !wanted => return Ok(()),
            Err(error) => {
                self.live = self.parked.take();
                return self.message(Msg::Opened(Err(error))).await;
            }
        };
        let before = self.parked.take();
        self.end_thread(before);
        self.live = Some(Channels { ops, events });
        self.limits = limits;
        let limits = self.limits.as_mut().map(|limits| limits.borrow_and_update().clone());
        let opened = Opened { info, past, earlier, usage, warnings, limits };
        self.message(Msg::Opened(Ok(Box::new(opened)))).await
    }

    /// Takes everything the thread has told so far, so that it is laid out once.
    pub(super) async fn on_events(&mut self, first: Event) -> Result<(), terminal::Error> {
        let mut next = Some(first);
        let mut taken = 0;
        while let Some(event) = next.take() {
            if matches!(event, Event::Closed) {
                self.live = None;
            }
            self.message(Msg::Event(event)).await?;
            taken += 1;
            if taken < BATCH {
                next = self.live.as_mut().and_then(|live| live.events.try_recv().ok());
            }
        }
        Ok(())
    }

    pub(super) async fn message(&mut self, msg: Msg) -> Result<(), terminal::Error> {
        let at = self.at();
        let effects = terminal::guarded(|| update::update(&mut self.model, msg, at))?;
        self.window.owe();
        self.carry_out(effects).await
    }
}
