//! Opening threads: where to go on, and what becomes of words that were given before one was open.

use super::*;
use crate::base::ids::{ItemId, ThreadId};
use crate::protocol::error::ErrorKind;
use crate::protocol::item::Item;
use crate::protocol::turn::TurnStatus;
use crate::tui::msg::{Answer, Msg};
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::Setup;
use crate::tui::status::facts::samples;

const LAST: Begin = Begin::ResumeLast { everywhere: true };

fn elsewhere(exists: bool) -> Elsewhere {
    Elsewhere {
        id: ThreadId::new(),
        there: "/home/u/other".into(),
        exists,
        permissions: "Workspace".to_owned(),
        here: "/home/u/work/project".into(),
    }
}

fn resuming(prompt: Option<&str>) -> Scene {
    let begin = Setup { begin: LAST, prompt: prompt.map(str::to_owned), ..setup() };
    Scene::with(begin, 80, 24)
}

fn opens(scene: &Scene) -> Vec<Begin> {
    let begin = |effect: &Effect| match effect {
        Effect::Open(begin) => Some(begin.clone()),
        _ => None,
    };
    scene.effects.iter().filter_map(begin).collect()
}

fn failed() -> Msg {
    Msg::Opened(Err(ErrorInfo::new(ErrorKind::Io, "thread is open in another codex process")))
}

#[test]
fn a_thread_of_this_folder_is_opened_without_a_question() {
    for found in [Ok(None), Err(ErrorInfo::new(ErrorKind::Io, "no such thread"))] {
        let mut scene = resuming(None);
        assert!(opens(&scene).is_empty() && matches!(scene.effects.last(), Some(Effect::Locate(_))));
        scene.answer(Answer::Located(LAST, found));
        assert_eq!(opens(&scene), [LAST]);
        assert!(scene.model.popup.is_none());
    }
}

#[test]
fn a_thread_of_another_folder_asks_where_to_go_on() {
    let asked = elsewhere(true);
    for (keys, want) in [(["1"], &asked.here), (["2"], &asked.there)] {
        let mut scene = resuming(Some("go on"));
        scene.answer(Answer::Located(LAST, Ok(Some(asked.clone()))));
        assert!(scene.shown().contains("Where to go on with this thread?"), "{}", scene.shown());
        assert!(opens(&scene).is_empty());
        // Typed for the prompt, before anybody could read the question.
        scene.text("2");
        assert!(opens(&scene).is_empty());
        scene.wait(300).keys(&keys);
        assert_eq!(opens(&scene), [Begin::ResumeIn(asked.id, want.clone())]);
        assert_eq!((scene.prompt(), scene.sent()), ("2".to_owned(), vec!["go on".to_owned()]));
    }
}

#[test]
fn the_header_shows_where_it_goes_on() {
    let mut scene = resuming(None);
    let info = crate::tui::door::ThreadInfo { cwd: "/home/u/other".into(), ..samples::thread() };
    scene.open(info);
    let shown = scene.shown();
    assert!(shown.contains("   ~/other\n") && !shown.contains("~/work/project"), "{shown}");
}

#[test]
fn no_answer_opens_nothing_and_gives_the_prompt_back() {
    let mut scene = resuming(Some("go on"));
    scene.answer(Answer::Located(LAST, Ok(Some(elsewhere(true))))).wait(300).keys(&["esc"]);
    assert!(opens(&scene).is_empty());
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Forget)));
    assert_eq!(scene.prompt(), "go on");
    assert!(scene.shown().contains("No thread was opened."), "{}", scene.shown());

    let mut scene = Scene::new(80, 24);
    scene.text("/resume other").keys(&["enter"]);
    scene.answer(Answer::Located(LAST, Ok(Some(elsewhere(true))))).wait(300).keys(&["3"]);
    assert!(opens(&scene).is_empty() && scene.model.facts.thread.is_some(), "the open thread stays");
}

#[test]
fn a_folder_that_is_gone_is_told_and_not_asked_about() {
    let mut scene = resuming(None);
    scene.answer(Answer::Located(LAST, Ok(Some(elsewhere(false)))));
    assert_eq!(opens(&scene), [LAST]);
    scene.open(samples::thread());
    assert!(scene.shown().contains("worked in ~/other, which is gone"), "{}", scene.shown());
}

#[test]
fn words_given_to_a_thread_that_does_not_open_come_back() {
    let mut scene = Scene::with(Setup { prompt: Some("first".to_owned()), ..setup() }, 80, 24);
    scene.text("second").keys(&["enter"]).text("third").keys(&["tab"]).text("typed");
    scene.send(failed());
    assert_eq!(scene.prompt(), "first\nsecond\nthird\ntyped");
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Forget)));
    assert!(!scene.model.is_running());
    scene.effects.clear();
    scene.keys(&["enter"]);
    assert!(scene.sent().is_empty(), "nobody would read it");
    scene.keys(&["ctrl-c"]).text("/new").keys(&["enter"]).open(samples::thread());
    assert!(scene.sent().is_empty(), "nothing goes to the next thread by itself");
}

#[test]
fn a_command_of_the_user_comes_back_too() {
    let mut scene = Scene::with(setup(), 80, 24);
    scene.text("!ls").keys(&["enter"]);
    scene.send(failed());
    let draft = scene.model.composer.draft();
    assert!(draft.shell && draft.expand() == "ls", "{draft:?}");
}

#[test]
fn words_given_to_a_thread_that_opens_do_not() {
    let mut scene = Scene::with(Setup { prompt: Some("first".to_owned()), ..setup() }, 80, 24);
    scene.open(samples::thread());
    assert!(scene.prompt().is_empty() && scene.model.turn.early.is_empty());
    assert_eq!(scene.sent(), ["first"]);
}

#[test]
fn leaving_the_list_before_a_thread_is_open_begins_one() {
    let mut scene = Scene::with(Setup { pick: Some(ThreadFilter::default()), ..setup() }, 80, 24);
    scene.keys(&["esc"]);
    assert_eq!(opens(&scene), [Begin::New]);
    let mut scene = Scene::new(80, 24);
    scene.text("/resume").keys(&["enter", "esc"]);
    assert!(opens(&scene).is_empty());
}

#[test]
fn the_thread_before_goes_on_when_another_cannot_be_opened() {
    let mut scene = Scene::new(80, 24);
    scene.turn("first").says("an answer to keep").ends(TurnStatus::Completed);
    scene.effects.clear();
    scene.text("/resume nope").keys(&["enter"]);
    scene.answer(Answer::Located(Begin::ResumeNamed("nope".to_owned()), Ok(None)));
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Open(Begin::ResumeNamed(_)))));
    assert!(scene.shown().contains("an answer to keep"), "nothing goes before the other one is there");
    scene.text("for the other one").keys(&["enter"]);
    scene.send(Msg::Opened(Err(ErrorInfo::new(ErrorKind::Io, "There is no such thread."))));
    assert!(!scene.model.is_running());
    let shown = scene.shown();
    assert!(shown.contains("an answer to keep") && shown.contains("■ There is no such thread."), "{shown}");
    assert_eq!(scene.prompt(), "for the other one");
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Forget)), "not to the thread before");
    scene.effects.clear();
    scene.keys(&["enter"]);
    assert!(matches!(scene.ops().as_slice(), [Op::UserTurn { .. }]), "the thread before takes prompts");
}

#[test]
fn a_copy_shows_everything_once() {
    let mut scene = Scene::new(80, 24);
    scene.text("/fork").keys(&["enter"]);
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Open(_))), "nothing to copy");
    assert!(scene.shown().contains("nothing to copy yet"), "{}", scene.shown());
    scene.turn("first").says("the only answer").ends(TurnStatus::Completed);
    scene.effects.clear();
    scene.text("/fork").keys(&["enter"]);
    let begins =
        |effect: &Effect| matches!(effect, Effect::Open(Begin::Fork(id)) if *id == samples::thread().id);
    assert!(scene.effects.iter().any(begins));
    let answer =
        Item::AgentMessage { id: ItemId::from("m1"), text: "the only answer".to_owned(), phase: None };
    let turn = Turn::done(vec![answer]);
    scene.send(Msg::Opened(Ok(Box::new(crate::tui::msg::Opened {
        info: samples::thread(),
        past: vec![turn],
        earlier: false,
        usage: None,
        warnings: Vec::new(),
        limits: None,
    }))));
    let shown = scene.shown();
    assert_eq!(shown.matches("the only answer").count(), 1, "{shown}");
    assert!(shown.contains("You go on in a copy"), "{shown}");
    scene.text("/new").keys(&["enter"]).open(samples::thread());
    assert!(!scene.shown().contains("the only answer"), "{}", scene.shown());
}

#[test]
fn the_open_thread_is_not_opened_again() {
    let mut scene = Scene::new(80, 24);
    let mut effects = Vec::new();
    switch(&mut scene.model, Begin::Resume(samples::thread().id), &mut effects);
    assert!(effects.is_empty());
    assert!(scene.shown().contains("This thread is open already"));
}

#[test]
fn nothing_typed_early_is_lost() {
    let mut scene = Scene::with(setup(), 80, 24);
    scene.text("early").keys(&["enter"]).text("more");
    assert_eq!((scene.sent(), scene.prompt().as_str()), (vec!["early".to_owned()], "more"));
    scene.open(samples::thread());
    assert_eq!((scene.sent().len(), scene.prompt().as_str()), (0, "more"), "it is not sent again");
    scene.answer(Answer::Draft(Box::new(Draft::from_text("old")), None));
    assert_eq!(scene.prompt(), "more", "an old draft does not take the place of what is typed");
}

#[test]
fn an_old_draft_comes_back_into_an_empty_prompt() {
    let mut scene = Scene::new(80, 24);
    scene.answer(Answer::Draft(Box::new(Draft::from_text("old")), None));
    assert_eq!(scene.prompt(), "old");
}

#[test]
fn a_thread_that_cannot_be_opened_is_told() {
    let mut scene = Scene::with(setup(), 80, 24);
    scene.text("hello").keys(&["enter"]);
    scene.send(Msg::Opened(Err(ErrorInfo::new(ErrorKind::Io, "The disk is gone."))));
    assert!(!scene.model.is_running());
    assert!(scene.shown().contains("■ The disk is gone."));
    assert_eq!(scene.prompt(), "hello", "nobody has read it");
    scene.effects.clear();
    scene.keys(&["ctrl-c"]).text("precious").keys(&["enter"]);
    assert!(!scene.model.is_running() && scene.ops().is_empty(), "nobody is there to work");
    assert_eq!(scene.prompt(), "precious");
    assert!(scene.shown().contains("No thread is open: /new begins one"), "{}", scene.shown());
    scene.keys(&["ctrl-c"]).text("/new").keys(&["enter"]).open(samples::thread());
    scene.text("precious").keys(&["enter"]);
    assert!(matches!(scene.ops().as_slice(), [Op::UserTurn { .. }]));
}

#[test]
fn what_was_chosen_holds_for_the_next_thread() {
    let configures = |scene: &mut Scene| -> Vec<Change> {
        let change = |op: &Op| match op {
            Op::Configure(change) => Some((**change).clone()),
            _ => None,
        };
        scene.ops().iter().filter_map(change).collect()
    };
    let mut scene = Scene::new(80, 24);
    scene.text("/permissions").keys(&["enter"]);
    assert!(scene.shown().contains("Read only"), "{}", scene.shown());
    scene.keys(&["1"]);
    let chosen = configures(&mut scene);
    let [Change { sandbox: Some(sandbox), .. }] = chosen.as_slice() else { panic!("{chosen:?}") };
    assert!(matches!(sandbox, crate::protocol::policy::SandboxPolicy::ReadOnly { .. }), "{sandbox:?}");
    scene.effects.clear();
    scene.text("/new").keys(&["enter"]).open(samples::thread());
    assert_eq!(configures(&mut scene), chosen, "as careful as before");
}
