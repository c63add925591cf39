//! A prompt that waits for a reset, also over the end of the app. It is sent once: before it leaves, the note on disk
//! that it waits is taken away, and only then it is sent. Whoever starts next and finds the note goes on waiting in
//! the thread that the prompt is for, or offers to go back there. It is never sent in a thread that is not on the
//! screen: nobody could see it, or stop it.

use super::dispatch::Effects;
use super::{chat, commands, threads};
use crate::tui::composer::Draft;
use crate::tui::door::Begin;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::moment;
use crate::tui::popups::confirm;
use crate::tui::usage::{Kept, Offered, Parked};

/// Seconds in which a prompt whose time came while no app ran can be stopped.
const GRACE_S: u64 = 10;

/// The prompt is to be sent again at `at` (unix seconds, our clock).
pub(crate) fn begin(model: &mut Model, at: u64, effects: &mut Effects) {
    let draft = model.composer.draft();
    model.usage.parked = Some(Parked { at, text: draft.expand(), leaving: false });
    if let Some(thread) = &model.facts.thread {
        model.usage.on_disk = true;
        effects.push(Effect::SaveDraft(draft));
        effects.push(Effect::Park(Some(Kept { at, thread: thread.id })));
    }
}

/// The thread that is open is left for another one: the prompt goes on waiting for it, and when its time has come
/// the way back is offered.
pub(crate) fn leave(model: &mut Model) {
    let Some(parked) = model.usage.parked.take() else { return };
    if parked.leaving {
        // Its note is about to be gone, and this is not the thread that it was for.
        model.toast("The prompt was not sent; enter sends it here");
    } else if let Some(thread) = model.facts.thread.as_ref().filter(|_| model.usage.on_disk) {
        model.usage.kept = Some(Kept { at: parked.at, thread: thread.id });
        model.usage.offered = Some(Offered::Early);
    }
}

/// An earlier run left a prompt; `kept` when it waited.
pub(crate) fn found(model: &mut Model, draft: &Draft, kept: Option<Kept>, effects: &mut Effects) {
    model.usage.on_disk = kept.is_some();
    model.usage.kept = kept;
    let env = crate::tui::model::env!(model);
    let wanted = model.composer.set(draft, &env);
    super::route::carry_out(model, wanted, effects);
}

/// Back to the thread in which the prompt waited.
pub(crate) fn go_back(model: &mut Model, effects: &mut Effects) {
    if let Some(kept) = &model.usage.kept {
        threads::switch(model, Begin::Resume(kept.thread), effects);
    }
}

/// It does not wait any more; it stays in the prompt.
pub(crate) fn forget(model: &mut Model) {
    model.usage.kept = None;
}

/// The note on disk is gone, or why not.
pub(crate) fn released(model: &mut Model, result: Result<(), String>, effects: &mut Effects) {
    model.usage.on_disk = false;
    if model.usage.parked.take_if(|parked| parked.leaving).is_none() {
        return;
    }
    match result {
        Ok(()) => chat::resend(model, effects),
        // Another run would send it once more.
        Err(why) => model.toast(format!("The prompt was not sent ({why}); enter sends it")),
    }
}

/// After every message: what is to be taken up, taken away, or sent.
pub(crate) fn look_after(model: &mut Model, effects: &mut Effects) {
    take_up(model);
    look_after_parked(model, effects);
    if model.usage.on_disk && model.usage.parked.is_none() && model.usage.kept.is_none() {
        model.usage.on_disk = false;
        effects.push(Effect::Park(None));
    }
}

/// A prompt that waited in an earlier run or in another thread: here it goes on, elsewhere the way back is offered,
/// once before its time and once when it has come.
fn take_up(model: &mut Model) {
    let (Some(kept), Some(thread)) = (&model.usage.kept, &model.facts.thread) else { return };
    if model.composer.is_empty() || model.is_running() {
        // It was sent, or thrown away.
        model.usage.kept = None;
    } else if thread.id == kept.thread {
        let at = kept.at.max(model.unix + GRACE_S);
        model.usage.kept = None;
        model.usage.parked = Some(Parked { at, text: model.composer.draft().expand(), leaving: false });
    } else if model.popup.is_none() && model.page.is_none() && model.left.is_none() {
        let over = kept.at <= model.unix;
        let offer = if over { Offered::Late } else { Offered::Early };
        if model.usage.offered.is_none_or(|offered| offered < offer) {
            model.usage.offered = Some(offer);
            let at = crate::limits::text::moment(kept.at, model.unix, moment::zone());
            commands::open_unasked(model, confirm::waiting(&at, over));
        }
    }
}

/// Sent when its time has come; another text in the prompt is another wish.
fn look_after_parked(model: &mut Model, effects: &mut Effects) {
    let Some(parked) = &model.usage.parked else { return };
    if model.is_running() || model.composer.draft().expand() != parked.text {
        model.usage.parked = None;
        model.toast("The prompt was changed: no longer waiting, enter sends it");
    } else if model.unix >= parked.at && model.popup.is_none() && model.left.is_none() && !parked.leaving {
        if let Some(parked) = &mut model.usage.parked {
            parked.leaving = true;
        }
        effects.push(Effect::Release);
    }
}
