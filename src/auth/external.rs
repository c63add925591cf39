//! Tokens that belong to somebody else: a parent application that hands them in and is asked for fresh ones, or a
//! variable of the environment. They live in memory only.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::claims;
use super::error::Error;
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
    let failed = |reason: String| Error::RenewalFailed { reason };
    let answer = tokio::time::timeout(TIME, ask(mine.account_id.clone())).await;
    let tokens = answer
        .map_err(|_| {
            failed(format!("the application that signed in did not answer within {} s", TIME.as_secs()))
        })?
        .map_err(failed)?;
    if tokens.account_id != mine.account_id {
        return Err(Error::AccountChanged { now: None });
    }
    Ok(tokens)
}
