//! How a run is stopped: by signals, by its own end, and by a deadline after either. Every wait of `exec` goes
//! through here, so that no stuck thread, terminal or disk can keep the process from ending.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::base::tasks;
use crate::protocol::op::Op;

/// How long a thread may take to stop after it was told to.
const STOP_WITHIN: Duration = if cfg!(test) { Duration::from_millis(300) } else { Duration::from_secs(10) };

/// A signal that stops the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// SIGINT, Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
    /// SIGHUP: the terminal is gone.
    Hangup,
}

/// Begins to catch the signals that stop a run. From here on they do not kill the process.
///
/// # Errors
/// The system refused the handlers.
pub(crate) fn signals() -> std::io::Result<(mpsc::Receiver<Signal>, tasks::Task<()>)> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate, mut hangup) =
        (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let (sender, receiver) = mpsc::channel(4);
    let task = tasks::spawn("signals", async move {
        loop {
            // Each signal waits in its own queue: what is not taken now is taken by the next round.
            let seen = tokio::select! {
                Some(()) = interrupt.recv() => Signal::Interrupt,
                Some(()) = terminate.recv() => Signal::Terminate,
                Some(()) = hangup.recv() => Signal::Hangup,
                else => return,
            };
            if sender.send(seen).await.is_err() {
                return;
            }
        }
    });
    Ok((receiver, task))
}

/// Nothing more can be waited for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GiveUp;

/// Signals, and the deadline that follows the first one.
pub(crate) struct Brake {
    ops: mpsc::Sender<Op>,
    signals: mpsc::Receiver<Signal>,
    stop: Option<Signal>,
    deadline: Option<Instant>,
}

impl Brake {
    /// Nothing was asked for yet.
    pub(crate) fn new(ops: mpsc::Sender<Op>, signals: mpsc::Receiver<Signal>) -> Self {
        Self { ops, signals, stop: None, deadline: None }
    }

    /// Waits for `work`, while signals are obeyed: the first one stops the turn, the second one everything.
    ///
    /// # Errors
    /// The run is to end before the work is done: the second signal, or the time is up.
    pub(crate) async fn guard<T>(&mut self, work: impl Future<Output = T>) -> Result<T, GiveUp> {
        tokio::pin!(work);
        loop {
            let deadline = self.deadline;
            tokio::select! {
                biased; // a user who wants out is heard before more output
                signal = next(&mut self.signals) => self.pull(signal)?,
                () = until(deadline) => return Err(GiveUp),
                done = &mut work => return Ok(done),
            }
        }
    }

    fn pull(&mut self, signal: Signal) -> Result<(), GiveUp> {
        if self.stop.is_some() {
            return Err(GiveUp);
        }
        self.stop = Some(signal);
        self.submit(Op::Interrupt)
    }

    /// Hands an op in without waiting: a thread that does not take it is stuck.
    ///
    /// # Errors
    /// The thread takes no more ops.
    pub(crate) fn submit(&mut self, op: Op) -> Result<(), GiveUp> {
        if matches!(op, Op::Interrupt | Op::Shutdown) {
            self.deadline = Some(Instant::now() + STOP_WITHIN);
        }
        match self.ops.try_send(op) {
            // A thread that is gone shows by its events ending.
            Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
            Err(mpsc::error::TrySendError::Full(_)) => Err(GiveUp),
        }
    }

    /// The signal that asked for the end.
    pub(crate) fn stopped_by(&self) -> Option<Signal> {
        self.stop
    }
}

async fn next(signals: &mut mpsc::Receiver<Signal>) -> Signal {
    match signals.recv().await {
        Some(signal) => signal,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
