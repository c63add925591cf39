//! Asking the owner of a workspace for more: the service sends them a mail. One request, no repeats: a second mail
//! helps nobody.

use serde_json::json;

use super::client::{Backend, Route, TIME_LIMIT};
use super::error::Error;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum More {
    /// Credits of the workspace.
    Credits,
    /// A higher limit of this member.
    Limit,
}

impl More {
    /// What a member can ask for when this limit, in the service's word, is reached.
    pub(crate) fn of(reached: &str) -> Option<Self> {
        match reached {
            "workspace_member_credits_depleted" => Some(Self::Credits),
            "workspace_member_usage_limit_reached" => Some(Self::Limit),
            _ => None,
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nudged {
    /// The owner is told.
    Sent,
    /// They were told a short while ago; nothing was sent.
    TooSoon,
}

/// Asks the owner in the name of `account`.
///
/// # Errors
/// Nobody knows whether the owner is told.
pub(crate) async fn nudge(backend: &Backend, account: &str, more: More) -> Result<Nudged, Error> {
    let word = match more {
        More::Credits => "credits",
        More::Limit => "usage_limit",
    };
    match backend.post_json_as(account, Route::Nudge, &json!({ "credit_type": word }), TIME_LIMIT).await {
        // A good status is the answer, whatever comes with it.
        Ok(_) | Err(Error::BadAnswer { .. }) => Ok(Nudged::Sent),
        Err(Error::Status { code: 429, .. }) => Ok(Nudged::TooSoon),
        Err(error) => Err(error),
    }
}
