//! The only error a front end shows: what happened and what to do next.

use crate::base::clean::in_words;
use std::fmt;

/// What kind of trouble, so that a front end can offer the right way out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorKind {
    /// The plan's usage limit is reached.
    UsageLimit,
    /// A budget that the user set is used up.
    Budget,
    /// Too many requests for now; not a plan limit.
    RateLimited,
    /// The conversation does not fit the model's window.
    ContextTooLong,
    /// The service has no capacity.
    Overloaded,
    /// Not signed in, or the sign-in is no longer accepted.
    Unauthorized,
    /// Somebody else is signed in since this process began; the user may go on as they.
    AccountChanged,
    /// The plan does not include this, or there is no money left.
    Quota,
    /// The service refused the request as it is.
    BadRequest,
    /// The service refused the content.
    Policy,
    /// The service cannot be reached.
    Connection,
    /// The answer broke off and the retries are used up.
    StreamCut,
    /// The service ended the answer early, for example at its output limit.
    Incomplete,
    /// The service failed.
    Server,
    /// The sandbox cannot enforce what was asked.
    Sandbox,
    /// A file could not be read or written, for example the rollout.
    Io,
    /// A fault of this program.
    Internal,
}

/// One error, ready to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ErrorInfo {
    /// What kind of trouble.
    pub(crate) kind: ErrorKind,
    /// What happened, one sentence, no secrets.
    pub(crate) message: String,
    /// The next step, when there is one.
    pub(crate) hint: Option<String>,
}

impl ErrorInfo {
    /// An error without a next step. Numbers of the system's errors do not reach the user.
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { kind, message: in_words(&message).into_owned(), hint: None }
    }

    /// Adds the next step.
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ErrorInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.hint {
            Some(hint) => write!(f, "{} ({hint})", self.message.trim_end_matches('.')),
            None => f.write_str(&self.message),
        }
    }
}
