//! Wishes of popups → what they do, one line per wish.

use super::dispatch::Effects;
use super::{answers, back, commands, review, route, threads, usage};
use crate::models::catalogue;
use crate::protocol::op::Op;
use crate::protocol::turn::Change;
use crate::tui::door::{Begin, Setting};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::popups::any::Popup;
use crate::tui::popups::wish::{Outcome, Wish};
use crate::tui::popups::{model as models, permissions};
use crate::tui::transcript::Level;
use crate::workspace::undo::Which;

/// What a key did to the open popup.
pub(crate) fn on_outcome(model: &mut Model, outcome: Outcome, effects: &mut Effects) {
    match outcome {
        Outcome::Stay => {}
        Outcome::Close => close(model, effects),
        Outcome::Keep(wish) => grant(model, wish, effects),
        Outcome::Wish(wish) => {
            model.popup = None;
            grant(model, wish, effects);
        }
    }
}

/// Leaving the list of threads before any is open begins a new one: somebody must read what is typed.
fn close(model: &mut Model, effects: &mut Effects) {
    let first = model.facts.thread.is_none() && !model.nothing_open;
    if let Some(Popup::Resume(_)) = model.popup.take().filter(|_| first) {
        threads::resume(model, Begin::New, effects);
    }
}

fn grant(model: &mut Model, wish: Wish, effects: &mut Effects) {
    match wish {
        Wish::Answer(id, answer, told) => {
            if let Some(words) = told {
                model.transcript.notice(Level::Granted, &words);
            }
            effects.push(Effect::Op(Op::Answer { id, answer }));
        }
        Wish::TypedAhead(keys) => keys.into_iter().for_each(|key| route::type_ahead(model, key, effects)),
        Wish::Page(page) => model.page = Some(page),
        Wish::Efforts(slug) => open_efforts(model, &slug),
        Wish::ConfirmFullAccess => {
            if let Some(thread) = &model.facts.thread {
                let menu = permissions::confirm_full_access(&thread.sandbox);
                commands::open_menu(model, menu);
            }
        }
        Wish::Change(change) => configure(model, *change, effects),
        Wish::Model { slug, effort, save } => choose_model(model, slug, effort, save, effects),
        Wish::Resume(id) => threads::resume(model, Begin::Resume(id), effects),
        Wish::ResumeIn(id, folder) => threads::resume(model, Begin::ResumeIn(id, folder), effects),
        Wish::NotResumed => threads::not_resumed(model, effects),
        Wish::Threads(filter) => effects.push(Effect::Threads(filter)),
        Wish::Rename(name) => effects.push(Effect::Rename(name)),
        Wish::Copy(what, text) => effects.push(Effect::Copy(what, text)),
        Wish::PreviewTheme(name) => model.theme.syntax = name,
        Wish::Save(setting) => {
            answers::apply(model, &setting);
            effects.push(Effect::Save(setting));
        }
        Wish::Undo(number) => {
            effects.push(Effect::Undo { cwd: model.cwd(), which: Which::Number(number) });
        }
        Wish::Adopt => effects.push(Effect::Adopt),
        Wish::Rewind(key, files) => back::chosen(model, key, files, effects),
        Wish::DropWarning(index) => model.warnings.remove(index),
        Wish::TakeBack => {
            effects.push(Effect::Op(Op::TakeBack));
            model.toast("What was allowed for this session is taken back");
        }
        Wish::ReviewMenu => review::menu(model),
        Wish::ReviewList(kind) => review::list(model, kind, effects),
        Wish::ReviewWords => review::words(model),
        Wish::Review(target) => review::start(model, target, effects),
        Wish::Usage(want) => usage::grant(model, want, effects),
        Wish::Notice(text) => model.toast(text),
    }
}

fn open_efforts(model: &mut Model, slug: &str) {
    let known = catalogue::find(slug);
    let thread = model.facts.thread.as_ref();
    let used = thread.filter(|thread| thread.model == slug);
    let now = used.and_then(|thread| thread.effort.clone());
    let menu = models::efforts(&known, used.is_some(), now.as_deref());
    commands::open_menu(model, menu);
}

/// New settings for this thread, and for those that are opened after it: whoever chose to be asked more does not find
/// the next thread less careful.
pub(super) fn configure(model: &mut Model, change: Change, effects: &mut Effects) {
    let Change { model: slug, effort, approval, sandbox, cwd: _ } = change.clone();
    let chosen = &mut model.chosen;
    if slug.is_some() {
        (chosen.model, chosen.effort) = (slug, None);
    }
    chosen.effort = effort.or(chosen.effort.take());
    chosen.approval = approval.or(chosen.approval);
    chosen.sandbox = sandbox.or(chosen.sandbox.take());
    effects.push(Effect::Op(Op::Configure(Box::new(change))));
}

fn choose_model(model: &mut Model, slug: String, effort: Option<String>, save: bool, effects: &mut Effects) {
    let change = Change { model: Some(slug.clone()), effort: effort.clone(), ..Change::default() };
    configure(model, change, effects);
    if save {
        effects.push(Effect::Save(Setting::Model { slug, effort }));
    }
}
