//! Events of the thread → the state around the transcript. The transcript itself takes every event too.

use super::dispatch::Effects;
use super::{answers, back, chat, commands, usage};
use crate::base::ids::AskId;
use crate::protocol::error::ErrorKind;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandSource, Item, ItemStatus, PlanStatus};
use crate::protocol::turn::{Configured, TurnEnd};
use crate::tui::effect::Effect;
use crate::tui::model::{Model, TurnState};
use crate::tui::moment;
use crate::tui::msg::At;
use crate::tui::popups::any::Popup;
use crate::tui::popups::confirm;
use crate::tui::setup::Notify;
use crate::tui::status::panel;
use crate::tui::status::working::{Retry, Working};
use crate::tui::text::markdown::plain;
use crate::tui::transcript::{Level, Notice, Now};
use crate::tui::usage::look::View;

/// Characters of an answer that are looked at for its first line.
const FIRST_WORDS: usize = 2000;

/// Takes an event.
pub(crate) fn on_event(model: &mut Model, event: &Event, at: At, effects: &mut Effects) {
    model.transcript.apply(event, Now { ms: at.ms, unix: at.unix });
    match event {
        Event::TurnStarted { .. } => turn_started(model),
        Event::ItemStarted { item } => item_changed(model, item, false),
        Event::ItemDelta { .. } => goes_on(model),
        Event::ItemCompleted { item } => item_changed(model, item, true),
        Event::PlanUpdated { plan, .. } => {
            let done = plan.iter().filter(|step| step.status == PlanStatus::Completed).count();
            model.facts.plan = Some((done, plan.len()));
        }
        Event::Usage(usage) => model.facts.usage = Some(*usage),
        Event::Limits(limits) => usage::told_by_answer(model, limits),
        Event::Ask { id, ask } => {
            model.asks.push_back((*id, ask.clone()));
        }
        Event::AskResolved { id } => ask_resolved(model, *id),
        Event::Retrying { attempt, max, delay_ms, error } => {
            let working = model.turn.working.get_or_insert_with(|| Working::new(at.ms));
            let retry = Retry {
                attempt: *attempt,
                max: *max,
                // Short waits one after the other are one long one.
                since_ms: working.retry.as_ref().map_or(at.ms, |before| before.since_ms),
                next_ms: at.ms.saturating_add(*delay_ms),
                why: error.message.clone(),
            };
            working.retry = Some(retry);
        }
        Event::Warning { message } => model.warnings.push(moment::clock(at.unix), message.clone()),
        Event::Configured(now) => configured(model, now),
        Event::Opened(access) => {
            if let Some(thread) = &mut model.facts.thread {
                thread.access.clone_from(access);
            }
        }
        Event::Sessions(running) => commands::background(model, running),
        Event::Rewound { turns } => back::rewound(model, *turns, effects),
        Event::TurnCompleted(end) => turn_completed(model, end, effects),
        Event::Closed => closed(model),
        Event::DiffUpdated { diff } => model.turn.diff.clone_from(diff),
        Event::ItemDropped { .. } | Event::TurnPriced { .. } => {}
    }
}

fn turn_started(model: &mut Model) {
    let now = model.now_ms;
    let working = model.turn.working.get_or_insert_with(|| Working::new(now));
    working.shell = false;
    model.turn.diff.clear();
    model.facts.running = true;
    model.facts.plan = None;
    model.status_cell = None;
}

/// Something arrives: no failure is being waited out any more.
fn goes_on(model: &mut Model) {
    if let Some(working) = &mut model.turn.working {
        working.retry = None;
    }
}

fn item_changed(model: &mut Model, item: &Item, complete: bool) {
    goes_on(model);
    let of_user = match item {
        Item::UserMessage { .. } => true,
        Item::CommandExecution(command) => command.source == CommandSource::UserShell,
        _ => false,
    };
    model.turn.answered |= complete && !of_user;
    match item {
        Item::UserMessage { .. } if complete => {
            if model.turn.awaited > 0 {
                model.turn.awaited -= 1;
            } else {
                model.queue.taken();
            }
        }
        Item::AgentMessage { text, .. } if complete && !text.trim().is_empty() => {
            model.turn.last_answer = Some(text.clone());
        }
        Item::CommandExecution(command) => {
            let runs = !complete && command.status == ItemStatus::InProgress;
            if command.source == CommandSource::UserShell {
                user_command(model, &command.id, runs);
            }
        }
        _ => {}
    }
}

/// A command of the user began or ended; without a turn it has the status row for itself.
fn user_command(model: &mut Model, id: &crate::base::ids::ItemId, runs: bool) {
    let TurnState { shells, working, .. } = &mut model.turn;
    shells.retain(|known| known != id);
    if runs {
        shells.push(id.clone());
    }
    match working {
        None if runs => *working = Some(Working { shell: true, ..Working::new(model.now_ms) }),
        Some(Working { shell: true, .. }) if shells.is_empty() => *working = None,
        _ => {}
    }
}

/// Brings the newest block of `/status` up to what is known now.
pub(crate) fn refresh_status(model: &mut Model, unix: u64) {
    if let Some(key) = model.status_cell {
        let rows = status(model, unix);
        model.transcript.replace(key, rows);
    }
}

/// The block of `/status` as things are.
pub(crate) fn status(model: &Model, unix: u64) -> Vec<(String, String)> {
    panel::rows(&model.facts, &View { now_s: unix, ..model.usage_view() })
}

fn ask_resolved(model: &mut Model, id: AskId) {
    model.asks.retain(|(waiting, _)| *waiting != id);
    if matches!(&model.popup, Some(Popup::Approval(open)) if open.id() == id) {
        model.popup = None;
    }
}

fn configured(model: &mut Model, now: &Configured) {
    let Some(thread) = &mut model.facts.thread else { return };
    let mut said = Vec::new();
    if (&thread.model, &thread.effort) != (&now.model, &now.effort) {
        let effort = now.effort.as_deref().map(|effort| format!(" {effort}")).unwrap_or_default();
        said.push(format!("Model: {}{effort}", now.model));
    }
    if (thread.approval, &thread.sandbox) != (now.approval, &now.sandbox) {
        let words = crate::tui::popups::permissions::words(now.approval, &now.sandbox);
        said.push(format!("Permissions: {words}"));
    }
    let moved = thread.cwd != now.cwd;
    thread.model.clone_from(&now.model);
    thread.effort.clone_from(&now.effort);
    (thread.approval, thread.sandbox) = (now.approval, now.sandbox.clone());
    thread.access.clone_from(&now.access);
    thread.cwd.clone_from(&now.cwd);
    thread.context_window = Some(now.context_window);
    if let Some(usage) = &mut model.facts.usage {
        usage.context_window = Some(now.context_window);
    }
    if moved {
        said.push(format!(
            "Directory: {}",
            crate::base::path::with_tilde(&now.cwd, model.facts.home.as_deref())
        ));
        answers::moved(model, &now.cwd);
    }
    for words in said {
        model.transcript.notice(Level::Info, &words);
    }
}

fn turn_completed(model: &mut Model, end: &TurnEnd, effects: &mut Effects) {
    if model.options.notify_program {
        effects.push(Effect::NotifyProgram(notification(model, end)));
    }
    chat::turn_ended(model, end.status, effects);
    usage::turn_ended(model, end, effects);
    if end.status == crate::protocol::turn::TurnStatus::Completed {
        usage::offer_model(model);
    }
    if let Some(error) = end.error.as_ref().filter(|error| error.kind == ErrorKind::AccountChanged) {
        commands::open_unasked(model, confirm::adopt(&error.message));
    }
    if !model.is_running() {
        let words = end.last_message.as_deref().map(first_words).filter(|words| !words.is_empty());
        notify(model, words.as_deref().unwrap_or("The turn has ended"), effects);
    }
}

/// The first line of an answer, without its marks.
fn first_words(text: &str) -> String {
    let head: String = text.trim_start().chars().take(FIRST_WORDS).collect();
    let plain = plain(&head);
    plain.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().to_owned()
}

/// Tells the user though the window may be hidden, if that is wanted.
pub(crate) fn notify(model: &Model, words: &str, effects: &mut Effects) {
    let wanted = match model.options.notify {
        Notify::Always => true,
        Notify::Unfocused => !model.focused,
        Notify::Never => false,
    };
    if wanted {
        effects.push(Effect::Notify(words.to_owned()));
    }
}

/// What the notify program is told.
fn notification(model: &Model, end: &TurnEnd) -> String {
    serde_json::json!({
        "type": "agent-turn-complete",
        "thread-id": model.facts.thread.as_ref().map(|thread| thread.id.to_string()),
        "turn-id": end.turn_id.to_string(),
        "cwd": model.cwd(),
        "input-messages": model.turn.prompts,
        "last-assistant-message": end.last_message,
    })
    .to_string()
}

/// The thread is gone though nobody asked for it.
fn closed(model: &mut Model) {
    model.turn.working = None;
    model.facts.running = false;
    let words = "The thread has stopped. What was said is on disk; /resume opens it again.";
    model.transcript.remark(Notice::new(Level::Error, words));
}
