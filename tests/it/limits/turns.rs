//! What turns bring into the cache, and what they require of it.

use serde_json::json;

use super::bed::{Bed, USAGE, used};

const SCRIPT: &str = "[[rule]]\noutput = [{ text = 'done' }]\nlimits = [37.5, 12.5]\n";

#[test]
fn headers_of_answers_reach_all_processes() {
    let bed = Bed::new(SCRIPT);
    bed.world.exec(&["hello"]).run().expect(0);
    let read = bed.json(&["--offline"]);
    assert_eq!(used(&read), [37.5, 12.5]);
    assert_eq!(read["windows"][0]["source"], "answer");
    assert_eq!(bed.asked(USAGE), 0, "a turn asks nobody");
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
    let output = bed.world.codex().args(["exec", "work"]).run().expect(0);
    assert!(output.stderr.contains("11.0% of the 5h limit, 1.0% of the weekly limit"), "{}", output.stderr);
}

#[test]
fn use_is_explained_by_threads_models_and_tools() {
    let bed = Bed::new(ROUNDS);
    bed.usage(&["explain"]).run().expect(23);
    bed.world.exec(&["find the bug"]).run().expect(0);
    // Somebody else goes on.
    bed.account(&json!({"windows": [{"used": 31, "seconds": 18000, "resets_in": 10800}, {"used": 2, "seconds": 604_800, "resets_in": 345_600}]}));
    bed.json(&["--max-age", "0"]);
    let output = bed.usage(&["explain", "--json"]).run().expect(0);
    let read: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let five = &read["windows"]["5h"];
    assert_eq!(five["total_percent"], 21.0, "{read:#}");
    assert_eq!(five["threads"][0]["title"], "find the bug");
    assert_eq!(five["models"][0]["name"], "gpt-5.5");
    assert!(five["tools"].as_array().unwrap().iter().any(|tool| tool["name"] == "exec_command"), "{read:#}");
    let shown = bed.usage(&["explain"]).run().expect(0).stdout;
    assert!(shown.contains("by thread") && shown.contains("find the bug"), "{shown}");
}
