//! The journal of redemptions when it is old, damaged, foreign or cannot be written.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::bed::{Bed, USAGE};
use super::redeem_bed::CONSUME;
use crate::support::codex::binary;

/// Leaves an intent without answer: the service carried it out, or did not.
fn unfinished(bed: &Bed, carried_out: bool, account: &Value) {
    bed.anew(account);
    if carried_out {
        bed.account(&json!({"after": ["drop", "drop", "drop"]}));
    } else {
        bed.fault(CONSUME, "kind = 'status'\ncode = 500\ntimes = 3");
    }
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
}

/// Makes the unfinished intent older by so many seconds.
fn age(bed: &Bed, seconds: u64) {
    let mut lines = vec!["codex redeem journal 1".to_owned()];
    for mut entry in bed.entries() {
        if let Some(at) = entry["intent"]["made_at"].as_u64() {
            entry["intent"]["made_at"] = json!(at - seconds);
            let sent = entry["intent"]["sent_at"].as_u64().unwrap();
            entry["intent"]["sent_at"] = json!(sent - seconds);
        }
        let json = entry.to_string();
        let sum: String =
            Sha256::digest(json.as_bytes()).iter().take(8).map(|b| format!("{b:02x}")).collect();
        lines.push(format!("{sum} {json}"));
    }
    lines.push(format!("end {}\n", lines.len() - 1));
    fs::write(bed.journal(), lines.join("\n")).unwrap();
}

/// Paths asked for since there were `from` requests.
fn asked_since(bed: &Bed, from: usize) -> Vec<String> {
    bed.sent().into_iter().skip(from).map(|(path, _)| path).collect()
}

#[test]
fn a_young_intent_is_sent_again_an_old_one_is_looked_after_first() {
    let bed = Bed::new("");
    let blind = json!({"listed": false, "move_after": 1_000_000});
    for (seconds, first) in [(0, CONSUME), (540, CONSUME), (700, USAGE), (86_400, USAGE)] {
        unfinished(&bed, true, &blind);
        age(&bed, seconds);
        let from = bed.sent().len();
        bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
        let paths = asked_since(&bed, from);
        let relevant = paths.iter().find(|path| *path == USAGE || *path == CONSUME).unwrap();
        assert_eq!(relevant, first, "{seconds}: {paths:?}");
        assert_eq!(bed.consumed().len(), 1);
        bed.agree();
    }
}

#[test]
fn an_old_intent_is_closed_by_what_is_read() {
    let bed = Bed::new("");
    // The service forgot the key: sending it again would use the other credit, if nobody looked.
    unfinished(&bed, true, &json!({"listed": false, "move_after": 1_000_000}));
    bed.account(&json!({"forget": true}));
    age(&bed, 700);
    let from = bed.keys().len();
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    assert_eq!((bed.keys().len(), bed.consumed().len()), (from, 1));
    bed.agree();
    // Never carried out, and the windows it was for were reset by somebody else: it is not wanted any more.
    unfinished(&bed, false, &json!({}));
    bed.account(&json!({"windows": [{"used": 1, "seconds": 18000, "resets_in": 17000}]}));
    age(&bed, 700);
    let from = bed.keys().len();
    let output = bed.redeem(&["--yes", "--no-wait"]).run().expect(12);
    assert!(output.stdout.contains("never carried out"), "{output:?}");
    assert_eq!((bed.keys().len(), bed.consumed().len()), (from, 0));
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    bed.agree();
    // It cannot be looked after: nothing is sent.
    unfinished(&bed, false, &json!({}));
    age(&bed, 700);
    let from = bed.keys().len();
    bed.fault(USAGE, "kind = 'status'\ncode = 500");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
    assert_eq!(bed.keys().len(), from);
}

/// A service that never answers holds up an account's redemptions for some time, not for ever.
#[test]
fn a_key_that_is_never_answered_ends_by_reading() {
    let bed = Bed::new("");
    unfinished(&bed, false, &json!({}));
    let down = |bed: &Bed| bed.fault(CONSUME, "kind = 'status'\ncode = 500\ntimes = 3");
    for runs in 2..=3 {
        down(&bed);
        bed.redeem(&["--yes", "--no-wait"]).run().expect(22);
        assert_eq!(bed.entries().last().unwrap()["intent"]["runs"], runs);
    }
    // The last request may still be on its way.
    age(&bed, 595);
    bed.redeem(&["--credit", "c-2", "--yes"]).run().expect(14);
    let from = bed.keys().len();
    age(&bed, 10);
    let ended = bed.redeem(&["--yes", "--no-wait"]).run().expect(21);
    assert!(ended.stdout.contains("never answered") || ended.stderr.contains("never answered"), "{ended:?}");
    assert_eq!((bed.keys().len(), bed.consumed().len()), (from, 0), "nothing was sent");
    assert_eq!(bed.receipts().last().unwrap()["verdict"], "unanswered");
    // Now another yes makes another key, and uses the same credit.
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    let consumed = bed.consumed();
    assert_eq!((consumed.len(), consumed[0]["credit"].as_str()), (1, Some("c-1")));
    assert_ne!(bed.keys().last(), Some(&bed.keys()[from - 1]));
    bed.agree();
}

#[test]
fn a_damaged_journal_is_set_aside_said_aloud_and_asks_for_another_yes() {
    let bed = Bed::new("");
    for damage in [&b""[..], b"garbage", b"codex redeem journal 1\nend 7\n", b"\xff\x00"] {
        bed.anew(&json!({}));
        bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
        bed.account(&json!({"windows": [{"used": 50, "seconds": 18000, "resets_in": 9000}]}));
        fs::write(bed.journal(), damage).unwrap();
        let dry = bed.redeem(&["--dry-run"]).run().expect(0);
        assert!(dry.stderr.contains("damaged"), "{dry:?}");
        let first = bed.redeem(&["--yes", "--no-wait"]).run().expect(14);
        assert!(first.stderr.contains("damaged-1"), "{first:?}");
        assert_eq!(bed.consumed().len(), 1);
        let aside = fs::read_dir(bed.redeem_dir()).unwrap().flatten().map(|entry| entry.path());
        let aside: Vec<_> = aside.filter(|path| path.to_string_lossy().contains("damaged")).collect();
        assert_eq!((aside.len(), fs::read(&aside[0]).unwrap().as_slice()), (1, damage));
        let second = bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
        assert!(!second.stderr.contains("damaged"), "{second:?}");
        assert_eq!(bed.consumed().len(), 2);
    }
}

/// Torn after the intent: its key is whole, so it is finished under it.
#[test]
fn a_torn_journal_loses_no_key() {
    let bed = Bed::new("");
    for cut in [1, 3, 5] {
        unfinished(&bed, true, &json!({"listed": false, "move_after": 1_000_000}));
        let journal = bed.journal();
        let whole = fs::read(&journal).unwrap();
        fs::write(&journal, &whole[..whole.len() - cut]).unwrap();
        let output = bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
        assert!(output.stderr.contains("damaged") && output.stdout.contains("earlier request"), "{output:?}");
        assert_eq!(bed.consumed().len(), 1);
        bed.agree();
    }
}

#[test]
fn a_newer_or_unreadable_journal_stops_everything() {
    let bed = Bed::new("");
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    fs::write(bed.journal(), "codex redeem journal 9\n").unwrap();
    let output = bed.redeem(&["--yes"]).run().expect(1);
    assert!(output.stderr.contains("newer"), "{output:?}");
    assert_eq!(fs::read_to_string(bed.journal()).unwrap(), "codex redeem journal 9\n");
    assert_eq!(bed.keys().len(), 1);
}

/// What cannot be written down is not sent.
#[test]
fn a_full_disk_refuses_before_the_request() {
    let bed = Bed::new("");
    let run = |script: &str| {
        let mut command = Command::new("sh");
        command
            .args(["-c", script])
            .env("HOME", bed.world.home())
            .env("CODEX_HOME", bed.world.codex_home())
            .env("CODEX", binary())
            .current_dir(bed.world.project())
            .stdin(Stdio::null());
        command.output().unwrap()
    };
    let output = run("ulimit -f 0; exec $CODEX usage redeem --yes --no-wait");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("Nothing was redeemed") && text.contains("journal"), "{text}");
    assert_eq!((bed.keys().len(), bed.consumed().len()), (0, 0));
    // A folder that is a file.
    let _ = fs::remove_dir_all(bed.redeem_dir());
    fs::write(bed.redeem_dir(), "in the way").unwrap();
    bed.redeem(&["--yes"]).run().expect(1);
    assert_eq!(bed.keys().len(), 0);
    fs::remove_file(bed.redeem_dir()).unwrap();
    bed.redeem(&["--yes", "--no-wait"]).run().expect(0);
    bed.agree();
}
