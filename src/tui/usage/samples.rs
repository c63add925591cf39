//! Accounts, plans and endings for tests.

use super::standing::Standing;
use crate::limits::AccountLimits;
use crate::limits::intent::{Decision, Intent, Reading, Receipt, Verdict};
use crate::limits::marks::Mark;
use crate::limits::merge::{self, Writer};
use crate::limits::redeemer::Plan;
use crate::limits::redemption::Outcome;
use crate::protocol::limits::{
    AccountReading, CreditStatus, FamilyReading, LimitWindow, ResetCredit, ResetCredits, ResetType, Told,
};

/// Unix second at which everything is looked at: 22:13 on 14 Nov 2023 UTC.
pub(crate) const NOW: u64 = 1_700_000_000;

fn window(used_percent: f64, minutes: u64, resets_at: u64) -> LimitWindow {
    LimitWindow { used_percent, window_minutes: Some(minutes), resets_at: Some(resets_at) }
}

/// An account whose two windows are used so far.
pub(crate) fn limits(used: [f64; 2], plan: &str, resets: Option<ResetCredits>) -> AccountLimits {
    let mut state = AccountLimits::default();
    // Four readings over an hour: enough for a forecast.
    for step in 0..4_u32 {
        let at = NOW - 12 - 1200 * u64::from(3 - step);
        let back = f64::from(3 - step);
        let reading = AccountReading {
            plan: Some(plan.to_owned()),
            families: vec![FamilyReading {
                id: "codex".to_owned(),
                name: None,
                primary: Told::Is(window((used[0] - back * 6.0).max(0.0), 300, NOW + 5400)),
                secondary: Told::Is(window((used[1] - back * 0.2).max(0.0), 10_080, NOW + 230_000)),
            }],
            ..AccountReading::default()
        };
        let writer = Writer { account_id: None, at_ms: at * 1000, now_ms: at * 1000 };
        merge::full(&mut state, &reading, writer).unwrap();
        if let Some(list) = &resets {
            merge::reset_credits(&mut state, list, writer).unwrap();
        }
    }
    state
}

/// A reset credit.
pub(crate) fn credit(id: &str, title: Option<&str>, expires_in: Option<u64>) -> ResetCredit {
    ResetCredit {
        id: id.to_owned(),
        reset_type: ResetType::CodexRateLimits,
        status: CreditStatus::Available,
        granted_at: Some(NOW - 864_000),
        expires_at: expires_in.map(|seconds| NOW + seconds),
        expiry_unreadable: false,
        title: title.map(str::to_owned),
        description: title.map(|_| "A present for testing so patiently.".to_owned()),
    }
}

/// Two credits: one that expires tomorrow, one that stays.
pub(crate) fn two() -> ResetCredits {
    let credits = vec![credit("c-1", Some("Birthday gift"), Some(90_000)), credit("c-2", None, None)];
    ResetCredits { available_count: 2, credits: Some(credits) }
}

/// The account as it was just read.
pub(crate) fn reading(credits: ResetCredits) -> Reading {
    let mark = |window: &str, minutes, used_percent, resets_at| Mark {
        limit: "codex".to_owned(),
        window: window.to_owned(),
        minutes: Some(minutes),
        used_percent,
        resets_at: Some(resets_at),
    };
    let marks = vec![mark("primary", 300, 82.0, NOW + 5400), mark("secondary", 10_080, 64.0, NOW + 230_000)];
    Reading { at: NOW, marks, credits: Some(credits) }
}

/// A plan to redeem one of these credits.
pub(crate) fn plan(credits: ResetCredits) -> Box<Plan> {
    let decision = Decision::Redeem { credit: None, credit_id: None, despite: None };
    Box::new(Plan::of(decision, Some(reading(credits))))
}

/// An intent of two minutes ago.
pub(crate) fn intent() -> Intent {
    Intent {
        key: "0b7a".to_owned(),
        account: "acct".to_owned(),
        credit_id: Some("c-1".to_owned()),
        made_at: NOW - 120,
        before: Vec::new(),
        count_before: Some(2),
        runs: 0,
        sent_at: 0,
    }
}

/// Its receipt.
pub(crate) fn receipt(verdict: Verdict, seen: bool) -> Receipt {
    let seen_at = seen.then_some(NOW);
    Receipt { intent: intent(), verdict, answered_at: NOW - 60, seen_at, after: Vec::new() }
}

/// An end that was answered.
pub(crate) fn settled(verdict: Verdict, seen: bool) -> Outcome {
    Outcome::Settled { receipt: Box::new(receipt(verdict, seen)), elsewhere: false, unwritten: None }
}

/// An app whose user is signed in.
pub(crate) fn shared() -> Standing {
    let mut standing = Standing::default();
    standing.shared = true;
    standing
}
