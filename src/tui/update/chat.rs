//! Prompts on their way to the thread: sent, added to a running turn, queued, interrupted.

use super::dispatch::Effects;
use super::route;
use crate::protocol::input::UserInput;
use crate::protocol::op::Op;
use crate::protocol::turn::{Change, TurnStatus};
use crate::tui::composer::Draft;
use crate::tui::effect::Effect;
use crate::tui::model::{Model, Rewinding, env};
use crate::tui::popups;
use crate::tui::status::working::Working;
use crate::tui::transcript;

/// What goes on with a turn that was stopped in the middle: its prompt and its work are in the conversation.
const GO_ON: &str = "Go on where you were stopped.";
/// Bytes of a prompt that are kept for the notify program.
const PROMPT_MAX: usize = 4096;

/// A prompt leaves: it begins a turn, or goes into the running one.
pub(crate) fn submit(model: &mut Model, draft: Draft, effects: &mut Effects) {
    let input = draft.to_input();
    if input.is_empty() {
        return;
    }
    if model.nothing_open {
        return refuse(model, &draft, effects);
    }
    if model.turn.reviewing && model.is_running() {
        return model.queue.push(draft);
    }
    model.transcript.scroll(transcript::Scroll::End);
    note_early(model, &draft);
    let sent = draft.clone();
    if model.is_running() {
        model.queue.steer(draft);
    } else {
        take_out_refused(model, &draft, effects);
        model.turn.prompts.clear();
        model.turn.sent.clear();
        model.turn.answered = false;
        model.turn.awaited += 1;
        model.turn.working = Some(Working::new(model.now_ms));
        model.facts.running = true;
    }
    model.turn.sent.push(sent);
    note_prompt(model, &input);
    effects.push(Effect::Op(Op::UserTurn { input, output_schema: None }));
}

/// Nobody would read it: back into the prompt with it.
fn refuse(model: &mut Model, draft: &Draft, effects: &mut Effects) {
    let wanted = model.composer.set(draft, &env!(model));
    route::carry_out(model, wanted, effects);
    model.toast("No thread is open: /new begins one, /resume lists the others".to_owned());
}

fn note_prompt(model: &mut Model, input: &[UserInput]) {
    for part in input {
        if let UserInput::Text { text } = part {
            let end = text.floor_char_boundary(PROMPT_MAX);
            model.turn.prompts.push(text.get(..end).unwrap_or(text).to_owned());
        }
    }
}

/// A prompt waits for the end of the turn; without one it leaves at once.
pub(crate) fn queue(model: &mut Model, draft: Draft, effects: &mut Effects) {
    if model.is_running() { model.queue.push(draft) } else { submit(model, draft, effects) }
}

/// A command for the user's own shell.
pub(crate) fn shell(model: &mut Model, command: String, effects: &mut Effects) {
    let draft = Draft { shell: true, ..Draft::from_text(&command) };
    if model.nothing_open {
        return refuse(model, &draft, effects);
    }
    model.transcript.scroll(transcript::Scroll::End);
    note_early(model, &draft);
    effects.push(Effect::Op(Op::UserShell { command }));
}

/// Keeps what is given before a thread is open, for the case that none will be.
fn note_early(model: &mut Model, draft: &Draft) {
    if model.facts.thread.is_none() || model.left.is_some() {
        model.turn.early.push(draft.clone());
    }
}

/// The next queued prompt leaves, when nothing runs.
pub(crate) fn send_next(model: &mut Model, effects: &mut Effects) {
    if model.is_running() {
        return;
    }
    match model.queue.next() {
        Some(draft) if draft.shell => {
            let command = draft.expand().trim().to_owned();
            shell(model, command, effects);
            send_next(model, effects);
        }
        Some(draft) => submit(model, draft, effects),
        None => {}
    }
}

/// The turn has ended. After an interrupt or a failure everything that waited goes back into the prompt, except what
/// the thread holds already and sends itself.
pub(crate) fn turn_ended(model: &mut Model, status: TurnStatus, effects: &mut Effects) {
    model.turn.working = None;
    model.facts.running = false;
    model.turn.reviewing = false;
    if status == TurnStatus::Failed && model.turn.awaited > 0 {
        not_taken(model, effects);
    }
    if model.queue.has_steering() {
        model.turn.working = Some(Working::new(model.now_ms));
        model.facts.running = true;
        return;
    }
    match status {
        TurnStatus::Completed | TurnStatus::InProgress => send_next(model, effects),
        TurnStatus::Interrupted | TurnStatus::Failed => take_back(model, effects),
    }
}

/// The thread could not even take the prompt, for an image that is none: it is in no conversation, so it goes back
/// to where it can be mended.
fn not_taken(model: &mut Model, effects: &mut Effects) {
    model.turn.awaited = 0;
    let mut all = vec![model.composer.draft()];
    if !model.turn.sent.is_empty() {
        all.insert(0, model.turn.sent.remove(0));
    }
    all.retain(|draft| !draft.is_blank());
    let wanted = model.composer.set(&Draft::join(&all), &env!(model));
    route::carry_out(model, wanted, effects);
}

/// Puts everything that waits back into the prompt.
fn take_back(model: &mut Model, effects: &mut Effects) {
    if model.queue.is_empty() {
        return;
    }
    let typed = model.composer.draft();
    let all = model.queue.take_all(typed);
    let wanted = model.composer.set(&all, &env!(model));
    route::carry_out(model, wanted, effects);
}

/// Sends the prompt that was refused once more.
pub(crate) fn resend(model: &mut Model, effects: &mut Effects) {
    if model.is_running() || model.composer.is_empty() {
        return;
    }
    let draft = model.composer.take();
    submit(model, draft, effects);
    // What was kept on disk in case of a crash is on its way.
    effects.push(Effect::SaveDraft(Draft::default()));
}

/// When `draft` is the prompt that was refused, and the model had answered nothing: the refused one is taken out of
/// the conversation, so that it stands there once.
fn take_out_refused(model: &mut Model, draft: &Draft, effects: &mut Effects) {
    let same = model.turn.refused.take().is_some_and(|text| text == draft.expand());
    let refused = model.transcript.prompts().next_back().map(|prompt| prompt.key);
    if let Some(key) = refused.filter(|_| same && !model.turn.answered) {
        model.rewinding = Some(Rewinding { key, text: None, said: String::new() });
        effects.push(Effect::Op(Op::Rewind { turns: 1 }));
    }
}

/// Puts a prompt that was refused back into the composer, before what stands there.
pub(crate) fn give_back(model: &mut Model, effects: &mut Effects) {
    let typed = model.composer.draft();
    let mut all = std::mem::take(&mut model.turn.sent);
    if model.turn.answered {
        all = vec![Draft::from_text(GO_ON)];
    }
    if !typed.is_blank() {
        all.push(typed);
    }
    let both = Draft::join(&all);
    model.turn.refused = Some(both.expand());
    let wanted = model.composer.set(&both, &env!(model));
    route::carry_out(model, wanted, effects);
    effects.push(Effect::SaveDraft(both));
}

/// Puts the last queued prompt back into the composer, before what is typed there.
pub(crate) fn edit_queued(model: &mut Model, effects: &mut Effects) {
    let Some(draft) = model.queue.take_last() else { return };
    let typed = model.composer.draft();
    let both = if typed.is_blank() { draft } else { Draft::join(&[draft, typed]) };
    let wanted = model.composer.set(&both, &env!(model));
    route::carry_out(model, wanted, effects);
}

/// Stops what runs. False when nothing does.
pub(crate) fn interrupt(model: &mut Model, effects: &mut Effects) -> bool {
    let Some(working) = &mut model.turn.working else { return false };
    working.stopping = true;
    effects.push(Effect::Op(Op::Interrupt));
    true
}

/// One step more or less reasoning.
pub(crate) fn step_effort(model: &mut Model, more: bool, effects: &mut Effects) {
    let Some(thread) = &model.facts.thread else { return };
    let known = crate::models::catalogue::find(&thread.model);
    match popups::model::step(&known, thread.effort.as_deref(), more) {
        Some(effort) => {
            model.toast(format!("Reasoning: {effort}"));
            let change = Change { effort: Some(effort), ..Change::default() };
            super::wishes::configure(model, change, effects);
        }
        None => model.toast(if more { "This is the most reasoning" } else { "This is the least reasoning" }),
    }
}

#[cfg(test)]
#[path = "chat_tests.rs"]
mod tests;
