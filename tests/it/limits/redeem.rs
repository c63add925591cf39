//! `codex usage redeem` and `codex usage credits` as a user meets them: outcomes, words, exit codes.

use std::fs;

use serde_json::json;

use super::bed::{Bed, LIST, USAGE};
use super::redeem_bed::{CONSUME, said, stuck};

const YES: &[&str] = &["--yes", "--no-wait", "--json"];

#[test]
fn a_credit_is_used_once_and_the_windows_are_waited_for() {
    let bed = Bed::new("");
    bed.account(&json!({"move_after": 1}));
    let output = bed.redeem(&["--yes"]).run().expect(0);
    assert!(output.stdout.contains("Usage reset.") && output.stdout.contains("c-1"), "{output:?}");
    assert!(!output.stdout.contains("not show it yet"), "{output:?}");
    assert!(output.stderr.contains("again in 2 s"), "{output:?}");
    let receipts = bed.receipts();
    assert_eq!(receipts.len(), 1);
    assert_eq!(receipts[0]["before"][0]["used_percent"], 82.0);
    assert_eq!(receipts[0]["after"][0]["used_percent"], 0.0);
    assert!(receipts[0]["seen_at"].is_u64() && receipts[0]["answered_at"].is_u64());
    bed.agree();
    // Everybody sees the new windows at once.
    assert_eq!(super::bed::used(&bed.json(&["--offline"])), [0.0, 0.0]);
    let credits = bed.usage(&["credits"]).run().expect(0);
    assert!(
        credits.stdout.contains("1 reset credit.") && credits.stdout.contains("usage reset (c-1)"),
        "{credits:?}"
    );
    // Nothing is used now: nothing is sent.
    bed.redeem(YES).run().expect(12);
    assert_eq!(bed.keys().len(), 1);
}

#[test]
fn nobody_is_told_to_redeem_before_the_last_reset_is_seen() {
    let bed = Bed::new("");
    bed.account(&json!({"move_after": 1_000_000}));
    assert!(bed.json(&[])["redemption"].is_null());
    bed.redeem(YES).run().expect(0);
    for args in [&["--max-age", "0"][..], &["--offline"]] {
        let told = bed.json(args);
        assert_eq!(
            (&told["redemption"]["state"], &told["advice"]["action"]),
            (&json!("not_visible"), &json!("hold"))
        );
        let output = bed.usage(args).run().expect(0);
        assert!(
            output.stdout.contains("cannot be seen yet") && !output.stdout.contains("Redeem now"),
            "{output:?}"
        );
    }
    // The service has caught up.
    bed.account(&json!({"windows": [{"used": 1, "seconds": 18000, "resets_in": 18000}, {"used": 0, "seconds": 604_800, "resets_in": 604_800}]}));
    assert!(bed.json(&["--max-age", "0"])["redemption"].is_null());
    // Not even the list can be read, so what became of it stays open.
    bed.anew(&json!({"listed": false, "move_after": 1_000_000, "after": ["drop", "drop", "drop", "drop", "drop", "drop", "drop", "drop"]}));
    bed.redeem(YES).run().expect(22);
    let told = bed.json(&["--offline"]);
    assert_eq!(
        (&told["redemption"]["state"], &told["advice"]["action"]),
        (&json!("unfinished"), &json!("hold"))
    );
}

#[test]
fn the_list_that_is_known_is_shown_when_it_cannot_be_read() {
    let bed = Bed::new("");
    bed.usage(&[]).run().expect(0);
    bed.fault(LIST, "kind = 'status'\ncode = 503\nbody = 'html'\ntimes = 2");
    let output = bed.usage(&["credits"]).run().expect(21);
    assert!(output.stdout.contains("2 reset credits") && output.stdout.contains("c-1"), "{output:?}");
    assert!(output.stderr.contains("as of") && output.stderr.contains("status 503."), "{output:?}");
    assert!(!output.stderr.contains("503: 503"), "{output:?}");
    let told = super::bed::checked("credits", &bed.usage(&["credits", "--json"]).run().expect(21));
    assert_eq!((&told["available_count"], &told["exit_code"]), (&json!(2), &json!(21)));
    assert!(told["captured_at"].is_string() && told["message"].is_string(), "{told}");
    // A redemption that cannot even begin says that nothing was done.
    bed.fault(USAGE, "kind = 'status'\ncode = 503\nbody = 'html'\ntimes = 1");
    let output = bed.redeem(&["--yes"]).run().expect(21);
    assert!((output.stdout + &output.stderr).contains("Nothing was redeemed"));
    assert!(bed.keys().is_empty());
}

#[test]
fn every_outcome_has_its_exit_code() {
    let bed = Bed::new("");
    // The service's own idea of the usage, while the windows are in fact fresh.
    let told = json!({"plan_type": "plus", "rate_limit": {"primary_window": {"used_percent": 50, "limit_window_seconds": 18000, "reset_at": 4_000_000_000_u64}}});
    let unused = json!([{"used": 0, "seconds": 18000, "resets_in": 9000}]);
    for (account, args, code, result) in [
        (json!({}), &[][..], 0, "reset"),
        (json!({"after": ["drop"]}), &[], 0, "already_redeemed"),
        (json!({"usage": told, "windows": unused}), &[], 12, "nothing_to_reset"),
        (json!({"windows": unused}), &[], 12, "nothing_to_reset"),
        (json!({"credits": []}), &[], 13, "no_credit"),
        (json!({"credits": [], "listed": false, "count": 2}), &[], 13, "no_credit"),
        (json!({}), &["--credit", "c-9"], 13, "no_credit"),
        (json!({"listed": false}), &["--credit", "c-9"], 13, "no_credit"),
        (json!({}), &["--credit", "c-2"], 0, "reset"),
        (
            json!({"listed": false, "move_after": 9, "after": ["unknown", "unknown", "unknown"]}),
            &[],
            22,
            "unknown",
        ),
        (
            json!({"listed": false, "move_after": 9, "after": [{"status": 500}, {"status": 502}, "drop"]}),
            &[],
            22,
            "unknown",
        ),
    ] {
        bed.anew(&account);
        let output = bed.redeem(YES).args(args).run().expect(code);
        assert_eq!(said(&output)["result"], result, "{account}");
        assert!(bed.consumed().len() <= 1, "{account}");
        if code == 22 {
            // The next run finishes it with the same key.
            assert_eq!(said(&bed.redeem(YES).run().expect(0))["result"], "already_redeemed");
        }
        bed.agree_if_any();
    }
}

impl Bed {
    #[track_caller]
    fn agree_if_any(&self) {
        if self.redeem_dir().exists() && fs::read_dir(self.redeem_dir()).unwrap().count() > 1 {
            self.agree();
        }
    }
}

#[test]
fn what_fails_before_it_is_carried_out_is_finished_by_the_next_start() {
    let bed = Bed::new("");
    for fault in [
        "kind = 'status'\ncode = 500\ntimes = 3",
        "kind = 'status'\ncode = 404",
        "kind = 'status'\ncode = 429",
        "kind = 'garbage'\ntimes = 3",
        "kind = 'cut'\nat = 'headers'\ntimes = 3",
    ] {
        bed.anew(&json!({}));
        bed.fault(CONSUME, fault);
        let output = bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
        assert!(output.stderr.contains("unknown") && output.stderr.contains("same key"), "{output:?}");
        assert_eq!(bed.consumed().len(), 0);
        bed.fault(CONSUME, "kind = 'status'\ncode = 500\ntimes = 6");
        assert_eq!(bed.json(&[])["exit_code"], 22);
        assert_eq!(said(&bed.usage(&["credits", "--json"]).run())["exit_code"], 22);
        let credits = bed.usage(&["credits", "--json"]).run().expect(0);
        // Whatever starts next finishes it: here it is the list.
        assert_eq!(bed.consumed().len(), 1, "{credits:?}");
        assert!(said(&credits)["unfinished"].is_null());
        bed.agree();
    }
    let mut keys = bed.keys();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 5, "one key per wish");
}

#[test]
fn whoever_finishes_a_redemption_shows_the_numbers_after_it() {
    let bed = Bed::new("");
    bed.json(&[]);
    bed.fault(CONSUME, "kind = 'cut'\nat = 'headers'\ntimes = 3");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
    let output = bed.usage(&["--json"]).run().expect(0);
    assert_eq!(super::bed::used(&super::bed::document(&output)), [0.0, 0.0], "{output:?}");
    assert!(output.stderr.contains("An unfinished redemption: Usage reset."), "{output:?}");
    assert!(!output.stderr.contains("do not show it yet"), "{output:?}");
    bed.agree();
}

#[test]
fn an_unfinished_redemption_blocks_another_credit_and_nothing_else() {
    let bed = Bed::new("");
    bed.anew(&json!({"listed": false, "move_after": 99, "after": ["drop", "drop", "drop"]}));
    bed.redeem(&["--yes", "--no-wait", "--credit", "c-1"]).run().expect(22);
    for args in [&["--credit", "c-2"][..], &["--credit", "c-2", "--force"], &["--credit", "c-2", "--dry-run"]]
    {
        let output = bed.redeem(&["--yes", "--no-wait"]).args(args).run().expect(14);
        assert!(output.stderr.contains("unfinished") && output.stderr.contains("c-1"), "{output:?}");
    }
    bed.redeem(&["--dry-run"]).run().expect(0);
    assert_eq!(bed.keys().len(), 3);
    let usage = bed.usage(&[]).run().expect(0);
    assert!(usage.stderr.contains("unfinished"), "{usage:?}");
    assert_eq!(bed.consumed().len(), 1);
    bed.agree();
}

#[test]
fn the_same_windows_are_not_reset_twice_without_force() {
    let bed = Bed::new("");
    bed.anew(&stuck());
    let first = bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    assert!(first.stdout.contains("do not show it yet"), "{first:?}");
    for args in [&[][..], &["--credit", "c-2"], &["--dry-run"]] {
        let output = bed.redeem(&["--yes", "--no-wait"]).args(args).run().expect(14);
        assert!(output.stderr.contains("--force"), "{output:?}");
    }
    assert_eq!(bed.consumed().len(), 1);
    let forced = bed.redeem(&["--yes", "--no-wait", "--force"]).run().expect(0);
    assert!(forced.stderr.contains("warning"), "{forced:?}");
    assert_eq!(bed.consumed().len(), 2);
    // Once the windows were seen to move, by whatever reads them, the block is gone.
    bed.anew(&stuck());
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    bed.account(&json!({"windows": [{"used": 3, "seconds": 18000, "resets_in": 17000}, {"used": 1, "seconds": 604_800, "resets_in": 600_000}]}));
    bed.usage(&["--max-age", "0"]).run().expect(0);
    assert!(bed.receipts()[0]["seen_at"].is_u64());
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    bed.agree();
}

#[test]
fn without_a_usable_sign_in_nothing_is_begun() {
    let bed = Bed::new("");
    let auth = bed.world.codex_home().join("auth.json");
    let good = fs::read_to_string(&auth).unwrap();
    fs::write(&auth, good.replace(&bed.world.backend.token, "wrong-token-canary")).unwrap();
    let renew = format!("http://127.0.0.1:{}/oauth/token", bed.world.backend.port);
    let refused = bed.redeem(&["--yes"]).env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", renew).run().expect(20);
    assert!(!refused.stderr.contains("wrong-token-canary"));
    fs::write(&auth, r#"{"OPENAI_API_KEY":"sk-canary"}"#).unwrap();
    bed.redeem(&["--yes"]).run().expect(20);
    bed.usage(&["credits"]).run().expect(20);
    fs::write(&auth, "{\"tok").unwrap();
    bed.redeem(&["--yes"]).run().expect(20);
    fs::remove_file(&auth).unwrap();
    let none = bed.redeem(YES).run().expect(20);
    assert_eq!(said(&none)["result"], "no_sign_in");
    assert_eq!(bed.keys().len(), 0);
    // Wrong use comes before everything else.
    bed.redeem(&[]).run().expect(64);
    for wrong in [&["--credit"][..], &["--credit", "a b"], &["--bogus"], &["--yes", "now"]] {
        bed.redeem(wrong).run().expect(64);
    }
}

#[test]
fn a_service_that_cannot_be_reached_gets_nothing() {
    let bed = Bed::new("");
    bed.fault(USAGE, "kind = 'status'\ncode = 503\nbody = 'html'");
    bed.redeem(&["--yes"]).run().expect(21);
    let config = bed.world.codex_home().join("config.toml");
    let text = fs::read_to_string(&config).unwrap();
    let port = format!(":{}/backend-api", bed.world.backend.port);
    fs::write(&config, text.replace(&port, ":9/backend-api")).unwrap();
    bed.redeem(&["--yes"]).run().expect(21);
    assert_eq!(said(&bed.usage(&["credits", "--json"]).run().expect(21))["exit_code"], 21);
    assert_eq!(bed.keys().len(), 0);
}

/// Signed in as somebody else in the middle: the request never goes out under the other name.
#[test]
fn another_account_neither_finishes_nor_blocks() {
    let bed = Bed::new("");
    bed.anew(&json!({"listed": false, "move_after": 99, "after": ["drop", "drop", "drop"]}));
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
    let first = bed.keys()[0].clone();
    bed.sign_in("acct-other");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    assert_ne!(bed.keys()[3], first, "the other account has a key of its own");
    assert_eq!(bed.consumed()[1]["account"], "acct-other");
    bed.sign_in("acct-demo");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    assert_eq!(bed.keys()[4], first);
    assert_eq!(bed.consumed().len(), 2);

    // In the middle of a run: the store has another account, so nothing more is sent in the name of either.
    let bed = Bed::new("");
    bed.fault(LIST, "kind = 'stall'\nat = 'headers'\nms = 1500");
    let running = bed.redeem(&["--yes", "--no-wait"]).start();
    while bed.asked(LIST) == 0 {}
    bed.sign_in("acct-other");
    running.wait().expect(20);
    assert_eq!((bed.consumed().len(), bed.keys().len()), (0, 0));
}

#[test]
fn odd_lists_of_credits_are_shown_and_used_with_care() {
    let bed = Bed::new("");
    let row = |id: &str, kind: &str, status: &str, expires: serde_json::Value| json!({"id": id, "reset_type": kind, "status": status, "granted_at": "not a time", "expires_at": expires, "title": "T\u{1b}[31m"});
    let rows = json!([
        row("later", "codex_rate_limits", "available", json!("2099-01-01T00:00:00Z")),
        row("odd", "free_lunch", "available", json!("2098-01-01T00:00:00Z")),
        row("gone", "codex_rate_limits", "available", json!("2020-01-01T00:00:00Z")),
        row("what", "codex_rate_limits", "napping", json!(null)),
        row("bad-time", "codex_rate_limits", "available", json!("soon")),
        {"no": "id"}, null,
    ]);
    bed.anew(&json!({"credits": rows}));
    let shown = bed.usage(&["credits"]).run().expect(0);
    assert!(!shown.stdout.contains('\u{1b}'), "{shown:?}");
    for part in ["later", "cannot be read", "expired", "in an unknown state"] {
        assert!(shown.stdout.contains(part), "{part}: {}", shown.stdout);
    }
    assert_eq!(said(&bed.usage(&["credits", "--json"]).run())["credits"].as_array().unwrap().len(), 5);
    let dry = said(&bed.redeem(&["--dry-run", "--json"]).run().expect(0));
    assert_eq!(dry["credit_id"], "later");
    bed.redeem(&["--yes", "--no-wait", "--credit", "gone"]).run().expect(13);
    bed.redeem(&["--yes", "--no-wait", "--credit", "odd"]).run().expect(0);
    assert_eq!(bed.consumed()[0]["credit"], "odd");
    // Shorter than the count, null, and no list at all.
    bed.anew(&json!({"cap": 0}));
    assert!(bed.usage(&["credits"]).run().expect(0).stdout.contains("2 that the service does not list"));
    bed.redeem(YES).run().expect(0);
    bed.anew(&json!({}));
    bed.fault(LIST, "kind = 'status'\ncode = 404");
    bed.redeem(YES).run().expect(0);
    assert_eq!(bed.consumed().len(), 1);
}

/// Neither the token nor the key of a redemption is shown, and the token is not even in the journal.
#[test]
fn nothing_secret_is_told_or_kept() {
    let bed = Bed::new("");
    let token = bed.world.backend.token.clone();
    let mut told = String::new();
    let outputs = [
        bed.redeem(&["--dry-run"]),
        bed.redeem(&["--yes", "--no-wait"]),
        bed.usage(&["credits"]),
        bed.usage(&["credits", "--json"]),
    ];
    for codex in outputs {
        let output = codex.run();
        told.push_str(&output.stdout);
        told.push_str(&output.stderr);
    }
    bed.anew(&json!({}));
    let body = format!("kind = 'status'\ncode = 500\ntimes = 3\nmessage = 'no entry for {token}'");
    bed.fault(CONSUME, &body);
    for args in [&["--yes", "--json"][..], &["--yes", "--no-wait"]] {
        let output = bed.redeem(args).run();
        told.push_str(&output.stdout);
        told.push_str(&output.stderr);
    }
    assert!(told.contains("no entry for"), "{told}");
    for key in bed.keys().iter().chain([&token, &"refresh-canary".to_owned()]) {
        assert!(!told.contains(key.as_str()), "{key}: {told}");
    }
    for entry in fs::read_dir(bed.redeem_dir()).unwrap().flatten() {
        let text = fs::read_to_string(entry.path()).unwrap();
        assert!(!text.contains(&token) && !text.contains("canary"), "{text}");
    }
}
