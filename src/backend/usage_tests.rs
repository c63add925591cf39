//! Answers of the usage endpoint, good and bad.

use serde_json::{Value, json};

use super::*;

const NOW: u64 = 1_795_173_974;

fn window_of(percent: Value) -> Value {
    json!({"rate_limit": {"primary_window": {"used_percent": percent, "limit_window_seconds": 18_000,
        "reset_after_seconds": 3600, "reset_at": NOW + 3600}}})
}

#[test]
fn the_usual_answer() {
    let got = decode(
        &json!({"user_id": "u", "account_id": "acct-1", "email": "e", "plan_type": "plus",
        "rate_limit": {"allowed": true, "limit_reached": false,
            "primary_window": {"used_percent": 42, "limit_window_seconds": 18_000, "reset_after_seconds": 3600, "reset_at": NOW + 3600},
            "secondary_window": {"used_percent": 76.5, "limit_window_seconds": 604_790, "reset_at": NOW + 9000}},
        "credits": {"has_credits": true, "unlimited": false, "balance": "38.5", "approx_local_messages": [1, 2]},
        "additional_rate_limits": [{"limit_name": "Codex-Other", "metered_feature": "codex-other",
            "rate_limit": {"primary_window": {"used_percent": 3}}}],
        "rate_limit_reached_type": {"type": "rate_limit_reached"},
        "spend_control": {"reached": false, "individual_limit": {"limit": "100", "used": "20", "used_percent": 20, "reset_at": 5}},
        "rate_limit_reset_credits": {"available_count": 2}}),
        NOW,
    )
    .unwrap();
    assert_eq!(got.plan.as_deref(), Some("plus"));
    assert_eq!(got.families.len(), 2);
    let main = &got.families[0];
    let five = LimitWindow { used_percent: 42.0, window_minutes: Some(300), resets_at: Some(NOW + 3600) };
    assert_eq!((main.id.as_str(), &main.primary), ("codex", &Told::Is(five)));
    let Told::Is(week) = &main.secondary else { panic!() };
    assert_eq!((week.used_percent, week.window_minutes), (76.5, Some(10_080)));
    assert_eq!((got.families[1].id.as_str(), &got.families[1].secondary), ("codex_other", &Told::Silent));
    assert!(got.families_complete);
    assert_eq!(got.reached, Told::Is("rate_limit_reached".to_owned()));
    assert_eq!(got.reset_count, Told::Is(2));
    let Told::Is(spend) = &got.spend else { panic!() };
    assert_eq!((spend.remaining_percent, spend.limit.as_deref()), (Some(80.0), Some("100")));
    assert_eq!(got.clock_ahead_s, 0);
}

#[test]
fn one_odd_moment_moves_neither_the_clock_nor_itself() {
    for (at, ahead, kept) in [
        (json!(NOW + 3600), 0, true),
        // A service whose clock is a day ahead of ours.
        (json!(NOW + 90_000), 86_400, true),
        (json!(NOW - 5000), -8600, true),
        (json!(0), 0, false),
        (json!(-1), 0, false),
        (json!(5), 0, true),
        (json!(9_999_999_999_999_u64), 0, false),
        (json!(u64::MAX), 0, false),
    ] {
        let mut answer = window_of(json!(50));
        answer["rate_limit"]["primary_window"]["reset_at"] = at.clone();
        let got = decode(&answer, NOW).unwrap();
        let Told::Is(window) = &got.families[0].primary else { panic!("{at}") };
        assert_eq!((got.clock_ahead_s, window.resets_at.is_some()), (ahead, kept), "{at}");
    }
}

#[test]
fn percentages() {
    for (percent, want) in [
        (json!(0), Some(0.0)),
        (json!(100.5), Some(100.5)),
        (json!(250), Some(250.0)),
        (json!("42.5"), Some(42.5)),
        (json!(-3), None),
        (json!("NaN"), None),
        (json!("inf"), None),
        (json!(null), None),
        (json!([1]), None),
    ] {
        let got = decode(&window_of(percent.clone()), NOW).unwrap();
        let told = want.map_or(Told::Silent, |used_percent| {
            Told::Is(LimitWindow { used_percent, window_minutes: Some(300), resets_at: Some(NOW + 3600) })
        });
        assert_eq!(got.families[0].primary, told, "{percent}");
    }
}

#[test]
fn null_and_missing_everything() {
    let all_null = decode(
        &json!({"plan_type": null, "rate_limit": null, "credits": null, "additional_rate_limits": null,
            "rate_limit_reached_type": null, "spend_control": null, "rate_limit_reset_credits": null}),
        NOW,
    )
    .unwrap();
    assert_eq!(
        all_null.families,
        [FamilyReading {
            id: "codex".to_owned(),
            primary: Told::Nothing,
            secondary: Told::Nothing,
            ..FamilyReading::default()
        }]
    );
    assert_eq!((all_null.credits, all_null.reset_count), (Told::Nothing, Told::Nothing));
    let missing = decode(&json!({"plan_type": "moon-base"}), NOW).unwrap();
    assert_eq!(missing.plan.as_deref(), Some("moon-base"));
    assert!(missing.families.is_empty() && !missing.families_complete);
    assert_eq!(missing.reset_count, Told::Silent);
    let odd = decode(
        &json!({"rate_limit": "x", "credits": [], "additional_rate_limits": [null, 3, {}, {"metered_feature": "codex"}],
            "rate_limit_reached_type": "bare", "spend_control": 7, "rate_limit_reset_credits": {"available_count": -2}}),
        NOW,
    )
    .unwrap();
    assert_eq!(odd.families.len(), 1);
    assert_eq!(odd.families[0].primary, Told::Silent);
    assert_eq!((odd.credits, odd.reached, odd.reset_count), (Told::Silent, Told::Silent, Told::Silent));
    for nothing in [json!({}), json!({"detail": "x"}), json!(null), json!([]), json!("x"), json!(1)] {
        assert_eq!(decode(&nothing, NOW), None, "{nothing}");
    }
}

#[test]
fn the_servers_clock_shows_itself() {
    let ahead = |at: u64| decode(&window_of(json!(1)), at).unwrap().clock_ahead_s;
    assert_eq!(ahead(NOW), 0);
    assert_eq!(ahead(NOW - 60), 0);
    assert_eq!(ahead(NOW - 7200), 7200);
    assert_eq!(ahead(NOW + 86_400), -86_400);
}
