//! How the sign-in service behaves, as a test orders it.

use serde::{Deserialize, Serialize};

/// How the service behaves; set by `POST /control/oauth`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    /// Seconds until an access token runs out; negative: it has.
    pub(super) lifetime: i64,
    /// Whether access tokens say when they run out.
    pub(super) exp: bool,
    pub(super) account: String,
    pub(super) email: String,
    pub(super) plan: String,
    /// The account that renewed id tokens name, when it is another one.
    pub(super) renewed_account: Option<String>,
    /// Whether the page agrees, or refuses with this error.
    pub(super) refuse: Option<String>,
    /// Questions about a device code that are answered with "not yet"; more than 1000: until the page agrees.
    pub(super) pending: u32,
    /// Whether there are device codes.
    pub(super) device: bool,
    /// Every access token is refused, also a good one.
    pub(super) refuse_all: bool,
    /// Milliseconds that a renewal takes.
    pub(super) renewal_ms: u64,
    /// Leaves fields out of the answer of a renewal.
    pub(super) omit: Vec<String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            lifetime: 3600,
            exp: true,
            account: "acct-demo".to_owned(),
            email: "demo@example.org".to_owned(),
            plan: "plus".to_owned(),
            renewed_account: None,
            refuse: None,
            pending: 1,
            device: true,
            refuse_all: false,
            renewal_ms: 0,
            omit: Vec::new(),
        }
    }
}
