//! The only place that starts tasks. Every task has a name and an owner that can cancel and join it; a task
//! that panics ends alone and its owner is told.

use std::future::Future;

pub(crate) use tokio::task::JoinHandle;
pub(crate) use tokio_util::sync::CancellationToken;

/// Starts a task. `name` is what a person would look for in a stack of tasks.
#[allow(clippy::disallowed_methods, reason = "this is the place the lint points to")]
pub(crate) fn spawn<T: Send + 'static>(
    name: &'static str,
    future: impl Future<Output = T> + Send + 'static,
) -> Task<T> {
    Task { name, handle: tokio::spawn(future) }
}

/// Runs `work` where it may block (fsync, locks, big diffs, image decoding) and waits for it.
///
/// # Errors
/// The work panicked or the runtime is going down.
#[allow(clippy::disallowed_methods, reason = "this is the place the lint points to")]
pub(crate) async fn blocking<T: Send + 'static>(
    name: &'static str,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, TaskFailed> {
    tokio::task::spawn_blocking(work).await.map_err(|error| TaskFailed { name, panicked: error.is_panic() })
}

/// Runs `work` where it may block, without an owner: it must end by itself when nobody takes its results.
#[allow(clippy::disallowed_methods, reason = "this is the place the lint points to")]
pub(crate) fn detach(_name: &'static str, work: impl FnOnce() + Send + 'static) {
    drop(tokio::task::spawn_blocking(work));
}

/// A running task. Dropping it cancels the task: nothing outlives its owner.
#[derive(Debug)]
pub(crate) struct Task<T> {
    name: &'static str,
    handle: JoinHandle<T>,
}

impl<T> Task<T> {
    /// Whether the task has come to its end.
    pub(crate) fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }

    /// Waits for the end.
    ///
    /// # Errors
    /// The task panicked or was cancelled.
    pub(crate) async fn join(mut self) -> Result<T, TaskFailed> {
        let name = self.name;
        (&mut self.handle).await.map_err(|error| TaskFailed { name, panicked: error.is_panic() })
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

/// A task did not come to its own end.
#[derive(Debug, thiserror::Error)]
#[error("internal task `{name}` {}", if *panicked { "failed" } else { "was stopped" })]
pub(crate) struct TaskFailed {
    /// Which task.
    pub(crate) name: &'static str,
    /// False when it was cancelled.
    pub(crate) panicked: bool,
}
