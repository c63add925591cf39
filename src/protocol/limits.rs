//! Rate-limit windows and credits as the server tells them (responses-wire, "rate-limit information").

use serde::{Deserialize, Serialize};

/// One reading of one limit family. Fields a source does not know are absent, which means "unchanged".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct LimitsSnapshot {
    /// Family; `codex` is the main one.
    pub(crate) limit_id: Option<String>,
    /// Name for people, when the family has one.
    pub(crate) limit_name: Option<String>,
    /// The short window.
    pub(crate) primary: Option<LimitWindow>,
    /// The long window.
    pub(crate) secondary: Option<LimitWindow>,
    /// Credit balance.
    pub(crate) credits: Option<Credits>,
    /// Plan as the server names it.
    pub(crate) plan_type: Option<String>,
    /// Which limit was hit, in the server's word.
    pub(crate) rate_limit_reached_type: Option<String>,
}

/// One window of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct LimitWindow {
    /// 0 to 100; kept as told, also above 100.
    pub(crate) used_percent: f64,
    /// Length of the window in minutes.
    pub(crate) window_minutes: Option<u64>,
    /// Unix seconds at which the window starts anew.
    pub(crate) resets_at: Option<u64>,
}

/// Bought credits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Credits {
    /// There are some.
    pub(crate) has_credits: bool,
    /// They never run out.
    pub(crate) unlimited: bool,
    /// Balance as the server writes it.
    pub(crate) balance: Option<String>,
}
