//! Keys and pastes → whoever is on top: page, popup, find, prompt, then the screen itself.

use super::dispatch::Effects;
use super::{back, chat, commands, follow, start, threads, wishes};
use crate::tui::composer::{Draft, Effect as Wanted};
use crate::tui::effect::Effect;
use crate::tui::keymap::{Action, Context};
use crate::tui::keys::{Code, Key};
use crate::tui::model::{Armed, Browse, Model, Stage, env};
use crate::tui::msg::At;
use crate::tui::pager::{Content, Page, Turned};
use crate::tui::popups::any::Popup;
use crate::tui::popups::approval::Approval;
use crate::tui::setup::Mode;
use crate::tui::transcript::{Level, Outcome as Took, Scroll};

/// How long a key means more when pressed again, in milliseconds.
const ARMED_MS: u64 = 1000;
/// The same for going back, which is read first.
const BACK_MS: u64 = 3000;

/// A key was pressed.
pub(crate) fn on_key(model: &mut Model, key: Key, at: At, effects: &mut Effects) {
    let armed = model.armed.take().filter(|(_, until)| at.ms < *until).map(|(armed, _)| armed);
    if model.keymap.action(Context::Global, key) == Some(Action::Suspend) {
        effects.push(Effect::Suspend);
        return;
    }
    match &mut model.stage {
        Stage::SignIn(page) => {
            let outcome = page.on_key(key, &model.keymap);
            return start::on_sign_in(model, outcome, effects);
        }
        Stage::Trust(page) => {
            let outcome = page.on_key(key, at.ms, &model.keymap);
            return start::on_trust(outcome, effects);
        }
        Stage::Main => {}
    }
    if let Some(page) = &mut model.page {
        if page.on_key(key, &model.keymap) == Turned::Close {
            model.page = None;
        }
        return;
    }
    if model.popup.is_some() {
        return on_popup_key(model, key, effects);
    }
    if model.transcript.takes_keys() && model.transcript.on_key(key) == Took::Taken {
        return;
    }
    if model.browse.is_some() && on_browse_key(model, key, effects) {
        return;
    }
    if key == Key::ctrl('c') && model.usage.parked.is_some() {
        // A prompt that waits is not cleared on the way out: the next start goes on waiting.
        return on_cancel(model, armed, effects);
    }
    let reply = model.composer.on_key(key, &env!(model));
    let handled = reply.handled;
    carry_out_at(model, reply.effects, at, effects);
    if !handled {
        on_free_key(model, key, armed, effects);
    }
}

fn on_popup_key(model: &mut Model, key: Key, effects: &mut Effects) {
    let Some(mut popup) = model.popup.take() else { return };
    let outcome = popup.on_key(key, &model.around());
    model.popup = Some(popup);
    wishes::on_outcome(model, outcome, effects);
}

/// A key that was typed before a question could be read: text goes on into the prompt, nothing else happens.
pub(crate) fn type_ahead(model: &mut Model, key: Key, effects: &mut Effects) {
    let text = matches!(key.code, Code::Char(_)) && !key.ctrl && !key.alt;
    if text || key == Key::plain(Code::Backspace) {
        let reply = model.composer.on_key(key, &env!(model));
        carry_out(model, reply.effects, effects);
    }
}

/// The wheel was turned: it scrolls the transcript; in lists and pages it is arrows.
pub(crate) fn on_wheel(model: &mut Model, rows: i32, at: At, effects: &mut Effects) {
    let count = usize::try_from(rows.unsigned_abs()).unwrap_or(0);
    let covered = model.page.is_some() || model.popup.is_some() || !matches!(model.stage, Stage::Main);
    if covered {
        let code = if rows > 0 { Code::Up } else { Code::Down };
        (0..count).for_each(|_| on_key(model, Key::plain(code), at, effects));
    } else if rows > 0 {
        model.transcript.scroll(Scroll::Up(count));
        load_earlier(model, effects);
    } else {
        model.transcript.scroll(Scroll::Down(count));
    }
}

/// Something was pasted.
pub(crate) fn on_paste(model: &mut Model, text: &str, effects: &mut Effects) {
    if let Stage::SignIn(page) = &mut model.stage {
        let outcome = page.paste(text);
        return start::on_sign_in(model, outcome, effects);
    }
    if let Some(Popup::Review(list)) = &mut model.popup {
        return list.paste(text);
    }
    if let Some(Popup::Prompt(prompt)) = &mut model.popup {
        return prompt.paste(text);
    }
    // Whatever is open: pasted text is never lost.
    let wanted = model.composer.on_paste(text, &env!(model));
    carry_out(model, wanted, effects);
}

/// What the prompt wants, when the time of day does not matter.
pub(crate) fn carry_out(model: &mut Model, wanted: Vec<Wanted>, effects: &mut Effects) {
    carry_out_at(model, wanted, At { ms: model.now_ms, unix: 0 }, effects);
}

fn carry_out_at(model: &mut Model, wanted: Vec<Wanted>, at: At, effects: &mut Effects) {
    for wanted in wanted {
        match wanted {
            Wanted::Submit(draft) => chat::submit(model, draft, effects),
            Wanted::Queue(draft) => chat::queue(model, draft, effects),
            Wanted::Shell(command) => chat::shell(model, command, effects),
            Wanted::Command(command, args) => commands::run(model, command, &args, at.unix, effects),
            Wanted::Notice(text) => model.transcript.notice(Level::Info, &text),
            Wanted::Remember(text) => {
                let thread = model.facts.thread.as_ref().map(|thread| thread.id);
                effects.push(Effect::Remember(thread, text));
            }
            Wanted::LoadHistory(before) => effects.push(Effect::LoadHistory(before)),
            Wanted::FindFiles(query) => effects.push(Effect::FindFiles(model.cwd(), query)),
            Wanted::CheckImages(token, paths) => {
                effects.push(Effect::CheckImages(token, model.cwd(), paths));
            }
            Wanted::PasteImage => effects.push(Effect::PasteImage),
            Wanted::Shortcuts => open_help(model),
            Wanted::SaveDraft(draft) => effects.push(Effect::SaveDraft(draft)),
        }
    }
}

fn open_help(model: &mut Model) {
    model.page = Some(Box::new(Page::new("Keys", Content::Help(model.keymap.help()))));
}

/// A key the prompt has no use for.
fn on_free_key(model: &mut Model, key: Key, armed: Option<Armed>, effects: &mut Effects) {
    if let Some(action) = model.keymap.action(Context::Chat, key) {
        return on_chat(model, action, armed, effects);
    }
    if let Some(action) = model.keymap.action(Context::Global, key) {
        return on_global(model, action, armed, effects);
    }
    let suggested = model.suggestion().filter(|_| model.transcript.is_at_end()).map(Draft::from_text);
    match (key, suggested) {
        (Key { code: Code::Enter, .. }, Some(draft)) => {
            model.suggestions.pop_front();
            chat::submit(model, draft, effects);
        }
        (Key { code: Code::Tab, .. }, Some(draft)) => {
            model.suggestions.pop_front();
            let wanted = model.composer.set(&draft, &env!(model));
            carry_out(model, wanted, effects);
        }
        // On an empty prompt it goes back down, like `esc`.
        (Key { code: Code::Enter, .. }, None) => model.transcript.scroll(Scroll::End),
        _ => {}
    }
}

fn on_chat(model: &mut Model, action: Action, armed: Option<Armed>, effects: &mut Effects) {
    match action {
        Action::Interrupt => on_esc(model, armed, effects),
        Action::LessReasoning => chat::step_effort(model, false, effects),
        Action::MoreReasoning => chat::step_effort(model, true, effects),
        Action::ResumeLast => threads::resume_last(model, effects),
        Action::EditQueued => chat::edit_queued(model, effects),
        Action::ScrollUp => {
            model.transcript.scroll(Scroll::PageUp);
            load_earlier(model, effects);
        }
        Action::ScrollDown => model.transcript.scroll(Scroll::PageDown),
        Action::Top => {
            model.transcript.scroll(Scroll::Start);
            load_earlier(model, effects);
        }
        Action::Bottom => model.transcript.scroll(Scroll::End),
        _ => {}
    }
}

fn on_esc(model: &mut Model, armed: Option<Armed>, effects: &mut Effects) {
    if !model.transcript.is_at_end() {
        model.transcript.scroll(Scroll::End);
    } else if model.setup.mode == Mode::Scrollback && model.transcript.is_unfolded() {
        // Details have a screen of their own there.
        model.transcript.toggle_fold();
    } else if model.usage.parked.take().is_some() {
        model.toast("No longer waiting; enter sends the prompt");
    } else if chat::interrupt(model, effects) {
    } else if !model.composer.is_empty() {
        // Text in the prompt is never thrown away by this key.
    } else if armed == Some(Armed::GoBack) {
        back::go_back(model);
    } else {
        model.armed = Some((Armed::GoBack, model.now_ms + BACK_MS));
    }
}

/// Fetches earlier turns once the first row is on the screen.
fn load_earlier(model: &mut Model, effects: &mut Effects) {
    if model.earlier && model.transcript.is_at_start() {
        model.earlier = false;
        effects.push(Effect::Earlier);
    }
}

fn on_global(model: &mut Model, action: Action, armed: Option<Armed>, effects: &mut Effects) {
    match action {
        Action::Details => model.transcript.toggle_fold(),
        Action::Find => model.transcript.open_find(),
        Action::Activity => model.transcript.toggle_focus(),
        Action::Warnings => commands::open_warnings(model),
        Action::ExternalEditor => {
            let text = model.composer.editor_text();
            effects.push(Effect::Editor(text));
        }
        Action::Copy => commands::copy(model),
        Action::ClearScreen => effects.push(Effect::Redraw),
        Action::Cancel => on_cancel(model, armed, effects),
        Action::Quit => effects.push(Effect::Quit),
        _ => {}
    }
}

/// `ctrl-c` with nothing to close or clear: stops what runs; when nothing does, twice quits.
fn on_cancel(model: &mut Model, armed: Option<Armed>, effects: &mut Effects) {
    let stopping = model.turn.working.as_ref().is_some_and(|working| working.stopping);
    if !stopping && chat::interrupt(model, effects) {
        return;
    }
    if armed == Some(Armed::Quit) {
        effects.push(Effect::Quit);
    } else {
        model.armed = Some((Armed::Quit, model.now_ms + ARMED_MS));
    }
}

/// Keys while earlier prompts are looked at. False when the key ends it and means something else.
fn on_browse_key(model: &mut Model, key: Key, effects: &mut Effects) -> bool {
    let Some(Browse { at }) = model.browse else { return false };
    match key.code {
        Code::Left | Code::Char('h') if !key.ctrl => back::look_at(model, at.saturating_sub(1)),
        Code::Right | Code::Char('l') if !key.ctrl => back::look_at(model, at + 1),
        Code::Up | Code::Char('k') if !key.ctrl => model.transcript.scroll(Scroll::Up(1)),
        Code::Down | Code::Char('j') if !key.ctrl => model.transcript.scroll(Scroll::Down(1)),
        Code::PageUp => model.transcript.scroll(Scroll::PageUp),
        Code::PageDown => model.transcript.scroll(Scroll::PageDown),
        Code::Enter => back::choose(model, effects),
        Code::Esc => leave_browsing(model),
        Code::Char('t') if key.ctrl => model.transcript.toggle_fold(),
        _ => {
            leave_browsing(model);
            return key == Key::ctrl('c');
        }
    }
    true
}

fn leave_browsing(model: &mut Model) {
    model.browse = None;
    model.transcript.scroll(Scroll::End);
}

/// Puts the next waiting question, when nothing else is open.
pub(crate) fn next_question(model: &mut Model, effects: &mut Effects) {
    if model.popup.is_some() || model.page.is_some() || !matches!(model.stage, Stage::Main) {
        return;
    }
    let Some((id, ask)) = model.asks.pop_front() else { return };
    let approval = Approval::new(id, ask, model.facts.home.clone(), model.now_ms);
    follow::notify(model, &approval.headline(), effects);
    model.browse = None;
    model.popup = Some(Popup::Approval(Box::new(approval)));
}
