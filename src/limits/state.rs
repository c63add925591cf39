//! What is known of one account: every value with the moment and the place it came from. This is the value that
//! all readers hold and, as JSON, the file that joins all processes. What is true *now* (windows that have started
//! anew meanwhile, the limit that is reached) is worked out by [`AccountLimits::windows`], never stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alarms::Told;
use super::text;
use crate::protocol::limits::{Credits, LimitWindow, ResetCredits, SpendControl};

/// The main family; warnings and resets are about this one.
pub(crate) const MAIN: &str = "codex";

/// Older than this, numbers are shown with a remark, in seconds.
pub(crate) const STALE_AFTER_S: u64 = 15 * 60;

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// Headers or events of a model's answer.
    Answer,
    /// The usage endpoint.
    Usage,
}

/// A value, its moment and its place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Stamped<T> {
    /// The value.
    pub(crate) value: T,
    /// Unix milliseconds at which it was asked for or told.
    pub(crate) at_ms: u64,
    /// Where it came from.
    pub(crate) source: Source,
}

/// Everything known of one account.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct AccountLimits {
    /// Whose limits these are.
    pub(crate) account_id: Option<String>,
    /// Plan in the server's word.
    pub(crate) plan: Option<Stamped<String>>,
    /// Limit families by id.
    pub(crate) families: BTreeMap<String, Family>,
    /// Bought credits.
    pub(crate) credits: Option<Stamped<Credits>>,
    /// Limit on spending.
    pub(crate) spend: Option<Stamped<SpendControl>>,
    /// Which limit was hit, in the server's word.
    pub(crate) reached: Option<Stamped<String>>,
    /// Reset credits.
    pub(crate) reset_credits: Option<Stamped<ResetCredits>>,
    /// Seconds by which the server's clock is ahead of ours.
    pub(crate) clock_ahead_s: i64,
    /// The last full reading.
    pub(crate) full_read: Option<FullRead>,
    /// Why the last full reading failed, when it did; gone with the next good one.
    pub(crate) failure: Option<Failure>,
    /// What the user was told, so that no other process repeats it.
    pub(crate) told: Told,
}

/// When a full reading was made, in unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct FullRead {
    /// The request left.
    pub(crate) sent_ms: u64,
    /// The answer came.
    pub(crate) done_ms: u64,
}

/// A reading that failed: other processes need not try at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Failure {
    /// Unix milliseconds.
    pub(crate) at_ms: u64,
    /// One sentence, cleaned.
    pub(crate) text: String,
    /// The next step.
    pub(crate) hint: Option<String>,
}

/// One limit family.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Family {
    /// Name for people.
    pub(crate) name: Option<String>,
    /// The short window.
    pub(crate) primary: Option<Held>,
    /// The long window.
    pub(crate) secondary: Option<Held>,
}

/// A window as it was told last, with what was told before it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Held {
    /// The window.
    pub(crate) window: LimitWindow,
    /// Unix milliseconds at which it was asked for or told.
    pub(crate) at_ms: u64,
    /// Where it came from.
    pub(crate) source: Source,
    /// Readings of this very window, oldest first.
    #[serde(default)]
    pub(crate) samples: Vec<Sample>,
}

/// One reading of a window.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    /// Unix seconds.
    pub(crate) at: u64,
    /// Percent used.
    pub(crate) used: f64,
}

/// Which of the two windows of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Slot {
    /// The short one.
    Primary,
    /// The long one.
    Secondary,
}

/// A window as it stands at a moment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LiveWindow<'a> {
    /// Its family.
    pub(crate) family: &'a str,
    /// The family's name for people; `None` for the main one.
    pub(crate) family_name: Option<&'a str>,
    /// Which of the two.
    pub(crate) slot: Slot,
    /// `5h`, `weekly` …
    pub(crate) name: &'static str,
    /// Length in minutes.
    pub(crate) minutes: Option<u64>,
    /// Percent used, from 0 to 100.
    pub(crate) used: f64,
    /// Unix seconds at which it starts anew; always in the future.
    pub(crate) resets_at: Option<u64>,
    /// It has started anew since it was told; `used` is 0 then.
    pub(crate) restarted: bool,
    /// Unix milliseconds at which it was told.
    pub(crate) at_ms: u64,
    /// Where it came from.
    pub(crate) source: Source,
    /// Readings of this window; empty when it has started anew.
    pub(crate) samples: &'a [Sample],
}

impl LiveWindow<'_> {
    /// Percent left.
    pub(crate) fn left(&self) -> f64 {
        100.0 - self.used
    }

    /// Whether it belongs to the main family.
    pub(crate) fn is_main(&self) -> bool {
        self.family == MAIN
    }
}

impl AccountLimits {
    /// Our time on the server's clock, in unix seconds. Everything in here that compares moments takes this one.
    pub(crate) fn server_now(&self, now_s: u64) -> u64 {
        now_s.saturating_add_signed(self.clock_ahead_s)
    }

    /// All windows as they stand at `now_s` (our clock): the main family first, the short window first.
    pub(crate) fn windows(&self, now_s: u64) -> Vec<LiveWindow<'_>> {
        let now = self.server_now(now_s);
        let main = self.families.get_key_value(MAIN);
        let others = self.families.iter().filter(|(id, _)| *id != MAIN);
        let mut out = Vec::new();
        for (id, family) in main.into_iter().chain(others) {
            let slots = [(Slot::Primary, &family.primary), (Slot::Secondary, &family.secondary)];
            for (slot, held) in slots.into_iter().filter_map(|(slot, held)| Some((slot, held.as_ref()?))) {
                let restarted = held.window.resets_at.is_some_and(|at| at <= now);
                out.push(LiveWindow {
                    family: id,
                    family_name: (id != MAIN).then(|| family.name.as_deref().unwrap_or(id)),
                    slot,
                    name: text::window_name(held.window.window_minutes, slot),
                    minutes: held.window.window_minutes,
                    used: if restarted { 0.0 } else { held.window.used_percent.clamp(0.0, 100.0) },
                    resets_at: held.window.resets_at.filter(|_| !restarted),
                    restarted,
                    at_ms: held.at_ms,
                    source: held.source,
                    samples: if restarted { &[] } else { &held.samples },
                });
            }
        }
        out
    }

    /// Whether the user cannot go on: the spending limit, a window of the main family, or the server's own word.
    pub(crate) fn is_reached(&self, now_s: u64) -> bool {
        if self.spend.as_ref().is_some_and(|spend| {
            spend.value.reached && spend.value.resets_at.is_none_or(|at| at > self.server_now(now_s))
        }) {
            return true;
        }
        if self.has_bought_credits() {
            return false;
        }
        let windows = self.windows(now_s);
        let full = windows.iter().any(|window| window.is_main() && window.used >= 100.0);
        full || self.reached.as_ref().is_some_and(|reached| {
            // A window that started anew after the word was given has made it void.
            !windows.iter().any(|w| w.is_main() && w.restarted) || reached.value.starts_with("workspace_")
        })
    }

    /// What of a workspace is used up, in the service's word, when that is why the user cannot go on: then windows that
    /// start anew change nothing, by themselves or by a reset.
    pub(crate) fn held_by_workspace(&self, now_s: u64) -> Option<&str> {
        let word = self.reached.as_ref().map(|reached| reached.value.as_str());
        word.filter(|word| word.starts_with("workspace_") && self.is_reached(now_s))
    }

    /// Whether bought credits carry the user beyond the windows.
    pub(crate) fn has_bought_credits(&self) -> bool {
        self.credits.as_ref().is_some_and(|credits| {
            let balance = credits.value.balance.as_deref().and_then(|text| text.trim().parse::<f64>().ok());
            credits.value.unlimited || (credits.value.has_credits && balance.is_some_and(|b| b > 0.0))
        })
    }

    /// Unix milliseconds of the oldest number that is shown; `None` when nothing is known.
    pub(crate) fn oldest_ms(&self) -> Option<u64> {
        let windows = self.families.values().flat_map(|f| f.primary.iter().chain(&f.secondary));
        windows.map(|held| held.at_ms).min().or_else(|| self.full_read.map(|read| read.done_ms))
    }

    /// Whether anything is known.
    pub(crate) fn is_empty(&self) -> bool {
        self.full_read.is_none() && self.families.is_empty()
    }
}
