//! One cache for all processes of a home.

use std::fs;

use serde_json::{Value, json};

use super::bed::{Bed, LIST, USAGE, document, used};

#[test]
fn many_processes_ask_once() {
    let bed = Bed::new("");
    for round in 1..=2 {
        let running: Vec<_> = (0..10).map(|_| bed.usage(&["--json", "--max-age", "60"]).start()).collect();
        let shown: Vec<Value> = running.into_iter().map(|run| document(&run.wait().expect(0))).collect();
        assert!(shown.iter().all(|one| used(one) == [82.0, 64.0]), "round {round}");
    }
    assert_eq!((bed.asked(USAGE), bed.asked(LIST)), (1, 1));
}

#[test]
fn a_failure_is_not_run_into_by_all() {
    let bed = Bed::new("");
    bed.fault(USAGE, "kind = 'status'\ncode = 500\ntimes = 50");
    let running: Vec<_> = (0..8).map(|_| bed.usage(&["--json"]).start()).collect();
    for run in running {
        assert_eq!(document(&run.wait().expect(23))["exit_code"], 23);
    }
    // One request, or a second one by somebody who came more than five seconds later on a loaded machine.
    assert!(bed.asked(USAGE) <= 2, "{}", bed.asked(USAGE));
}

#[test]
fn another_process_sees_a_change() {
    let bed = Bed::new("");
    bed.json(&[]);
    let mut watching = bed.usage(&["--watch", "--json", "--max-age", "3600"]).start();
    let first: Value = serde_json::from_str(watching.lines(1).lines().next().unwrap()).unwrap();
    assert_eq!(used(&first), [82.0, 64.0]);
    bed.account(&json!({"windows": [{"used": 91, "seconds": 18000, "resets_in": 7300}, {"used": 70, "seconds": 604_800, "resets_in": 300_000}]}));
    bed.json(&["--max-age", "0"]);
    let next = watching.lines(1);
    let next: Value = serde_json::from_str(next.lines().last().unwrap()).unwrap();
    assert_eq!(used(&next), [91.0, 70.0]);
    watching.kill();
    assert_eq!(bed.asked(USAGE), 2, "the watcher itself did not ask");
}

#[test]
fn torn_and_foreign_files_are_made_anew() {
    let bed = Bed::new("");
    bed.json(&[]);
    let state = |bed: &Bed| {
        bed.files().into_iter().find(|path| path.extension().is_some_and(|e| e == "json")).unwrap()
    };
    let path = state(&bed);
    let good = fs::read_to_string(&path).unwrap();
    for content in
        [good.get(..good.len() / 2).unwrap(), "", "{}", "\u{0}", &good.replace("acct-demo", "acct-other")]
    {
        fs::write(&path, content).unwrap();
        assert_eq!(bed.json(&["--offline"])["exit_code"], 23, "{content}");
        assert_eq!(used(&bed.json(&[])), [82.0, 64.0]);
    }
}

#[test]
fn accounts_do_not_see_each_other() {
    let bed = Bed::new("");
    assert_eq!(used(&bed.json(&[])), [82.0, 64.0]);
    bed.sign_in("acct-two");
    assert_eq!(bed.json(&["--offline"])["exit_code"], 23);
    bed.account(&json!({"windows": [{"used": 5, "seconds": 18000, "resets_in": 7300}]}));
    assert_eq!(used(&bed.json(&[])), [5.0]);
    bed.sign_in("acct-demo");
    assert_eq!(used(&bed.json(&["--offline"])), [82.0, 64.0]);
}
