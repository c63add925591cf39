//! The pages before the conversation.

use super::*;
use crate::protocol::error::ErrorKind;
use crate::tui::door::Begin;
use crate::tui::msg::{Answer, Msg};
use crate::tui::scene::{Scene, setup};
use crate::tui::setup::{AskTrust, Setup};
use crate::tui::terminal::Input;

fn trust(folder: &str) -> AskTrust {
    AskTrust { folder: folder.into(), trusted: "Workspace.".to_owned(), looking: "Read only.".to_owned() }
}

#[test]
fn the_first_pages_lead_to_the_conversation() {
    let first =
        Setup { sign_in: true, ask_trust: Some(trust("/p")), prompt: Some("do it".to_owned()), ..setup() };
    let mut scene = Scene::with(first, 80, 24);
    assert!(matches!(scene.model.stage, Stage::SignIn(_)));
    scene.keys(&["3"]);
    scene.send(Msg::Input(Input::Paste("sk-1\n".to_owned()))).keys(&["enter"]);
    assert!(matches!(scene.effects.last(), Some(Effect::SignIn(_))));
    scene.answer(Answer::SignedIn(Ok(())));
    assert!(matches!(scene.model.stage, Stage::Trust(_)));
    scene.keys(&["2"]);
    assert!(matches!(scene.effects.last(), Some(Effect::LookOnly)), "read-only, whatever is configured");
    scene.answer(Answer::Trusted(Ok(())));
    assert!(matches!(scene.model.stage, Stage::Main));
    assert!(scene.effects.iter().any(|effect| matches!(effect, Effect::Open(Begin::New))));
    assert_eq!(scene.sent(), ["do it"], "the prompt of the command line waits for the thread, in order");
}

#[test]
fn a_key_that_is_refused_can_be_typed_again() {
    let mut scene = Scene::with(Setup { sign_in: true, ..setup() }, 80, 24);
    scene.keys(&["3"]).text("x").keys(&["enter"]);
    let error = ErrorInfo::new(ErrorKind::Io, "no space left").with_hint("make some");
    scene.answer(Answer::SignedIn(Err(error)));
    assert!(matches!(scene.model.stage, Stage::SignIn(_)));
    assert!(scene.shown().contains("■ no space left (make some)"));
    scene.keys(&["enter"]);
    let error = ErrorInfo::new(ErrorKind::Unauthorized, "Not a key.").with_hint("use: codex login");
    scene.answer(Answer::SignedIn(Err(error)));
    assert!(scene.shown().contains("■ Not a key.") && !scene.shown().contains("codex login"));
}
