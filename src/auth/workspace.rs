//! Which sign-ins the configuration accepts: ways to sign in, and ChatGPT workspaces. What is not accepted is refused
//! with a reason. Where the user's or the administrator's own files say so, it is also removed from this machine at
//! the start; a flag or a profile may be meant for one run, and removes nothing.

use super::document::{Answer, Stored};
use super::error::Error;
use super::store::Store;
use crate::config::schema::choice::Choice;
use crate::config::schema::login::LoginMethod;

/// What is accepted; by default everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    /// The only way to sign in.
    pub(crate) method: Option<LoginMethod>,
    /// The ways that the administrator allows; `None` for all.
    pub(crate) allowed: Option<Vec<LoginMethod>>,
    /// The only workspaces, by account id; empty for any.
    pub(crate) workspaces: Vec<String>,
    /// Whether a stored sign-in that is not accepted is removed.
    pub(crate) lasting: bool,
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

    /// The check at the start: a stored sign-in that is not accepted is removed. It is not ended at the service.
    ///
    /// # Errors
    /// [`Error::TurnedOut`] says what was removed and why; or it cannot be read or removed.
    pub(crate) fn enforce(&self, store: &Store) -> Result<(), Error> {
        if !self.lasting {
            return Ok(());
        }
        let Some(stored) = store.load()? else { return Ok(()) };
        let Err(why) = self.stored(&stored) else { return Ok(()) };
        store.delete()?;
        Err(Error::TurnedOut { why: Box::new(why) })
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
        let refuse = |why: String, instead| Err(Error::Method { used, why, instead });
        if let Some(forced) = self.method.filter(|forced| *forced != method) {
            return refuse(format!("forced_login_method is \"{}\"", forced.word()), Some(forced));
        }
        match &self.allowed {
            Some(allowed) if !allowed.contains(&method) => {
                let words: Vec<&str> = allowed.iter().map(|method| method.word()).collect();
                let words = if words.is_empty() { "nothing".to_owned() } else { words.join(" or ") };
                refuse(format!("the administrator allows {words}"), allowed.first().copied())
            }
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
        let chatgpt = Rules {
            method: Some(LoginMethod::Chatgpt),
            workspaces: vec!["w1".to_owned(), "w2".to_owned()],
            ..Rules::default()
        };
        let error = chatgpt.key().unwrap_err();
        assert!(error.to_string().contains("forced_login_method is \"chatgpt\""), "{error}");
        assert!(chatgpt.account(Some("w2")).is_ok());
        for other in [None, Some("w"), Some("")] {
            assert!(matches!(chatgpt.account(other), Err(Error::Workspace { .. })), "{other:?}");
        }
        let api = Rules { method: Some(LoginMethod::Api), ..Rules::default() };
        assert!(api.key().is_ok() && matches!(api.account(Some("x")), Err(Error::Method { .. })));
    }

    #[test]
    fn what_the_administrator_allows() {
        use LoginMethod::{Api, Chatgpt};
        for (allowed, forced, key, account) in [
            (&[Chatgpt][..], None, false, true),
            (&[Api], None, true, false),
            (&[Api, Chatgpt], None, true, true),
            (&[Api, Chatgpt], Some(Api), true, false),
            (&[Chatgpt], Some(Api), false, false),
            (&[], None, false, false),
        ] {
            let rules = Rules { method: forced, allowed: Some(allowed.to_vec()), ..Rules::default() };
            assert_eq!((rules.key().is_ok(), rules.account(None).is_ok()), (key, account), "{rules:?}");
            for error in [rules.key().err(), rules.chatgpt().err()].into_iter().flatten() {
                assert!(!error.hint().is_empty());
            }
        }
    }

    #[test]
    fn only_lasting_rules_remove_what_is_stored() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::new(dir.path());
        let key = crate::base::secret::Secret::new("sk-1");
        let rules = |method, lasting| Rules { method: Some(method), lasting, ..Rules::default() };
        assert_eq!(rules(LoginMethod::Chatgpt, true).enforce(&store), Ok(()), "nothing is stored");
        store.save_api_key(&key).unwrap();
        assert_eq!(rules(LoginMethod::Chatgpt, false).enforce(&store), Ok(()));
        assert_eq!(rules(LoginMethod::Api, true).enforce(&store), Ok(()));
        assert!(store.load().unwrap().is_some());
        let error = rules(LoginMethod::Chatgpt, true).enforce(&store).unwrap_err();
        assert!(error.to_string().starts_with("The stored sign-in was removed") && !store.path().exists());
        assert_eq!(error.hint(), "sign in with: codex login");
        std::fs::write(store.path(), "{\"OPEN").unwrap();
        assert!(matches!(rules(LoginMethod::Chatgpt, true).enforce(&store), Err(Error::Corrupt { .. })));
        assert!(store.path().exists(), "what is damaged is left alone");
    }
}
