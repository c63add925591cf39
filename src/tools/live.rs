//! A running command with its output and its item, owned by one task: the call while it waits, a session's task
//! afterwards. Every wait in here is cancel safe, so that its owner can stop listening at any moment and go on
//! later; and the item gets its final state exactly once, whoever ends the command.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until, timeout};

use super::context::{ToolContext, ToolEvent};
use crate::process::output::{Capture, Chunk, WHOLE_HALF};
use crate::process::spawn::{Exit, Running};
use crate::process::spill::{Spill, SpillFile};
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, Item, ItemDelta, ItemStatus};

/// At most twenty live pieces per second.
const LIVE_EVERY: Duration = Duration::from_millis(50);
/// First read buffer; a command that fills it gets the big one.
const SMALL_READ: usize = 8 * 1024;
const BIG_READ: usize = 256 * 1024;
/// Input that waits because the program does not read it.
const INPUT_MAX: usize = 1 << 20;
/// Longest time to look for rests of output after the last process is gone.
const DRAIN: Duration = Duration::from_millis(200);
/// The supervisor's grace is 200 ms; what takes longer than this is cut off.
const STOP: Duration = Duration::from_secs(2);

/// A command that runs or has ended but is not settled yet.
pub(super) struct Live {
    running: Running,
    capture: Capture,
    spill: Spill,
    buf: Vec<u8>,
    input: Vec<u8>,
    open: bool,
    exit: Option<Exit>,
    started: Instant,
    flush_at: Option<Instant>,
    item: CommandItem,
    /// A sentence of ours below the output that the item shows.
    remark: Option<String>,
    /// Where the item is told; `None` once it has its final state.
    events: Option<mpsc::Sender<ToolEvent>>,
    /// Where it is told what the command reached, when it ends.
    visits: mpsc::Sender<ToolEvent>,
}

/// One thing that happened.
enum Step {
    Read(std::io::Result<usize>),
    Ended,
    Wrote(std::io::Result<usize>),
    Flush,
}

impl Live {
    /// Takes over a command whose item has been started.
    pub(super) fn new(ctx: &ToolContext, running: Running, item: CommandItem) -> Self {
        let spill = Spill::new(&ctx.output_dir, item.id.as_str());
        Self {
            running,
            capture: Capture::default(),
            spill,
            buf: vec![0; SMALL_READ],
            input: Vec::new(),
            open: true,
            exit: None,
            started: Instant::now(),
            flush_at: None,
            item,
            remark: None,
            events: Some(ctx.events.clone()),
            visits: ctx.events.clone(),
        }
    }

    /// Collects output until the command has ended. Cancel safe.
    pub(super) async fn run(&mut self) -> Exit {
        loop {
            if let Some(exit) = &self.exit {
                return exit.clone();
            }
            self.step().await;
        }
    }

    async fn step(&mut self) {
        let Self { running, buf, input, .. } = self;
        let flush_at = self.flush_at;
        let step = tokio::select! {
            biased; // what was printed before the end is told before it
            count = running.read(buf), if self.open => Step::Read(count),
            () = running.ended() => Step::Ended,
            count = running.write(input), if !input.is_empty() => Step::Wrote(count),
            () = sleep_until(flush_at.unwrap_or_else(Instant::now)), if flush_at.is_some() => Step::Flush,
        };
        match step {
            Step::Read(count) => self.absorb(count.unwrap_or(0)),
            Step::Ended => {
                self.drain().await;
                let exit = self.running.exit();
                if let Some(visits) = self.running.reached() {
                    let _ = self.visits.send(ToolEvent::Reached(visits.clone())).await;
                }
                self.exit = Some(exit);
            }
            Step::Wrote(Ok(count)) => drop(self.input.drain(..count.min(self.input.len()))),
            Step::Wrote(Err(_)) => self.input.clear(),
            Step::Flush => self.flush(),
        }
    }

    /// Takes `count` bytes of the read buffer; 0 = end of the stream.
    fn absorb(&mut self, count: usize) {
        if count == 0 {
            self.open = false;
            return;
        }
        let bytes = self.buf.get(..count).unwrap_or_default();
        let before = usize::try_from(self.capture.total()).unwrap_or(usize::MAX);
        self.capture.push(bytes);
        if !self.spill.is_idle() {
            self.spill.write(bytes);
        } else if self.capture.total() > WHOLE_HALF as u64 {
            self.spill.begin(self.capture.first());
            let in_memory = WHOLE_HALF.saturating_sub(before);
            self.spill.write(bytes.get(in_memory..).unwrap_or_default());
        }
        if count == self.buf.len() && count < BIG_READ {
            self.running.widen();
            self.buf.resize(BIG_READ, 0);
        }
        match self.flush_at {
            None => self.flush_at = Some(Instant::now() + LIVE_EVERY),
            // Under a flood reading always comes first, and the timer would never be seen.
            Some(at) if Instant::now() >= at => self.flush(),
            Some(_) => {}
        }
    }

    /// Shows what came since the last time. When the readers are behind it waits for the next occasion.
    fn flush(&mut self) {
        self.flush_at = None;
        let Some(events) = &self.events else { return };
        if !self.capture.has_live() {
            return;
        }
        match events.try_reserve() {
            Ok(place) => {
                if let Some(text) = self.capture.take_live() {
                    let delta = ItemDelta::Output(text);
                    place.send(ToolEvent::Event(Event::ItemDelta { item_id: self.item.id.clone(), delta }));
                }
            }
            Err(mpsc::error::TrySendError::Full(())) => self.flush_at = Some(Instant::now() + LIVE_EVERY),
            Err(mpsc::error::TrySendError::Closed(())) => {}
        }
    }

    /// Every process is gone, so a pipe holds all there is; a terminal hands its last bytes over a moment later.
    async fn drain(&mut self) {
        let end = Instant::now() + DRAIN;
        while self.open && Instant::now() < end {
            let count = if self.running.is_tty() {
                timeout(DRAIN, self.running.read(&mut self.buf)).await.unwrap_or(Ok(0)).unwrap_or(0)
            } else {
                self.running.try_read(&mut self.buf).ok().flatten().unwrap_or(0)
            };
            self.absorb(count);
        }
    }

    /// Ends the command and everything it started, and waits for that.
    pub(super) async fn stop(&mut self) -> Exit {
        self.running.terminate();
        if let Ok(exit) = timeout(STOP, self.run()).await {
            return exit;
        }
        self.running.hang_up();
        match timeout(STOP, self.run()).await {
            Ok(exit) => exit,
            Err(_) => self.exit.insert(Exit::Lost).clone(),
        }
    }

    /// Hands input to the program as soon as it reads.
    ///
    /// # Errors
    /// A sentence for the model: there is no input, or nobody reads it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        if self.exit.is_some() {
            return Err("the process has ended");
        }
        if !self.running.takes_input() {
            return Err("its input is closed; start the command with tty: true to write to it");
        }
        if self.input.len() + bytes.len() > INPUT_MAX {
            return Err("the process does not read its input, and too much of it waits already");
        }
        self.input.extend_from_slice(bytes);
        Ok(())
    }

    /// How it ended; `None` while it runs.
    pub(super) fn exit(&self) -> Option<&Exit> {
        self.exit.as_ref()
    }

    /// What it reached in the network or was refused there, as a sentence; only when it has ended.
    pub(super) fn reached(&self) -> Option<String> {
        self.running.reached()?.words().map(|places| format!("Network: {places}."))
    }

    /// That what commands before it served is out of its reach, as a sentence, when that is so.
    pub(super) fn apart(&self) -> Option<String> {
        self.running.is_anew().then(|| {
            "Network: the process that kept the network of this thread was killed. Servers that commands started before \
             are gone for this command and all later ones: end them and start them again."
                .to_owned()
        })
    }

    /// Time since the start.
    pub(super) fn wall(&self) -> Duration {
        self.started.elapsed()
    }

    /// Output since the last call, and the file with all of it when it is longer than `tokens`.
    pub(super) fn take(&mut self, tokens: u64) -> (Chunk, Option<SpillFile>) {
        let chunk = self.capture.take_unread(self.exit.is_some());
        if super::output::exceeds(&chunk, tokens) && self.spill.is_idle() {
            // Nothing was begun, so the first bytes in memory are all there is.
            self.spill.begin(self.capture.first());
        }
        (chunk, self.spill.file())
    }

    /// Everything printed so far, bounded.
    pub(super) fn whole(&self) -> String {
        self.capture.whole()
    }

    /// The item as it was started.
    pub(super) fn item(&self) -> &CommandItem {
        &self.item
    }

    /// Adds a sentence of ours to what the item will show.
    pub(super) fn remark(&mut self, text: String) {
        match &mut self.remark {
            Some(remark) => *remark = format!("{remark}\n{text}"),
            None => self.remark = Some(text),
        }
    }

    /// The command goes on without its call, under this number.
    pub(super) fn becomes_session(&mut self, id: u32) {
        self.item.process_id = Some(id.to_string());
    }

    /// Where it tells things, while its item is open.
    pub(super) fn events(&self) -> Option<mpsc::Sender<ToolEvent>> {
        self.events.clone()
    }

    /// Whether the item still waits for its final state.
    pub(super) fn is_open(&self) -> bool {
        self.events.is_some()
    }

    /// Gives the item its final state, once. A command that still runs is told as completed without an exit code:
    /// its number says that it lives on in the background.
    pub(super) async fn complete(&mut self) {
        let Some(events) = self.events.take() else { return };
        let code = self.exit.as_ref().map(Exit::code);
        let mut item = self.item.clone();
        item.status =
            if code.is_none_or(|code| code == 0) { ItemStatus::Completed } else { ItemStatus::Failed };
        item.exit_code = code;
        let mut output = self.capture.whole();
        if let Some(remark) = &self.remark {
            if !output.is_empty() && !output.ends_with('\n') {
                output.push('\n');
            }
            output.push_str(remark);
            output.push('\n');
        }
        item.aggregated_output = Some(output);
        item.duration_ms = Some(u64::try_from(self.wall().as_millis()).unwrap_or(u64::MAX));
        if code.is_some() {
            item.process_id = None;
        }
        let event = Event::ItemCompleted { item: Item::CommandExecution(item) };
        let _ = events.send(ToolEvent::Event(event)).await;
    }

    /// Another attempt takes over the item: this one says nothing more about it.
    pub(super) fn leave_item(mut self) -> CommandItem {
        self.events = None;
        self.item.clone()
    }
}
