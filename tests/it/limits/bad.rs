//! Everything odd that the account API can say.

use serde_json::{Value, json};

use super::bed::{Bed, LIST, USAGE, used};

fn window(percent: Value, seconds: Value, at: Value) -> Value {
    json!({"used_percent": percent, "limit_window_seconds": seconds, "reset_at": at})
}

/// What `codex usage` makes of this answer.
#[track_caller]
fn shown(bed: &Bed, usage: &Value) -> Value {
    bed.account(&json!({"usage": usage}));
    bed.json(&["--max-age", "0"])
}

#[test]
fn odd_answers_cost_only_what_is_odd() {
    let bed = Bed::new("");
    let late = 4_000_000_000_u64;
    let plan = |plan: Value, primary: Value| json!({"plan_type": plan, "rate_limit": {"primary_window": primary, "secondary_window": null}});
    let read =
        shown(&bed, &plan(json!("moon\u{1b}[31m base"), window(json!(42), json!(18_000), json!(late))));
    assert_eq!((read["plan"].as_str(), used(&read)), (Some("moon [31m base"), vec![42.0]));
    let read = shown(&bed, &plan(json!(7), window(json!(250.5), json!(77 * 60), json!(late))));
    assert_eq!((used(&read), &read["windows"][0]["name"]), (vec![100.0], &json!("usage")));
    assert_eq!(read["exit_code"], 11);
    // What cannot be understood leaves the last number.
    for percent in [json!(-3), json!("NaN"), json!(null), json!([])] {
        let read = shown(&bed, &plan(json!("plus"), window(percent, json!(18_000), json!(late))));
        assert_eq!(used(&read), [100.0]);
    }
    let read = shown(&bed, &plan(json!("plus"), window(json!(30), json!(18_000), json!(5))));
    assert_eq!((used(&read), &read["windows"][0]["resets_at"]), (vec![30.0], &Value::Null));
    let read = shown(&bed, &plan(json!("plus"), window(json!(30), json!(-1), json!("soon"))));
    assert_eq!((used(&read), &read["windows"][0]["window_minutes"]), (vec![30.0], &Value::Null));
    let read = shown(
        &bed,
        &json!({"plan_type": null, "rate_limit": null, "credits": null, "additional_rate_limits": null}),
    );
    assert_eq!((used(&read), &read["exit_code"]), (vec![], &json!(0)));
    let read =
        shown(&bed, &json!({"rate_limit_reached_type": "bare", "plan_type": "plus", "spend_control": 3}));
    assert_eq!(read["reached_type"], Value::Null);
}

#[test]
fn what_is_no_answer_keeps_the_last_numbers() {
    let bed = Bed::new("");
    assert_eq!(used(&bed.json(&[])), [82.0, 64.0]);
    for fault in [
        "kind = 'garbage'",
        "kind = 'status'\ncode = 404",
        "kind = 'status'\ncode = 500\nbody = 'html'",
        "kind = 'cut'\nat = 'headers'",
    ] {
        bed.fault(USAGE, fault);
        let read = bed.json(&["--max-age", "0"]);
        assert_eq!((used(&read), &read["exit_code"]), (vec![82.0, 64.0], &json!(21)), "{fault}");
        let message = read["error"]["message"].as_str().unwrap();
        assert!(!message.contains('<'), "{message}");
    }
    for nothing in [json!({}), json!({"detail": "x"}), json!([1]), json!("x"), json!(null)] {
        let read = shown(&bed, &nothing);
        // `null` sets nothing: the account answers as usual.
        assert_eq!(used(&read), [82.0, 64.0], "{nothing}");
    }
}

#[test]
fn lists_that_are_missing_or_odd() {
    let bed = Bed::new("");
    bed.fault(LIST, "kind = 'status'\ncode = 404");
    let read = bed.json(&[]);
    assert_eq!(
        (&read["reset_credits"]["available_count"], &read["reset_credits"]["credits"]),
        (&json!(2), &Value::Null)
    );
    bed.account(&json!({"credits": [
        {"id": "a", "reset_type": "moon", "status": "sleeping", "expires_at": "never"},
        {"id": "b", "reset_type": "codex_rate_limits", "status": "available", "expires_at": "2099-01-01T00:00:00Z", "title": "\u{1b}]0;x\u{7}T"},
        {"no": "id"}, null, 7]}));
    let read = bed.json(&["--max-age", "0"]);
    let credits = read["reset_credits"]["credits"].as_array().unwrap();
    assert_eq!(credits.len(), 2);
    assert_eq!((&credits[0]["status"], &credits[0]["expiry_known"]), (&json!("unknown"), &json!(false)));
    assert_eq!(read["advice"]["credit_id"], "b");
    assert!(!read.to_string().contains("\\u001b"), "{read}");
    bed.account(&json!({"listed": false, "count": 5}));
    let read = bed.json(&["--max-age", "0"]);
    assert_eq!(
        (&read["reset_credits"]["available_count"], &read["reset_credits"]["credits"]),
        (&json!(5), &Value::Null)
    );
}

#[test]
fn a_slow_list_does_not_hold_up_the_numbers() {
    let bed = Bed::new("");
    bed.fault(LIST, "kind = 'stall'\nat = 'headers'\nms = 60000");
    let output = bed.usage(&["--json"]).run().expect(0);
    assert!(output.took.as_secs() < 30, "{:?}", output.took);
    let read = super::bed::document(&output);
    assert_eq!((used(&read), &read["reset_credits"]["credits"]), (vec![82.0, 64.0], &Value::Null));
}

#[test]
fn a_service_that_never_answers_is_given_up() {
    let bed = Bed::new("");
    bed.fault(USAGE, "kind = 'stall'\nat = 'headers'");
    let read = bed.json(&[]);
    assert_eq!(read["exit_code"], 23);
    assert!(read["error"]["message"].as_str().unwrap().contains("within 10 s"), "{read}");
    assert_eq!(used(&bed.json(&["--max-age", "0"])), [82.0, 64.0]);
}
