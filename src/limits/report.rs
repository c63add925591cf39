//! Everything for machines: the JSON of `codex usage --json`. Its form is documented by
//! `assets/schemas/usage.v1.json`; a field is never taken away or given another meaning within a version. Pure.

use jiff::tz::TimeZone;
use serde::Serialize;

use super::advice::{self, Action, Pending};
use super::advice_text;
use super::forecast::{self, Forecast};
use super::require::Checked;
use super::state::{AccountLimits, LiveWindow, STALE_AFTER_S, Slot, Source};
use super::text;
use crate::protocol::limits::{CreditStatus, Credits, ResetCredit, ResetType, SpendControl};

/// Version of the form.
const VERSION: u32 = 1;

/// What the report is made from, beside the state.
pub(crate) struct Made<'a> {
    /// Unix seconds on our clock.
    pub(crate) now_s: u64,
    /// The user's zone, for the words of the advice.
    pub(crate) zone: &'a TimeZone,
    /// Nothing was asked for.
    pub(crate) offline: bool,
    /// Why the numbers are not fresh.
    pub(crate) error: Option<Problem>,
    /// Requirements.
    pub(crate) checked: &'a [Checked],
    /// An earlier redemption that is not over.
    pub(crate) pending: Option<Pending>,
    /// How the program will end.
    pub(crate) exit_code: u8,
}

/// Why the numbers are not fresh.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Problem {
    /// One sentence.
    pub(crate) message: String,
    /// The next step.
    pub(crate) hint: Option<String>,
}

/// The whole report.
#[derive(Debug, Serialize)]
pub(crate) struct Report<'a> {
    schema_version: u32,
    generated_at: u64,
    account_id: Option<&'a str>,
    plan: Option<&'a str>,
    offline: bool,
    captured_at: Option<u64>,
    age_s: Option<u64>,
    stale: bool,
    error: Option<Problem>,
    limit_reached: bool,
    reached_type: Option<&'a str>,
    windows: Vec<Window<'a>>,
    credits: Option<&'a Credits>,
    spend_control: Option<&'a SpendControl>,
    reset_credits: Option<Resets>,
    redemption: Option<Redemption>,
    advice: AdviceOut,
    requirements: Vec<Requirement<'a>>,
    exit_code: u8,
}

#[derive(Debug, Serialize)]
struct Window<'a> {
    limit_id: &'a str,
    limit_name: Option<&'a str>,
    name: &'static str,
    slot: Slot,
    window_minutes: Option<u64>,
    used_percent: f64,
    left_percent: f64,
    resets_at: Option<u64>,
    resets_at_utc: Option<String>,
    resets_in_s: Option<u64>,
    restarted: bool,
    captured_at: u64,
    source: Source,
    forecast: ForecastOut,
}

#[derive(Debug, Default, Serialize)]
struct ForecastOut {
    state: &'static str,
    at: Option<u64>,
    early: Option<u64>,
    late: Option<u64>,
    used_percent_at_reset: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Resets {
    available_count: u64,
    captured_at: u64,
    credits: Option<Vec<Reset>>,
}

#[derive(Debug, Serialize)]
struct Reset {
    id: String,
    title: Option<String>,
    description: Option<String>,
    status: CreditStatus,
    reset_type: ResetType,
    granted_at: Option<u64>,
    expires_at: Option<u64>,
    expires_at_utc: Option<String>,
    expires_in_s: Option<u64>,
    expiry_known: bool,
}

#[derive(Debug, Serialize)]
struct Redemption {
    state: &'static str,
    at: u64,
}

#[derive(Debug, Serialize)]
struct AdviceOut {
    action: &'static str,
    at: Option<u64>,
    credit_id: Option<String>,
    text: String,
    sum: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Requirement<'a> {
    limit_id: &'a str,
    window: &'static str,
    required_left_percent: f64,
    left_percent: Option<f64>,
    met: Option<bool>,
}

/// Makes the report.
pub(crate) fn report<'a>(state: &'a AccountLimits, made: Made<'a>) -> Report<'a> {
    let now = state.server_now(made.now_s);
    let captured_at = state.oldest_ms().map(|ms| ms / 1000);
    let age_s = captured_at.map(|at| made.now_s.saturating_sub(at));
    let advice = advice::advise(&advice::situation(state, made.now_s, made.pending));
    Report {
        schema_version: VERSION,
        generated_at: made.now_s,
        account_id: state.account_id.as_deref(),
        plan: state.plan.as_ref().map(|plan| plan.value.as_str()),
        offline: made.offline,
        captured_at,
        age_s,
        stale: age_s.is_some_and(|age| age > STALE_AFTER_S),
        error: made.error,
        limit_reached: state.is_reached(made.now_s),
        reached_type: state.reached.as_ref().map(|reached| reached.value.as_str()),
        windows: state.windows(made.now_s).iter().map(|live| window(live, now)).collect(),
        credits: state.credits.as_ref().map(|credits| &credits.value),
        spend_control: state.spend.as_ref().map(|spend| &spend.value),
        reset_credits: resets(state, now),
        redemption: made.pending.map(redemption),
        advice: AdviceOut {
            action: advice_text::word(advice.action),
            at: match advice.action {
                Action::WaitUntil(at) | Action::UseBefore(at) => Some(at),
                _ => None,
            },
            credit_id: advice.credit.as_ref().and_then(|credit| credit.id.clone()),
            text: advice_text::headline(&advice, now, made.zone),
            sum: advice_text::sum(&advice, now, made.zone),
        },
        requirements: made.checked.iter().map(requirement).collect(),
        exit_code: made.exit_code,
    }
}

fn window<'a>(live: &LiveWindow<'a>, now: u64) -> Window<'a> {
    Window {
        limit_id: live.family,
        limit_name: live.family_name,
        name: live.name,
        slot: live.slot,
        window_minutes: live.minutes,
        used_percent: live.used,
        left_percent: live.left(),
        resets_at: live.resets_at,
        resets_at_utc: live.resets_at.and_then(text::rfc3339),
        resets_in_s: live.resets_at.map(|at| at.saturating_sub(now)),
        restarted: live.restarted,
        captured_at: live.at_ms / 1000,
        source: live.source,
        forecast: outlook(forecast::of(live, now)),
    }
}

fn outlook(forecast: Forecast) -> ForecastOut {
    match forecast {
        Forecast::Unknown => ForecastOut { state: "unknown", ..ForecastOut::default() },
        Forecast::Reached => ForecastOut { state: "reached", ..ForecastOut::default() },
        Forecast::Lasts { used_at_reset } => {
            ForecastOut { state: "lasts", used_percent_at_reset: used_at_reset, ..ForecastOut::default() }
        }
        Forecast::RunsOut { at, early, late } => ForecastOut {
            state: "runs_out",
            at: Some(at),
            early: Some(early),
            late,
            used_percent_at_reset: None,
        },
    }
}

fn resets(state: &AccountLimits, now: u64) -> Option<Resets> {
    let held = state.reset_credits.as_ref()?;
    let credits = held.value.credits.as_ref().map(|list| {
        let row = |credit: &'_ ResetCredit| Reset {
            id: credit.id.clone(),
            title: credit.title.clone(),
            description: credit.description.clone(),
            status: credit.status,
            reset_type: credit.reset_type,
            granted_at: credit.granted_at,
            expires_at: credit.expires_at,
            expires_at_utc: credit.expires_at.and_then(text::rfc3339),
            expires_in_s: credit.expires_at.map(|at| at.saturating_sub(now)),
            expiry_known: !credit.expiry_unreadable,
        };
        list.iter().map(row).collect()
    });
    Some(Resets { available_count: held.value.available_count, captured_at: held.at_ms / 1000, credits })
}

fn redemption(pending: Pending) -> Redemption {
    match pending {
        Pending::Unfinished(at) => Redemption { state: "unfinished", at },
        Pending::Unseen(at) => Redemption { state: "not_visible", at },
    }
}

fn requirement(checked: &Checked) -> Requirement<'_> {
    Requirement {
        limit_id: &checked.share.family,
        window: checked.share.window,
        required_left_percent: checked.share.percent,
        left_percent: checked.left,
        met: checked.met(),
    }
}
