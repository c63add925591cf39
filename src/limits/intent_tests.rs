//! What a wish comes to.

use super::*;
use crate::limits::marks::five_hours as mark;

const NOW: u64 = 1_000_000;

fn credit(id: &str, expires_at: Option<u64>) -> ResetCredit {
    ResetCredit {
        id: id.to_owned(),
        reset_type: ResetType::CodexRateLimits,
        status: CreditStatus::Available,
        granted_at: None,
        expires_at,
        expiry_unreadable: false,
        title: None,
        description: None,
    }
}

fn reading(used: f64, count: u64, credits: Option<Vec<ResetCredit>>) -> Reading {
    let credits = Some(ResetCredits { available_count: count, credits });
    Reading { at: NOW, marks: vec![mark(used, NOW + 9000)], credits }
}

fn intent(key: &str, credit: Option<&str>) -> Intent {
    Intent {
        key: key.to_owned(),
        account: "a".to_owned(),
        credit_id: credit.map(str::to_owned),
        made_at: NOW - 60,
        before: vec![mark(80.0, NOW + 9000)],
        count_before: Some(2),
        runs: 0,
        sent_at: 0,
    }
}

fn receipt(key: &str, verdict: Verdict, seen: bool) -> Receipt {
    let seen_at = seen.then_some(NOW - 30);
    Receipt { intent: intent(key, None), verdict, answered_at: NOW - 50, seen_at, after: Vec::new() }
}

/// One word per decision.
fn word(decision: &Decision) -> String {
    match decision {
        Decision::Finish(intent) => format!("finish {}", intent.key),
        Decision::Redeem { credit_id, despite, .. } => {
            let id = credit_id.as_deref().unwrap_or("any");
            format!("redeem {id}{}", if despite.is_some() { " despite" } else { "" })
        }
        Decision::Refuse(Refusal::Unfinished(_)) => "unfinished".to_owned(),
        Decision::Refuse(Refusal::NotMoved(_)) => "not moved".to_owned(),
        Decision::Refuse(Refusal::NoSuchCredit(_)) => "no such".to_owned(),
        Decision::Refuse(Refusal::NoCredits) => "none".to_owned(),
        Decision::Refuse(Refusal::OnlyUnknown) => "unknown kind".to_owned(),
        Decision::Refuse(Refusal::NothingUsed) => "unused".to_owned(),
    }
}

#[test]
fn an_unfinished_intent_comes_first() {
    for (has, named, want) in [
        (Some("c-1"), None, "finish k"),
        (Some("c-1"), Some("c-1"), "finish k"),
        (Some("c-1"), Some("c-2"), "unfinished"),
        (None, None, "finish k"),
        (None, Some("c-2"), "unfinished"),
    ] {
        let book = Book { intent: Some(intent("k", has)), ..Book::default() };
        for force in [false, true] {
            assert_eq!(word(&decide(&book, &Reading::default(), named, force)), want, "{has:?} {named:?}");
        }
    }
}

#[test]
fn the_windows_of_the_last_reset_are_not_reset_again() {
    let two = || Some(vec![credit("c-1", None), credit("c-2", None)]);
    let over = Reading { at: NOW + 9001, ..reading(3.0, 2, two()) };
    for (verdict, seen, now, force, want) in [
        (Verdict::Reset, false, reading(80.0, 2, two()), false, "not moved"),
        (Verdict::AlreadyRedeemed, false, reading(83.0, 2, two()), false, "not moved"),
        (Verdict::SeenByReading, false, reading(83.0, 2, two()), false, "not moved"),
        (Verdict::Reset, false, reading(80.0, 2, two()), true, "redeem c-1 despite"),
        (Verdict::Reset, true, reading(80.0, 2, two()), false, "redeem c-1"),
        (Verdict::Reset, false, reading(20.0, 2, two()), false, "redeem c-1"),
        (Verdict::Reset, false, over, false, "redeem c-1"),
        (Verdict::NothingToReset, false, reading(80.0, 2, two()), false, "redeem c-1"),
        (Verdict::NoCredit, false, reading(80.0, 2, two()), false, "redeem c-1"),
        (Verdict::NotSent, false, reading(80.0, 2, two()), false, "redeem c-1"),
    ] {
        let book = Book { receipts: vec![receipt("k", verdict, seen)], ..Book::default() };
        assert_eq!(word(&decide(&book, &now, None, force)), want, "{verdict:?} {seen} {force}");
    }
    // A later "no" does not lift the block.
    let receipts = vec![receipt("k", Verdict::Reset, false), receipt("l", Verdict::NoCredit, false)];
    let book = Book { receipts, ..Book::default() };
    assert_eq!(word(&decide(&book, &reading(80.0, 2, two()), None, false)), "not moved");
}

#[test]
fn the_credit_that_goes_first_is_used() {
    let odd = |id: &str, change: fn(&mut ResetCredit)| {
        let mut odd = credit(id, Some(NOW + 1));
        change(&mut odd);
        odd
    };
    let unknown = || odd("u", |credit| credit.reset_type = ResetType::Unknown);
    let used = || odd("r", |credit| credit.status = CreditStatus::Redeemed);
    let gone = || credit("g", Some(NOW - 1));
    for (count, list, named, want) in [
        (2, Some(vec![credit("never", None), credit("soon", Some(NOW + 5))]), None, "redeem soon"),
        (2, Some(vec![credit("never", None), credit("soon", Some(NOW + 5))]), Some("never"), "redeem never"),
        (2, Some(vec![unknown(), credit("ours", None)]), None, "redeem ours"),
        (1, Some(vec![unknown()]), None, "unknown kind"),
        (1, Some(vec![unknown()]), Some("u"), "redeem u"),
        (1, Some(vec![used(), gone(), credit("c", None)]), None, "redeem c"),
        (1, Some(vec![used(), credit("c", None)]), Some("r"), "no such"),
        (1, Some(vec![gone(), credit("c", None)]), Some("g"), "no such"),
        (1, Some(vec![credit("c", None)]), Some("x"), "no such"),
        // The list is shorter than the count: the named one may be beyond its end.
        (3, Some(vec![credit("c", None)]), Some("x"), "redeem x"),
        (3, None, Some("x"), "redeem x"),
        (3, None, None, "redeem any"),
        (3, Some(vec![]), None, "redeem any"),
        (0, Some(vec![]), None, "none"),
        (0, None, None, "none"),
        (0, None, Some("x"), "no such"),
    ] {
        let got = decide(&Book::default(), &reading(80.0, count, list.clone()), named, false);
        assert_eq!(word(&got), want, "{count} {list:?} {named:?}");
    }
    let silent = Reading { credits: None, ..reading(80.0, 0, None) };
    assert_eq!(word(&decide(&Book::default(), &silent, None, false)), "redeem any");
    let fresh = reading(0.0, 1, Some(vec![credit("c", None)]));
    assert_eq!(word(&decide(&Book::default(), &fresh, None, false)), "unused");
}

#[test]
fn receipts_are_kept_up_to_a_bound_and_replace_their_intent() {
    let mut book = Book::default();
    for n in 0..40 {
        book.open(intent(&n.to_string(), None));
        assert_eq!(book.last_key(), Some(n.to_string().as_str()));
        book.settle(receipt(&n.to_string(), Verdict::Reset, false));
        assert_eq!((book.intent.is_none(), book.last_key()), (true, Some(n.to_string().as_str())));
    }
    assert_eq!(book.receipts.len(), KEPT);
    assert!(!book.notice(&reading(80.0, 1, None)));
    assert!(book.notice(&reading(1.0, 1, None)));
    assert!(!book.notice(&reading(1.0, 1, None)), "told once");
    let last = book.receipts.last().unwrap();
    assert_eq!((last.seen_at, last.after.len()), (Some(NOW), 1));
    assert_eq!(book.receipts.len(), KEPT);
}
