//! What all ways to sign in share: what they need to know, and what happens with the tokens at the end. Nothing is
//! stored before everything about the tokens has been checked.

use super::document::{self, Answer, Provenance, Stored, Tokens};
use super::error::Error;
use super::external;
use super::issuer::Issuer;
use super::manager::Identity;
use super::store::Store;
use super::workspace::Rules;
use crate::base::clock::{Clock, SystemClock};
use crate::base::secret::Secret;
use crate::base::tasks;

/// Who signs people in, what is accepted, and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct SignIn {
    /// The service.
    pub(crate) issuer: Issuer,
    /// Where tokens go.
    pub(crate) store: Store,
    /// Which accounts are accepted.
    pub(crate) rules: Rules,
}

impl SignIn {
    /// Makes sure that the result may be had and can be kept, before the user is sent anywhere.
    ///
    /// # Errors
    /// It may not, or cannot.
    pub(crate) async fn check(&self) -> Result<(), Error> {
        self.rules.chatgpt()?;
        let store = self.store.clone();
        blocking(move || store.lock().and_then(|_locks| store.check_writable())).await
    }

    /// Checks and stores tokens, and ends those they replace at the service.
    pub(super) async fn keep(&self, answer: Answer) -> Result<Identity, Error> {
        let account = self.rules.fresh(&answer)?;
        let from = self.issuer.provenance();
        let before = self.put(answer, account, from).await?;
        if let Some(old) = before {
            revoke(&self.issuer, &old).await;
        }
        identity(&self.store)
    }

    /// Stores an access token that was got elsewhere. It cannot be renewed.
    ///
    /// # Errors
    /// It is none, its account is not accepted, or it cannot be stored.
    pub(crate) async fn with_access_token(&self, typed: &str) -> Result<Identity, Error> {
        let tokens = external::read(typed, "the input")?;
        self.rules.account(Some(&tokens.account_id))?;
        // Programs that share the file want an id token; the access token makes the same claims.
        let answer = Answer { id: Some(tokens.access.clone()), access: Some(tokens.access), refresh: None };
        let from = self.issuer.provenance();
        self.put(answer, tokens.account_id, from).await?;
        identity(&self.store)
    }

    /// Stores; gives what was replaced.
    async fn put(&self, answer: Answer, account: String, from: Provenance) -> Result<Option<Tokens>, Error> {
        let store = self.store.clone();
        blocking(move || {
            let before = match store.load() {
                Ok(Some(Stored::ChatGpt(tokens))) => Some(tokens),
                _ => None,
            };
            let now_s = SystemClock.now_s();
            store.change(|document| document::put_tokens(document, &answer, &account, &from, now_s))?;
            Ok(before)
        })
        .await
    }
}

/// Removes what is stored, and ends it at the service. False when nothing was stored.
///
/// # Errors
/// It cannot be removed.
pub(crate) async fn sign_out(store: &Store, issuer: &Issuer) -> Result<bool, Error> {
    let before = store.clone();
    // What cannot be read cannot be ended at the service; it is removed all the same.
    let stored = blocking(move || before.load()).await.unwrap_or(None);
    let gone = store.clone();
    let done = blocking(move || gone.delete()).await?;
    end(issuer, stored).await;
    Ok(done)
}

/// Ends at the service what was stored before.
pub(super) async fn end(issuer: &Issuer, before: Option<Stored>) {
    if let Some(Stored::ChatGpt(tokens)) = before {
        revoke(issuer, &tokens).await;
    }
}

async fn revoke(issuer: &Issuer, tokens: &Tokens) {
    let (token, hint): (&Secret, _) = match &tokens.refresh {
        Some(refresh) => (refresh, "refresh_token"),
        None => (&tokens.access, "access_token"),
    };
    issuer.revoke(token, hint, tokens.provenance.as_ref()).await;
}

fn identity(store: &Store) -> Result<Identity, Error> {
    match store.load()? {
        Some(Stored::ChatGpt(Tokens { account_id, identity, .. })) => {
            Ok(Identity { account_id, email: identity.email, plan: identity.plan })
        }
        _ => Err(Error::NotSignedIn),
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tasks::blocking("credentials", work).await.map_err(|_| Error::Cancelled)?
}
