//! `codex usage` and its exit codes.

use std::fs;

use serde_json::json;

use super::bed::{Bed, USAGE, checked, document, used};

#[test]
fn fresh_numbers_are_shown_and_kept() {
    let bed = Bed::new("");
    let shown = bed.usage(&[]).run().expect(0);
    assert!(shown.stdout.contains("5h limit:") && shown.stdout.contains("18% left"), "{}", shown.stdout);
    assert!(shown.stdout.contains("Usage limit resets: 2 available"), "{}", shown.stdout);
    let offline = bed.json(&["--offline"]);
    assert_eq!(used(&offline), [82.0, 64.0]);
    assert_eq!(offline["plan"], "plus");
    assert_eq!(offline["reset_credits"]["credits"].as_array().unwrap().len(), 2);
    assert_eq!(bed.asked(USAGE), 1);
}

#[test]
fn exit_codes() {
    let bed = Bed::new("");
    // Nothing is known, and nobody may be asked.
    assert_eq!(bed.json(&["--offline"])["exit_code"], 23);
    bed.usage(&["guard", "--require", "week=36%"]).run().expect(0);
    bed.usage(&["guard", "--require", "week=37%"]).run().expect(10);
    bed.usage(&["--require", "week=30%,5h=50%"]).run().expect(10);
    bed.usage(&["--require", "day=1%"]).run().expect(23);
    bed.usage(&["--require", "codex_other:5h=1%"]).run().expect(23);
    for wrong in [
        &["--require", "fortnight=1%"][..],
        &["--require", "week"],
        &["guard"],
        &["--bogus"],
        &["nonsense"],
        &["--watch", "--offline"],
        &["--max-age", "soon"],
    ] {
        bed.usage(wrong).run().expect(64);
    }
    bed.account(&json!({"windows": [{"used": 100, "seconds": 18000, "resets_in": 4000}, {"used": 64, "seconds": 604_800, "resets_in": 9000}]}));
    assert_eq!(bed.json(&["--max-age", "0"])["limit_reached"], true);
    bed.usage(&["--offline"]).run().expect(11);
    // The limit says more than the requirement.
    bed.usage(&["guard", "--offline", "--require", "week=90%"]).run().expect(11);
    bed.fault(USAGE, "kind = 'status'\ncode = 503\nbody = 'html'\ntimes = 9");
    let cached = bed.usage(&["--max-age", "0"]).run().expect(21);
    assert!(cached.stdout.contains("5h limit:") && cached.stderr.contains("503"), "{cached:?}");
    assert!(bed.json(&["--max-age", "0"])["error"]["message"].as_str().unwrap().contains("503"));
}

#[test]
fn without_a_sign_in_it_says_so() {
    let bed = Bed::new("");
    fs::write(bed.world.codex_home().join("auth.json"), r#"{"OPENAI_API_KEY":"sk-canary"}"#).unwrap();
    for args in [&[][..], &["--offline"], &["guard", "--require", "week=1%"], &["activity"], &["history"]] {
        let output = bed.usage(args).run().expect(20);
        assert!(output.stderr.contains("codex login"), "{output:?}");
    }
    assert_eq!(bed.json(&[])["exit_code"], 20);
    fs::remove_file(bed.world.codex_home().join("auth.json")).unwrap();
    assert_eq!(bed.json(&["--offline"])["exit_code"], 20);
    assert_eq!(bed.asked(USAGE), 0);
}

#[test]
fn a_refused_token_is_told_and_not_shown() {
    let bed = Bed::new("");
    bed.fault(USAGE, "kind = 'status'\ncode = 401\nbody = 'token-expired'\ntimes = 9");
    let renew = format!("http://127.0.0.1:{}/oauth/token", bed.world.backend.port);
    let output = bed.usage(&[]).env("CODEX_REFRESH_TOKEN_URL_OVERRIDE", renew).run().expect(20);
    let token = &bed.world.backend.token;
    assert!(!output.stderr.contains(token) && !output.stdout.contains(token), "{output:?}");
    bed.fault(USAGE, &format!("kind = 'status'\ncode = 400\nbody_text = \"bad \\u0007token {token}\""));
    let output = bed.usage(&["--max-age", "0"]).run();
    assert!(!output.stderr.contains(token) && !output.stderr.contains('\u{7}'), "{output:?}");
    for file in bed.files() {
        let text = fs::read_to_string(&file).unwrap();
        assert!(!text.contains(token) && !text.contains("refresh-canary"), "{}", file.display());
    }
}

#[test]
fn activity_and_history() {
    let bed = Bed::new("");
    for view in ["daily", "weekly", "cumulative"] {
        let shown = bed.usage(&["activity", view]).run().expect(0).stdout;
        assert!(
            shown.contains("Lifetime") && shown.lines().all(|line| line.chars().count() <= 80),
            "{shown}"
        );
    }
    bed.usage(&["activity", "yearly"]).run().expect(64);
    bed.usage(&["history"]).run().expect(23);
    bed.json(&[]);
    bed.account(&json!({"windows": [{"used": 90, "seconds": 18000, "resets_in": 7300}, {"used": 66, "seconds": 604_800, "resets_in": 300_000}]}));
    bed.json(&["--max-age", "0"]);
    let shown = bed.usage(&["history"]).run().expect(0).stdout;
    assert!(shown.contains("5h 8%") && shown.contains("weekly 2%"), "{shown}");
    let json = |args: &[&str], code| checked(args[0], &bed.usage(args).arg("--json").run().expect(code));
    assert_eq!(json(&["history"], 0)["days"][0]["spent_percent"]["5h"], 8.0);
    assert_eq!(json(&["history", "--days", "1"], 0)["days"].as_array().unwrap().len(), 1);
    assert_eq!(json(&["explain"], 0)["windows"]["5h"]["elsewhere_percent"], 8.0);
    for view in ["daily", "weekly", "cumulative"] {
        let read = json(&["activity", view], 0);
        let listed: u64 =
            read["days"].as_array().unwrap().iter().map(|day| day["tokens"].as_u64().unwrap()).sum();
        assert_eq!((read["view"].as_str(), read["lifetime_tokens"].as_u64()), (Some(view), Some(listed)));
    }
    bed.account(&json!({"activity": {"stats": {"lifetime_tokens": 7, "daily_usage_buckets": null}}}));
    assert_eq!(json(&["activity"], 0)["days"], json!(null));
    bed.account(&json!({"activity": {"stats": null}}));
    bed.usage(&["activity"]).run().expect(21);
    assert!(json(&["activity"], 21)["error"]["message"].is_string());
    bed.sign_in("acct-two");
    for word in ["history", "explain"] {
        json(&[word], 23);
    }
    fs::remove_file(bed.world.codex_home().join("auth.json")).unwrap();
    for word in ["history", "explain", "activity"] {
        json(&[word], 20);
    }
}

#[test]
fn it_works_in_cron() {
    let bed = Bed::new("");
    let mut command = bed.usage(&["--json"]).into_command();
    command.stdin(std::process::Stdio::null()).env_remove("PATH").env_remove("LANG").current_dir("/");
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    super::schema::check("usage", &serde_json::from_slice(&output.stdout).unwrap());
}

#[test]
fn a_read_only_home_still_shows_numbers() {
    let bed = Bed::new("");
    fs::write(bed.world.codex_home().join("limits"), "in the way").unwrap();
    let read = document(&bed.usage(&["--json"]).run().expect(0));
    assert_eq!(used(&read), [82.0, 64.0]);
}
