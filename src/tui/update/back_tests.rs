//! Going back, as tables: what is asked, what happens to files, and what is said.

use super::*;
use crate::protocol::event::Event;
use crate::protocol::turn::TurnStatus;
use crate::tui::msg::Answer;
use crate::tui::scene::Scene;

/// Two turns.
fn scene() -> Scene {
    let mut scene = Scene::new(80, 24);
    scene.turn("first").says("a").ends(TurnStatus::Completed);
    scene.turn("second").says("b").ends(TurnStatus::Completed);
    scene.ops();
    scene
}

/// What files since were looked for, and whether they were to be taken back.
fn looked(scene: &mut Scene) -> Vec<(Wanted, bool)> {
    let effects = std::mem::take(&mut scene.effects);
    let looked = effects.into_iter().filter_map(|effect| match effect {
        Effect::Since { wanted, dry, .. } => Some((wanted, dry)),
        _ => None,
    });
    looked.collect()
}

fn told(scene: &mut Scene, dry: bool, report: Option<Report>) {
    scene.answer(Answer::Since(dry, Ok(report)));
}

fn report(steps: &[Step]) -> Report {
    Report { number: 1, steps: steps.to_vec(), ..Report::default() }
}

fn restored() -> Report {
    report(&[Step::Restored("a".into()), Step::Left("b".into(), "changed since")])
}

fn rewinds(scene: &mut Scene) -> Vec<u32> {
    let ops = scene.ops().into_iter();
    ops.filter_map(|op| if let Op::Rewind { turns } = op { Some(turns) } else { None }).collect()
}

#[test]
fn without_changed_files_nothing_is_asked() {
    let mut scene = scene();
    scene.keys(&["esc", "esc", "left", "enter"]);
    let looks = looked(&mut scene);
    assert!(
        matches!(looks.as_slice(), [(wanted, true)] if wanted.turns.len() == 2 && wanted.amid.is_none()),
        "{looks:?}"
    );
    told(&mut scene, true, None);
    assert_eq!(rewinds(&mut scene), [2]);
    assert_eq!(scene.model.transcript.prompts().count(), 2, "nothing goes before the thread says so");
    scene.event(Event::Rewound { turns: 2 });
    assert_eq!((scene.model.transcript.prompts().count(), scene.prompt().as_str()), (0, "first"));
    assert!(scene.shown().contains("Went back. Files stay as they are."), "{}", scene.shown());
}

#[test]
fn what_comes_back_in_part_only_is_said_beforehand_and_after() {
    let mut scene = scene();
    scene.keys(&["esc", "esc", "enter"]);
    looked(&mut scene);
    let partly = || Some(report(&[Step::Partly("a".into()), Step::Restored("c".into())]));
    told(&mut scene, true, partly());
    let shown = scene.shown();
    for words in ["Changed since: a, c.", "wrote in between: a.", "undo the edits of 2 files"] {
        assert!(shown.contains(words), "{words}:\n{shown}");
    }
    assert!(!shown.contains("Stays in any case"), "{shown}");
    let said = done(&partly().unwrap_or_default());
    assert!(said.contains("partly    a (as somebody else left it in between)"), "{said}");
}

#[test]
fn with_changed_files_the_user_decides() {
    let rows: [(&str, &[u32], bool, &str); 4] = [
        ("1", &[1], false, "Files are as they were left"),
        ("enter", &[1], false, "Files are as they were left"),
        ("2", &[1], true, "Went back, and files too"),
        ("3", &[], false, "Nothing was changed"),
    ];
    for (key, turns, files, said) in rows {
        let mut scene = scene();
        scene.keys(&["esc", "esc", "enter"]);
        assert_eq!(looked(&mut scene).len(), 1);
        told(&mut scene, true, Some(restored()));
        let shown = scene.shown();
        for words in ["Changed since: a.", "Stays in any case: b (changed since)", "undo the edits of 1 file"]
        {
            assert!(shown.contains(words), "{words}:\n{shown}");
        }
        scene.keys(&[key]);
        let mut took = Vec::new();
        scene.effects.retain_mut(|effect| match effect {
            Effect::Since { dry, .. } => {
                took.push(*dry);
                false
            }
            _ => true,
        });
        assert_eq!(took, if files { vec![false] } else { vec![] }, "{key}");
        if files {
            assert_eq!(rewinds(&mut scene), [0_u32; 0], "files first");
            told(&mut scene, false, Some(restored()));
        }
        assert_eq!(rewinds(&mut scene), turns, "{key}");
        if !turns.is_empty() {
            scene.event(Event::Rewound { turns: 1 });
            assert_eq!(scene.prompt(), "second");
        }
        assert!(scene.shown().contains(said), "{key}: {}", scene.shown());
    }
}

#[test]
fn keys_typed_ahead_answer_nothing() {
    let mut scene = scene();
    scene.keys(&["esc", "esc", "enter"]);
    assert_eq!(looked(&mut scene).len(), 1);
    told(&mut scene, true, Some(restored()));
    scene.text("2");
    assert!(scene.model.popup.is_some() && looked(&mut scene).is_empty());
    assert_eq!(scene.prompt(), "2");
}

#[test]
fn what_cannot_be_taken_back_is_said_and_not_offered() {
    let mut scene = scene();
    scene.keys(&["esc", "esc", "enter"]);
    told(&mut scene, true, Some(report(&[Step::Left("b".into(), "changed since")])));
    assert_eq!(rewinds(&mut scene), [1]);
    scene.event(Event::Rewound { turns: 1 });
    assert!(scene.shown().contains("left      b (changed since)"), "{}", scene.shown());
}

#[test]
fn a_look_that_failed_offers_nothing_and_a_failed_undo_keeps_the_conversation() {
    let failed = || ErrorInfo::new(crate::protocol::error::ErrorKind::Internal, "disk full");
    let mut looks = scene();
    looks.keys(&["esc", "esc", "enter"]).answer(Answer::Since(true, Err(failed())));
    assert_eq!(rewinds(&mut looks), [1]);
    let mut takes = scene();
    takes.keys(&["esc", "esc", "enter"]);
    told(&mut takes, true, Some(restored()));
    takes.keys(&["2"]).answer(Answer::Since(false, Err(failed())));
    assert!(rewinds(&mut takes).is_empty() && takes.shown().contains("disk full"));
    assert_eq!(takes.model.transcript.prompts().count(), 2);
}

#[test]
fn who_goes_on_meanwhile_is_not_taken_back() {
    let mut scene = scene();
    scene.keys(&["esc", "esc", "enter"]);
    scene.turn("third");
    scene.ops();
    told(&mut scene, true, Some(restored()));
    assert!(scene.model.popup.is_none() && rewinds(&mut scene).is_empty());
}

#[test]
fn a_prompt_amid_a_turn_leaves_what_the_turn_changed() {
    let mut scene = scene();
    scene.turn("third").user("added").ends(TurnStatus::Completed).ops();
    scene.keys(&["esc", "esc", "enter"]);
    let (wanted, _) = looked(&mut scene).pop().unwrap();
    assert!(wanted.turns.is_empty() && wanted.amid.is_some(), "{wanted:?}");
    told(&mut scene, true, Some(Report { amid: true, ..Report::default() }));
    assert_eq!(rewinds(&mut scene), [1]);
    scene.event(Event::Rewound { turns: 1 });
    assert!(scene.shown().contains("began before it"), "{}", scene.shown());
}

#[test]
fn leaving_the_look_back_changes_nothing() {
    for keys in [&["esc", "esc", "esc"][..], &["esc", "esc", "ctrl-c"]] {
        let mut scene = scene();
        scene.keys(keys);
        assert!(scene.model.browse.is_none() && scene.ops().is_empty(), "{keys:?}");
    }
    let mut typing = scene();
    typing.keys(&["esc", "esc", "x"]);
    assert_eq!(typing.prompt(), "x", "typing goes on in the prompt");
}

#[test]
fn long_lists_are_cut() {
    let steps: Vec<Step> = (0..30).map(|n| Step::Restored(format!("f{n}").into())).collect();
    let said = done(&report(&steps));
    assert!(said.ends_with("and 18 more") && said.lines().count() == 14, "{said}");
    assert_eq!(names(steps.iter()), "f0, f1, f2 and 27 more");
    let odd = name(&Step::Restored("a\x1b[31m\nb".into()));
    assert!(!odd.contains(['\x1b', '\n']), "{odd:?}");
}
