//! Limits: what comes of them, what is wanted, what waits for them. The numbers themselves come by one message,
//! whoever has read them; answers to questions ([`super::usage_news`]) only say how the asking went.

use std::sync::Arc;
use std::time::Duration;

use super::dispatch::Effects;
use super::{chat, commands, follow, waiting};
use crate::backend::nudge::More;
use crate::limits::AccountLimits;
use crate::limits::activity::View as Chart;
use crate::limits::alarms::{self, Alarm};
use crate::limits::merge::{self, Writer};
use crate::limits::refresh::ON_DEMAND;
use crate::models::catalogue;
use crate::protocol::error::ErrorKind;
use crate::protocol::limits::LimitsSnapshot;
use crate::protocol::turn::{TurnEnd, TurnStatus};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::moment;
use crate::tui::popups::any::Popup;
use crate::tui::popups::confirm;
use crate::tui::transcript::Level;
use crate::tui::usage::menu::{Usage, Want};
use crate::tui::usage::reached::Panel;
use crate::tui::usage::{Ask, Hint};

/// What stands beside the wish to ask the owner of a workspace while it is on its way.
const ASKING: &str = "asking …";
/// And when it is done.
pub(super) const ASKED: &str = "asked: the owner got a mail";
/// Percent used from which a smaller model is offered.
const OFFER_FROM: f64 = 90.0;

/// A thread is open: its account has shared limits, or none.
pub(crate) fn opened(model: &mut Model, limits: Option<Arc<AccountLimits>>, effects: &mut Effects) {
    let wanted = model.usage.wanted.take();
    adopt(model, limits, effects);
    if let Some(args) = wanted.filter(|_| model.popup.is_none()) {
        open(model, &args, effects);
    }
}

fn adopt(model: &mut Model, limits: Option<Arc<AccountLimits>>, effects: &mut Effects) {
    let Some(limits) = limits else {
        if model.usage.shared {
            model.facts.limits = None;
        }
        model.usage.forget();
        return;
    };
    if !model.usage.shared {
        // Limits that answers under a key told are of nobody.
        model.facts.limits = None;
        model.usage.shared = true;
        finish(model, effects);
    }
    changed(model, limits, effects);
}

/// The numbers are these now.
pub(crate) fn changed(model: &mut Model, limits: Arc<AccountLimits>, effects: &mut Effects) {
    let known = model.facts.limits.as_ref();
    if known.is_some_and(|known| known.account_id != limits.account_id) {
        model.usage.forget();
        model.usage.shared = true;
        finish(model, effects);
        read(model, effects);
    }
    if limits.full_read.is_some() && model.usage.hint == Hint::Due {
        let some = limits.reset_credits.as_ref().is_some_and(|held| held.value.available_count > 0);
        model.usage.hint = if some { Hint::Shown } else { Hint::Gone };
    }
    if !alarms::due(&limits, model.unix).is_empty() {
        effects.push(Effect::Limits(Ask::Alarms));
    }
    let read = |limits: &AccountLimits| limits.full_read.as_ref().map(|read| read.done_ms);
    if model.facts.limits.as_deref().and_then(read) != read(&limits) {
        model.usage.spent = false;
    }
    model.facts.limits = Some(limits);
    follow::refresh_status(model, model.unix);
}

/// An answer of the model told limits. With a shared cache the thread has put them there; without one they are
/// kept here.
pub(crate) fn told_by_answer(model: &mut Model, told: &LimitsSnapshot) {
    if model.usage.shared {
        return;
    }
    let mut limits = model.facts.limits.as_deref().cloned().unwrap_or_default();
    let now_ms = model.unix.saturating_mul(1000);
    let _ = merge::sparse(&mut limits, told, Writer { account_id: None, at_ms: now_ms, now_ms });
    let due = alarms::due(&limits, model.unix);
    alarms::mark(&mut limits.told, &due);
    model.facts.limits = Some(Arc::new(limits));
    tell(model, &due);
    follow::refresh_status(model, model.unix);
}

pub(super) fn tell(model: &mut Model, alarms: &[Alarm]) {
    let now = model.usage_view().now();
    for alarm in alarms {
        let text = alarm.text(now, moment::zone());
        model.warnings.push(moment::clock(model.unix), text.clone());
        model.usage.tell(text, model.now_ms);
    }
}

/// Reads the numbers anew when they are not fresh.
pub(crate) fn read(model: &mut Model, effects: &mut Effects) {
    read_within(model, ON_DEMAND, effects);
}

/// Reads the numbers anew when they are older than this.
pub(super) fn read_within(model: &mut Model, max_age: Duration, effects: &mut Effects) {
    if model.usage.reading {
        // What is under way may be content with what is known.
        model.usage.read_again |= max_age.is_zero();
    } else if model.usage.shared {
        model.usage.reading = true;
        effects.push(Effect::Limits(Ask::Refresh(max_age)));
    }
}

/// Finishes what an earlier run left unfinished.
fn finish(model: &mut Model, effects: &mut Effects) {
    if !model.usage.redeeming && !model.usage.finishing {
        model.usage.finishing = true;
        effects.push(Effect::Limits(Ask::Finish));
    }
}

/// `/usage`.
pub(crate) fn open(model: &mut Model, args: &str, effects: &mut Effects) {
    if !model.usage.shared {
        match model.facts.thread {
            None => model.usage.wanted = Some(args.to_owned()),
            Some(_) => model.transcript.notice(
                Level::Error,
                "Usage limits belong to a ChatGPT plan, and this thread does not use one. Sign in with ChatGPT: codex \
                 login",
            ),
        }
        return;
    }
    model.usage.hint = Hint::Gone;
    match (args.trim(), Chart::of(args)) {
        ("", _) => {
            // However fresh they are: what the last turn took may not be in them.
            let max_age = if model.usage.spent { Duration::ZERO } else { ON_DEMAND };
            read_within(model, max_age, effects);
            finish(model, effects);
            model.popup = Some(Popup::Usage(Box::new(Usage::new())));
        }
        (_, Some(chart)) => {
            let question = model.usage.next();
            effects.push(Effect::Limits(Ask::Activity(question)));
            model.popup = Some(Popup::Usage(Box::new(Usage::of_activity(chart, question))));
        }
        (_, None) => model.toast("/usage takes daily, weekly or cumulative"),
    }
}

/// What a page about limits wants.
pub(crate) fn grant(model: &mut Model, want: Want, effects: &mut Effects) {
    match want {
        Want::Read => read_within(model, Duration::ZERO, effects),
        Want::Freshen => read(model, effects),
        Want::Load => load(model, effects),
        Want::Start => redeem(model, effects),
        Want::Activity(chart) => load_activity(model, Some(chart), effects),
        Want::ActivityAgain => load_activity(model, None, effects),
        Want::Resend => chat::resend(model, effects),
        Want::Panel => model.usage.panel_due = true,
        Want::RedeemForPrompt => {
            let question = model.usage.next();
            model.usage.hint = Hint::Gone;
            effects.push(Effect::Limits(Ask::Plan(question, Default::default())));
            model.popup = Some(Popup::Usage(Box::new(Usage::for_prompt(question))));
        }
        Want::WaitUntil(at) => waiting::begin(model, at, effects),
        Want::BackToWaiting => waiting::go_back(model, effects),
        Want::NoWaiting => waiting::forget(model),
        Want::Nudge(more) => nudge(model, more, effects),
        Want::Model => commands::run(model, crate::tui::slash::Command::Model, "", model.unix, effects),
    }
}

/// Asks the owner once; a refusal or an error may be tried again.
fn nudge(model: &mut Model, more: More, effects: &mut Effects) {
    if !matches!(model.usage.nudged.as_deref(), Some(ASKING | ASKED)) {
        model.usage.nudged = Some(ASKING.to_owned());
        effects.push(Effect::Limits(Ask::Nudge(more)));
    }
}

fn load(model: &mut Model, effects: &mut Effects) {
    let question = model.usage.next();
    if let Some(Popup::Usage(usage)) = &mut model.popup {
        let wish = usage.load(question);
        effects.push(Effect::Limits(Ask::Plan(question, wish)));
    }
}

fn load_activity(model: &mut Model, chart: Option<Chart>, effects: &mut Effects) {
    let question = model.usage.next();
    if let Some(Popup::Usage(usage)) = &mut model.popup {
        usage.load_activity(chart, question);
        effects.push(Effect::Limits(Ask::Activity(question)));
    }
}

/// Carries out what the open page was confirmed for; once, for the page gives its order away.
pub(super) fn redeem(model: &mut Model, effects: &mut Effects) {
    if model.usage.redeeming {
        return;
    }
    let Some(Popup::Usage(usage)) = &mut model.popup else { return };
    if let Some((plan, wish)) = usage.flow().and_then(|flow| flow.start()) {
        model.usage.redeeming = true;
        effects.push(Effect::Limits(Ask::Redeem(plan, wish)));
    }
}

/// After a turn that went well: when a window is nearly used up, a smaller model is offered, once per run and never
/// over a prompt that is being typed.
pub(crate) fn offer_model(model: &mut Model) {
    let free = model.popup.is_none() && model.page.is_none() && model.composer.is_empty();
    if !free || model.is_running() || model.usage.offered_model || !model.usage.shared {
        return;
    }
    let (Some(limits), Some(thread)) = (&model.facts.limits, &model.facts.thread) else { return };
    let windows = limits.windows(model.unix);
    let scarce = windows.iter().filter(|window| window.is_main() && window.used >= OFFER_FROM);
    let fullest = scarce.max_by(|a, b| a.used.total_cmp(&b.used)).filter(|window| window.used < 100.0);
    if let Some(fullest) = fullest.filter(|_| !limits.has_bought_credits())
        && let Some(smaller) = catalogue::cheaper(&thread.model)
    {
        let left = crate::limits::text::left(fullest.used);
        let now = catalogue::find(&thread.model);
        let menu = confirm::smaller_model(&format!("{left} of your {} limit", fullest.name), &now, &smaller);
        model.usage.offered_model = true;
        commands::open_unasked(model, menu);
    }
}

/// A turn has ended: when a limit or a budget ended it, its prompt comes back and the user is asked what to do.
pub(crate) fn turn_ended(model: &mut Model, end: &TurnEnd, effects: &mut Effects) {
    model.usage.spent = true;
    let Some(error) = end.error.as_ref().filter(|_| end.status == TurnStatus::Failed) else { return };
    if !matches!(error.kind, ErrorKind::UsageLimit | ErrorKind::Budget) || model.is_running() {
        return;
    }
    chat::give_back(model, effects);
    if error.kind == ErrorKind::UsageLimit {
        read(model, effects);
    }
    model.usage.refusal = Some(error.clone());
    model.usage.panel_due = true;
}

/// After every message: a question that can be put, a prompt whose time has come.
pub(crate) fn look_after(model: &mut Model, effects: &mut Effects) {
    if model.usage.panel_due && model.popup.is_none() && model.page.is_none() {
        model.usage.panel_due = false;
        if let Some(error) = model.usage.refusal.clone() {
            model.popup = Some(Popup::Reached(Box::new(Panel::new(error))));
        }
    }
    waiting::look_after(model, effects);
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
