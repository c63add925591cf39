//! The loop: terminal, thread, results and time → messages → update → effects → at most one frame. A key is painted
//! at once; everything else waits for the next frame. Nothing runs while nothing happens.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep_until};

use super::channels::{Channels, next_event, next_limits, reserve};
use crate::base::clock::{Clock, SystemClock};
use crate::base::ids::ThreadId;
use crate::base::tasks::Task;
use crate::limits::AccountLimits;
use crate::protocol::event::Event;
use crate::protocol::op::Op;
use crate::tui::door::Door;
use crate::tui::model::Model;
use crate::tui::msg::{At, Msg};
use crate::tui::runner::{Done, Runner};
use crate::tui::setup::{Mode, Setup};
use crate::tui::signals::{self, Signal};
use crate::tui::terminal::{self, Decoder, Keyboard, Screen, Waiting};
use crate::tui::update;
use crate::tui::window::Window;

/// How long an escape may turn out to begin a sequence.
pub(super) const ESCAPE: Duration = Duration::from_millis(25);
/// How long a paste may pause before it is taken as it is.
pub(super) const PASTE: Duration = Duration::from_secs(1);

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
        Mode::Linear => crate::tui::linear::run(setup, door).await,
        Mode::Full => App::open(setup, door, Screen::Full)?.play().await,
        Mode::Scrollback => App::open(setup, door, Screen::Scrollback)?.play().await,
    }
}

/// The running app.
pub(super) struct App {
    pub(super) model: Model,
    pub(super) window: Window,
    pub(super) keyboard: Keyboard,
    pub(super) decoder: Decoder,
    pub(super) input_at: Instant,
    pub(super) runner: Runner,
    pub(super) results: mpsc::Receiver<Done>,
    pub(super) signals: mpsc::Receiver<Signal>,
    pub(super) _catching: Task<()>,
    pub(super) live: Option<Channels>,
    /// The thread before, while another one is opened.
    pub(super) parked: Option<Channels>,
    /// Threads that are being opened; only the last one counts.
    pub(super) opening: usize,
    pub(super) limits: Option<watch::Receiver<Arc<AccountLimits>>>,
    pub(super) ending: Vec<Task<()>>,
    pub(super) outbox: VecDeque<Op>,
    pub(super) started: Instant,
    pub(super) leaving: bool,
    pub(super) signal: Option<i32>,
}

/// Something the loop woke up for.
pub(super) enum Woken {
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

    pub(super) fn at(&self) -> At {
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
}
