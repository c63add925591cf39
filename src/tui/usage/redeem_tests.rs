//! The way of a redemption: pictures of every state and end, and what keys may never do.

use super::super::samples::{self, NOW};
use super::*;
use crate::limits::AccountLimits;
use crate::limits::intent::Verdict;
use crate::limits::redeem::Trouble;
use crate::protocol::limits::ResetCredits;
use crate::tui::keys::Code;
use crate::tui::testing::{assert_screen, paper};
use crate::tui::theme::Theme;

fn with<T>(act: impl FnOnce(&View<'_>) -> T) -> T {
    let limits: AccountLimits = samples::limits([82.0, 64.0], "plus", Some(samples::two()));
    let standing = samples::shared();
    act(&View { limits: Some(&limits), standing: &standing, now_s: NOW, zone: crate::tui::moment::zone() })
}

fn loaded(plan: Box<Plan>) -> Flow {
    let mut flow = Flow::new(1, false);
    assert_eq!(with(|view| flow.planned(1, Ok(plan), view)), Move::Stay);
    flow
}

fn keys(flow: &mut Flow, keys: &[Key]) -> Move {
    keys.iter().map(|key| flow.on_key(*key, &Keymap::default())).last().unwrap()
}

const ENTER: Key = Key::plain(Code::Enter);
const UP: Key = Key::plain(Code::Up);
const ESC: Key = Key::plain(Code::Esc);

fn check(name: &str, flow: &Flow) {
    for width in [60, 80, 120] {
        let (mut lines, keep) = with(|view| flow.draw(view, width, 40, &Theme::default()));
        lines.extend(keep);
        assert_screen!(format!("{name}_{width}"), paper(width, &lines));
    }
}

#[test]
fn views_on_the_way() {
    check("loading", &Flow::new(1, false));
    let mut flow = loaded(samples::plan(samples::two()));
    check("picker", &flow);
    keys(&mut flow, &[ENTER]);
    check("confirm", &flow);
    assert!(flow.start().is_some());
    check("redeeming", &flow);
    flow.step(&Step::Watching(4000));
    check("watching", &flow);
    check("count_only", &loaded(samples::plan(ResetCredits { available_count: 3, credits: None })));
    let mut generic = loaded(samples::plan(ResetCredits { available_count: 3, credits: None }));
    keys(&mut generic, &[ENTER]);
    check("confirm_generic", &generic);
    let mut failed = Flow::new(1, false);
    with(|view| failed.planned(1, Err("the service cannot be reached".to_owned()), view));
    check("load_error", &failed);
}

#[test]
fn views_of_every_end() {
    let trouble = |why: &str| Trouble { why: why.to_owned(), again: false, sign_in: false };
    let unknown = Outcome::Unknown(Box::new(samples::intent()), trouble("no answer came within 10 seconds"));
    let refusal = |why| Outcome::Refused(why);
    for (name, outcome) in [
        ("done", samples::settled(Verdict::Reset, true)),
        ("done_unseen", samples::settled(Verdict::Reset, false)),
        ("already", samples::settled(Verdict::AlreadyRedeemed, true)),
        ("nothing", samples::settled(Verdict::NothingToReset, false)),
        ("gone", samples::settled(Verdict::NoCredit, false)),
        ("outdated", samples::settled(Verdict::Outdated, false)),
        ("unanswered", samples::settled(Verdict::Unanswered, false)),
        ("not_sent", Outcome::NotSent(trouble("the network is down"))),
        ("unknown", unknown),
        ("busy", Outcome::Busy),
        ("damaged", Outcome::Damaged("/home/u/.codex/limits/journal.damaged".into())),
        ("empty", refusal(Refusal::NoCredits)),
        ("not_moved", refusal(Refusal::NotMoved(Box::new(samples::receipt(Verdict::Reset, false))))),
    ] {
        let mut flow = loaded(samples::plan(samples::two()));
        keys(&mut flow, &[ENTER]);
        flow.start().unwrap();
        with(|view| flow.ended(Ok(&outcome), view));
        check(name, &flow);
    }
}

#[test]
fn nothing_is_spent_by_keys_pressed_ahead() {
    for ahead in
        [&[ENTER, ENTER][..], &[Key::plain(Code::Char('1')), Key::plain(Code::Char('1'))], &[ENTER, ESC]]
    {
        let mut flow = loaded(samples::plan(samples::two()));
        assert_ne!(keys(&mut flow, ahead), Move::Start, "{ahead:?}");
    }
    let mut flow = loaded(samples::plan(samples::two()));
    assert_eq!(keys(&mut flow, &[ENTER, UP, ENTER]), Move::Start);
    let (_, wish) = flow.start().unwrap();
    assert_eq!(wish.credit.as_deref(), Some("c-1"));
    assert!(flow.start().is_none(), "an order is given once");
    assert_eq!(keys(&mut flow, &[ESC]), Move::Held);
    assert_eq!(keys(&mut flow, &[Key::ctrl('c')]), Move::Held);
}

#[test]
fn the_service_picks_when_nothing_is_listed() {
    let mut flow = loaded(samples::plan(ResetCredits { available_count: 1, credits: None }));
    assert_eq!(keys(&mut flow, &[ENTER, UP, ENTER]), Move::Start);
    assert_eq!(flow.start().unwrap().1.credit, None);
}

#[test]
fn what_was_confirmed_before_is_finished_without_a_question() {
    let mut flow = Flow::new(1, false);
    let plan = Plan::of(Decision::Finish(Box::new(samples::intent())), None);
    assert_eq!(with(|view| flow.planned(1, Ok(Box::new(plan)), view)), Move::Start);
    assert!(flow.start().is_some());
}

#[test]
fn answers_to_pages_that_are_gone_are_dropped() {
    let mut flow = Flow::new(7, false);
    with(|view| flow.planned(6, Err("late".to_owned()), view));
    assert!(matches!(flow.state, State::Loading(7)));
}

#[test]
fn a_damaged_journal_needs_a_yes_of_its_own() {
    let damaged = || {
        let mut plan = samples::plan(samples::two());
        plan.damaged = Some("/x".into());
        plan
    };
    let mut flow = Flow::new(1, false);
    with(|view| flow.planned(1, Ok(damaged()), view));
    assert_eq!(keys(&mut flow, &[ENTER]), Move::Load);
    flow.load(2);
    with(|view| flow.planned(2, Ok(damaged()), view));
    assert_eq!(keys(&mut flow, &[ENTER, UP, ENTER]), Move::Start);
    assert!(flow.start().unwrap().1.despite_damage);
}

#[test]
fn a_prompt_that_waits_can_be_sent_again() {
    let mut flow = Flow::new(1, true);
    with(|view| flow.planned(1, Ok(samples::plan(samples::two())), view));
    keys(&mut flow, &[ENTER]);
    flow.start().unwrap();
    with(|view| flow.ended(Ok(&samples::settled(Verdict::Reset, true)), view));
    assert_eq!(keys(&mut flow, &[ENTER]), Move::Resend);
    with(|view| flow.ended(Ok(&samples::settled(Verdict::NothingToReset, true)), view));
    assert_eq!(keys(&mut flow, &[ENTER]), Move::Back);
}
