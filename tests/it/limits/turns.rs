//! What turns bring into the cache, and what they require of it.

use serde_json::json;

use super::bed::{Bed, USAGE, checked, used};
use super::redeem_bed::CONSUME;

const SCRIPT: &str = "[[rule]]\noutput = [{ text = 'done' }]\nlimits = [37.5, 12.5]\n";

#[test]
fn headers_of_answers_reach_all_processes() {
    let bed = Bed::new(SCRIPT);
    // What is left is only in the headers: the service does not answer for the account.
    bed.fault(USAGE, "kind = 'status'\ncode = 500");
    bed.world.exec(&["hello"]).run().expect(0);
    let read = bed.json(&["--offline"]);
    assert_eq!(used(&read), [37.5, 12.5]);
    assert_eq!(read["windows"][0]["source"], "answer");
    assert_eq!(bed.asked(USAGE), 1, "a finished turn asks once");
}

#[test]
fn headers_of_refusals_count_too() {
    let bed = Bed::new("");
    bed.fault("/v1/responses", "kind = 'status'\ncode = 429\nbody = 'usage-limit'");
    bed.world.exec(&["hello"]).run().expect(1);
    let read = bed.json(&["--offline"]);
    assert_eq!(read["exit_code"], 11, "{read}");
}

#[test]
fn a_run_begins_only_when_enough_is_left() {
    let bed = Bed::new(SCRIPT);
    let asked = |bed: &Bed| bed.world.backend.records().len();
    for (args, code) in [
        (&["--require-remaining", "week=50%"][..], 10),
        (&["--require-remaining", "day=5%"], 23),
        (&["--require-remaining", "week=5%", "--require-remaining", "fortnight=1%"], 64),
        (&["--wait-for-reset"], 64),
        (&["--require-remaining", "5h=50%", "--wait-for-reset", "--deadline", "1s"], 10),
    ] {
        let output = bed.world.exec(args).arg("hello").run().expect(code);
        assert!(!output.stderr.is_empty());
        assert_eq!(asked(&bed), 0, "{args:?}");
    }
    bed.world.exec(&["--require-remaining", "week=30%", "hello"]).run().expect(0);
    assert_eq!(asked(&bed), 1);
    bed.account(&json!({"windows": [{"used": 100, "seconds": 18000, "resets_in": 4000}, {"used": 1, "seconds": 604_800, "resets_in": 9000}]}));
    bed.json(&["--max-age", "0"]);
    bed.world.exec(&["--require-remaining", "5h=1%", "hello"]).run().expect(11);
}

/// Works in three rounds; each answer tells more use.
const ROUNDS: &str = r#"
[[rule]]
when = { round = 0 }
limits = [10.0, 1.0]
output = [{ exec = "echo one" }]
[[rule]]
when = { round = 1 }
limits = [20.0, 2.0]
output = [{ exec = "echo two" }]
[[rule]]
limits = [21.0, 2.0]
output = [{ text = "done" }]
"#;

#[test]
fn a_budget_ends_the_turn_before_the_next_request() {
    for (budget, code, requests, part) in [
        ("turn = '5h=5%'", 1, 2, "The budget of this turn is used up: 10% of the 5h limit, 5% allowed"),
        ("session = 'week=1%'", 1, 2, "The budget of this session"),
        ("day = '5h=10%'", 1, 2, "The budget of this day"),
        ("turn = '5h=50%, week=50%'", 0, 3, ""),
    ] {
        let bed = Bed::new(ROUNDS);
        bed.configure(&format!("[budget]\n{budget}\n"));
        let output = bed.world.exec(&["work"]).run().expect(code);
        assert!(output.stdout.contains(part), "{output:?}");
        assert_eq!(output.stdout.contains("raise it for one run"), code == 1, "{output:?}");
        assert_eq!(bed.world.backend.records().len(), requests, "{budget}");
    }
    let bed = Bed::new(ROUNDS);
    bed.configure("[budget]\nturn = 'fortnight=1%'\n");
    let output = bed.world.exec(&["work"]).run().expect(1);
    assert!(output.stderr.contains("fortnight"), "{output:?}");
}

#[test]
fn the_price_of_a_turn_is_told() {
    let bed = Bed::new(ROUNDS);
    // An answer tells where the limits stood as it began: what the last one cost, the account tells.
    bed.account(&json!({"windows": [{"used": 24.5, "seconds": 18000, "resets_in": 10800}, {"used": 3, "seconds": 604_800, "resets_in": 345_600}]}));
    let work = || bed.world.codex().args(["exec", "work"]).run().expect(0).stderr;
    let told = work();
    assert!(told.contains("limits used") && !told.contains("so far"), "{told}");
    assert!(told.contains("14.5% of the 5h limit, 2.0% of the weekly limit"), "{told}");
    let stored = bed.world.rollout();
    let whole = stored.iter().find(|line| line["payload"]["type"] == "turn_priced").unwrap();
    assert_eq!(whole["payload"]["price"][0]["percent"], 14.5, "{whole}");
    // Within the time to live nobody asks again, and the price is said to be incomplete.
    let again = work();
    assert!(again.contains("limits used so far") && bed.asked(USAGE) == 1, "{again}");
}

#[test]
fn a_turn_does_not_wait_for_a_service_that_does_not_answer() {
    let bed = Bed::new(ROUNDS);
    bed.fault(USAGE, "kind = 'stall'\nat = 'headers'");
    let started = std::time::Instant::now();
    let told = bed.world.codex().args(["exec", "work"]).run().expect(0).stderr;
    assert!(started.elapsed() < std::time::Duration::from_secs(8), "{:?}", started.elapsed());
    assert!(told.contains("limits used so far") && told.contains("11.0% of the 5h limit"), "{told}");
}

#[test]
fn use_is_explained_by_threads_models_and_tools() {
    let bed = Bed::new(ROUNDS);
    bed.usage(&["explain"]).run().expect(23);
    bed.account(&json!({"windows": [{"used": 21, "seconds": 18000, "resets_in": 10800}, {"used": 2, "seconds": 604_800, "resets_in": 345_600}]}));
    bed.world.exec(&["find the bug"]).run().expect(0);
    // Somebody else goes on.
    bed.account(&json!({"windows": [{"used": 31, "seconds": 18000, "resets_in": 10800}, {"used": 2, "seconds": 604_800, "resets_in": 345_600}]}));
    bed.json(&["--max-age", "0"]);
    let read = checked("explain", &bed.usage(&["explain", "--json"]).run().expect(0));
    let five = &read["windows"]["5h"];
    assert_eq!(five["total_percent"], 21.0, "{read:#}");
    assert_eq!(five["threads"][0]["title"], "find the bug");
    assert_eq!(five["models"][0]["name"], "gpt-5.5");
    assert!(five["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "exec_command"), "{read:#}");
    let shown = bed.usage(&["explain"]).run().expect(0).stdout;
    assert!(shown.contains("by thread") && shown.contains("find the bug"), "{shown}");
}

#[test]
fn a_run_waits_for_the_window_to_start_anew() {
    let bed = Bed::new(
        "[account]\nclock = 3000.0\nwindows = [{ used = 95, seconds = 18000, resets_in = 18000 }, { used = 20, seconds = 604800, resets_in = 600000 }]\n[[rule]]\noutput = [{ text = 'done' }]\n",
    );
    let output = bed
        .world
        .exec(&["--require-remaining", "5h=50%", "--wait-for-reset", "--deadline", "1m", "hello"])
        .run()
        .expect(0);
    assert!(output.stderr.contains("Only 5% of the 5h limit is left"), "{}", output.stderr);
    assert!(output.stderr.contains("Waiting"), "{}", output.stderr);
    assert_eq!(bed.world.backend.records().len(), 1);
    assert!(bed.asked(USAGE) >= 2, "the numbers were read again");
}

#[test]
fn a_budget_of_a_session_holds_over_resumes() {
    let script = "[[rule]]\nwhen = { turn = 1 }\nlimits = [10.0, 1.0]\noutput = [{ exec = 'true' }]\ntimes = 1\n\
                  [[rule]]\nwhen = { turn = 1 }\nlimits = [16.0, 1.0]\noutput = [{ text = 'one' }]\n\
                  [[rule]]\nlimits = [16.0, 1.0]\noutput = [{ text = 'two' }]\n";
    let bed = Bed::new(script);
    bed.configure("[budget]\nsession = '5h=6%'\n");
    bed.account(&json!({"windows": [{"used": 16, "seconds": 18000, "resets_in": 10800}, {"used": 1, "seconds": 604_800, "resets_in": 345_600}]}));
    bed.world.exec(&["one"]).run().expect(0);
    let asked = bed.world.backend.records().len();
    let output = bed.world.codex().args(["exec", "resume", "--last", "two"]).run().expect(1);
    assert!(output.stderr.contains("The budget of this session is used up: 6% of the 5h"), "{output:?}");
    assert_eq!(bed.world.backend.records().len(), asked, "nothing was sent");
    // Another thread has its own.
    bed.world.exec(&["three"]).run().expect(0);
}

#[test]
fn a_budget_holds_for_compactions_too() {
    let script = "[[rule]]\nwhen = { request = 'compaction' }\noutput = [{ text = 'a note' }]\n\
                  [[rule]]\nwhen = { round = 0 }\nlimits = [10.0, 1.0]\nusage = { input = 1000, output = 1 }\noutput = [{ exec = 'true' }]\n\
                  [[rule]]\nlimits = [20.0, 1.0]\nusage = { input = 200000, output = 1 }\noutput = [{ exec = 'true' }]\n";
    let bed = Bed::new(script);
    let limit = "model_auto_compact_token_limit = 100000\n";
    let config = bed.world.codex_home().join("config.toml");
    let text = std::fs::read_to_string(&config).unwrap();
    std::fs::write(&config, format!("{limit}{text}[budget]\nturn = '5h=5%'\n")).unwrap();
    let output = bed.world.exec(&["work"]).run().expect(1);
    assert!(output.stdout.contains("The budget of this turn is used up"), "{output:?}");
    assert_eq!(bed.world.backend.records().len(), 2, "no request for a note was sent");
}

#[test]
fn a_run_finishes_what_was_left_unfinished() {
    let bed = Bed::new(SCRIPT);
    bed.fault(CONSUME, "kind = 'cut'\nat = 'headers'\ntimes = 3");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
    assert_eq!(bed.consumed().len(), 0);
    let output = bed.world.exec(&["hello"]).run().expect(0);
    assert!(output.stderr.contains("warning: An unfinished redemption: "), "{}", output.stderr);
    assert_eq!(bed.consumed().len(), 1);
    bed.agree();
    let again = bed.world.exec(&["hello"]).run().expect(0);
    assert!(!again.stderr.contains("unfinished"), "{}", again.stderr);
    // A turn does not wait for a service that never answers.
    bed.anew(&json!({}));
    bed.fault(CONSUME, "kind = 'cut'\nat = 'headers'\ntimes = 3");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
    bed.fault(CONSUME, "kind = 'stall'\nat = 'headers'\ntimes = 9");
    let stalled = bed.world.exec(&["hello"]).run().expect(0);
    assert!(stalled.stderr.contains("codex usage redeem"), "{}", stalled.stderr);
}
