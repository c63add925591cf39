//! Merge rules, one table per rule.

use super::*;
use crate::protocol::limits::{Credits, FamilyReading};

const NOW: u64 = 1_795_190_400;

fn writer(at_ms: u64) -> Writer<'static> {
    Writer { account_id: Some("a"), at_ms, now_ms: at_ms + 10 }
}

fn empty() -> AccountLimits {
    AccountLimits { account_id: Some("a".to_owned()), ..AccountLimits::default() }
}

fn window(used: f64, resets_in: u64) -> LimitWindow {
    LimitWindow { used_percent: used, window_minutes: Some(300), resets_at: Some(NOW + resets_in) }
}

fn headers(primary: Option<LimitWindow>, secondary: Option<LimitWindow>) -> LimitsSnapshot {
    LimitsSnapshot { primary, secondary, account_id: Some("a".to_owned()), ..LimitsSnapshot::default() }
}

fn reading(primary: Told<LimitWindow>, secondary: Told<LimitWindow>) -> AccountReading {
    let main = FamilyReading { id: MAIN.to_owned(), primary, secondary, ..FamilyReading::default() };
    AccountReading { families: vec![main], families_complete: true, ..AccountReading::default() }
}

fn used(state: &AccountLimits, now: u64) -> Vec<(&str, f64)> {
    state
        .windows(now)
        .iter()
        .map(|w| (if w.slot == crate::limits::state::Slot::Primary { "p" } else { "s" }, w.used))
        .collect()
}

#[test]
fn sparse_never_blanks() {
    let mut state = empty();
    let t = NOW * 1000;
    sparse(&mut state, &headers(Some(window(40.0, 900)), Some(window(10.0, 9000))), writer(t)).unwrap();
    sparse(&mut state, &headers(None, None), writer(t + 1000)).unwrap();
    assert_eq!(used(&state, NOW), [("p", 40.0), ("s", 10.0)]);
    sparse(&mut state, &headers(Some(window(45.0, 900)), None), writer(t + 2000)).unwrap();
    assert_eq!(used(&state, NOW), [("p", 45.0), ("s", 10.0)]);
    let family = &state.families[MAIN];
    assert_eq!(family.primary.as_ref().unwrap().at_ms, t + 2000, "each value has its own age");
    assert_eq!(family.secondary.as_ref().unwrap().at_ms, t);
    let credits = Credits { has_credits: true, unlimited: false, balance: Some("5".to_owned()) };
    let told =
        LimitsSnapshot { credits: Some(credits), plan_type: Some("plus".to_owned()), ..headers(None, None) };
    sparse(&mut state, &told, writer(t + 3000)).unwrap();
    sparse(&mut state, &headers(None, None), writer(t + 4000)).unwrap();
    assert!(state.has_bought_credits());
    assert_eq!(state.plan.as_ref().unwrap().value, "plus");
}

#[test]
fn a_full_reading_is_authoritative() {
    let mut state = empty();
    let t = NOW * 1000;
    let other =
        LimitsSnapshot { limit_id: Some("Codex-Other".to_owned()), ..headers(Some(window(5.0, 60)), None) };
    let hit = LimitsSnapshot {
        rate_limit_reached_type: Some("rate_limit_reached".to_owned()),
        ..headers(Some(window(100.0, 900)), Some(window(50.0, 9000)))
    };
    sparse(&mut state, &other, writer(t)).unwrap();
    sparse(&mut state, &hit, writer(t)).unwrap();
    assert!(state.families.contains_key("codex_other") && state.is_reached(NOW));
    full(&mut state, &reading(Told::Is(window(3.0, 18_000)), Told::Nothing), writer(t + 1000)).unwrap();
    assert_eq!(used(&state, NOW), [("p", 3.0)]);
    assert!(!state.is_reached(NOW) && state.reached.is_none());
    assert!(!state.families.contains_key("codex_other"), "it is not listed");
    full(&mut state, &reading(Told::Silent, Told::Silent), writer(t + 2000)).unwrap();
    assert_eq!(used(&state, NOW), [("p", 3.0)], "what cannot be understood changes nothing");
    full(&mut state, &reading(Told::Nothing, Told::Nothing), writer(t + 3000)).unwrap();
    assert!(state.families.is_empty() && !state.is_empty());
}

#[test]
fn late_answers_lose_value_by_value() {
    let mut state = empty();
    let t = NOW * 1000;
    sparse(&mut state, &headers(Some(window(50.0, 900)), None), writer(t + 5000)).unwrap();
    full(
        &mut state,
        &reading(Told::Is(window(45.0, 900)), Told::Is(window(7.0, 9000))),
        Writer { now_ms: t + 9000, ..writer(t) },
    )
    .unwrap();
    assert_eq!(used(&state, NOW), [("p", 50.0), ("s", 7.0)]);
    let late = LimitsSnapshot { limit_id: None, ..headers(Some(window(48.0, 900)), None) };
    sparse(&mut state, &late, writer(t + 4000)).unwrap();
    assert_eq!(used(&state, NOW)[0].1, 50.0);
}

#[test]
fn a_clock_that_was_set_back_does_not_freeze_the_numbers() {
    let mut state = empty();
    let t = NOW * 1000;
    sparse(&mut state, &headers(Some(window(50.0, 90_000)), None), writer(t + 86_400_000)).unwrap();
    sparse(&mut state, &headers(Some(window(51.0, 90_000)), None), writer(t)).unwrap();
    assert_eq!(used(&state, NOW)[0].1, 51.0);
    assert_eq!(state.families[MAIN].primary.as_ref().unwrap().samples.len(), 1);
}

#[test]
fn windows_expire_by_the_clock() {
    let mut state = empty();
    let t = NOW * 1000;
    full(&mut state, &reading(Told::Is(window(100.0, 60)), Told::Is(window(30.0, 9000))), writer(t)).unwrap();
    assert!(state.is_reached(NOW));
    assert_eq!(used(&state, NOW + 59), [("p", 100.0), ("s", 30.0)]);
    assert_eq!(used(&state, NOW + 60), [("p", 0.0), ("s", 30.0)]);
    let live = state.windows(NOW + 60);
    assert!(live[0].restarted && live[0].resets_at.is_none() && live[0].samples.is_empty());
    assert!(!state.is_reached(NOW + 60));
}

#[test]
fn an_end_in_the_past_is_no_end() {
    let mut state = empty();
    let past = LimitWindow { resets_at: Some(NOW - 5), ..window(80.0, 0) };
    full(&mut state, &reading(Told::Is(past), Told::Silent), writer(NOW * 1000)).unwrap();
    let live = state.windows(NOW);
    assert_eq!((live[0].used, live[0].resets_at, live[0].restarted), (80.0, None, false));
}

#[test]
fn the_servers_clock_counts() {
    let mut state = empty();
    // Our clock is a day behind: the window ends in an hour all the same.
    let ours = NOW - 86_400;
    let told =
        AccountReading { clock_ahead_s: 86_400, ..reading(Told::Is(window(80.0, 3600)), Told::Silent) };
    full(&mut state, &told, writer(ours * 1000)).unwrap();
    assert_eq!(state.windows(ours)[0].resets_at, Some(NOW + 3600));
    assert!(!state.windows(ours + 3599)[0].restarted && state.windows(ours + 3600)[0].restarted);
}

#[test]
fn another_accounts_writer_is_refused() {
    let mut state = empty();
    let before = state.clone();
    for account_id in [None, Some("b"), Some("")] {
        let foreign = Writer { account_id, ..writer(NOW * 1000) };
        assert_eq!(sparse(&mut state, &headers(Some(window(1.0, 9)), None), foreign), Err(Foreign));
        assert_eq!(full(&mut state, &reading(Told::Nothing, Told::Nothing), foreign), Err(Foreign));
        assert_eq!(reset_credits(&mut state, &ResetCredits::default(), foreign), Err(Foreign));
    }
    assert_eq!(state, before);
}

#[test]
fn missing_ends_are_filled_in_while_the_window_lives() {
    let mut state = empty();
    let t = NOW * 1000;
    sparse(&mut state, &headers(Some(window(40.0, 900)), None), writer(t)).unwrap();
    let bare = LimitWindow { used_percent: 42.0, window_minutes: None, resets_at: None };
    sparse(&mut state, &headers(Some(bare), None), writer(t + 1000)).unwrap();
    assert_eq!(state.families[MAIN].primary.as_ref().unwrap().window, window(42.0, 900));
    let fallen = LimitWindow { used_percent: 1.0, ..bare };
    sparse(&mut state, &headers(Some(fallen), None), writer(t + 2000)).unwrap();
    assert_eq!(state.families[MAIN].primary.as_ref().unwrap().window.resets_at, None);
}

#[test]
fn counts_and_lists_of_resets() {
    let mut state = empty();
    let t = NOW * 1000;
    let list = ResetCredits { available_count: 1, credits: Some(Vec::new()) };
    reset_credits(&mut state, &list, writer(t)).unwrap();
    let count = |n| AccountReading { reset_count: n, ..AccountReading::default() };
    full(&mut state, &count(Told::Silent), writer(t + 1)).unwrap();
    full(&mut state, &count(Told::Is(1)), writer(t + 2)).unwrap();
    assert_eq!(state.reset_credits.as_ref().unwrap().value, list, "a list that fits the number stays");
    full(&mut state, &count(Told::Is(3)), writer(t + 3)).unwrap();
    assert_eq!(
        state.reset_credits.as_ref().unwrap().value,
        ResetCredits { available_count: 3, credits: None }
    );
    full(&mut state, &count(Told::Nothing), writer(t + 4)).unwrap();
    assert!(state.reset_credits.is_none());
}

#[test]
fn samples_are_bounded_and_belong_to_one_window() {
    let mut state = empty();
    for n in 0..1000_u64 {
        let told = headers(Some(window(n as f64 / 20.0, 90_000)), None);
        sparse(&mut state, &told, writer((NOW + n * 60) * 1000)).unwrap();
    }
    let samples = &state.families[MAIN].primary.as_ref().unwrap().samples;
    assert!(samples.len() <= MAX_SAMPLES && samples.len() > MAX_SAMPLES / 2, "{}", samples.len());
    assert!(samples.windows(2).all(|pair| pair[0].at < pair[1].at));
    assert_eq!(samples.first().unwrap().at, NOW, "the first one stays");
    sparse(&mut state, &headers(Some(window(1.0, 300_000)), None), writer((NOW + 70_000) * 1000)).unwrap();
    assert_eq!(state.families[MAIN].primary.as_ref().unwrap().samples.len(), 1);
}

#[test]
fn families_are_bounded() {
    let mut state = empty();
    for n in 0..100 {
        let told = LimitsSnapshot { limit_id: Some(format!("x{n}")), ..headers(Some(window(1.0, 9)), None) };
        sparse(&mut state, &told, writer(NOW * 1000)).unwrap();
    }
    assert_eq!(state.families.len(), MAX_FAMILIES);
}

#[test]
fn odd_percentages_are_shown_within_bounds() {
    for (told, want) in [(250.0, 100.0), (100.0, 100.0), (0.0, 0.0), (1e300, 100.0)] {
        let mut state = empty();
        sparse(&mut state, &headers(Some(window(told, 900)), None), writer(NOW * 1000)).unwrap();
        assert_eq!(used(&state, NOW)[0].1, want);
    }
}
