//! Errors of the areas below → the one error a front end shows.

use crate::base::tasks::TaskFailed;
use crate::protocol::error::{ErrorInfo, ErrorKind};

/// A task of ours ended wrongly.
pub(crate) fn internal(error: &TaskFailed) -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Internal, error.to_string())
        .with_hint("the thread is on disk and can be resumed; please report this")
}

/// What was written may not survive a power cut.
pub(crate) fn not_durable(error: &std::io::Error) -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Io, format!("the thread is written but may not survive a power cut: {error}"))
}

/// The rollout cannot be written.
pub(crate) fn rollout(error: &crate::threads::Error) -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Io, format!("the thread cannot be saved: {error}"))
        .with_hint("free space or fix the permissions of the folder; --ephemeral runs without saving")
}
