//! What a test or a scenario sets of the scripted account, as it is written down.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

/// How the answer to a redemption is lost after it was carried out.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum After {
    /// The connection is dropped.
    Drop,
    /// No answer ever comes.
    Hang,
    /// This status with an HTML page.
    Status(u16),
    /// A result that nobody knows.
    Unknown,
    /// The answer comes after so many milliseconds.
    Slow(u64),
    /// The answer comes as it should.
    Answer,
}

/// One window.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Share used.
    pub(super) used: f64,
    /// Length in seconds, as it is told.
    pub(super) seconds: u64,
    /// Seconds of the account's clock until it starts anew, from the moment it is set.
    pub(super) resets_in: u64,
}

/// What a test or a scenario sets; what it leaves out stays.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct AccountFile {
    /// Seconds that pass for the account in one second. Given, windows start anew at their end.
    pub(super) clock: Option<f64>,
    pub(super) plan: Option<String>,
    pub(super) account_id: Option<String>,
    /// The short and the long window; an empty list takes both away.
    pub(super) windows: Option<Vec<Window>>,
    /// Rows of the list, as they are told. `granted_ago` and `expires_in` (real seconds) become moments.
    pub(super) credits: Option<Vec<Value>>,
    /// No more rows than this are told.
    pub(super) cap: Option<usize>,
    /// Whether rows are told at all.
    pub(super) listed: Option<bool>,
    /// Told in place of the true number.
    pub(super) count: Option<Value>,
    /// How many readings still see the old windows after a reset.
    pub(super) move_after: Option<u64>,
    /// What happens to the answers of redemptions, one after the other.
    pub(super) after: Option<Vec<After>>,
    /// Which limit is reached, in the service's word; tells members of a workspace from owners.
    pub(super) reached: Option<String>,
    /// The service forgets the keys it has seen.
    pub(super) forget: Option<bool>,
    /// Told in place of every usage answer.
    pub(super) usage: Option<Value>,
    /// Told in place of every answer about token activity.
    pub(super) activity: Option<Value>,
}

/// A row whose `granted_ago` and `expires_in` have become moments.
pub(super) fn dated(mut row: Value, now: u64) -> Value {
    let Some(map) = row.as_object_mut() else { return row };
    let moment = |seconds: i64| {
        let at = i64::try_from(now).unwrap_or(i64::MAX).saturating_add(seconds);
        Timestamp::from_second(at).map_or(Value::Null, |at| json!(at.to_string()))
    };
    let mut take = |name: &str| map.remove(name).and_then(|seconds| seconds.as_i64());
    let (ago, within) = (take("granted_ago"), take("expires_in"));
    if let Some(ago) = ago {
        map.insert("granted_at".to_owned(), moment(ago.saturating_neg()));
    }
    if let Some(within) = within {
        map.insert("expires_at".to_owned(), moment(within));
    }
    row
}
