//! The app without a screen: lines in, lines out, in the terminal's own line mode. What is told and what a line means
//! is decided in [`super::narrator`]. Of what can be gone on with at the start it says the last thread and what is
//! changed in git, as far as there is any; limits come late and over the network, and would speak into what somebody
//! listens to, so they are told when asked for.

use std::collections::VecDeque;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::app::Outcome;
use super::door::{Begin, Call, Door, Glimpse, Live, Redeeming};
use super::glance::spoken;
use super::linear_questions as questions;
use super::narrator::{Meant, Narrator};
use super::setup::Setup;
use super::signals::{self, Signal};
use super::terminal::{self, Keyboard};
use super::transcript::{Level, Notice};
use super::usage::redeem_lines::Redemption;
use crate::base::clock::{Clock, SystemClock};
use crate::base::ids::ThreadId;
use crate::base::path::with_tilde;
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::note::Note;
use crate::protocol::op::Op;

/// Two interrupts within this time quit.
const TWICE: Duration = Duration::from_secs(2);
/// How long a thread may take to end.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);
/// Longest line that is taken, in bytes.
const LINE_MAX: usize = 1024 * 1024;
/// The running app.
pub(super) struct Linear {
    pub(super) door: Door,
    pub(super) narrator: Narrator,
    pub(super) live: Option<Live>,
    /// What can be gone on with, while nothing was typed.
    glimpses: Option<mpsc::Receiver<Glimpse>>,
    /// The last thread of this folder.
    last: Option<ThreadId>,
    waiting: VecDeque<Op>,
    /// Images of the command line, until the first message takes them along.
    images: Vec<PathBuf>,
    typed: Vec<u8>,
    started: Instant,
    interrupted: Option<Instant>,
    pub(super) leaving: bool,
    signal: Option<i32>,
    /// A redemption that asks or is on its way.
    pub(super) redemption: Option<Redemption>,
}

/// Runs until the user leaves.
///
/// # Errors
/// Standard input cannot be waited for.
pub(crate) async fn run(setup: Setup, door: Door) -> Result<Outcome, terminal::Error> {
    let (mut signals, _catching) = signals::catch()?;
    let mut keyboard = Keyboard::open()?;
    let mut app = Linear {
        door,
        narrator: Narrator::default(),
        live: None,
        glimpses: None,
        last: None,
        waiting: VecDeque::new(),
        images: setup.images.clone(),
        typed: Vec::new(),
        started: Instant::now(),
        interrupted: None,
        leaving: false,
        signal: None,
        redemption: None,
    };
    app.begin(&setup, &mut keyboard).await;
    while !app.leaving {
        let events = app.live.as_mut().map(|live| &mut live.events);
        let steps = app.redemption.as_mut().and_then(|redemption| redemption.steps.as_mut());
        tokio::select! {
            biased; // a person comes first
            signal = signals.recv() => app.on_signal(signal).await,
            bytes = keyboard.read() => {
                let bytes = bytes.map(<[u8]>::to_vec).unwrap_or_default();
                app.on_bytes(&bytes).await;
            }
            step = next(steps) => app.on_step(step),
            event = next(events) => app.on_event(event).await,
            glimpse = next(app.glimpses.as_mut()) => app.on_glimpse(glimpse),
        }
    }
    Ok(app.close().await)
}

async fn next<T>(told: Option<&mut mpsc::Receiver<T>>) -> Option<T> {
    match told {
        Some(told) => told.recv().await,
        None => std::future::pending().await,
    }
}

pub(super) fn say(lines: impl IntoIterator<Item = impl AsRef<str>>) {
    let mut out = std::io::stdout().lock();
    for line in lines {
        // A terminal that is gone is told by its input.
        let _ = writeln!(out, "{}", super::text::sanitize(line.as_ref()));
    }
    let _ = out.flush();
}

impl Linear {
    async fn begin(&mut self, setup: &Setup, keyboard: &mut Keyboard) {
        let folder = with_tilde(&setup.cwd, setup.surroundings.home.as_deref());
        say([format!("codex {}, in {folder}. Type /help for what can be typed.", setup.version)]);
        say(setup.warnings.iter().map(|warning| format!("Warning: {warning}")));
        if setup.sign_in {
            match &setup.sign_in_trouble {
                Some(trouble) => say([format!("Error: {trouble}")]),
                None => say(["You are not signed in. Run: codex login"]),
            }
            self.leaving = true;
            return;
        }
        if let Some(ask) = &setup.ask_trust
            && !questions::trust(ask, &self.door, keyboard).await
        {
            self.leaving = true;
            return;
        }
        let begin = match setup.pick {
            Some(filter) => questions::pick(filter, &self.door, keyboard).await,
            None => Some(setup.begin.clone()),
        };
        let Some(begin) = begin else {
            self.leaving = true;
            return;
        };
        let Some(begin) = questions::placed(begin, &self.door, keyboard).await else {
            self.leaving = true;
            return;
        };
        let anew = matches!(begin, Begin::New);
        self.open(begin).await;
        if anew && setup.prompt.is_none() && setup.tour.is_none() {
            self.look_around().await;
        }
        if let Some(tour) = &setup.tour {
            say([&tour.told]);
            say(tour.prompts.iter().map(|prompt| format!("Try: {prompt}")));
        }
        if let Some(prompt) = &setup.prompt {
            self.on_line(prompt).await;
        }
    }

    pub(super) async fn open(&mut self, begin: Begin) {
        self.shut_down().await;
        match self.door.call(|reply| Call::Open(begin, reply)).await {
            Ok(mut live) => {
                say(live.warnings.iter().map(|warning| format!("Warning: {warning}")));
                let past = std::mem::take(&mut live.past);
                say(self.narrator.on_past(&past));
                self.live = Some(live);
                while let Some(op) = self.waiting.pop_front() {
                    self.send(op).await;
                }
            }
            Err(error) => say([format!("Error: {error}")]),
        }
    }

    /// Asks what can be gone on with; it is told as it is found.
    async fn look_around(&mut self) {
        let (pieces, glimpses) = mpsc::channel(2);
        if self.live.is_some() && self.door.send(Call::Glance(pieces)).await.is_ok() {
            self.glimpses = Some(glimpses);
        }
    }

    fn on_glimpse(&mut self, glimpse: Option<Glimpse>) {
        let Some(glimpse) = glimpse else {
            self.glimpses = None;
            return;
        };
        if let Glimpse::Last(Some(row)) = &glimpse {
            self.last = Some(row.id);
        }
        say(spoken(&glimpse, SystemClock.now_s()));
    }

    /// Goes on with the last thread of this folder.
    pub(super) async fn go_on(&mut self) {
        let Some(id) = self.last.take() else { return say(["There is no thread before this one here."]) };
        self.open(Begin::Resume(id)).await;
    }

    pub(super) async fn send(&mut self, op: Op) {
        match &self.live {
            Some(live) => {
                if live.ops.send(op).await.is_err() {
                    say(["Error: the thread has stopped. Type /new to begin another."]);
                }
            }
            None => self.waiting.push_back(op),
        }
    }

    async fn on_signal(&mut self, signal: Option<Signal>) {
        match signal {
            Some(Signal::End(number)) if number == rustix::process::Signal::INT.as_raw() => {
                if self.narrator.is_running() {
                    self.send(Op::Interrupt).await;
                } else if self.interrupted.is_some_and(|at| at.elapsed() < TWICE) {
                    self.leaving = true;
                } else {
                    self.interrupted = Some(Instant::now());
                    say(["Press control-C again to end codex."]);
                }
            }
            Some(Signal::End(number)) => {
                self.signal = Some(number);
                self.leaving = true;
            }
            Some(Signal::Resize | Signal::Continue) | None => {}
        }
    }

    /// Bytes as the terminal's line mode gives them; none at all is the end.
    async fn on_bytes(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            self.leaving = true;
            return;
        }
        self.typed.extend_from_slice(bytes);
        while let Some(end) = self.typed.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.typed.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line).into_owned();
            self.on_line(&line).await;
        }
        self.typed.truncate(LINE_MAX);
    }

    async fn on_line(&mut self, line: &str) {
        // Who has begun is not told any more what else there is.
        self.glimpses = None;
        if let Some(redemption) = &mut self.redemption {
            redemption.on_line(line.trim(), &self.door).await;
            return self.end_redemption();
        }
        self.narrator.tick(self.now_ms());
        match self.narrator.on_line(line) {
            Meant::Op(Op::UserTurn { mut input, output_schema }) => {
                let images = std::mem::take(&mut self.images).into_iter();
                input.extend(images.map(|path| UserInput::LocalImage { path }));
                self.send(Op::UserTurn { input, output_schema }).await;
            }
            Meant::Op(op) => self.send(op).await,
            Meant::Say(words) => say([words]),
            Meant::Command(name, args) => self.command(&name, &args).await,
            Meant::Nothing => {}
        }
    }

    fn on_step(&mut self, step: Option<Redeeming>) {
        if let Some(redemption) = &mut self.redemption {
            redemption.on_step(step);
        }
        self.end_redemption();
    }

    pub(super) fn end_redemption(&mut self) {
        self.redemption.take_if(|redemption| redemption.is_over());
    }

    async fn on_event(&mut self, event: Option<Event>) {
        let Some(event) = event else {
            self.live = None;
            return;
        };
        if let (Event::Configured(now), Some(live)) = (&event, &mut self.live) {
            let other = live.info.model != now.model || live.info.effort != now.effort;
            live.info.model.clone_from(&now.model);
            live.info.effort.clone_from(&now.effort);
            live.info.access.clone_from(&now.access);
            live.info.approval = now.approval;
            live.info.sandbox.clone_from(&now.sandbox);
            if other {
                let effort = now.effort.as_deref().map(|effort| format!(" {effort}")).unwrap_or_default();
                let words = format!("Model: {}{effort}", now.model);
                say([&words]);
                self.keep(Level::Info, &words).await;
            }
        }
        if let (Event::Opened(access), Some(live)) = (&event, &mut self.live) {
            live.info.access.clone_from(access);
        }
        self.narrator.tick(self.now_ms());
        say(self.narrator.on_event(&event));
        if let Event::Warning { message } = &event {
            self.keep(Level::Warning, message).await;
        }
    }

    /// Keeps a line that was said with the thread, so that it is said again when the thread is opened again.
    async fn keep(&mut self, level: Level, message: &str) {
        let note = Notice::new(level, message).note();
        let after_end = !self.narrator.is_running();
        if self.live.is_some() {
            self.send(Op::Note(Box::new(Note { after_end, ..note }))).await;
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Ends the open thread and waits until it is on disk.
    async fn shut_down(&mut self) -> Option<ThreadId> {
        let Live { info, ops, mut events, .. } = self.live.take()?;
        let _ = ops.send(Op::Shutdown).await;
        let gone = async { while !matches!(events.recv().await, None | Some(Event::Closed)) {} };
        let _ = tokio::time::timeout(CLOSE_WITHIN, gone).await;
        Some(info.id)
    }

    async fn close(mut self) -> Outcome {
        let thread = self.shut_down().await;
        let farewell = thread.map(|id| format!("\nTo go on: codex resume {id}\n")).unwrap_or_default();
        Outcome { farewell, signal: self.signal, thread, fault: false }
    }
}
