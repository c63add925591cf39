//! What turns bring into the cache, and what they require of it.

use serde_json::json;

use super::bed::{Bed, USAGE, used};

const SCRIPT: &str = "[[rule]]\nanswer = 'done'\nlimits = [37.5, 12.5]\n";

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
