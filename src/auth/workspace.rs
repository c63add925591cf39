//! Which sign-ins the configuration accepts: a way to sign in, and ChatGPT workspaces. What is not accepted is
//! refused with a reason; it is not removed, because it may be right under another configuration.

use super::document::{Answer, Stored};
use super::error::Error;
use crate::config::schema::choice::Choice;
use crate::config::schema::login::LoginMethod;

/// What is accepted; by default everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// The only way to sign in.
    pub(crate) method: Option<LoginMethod>,
    /// The only workspaces, by account id; empty for any.
    pub(crate) workspaces: Vec<String>,
}

impl Rules {
    /// Whether an API key may be used.
    ///
    /// # Errors
    /// It may not.
    pub(crate) fn key(&self) -> Result<(), Error> {
        self.method("an API key", LoginMethod::Api)
    }

    /// Whether a ChatGPT account may be used, before it is known which.
    ///
    /// # Errors
    /// It may not.
    pub(crate) fn chatgpt(&self) -> Result<(), Error> {
        self.method("ChatGPT", LoginMethod::Chatgpt)
    }

    /// Whether this account may be used.
    ///
    /// # Errors
    /// It may not.
    pub(super) fn account(&self, account: Option<&str>) -> Result<(), Error> {
        self.chatgpt()?;
        let known = |account: &str| self.workspaces.iter().any(|allowed| allowed == account);
        match self.workspaces.is_empty() || account.is_some_and(known) {
            true => Ok(()),
            false => Err(Error::Workspace { allowed: self.workspaces.clone() }),
        }
    }

    /// Whether what is stored may be used.
    pub(super) fn stored(&self, stored: &Stored) -> Result<(), Error> {
        match stored {
            Stored::ApiKey(_) => self.key(),
            Stored::ChatGpt(tokens) => self.account(tokens.account_id.as_deref()),
        }
    }

    /// The account of a fresh sign-in, if it may be used.
    pub(super) fn fresh(&self, answer: &Answer) -> Result<String, Error> {
        let account = answer.accounts().next();
        self.account(account.as_deref())?;
        account.ok_or_else(|| Error::Login {
            reason: "the service does not say which account it is for".to_owned(),
            hint: None,
        })
    }

    fn method(&self, used: &'static str, method: LoginMethod) -> Result<(), Error> {
        match self.method {
            Some(forced) if forced != method => Err(Error::Method { used, forced: forced.word() }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules() {
        let open = Rules::default();
        assert!(open.key().is_ok() && open.account(None).is_ok());
        let chatgpt =
            Rules { method: Some(LoginMethod::Chatgpt), workspaces: vec!["w1".to_owned(), "w2".to_owned()] };
        assert_eq!(chatgpt.key(), Err(Error::Method { used: "an API key", forced: "chatgpt" }));
        assert!(chatgpt.account(Some("w2")).is_ok());
        for other in [None, Some("w"), Some("")] {
            assert!(matches!(chatgpt.account(other), Err(Error::Workspace { .. })), "{other:?}");
        }
        let api = Rules { method: Some(LoginMethod::Api), ..Rules::default() };
        assert!(api.key().is_ok() && matches!(api.account(Some("x")), Err(Error::Method { .. })));
    }
}
