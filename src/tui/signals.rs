//! Signals as messages. From here on they do not end the process by themselves, so that the terminal is given back
//! first.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::base::tasks::{self, Task};

/// Signals that may wait.
const WAITING: usize = 8;

/// A signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The window has another size.
    Resize,
    /// The process goes on after it was stopped.
    Continue,
    /// The process is to end; the number of the signal.
    End(i32),
}

/// Begins to catch signals.
///
/// # Errors
/// The system refused the handlers.
pub(crate) fn catch() -> std::io::Result<(mpsc::Receiver<Signal>, Task<()>)> {
    let mut resize = signal(SignalKind::window_change())?;
    let mut go_on = signal(SignalKind::from_raw(rustix::process::Signal::CONT.as_raw()))?;
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (mut hangup, mut quit) = (signal(SignalKind::hangup())?, signal(SignalKind::quit())?);
    let (sender, receiver) = mpsc::channel(WAITING);
    let task = tasks::spawn("signals", async move {
        loop {
            // Each signal waits in its own queue: what is not taken now is taken by the next round.
            let seen = tokio::select! {
                Some(()) = resize.recv() => Signal::Resize,
                Some(()) = go_on.recv() => Signal::Continue,
                Some(()) = interrupt.recv() => Signal::End(SignalKind::interrupt().as_raw_value()),
                Some(()) = terminate.recv() => Signal::End(SignalKind::terminate().as_raw_value()),
                Some(()) = hangup.recv() => Signal::End(SignalKind::hangup().as_raw_value()),
                Some(()) = quit.recv() => Signal::End(SignalKind::quit().as_raw_value()),
                else => return,
            };
            if sender.send(seen).await.is_err() {
                return;
            }
        }
    });
    Ok((receiver, task))
}
