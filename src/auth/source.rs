//! The seam between those who send requests and whoever owns the credentials: our own store, or a parent
//! application that hands tokens in.

use std::time::Instant;

use futures_util::future::BoxFuture;

use super::error::Error;
use crate::base::secret::Secret;

/// What goes into the headers of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authorization {
    /// Key or token; `None` for providers that want neither.
    pub(crate) bearer: Option<Secret>,
    /// `chatgpt-account-id`, for a ChatGPT sign-in.
    pub(crate) account_id: Option<String>,
}

/// Hands out credentials.
pub(crate) trait TokenSource: Send + Sync {
    /// The credentials to use now. Called before every request; an error ends it before any network, unless it
    /// [is transient](Error::is_transient).
    fn authorization(&self) -> BoxFuture<'_, Result<Authorization, Error>>;

    /// What the user can do when the service does not accept these credentials.
    fn remedy(&self) -> String;

    /// Called after a 401 that `used` got: tries to find better credentials. `Ok(true)`: send again, perhaps with
    /// the same ones. `Ok(false)` when there are none, so that the 401 stands; an error when that is for a reason
    /// the user should know. After at most two of these a third 401 stands by itself.
    fn recover<'a>(&'a self, used: &'a Authorization) -> BoxFuture<'a, Result<bool, Error>>;

    /// The same in a turn that began at `since`: tokens that were made for it are not renewed once more.
    fn recover_in_turn<'a>(
        &'a self,
        used: &'a Authorization,
        _since: Instant,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        self.recover(used)
    }
}
