//! The box in which a reset is used, over whole screens: every state at every size, with and without colours.

use super::samples;
use crate::limits::intent::Verdict;
use crate::tui::msg::{Answer, Msg};
use crate::tui::popups::any::Popup;
use crate::tui::scene::Scene;
use crate::tui::testing::assert_screen;
use crate::tui::theme::Colors;
use crate::tui::usage::{Ask, News};

const SIZES: [(u16, u16); 4] = [(40, 12), (60, 20), (80, 24), (120, 40)];

fn question(scene: &mut Scene) -> u64 {
    let asked = std::mem::take(&mut scene.effects).into_iter().rev().find_map(|effect| match effect {
        crate::tui::effect::Effect::Limits(Ask::Plan(question, _)) => Some(question),
        _ => None,
    });
    asked.unwrap()
}

/// Looking up, over a conversation with wide text.
fn looking_up(width: u16, height: u16) -> Scene {
    let limits = samples::limits([92.0, 63.0], "plus", Some(samples::two()));
    let mut scene = Scene::limited(limits, width, height);
    scene.turn("用一段很长的中文文字来检查边框是否会切断宽字符以及背景是否仍然可读");
    let words = "漢字かな交じり文を並べて、箱の縁が文字を半分に切らないことを確かめる。".repeat(6);
    scene.says(&words).ends(crate::protocol::turn::TurnStatus::Completed);
    scene.text("/usage").keys(&["enter", "2"]);
    scene
}

fn picked(width: u16, height: u16) -> Scene {
    let mut scene = looking_up(width, height);
    let question = question(&mut scene);
    scene.answer(Answer::Limits(News::Planned(question, Ok(samples::plan(samples::two())))));
    scene
}

#[test]
fn every_state_at_every_size() {
    for (width, height) in SIZES {
        let check = |name: &str, scene: &Scene| assert_screen!(format!("{name}_{width}"), scene.screen());
        check("looking_up", &looking_up(width, height));
        let mut scene = picked(width, height);
        check("picker", &scene);
        scene.keys(&["enter"]);
        check("confirm", &scene);
        scene.model.theme.colors = Colors::None;
        check("confirm_plain", &scene);
        scene.model.theme.colors = Colors::Ansi16;
        scene.keys(&["up", "enter"]);
        check("redeeming", &scene);
        scene.answer(Answer::Limits(News::Redeemed(Ok(Box::new(samples::settled(Verdict::Reset, true))))));
        check("done", &scene);
        let mut scene = looking_up(width, height);
        let question = question(&mut scene);
        let error = crate::protocol::error::ErrorInfo::new(
            crate::protocol::error::ErrorKind::Connection,
            "the service cannot be reached",
        );
        scene.answer(Answer::Limits(News::Planned(question, Err(error))));
        check("not_loaded", &scene);
    }
}

#[test]
fn no_is_chosen_first_and_both_answers_are_seen_at_every_size() {
    for (width, height) in SIZES {
        let mut scene = picked(width, height);
        scene.keys(&["enter"]);
        let shown = scene.shown();
        assert!(shown.contains("› No, go back") && shown.contains("  Yes, use reset"), "{shown}");
        scene.keys(&["enter"]);
        assert!(scene.shown().contains("Usage limit resets"), "back in the list\n{}", scene.shown());
    }
}

#[test]
fn the_selected_credit_is_always_seen() {
    for (width, height) in SIZES {
        let mut scene = picked(width, height);
        for (key, seen) in [("down", "› 2. Full reset"), ("down", "› 3. Cancel"), ("up", "› 2. Full reset")]
        {
            scene.keys(&[key]);
            assert!(scene.shown().contains(seen), "{}", scene.shown());
        }
    }
}

#[test]
fn whatever_the_size_nothing_is_drawn_outside() {
    for (width, height) in [(40, 12), (41, 13), (60, 14), (300, 100), (39, 11), (1, 1)] {
        let mut scene = picked(80, 24);
        scene.keys(&["enter"]);
        scene.send(Msg::Resize(width, height));
        scene.screen();
    }
}

#[test]
fn in_the_mode_where_the_terminal_scrolls_the_box_stands_in_the_prompts_place() {
    let mut scene = picked(80, 24);
    scene.keys(&["enter"]);
    let (above, foot) = crate::tui::view::live_lines(&scene.model, 80, 24);
    let mut buffer = ratatui::buffer::Buffer::empty(ratatui::layout::Rect::new(0, 0, 80, foot));
    crate::tui::view::foot(&scene.model, buffer.area, 24, &mut buffer);
    assert!(above.len() + usize::from(foot) <= 24);
    assert_screen!("scrollback", buffer);
}

/// The list does not forget whom it belongs to: a box is only for the redemption.
#[test]
fn the_menu_stands_in_the_prompts_place() {
    let mut scene = looking_up(80, 24);
    assert!(matches!(&scene.model.popup, Some(popup @ Popup::Usage(_)) if popup.floats()));
    scene.keys(&["esc"]);
    assert!(matches!(&scene.model.popup, Some(popup @ Popup::Usage(_)) if !popup.floats()));
}
