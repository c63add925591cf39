//! Rate-limit windows, bought credits and reset credits, as the server tells them. Plain data: what follows from it
//! is worked out in `limits/`.

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
    /// Account of the credentials that the answer was asked with; never stored.
    #[serde(skip)]
    pub(crate) account_id: Option<String>,
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

/// What something has cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Price {
    /// Name of the window.
    pub(crate) window: String,
    /// Percent of it.
    pub(crate) percent: f64,
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

/// What one source says about one value. A source that is silent changes nothing; "nothing there" is a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Told<T> {
    /// The source does not speak of it, or not in words that can be understood.
    #[default]
    Silent,
    /// The source says that there is none.
    Nothing,
    /// The value.
    Is(T),
}

/// One full reading of an account, as the usage endpoint gives it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct AccountReading {
    /// Plan in the server's word.
    pub(crate) plan: Option<String>,
    /// The families it lists, the main one first.
    pub(crate) families: Vec<FamilyReading>,
    /// Whether families that are not listed are gone.
    pub(crate) families_complete: bool,
    /// Bought credits.
    pub(crate) credits: Told<Credits>,
    /// Limit on spending.
    pub(crate) spend: Told<SpendControl>,
    /// Which limit was hit, in the server's word.
    pub(crate) reached: Told<String>,
    /// How many reset credits there are.
    pub(crate) reset_count: Told<u64>,
    /// Seconds by which the server's clock is ahead of ours; 0 when the answer does not tell.
    pub(crate) clock_ahead_s: i64,
}

/// What a full reading says about one family.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct FamilyReading {
    /// Family, lower case with `_`.
    pub(crate) id: String,
    /// Name for people.
    pub(crate) name: Option<String>,
    /// The short window.
    pub(crate) primary: Told<LimitWindow>,
    /// The long window.
    pub(crate) secondary: Told<LimitWindow>,
}

/// A limit on spending that somebody set for the account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SpendControl {
    /// It is used up.
    pub(crate) reached: bool,
    /// The amount, as the server writes it.
    pub(crate) limit: Option<String>,
    /// What was spent, as the server writes it.
    pub(crate) used: Option<String>,
    /// What is left, in percent.
    pub(crate) remaining_percent: Option<f64>,
    /// Unix seconds at which it starts anew.
    pub(crate) resets_at: Option<u64>,
}

/// Reset credits of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResetCredits {
    /// How many can be used.
    pub(crate) available_count: u64,
    /// Each of them, when the server lists them; the list may be shorter than the count.
    pub(crate) credits: Option<Vec<ResetCredit>>,
}

/// One reset credit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ResetCredit {
    /// The server's id.
    pub(crate) id: String,
    /// What it resets.
    pub(crate) reset_type: ResetType,
    /// Where it stands.
    pub(crate) status: CreditStatus,
    /// Unix seconds at which it was granted.
    pub(crate) granted_at: Option<u64>,
    /// Unix seconds after which it is gone; `None`: it does not expire, or the time cannot be read.
    pub(crate) expires_at: Option<u64>,
    /// The time of expiry is there but cannot be read: "does not expire" would be a lie.
    #[serde(default)]
    pub(crate) expiry_unreadable: bool,
    /// Title from the server, cleaned.
    pub(crate) title: Option<String>,
    /// Description from the server, cleaned.
    pub(crate) description: Option<String>,
}

/// What a reset credit resets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResetType {
    /// The windows of the main family.
    CodexRateLimits,
    /// Something this program does not know.
    #[serde(other)]
    Unknown,
}

/// Where a reset credit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum CreditStatus {
    /// It can be used.
    Available,
    /// It is being used.
    Redeeming,
    /// It was used.
    Redeemed,
    /// Something this program does not know.
    #[serde(other)]
    Unknown,
}

/// What became of a redemption, when the service says it clearly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ConsumeOutcome {
    /// The windows were reset.
    Reset,
    /// The same request had done it before.
    AlreadyRedeemed,
    /// The windows were not in use; nothing was spent.
    NothingToReset,
    /// The credit is not there.
    NoCredit,
}
