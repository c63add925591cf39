//! What effects came to → the state. One small function per kind.

use std::path::{Path, PathBuf};

use super::commands;
use super::dispatch::Effects;
use crate::base::path::with_tilde;
use crate::protocol::error::ErrorInfo;
use crate::protocol::op::Op;
use crate::protocol::turn::Change;
use crate::threads::Turn;
use crate::tui::door::{Setting, Undone};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::pager::{Content, Page};
use crate::tui::popups::confirm;
use crate::tui::status::facts::{DEFAULT_LINE, DEFAULT_TITLE, Item};
use crate::tui::transcript::{Level, Notice};

/// Something failed: said in the transcript, with the next step.
pub(crate) fn error(model: &mut Model, error: &ErrorInfo) {
    model.transcript.push_notice(Notice::error(error));
}

/// Changes in git.
pub(crate) fn diff(model: &mut Model, result: Result<String, ErrorInfo>) {
    match result {
        Ok(diff) => model.page = Some(Box::new(Page::new("Changes in git", Content::Diff(diff)))),
        Err(info) => error(model, &info),
    }
}

/// Earlier turns.
pub(crate) fn earlier(model: &mut Model, result: Result<(Vec<Turn>, bool), ErrorInfo>) {
    match result {
        Ok((turns, more)) => {
            model.transcript.replay_before(&turns);
            model.earlier = more;
        }
        Err(info) => model.toast(info.to_string()),
    }
}

/// A turn was taken back or brought again, or not.
pub(crate) fn undone(model: &mut Model, result: Result<Undone, ErrorInfo>) {
    match result {
        Ok(Undone { text, ask: Some(number) }) => {
            commands::open_menu(model, confirm::undo(&text, number));
        }
        Ok(Undone { text, ask: None }) => model.transcript.notice(Level::Info, text.trim_end()),
        Err(info) => error(model, &info),
    }
}

/// The thread has another name, or not.
pub(crate) fn renamed(model: &mut Model, name: String, result: Result<(), ErrorInfo>) {
    match result {
        Ok(()) => {
            model.transcript.notice(Level::Info, &format!("This thread is now called {name}"));
            if let Some(thread) = &mut model.facts.thread {
                thread.name = Some(name);
            }
        }
        Err(info) => error(model, &info),
    }
}

/// A folder to change to.
pub(crate) fn folder(model: &mut Model, result: Result<PathBuf, String>, effects: &mut Effects) {
    match result {
        Ok(cwd) => {
            let change = Change { cwd: Some(cwd), ..Change::default() };
            effects.push(Effect::Op(Op::Configure(Box::new(change))));
        }
        Err(why) => model.transcript.notice(Level::Error, &why),
    }
}

/// The working directory is another one.
pub(crate) fn moved(model: &mut Model, cwd: &Path) {
    let shown = with_tilde(cwd, model.facts.home.as_deref());
    model.transcript.set_cwd(cwd.to_owned(), shown);
}

/// A setting was stored, or not; it holds for this run in any case.
pub(crate) fn saved(model: &mut Model, setting: &Setting, result: Result<(), ErrorInfo>) {
    match result {
        Err(info) => {
            let text = format!("{info}. It holds until you leave.");
            model.transcript.notice(Level::Warning, &text);
        }
        Ok(()) => match setting {
            Setting::Fullscreen(true) => model.toast("The next start uses the whole screen"),
            Setting::Fullscreen(false) => model.toast("The next start uses the terminal's scrollback"),
            Setting::Model { .. } => {}
            Setting::NoModelNudge => model.toast("Never asked again: notice.hide_rate_limit_model_nudge"),
            Setting::StatusLine(_) | Setting::Title(_) | Setting::Theme(_) => model.toast("Kept"),
        },
    }
}

/// Makes a setting hold at once.
pub(crate) fn apply(model: &mut Model, setting: &Setting) {
    let items = |names: &[String], usual: &[Item]| {
        let items = Item::of_names(names);
        if items.is_empty() && !names.is_empty() { usual.to_vec() } else { items }
    };
    match setting {
        Setting::StatusLine(names) => model.options.status_line = items(names, &DEFAULT_LINE),
        Setting::Title(names) => model.options.title = items(names, &DEFAULT_TITLE),
        Setting::Theme(name) => model.theme.syntax.clone_from(name),
        Setting::Fullscreen(_) | Setting::Model { .. } | Setting::NoModelNudge => {}
    }
}

/// Credentials are gone, or not.
pub(crate) fn logged_out(model: &mut Model, result: Result<String, ErrorInfo>) {
    match result {
        Ok(words) => model.transcript.notice(Level::Info, &words),
        Err(info) => error(model, &info),
    }
}

/// The thread goes on as another account, or not.
pub(crate) fn adopted(model: &mut Model, result: Result<String, ErrorInfo>) {
    match result {
        Ok(who) => {
            let words = format!("codex goes on as {who}. Send the prompt again.");
            model.transcript.notice(Level::Info, &words);
            if let Some(thread) = &mut model.facts.thread {
                thread.account = who;
            }
        }
        Err(info) => error(model, &info),
    }
}

/// Something was copied or written, or not.
pub(crate) fn copied(model: &mut Model, what: &str, result: Result<String, String>) {
    match result {
        Ok(place) => model.toast(format!("{what}: {place}")),
        Err(why) => model.transcript.notice(Level::Error, &format!("{what} was not copied: {why}")),
    }
}
