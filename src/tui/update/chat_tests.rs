//! Prompts on their way, as tables.

use super::*;
use crate::protocol::event::Event;
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::Setup;
use crate::tui::status::facts::samples;

fn scene() -> Scene {
    Scene::new(80, 24)
}

fn interrupts(scene: &mut Scene) -> bool {
    scene.ops().iter().any(|op| matches!(op, Op::Interrupt))
}

#[test]
fn a_suggested_prompt_is_sent_by_enter_and_edited_by_tab() {
    use crate::tui::setup::Tour;
    let prompts = vec!["first thing".to_owned(), "second thing".to_owned()];
    let tour =
        Tour { told: "Scripted model, nothing leaves this machine.".to_owned(), prompts, passing: true };
    let mut scene = Scene::with(Setup { tour: Some(tour), ..setup() }, 80, 24);
    scene.keys(&["enter"]);
    assert!(scene.sent().is_empty(), "there is no thread yet");
    scene.open(samples::thread());
    let shown = scene.shown();
    for words in ["nothing leaves this machine", "› first thing", "enter sends this", "Scripted model"] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    // What is typed counts, not what is suggested.
    scene.text("mine").keys(&["enter"]);
    assert_eq!(scene.sent(), ["mine"]);
    assert!(!scene.shown().contains("first thing"));
    scene.keys(&["enter"]);
    assert!(scene.sent().is_empty(), "nothing is suggested while a turn runs");
    scene.ends(TurnStatus::Completed).keys(&["enter"]);
    assert_eq!(scene.sent(), ["first thing"]);
    scene.ends(TurnStatus::Completed).keys(&["tab"]);
    assert_eq!((scene.prompt().as_str(), scene.sent().len()), ("second thing", 0));
    assert!(!crate::tui::farewell::text(&scene.model).contains("codex resume"));
}

#[test]
fn a_prompt_begins_a_turn_and_empties_the_prompt() {
    let mut scene = scene();
    scene.text("hello").keys(&["enter"]);
    assert_eq!(scene.sent(), ["hello"]);
    assert_eq!(scene.prompt(), "");
    assert!(scene.model.is_running(), "at once, before the thread answers");
}

#[test]
fn during_a_turn_enter_steers_and_tab_queues() {
    let mut scene = scene();
    scene.turn("one");
    assert_eq!(scene.sent(), ["one"]);
    scene.text("also this").keys(&["enter"]).text("later").keys(&["tab"]);
    assert_eq!(scene.sent(), ["also this"], "steering leaves at once, the queue waits");
    scene.user("also this");
    assert!(!scene.model.queue.has_steering(), "the turn took it");
    scene.ends(TurnStatus::Completed);
    assert_eq!(scene.sent(), ["later"]);
    assert!(scene.model.is_running() && scene.model.queue.is_empty());
}

#[test]
fn steering_that_comes_too_late_begins_the_next_turn_once() {
    let mut scene = scene();
    scene.turn("one").text("too late").keys(&["enter"]).ops();
    scene.ends(TurnStatus::Completed);
    assert!(scene.model.is_running(), "the thread holds it and goes on");
    assert!(scene.sent().is_empty(), "it is not sent twice");
    scene.user("too late").ends(TurnStatus::Completed);
    assert!(!scene.model.is_running() && scene.model.queue.is_empty());
}

#[test]
fn an_interrupt_gives_everything_back() {
    let mut scene = scene();
    scene.turn("one").text("two").keys(&["tab"]).text("three").keys(&["tab"]).text("half").ops();
    scene.keys(&["esc"]);
    assert!(interrupts(&mut scene));
    scene.ends(TurnStatus::Interrupted);
    assert_eq!(scene.prompt(), "two\nthree\nhalf");
    assert!(scene.sent().is_empty() && !scene.model.is_running());
}

#[test]
fn a_failure_sends_nothing_more_by_itself() {
    let mut scene = scene();
    scene.turn("one").text("two").keys(&["tab"]).ops();
    scene.ends(TurnStatus::Failed);
    assert_eq!((scene.prompt().as_str(), scene.sent().len()), ("two", 0));
}

#[test]
fn a_prompt_that_the_thread_cannot_take_comes_back() {
    let mut scene = scene();
    scene.text("look at this").keys(&["enter"]).text("typed since");
    scene.fails(crate::protocol::error::ErrorInfo::new(
        crate::protocol::error::ErrorKind::BadRequest,
        "cannot attach the image x.png",
    ));
    assert_eq!(scene.prompt(), "look at this\ntyped since");
    scene.sent();
    scene.keys(&["ctrl-c"]).text("next").keys(&["enter"]).user("next");
    assert_eq!(scene.model.turn.awaited, 0);
}

#[test]
fn the_last_queued_message_comes_back_to_be_edited() {
    let mut scene = scene();
    scene.turn("one").text("two").keys(&["tab"]).text("three").keys(&["tab"]).text("x");
    scene.keys(&["shift-left"]);
    assert_eq!(scene.prompt(), "three\nx");
}

#[test]
fn esc_goes_down_then_stops_then_goes_back() {
    let mut scene = Scene::new(60, 14);
    scene.turn("go").says(&"text\n\n".repeat(40)).ops();
    scene.screen();
    scene.keys(&["page-up"]);
    assert!(!scene.model.transcript.is_at_end());
    scene.keys(&["esc"]);
    assert!(scene.model.transcript.is_at_end() && !interrupts(&mut scene), "first it only goes down");
    scene.keys(&["esc"]);
    assert!(interrupts(&mut scene));
    scene.ends(TurnStatus::Interrupted).keys(&["esc"]);
    assert!(scene.model.browse.is_none());
    scene.keys(&["esc"]);
    assert!(scene.model.browse.is_some());
}

#[test]
fn the_desktop_is_told_plain_text_and_a_program_the_answer_itself() {
    use crate::tui::effect::Effect;
    let mut scene = scene();
    scene.model.options.notify_program = true;
    scene.turn("go");
    scene.effects.clear();
    scene.event(Event::TurnCompleted(Box::new(crate::protocol::turn::TurnEnd {
        turn_id: crate::base::ids::TurnId::new(),
        status: TurnStatus::Completed,
        error: None,
        usage: Default::default(),
        last_message: Some("## Result\n\n**Done**, see `x`.".to_owned()),
        duration_ms: 5000,
        price: Vec::new(),
        changed: None,
        price_so_far: false,
        network: Default::default(),
    })));
    let told = |effect: &Effect| match effect {
        Effect::Notify(words) => Some(words.clone()),
        Effect::NotifyProgram(json) => {
            let read: serde_json::Value = serde_json::from_str(json).unwrap();
            Some(read["last-assistant-message"].as_str().unwrap().to_owned())
        }
        _ => None,
    };
    let mut told: Vec<String> = scene.effects.iter().filter_map(told).collect();
    told.sort();
    assert_eq!(told, ["## Result\n\n**Done**, see `x`.", "Result"]);
}

#[test]
fn what_is_waited_for_stays_told_between_tries() {
    let mut scene = scene();
    scene.turn("go");
    let error = || {
        crate::protocol::error::ErrorInfo::new(
            crate::protocol::error::ErrorKind::Connection,
            "Cannot connect",
        )
    };
    for attempt in 1..4 {
        scene.event(Event::Retrying { attempt, max: 0, delay_ms: 2000, error: error() });
        if attempt > 1 {
            assert!(scene.shown().contains("Waiting for the network"), "{}", scene.shown());
        }
        scene.wait(2000);
        assert!(scene.shown().contains("Waiting for the network"), "{}", scene.shown());
    }
}
