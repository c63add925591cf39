//! From the first frame to the first prompt: sign-in, trust, the prompt of the command line.

use super::dispatch::Effects;
use super::{answers, chat, route, threads};
use crate::base::path::with_tilde;
use crate::protocol::error::ErrorInfo;
use crate::tui::composer::Draft;
use crate::tui::door::Way;
use crate::tui::effect::Effect;
use crate::tui::model::{Model, Stage, env};
use crate::tui::onboarding::{sign_in, trust};
use crate::tui::setup::Tour;

/// The first effects, after the first frame.
pub(crate) fn begin(model: &mut Model, effects: &mut Effects) {
    effects.push(Effect::LoadDraft);
    let wanted = model.composer.warm_up();
    route::carry_out(model, wanted, effects);
    if model.setup.sign_in {
        let around = &model.setup.surroundings;
        let browser = around.display && !around.ssh;
        let page = sign_in::Page::new(browser).with_trouble(model.setup.sign_in_trouble.take());
        model.stage = Stage::SignIn(Box::new(page));
        return;
    }
    after_sign_in(model, effects);
}

fn after_sign_in(model: &mut Model, effects: &mut Effects) {
    if let Some(ask) = &model.setup.ask_trust {
        let folder = with_tilde(&ask.folder, model.facts.home.as_deref());
        model.stage = Stage::Trust(Box::new(trust::Page::new(&folder, ask, model.now_ms)));
        return;
    }
    after_trust(model, effects);
}

/// Every question before the conversation is answered.
fn after_trust(model: &mut Model, effects: &mut Effects) {
    model.stage = Stage::Main;
    if let Some(filter) = model.setup.pick.take() {
        threads::pick(model, filter, effects);
    } else {
        threads::resume(model, model.setup.begin.clone(), effects);
    }
    submit_first(model, effects);
}

/// The prompt of the command line, once.
fn submit_first(model: &mut Model, effects: &mut Effects) {
    let env = env!(model);
    let images = std::mem::take(&mut model.setup.images);
    let mut wanted = Vec::new();
    for path in images {
        wanted.extend(model.composer.attach(path, &env));
    }
    let prompt = model.setup.prompt.take();
    route::carry_out(model, wanted, effects);
    if let Some(prompt) = prompt {
        let images = model.composer.take();
        let prompt = Draft::from_text(&prompt);
        let draft = if images.is_blank() { prompt } else { Draft::join(&[images, prompt]) };
        chat::submit(model, draft, effects);
    }
}

/// A decision on the sign-in page.
pub(crate) fn on_sign_in(model: &mut Model, outcome: sign_in::Outcome, effects: &mut Effects) {
    match outcome {
        sign_in::Outcome::Stay => {}
        sign_in::Outcome::SignIn(way) => effects.push(Effect::SignInBy(way)),
        sign_in::Outcome::Pasted(text) => effects.push(Effect::Pasted(text)),
        sign_in::Outcome::GiveUp => effects.push(Effect::GiveUp),
        sign_in::Outcome::Copy(what, text) => effects.push(Effect::Copy(what.to_owned(), text)),
        sign_in::Outcome::ApiKey(key) => effects.push(Effect::SignIn(key)),
        sign_in::Outcome::Demo => {
            model.setup.tour = Some(Tour::offline());
            effects.push(Effect::Demo);
        }
        sign_in::Outcome::Quit => effects.push(Effect::Quit),
    }
}

/// A decision on the trust page.
pub(crate) fn on_trust(outcome: trust::Outcome, effects: &mut Effects) {
    match outcome {
        trust::Outcome::Stay => {}
        trust::Outcome::Trust => effects.push(Effect::Trust),
        trust::Outcome::ReadOnly => effects.push(Effect::LookOnly),
        trust::Outcome::Quit => effects.push(Effect::Quit),
    }
}

/// The key is stored, or not.
pub(crate) fn signed_in(model: &mut Model, result: Result<(), ErrorInfo>, effects: &mut Effects) {
    match (result, &mut model.stage) {
        (Err(mut error), Stage::SignIn(page)) => {
            // The page itself is what this command would be.
            error.hint = error.hint.filter(|hint| !hint.contains("codex login"));
            page.refused(&error.to_string());
        }
        (Err(error), Stage::Trust(_) | Stage::Main) => answers::error(model, &error),
        (Ok(()), _) => after_sign_in(model, effects),
    }
}

/// The sign-in shows where to go.
pub(crate) fn sign_in_shown(model: &mut Model, way: Way, url: String, code: Option<String>) {
    if let Stage::SignIn(page) = &mut model.stage {
        page.show(way, url, code);
    }
}

/// An address was handed in.
pub(crate) fn pasted(model: &mut Model, result: Result<(), ErrorInfo>) {
    if let (Stage::SignIn(page), Err(error)) = (&mut model.stage, result) {
        page.not_pasted(&error.to_string());
    }
}

/// The trust is stored, or not; the conversation begins either way.
pub(crate) fn trusted(model: &mut Model, result: Result<(), ErrorInfo>, effects: &mut Effects) {
    // A second key before the first answer was stored must not open a second thread.
    if !matches!(model.stage, Stage::Trust(_)) {
        return;
    }
    if let Err(error) = result {
        answers::error(model, &error);
    }
    after_trust(model, effects);
}

#[cfg(test)]
#[path = "start_tests.rs"]
mod tests;
