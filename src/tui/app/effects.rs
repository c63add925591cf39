//! Effects → what is done about them in the loop itself, because the terminal or the thread's channels belong to it; the
//! rest is the runner's. The end of the app is here too.

use std::time::Duration;

use super::channels::{Channels, close, is_note};
use super::run::{App, Outcome};
use crate::base::clock::{Clock, SystemClock};
use crate::base::tasks;
use crate::tui::effect::Effect;
use crate::tui::farewell;
use crate::tui::msg::{Answer, Msg};
use crate::tui::signals::Signal;
use crate::tui::terminal;

/// How long it may take until the program is stopped that was told to.
const STOPPED_WITHIN: Duration = Duration::from_millis(250);
/// How long a thread may take to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

impl App {
    pub(super) async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), terminal::Error> {
        for effect in effects {
            match effect {
                Effect::Op(op) => self.outbox.push_back(op),
                Effect::Open(begin) => {
                    if self.opening == 0 {
                        self.parked = self.live.take();
                    }
                    self.opening += 1;
                    self.runner.run(Effect::Open(begin), 0);
                }
                // What was shown in the thread that goes on stays with it.
                Effect::Forget if self.live.is_some() => self.outbox.retain(is_note),
                Effect::Forget => self.outbox.clear(),
                Effect::Editor(text) => Box::pin(self.edit(&text)).await?,
                Effect::Notify(words) => {
                    let osc9 = self.model.setup.surroundings.osc9;
                    self.window.write(&terminal::notify::bytes(&words, osc9))?;
                }
                Effect::Redraw => self.window.empty(),
                Effect::Suspend => {
                    self.window.suspend()?;
                    self.continued().await;
                    Box::pin(self.retake()).await?;
                }
                Effect::Quit => self.leaving = true,
                other => self.runner.run(other, SystemClock.now_s()),
            }
        }
        Ok(())
    }

    /// Ends a thread in order, behind what comes next.
    pub(super) fn end_thread(&mut self, thread: Option<Channels>) {
        self.ending.retain(|task| !task.is_finished());
        if let Some(thread) = thread {
            // What was shown belongs to the thread it was shown in; the rest was meant for whoever comes next.
            let (notes, rest) = std::mem::take(&mut self.outbox).into_iter().partition(is_note);
            self.outbox = rest;
            self.ending.push(tasks::spawn("end thread", close(thread, notes)));
        }
    }

    /// Waits until the program was stopped and continued; not for long, because nobody may be there to stop it.
    async fn continued(&mut self) {
        let signals = &mut self.signals;
        let told = async {
            loop {
                match signals.recv().await {
                    Some(Signal::Continue) | None => return None,
                    Some(Signal::End(number)) => return Some(number),
                    Some(Signal::Resize) => {}
                }
            }
        };
        if let Ok(Some(number)) = tokio::time::timeout(STOPPED_WITHIN, told).await {
            self.end(number);
        }
    }

    /// Takes the terminal again after something else had it.
    pub(super) async fn retake(&mut self) -> Result<(), terminal::Error> {
        self.window.retake()?;
        // Continuing is told by a signal too; the terminal is taken once.
        while let Ok(signal) = self.signals.try_recv() {
            if let Signal::End(number) = signal
                && number != rustix::process::Signal::INT.as_raw()
            {
                self.end(number);
            }
        }
        self.resize().await
    }

    async fn edit(&mut self, text: &str) -> Result<(), terminal::Error> {
        self.window.give_back()?;
        let edited = self.runner.edit(text).await;
        self.retake().await?;
        self.message(Msg::Answer(Answer::Edited(edited))).await
    }

    /// Ends in order: the draft is kept, the thread is on disk, the terminal is given back. After a fault the state may
    /// be broken: what cannot be had from it is left out, and the draft stays as it was kept last.
    pub(super) async fn close(mut self, fault: bool) -> Outcome {
        if let Ok(draft) = terminal::guarded(|| self.model.composer.draft()) {
            self.runner.finish(draft).await;
        }
        let _ = self.window.give_back();
        let threads = [self.live.take(), self.parked.take()];
        threads.into_iter().for_each(|thread| self.end_thread(thread));
        let all = async {
            for task in std::mem::take(&mut self.ending) {
                let _ = task.join().await;
            }
        };
        let _ = tokio::time::timeout(CLOSE_WITHIN, all).await;
        let farewell = terminal::guarded(|| farewell::text(&self.model)).unwrap_or_default();
        let thread = self.model.facts.thread.as_ref().map(|thread| thread.id);
        Outcome { farewell, signal: self.signal, thread, fault }
    }
}
