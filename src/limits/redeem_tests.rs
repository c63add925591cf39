//! The machine, as tables of what happens and what follows.

use super::*;
use crate::limits::intent::Reading;
use crate::limits::marks::five_hours as mark;
use crate::protocol::limits::{ResetCredit, ResetCredits, ResetType};

const NOW: u64 = 1_000_000;

fn intent(credit: Option<&str>) -> Intent {
    Intent {
        key: "key-1".to_owned(),
        account: "acct".to_owned(),
        credit_id: credit.map(str::to_owned),
        made_at: NOW,
        before: vec![mark(80.0, NOW + 9000)],
        count_before: Some(2),
        runs: 0,
        sent_at: 0,
    }
}

fn credits(id: &str, status: CreditStatus, count: u64) -> ResetCredits {
    let credit = ResetCredit {
        id: id.to_owned(),
        reset_type: ResetType::CodexRateLimits,
        status,
        granted_at: None,
        expires_at: None,
        expiry_unreadable: false,
        title: None,
        description: None,
    };
    ResetCredits { available_count: count, credits: Some(vec![credit]) }
}

/// The account as read: share used, and what is told of the credit.
fn read(used: f64, list: Option<ResetCredits>) -> Input {
    Input::Read(Ok(Reading { at: NOW + 5, marks: vec![mark(used, NOW + 9000)], credits: list }))
}

fn said(outcome: ConsumeOutcome) -> Input {
    Input::Answered(Answer::Said(outcome))
}

fn trouble(again: bool) -> Trouble {
    Trouble { why: "it broke".to_owned(), again, sign_in: false }
}

fn lost(again: bool) -> Input {
    Input::Answered(Answer::Lost(trouble(again)))
}

fn unsent() -> Input {
    Input::Answered(Answer::NotSent(trouble(true)))
}

const OK: Input = Input::Noted(Ok(()));

/// One word per effect.
fn word(effect: &Effect) -> String {
    match effect {
        Effect::NoteIntent(_) => "intent".to_owned(),
        Effect::NoteReceipt(receipt) => {
            let seen = if receipt.seen_at.is_some() { "+seen" } else { "" };
            format!("receipt:{:?}{seen}", receipt.verdict)
        }
        Effect::Send(n) => format!("send{n}"),
        Effect::Read(_) => "read".to_owned(),
        Effect::Wait(ms) => format!("wait{ms}"),
        Effect::End(Ended::Settled(receipt, None)) => format!("end:{:?}", receipt.verdict),
        Effect::End(Ended::Settled(receipt, Some(_))) => format!("end:{:?}-unwritten", receipt.verdict),
        Effect::End(Ended::NotSent(_)) => "end:not-sent".to_owned(),
        Effect::End(Ended::NotNoted(_)) => "end:not-noted".to_owned(),
        Effect::End(Ended::Unknown(..)) => "end:unknown".to_owned(),
    }
}

/// Plays inputs; the words of all effects.
#[track_caller]
fn play((mut machine, first): (Machine, Effect), inputs: Vec<Input>) -> String {
    let mut words = vec![word(&first)];
    for (n, input) in inputs.into_iter().enumerate() {
        assert!(!words.last().unwrap().starts_with("end"), "over before input {n}: {words:?}");
        words.push(word(&machine.step(NOW * 1000 + n as u64, input)));
    }
    words.join(" ")
}

fn begin(credit: Option<&str>) -> (Machine, Effect) {
    Machine::begin(intent(credit), false)
}

fn resume(credit: Option<&str>, age_s: u64) -> (Machine, Effect) {
    Machine::resume(intent(credit), false, (NOW + age_s) * 1000)
}

use ConsumeOutcome::{AlreadyRedeemed, NoCredit, NothingToReset, Reset};
use CreditStatus::{Available, Redeemed, Redeeming};

/// The request was carried out, its answer lost, and the service forgot the key: its "no" is no proof.
#[test]
fn a_no_after_a_lost_answer_is_believed_only_when_the_account_was_read() {
    let gone = || read(80.0, Some(credits("c-2", Available, 1)));
    let still = || read(80.0, Some(credits("c-1", Available, 2)));
    let unread = || Input::Read(Err("no network".to_owned()));
    for outcome in [NoCredit, NothingToReset] {
        let run = |reading: Input, rest: Vec<Input>| {
            let before = vec![OK, lost(true), Input::Waited, said(outcome), reading];
            play(begin(Some("c-1")), before.into_iter().chain(rest).collect())
        };
        let prefix = "intent send1 wait500 send2 read";
        assert_eq!(run(unread(), vec![]), format!("{prefix} end:unknown"));
        assert_eq!(
            run(gone(), vec![OK]),
            format!("{prefix} receipt:SeenByReading end:SeenByReading"),
            "used, and not listed any more: another redemption has to wait for the windows"
        );
        assert_eq!(run(still(), vec![OK]), format!("{prefix} receipt:{outcome:?} end:{outcome:?}"));
        // The same for an intent of an earlier run.
        let again = play(resume(Some("c-1"), 60), vec![OK, said(outcome), unread()]);
        assert_eq!(again, "intent send1 read end:unknown");
    }
    // An old one is closed by what is read, without a request.
    let old = play(resume(Some("c-1"), 3600), vec![gone(), OK]);
    assert_eq!(old, "read receipt:SeenByReading end:SeenByReading");
}

#[test]
fn a_definite_answer_is_a_receipt() {
    for (outcome, want) in [
        (Reset, "Reset"),
        (AlreadyRedeemed, "AlreadyRedeemed"),
        (NothingToReset, "NothingToReset"),
        (NoCredit, "NoCredit"),
    ] {
        let got = play(begin(Some("c-1")), vec![OK, said(outcome), OK]);
        assert_eq!(got, format!("intent send1 receipt:{want} end:{want}"));
    }
}

#[test]
fn nothing_is_sent_before_the_intent_is_on_disk() {
    let got = play(begin(None), vec![Input::Noted(Err("disk full".to_owned()))]);
    assert_eq!(got, "intent end:not-noted");
    // A runner that answers out of turn does not make it send either.
    for input in [OK, said(Reset), lost(true), Input::Waited, read(0.0, None)] {
        let (mut machine, _) = begin(None);
        let effect = machine.step(0, input.clone());
        assert!(matches!(effect, Effect::Send(1)) == (input == OK), "{input:?} {effect:?}");
    }
}

#[test]
fn a_lost_answer_is_asked_for_with_the_same_key_and_then_searched_by_reading() {
    for (inputs, want) in [
        (
            vec![OK, lost(true), Input::Waited, said(AlreadyRedeemed), OK],
            "wait500 send2 receipt:AlreadyRedeemed end:AlreadyRedeemed",
        ),
        // Nobody answers: windows that moved tell it, else it stays unknown.
        (
            vec![OK, lost(true), Input::Waited, lost(true), Input::Waited, lost(true), read(0.0, None), OK],
            "wait500 send2 wait1000 send3 read receipt:SeenByReading+seen end:SeenByReading",
        ),
        (
            vec![OK, lost(true), Input::Waited, lost(true), Input::Waited, lost(true), read(80.0, None)],
            "wait500 send2 wait1000 send3 read end:unknown",
        ),
        (vec![OK, lost(false), Input::Read(Err("down".to_owned()))], "read end:unknown"),
        // The credit is used, the windows do not show it yet.
        (
            vec![OK, lost(false), read(80.0, Some(credits("c-1", Redeemed, 1))), OK],
            "read receipt:SeenByReading end:SeenByReading",
        ),
        (vec![OK, lost(false), read(80.0, Some(credits("c-1", Redeeming, 1)))], "read end:unknown"),
        // A "no" after a lost answer may be the echo of a "yes".
        (
            vec![OK, lost(true), Input::Waited, said(NoCredit), read(0.0, None), OK],
            "wait500 send2 read receipt:SeenByReading+seen end:SeenByReading",
        ),
        (
            vec![OK, lost(true), Input::Waited, said(NothingToReset), read(80.0, None), OK],
            "wait500 send2 read receipt:NothingToReset end:NothingToReset",
        ),
    ] {
        assert_eq!(play(begin(Some("c-1")), inputs), format!("intent send1 {want}"));
    }
}

#[test]
fn a_request_that_never_left_closes_the_intent() {
    let all = vec![OK, unsent(), Input::Waited, unsent(), Input::Waited, unsent(), OK];
    assert_eq!(
        play(begin(None), all),
        "intent send1 wait500 send2 wait1000 send3 receipt:NotSent end:not-sent"
    );
    // But not when an earlier one may have arrived.
    let mixed = vec![OK, lost(true), Input::Waited, unsent(), Input::Waited, unsent(), read(80.0, None)];
    assert_eq!(play(begin(None), mixed), "intent send1 wait500 send2 wait1000 send3 read end:unknown");
    let resumed = vec![OK, unsent(), Input::Waited, unsent(), Input::Waited, unsent(), read(80.0, None)];
    assert_eq!(play(resume(None, 5), resumed), "intent send1 wait500 send2 wait1000 send3 read end:unknown");
}

#[test]
fn an_old_intent_is_looked_after_before_its_key_is_sent_again() {
    let there = || Some(credits("c-1", Available, 2));
    let over = |list| {
        Input::Read(Ok(Reading { at: NOW + 9001, marks: vec![mark(3.0, NOW + 27_000)], credits: list }))
    };
    for (age, credit, inputs, want) in [
        (
            600,
            Some("c-1"),
            vec![OK, said(AlreadyRedeemed), OK],
            "intent send1 receipt:AlreadyRedeemed end:AlreadyRedeemed",
        ),
        (
            601,
            Some("c-1"),
            vec![read(80.0, there()), OK, said(Reset), OK],
            "read intent send1 receipt:Reset end:Reset",
        ),
        (
            601,
            Some("c-1"),
            vec![read(80.0, Some(credits("c-1", Redeemed, 1))), OK],
            "read receipt:SeenByReading end:SeenByReading",
        ),
        (601, Some("c-1"), vec![read(0.0, None), OK], "read receipt:SeenByReading+seen end:SeenByReading"),
        // Somebody else reset the windows, the credit is still there: it is not wanted any more.
        (601, Some("c-1"), vec![read(0.0, there()), OK], "read receipt:Outdated end:Outdated"),
        (9001, Some("c-1"), vec![over(there()), OK], "read receipt:Outdated end:Outdated"),
        (9001, None, vec![over(Some(credits("x", Available, 2))), OK], "read receipt:Outdated end:Outdated"),
        (
            9001,
            None,
            vec![over(Some(credits("x", Available, 1))), OK],
            "read receipt:SeenByReading end:SeenByReading",
        ),
        (
            9001,
            None,
            vec![over(None), OK, said(AlreadyRedeemed), OK],
            "read intent send1 receipt:AlreadyRedeemed end:AlreadyRedeemed",
        ),
        (601, Some("c-1"), vec![Input::Read(Err("down".to_owned()))], "read end:unknown"),
    ] {
        assert_eq!(play(resume(credit, age), inputs), want, "{age} {credit:?}");
    }
    // The disk does not take that another request is about to leave.
    let full = Input::Noted(Err("disk full".to_owned()));
    assert_eq!(play(resume(None, 5), vec![full]), "intent end:not-noted");
    // A clock that went back.
    let (_, effect) = Machine::resume(intent(None), false, (NOW - 50) * 1000);
    assert_eq!(word(&effect), "read");
}

/// A service that never answers a key holds up nothing for ever: long after the last of several runs, what is read
/// decides.
#[test]
fn an_intent_that_is_never_answered_ends_by_reading() {
    let there = || Some(credits("c-1", Available, 2));
    for (runs, quiet_s, credit, inputs, want) in [
        (3, 601, Some("c-1"), vec![read(80.0, there()), OK], "read receipt:Unanswered end:Unanswered"),
        (3, 601, None, vec![read(80.0, there()), OK], "read receipt:Unanswered end:Unanswered"),
        // Its last request may still be on its way.
        (3, 600, Some("c-1"), vec![read(80.0, there())], "read end:unknown"),
        (9, 0, Some("c-1"), vec![read(80.0, there())], "read end:unknown"),
        // It was not asked often enough.
        (
            2,
            601,
            Some("c-1"),
            vec![read(80.0, there()), OK, said(Reset), OK],
            "read intent send1 receipt:Reset end:Reset",
        ),
        // Nobody tells whether the credit is there: the same key once more.
        (
            3,
            601,
            Some("c-1"),
            vec![read(80.0, None), OK, lost(false), read(80.0, None)],
            "read intent send1 read end:unknown",
        ),
        (
            3,
            601,
            None,
            vec![read(80.0, Some(credits("c-1", Redeemed, 1))), OK],
            "read receipt:SeenByReading end:SeenByReading",
        ),
        (
            3,
            601,
            Some("c-1"),
            vec![read(80.0, Some(credits("c-1", Redeeming, 1))), OK, lost(false), read(80.0, None)],
            "read intent send1 read end:unknown",
        ),
    ] {
        let now = NOW + 5000;
        let stuck = Intent { runs, sent_at: now - quiet_s, ..intent(credit) };
        let (mut machine, first) = Machine::resume(stuck, false, now * 1000);
        let mut words = vec![word(&first)];
        words.extend(inputs.into_iter().map(|input| word(&machine.step(now * 1000, input))));
        assert_eq!(words.join(" "), want, "{runs} {quiet_s} {credit:?}");
    }
}

#[test]
fn every_run_that_sends_is_counted_before_it_does() {
    let (_, first) = begin(None);
    let Effect::NoteIntent(noted) = first else { panic!("{first:?}") };
    assert_eq!((noted.runs, noted.sent_at), (1, NOW));
    let (_, again) = Machine::resume(noted, false, (NOW + 30) * 1000);
    let Effect::NoteIntent(noted) = again else { panic!("{again:?}") };
    assert_eq!((noted.runs, noted.sent_at, noted.key.as_str()), (2, NOW + 30, "key-1"));
}

#[test]
fn the_windows_are_waited_for_and_no_longer_than_agreed() {
    let watch = || Machine::begin(intent(None), true);
    let still = || read(80.0, None);
    let got =
        play(watch(), vec![OK, said(Reset), OK, Input::Waited, still(), Input::Waited, read(0.0, None), OK]);
    assert_eq!(got, "intent send1 receipt:Reset wait1000 read wait2000 read receipt:Reset+seen end:Reset");

    let mut inputs = vec![OK, said(Reset), OK];
    for _ in 0..3 {
        inputs.extend([Input::Waited, still()]);
    }
    inputs.extend([Input::Waited, Input::Read(Err("down".to_owned()))]);
    let got = play(watch(), inputs);
    assert_eq!(
        got,
        "intent send1 receipt:Reset wait1000 read wait2000 read wait4000 read wait8000 read end:Reset"
    );

    // Slow readings use the time up.
    let (mut machine, _) = watch();
    machine.step(0, OK);
    machine.step(0, said(Reset));
    assert_eq!(word(&machine.step(0, OK)), "wait1000");
    assert_eq!(machine.step(1000, Input::Waited), Effect::Read(19_000));
    assert_eq!(word(&machine.step(19_500, still())), "end:Reset");

    let no = play(watch(), vec![OK, said(NothingToReset), OK]);
    assert_eq!(no, "intent send1 receipt:NothingToReset end:NothingToReset");
}

#[test]
fn a_receipt_that_cannot_be_written_does_not_hide_the_answer() {
    let got = play(begin(None), vec![OK, said(Reset), Input::Noted(Err("disk full".to_owned()))]);
    assert_eq!(got, "intent send1 receipt:Reset end:Reset-unwritten");
}

/// All orders of events up to a depth: a request leaves only after its intent is on disk and never under another key,
/// no more than three leave, and an end without answer keeps the intent.
#[test]
fn no_order_of_events_breaks_the_promises() {
    let inputs = || {
        vec![
            OK,
            Input::Noted(Err("full".to_owned())),
            said(Reset),
            said(NoCredit),
            lost(true),
            lost(false),
            unsent(),
            read(0.0, None),
            read(80.0, None),
            Input::Waited,
        ]
    };
    fn walk(machine: &Machine, depth: u32, noted: bool, sends: u32, inputs: &dyn Fn() -> Vec<Input>) -> u32 {
        let mut ends = 0;
        for input in inputs() {
            let mut next = machine.clone();
            let is_noted = noted || input == OK;
            let answered = matches!(input, Input::Answered(Answer::Said(_)));
            let effect = next.step(NOW * 1000, input.clone());
            let sends = sends + u32::from(matches!(effect, Effect::Send(_)));
            assert!(sends == 0 || is_noted, "{input:?}");
            assert!(sends <= SENDS);
            match effect {
                Effect::End(Ended::Settled(receipt, _)) => {
                    assert_eq!(receipt.intent.key, "key-1");
                    ends += 1;
                }
                Effect::End(_) => {
                    assert!(!answered || sends == 0 || machine.phase != Phase::Sending);
                    ends += 1;
                }
                _ if depth == 0 => {}
                _ => ends += walk(&next, depth - 1, is_noted, sends, inputs),
            }
        }
        ends
    }
    let (machine, _) = Machine::begin(intent(Some("c-1")), true);
    assert!(walk(&machine, 7, false, 0, &inputs) > 100);
}
