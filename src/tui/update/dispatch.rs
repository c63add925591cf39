//! Message → component. Routing only: what a case does is in the file of its concern. Pure: no clock, no IO.

use super::{answers, back, follow, review, route, start, threads, usage, usage_news, waiting, wishes};
use crate::protocol::op::Op;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::msg::{Answer, At, Msg};
use crate::tui::popups::any::Popup;
use crate::tui::terminal::{Input, is_light, rewraps};

/// What is to be done, in order.
pub(crate) type Effects = Vec<Effect>;

/// Takes a message.
pub(crate) fn update(model: &mut Model, msg: Msg, at: At) -> Effects {
    (model.now_ms, model.unix) = (at.ms, at.unix);
    let mut effects = Vec::new();
    match msg {
        Msg::Input(input) => on_input(model, input, at, &mut effects),
        Msg::Resize(columns, rows) => model.size = (columns, rows),
        Msg::Tick => tick(model, &mut effects),
        Msg::Limits(limits) => usage::changed(model, limits, &mut effects),
        Msg::Event(event) => follow::on_event(model, &event, at, &mut effects),
        Msg::Opened(opened) => threads::opened(model, opened, at.unix, &mut effects),
        Msg::Answer(answer) => on_answer(model, answer, at, &mut effects),
    }
    usage::look_after(model, &mut effects);
    threads::look_after(model);
    route::next_question(model, &mut effects);
    let notes = model.transcript.take_notes();
    effects.extend(notes.into_iter().map(|note| Effect::Op(Op::Note(Box::new(note)))));
    effects
}

fn on_input(model: &mut Model, input: Input, at: At, effects: &mut Effects) {
    match input {
        Input::Key(key) => route::on_key(model, key, at, effects),
        Input::Wheel(rows) => route::on_wheel(model, rows, at, effects),
        #[cfg(debug_assertions)]
        Input::Paste(text) if crate::tui::trap::pasted(&text) => {}
        Input::Paste(text) => route::on_paste(model, &text, effects),
        Input::Focus(focused) => model.focused = focused,
        Input::Background(rgb) => model.theme.light = is_light(rgb),
        Input::Name(name) => model.setup.surroundings.rewraps = rewraps(&name),
        Input::Foreground(_) | Input::Kitty | Input::Attributes => {}
    }
}

fn tick(model: &mut Model, effects: &mut Effects) {
    let now = model.now_ms;
    model.toast.take_if(|toast| toast.until_ms <= now);
    model.armed.take_if(|(_, until)| *until <= now);
    model.usage.tick(now);
    let env = crate::tui::model::env!(model);
    let wanted = model.composer.tick(&env);
    route::carry_out(model, wanted, effects);
    if let Some(Popup::Approval(question)) = &mut model.popup {
        let outcome = question.tick(now);
        wishes::on_outcome(model, outcome, effects);
    }
}

fn on_answer(model: &mut Model, answer: Answer, at: At, effects: &mut Effects) {
    let env = crate::tui::model::env!(model);
    match answer {
        Answer::Glimpse(glimpse) => threads::glimpse(model, glimpse),
        Answer::Located(begin, found) => threads::located(model, begin, found, effects),
        Answer::Files(found) => model.composer.files_found(&found.query, found.rows, found.done),
        Answer::History(page) => {
            let wanted = model.composer.history_loaded(page, &env);
            route::carry_out(model, wanted, effects);
        }
        Answer::Images(token, images) => {
            let wanted = model.composer.images_checked(token, &images, &env);
            route::carry_out(model, wanted, effects);
        }
        Answer::Attached(Ok(path)) => {
            let wanted = model.composer.attach(path, &env);
            route::carry_out(model, wanted, effects);
        }
        Answer::Edited(Ok(text)) => {
            let wanted = model.composer.editor_done(&text, &env);
            route::carry_out(model, wanted, effects);
        }
        Answer::Draft(draft, kept) if model.composer.is_empty() => {
            waiting::found(model, &draft, kept, effects);
        }
        Answer::Draft(..) => {}
        Answer::Released(result) => waiting::released(model, result, effects),
        Answer::Attached(Err(why)) | Answer::Edited(Err(why)) | Answer::Trouble(why) => model.toast(why),
        Answer::Diff(result) => answers::diff(model, result),
        Answer::ReviewList(result) => review::listed(model, result),
        Answer::Undone(result) => answers::undone(model, result),
        Answer::Since(dry, result) => back::told(model, dry, result, effects),
        Answer::Threads(filter, rows) => {
            if let Some(Popup::Resume(picker)) = &mut model.popup {
                picker.add(filter, rows, at.unix * 1000);
            }
        }
        Answer::ThreadsDone(filter) => {
            if let Some(Popup::Resume(picker)) = &mut model.popup {
                picker.done(filter);
            }
        }
        Answer::Earlier(result) => answers::earlier(model, result),
        Answer::Renamed(name, result) => answers::renamed(model, name, result),
        Answer::Folder(result) => answers::folder(model, result, effects),
        Answer::Saved(setting, result) => answers::saved(model, &setting, result),
        Answer::Trusted(result) => start::trusted(model, result, effects),
        Answer::SignedIn(result) => start::signed_in(model, result, effects),
        Answer::SignInShown(way, url, code) => start::sign_in_shown(model, way, url, code),
        Answer::Adopted(result) => answers::adopted(model, result),
        Answer::Pasted(result) => start::pasted(model, result),
        Answer::LoggedOut(result) => answers::logged_out(model, result),
        Answer::Limits(news) => usage_news::on_news(model, news, effects),
        Answer::Copied(what, result) => answers::copied(model, &what, result),
    }
}

#[cfg(test)]
#[path = "dispatch_tests.rs"]
mod tests;
