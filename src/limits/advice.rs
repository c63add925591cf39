//! The best moment for a reset credit; pure. A credit is worth most when the windows it empties are full and their
//! own reset is far away; it is worth nothing after its expiry. The rules keep to four laws, which the tests check
//! over many situations: more use never speaks against redeeming, nor does a longer wait, nor a nearer expiry; and
//! without credits nobody is told to redeem.

use super::forecast::{self, Forecast};
use super::state::AccountLimits;
use crate::protocol::limits::{CreditStatus, ResetCredit, ResetCredits, ResetType};

/// A window that comes back by itself this soon is waited for, in seconds.
const SHORT_WAIT: u64 = 30 * 60;

/// Added to [`SHORT_WAIT`] when the long window is unused, so that next to nothing would be regained of it.
const EMPTY_LONG_WAIT: u64 = 4 * 3600;

/// A credit that expires this soon is used now if it brings anything, in seconds.
const LAST_CALL: u64 = 2 * 3600;

/// A credit that expires within this time has its expiry in the advice, in seconds.
const EXPIRY_NEAR: u64 = 7 * 86_400;

/// Less than this, in percent, is nothing.
const SOMETHING: f64 = 1.0;

/// One window as far as the advice goes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Standing {
    /// `5h`, `weekly` …
    pub(crate) name: &'static str,
    /// Length in minutes.
    pub(crate) minutes: Option<u64>,
    /// Percent used, 0 to 100.
    pub(crate) used: f64,
    /// When it starts anew by itself.
    pub(crate) resets_at: Option<u64>,
    /// What is to be expected of it.
    pub(crate) forecast: Forecast,
}

/// The next credit to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NextCredit {
    /// Its id, when it is listed.
    pub(crate) id: Option<String>,
    /// Its title, when it has one.
    pub(crate) title: Option<String>,
    /// When it expires; `None` for one that is listed means never, unless that cannot be read.
    pub(crate) expires_at: Option<u64>,
    /// When it expires was told in a way that cannot be read.
    pub(crate) expiry_unreadable: bool,
}

impl NextCredit {
    /// One that the service picks.
    pub(crate) fn unlisted() -> Self {
        Self { id: None, title: None, expires_at: None, expiry_unreadable: false }
    }
}

/// What is known about credits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Credits {
    /// Nothing.
    Unknown,
    /// There are none.
    None,
    /// There are some; this one goes first.
    Some(NextCredit),
}

/// A redemption that is not over: nothing else is to be redeemed before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pending {
    /// What became of the one that was confirmed then (unix seconds) is not known.
    Unfinished(u64),
    /// The windows do not show the reset of then yet.
    Unseen(u64),
}

/// Everything that the advice depends on.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Situation {
    /// Unix seconds on the server's clock.
    pub(crate) now: u64,
    /// The windows that a credit resets, short one first.
    pub(crate) windows: Vec<Standing>,
    /// The credits.
    pub(crate) credits: Credits,
    /// Bought credits carry the user on when a window is full.
    pub(crate) bought: bool,
    /// A redemption that is not over.
    pub(crate) pending: Option<Pending>,
    /// A limit of the workspace is used up, which no reset lifts.
    pub(crate) workspace: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// It is not known whether there are credits, or how the windows stand.
    Unknown,
    /// There is nothing to redeem.
    NoCredit,
    /// Redeem now.
    RedeemNow,
    /// Wait until then: the window comes back, or is used up.
    WaitUntil(u64),
    /// Use the credit before then.
    UseBefore(u64),
    /// Keep it.
    Hold,
}

/// Why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    /// Something is not known.
    NotKnown,
    /// There are no credits.
    NothingThere,
    /// Nothing is used, so nothing would be regained.
    NothingUsed,
    /// A window is used up and its own reset is far away.
    Blocked,
    /// A window is used up, and its own reset is near.
    FreeResetNear,
    /// The credit expires before the window comes back.
    ExpiresFirst,
    /// The credit expires very soon.
    LastCall,
    /// The credit expires within days.
    ExpiresSoon,
    /// A window will run out: redeeming brings most then.
    BestWhenUsedUp,
    /// A window will run out shortly before its own reset.
    RunsOutNearReset,
    /// The windows last until their own reset.
    Lasts,
    /// Too few readings for a forecast.
    NoForecast,
    /// An earlier redemption is not over.
    Pending(Pending),
    /// A limit of the workspace is used up: windows that start anew would not help.
    Workspace,
}

/// The advice with its sum.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Advice {
    /// What to do.
    pub(crate) action: Action,
    /// Why.
    pub(crate) why: Why,
    /// The credit it is about.
    pub(crate) credit: Option<NextCredit>,
    /// Per window: its name, percent that redeeming now gives back, and when it comes back by itself.
    pub(crate) regained: Vec<(&'static str, f64, Option<u64>)>,
    /// When the long window would end if it began now.
    pub(crate) long_moves_to: Option<(&'static str, u64)>,
}

/// The situation of an account at `now_s` (our clock). `pending`: what is written down of an earlier redemption.
pub(crate) fn situation(state: &AccountLimits, now_s: u64, pending: Option<Pending>) -> Situation {
    let now = state.server_now(now_s);
    let windows = state.windows(now_s);
    let standings = windows.iter().filter(|window| window.is_main()).map(|window| Standing {
        name: window.name,
        minutes: window.minutes,
        used: window.used,
        resets_at: window.resets_at,
        forecast: forecast::of(window, now),
    });
    let credits = state.reset_credits.as_ref().map_or(Credits::Unknown, |held| credits(&held.value, now));
    Situation {
        now,
        windows: standings.collect(),
        credits,
        bought: state.has_bought_credits(),
        pending,
        workspace: state.held_by_workspace(now_s).is_some(),
    }
}

/// Credits that can be used at `now`, the one that expires first in front, those that never expire last.
pub(crate) fn usable(list: &[ResetCredit], now: u64) -> Vec<&ResetCredit> {
    let mut usable: Vec<_> = list
        .iter()
        .filter(|credit| credit.status == CreditStatus::Available)
        .filter(|credit| credit.reset_type == ResetType::CodexRateLimits)
        .filter(|credit| credit.expires_at.is_none_or(|at| at > now))
        .collect();
    usable.sort_by_key(|credit| credit.expires_at.unwrap_or(u64::MAX));
    usable
}

fn credits(list: &ResetCredits, now: u64) -> Credits {
    if list.available_count == 0 {
        return Credits::None;
    }
    let Some(credits) = &list.credits else {
        return Credits::Some(NextCredit::unlisted());
    };
    match usable(credits, now).first() {
        Some(credit) => Credits::Some(NextCredit {
            id: Some(credit.id.clone()),
            title: credit.title.clone(),
            expires_at: credit.expires_at,
            expiry_unreadable: credit.expiry_unreadable,
        }),
        // Listed and all gone; or the list is capped and says nothing about the rest.
        None if (credits.len() as u64) < list.available_count => Credits::Some(NextCredit::unlisted()),
        None => Credits::None,
    }
}

/// The advice.
pub(crate) fn advise(situation: &Situation) -> Advice {
    let (action, why) = decide(situation);
    let credit = match &situation.credits {
        Credits::Some(credit) => Some(credit.clone()),
        Credits::None | Credits::Unknown => None,
    };
    let long = situation.windows.iter().max_by_key(|window| window.minutes);
    let long_moves_to = long.and_then(|window| {
        Some((window.name, situation.now.saturating_add(window.minutes?.saturating_mul(60))))
    });
    let regained =
        situation.windows.iter().map(|window| (window.name, window.used, window.resets_at)).collect();
    Advice { action, why, credit, regained, long_moves_to }
}

fn decide(situation: &Situation) -> (Action, Why) {
    let now = situation.now;
    let credit = match &situation.credits {
        Credits::Unknown => return (Action::Unknown, Why::NotKnown),
        Credits::None => return (Action::NoCredit, Why::NothingThere),
        Credits::Some(_) if situation.windows.is_empty() => return (Action::Unknown, Why::NotKnown),
        Credits::Some(credit) => credit,
    };
    if let Some(pending) = situation.pending {
        return (Action::Hold, Why::Pending(pending));
    }
    if situation.workspace {
        return (Action::Hold, Why::Workspace);
    }
    let expiry = credit.expires_at.map(|at| (at, at.saturating_sub(now)));
    let most_used = situation.windows.iter().map(|window| window.used).fold(0.0, f64::max);
    let patience = patience(situation);
    if let Some(wait) = wait(situation) {
        if expiry.is_some_and(|(_, left)| left <= LAST_CALL) {
            return (Action::RedeemNow, Why::LastCall);
        }
        if expiry.is_some_and(|(_, left)| left <= wait) {
            return (Action::RedeemNow, Why::ExpiresFirst);
        }
        // What was bought carries on: then only the expiry presses.
        if wait > patience && !situation.bought {
            return (Action::RedeemNow, Why::Blocked);
        }
        if wait <= patience {
            return (Action::WaitUntil(now.saturating_add(wait)), Why::FreeResetNear);
        }
    }
    match expiry {
        Some((_, left)) if left <= LAST_CALL && most_used >= SOMETHING => {
            return (Action::RedeemNow, Why::LastCall);
        }
        Some((at, left)) if left <= EXPIRY_NEAR => {
            // Used up before the expiry: then is the moment.
            return match runs_out(situation, patience) {
                Some(moment) if moment < at => (Action::WaitUntil(moment), Why::BestWhenUsedUp),
                _ => (Action::UseBefore(at), Why::ExpiresSoon),
            };
        }
        _ => {}
    }
    if most_used < SOMETHING {
        return (Action::Hold, Why::NothingUsed);
    }
    if let Some(moment) = runs_out(situation, patience) {
        return (Action::WaitUntil(moment), Why::BestWhenUsedUp);
    }
    let forecasts = || situation.windows.iter().map(|window| window.forecast);
    if forecasts().any(|forecast| matches!(forecast, Forecast::RunsOut { .. })) {
        return (Action::Hold, Why::RunsOutNearReset);
    }
    let lasts = forecasts().all(|forecast| matches!(forecast, Forecast::Lasts { .. }));
    (Action::Hold, if lasts { Why::Lasts } else { Why::NoForecast })
}

/// Seconds until every window that is used up has come back; `None` when none is used up, the longest possible
/// when nobody says when.
fn wait(situation: &Situation) -> Option<u64> {
    let full = situation.windows.iter().filter(|window| window.used >= 100.0);
    full.map(|w| w.resets_at.map_or(u64::MAX / 2, |at| at.saturating_sub(situation.now))).max()
}

/// Seconds that are worth waiting for a free reset: more when little of the long window would be regained.
fn patience(situation: &Situation) -> u64 {
    let long = situation.windows.iter().max_by_key(|window| window.minutes);
    let unused = long.map_or(0.0, |window| 1.0 - window.used.clamp(0.0, 100.0) / 100.0);
    SHORT_WAIT + (unused * EMPTY_LONG_WAIT as f64) as u64
}

/// The first moment at which a window runs out and its own reset is further away than what is worth waiting for.
fn runs_out(situation: &Situation, patience: u64) -> Option<u64> {
    let moments = situation.windows.iter().filter_map(|window| match window.forecast {
        Forecast::RunsOut { at, .. } => {
            let far = window.resets_at.is_none_or(|end| end.saturating_sub(at) > patience);
            far.then_some(at)
        }
        _ => None,
    });
    moments.min()
}

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
