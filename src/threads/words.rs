//! The rollout format's words for states, starters, phases and kinds of errors. Reading never fails: a word
//! nobody knows becomes the careful choice.

use crate::protocol::error::ErrorKind;
use crate::protocol::item::{CommandSource, ItemStatus, MessagePhase};

/// State of a command or patch, in the rollout's words.
pub(crate) fn status_word(status: ItemStatus) -> &'static str {
    match status {
        ItemStatus::InProgress => "in_progress",
        ItemStatus::Completed => "completed",
        ItemStatus::Failed => "failed",
        ItemStatus::Declined => "declined",
    }
}

/// The state for a word; a word nobody knows is no success.
pub(crate) fn status_of(word: &str) -> ItemStatus {
    match word {
        "completed" => ItemStatus::Completed,
        "declined" => ItemStatus::Declined,
        "in_progress" => ItemStatus::InProgress,
        _ => ItemStatus::Failed,
    }
}

/// Who started a command, in the rollout's words.
pub(crate) fn source_word(source: CommandSource) -> &'static str {
    match source {
        CommandSource::Agent => "agent",
        CommandSource::UserShell => "user_shell",
        CommandSource::UnifiedExecStartup => "unified_exec_startup",
        CommandSource::UnifiedExecInteraction => "unified_exec_interaction",
    }
}

/// The starter for a word.
pub(crate) fn source_of(word: &str) -> CommandSource {
    match word {
        "user_shell" => CommandSource::UserShell,
        "unified_exec_startup" => CommandSource::UnifiedExecStartup,
        "unified_exec_interaction" => CommandSource::UnifiedExecInteraction,
        _ => CommandSource::Agent,
    }
}

/// The phase for a word; other programs know more words.
pub(crate) fn phase_of(word: Option<&str>) -> Option<MessagePhase> {
    match word {
        Some("commentary") => Some(MessagePhase::Commentary),
        Some("partial_answer") => Some(MessagePhase::PartialAnswer),
        Some("final_answer") => Some(MessagePhase::FinalAnswer),
        Some(_) | None => None,
    }
}

/// Our word for a kind of error, and the word other programs know.
pub(crate) fn error_words(kind: ErrorKind) -> (&'static str, &'static str) {
    match kind {
        ErrorKind::UsageLimit => ("usage_limit", "usage_limit_exceeded"),
        ErrorKind::Budget => ("budget", "other"),
        ErrorKind::RateLimited => ("rate_limited", "other"),
        ErrorKind::ContextTooLong => ("context_too_long", "context_window_exceeded"),
        ErrorKind::Overloaded => ("overloaded", "server_overloaded"),
        ErrorKind::Unauthorized => ("unauthorized", "unauthorized"),
        ErrorKind::AccountChanged => ("account_changed", "unauthorized"),
        ErrorKind::Quota => ("quota", "usage_limit_exceeded"),
        ErrorKind::BadRequest => ("bad_request", "bad_request"),
        ErrorKind::Policy => ("policy", "bad_request"),
        ErrorKind::Connection => ("connection", "other"),
        ErrorKind::StreamCut => ("stream_cut", "other"),
        ErrorKind::Incomplete => ("incomplete", "other"),
        ErrorKind::Server => ("server", "internal_server_error"),
        ErrorKind::Sandbox => ("sandbox", "sandbox_error"),
        ErrorKind::Io => ("io", "other"),
        ErrorKind::Internal => ("internal", "other"),
    }
}

const ERROR_KINDS: [ErrorKind; 16] = [
    ErrorKind::UsageLimit,
    ErrorKind::RateLimited,
    ErrorKind::ContextTooLong,
    ErrorKind::Overloaded,
    ErrorKind::Unauthorized,
    ErrorKind::AccountChanged,
    ErrorKind::Quota,
    ErrorKind::BadRequest,
    ErrorKind::Policy,
    ErrorKind::Connection,
    ErrorKind::StreamCut,
    ErrorKind::Incomplete,
    ErrorKind::Server,
    ErrorKind::Sandbox,
    ErrorKind::Io,
    ErrorKind::Internal,
];

/// The kind for our word, else for the word of others.
pub(crate) fn error_kind(ours: Option<&str>, others: Option<&str>) -> ErrorKind {
    let by_ours = ERROR_KINDS.into_iter().find(|kind| Some(error_words(*kind).0) == ours);
    let known = others.filter(|word| *word != "other");
    by_ours
        .or_else(|| ERROR_KINDS.into_iter().find(|kind| Some(error_words(*kind).1) == known))
        .unwrap_or(ErrorKind::Server)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_error_goes_back() {
        for kind in ERROR_KINDS {
            let (ours, others) = error_words(kind);
            assert_eq!(error_kind(Some(ours), Some(others)), kind);
        }
        assert_eq!(error_kind(None, Some("context_window_exceeded")), ErrorKind::ContextTooLong);
        assert_eq!(error_kind(None, Some("other")), ErrorKind::Server);
        assert_eq!(error_kind(Some("never seen"), None), ErrorKind::Server);
    }
}
