//! The 401 machine: what to do when the service refuses credentials. Pure; the manager carries its steps out.
//!
//! A token that was refused is first compared with what is stored: another process may have renewed it. Only then
//! it is renewed, and never twice in a turn. What is stored for another account, or no longer, ends everything:
//! falling through to a renewal there would spend a token that others share, and save it nowhere.

use super::document::{Stored, Tokens};
use super::error::Error;

/// Whose credentials they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A key, or a token without anything to renew it.
    Fixed,
    /// Our own sign-in.
    Managed,
    /// A parent application's.
    External,
}

/// Where things stand when a 401 arrives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Situation {
    pub(super) kind: Kind,
    /// Somebody has found better credentials since the request left.
    pub(super) superseded: bool,
    /// What is stored was looked at since the refused token is current.
    pub(super) reread: bool,
    /// The refused token was made by us since the turn began.
    pub(super) minted_in_turn: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send again with what is current.
    Retry,
    /// Look at what is stored, then send again, changed or not: a 401 may be a passing mood of the service, and
    /// repeating a request is cheaper than renewing.
    Reread,
    /// Renew, then send again.
    Renew,
    /// Ask the parent application, then send again.
    Ask,
    /// The 401 stands.
    Final,
}

/// The next step.
pub(super) fn step(now: Situation) -> Step {
    match now {
        Situation { superseded: true, .. } => Step::Retry,
        Situation { kind: Kind::Fixed, .. } => Step::Final,
        Situation { kind: Kind::External, minted_in_turn: true, .. } => Step::Final,
        Situation { kind: Kind::External, .. } => Step::Ask,
        Situation { reread: false, .. } => Step::Reread,
        Situation { minted_in_turn: true, .. } => Step::Final,
        _ => Step::Renew,
    }
}

/// Whether what is stored may take the place of credentials of the account `expected`.
///
/// # Errors
/// It may not, for a reason to be told.
pub(super) fn same_account(expected: Option<&str>, stored: Option<Stored>) -> Result<Tokens, Error> {
    let Some(expected) = expected else { return Err(Error::AccountUnknown) };
    match stored {
        None => Err(Error::SignedOut),
        Some(Stored::ApiKey(_)) => Err(Error::AccountChanged { now: Some("an API key".to_owned()) }),
        Some(Stored::ChatGpt(tokens)) if tokens.account_id.as_deref() == Some(expected) => Ok(tokens),
        Some(Stored::ChatGpt(tokens)) => {
            let now = tokens.identity.email.map(|email| crate::base::clean::line(&email, 100));
            Err(Error::AccountChanged { now })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::claims::Claims;
    use crate::base::secret::Secret;

    #[test]
    fn every_situation() {
        use Kind::{External, Fixed, Managed};
        let (no, yes) = (false, true);
        for (kind, superseded, reread, minted_in_turn, want) in [
            (Fixed, no, no, no, Step::Final),
            (Fixed, no, no, yes, Step::Final),
            (Fixed, no, yes, no, Step::Final),
            (Fixed, no, yes, yes, Step::Final),
            (Fixed, yes, no, no, Step::Retry),
            (Managed, no, no, no, Step::Reread),
            (Managed, no, no, yes, Step::Reread),
            (Managed, no, yes, no, Step::Renew),
            (Managed, no, yes, yes, Step::Final),
            (Managed, yes, no, no, Step::Retry),
            (Managed, yes, yes, no, Step::Retry),
            (Managed, yes, no, yes, Step::Retry),
            (Managed, yes, yes, yes, Step::Retry),
            (External, no, no, no, Step::Ask),
            (External, no, yes, no, Step::Ask),
            (External, no, no, yes, Step::Final),
            (External, no, yes, yes, Step::Final),
            (External, yes, no, no, Step::Retry),
        ] {
            let now = Situation { kind, superseded, reread, minted_in_turn };
            assert_eq!(step(now), want, "{now:?}");
        }
    }

    #[test]
    fn only_the_same_account_is_taken_over() {
        let tokens = |account: Option<&str>| {
            Some(Stored::ChatGpt(Tokens {
                access: Secret::new("a"),
                refresh: None,
                account_id: account.map(str::to_owned),
                identity: Claims { email: Some("b@example.org".to_owned()), ..Claims::default() },
                expires_at: None,
                last_refresh: None,
                provenance: None,
            }))
        };
        let changed = |now: &str| Error::AccountChanged { now: Some(now.to_owned()) };
        for (expected, stored, want) in [
            (Some("me"), tokens(Some("me")), Ok(())),
            (Some("me"), tokens(Some("you")), Err(changed("b@example.org"))),
            (Some("me"), tokens(None), Err(changed("b@example.org"))),
            (Some("me"), Some(Stored::ApiKey(Secret::new("k"))), Err(changed("an API key"))),
            (Some("me"), None, Err(Error::SignedOut)),
            (None, tokens(Some("me")), Err(Error::AccountUnknown)),
            (None, tokens(None), Err(Error::AccountUnknown)),
            (None, None, Err(Error::AccountUnknown)),
        ] {
            assert_eq!(same_account(expected, stored.clone()).map(drop), want, "{expected:?} {stored:?}");
        }
    }
}
