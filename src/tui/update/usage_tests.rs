//! Limits in the app: what is asked for, what the user sees, and that a prompt is sent again once or not at all.

use std::sync::Arc;

use crate::backend::nudge::{More, Nudged};
use crate::limits::intent::Verdict;
use crate::limits::refresh::ON_DEMAND;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::limits::ResetCredits;
use crate::protocol::op::Op;
use crate::protocol::turn::TurnStatus;
use crate::tui::composer::Draft;
use crate::tui::effect::Effect;
use crate::tui::msg::{Answer, Msg};
use crate::tui::popups::any::Popup;
use crate::tui::scene::Scene;
use crate::tui::usage::samples::{self, NOW};
use crate::tui::usage::{Ask, Kept, News};

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
    assert!(matches!(asked[..], [Ask::Refresh(age), Ask::Finish] if age == ON_DEMAND), "{asked:?}");
    assert!(scene.shown().contains("18% left") && scene.shown().contains("reading …"), "{}", scene.shown());
    scene.send(Msg::Limits(Arc::new(samples::limits([83.0, 64.0], "plus", Some(samples::two())))));
    scene.answer(Answer::Limits(News::Refreshed(Ok(None))));
    assert!(scene.shown().contains("17% left") && !scene.shown().contains("reading …"), "{}", scene.shown());
    scene.keys(&["esc"]);
    assert!(!scene.shown().contains("You have 2 usage"), "the hint was taken");
}

#[test]
fn after_a_turn_no_reading_is_fresh_enough() {
    let mut scene = scene([82.0, 64.0]);
    scene.answer(Answer::Limits(News::Finished(Ok(None))));
    scene.turn("go").ends(TurnStatus::Completed);
    let max_age = |scene: &mut Scene| {
        asks(scene);
        scene.text("/usage").keys(&["enter"]);
        let asked = asks(scene);
        scene.answer(Answer::Limits(News::Refreshed(Ok(None)))).keys(&["esc"]);
        asked.into_iter().find_map(|ask| if let Ask::Refresh(age) = ask { Some(age) } else { None })
    };
    assert_eq!(max_age(&mut scene), Some(std::time::Duration::ZERO));
    let mut read = samples::limits([83.0, 64.0], "plus", None);
    if let Some(full) = &mut read.full_read {
        full.done_ms += 1;
    }
    scene.send(Msg::Limits(Arc::new(read)));
    assert_eq!(max_age(&mut scene), Some(ON_DEMAND), "read since");
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
    scene.answer(Answer::Limits(News::Refreshed(Ok(None))));
    assert!(matches!(asks(&mut scene)[..], [Ask::Refresh(age)] if age.is_zero()));
    scene.answer(Answer::Limits(News::Refreshed(Ok(None))));
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
fn what_the_app_itself_finishes_is_no_longer_called_unknown() {
    let mut scene = scene([82.0, 64.0]);
    scene.model.usage.pending = Some(crate::limits::advice::Pending::Unfinished(NOW - 60));
    scene.text("/usage").keys(&["enter"]);
    assert!(scene.shown().contains("is not known yet"), "{}", scene.shown());
    let outcome = Box::new(samples::settled(Verdict::Reset, true));
    scene.answer(Answer::Limits(News::Finished(Ok(Some(outcome)))));
    assert!(!scene.shown().contains("is not known yet"), "{}", scene.shown());
}

#[test]
fn an_unknown_end_is_tried_again_with_what_is_on_disk() {
    let mut scene = scene([82.0, 64.0]);
    scene.text("/usage").keys(&["enter", "2"]);
    redeem(&mut scene);
    let trouble =
        crate::limits::redeem::Trouble { why: "no answer".to_owned(), again: false, sign_in: false };
    let outcome = crate::limits::redemption::Outcome::Unknown(Box::new(samples::intent()), trouble);
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
    scene.effects.clear();
    scene.wait(20_000);
    assert!(released(&mut scene), "the note on disk goes first");
    assert!(told(&mut scene).is_empty() && scene.prompt() == "hello");
    scene.answer(Answer::Released(Ok(())));
    assert_eq!(told(&mut scene).len(), 2);
    scene.answer(Answer::Released(Ok(())));
    assert!(told(&mut scene).is_empty(), "once");
    scene.user("hello").effects.clear();
    scene.fails(reached()).wait(100_000);
    assert!(told(&mut scene).is_empty(), "once");
}

/// Whether the note that a prompt waits is to be taken away before it is sent.
fn released(scene: &mut Scene) -> bool {
    scene.effects.iter().any(|effect| matches!(effect, Effect::Release))
}

/// What was noted on disk of a prompt that waits, last.
fn noted(scene: &mut Scene) -> Option<Option<Kept>> {
    let noted = scene.effects.iter().rev().find_map(|effect| match effect {
        Effect::Park(kept) => Some(*kept),
        _ => None,
    });
    scene.effects.clear();
    noted
}

#[test]
fn a_waiting_prompt_is_noted_on_disk_until_it_waits_no_more() {
    for stop in [&["esc"][..], &["x"]] {
        let mut scene = refused([100.0, 64.0]);
        scene.keys(&["2"]);
        let thread = scene.model.facts.thread.as_ref().unwrap().id;
        assert!(noted(&mut scene).flatten().is_some_and(|kept| kept.thread == thread && kept.at > NOW));
        scene.keys(stop);
        assert_eq!(noted(&mut scene), Some(None), "{stop:?}");
    }
    // Without the note gone, another run would send it too.
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["2"]).wait(6_000_000);
    told(&mut scene);
    scene.answer(Answer::Released(Err("the disk is gone".to_owned())));
    assert!(told(&mut scene).is_empty() && scene.prompt() == "hello");
    assert!(scene.shown().contains("The prompt was not sent"), "{}", scene.shown());
}

#[test]
fn a_prompt_of_an_earlier_run_goes_on_waiting_in_its_thread() {
    let mut scene = scene([100.0, 64.0]);
    let thread = scene.model.facts.thread.as_ref().unwrap().id;
    let draft = || Box::new(Draft::from_text("hello"));
    scene.answer(Answer::Draft(draft(), Some(Kept { at: NOW - 60, thread })));
    assert!(scene.shown().contains("⏳ sends again at"), "{}", scene.shown());
    assert!(!released(&mut scene), "there is time to stop it");
    scene.wait(11_000);
    assert!(released(&mut scene));
    scene.answer(Answer::Released(Ok(())));
    assert!(told(&mut scene).iter().any(|op| op.contains("hello")));
}

#[test]
fn elsewhere_the_way_back_is_offered() {
    let elsewhere = Kept { at: NOW + 600, thread: crate::base::ids::ThreadId::new() };
    let offered = || {
        let mut scene = scene([100.0, 64.0]);
        scene.answer(Answer::Draft(Box::new(Draft::from_text("hello")), Some(elsewhere)));
        assert!(scene.shown().contains("A prompt is waiting"), "{}", scene.shown());
        scene.effects.clear();
        scene
    };
    let mut back = offered();
    back.keys(&["1"]);
    let opens = back.effects.iter().any(|effect| {
        matches!(effect, Effect::Open(crate::tui::door::Begin::Resume(id)) if *id == elsewhere.thread)
    });
    assert!(opens && noted(&mut back).is_none(), "it still waits");
    let mut here = offered();
    here.keys(&["2"]).wait(6_000_000);
    assert_eq!((noted(&mut here), here.prompt()), (Some(None), "hello".to_owned()));
    let mut later = offered();
    later.keys(&["esc"]).wait(6_000_000);
    assert!(later.shown().contains("A prompt is waiting"), "its time has come");
    assert!(noted(&mut later).is_none() && !released(&mut later), "it still waits");
    later.keys(&["esc"]).wait(6_000_000);
    assert!(noted(&mut later).is_none() && !later.shown().contains("A prompt is waiting"), "asked once");
}

#[test]
fn a_waiting_prompt_outlives_the_way_to_another_thread() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["2"]);
    let Some(Some(kept)) = noted(&mut scene) else { panic!() };
    let begin = crate::tui::door::Begin::New;
    super::super::threads::switch(&mut scene.model, begin, &mut Vec::new());
    let info = crate::tui::door::ThreadInfo {
        id: crate::base::ids::ThreadId::new(),
        ..scene.model.facts.thread.clone().unwrap()
    };
    scene.open_in(info, samples::limits([100.0, 64.0], "plus", Some(samples::two())));
    assert_eq!((noted(&mut scene), scene.prompt()), (None, "hello".to_owned()), "the note stays on disk");
    assert!(scene.shown().contains("waits for its thread until"), "{}", scene.shown());
    assert!(!scene.shown().contains("A prompt is waiting"), "the user knows");
    scene.wait(6_000_000);
    assert!(scene.shown().contains("A prompt is waiting"), "{}", scene.shown());
    assert!(told(&mut scene).is_empty() && !released(&mut scene), "never in another thread");
    scene.effects.clear();
    scene.keys(&["1"]);
    let opens = scene.effects.iter().any(
        |effect| matches!(effect, Effect::Open(crate::tui::door::Begin::Resume(id)) if *id == kept.thread),
    );
    assert!(opens);
}

#[test]
fn leaving_takes_a_waiting_prompt_along() {
    let mut scene = refused([100.0, 64.0]);
    scene.keys(&["2"]);
    assert!(noted(&mut scene).flatten().is_some());
    scene.keys(&["ctrl-c"]);
    assert_eq!((noted(&mut scene), scene.prompt()), (None, "hello".to_owned()), "it still waits");
    assert!(scene.shown().contains("again to quit"), "{}", scene.shown());
    scene.keys(&["ctrl-c"]);
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Quit)));
    assert!(noted(&mut scene).is_none(), "the next start finds the note");
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

/// Limits of a member of a workspace that has no credits left.
fn member() -> crate::limits::AccountLimits {
    let mut limits = samples::limits([100.0, 64.0], "team", None);
    limits.reached = Some(crate::limits::state::Stamped {
        value: "workspace_member_credits_depleted".to_owned(),
        at_ms: NOW * 1000,
        source: crate::limits::state::Source::Usage,
    });
    limits
}

#[test]
fn a_member_asks_the_owner_once() {
    let mut scene = Scene::limited(member(), 80, 30);
    scene.turn("hello").effects.clear();
    scene.fails(reached());
    assert!(scene.shown().contains("Ask for credits"), "{}", scene.shown());
    let row = if scene.shown().contains("2. Ask for") { "2" } else { "1" };
    asks(&mut scene);
    scene.keys(&[row, row]);
    assert!(matches!(asks(&mut scene)[..], [Ask::Nudge(More::Credits)]), "once");
    assert!(scene.shown().contains("asking …"), "{}", scene.shown());
    let failed = ErrorInfo::new(ErrorKind::Connection, "no network");
    scene.answer(Answer::Limits(News::Nudged(Err(failed))));
    assert!(scene.shown().contains("not asked: no network"), "{}", scene.shown());
    scene.keys(&[row]);
    assert!(matches!(asks(&mut scene)[..], [Ask::Nudge(_)]), "after an error it may be tried again");
    scene.answer(Answer::Limits(News::Nudged(Ok(Nudged::Sent))));
    assert!(scene.shown().contains("asked: the owner got a mail"), "{}", scene.shown());
    scene.keys(&[row, "esc"]);
    assert!(asks(&mut scene).is_empty() && scene.prompt() == "hello");
    scene.keys(&["ctrl-u"]).text("/usage").keys(&["enter"]);
    assert!(scene.shown().contains("Ask for credits"), "{}", scene.shown());
    // Owners and other plans have nobody to ask.
    let mut owner = member();
    owner.reached.as_mut().unwrap().value = "workspace_owner_credits_depleted".to_owned();
    scene.send(Msg::Limits(Arc::new(owner)));
    assert!(!scene.shown().contains("Ask for"), "{}", scene.shown());
}

#[test]
fn a_smaller_model_is_offered_once_and_changes_nothing_by_itself() {
    let mut scene = scene([92.0, 64.0]);
    scene.turn("hello").ends(TurnStatus::Completed);
    assert!(scene.shown().contains("Use a smaller model?"), "{}", scene.shown());
    assert!(scene.shown().contains("8% of your 5h limit is left"), "{}", scene.shown());
    scene.effects.clear();
    scene.keys(&["enter"]);
    assert!(
        told(&mut scene).is_empty() && scene.model.popup.is_none(),
        "what is preselected keeps the model"
    );
    scene.turn("again").ends(TurnStatus::Completed);
    assert!(scene.model.popup.is_none(), "once");
    let mut typing = self::scene([92.0, 64.0]);
    typing.turn("hello").ends(TurnStatus::Completed).text("and then");
    assert!(typing.model.popup.is_none() && typing.prompt() == "and then", "{}", typing.prompt());
    for (used, typed, hidden) in
        [(89.0, "", false), (100.0, "", false), (92.0, "half a", false), (92.0, "", true)]
    {
        let mut scene = self::scene([used, 64.0]);
        scene.model.usage.offered_model |= hidden;
        scene.turn("hello").text(typed).ends(TurnStatus::Completed);
        assert!(scene.model.popup.is_none(), "{used} {typed} {hidden}");
    }
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
