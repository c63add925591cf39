//! What the user should hear without asking: a window that gets scarce, a reset credit that is about to expire.
//! Once per window and once per credit and stage, over all processes: what was told is part of the shared state.
//! Pure; [`super::Cache::alarms`] makes the claim under the lock.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::forecast::{self, Forecast};
use super::state::{AccountLimits, LiveWindow, Slot};
use super::text;
use crate::protocol::limits::{CreditStatus, ResetCredit, ResetType};

/// Percent used at which the user is told.
const THRESHOLDS: [u8; 3] = [75, 90, 95];

/// Seconds before the expiry of a credit at which the user is told, longest first.
const STAGES: [u64; 4] = [7 * 86_400, 3 * 86_400, 86_400, 2 * 3600];

/// Entries kept of each kind.
const MAX_TOLD: usize = 64;

/// Ends of one window differ by no more than this, in seconds.
const SAME_END_S: u64 = 3600;

/// What was told already.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Told {
    /// Windows of the main family.
    windows: Vec<ToldWindow>,
    /// Credits.
    credits: Vec<ToldCredit>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToldWindow {
    slot: Slot,
    resets_at: Option<u64>,
    /// Highest threshold told; 0 when only the forecast was.
    threshold: u8,
    /// The forecast was told.
    forecast: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ToldCredit {
    id: String,
    /// Seconds of the stage told last.
    stage: u64,
}

/// One thing to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Alarm {
    /// A window has passed a threshold.
    Scarce {
        /// Which window.
        slot: Slot,
        /// Its name.
        name: &'static str,
        /// Percent used that it passed.
        threshold: u8,
        /// When it starts anew.
        resets_at: Option<u64>,
    },
    /// A window will not last.
    RunsOut {
        /// Which window.
        slot: Slot,
        /// Its name.
        name: &'static str,
        /// When, in unix seconds.
        at: u64,
        /// When it starts anew.
        resets_at: Option<u64>,
    },
    /// A reset credit will expire.
    Expires {
        /// The credit.
        id: String,
        /// Its title.
        title: Option<String>,
        /// When.
        at: u64,
        /// Seconds of the stage it has entered.
        stage: u64,
    },
}

impl Alarm {
    /// The sentence for the user.
    pub(crate) fn text(&self, now: u64, zone: &TimeZone) -> String {
        match self {
            Self::Scarce { name, threshold, resets_at, .. } => {
                let end = resets_at.map(|at| format!(" It resets {}.", text::moment(at, now, zone)));
                format!(
                    "Less than {}% of your {name} limit is left.{}",
                    100 - threshold,
                    end.unwrap_or_default()
                )
            }
            Self::RunsOut { name, at, resets_at, .. } => {
                let at = text::moment(*at, now, zone);
                let end = resets_at.map(|end| format!(", before its reset {}", text::moment(end, now, zone)));
                format!("At this rate your {name} limit runs out about {at}{}.", end.unwrap_or_default())
            }
            Self::Expires { title, at, .. } => {
                let name = title.as_deref().unwrap_or("A usage limit reset");
                let left = text::span(at.saturating_sub(now));
                format!("{name} expires in {left} ({}). See /usage.", text::moment(*at, now, zone))
            }
        }
    }
}

/// What is due at `now_s` (our clock) and was not told; what presses most comes last.
pub(crate) fn due(state: &AccountLimits, now_s: u64) -> Vec<Alarm> {
    let now = state.server_now(now_s);
    let mut alarms = Vec::new();
    if !state.has_bought_credits() {
        for window in state.windows(now_s).iter().filter(|window| window.is_main()) {
            alarms.extend(of_window(&state.told, window, now));
        }
    }
    let list = state.reset_credits.as_ref().filter(|list| list.value.available_count > 0);
    let credits = list.and_then(|list| list.value.credits.as_deref()).unwrap_or_default();
    let mut credits: Vec<_> = credits.iter().collect();
    // What is said last stands longest: the one that is gone first.
    credits.sort_by_key(|credit| std::cmp::Reverse(credit.expires_at));
    alarms.extend(credits.into_iter().filter_map(|credit| of_credit(&state.told, credit, now)));
    alarms
}

fn of_window(told: &Told, window: &LiveWindow<'_>, now: u64) -> Option<Alarm> {
    if window.used >= 100.0 {
        return None;
    }
    let known = told.windows.iter().find(|known| is_same(known, window.slot, window.resets_at));
    let (slot, name, resets_at) = (window.slot, window.name, window.resets_at);
    let passed = THRESHOLDS.into_iter().rev().find(|threshold| window.used >= f64::from(*threshold));
    if let Some(threshold) = passed.filter(|passed| *passed > known.map_or(0, |known| known.threshold)) {
        return Some(Alarm::Scarce { slot, name, threshold, resets_at });
    }
    match forecast::of(window, now) {
        // Below half there is too much time for things to change.
        Forecast::RunsOut { at, .. } if window.used >= 50.0 && !known.is_some_and(|known| known.forecast) => {
            Some(Alarm::RunsOut { slot, name, at, resets_at })
        }
        _ => None,
    }
}

fn of_credit(told: &Told, credit: &ResetCredit, now: u64) -> Option<Alarm> {
    let usable = credit.status == CreditStatus::Available && credit.reset_type == ResetType::CodexRateLimits;
    let at = credit.expires_at.filter(|at| usable && *at > now)?;
    let stage = STAGES.into_iter().rev().find(|stage| at - now <= *stage)?;
    let known = told.credits.iter().find(|known| known.id == credit.id);
    known.is_none_or(|known| stage < known.stage).then(|| Alarm::Expires {
        id: credit.id.clone(),
        title: credit.title.clone(),
        at,
        stage,
    })
}

/// Notes that `alarms` were told.
pub(crate) fn mark(told: &mut Told, alarms: &[Alarm]) {
    for alarm in alarms {
        match alarm {
            Alarm::Scarce { slot, resets_at, threshold, .. } => {
                entry(told, *slot, *resets_at).threshold = *threshold;
            }
            Alarm::RunsOut { slot, resets_at, .. } => entry(told, *slot, *resets_at).forecast = true,
            Alarm::Expires { id, stage, .. } => {
                told.credits.retain(|known| known.id != *id);
                told.credits.push(ToldCredit { id: id.clone(), stage: *stage });
                let surplus = told.credits.len().saturating_sub(MAX_TOLD);
                told.credits.drain(..surplus);
            }
        }
    }
}

fn entry(told: &mut Told, slot: Slot, resets_at: Option<u64>) -> &mut ToldWindow {
    let windows = &mut told.windows;
    let index = windows.iter().position(|known| is_same(known, slot, resets_at)).unwrap_or_else(|| {
        // One window per slot lives at a time: the others have ended.
        windows.retain(|known| known.slot != slot);
        windows.push(ToldWindow { slot, resets_at, threshold: 0, forecast: false });
        windows.len() - 1
    });
    &mut windows[index]
}

fn is_same(known: &ToldWindow, slot: Slot, resets_at: Option<u64>) -> bool {
    let ends = match (known.resets_at, resets_at) {
        (Some(known), Some(now)) => known.abs_diff(now) < SAME_END_S,
        (None, None) => true,
        _ => false,
    };
    known.slot == slot && ends
}

#[cfg(test)]
#[path = "alarms_tests.rs"]
mod tests;
