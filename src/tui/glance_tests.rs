//! Tests of what an empty conversation shows: each state of each row, at every width, and that nothing moves.

use super::super::door::{GitState, Glimpse, ThreadRow};
use super::super::effect::Effect;
use super::super::msg::{Answer, Msg};
use super::super::scene::{Scene, setup};
use super::super::setup::{Setup, Tour};
use super::super::status::facts::samples;
use super::super::testing::assert_screen;
use super::super::usage::samples as accounts;
use crate::base::ids::ThreadId;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::tui::door::Begin;
use crate::tui::usage::News;
use crate::workspace::changed::Count;

fn row(title: &str) -> ThreadRow {
    ThreadRow {
        id: ThreadId::new(),
        title: title.to_owned(),
        cwd: Some("/home/u/work/project".into()),
        branch: None,
        at_ms: (1_700_000_000 - 2 * 3600) * 1000,
    }
}

fn changed(known: usize, fresh: usize) -> Glimpse {
    Glimpse::Git(GitState::Counted(Some("main".to_owned()), Count { known, fresh, more: false }))
}

fn all(scene: &mut Scene, last: Option<ThreadRow>, git: Glimpse) {
    scene.answer(Answer::Glimpse(Glimpse::Last(last))).answer(Answer::Glimpse(git));
}

#[test]
fn rows_come_one_by_one_and_none_moves() {
    let mut scene = Scene::limited(accounts::limits([42.0, 91.0], "plus", None), 80, 24);
    let at = |scene: &Scene, word: &str| {
        scene.shown().lines().position(|line| line.trim_start().starts_with(word))
    };
    let limits = at(&scene, "Limits");
    assert!(limits.is_some(), "{}", scene.shown());
    scene.answer(Answer::Glimpse(changed(3, 1)));
    let git = at(&scene, "Git");
    scene.answer(Answer::Glimpse(Glimpse::Last(Some(row("Fix the parser")))));
    assert_eq!((at(&scene, "Git"), at(&scene, "Limits")), (git, limits));
    assert_eq!(at(&scene, "Last").map(|row| row + 1), git);
}

#[test]
fn views() {
    let long = "Rewrite the tokenizer so that nested templates keep their line numbers, and measure it";
    for (width, height) in [(40, 12), (60, 20), (80, 24), (120, 40)] {
        let check = |name: &str, last: Option<ThreadRow>, git: Glimpse| {
            let mut scene = Scene::limited(accounts::limits([42.0, 91.0], "plus", None), width, height);
            all(&mut scene, last, git);
            assert_screen!(format!("{name}_{width}"), scene.screen());
        };
        check("full", Some(row(long)), changed(3, 1));
        check("calm", None, changed(0, 0));
        check(
            "untrusted",
            Some(row("\x1b]0;x\x07Short\nsecond")),
            Glimpse::Git(GitState::Untrusted(Some("main".to_owned()))),
        );
        check("none", None, Glimpse::Git(GitState::None));
        let mut scene = Scene::new(width, height);
        all(&mut scene, Some(row("Short")), Glimpse::Git(GitState::Silent(None)));
        assert_screen!(format!("silent_without_plan_{width}"), scene.screen());
    }
    let mut scene = Scene::limited(Default::default(), 80, 24);
    assert_screen!("limits_being_read", scene.screen());
    let error = ErrorInfo::new(ErrorKind::Connection, "no network");
    scene.answer(Answer::Limits(News::Refreshed(Err(error))));
    assert_screen!("limits_not_read", scene.screen());
}

#[test]
fn one_key_goes_on_with_the_last_thread() {
    let mut scene = Scene::new(80, 24);
    scene.keys(&["f5"]);
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Open(_))), "nothing is known yet");
    let last = row("Fix the parser");
    all(&mut scene, Some(last.clone()), changed(0, 0));
    scene.text("half a thought").keys(&["f5"]);
    let opens = |effect: &Effect| matches!(effect, Effect::Open(Begin::Resume(id)) if *id == last.id);
    assert!(scene.effects.iter().any(opens));
    assert_eq!(scene.prompt(), "half a thought");
}

#[test]
fn it_goes_when_something_is_said_and_comes_with_a_new_thread() {
    let mut scene = Scene::new(80, 24);
    all(&mut scene, Some(row("Fix the parser")), changed(1, 0));
    assert!(scene.shown().contains("f5 resumes it"));
    scene.turn("go");
    assert!(!scene.shown().contains("f5 resumes it"));
    scene.keys(&["f5"]);
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Open(_))));
    scene.ends(crate::protocol::turn::TurnStatus::Completed).text("/new").keys(&["enter"]);
    scene.effects.clear();
    scene.open(samples::thread());
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Glance)));
}

#[test]
fn neither_the_demo_nor_the_start_asks() {
    let mut scene = Scene::with(Setup { tour: Some(Tour::offline()), ..setup() }, 80, 24);
    scene.open(samples::thread());
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Glance)));
    let mut scene = Scene::with(setup(), 80, 24);
    assert!(
        !scene.effects.iter().any(|effect| matches!(effect, Effect::Glance)),
        "not before the thread is open"
    );
    scene.send(Msg::Opened(Err(ErrorInfo::new(ErrorKind::Io, "no"))));
    assert!(!scene.effects.iter().any(|effect| matches!(effect, Effect::Glance)));
}
