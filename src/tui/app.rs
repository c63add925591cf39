//! The loop: terminal, thread, results and time → messages → update → effects → at most one frame. A key is painted
//! at once; everything else waits for the next frame. Nothing runs while nothing happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::door::{Door, Live};
use super::effect::Effect;
use super::model::Model;
use super::msg::{At, Msg, Opened};
use super::runner::{Done, Runner};
use super::setup::{Mode, Setup};
use super::signals::{self, Signal};
use super::terminal::{self, Decoder, Input, Keyboard, Screen, Waiting};
use super::window::Window;
use super::{farewell, update};
use crate::base::clock::{Clock, SystemClock};
use crate::base::ids::ThreadId;
use crate::base::tasks::{self, Task};
use crate::limits::AccountLimits;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::op::Op;

/// How long an escape may turn out to begin a sequence.
const ESCAPE: Duration = Duration::from_millis(25);
/// How long a paste may pause before it is taken as it is.
const PASTE: Duration = Duration::from_secs(1);
/// Events taken before the screen is looked at again.
const BATCH: usize = 1024;
/// How long it may take until the program is stopped that was told to.
const STOPPED_WITHIN: Duration = Duration::from_millis(250);
/// How long a thread may take to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// How the app ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// What to print after the screen was given back.
    pub(crate) farewell: String,
    /// The signal that ended it, if one did.
    pub(crate) signal: Option<i32>,
    /// The thread that was open last.
    pub(crate) thread: Option<ThreadId>,
    /// A part of the app was at fault; the thread was ended in order all the same.
    pub(crate) fault: bool,
}

/// Runs the app until the user leaves.
///
/// # Errors
/// The terminal cannot be used, or is gone.
pub(crate) async fn run(setup: Setup, door: Door) -> Result<Outcome, terminal::Error> {
    match setup.mode {
        Mode::Linear => super::linear::run(setup, door).await,
        Mode::Full => App::open(setup, door, Screen::Full)?.play().await,
        Mode::Scrollback => App::open(setup, door, Screen::Scrollback)?.play().await,
    }
}

/// The open thread's channels.
struct Channels {
    ops: mpsc::Sender<Op>,
    events: mpsc::Receiver<Event>,
}

struct App {
    model: Model,
    window: Window,
    keyboard: Keyboard,
    decoder: Decoder,
    input_at: Instant,
    runner: Runner,
    results: mpsc::Receiver<Done>,
    signals: mpsc::Receiver<Signal>,
    _catching: Task<()>,
    live: Option<Channels>,
    /// The thread before, while another one is opened.
    parked: Option<Channels>,
    /// Threads that are being opened; only the last one counts.
    opening: usize,
    limits: Option<watch::Receiver<Arc<AccountLimits>>>,
    ending: Vec<Task<()>>,
    outbox: VecDeque<Op>,
    started: Instant,
    leaving: bool,
    signal: Option<i32>,
}

/// Something the loop woke up for.
enum Woken {
    Signal(Option<Signal>),
    Bytes(std::io::Result<Vec<u8>>),
    Done(Option<Done>),
    Event(Option<Event>),
    Limits(Option<Arc<AccountLimits>>),
    Room,
    Time,
}

impl App {
    fn open(setup: Setup, door: Door, screen: Screen) -> Result<Self, terminal::Error> {
        let (signals, catching) = signals::catch()?;
        let window = Window::open(screen)?;
        let keyboard = Keyboard::open()?;
        let size = window.size();
        let (runner, results) = Runner::new(&setup, door);
        Ok(Self {
            model: Model::new(setup, size, 0),
            window,
            keyboard,
            decoder: Decoder::default(),
            input_at: Instant::now(),
            runner,
            results,
            signals,
            _catching: catching,
            live: None,
            parked: None,
            opening: 0,
            limits: None,
            ending: Vec::new(),
            outbox: VecDeque::new(),
            started: Instant::now(),
            leaving: false,
            signal: None,
        })
    }

    async fn play(mut self) -> Result<Outcome, terminal::Error> {
        match self.until_left().await {
            Ok(()) => Ok(self.close(false).await),
            Err(terminal::Error::Fault) => Ok(self.close(true).await),
            Err(error) => Err(error),
        }
    }

    async fn until_left(&mut self) -> Result<(), terminal::Error> {
        self.draw()?;
        if self.model.setup.surroundings.answers {
            self.window.query()?;
        }
        let mut effects = Vec::new();
        update::begin(&mut self.model, &mut effects);
        self.carry_out(effects).await?;
        while !self.leaving {
            let woken = self.wait().await;
            self.on_woken(woken).await?;
            if self.window.is_due() {
                self.draw()?;
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> Result<(), terminal::Error> {
        let At { ms, unix } = self.at();
        (self.model.now_ms, self.model.unix) = (ms, unix);
        self.window.draw(&self.model)
    }

    fn at(&self) -> At {
        let ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        At { ms, unix: SystemClock.now_s() }
    }

    /// When to wake up without being told.
    fn deadline(&self) -> Option<Instant> {
        let frame = self.window.frame_at();
        let wake = self.model.wake_at_ms().map(|ms| self.started + Duration::from_millis(ms));
        let input = match self.decoder.waiting() {
            Waiting::Nothing => None,
            Waiting::Escape => Some(self.input_at + ESCAPE),
            Waiting::Paste => Some(self.input_at + PASTE),
        };
        [frame, wake, input].into_iter().flatten().min()
    }

    async fn wait(&mut self) -> Woken {
        let deadline = self.deadline();
        let sleep = async {
            match deadline {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let (ops, events) = match &mut self.live {
            Some(live) => (Some(&live.ops), Some(&mut live.events)),
            None => (None, None),
        };
        let limits = self.limits.as_mut();
        let sending = ops.filter(|_| !self.outbox.is_empty());
        tokio::select! {
            biased; // a person's keys come before everything the thread tells
            signal = self.signals.recv() => Woken::Signal(signal),
            bytes = self.keyboard.read() => Woken::Bytes(bytes.map(<[u8]>::to_vec)),
            room = reserve(sending, &mut self.outbox) => room,
            done = self.results.recv() => Woken::Done(done),
            limits = next_limits(limits) => Woken::Limits(limits),
            event = next_event(events) => Woken::Event(event),
            () = sleep => Woken::Time,
        }
    }

    async fn on_woken(&mut self, woken: Woken) -> Result<(), terminal::Error> {
        match woken {
            Woken::Signal(signal) => self.on_signal(signal).await?,
            Woken::Bytes(Ok(bytes)) if !bytes.is_empty() => self.on_bytes(&bytes).await?,
            // The terminal is gone.
            Woken::Bytes(_) => self.end(rustix::process::Signal::HUP.as_raw()),
            Woken::Done(Some(done)) => self.on_done(done).await?,
            Woken::Event(Some(event)) => self.on_events(event).await?,
            // It stopped without a word.
            Woken::Event(None) => self.on_events(Event::Closed).await?,
            Woken::Limits(Some(limits)) => self.message(Msg::Limits(limits)).await?,
            Woken::Limits(None) => self.limits = None,
            Woken::Done(None) | Woken::Room => {}
            Woken::Time => self.on_time().await?,
        }
        Ok(())
    }

    async fn on_signal(&mut self, signal: Option<Signal>) -> Result<(), terminal::Error> {
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

    async fn resize(&mut self) -> Result<(), terminal::Error> {
        let (columns, rows) = self.window.size();
        self.window.owe_at_once();
        self.message(Msg::Resize(columns, rows)).await
    }

    fn end(&mut self, signal: i32) {
        self.signal = Some(signal);
        self.leaving = true;
    }

    async fn on_bytes(&mut self, bytes: &[u8]) -> Result<(), terminal::Error> {
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

    async fn on_time(&mut self) -> Result<(), terminal::Error> {
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

    async fn on_done(&mut self, done: Done) -> Result<(), terminal::Error> {
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
    async fn on_events(&mut self, first: Event) -> Result<(), terminal::Error> {
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

    async fn message(&mut self, msg: Msg) -> Result<(), terminal::Error> {
        let at = self.at();
        let effects = terminal::guarded(|| update::update(&mut self.model, msg, at))?;
        self.window.owe();
        self.carry_out(effects).await
    }

    async fn carry_out(&mut self, effects: Vec<Effect>) -> Result<(), terminal::Error> {
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
    fn end_thread(&mut self, thread: Option<Channels>) {
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
    async fn retake(&mut self) -> Result<(), terminal::Error> {
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
        self.message(Msg::Answer(super::msg::Answer::Edited(edited))).await
    }

    /// Ends in order: the draft is kept, the thread is on disk, the terminal is given back. After a fault the state may
    /// be broken: what cannot be had from it is left out, and the draft stays as it was kept last.
    async fn close(mut self, fault: bool) -> Outcome {
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

/// Hands over the next op as soon as there is room.
async fn reserve(ops: Option<&mpsc::Sender<Op>>, outbox: &mut VecDeque<Op>) -> Woken {
    let Some(ops) = ops else { return std::future::pending().await };
    match ops.reserve().await {
        Ok(permit) => {
            if let Some(op) = outbox.pop_front() {
                permit.send(op);
            }
            Woken::Room
        }
        // The thread is gone; its events tell so.
        Err(_) => std::future::pending().await,
    }
}

async fn next_event(events: Option<&mut mpsc::Receiver<Event>>) -> Option<Event> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

async fn next_limits(limits: Option<&mut watch::Receiver<Arc<AccountLimits>>>) -> Option<Arc<AccountLimits>> {
    match limits {
        Some(limits) => match limits.changed().await {
            Ok(()) => Some(limits.borrow_and_update().clone()),
            Err(_) => None,
        },
        None => std::future::pending().await,
    }
}

fn is_note(op: &Op) -> bool {
    matches!(op, Op::Note(_))
}

/// Tells a thread its last notes, ends it and waits until it is on disk.
async fn close(live: Channels, last: VecDeque<Op>) {
    let Channels { ops, mut events } = live;
    let told = async {
        for op in last {
            let _ = ops.send(op).await;
        }
        let _ = ops.send(Op::Shutdown).await;
        std::future::pending::<()>().await;
    };
    let gone = async { while !matches!(events.recv().await, None | Some(Event::Closed)) {} };
    tokio::select! {
        biased; // both are kept until the thread is gone; telling never ends by itself
        () = gone => {}
        () = told => {}
    }
}
