//! Tokens that belong to somebody else: a parent application that hands them in and is asked for fresh ones, or a
//! variable of the environment. They live in memory only.
//!
//! A front end for a parent application begins with [`Manager::of_parent`](super::manager::Manager::of_parent), or hands
//! tokens to a manager in use with `use_external`: every client that holds it goes on with them. Its part is the
//! [`Ask`]: carry the question to the parent and the answer back. When it is called, and what follows, is settled here:
//!
//! - after a 401, and once for all tasks that the same token was refused; never ahead of time
//! - a token that came within the turn is not asked for once more: its 401 stands
//! - no answer in 10 s, or an error: passing trouble, so that the turn tries again in its own time
//! - an answer for another account ends the turn; the next one asks again
//! - nothing is written anywhere, and what is stored for this home is neither read nor changed

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::claims;
use super::error::{Cause, Error};
use crate::base::secret::Secret;

/// The parent application gets this time to answer.
const TIME: Duration = Duration::from_secs(10);

/// Tokens as they were handed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExternalTokens {
    /// Goes into requests.
    pub(crate) access: Secret,
    /// Account that requests are for.
    pub(crate) account_id: String,
    /// Plan, when it is known.
    pub(crate) plan: Option<String>,
}

/// Asks the owner for fresh tokens; gets the account they were for. The error is the owner's words, cleaned.
pub(crate) type Ask = Arc<dyn Fn(String) -> BoxFuture<'static, Result<ExternalTokens, String>> + Send + Sync>;

/// A token out of a text; `from` names its place in errors.
///
/// # Errors
/// It is no access token of a ChatGPT account.
pub(crate) fn read(text: &str, from: &str) -> Result<ExternalTokens, Error> {
    let bad = |reason| Error::BadToken { from: from.to_owned(), reason };
    let text = text.trim();
    if text.is_empty() || text.chars().any(|c| !c.is_ascii_graphic()) {
        return Err(bad("it is empty, or holds characters that no token has"));
    }
    let claims = claims::read(text).ok_or_else(|| bad("it is no JSON web token"))?;
    let account_id = claims.account_id.ok_or_else(|| bad("it does not say which account it is for"))?;
    Ok(ExternalTokens { access: Secret::new(text), account_id, plan: claims.plan })
}

/// Fresh tokens from their owner, of the same account.
pub(super) async fn fresh(ask: &Ask, mine: &ExternalTokens) -> Result<ExternalTokens, Error> {
    within(TIME, ask, mine).await
}

async fn within(time: Duration, ask: &Ask, mine: &ExternalTokens) -> Result<ExternalTokens, Error> {
    let failed = |reason: String| Error::RenewalFailed { reason };
    let answer = tokio::time::timeout(time, ask(mine.account_id.clone())).await;
    let tokens = answer
        .map_err(|_| {
            failed(format!("the application that signed in did not answer within {} s", time.as_secs()))
        })?
        .map_err(failed)?;
    if tokens.account_id != mine.account_id {
        return Err(Error::Refused { cause: Cause::OtherAccount });
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_parent_that_does_not_answer_is_passing_trouble() {
        let silent: Ask = Arc::new(|_| std::future::pending().boxed());
        let mine = ExternalTokens { access: Secret::new("one"), account_id: "acct".to_owned(), plan: None };
        let error = within(Duration::ZERO, &silent, &mine).await.unwrap_err();
        assert!(error.is_transient() && error.to_string().contains("did not answer"), "{error}");
    }
}
