//! Slash commands → what they do, one line per command.

use super::dispatch::Effects;
use super::{chat, follow, review, threads, usage};
use crate::base::path::with_tilde;
use crate::models::catalogue;
use crate::protocol::op::Op;
use crate::tui::composer::Draft;
use crate::tui::door::{Begin, ThreadFilter};
use crate::tui::effect::Effect;
use crate::tui::model::Model;
use crate::tui::pager::{Content, Page};
use crate::tui::popups::any::Popup;
use crate::tui::popups::menu::Menu;
use crate::tui::popups::prompt::Prompt;
use crate::tui::popups::statusline::{Choice, Chooser, Target};
use crate::tui::popups::{confirm, model as models, permissions, theme, warnings};
use crate::tui::setup::Mode;
use crate::tui::slash::{self, Command};
use crate::tui::status::facts::Item;
use crate::tui::text::syntaxes;
use crate::tui::transcript::cells::command::spoken;
use crate::tui::transcript::{Block, Level};
use crate::workspace::undo::Which;

/// What `/init` asks for.
const INIT: &str = include_str!("../../../assets/prompts/init.md");

/// Runs a command.
pub(crate) fn run(model: &mut Model, command: Command, args: &str, unix: u64, effects: &mut Effects) {
    match command {
        Command::Model => with_thread(model, |model| {
            let now = model.facts.thread.as_ref().map(|thread| thread.model.clone()).unwrap_or_default();
            open_menu(model, models::models(catalogue::all(), &now));
        }),
        Command::Permissions => with_thread(model, open_permissions),
        Command::Status => show_status(model, unix, effects),
        Command::Usage => usage::open(model, args, effects),
        Command::Diff if args == "turn" => show_turn_diff(model),
        Command::Diff => effects.push(Effect::Diff),
        Command::Undo => match slash::turn(args) {
            Some(which) => effects.push(Effect::Undo { cwd: model.cwd(), which }),
            None => model.toast("/undo takes the number of a turn: codex undo --list tells them"),
        },
        Command::Redo => effects.push(Effect::Undo { cwd: model.cwd(), which: Which::Again }),
        Command::Review => review::open(model, args, effects),
        Command::Compact => effects.push(Effect::Op(Op::Compact)),
        Command::New => threads::switch(model, Begin::New, effects),
        Command::Clear => {
            if model.setup.mode == Mode::Scrollback {
                effects.push(Effect::Redraw);
            }
            threads::switch(model, Begin::New, effects);
        }
        Command::Resume if args.is_empty() => threads::pick(model, ThreadFilter::default(), effects),
        Command::Resume => threads::resume(model, Begin::ResumeNamed(args.to_owned()), effects),
        Command::Fork => fork(model, effects),
        Command::Rename if args.is_empty() => open_rename(model),
        Command::Rename => effects.push(Effect::Rename(args.to_owned())),
        Command::Init => chat::submit(model, Draft::from_text(INIT), effects),
        // The prompt does this itself.
        Command::Mention => {}
        Command::Copy => copy(model),
        Command::Export => export(model, args, effects),
        Command::Ps if model.is_running() => list_background(model),
        Command::Ps => {
            model.turn.listing = true;
            effects.push(Effect::Op(Op::Sessions));
        }
        Command::Stop => stop_background(model, effects),
        Command::Pwd => {
            model.transcript.notice(Level::Info, &with_tilde(&model.cwd(), model.facts.home.as_deref()))
        }
        Command::Cd => change_folder(model, args, effects),
        Command::Statusline => open_items(model, Target::StatusLine),
        Command::Title => open_items(model, Target::Title),
        Command::Theme => {
            let picker = theme::Picker::new(syntaxes::theme_names(), &model.theme);
            model.popup = Some(Popup::Theme(Box::new(picker)));
        }
        Command::Tui => open_menu(model, confirm::screen(model.options.fullscreen)),
        Command::Warnings => open_warnings(model),
        Command::Logout => effects.push(Effect::Logout),
        Command::Exit => effects.push(Effect::Quit),
    }
}

/// Does something that needs the thread; says so while it is being opened.
fn with_thread(model: &mut Model, then: impl FnOnce(&mut Model)) {
    if model.facts.thread.is_some() {
        then(model)
    } else {
        model.toast("One moment: the thread is being opened")
    }
}

pub(crate) fn open_menu(model: &mut Model, menu: Menu) {
    model.popup = Some(Popup::Menu(Box::new(menu)));
}

/// Opens a menu that nobody asked for: what is being typed is not for it.
pub(crate) fn open_unasked(model: &mut Model, menu: Menu) {
    let menu = menu.unasked(model.now_ms);
    open_menu(model, menu);
}

fn open_permissions(model: &mut Model) {
    if let Some(thread) = &model.facts.thread {
        let menu = permissions::menu(thread.approval, &thread.sandbox, &thread.access);
        open_menu(model, menu);
    }
}

fn show_status(model: &mut Model, unix: u64, effects: &mut Effects) {
    usage::read(model, effects);
    let rows = follow::status(model, unix);
    model.status_cell = Some(model.transcript.push(Block::new("Status", rows)));
    model.transcript.scroll(crate::tui::transcript::Scroll::End);
}

/// What the patches of the last turn changed; commands may have changed more, which git knows.
fn show_turn_diff(model: &mut Model) {
    let diff = &model.turn.diff;
    if diff.is_empty() {
        return model.toast("No patch of the last turn changed anything; /diff shows all changes in git");
    }
    model.page = Some(Box::new(Page::new("Patches of the last turn", Content::Diff(diff.clone()))));
}

fn fork(model: &mut Model, effects: &mut Effects) {
    match model.facts.thread.as_ref().map(|thread| thread.id) {
        Some(_) if model.transcript.prompts().next().is_none() => {
            model.toast("Nothing was said in this thread: there is nothing to copy yet")
        }
        Some(id) => threads::switch(model, Begin::Fork(id), effects),
        None => model.toast("There is no thread to copy yet"),
    }
}

fn open_rename(model: &mut Model) {
    let now = model.facts.thread.as_ref().and_then(|thread| thread.name.clone()).unwrap_or_default();
    model.popup = Some(Popup::Prompt(Prompt::rename(&now)));
}

/// Offers what can be copied.
pub(crate) fn copy(model: &mut Model) {
    let sources = model.transcript.copy_sources();
    if sources.is_empty() {
        model.toast("There is no answer to copy yet");
    } else {
        open_menu(model, confirm::copy(sources));
    }
}

fn export(model: &mut Model, args: &str, effects: &mut Effects) {
    let text = model.transcript.export();
    match args {
        "" => effects.push(Effect::Copy("Conversation".to_owned(), text)),
        file => {
            let path = crate::base::path::absolute(&model.cwd(), std::path::Path::new(file));
            effects.push(Effect::Export(path, text));
        }
    }
}

fn list_background(model: &mut Model) {
    let commands: Vec<String> =
        model.turn.background.iter().map(|command| format!("$ {}", spoken(command))).collect();
    let text = match commands.len() {
        0 => "No background terminals run.".to_owned(),
        1 => format!("1 background terminal (/stop ends it):\n{}", commands.join("\n")),
        count => format!("{count} background terminals (/stop ends them):\n{}", commands.join("\n")),
    };
    model.transcript.notice(Level::Info, &text);
}

/// The thread told what runs in the background.
pub(super) fn background(model: &mut Model, running: &[String]) {
    model.turn.background = running.to_vec();
    if running.is_empty() && model.turn.ending > 0 {
        let text = match std::mem::take(&mut model.turn.ending) {
            1 => "Ended the background terminal.".to_owned(),
            count => format!("Ended {count} background terminals."),
        };
        model.toast = None;
        model.transcript.notice(Level::Info, &text);
    }
    if std::mem::take(&mut model.turn.listing) {
        list_background(model);
    }
}

fn stop_background(model: &mut Model, effects: &mut Effects) {
    model.turn.ending = model.turn.background.len();
    model.toast(match model.turn.ending {
        0 => "No background terminals run",
        _ => "Ending the background terminals",
    });
    effects.push(Effect::Op(Op::StopSessions));
}

fn change_folder(model: &mut Model, args: &str, effects: &mut Effects) {
    let (folder, home) = (args.trim(), model.facts.home.clone());
    let folder = match (folder.strip_prefix('~'), home) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => {
            home.join(rest.trim_start_matches('/'))
        }
        _ => std::path::PathBuf::from(folder),
    };
    if args.is_empty() {
        model.toast("Name a folder: /cd <folder>");
    } else {
        effects.push(Effect::CheckFolder(model.cwd(), folder));
    }
}

fn open_items(model: &mut Model, target: Target) {
    let shown = match target {
        Target::StatusLine => &model.options.status_line,
        Target::Title => &model.options.title,
    };
    let rest = Item::ALL.iter().filter(|item| !shown.contains(item));
    let choice = |item: &Item| Choice {
        name: item.name(),
        about: item.about(),
        now: item.text(&model.facts, model.unix).unwrap_or_default(),
        on: shown.contains(item),
    };
    let choices = shown.iter().chain(rest).map(choice).collect();
    model.popup = Some(Popup::Items(Box::new(Chooser::new(target, choices))));
}

/// Opens the warnings, if there are any.
pub(crate) fn open_warnings(model: &mut Model) {
    if model.warnings.len() == 0 {
        model.toast("No warnings");
    } else {
        model.popup = Some(Popup::Warnings(warnings::Panel::default()));
    }
}
