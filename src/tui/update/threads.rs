//! Which thread is open: the first one, another one in its place, an earlier one, and what is given meanwhile. The
//! thread that is open stays until the other one is there, so that nothing is lost when it cannot be opened.

use super::dispatch::Effects;
use super::{answers, chat, commands, follow, route, usage, waiting};
use crate::base::path::with_tilde;
use crate::protocol::error::ErrorInfo;
use crate::protocol::input::UserInput;
use crate::protocol::item::Item;
use crate::protocol::op::Op;
use crate::protocol::turn::Change;
use crate::threads::Turn;
use crate::tui::composer::Draft;
use crate::tui::door::{Begin, Elsewhere, Glimpse, ThreadFilter};
use crate::tui::effect::Effect;
use crate::tui::glance::Glance;
use crate::tui::model::{Left, Model, TurnState, env};
use crate::tui::msg::Opened;
use crate::tui::popups::any::Popup;
use crate::tui::popups::{folder, resume};
use crate::tui::setup::Mode;
use crate::tui::transcript::{Level, Notice};

/// Opens a thread; one that worked in another folder after asking where to go on.
pub(crate) fn resume(model: &mut Model, begin: Begin, effects: &mut Effects) {
    match begin {
        Begin::Resume(_) | Begin::ResumeLast { .. } | Begin::ResumeNamed(_) => {
            effects.push(Effect::Locate(begin))
        }
        Begin::New | Begin::ResumeIn(..) | Begin::Fork(_) => open(model, begin, effects),
    }
}

/// The first thread keeps what was typed for it; a later one takes the place of the open one.
fn open(model: &mut Model, begin: Begin, effects: &mut Effects) {
    if model.facts.thread.is_none() && !model.nothing_open {
        effects.push(Effect::Open(begin));
    } else {
        switch(model, begin, effects);
    }
}

/// Where the thread worked that is to be continued. When that cannot be told, opening it tells why.
pub(crate) fn located(
    model: &mut Model,
    begin: Begin,
    found: Result<Option<Elsewhere>, ErrorInfo>,
    effects: &mut Effects,
) {
    match found {
        Ok(Some(elsewhere)) if elsewhere.exists => {
            let menu = folder::menu(&elsewhere, model.facts.home.as_deref());
            commands::open_unasked(model, menu);
        }
        Ok(Some(elsewhere)) => {
            open(model, begin, effects);
            let gone = with_tilde(&elsewhere.there, model.facts.home.as_deref());
            model.folder_gone = Some(gone);
        }
        Ok(None) | Err(_) => open(model, begin, effects),
    }
}

/// What was given for a thread that is not there goes back into the prompt.
fn take_back_early(model: &mut Model, effects: &mut Effects) {
    let mut all = std::mem::take(&mut model.turn.early);
    while let Some(draft) = model.queue.next() {
        all.push(draft);
    }
    if all.is_empty() {
        return;
    }
    let typed = model.composer.draft();
    if !typed.is_blank() {
        all.push(typed);
    }
    let wanted = model.composer.set(&Draft::join(&all), &env!(model));
    route::carry_out(model, wanted, effects);
    model.toast("Nothing was sent; what you typed is in the prompt");
}

/// The user does not want to go on with the thread after all.
pub(crate) fn not_resumed(model: &mut Model, effects: &mut Effects) {
    if model.facts.thread.is_some() {
        return model.toast("Nothing was changed");
    }
    nothing_open(model, effects);
    let words = "No thread was opened. /new begins one in this folder, /resume lists the others.";
    model.transcript.notice(Level::Info, words);
}

fn nothing_open(model: &mut Model, effects: &mut Effects) {
    model.turn.working = None;
    model.turn.awaited = 0;
    model.turn.sent.clear();
    model.facts.running = false;
    model.nothing_open = true;
    effects.push(Effect::Forget);
    take_back_early(model, effects);
}

/// Something that can be gone on with was found.
pub(crate) fn glimpse(model: &mut Model, glimpse: Glimpse) {
    if let Some(glance) = &mut model.glance {
        glance.add(glimpse);
    }
}

/// After every message: once something is said, the conversation is no longer empty.
pub(crate) fn look_after(model: &mut Model) {
    let cells = |glance: &Glance| model.transcript.cells().take(glance.cells() + 1).count();
    if model.glance.as_ref().is_some_and(|glance| !glance.holds(cells(glance))) {
        model.glance = None;
    }
}

/// One key: on with the thread used last in this folder.
pub(crate) fn resume_last(model: &mut Model, effects: &mut Effects) {
    let last = model.glance.as_ref().filter(|_| !model.is_running()).map(|glance| glance.last());
    match last {
        Some(Some(Some(row))) => switch(model, Begin::Resume(row.id), effects),
        Some(Some(None)) => model.toast("There is no earlier thread in this folder; /resume lists all"),
        Some(None) => model.toast("Still looking for the last thread"),
        None => model.toast("Only in an empty conversation; /resume lists all threads"),
    }
}

/// Shows the stored threads.
pub(crate) fn pick(model: &mut Model, filter: ThreadFilter, effects: &mut Effects) {
    let picker = resume::Picker::new(filter, model.facts.home.clone());
    effects.push(Effect::Threads(picker.filter()));
    model.popup = Some(Popup::Resume(Box::new(picker)));
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
        Err(error) => return not_opened(model, &error, effects),
    };
    model.turn.refused = unanswered(&opened.past);
    model.turn.early.clear();
    let forked = arrive(model);
    if opened.info.cwd != model.cwd() {
        answers::moved(model, &opened.info.cwd);
        // What the terminal scrolls is printed already.
        if model.setup.mode == Mode::Full && model.transcript.cells().take(2).count() == 1 {
            model.transcript.clear();
        }
    }
    let past = opened.past;
    model.transcript.replay(&past);
    if let Some(gone) = model.folder_gone.take() {
        let words = format!("This thread worked in {gone}, which is gone; it goes on in this folder.");
        model.transcript.notice(Level::Info, &words);
    }
    model.earlier = opened.earlier;
    if forked {
        model.transcript.notice(Level::Info, "You go on in a copy; the thread before stays as it was.");
    }
    for warning in opened.warnings {
        model.transcript.remark(Notice::new(Level::Warning, &warning));
        model.warnings.push("Start-up", warning);
    }
    if let Some(tour) = model.setup.tour.as_mut().filter(|tour| !tour.told.is_empty()) {
        model.transcript.remark(Notice::new(Level::Info, &std::mem::take(&mut tour.told)));
        model.suggestions = std::mem::take(&mut tour.prompts).into();
    }
    model.facts.usage = opened.usage;
    model.facts.thread = Some(opened.info);
    if let (Some(_), Some(thread)) = (&model.setup.tour, &mut model.facts.thread) {
        thread.account = format!("none of yours: the demo's ({})", thread.account);
    }
    if past.is_empty() && model.setup.tour.is_none() && model.transcript.prompts().next().is_none() {
        model.glance = Some(Glance::new(model.transcript.cells().count()));
        effects.push(Effect::Glance);
    }
    if model.chosen != Change::default() {
        effects.push(Effect::Op(Op::Configure(Box::new(model.chosen.clone()))));
    }
    usage::opened(model, opened.limits, effects);
    // `/status` may have been faster than the thread.
    follow::refresh_status(model, unix);
    chat::send_next(model, effects);
}

/// The text of the last prompt, when the model had said nothing to it: sent again it stands there once.
fn unanswered(past: &[Turn]) -> Option<String> {
    let mut text = String::new();
    for item in &past.last()?.items {
        let Item::UserMessage { content, .. } = item else { return None };
        for part in content {
            if let UserInput::Text { text: more } = part {
                text.push_str(more);
            }
        }
    }
    Some(text).filter(|text| !text.is_empty())
}

/// A thread is not open. The one before goes on, and what was typed for the other one stands in the prompt again.
fn not_opened(model: &mut Model, error: &ErrorInfo, effects: &mut Effects) {
    nothing_open(model, effects);
    model.folder_gone = None;
    if let Some(left) = model.left.take() {
        (model.turn, model.nothing_open) = (left.turn, left.nothing_open);
    }
    model.transcript.remark(Notice::error(error));
}

/// The other thread is here: what belonged to the one before goes. Tells whether the other one is a copy of it.
fn arrive(model: &mut Model) -> bool {
    let Some(left) = model.left.take() else { return false };
    model.facts.usage = None;
    model.facts.plan = None;
    model.glance = None;
    model.asks.clear();
    (model.looking, model.rewinding) = (None, None);
    waiting::leave(model);
    model.usage.hint = crate::tui::usage::Hint::Gone;
    model.status_cell = None;
    model.transcript.clear();
    left.forked
}

/// Another thread is to take the place of the open one, which stays until that one is there. What is typed from now
/// on is for the other one.
pub(crate) fn switch(model: &mut Model, begin: Begin, effects: &mut Effects) {
    if is_open(model, &begin) {
        return model.toast("This thread is open already");
    }
    let early = std::mem::take(&mut model.turn.early);
    let now = std::mem::replace(&mut model.turn, TurnState { early, ..Default::default() });
    let (turn, nothing_open) = match model.left.take() {
        Some(left) => (left.turn, left.nothing_open),
        None => (now, model.nothing_open),
    };
    let forked = matches!(begin, Begin::Fork(_));
    model.left = Some(Box::new(Left { turn, nothing_open, forked }));
    model.facts.running = false;
    model.browse = None;
    model.nothing_open = false;
    effects.push(Effect::Open(begin));
}

/// Whether this is the thread that is open.
fn is_open(model: &Model, begin: &Begin) -> bool {
    let thread = model.facts.thread.as_ref().filter(|_| !model.nothing_open && model.left.is_none());
    thread.is_some_and(|thread| match begin {
        Begin::Resume(id) | Begin::ResumeIn(id, _) => thread.id == *id,
        Begin::ResumeNamed(what) => thread.id.to_string() == *what || thread.name.as_ref() == Some(what),
        Begin::New | Begin::ResumeLast { .. } | Begin::Fork(_) => false,
    })
}

#[cfg(test)]
#[path = "threads_tests.rs"]
mod tests;
