//! From the first frame to the first prompt: sign-in, trust, opening the thread, the prompt of the command line.

use super::dispatch::Effects;
use super::{answers, chat, follow, route, usage};
use crate::base::path::with_tilde;
use crate::protocol::error::ErrorInfo;
use crate::tui::composer::Draft;
use crate::tui::door::{Begin, ThreadFilter, Way};
use crate::tui::effect::Effect;
use crate::tui::model::{Model, Stage, env};
use crate::tui::msg::Opened;
use crate::tui::onboarding::{sign_in, trust};
use crate::tui::popups::any::Popup;
use crate::tui::popups::resume;
use crate::tui::setup::Tour;
use crate::tui::transcript::{Level, Past};

/// The first effects, after the first frame.
pub(crate) fn begin(model: &mut Model, effects: &mut Effects) {
    effects.push(Effect::LoadDraft);
    let wanted = model.composer.warm_up();
    route::carry_out(model, wanted, effects);
    if let Some(why) = &model.setup.sign_in {
        let around = &model.setup.surroundings;
        let browser = around.display && !around.ssh;
        model.stage = Stage::SignIn(Box::new(sign_in::Page::new(browser, why)));
        return;
    }
    after_sign_in(model, effects);
}

fn after_sign_in(model: &mut Model, effects: &mut Effects) {
    if let Some(folder) = &model.setup.ask_trust {
        let folder = with_tilde(folder, model.facts.home.as_deref());
        model.stage = Stage::Trust(Box::new(trust::Page::new(&folder, model.now_ms)));
        return;
    }
    after_trust(model, effects);
}

/// Every question before the conversation is answered.
pub(crate) fn after_trust(model: &mut Model, effects: &mut Effects) {
    model.stage = Stage::Main;
    if let Some(filter) = model.setup.pick.take() {
        pick(model, filter, effects);
    } else {
        effects.push(Effect::Open(model.setup.begin.clone()));
    }
    submit_first(model, effects);
}

/// Shows the stored threads.
pub(crate) fn pick(model: &mut Model, filter: ThreadFilter, effects: &mut Effects) {
    let picker = resume::Picker::new(filter, model.facts.home.clone());
    effects.push(Effect::Threads(picker.filter()));
    model.popup = Some(Popup::Resume(Box::new(picker)));
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
        let draft = Draft::join(&[images, Draft::from_text(&prompt)]);
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
pub(crate) fn on_trust(model: &mut Model, outcome: trust::Outcome, effects: &mut Effects) {
    match outcome {
        trust::Outcome::Stay => {}
        trust::Outcome::Trust => effects.push(Effect::Trust),
        trust::Outcome::ReadOnly => after_trust(model, effects),
        trust::Outcome::Quit => effects.push(Effect::Quit),
    }
}

/// The key is stored, or not.
pub(crate) fn signed_in(model: &mut Model, result: Result<(), ErrorInfo>, effects: &mut Effects) {
    match (result, &mut model.stage) {
        (Err(error), Stage::SignIn(page)) => page.refused(&error.to_string()),
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
    if let Err(error) = result {
        answers::error(model, &error);
    }
    after_trust(model, effects);
}

/// A thread is open, or not.
pub(crate) fn opened(
    model: &mut Model,
    opened: Result<Box<Opened>, ErrorInfo>,
    unix: u64,
    effects: &mut Effects,
) {
    let opened = match opened {
        Ok(opened) => opened,
        Err(error) => {
            model.turn.working = None;
            model.turn.awaited = 0;
            model.facts.running = false;
            model.nothing_open = true;
            return answers::error(model, &error);
        }
    };
    let past: Vec<Past> = opened.past.into_iter().map(Past::from).collect();
    model.transcript.replay(&past);
    model.earlier = opened.earlier;
    for warning in opened.warnings {
        model.transcript.notice(Level::Warning, &warning);
        model.warnings.push("Start-up", warning);
    }
    if let Some(tour) = model.setup.tour.as_mut().filter(|tour| !tour.told.is_empty()) {
        model.transcript.notice(Level::Info, &std::mem::take(&mut tour.told));
        model.suggestions = std::mem::take(&mut tour.prompts).into();
    }
    model.facts.usage = opened.usage;
    if opened.info.cwd != model.cwd() {
        answers::moved(model, &opened.info.cwd);
    }
    model.facts.thread = Some(opened.info);
    usage::opened(model, opened.limits, effects);
    // `/status` may have been faster than the thread.
    follow::refresh_status(model, unix);
    chat::send_next(model, effects);
}

/// Another thread takes the place of the open one.
pub(crate) fn switch(model: &mut Model, begin: Begin, effects: &mut Effects) {
    model.facts.usage = None;
    model.facts.plan = None;
    model.facts.running = false;
    model.turn = crate::tui::model::TurnState::default();
    model.asks.clear();
    model.browse = None;
    model.rewinding = None;
    model.nothing_open = false;
    model.status_cell = None;
    model.usage.parked = None;
    model.usage.hint = crate::tui::usage::Hint::Gone;
    model.earlier = false;
    if !matches!(begin, Begin::Fork(_)) {
        model.transcript.clear();
    }
    effects.push(Effect::Open(begin));
}
