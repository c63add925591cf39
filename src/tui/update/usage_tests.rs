//! Limits in the app: what is asked for, what the user sees, and that a prompt is sent again once or not at all.

use std::sync::Arc;

use crate::limits::intent::Verdict;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::ResetCredits;
use crate::protocol::op::Op;
use crate::tui::effect::Effect;
use crate::tui::msg::{Answer, Msg};
use crate::tui::popups::any::Popup;
use crate::tui::scene::Scene;
use crate::tui::usage::samples::{self, NOW};
use crate::tui::usage::{Ask, News};

fn scene(used: [f64; 2]) -> Scene {
    Scene::limited(samples::limits(used, "plus", Some(samples::two())), 80, 30)
}

fn reached() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::UsageLimit, "The usage limit of your plan is reached.")
}

/// What was asked about limits since the last look.
fn asks(scene: &mut Scene) -> Vec<Ask> {
    let ask = |effect| if let Effect::Limits(ask) = effect { Some(ask) } else { None };
    std::mem::take(&mut scene.effects).into_iter().filter_map(ask).collect()
}

/// Puts "hello", which is refused.
fn refused(used: [f64; 2]) -> Scene {
    let mut scene = scene(used);
    scene.turn("hello").effects.clear();
    scene.fails(reached());
    scene
}

/// What the thread was told: `rewind` or the text of a prompt.
fn told(scene: &mut Scene) -> Vec<String> {
    let mut out = Vec::new();
    for op in scene.ops() {
        match op {
            Op::Rewind { turns } => out.push(format!("rewind {turns}")),
            Op::UserTurn { input, .. } => out.push(format!("{input:?}")),
            _ => {}
        }
    }
    out
}

#[test]
fn usage_needs_a_sign_in() {
    let mut scene = Scene::new(80, 24);
    scene.text("/usage").keys(&["enter"]);
    assert!(scene.shown().contains("belong to a ChatGPT plan"), "{}", scene.shown());
    assert!(scene.model.popup.is_none() && asks(&mut scene).is_empty());
}

#[test]
fn usage_opens_on_what_is_known_and_changes_in_place() {
    let mut scene = scene([82.0, 64.0]);
    assert!(scene.shown().contains("You have 2 usage limit resets available"));
    scene.answer(Answer::Limits(News::Finished(Ok(None))));
    scene.text("/usage").keys(&["enter"]);
    let asked = asks(&mut scene);
    assert!(matches!(asked[..], [Ask::Refresh(_), Ask::Finish]), "{asked:?}");
    assert!(scene.shown().contains("18% left") && scene.shown().contains("reading …"), "{}", scene.shown());
    scene.send(Msg::Limits(Arc::new(samples::limits([83.0, 64.0], "plus", Some(samples::two())))));
    scene.answer(Answer::Limits(News::Refreshed(Ok(()))));
    assert!(scene.shown().contains("17% left") && !scene.shown().contains("reading …"), "{}", scene.shown());
    scene.keys(&["esc"]);
    assert!(!scene.shown().contains("You have 2 usage"), "the hint was taken");
}

#[test]
fn usage_typed_too_early_opens_when_it_can() {
    let mut scene = Scene::with(crate::tui::scene::setup(), 80, 24);
    scene.text("/usage").keys(&["enter"]);
    assert!(scene.model.popup.is_none());
    scene.open_limited(samples::limits([82.0, 64.0], "plus", None));
    assert!(scene.shown().contains("18% left"), "{}", scene.shown());
}

#[test]
fn a_failed_reading_keeps_the_numbers() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage").keys(&["enter"]);
    let error = ErrorInfo::new(ErrorKind::Connection, "the service cannot be reached");
    scene.answer(Answer::Limits(News::Refreshed(Err(error))));
    let shown = scene.shown();
    assert!(shown.contains("18% left") && shown.contains("⚠ the service cannot be reached"), "{shown}");
    scene.keys(&["r"]);
    assert!(matches!(asks(&mut scene).last(), Some(Ask::Refresh(age)) if age.is_zero()));
}

#[test]
fn reading_again_is_not_lost_while_one_is_under_way() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage").keys(&["enter", "r", "r"]);
    let count = |asked: Vec<Ask>| asked.iter().filter(|ask| matches!(ask, Ask::Refresh(_))).count();
    assert_eq!(count(asks(&mut scene)), 1, "one at a time");
    scene.answer(Answer::Limits(News::Refreshed(Ok(()))));
    assert!(matches!(asks(&mut scene)[..], [Ask::Refresh(age)] if age.is_zero()));
    scene.answer(Answer::Limits(News::Refreshed(Ok(()))));
    assert_eq!(count(asks(&mut scene)), 0);
}

#[test]
fn token_activity_opens_by_its_word() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage weekly").keys(&["enter"]);
    assert!(matches!(asks(&mut scene)[..], [Ask::Activity(_)]));
    scene.keys(&["esc", "esc"]).text("/usage hourly").keys(&["enter"]);
    assert!(
        scene.model.popup.is_none() && scene.shown().contains("/usage takes daily, weekly or cumulative")
    );
}

/// From the page to the redemption under way.
fn redeem(scene: &mut Scene) {
    let Some(Ask::Plan(question, _)) = asks(scene).pop() else { panic!("nothing was looked up") };
    scene.answer(Answer::Limits(News::Planned(question, Ok(samples::plan(samples::two())))));
    scene.keys(&["enter", "up", "enter", "enter", "enter"]);
    let orders = asks(scene).into_iter().filter(|ask| matches!(ask, Ask::Redeem(..))).count();
    assert_eq!(orders, 1, "however often the key is pressed");
    scene.keys(&["esc", "ctrl-c"]);
    assert!(scene.shown().contains("Resetting …"), "it cannot be left\n{}", scene.shown());
}

#[test]
fn a_redemption_is_ordered_once_and_cannot_be_left() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage").keys(&["enter", "2"]);
    redeem(&mut scene);
    scene.answer(Answer::Limits(News::Redeemed(Ok(Box::new(samples::settled(Verdict::Reset, true))))));
    let one = ResetCredits { available_count: 1, credits: None };
    scene.send(Msg::Limits(Arc::new(samples::limits([0.0, 0.0], "plus", Some(one)))));
    assert!(scene.shown().contains("Usage reset. You have 1 usage limit reset left."), "{}", scene.shown());
    scene.keys(&["enter", "esc"]);
    assert!(scene.model.popup.is_none());
}

#[test]
fn an_unknown_end_is_tried_again_with_what_is_on_disk() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage").keys(&["enter", "2"]);
    redeem(&mut scene);
    let trouble =
        crate::limits::redeem::Trouble { why: "no answer".to_owned(), again: false, sign_in: false };
    let outcome = crate::limits::redeemer::Outcome::Unknown(Box::new(samples::intent()), trouble);
    scene.answer(Answer::Limits(News::Redeemed(Ok(Box::new(outcome)))));
    assert!(scene.shown().contains("again is safe: it asks"), "{}", scene.shown());
    asks(&mut scene);
    scene.keys(&["enter"]);
    let Some(Ask::Plan(question, wish)) = asks(&mut scene).pop() else { panic!() };
    assert_eq!(wish.credit, None, "what is unfinished comes first, whatever it is");
    let decision = crate::limits::intent::Decision::Finish(Box::new(samples::intent()));
    let plan = crate::limits::redeemer::Plan::of(decision, None);
    scene.answer(Answer::Limits(News::Planned(question, Ok(Box::new(plan)))));
    assert!(matches!(asks(&mut scene)[..], [Ask::Redeem(..)]), "without another question");
}

#[test]
fn a_refused_prompt_comes_back_and_is_kept_on_disk() {
    let mut scene = refused([100.0, 64.0]);
    assert!(matches!(scene.model.popup, Some(Popup::Reached(_))), "{}", scene.shown());
    let kept = scene
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::SaveDraft(draft) if draft.text == "hello"));
    assert!(kept, "{:?}", scene.effects);
    assert!(matches!(asks(&mut scene)[..], [Ask::Refresh(_)]));
    scene.keys(&["esc"]);
    assert_eq!(scene.prompt(), "hello");
    scene.keys(&["enter"]);
    let sent = told(&mut scene);
    assert!(sent[0] == "rewind 1" && sent[1].contains("hello"), "it stands there once: {sent:?}");
}

#[test]
fn after_a_reset_one_key_sends_the_prompt_once() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["1"]);
    redeem(&mut scene);
    scene.answer(Answer::Limits(News::Redeemed(Ok(Box::new(samples::settled(Verdict::Reset, true))))));
    assert!(scene.shown().contains("Send the prompt again"), "{}", scene.shown());
    told(&mut scene);
    scene.keys(&["enter"]);
    let sent = told(&mut scene);
    assert_eq!(sent.len(), 2, "{sent:?}");
    assert!(sent[0] == "rewind 1" && sent[1].contains("hello"), "{sent:?}");
    assert!(scene.prompt().is_empty() && scene.model.popup.is_none() && scene.model.is_running());
    scene.event(crate::protocol::event::Event::Rewound { turns: 1 });
    scene.user("hello");
    assert_eq!(scene.shown().matches("hello").count(), 1, "{}", scene.shown());
}

#[test]
fn the_choice_waits_until_nothing_else_is_open() {
    let mut scene = scene([100.0, 64.0]);
    scene.turn("hello").text("/usage").keys(&["enter"]);
    scene.fails(reached());
    assert!(matches!(scene.model.popup, Some(Popup::Usage(_))), "what is open stays open");
    scene.keys(&["esc"]);
    assert!(scene.shown().contains("Usage limit reached"), "{}", scene.shown());
}

#[test]
fn leaving_the_redemption_leads_back_to_the_choice() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["1", "esc"]);
    assert!(scene.shown().contains("Usage limit reached"), "{}", scene.shown());
}

#[test]
fn a_prompt_waits_and_is_sent_once_at_the_reset() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["2"]);
    assert!(scene.shown().contains("⏳ sends again at 23:43"), "{}", scene.shown());
    told(&mut scene);
    scene.wait(5_390_000);
    assert!(told(&mut scene).is_empty(), "not before its time");
    scene.wait(20_000);
    assert_eq!(told(&mut scene).len(), 2);
    scene.user("hello").effects.clear();
    scene.fails(reached()).wait(100_000);
    assert!(told(&mut scene).is_empty(), "once");
}

#[test]
fn waiting_ends_when_the_user_wants_something_else() {
    let mut typed = refused([100.0, 64.0]);
    typed.keys(&["2"]).text("x").wait(6_000_000);
    assert!(told(&mut typed).is_empty() && typed.prompt() == "hellox");
    let mut left = refused([100.0, 64.0]);
    left.keys(&["2", "esc"]).wait(6_000_000);
    assert!(told(&mut left).is_empty() && left.prompt() == "hello");
}

#[test]
fn a_turn_stopped_in_the_middle_goes_on_instead_of_beginning_anew() {
    let mut scene = scene([100.0, 64.0]);
    scene.turn("hello").says("I began").effects.clear();
    scene.fails(reached()).keys(&["esc", "enter"]);
    assert_eq!(scene.prompt(), "");
    let sent = told(&mut scene);
    assert!(sent.len() == 1 && sent[0].contains("Go on where you were stopped."), "{sent:?}");
}

#[test]
fn a_budget_asks_before_the_next_request() {
    let mut scene = scene([50.0, 64.0]);
    scene.turn("hello").effects.clear();
    scene.fails(ErrorInfo::new(ErrorKind::Budget, "The budget of this turn is used up."));
    assert!(scene.shown().contains("Budget used up") && told(&mut scene).is_empty());
    scene.keys(&["1"]);
    let sent = told(&mut scene);
    assert!(sent[0] == "rewind 1" && sent[1].contains("hello"), "{sent:?}");
}

#[test]
fn alarms_are_claimed_before_they_are_told() {
    let mut scene = scene([10.0, 10.0]);
    scene.send(Msg::Limits(Arc::new(samples::limits([91.0, 10.0], "plus", None))));
    assert!(matches!(asks(&mut scene)[..], [Ask::Alarms]));
    assert_eq!(scene.model.warnings.len(), 0, "another process may have told it");
    let alarm = crate::limits::alarms::Alarm::Expires {
        id: "c".to_owned(),
        title: None,
        at: NOW + 7000,
        stage: 7200,
    };
    scene.answer(Answer::Limits(News::Alarms(vec![alarm])));
    assert!(scene.shown().contains("⚠ A usage limit reset expires in 1h 56m"), "{}", scene.shown());
    scene.wait(30_000);
    assert!(!scene.shown().contains("A usage limit reset expires"));
}

#[test]
fn another_account_leaves_nothing_behind() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["2"]);
    let mut other = samples::limits([1.0, 1.0], "plus", None);
    other.account_id = Some("other".to_owned());
    scene.send(Msg::Limits(Arc::new(other)));
    assert!(scene.model.usage.parked.is_none() && scene.model.usage.refusal.is_none());
}

#[test]
fn nothing_wakes_the_app_without_a_countdown() {
    let mut scene = scene([50.0, 64.0]);
    scene.wait(10_000);
    assert_eq!(scene.model.wake_at_ms(), None);
    scene.text("/usage").keys(&["enter"]).wait(10_000);
    let rest = scene.model.wake_at_ms().unwrap() - scene.ms;
    assert!(rest >= 1000, "{rest}");
}
