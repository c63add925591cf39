//! `/review`: from the command to the op, and what a running review means for what is typed.

use super::dispatch::Effects;
use super::{answers, commands};
use crate::protocol::error::ErrorInfo;
use crate::protocol::op::Op;
use crate::protocol::review::Target;
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::popups::any::Popup;
use crate::tui::popups::prompt::Prompt;
use crate::tui::popups::review::{self, Choices, Kind, Picker};
use crate::tui::status::working::Working;
use crate::tui::transcript::Scroll;

/// `/review`, with instructions when some were typed behind it.
pub(super) fn open(model: &mut Model, args: &str, effects: &mut Effects) {
    if model.nothing_open {
        return model.toast("No thread is open: /new begins one, /resume lists the others");
    }
    match args.trim() {
        "" => menu(model),
        words => start(model, Target::Custom { instructions: words.to_owned() }, effects),
    }
}

/// Asks what is to be reviewed.
pub(super) fn menu(model: &mut Model) {
    commands::open_menu(model, review::menu());
}

/// Lets the user say it.
pub(super) fn words(model: &mut Model) {
    model.popup = Some(Popup::Prompt(Prompt::review()));
}

/// Looks for branches or commits.
pub(super) fn list(model: &Model, kind: Kind, effects: &mut Effects) {
    effects.push(Effect::ReviewList(model.cwd(), kind));
}

/// They were found, or not. Whatever was opened meanwhile stays.
pub(super) fn listed(model: &mut Model, result: Result<Choices, ErrorInfo>) {
    match result {
        Ok(choices) if model.popup.is_none() => {
            model.popup = Some(Popup::Review(Box::new(Picker::new(choices))));
        }
        Ok(_) => {}
        Err(info) => answers::error(model, &info),
    }
}

/// Begins a review. What is typed until its end waits: a reviewer is not to be steered.
pub(super) fn start(model: &mut Model, target: Target, effects: &mut Effects) {
    if model.is_running() {
        return model.toast("A review has to wait until the turn has ended");
    }
    model.transcript.scroll(Scroll::End);
    model.turn.reviewing = true;
    model.turn.sent.clear();
    model.turn.working = Some(Working::new(model.now_ms));
    model.facts.running = true;
    effects.push(Effect::Op(Op::Review { target }));
}
