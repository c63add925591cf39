//! What is told, and that it is told once.

use super::*;
use crate::limits::state::{Family, Held, MAIN, Sample, Source, Stamped};
use crate::protocol::limits::{Credits, LimitWindow, ResetCredits};

const NOW: u64 = 1_795_190_400;

fn state(used: f64, resets_at: u64) -> AccountLimits {
    let window = LimitWindow { used_percent: used, window_minutes: Some(10_080), resets_at: Some(resets_at) };
    let held = Held { window, at_ms: NOW * 1000, source: Source::Usage, samples: Vec::new() };
    let family = Family { secondary: Some(held), ..Family::default() };
    AccountLimits { families: [(MAIN.to_owned(), family)].into(), ..AccountLimits::default() }
}

/// Tells what is due and notes it.
fn tell(state: &mut AccountLimits, now: u64) -> Vec<Alarm> {
    let due = due(state, now);
    mark(&mut state.told, &due);
    due
}

#[test]
fn each_threshold_once_per_window() {
    let end = NOW + 90_000;
    let mut told = Told::default();
    for (used, resets_at, want) in [
        (50.0, end, None),
        (76.0, end, Some(75)),
        (80.0, end + 30, None),
        (96.0, end, Some(95)),
        (91.0, end, None),
        (97.0, end, None),
        (76.0, end + 604_800, Some(75)),
        (100.0, end + 604_800, None),
    ] {
        let mut state = state(used, resets_at);
        state.told = told;
        let got = tell(&mut state, NOW);
        let thresholds: Vec<u8> = got
            .iter()
            .filter_map(|a| if let Alarm::Scarce { threshold, .. } = a { Some(*threshold) } else { None })
            .collect();
        assert_eq!(thresholds, Vec::from_iter(want), "{used}");
        assert!(tell(&mut state, NOW).is_empty(), "never twice");
        told = state.told;
    }
}

#[test]
fn bought_credits_and_other_families_are_quiet() {
    let mut paid = state(96.0, NOW + 9000);
    let credits = Credits { has_credits: true, unlimited: false, balance: Some("3".to_owned()) };
    paid.credits = Some(Stamped { value: credits, at_ms: 0, source: Source::Usage });
    assert!(due(&paid, NOW).is_empty());
    let mut other = state(96.0, NOW + 9000);
    let family = other.families.remove(MAIN).unwrap();
    other.families.insert("codex_other".to_owned(), family);
    assert!(due(&other, NOW).is_empty());
}

#[test]
fn a_forecast_is_told_once() {
    let mut state = state(60.0, NOW + 300_000);
    let held = state.families.get_mut(MAIN).unwrap().secondary.as_mut().unwrap();
    held.samples = (0..5).map(|n| Sample { at: NOW - (4 - n) * 1800, used: 52.0 + n as f64 * 2.0 }).collect();
    let told = tell(&mut state, NOW);
    assert!(matches!(&told[..], [Alarm::RunsOut { .. }]), "{told:?}");
    let text = told[0].text(NOW, &jiff::tz::TimeZone::UTC);
    assert!(text.contains("weekly") && text.contains("runs out about"), "{text}");
    assert!(tell(&mut state, NOW).is_empty());
}

#[test]
fn credits_are_told_stage_by_stage() {
    let at = NOW + 8 * 86_400;
    let mut told = Told::default();
    for (left, want) in [
        (8 * 86_400, None),
        (6 * 86_400, Some(7 * 86_400)),
        (5 * 86_400, None),
        (20 * 3600, Some(86_400)),
        (19 * 3600, None),
        (3600, Some(7200)),
        (60, None),
        (0, None),
    ] {
        let mut state = state(0.0, NOW + 900_000_000);
        let credit = ResetCredit {
            id: "c".to_owned(),
            reset_type: ResetType::CodexRateLimits,
            status: CreditStatus::Available,
            granted_at: None,
            expires_at: Some(at),
            expiry_unreadable: false,
            title: Some("Gift".to_owned()),
            description: None,
        };
        let spent = ResetCredit { id: "d".to_owned(), status: CreditStatus::Redeemed, ..credit.clone() };
        let value = ResetCredits { available_count: 1, credits: Some(vec![credit, spent]) };
        state.reset_credits = Some(Stamped { value, at_ms: 0, source: Source::Usage });
        state.told = told;
        let got = tell(&mut state, at - left);
        let stages: Vec<u64> = got
            .iter()
            .filter_map(|a| if let Alarm::Expires { stage, .. } = a { Some(*stage) } else { None })
            .collect();
        assert_eq!(stages, Vec::from_iter(want), "{left}");
        told = state.told;
    }
}

#[test]
fn what_was_told_survives_the_file() {
    let mut state = state(96.0, NOW + 9000);
    assert_eq!(tell(&mut state, NOW).len(), 1);
    let text = serde_json::to_string(&state).unwrap();
    let read: AccountLimits = serde_json::from_str(&text).unwrap();
    assert!(due(&read, NOW).is_empty());
}
