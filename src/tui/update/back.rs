//! Going back to an earlier prompt. The thread forgets it and what followed; what the turns since did to files can be
//! taken back too. Before anything happens somebody looks what that would come to, and only when there is something
//! to decide it is asked.

use std::collections::HashSet;

use super::dispatch::Effects;
use super::{answers, commands, route};
use crate::base::ids::TurnId;
use crate::protocol::error::ErrorInfo;
use crate::protocol::op::Op;
use crate::tui::composer::Draft;
use crate::tui::effect::Effect;
use crate::tui::model::{Browse, Model, Rewinding, env};
use crate::tui::popups::confirm;
use crate::tui::setup::Mode;
use crate::tui::text;
use crate::tui::transcript::{Key, Level, Notice};
use crate::workspace::undo::Report;
use crate::workspace::undo::Wanted;
use crate::workspace::undo::{PARTLY, Step};

/// Files that a menu names.
const NAMED: usize = 3;
/// Files that the conversation names.
const TOLD: usize = 12;
/// Said when files were changed and stay.
const LEFT: &str = "Went back. Files are as they were left; /undo takes back what the last turn changed.";

/// Begins to look at earlier prompts, with the last one. False when there are none.
pub(crate) fn go_back(model: &mut Model) -> bool {
    let Some(last) = model.transcript.prompts().count().checked_sub(1) else {
        model.toast("There is no prompt to go back to");
        return false;
    };
    look_at(model, last);
    true
}

/// Looks at a prompt.
pub(crate) fn look_at(model: &mut Model, at: usize) {
    let key = model.transcript.prompts().nth(at).map(|prompt| prompt.key);
    if let Some(key) = key {
        model.browse = Some(Browse { at });
        model.transcript.reveal(key);
    }
}

/// The prompt that is looked at was chosen: what happened to files since?
pub(crate) fn choose(model: &mut Model, effects: &mut Effects) {
    let Some(Browse { at }) = model.browse.take() else { return };
    let Some(key) = model.transcript.prompts().nth(at).map(|prompt| prompt.key) else { return };
    see_files(model, key, true, effects);
}

/// What was decided: `files` are to be taken back too.
pub(crate) fn chosen(model: &mut Model, key: Key, files: bool, effects: &mut Effects) {
    match files {
        true => see_files(model, key, false, effects),
        false => rewind(model, key, LEFT.to_owned(), effects),
    }
}

fn see_files(model: &mut Model, key: Key, dry: bool, effects: &mut Effects) {
    model.looking = Some(key);
    effects.push(Effect::Since { cwd: model.cwd(), wanted: turns_since(model, key), dry });
}

/// The turns that began with this prompt or after it; one that began before goes on without its end.
fn turns_since(model: &Model, key: Key) -> Wanted {
    let turns = |since: bool| {
        let prompts = model.transcript.prompts().filter(move |prompt| (prompt.key >= key) == since);
        prompts.filter_map(|prompt| prompt.turn)
    };
    let thread = model.facts.thread.as_ref().map(|thread| thread.id.to_string());
    let before: HashSet<TurnId> = turns(false).collect();
    let amid = turns(true).find(|turn| before.contains(turn)).map(|turn| turn.to_string());
    let turns = turns(true).filter(|turn| !before.contains(turn)).map(|turn| turn.to_string()).collect();
    Wanted { turns, amid, thread }
}

/// What going back does to files, or would do.
pub(crate) fn told(
    model: &mut Model,
    dry: bool,
    result: Result<Option<Report>, ErrorInfo>,
    effects: &mut Effects,
) {
    let Some(key) = model.looking.take() else { return };
    let report = match (result, dry) {
        (Ok(report), _) => report,
        // What cannot be looked at cannot be offered.
        (Err(_), true) => None,
        (Err(error), false) => return answers::error(model, &error),
    };
    // Somebody went on meanwhile.
    let busy = model.is_running() || model.popup.is_some() || model.page.is_some();
    match (report, dry) {
        _ if dry && busy => {}
        (None, true) => rewind(model, key, "Went back. Files stay as they are.".to_owned(), effects),
        (Some(report), true) => match report.steps.iter().filter(|step| step.changed().is_some()).count() {
            0 => rewind(model, key, stay(&report), effects),
            files => {
                let dropped = model.transcript.prompts().filter(|prompt| prompt.key >= key).count();
                let menu = confirm::rewind(key, dropped, files, &before(&report));
                commands::open_unasked(model, menu);
            }
        },
        (report, false) => {
            let said = done(&report.unwrap_or_default());
            match model.is_running() {
                // The files are what they are; the conversation goes on.
                true => {
                    model.transcript.notice(Level::Info, &said.replacen("Went back, and files", "Files", 1))
                }
                false => rewind(model, key, said, effects),
            }
        }
    }
}

/// Goes back to a prompt: the thread drops it and what follows, then tells.
fn rewind(model: &mut Model, key: Key, said: String, effects: &mut Effects) {
    let mut text = None;
    let mut turns = 0_u32;
    for prompt in model.transcript.prompts().filter(|prompt| prompt.key >= key) {
        text.get_or_insert_with(|| prompt.text.to_owned());
        turns += 1;
    }
    let Some(text) = text else { return };
    model.rewinding = Some(Rewinding { key, text: Some(text), said });
    effects.push(Effect::Op(Op::Rewind { turns }));
}

/// The thread went back.
pub(crate) fn rewound(model: &mut Model, turns: u32, effects: &mut Effects) {
    let Some(Rewinding { key, text, said }) = model.rewinding.take() else { return };
    let Some(text) = text else {
        // The prompt is on its way again: it stands there once.
        if turns > 0 {
            model.transcript.rewind_to(key);
        }
        return;
    };
    if turns == 0 {
        model.transcript.notice(Level::Warning, "The thread could not go back to that prompt.");
        return;
    }
    model.transcript.rewind_to(key);
    model.transcript.notice(Level::Info, &said);
    if model.setup.mode == Mode::Scrollback {
        let words =
            "What the terminal still shows of that prompt and after it is no longer part of the thread.";
        model.transcript.remark(Notice::new(Level::Info, words));
    }
    let typed = model.composer.draft();
    let prompt = Draft::from_text(&text);
    let draft = if typed.is_blank() { prompt } else { Draft::join(&[prompt, typed]) };
    let wanted = model.composer.set(&draft, &env!(model));
    route::carry_out(model, wanted, effects);
}

// --- words ---

fn name(step: &Step) -> String {
    text::sanitize(&step.path().display().to_string()).replace('\n', " ")
}

/// A few names, and how many more there are.
fn names<'a>(steps: impl Iterator<Item = &'a Step>) -> String {
    let mut names: Vec<String> = steps.map(name).collect();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    match more {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// What the menu tells.
fn before(report: &Report) -> String {
    let changed = names(report.steps.iter().filter(|step| step.changed().is_some()));
    let mut out = format!("Changed since: {changed}.");
    if report.steps.iter().any(|step| matches!(step, Step::Partly(_))) {
        let partly = names(report.steps.iter().filter(|step| matches!(step, Step::Partly(_))));
        out.push_str(&format!("\nOnly back to what somebody else wrote in between: {partly}."));
    }
    let left = report.steps.iter().filter_map(|step| match step {
        Step::Left(_, why) => Some(format!("{} ({why})", name(step))),
        _ => None,
    });
    let mut left: Vec<String> = left.collect();
    let more = left.len().saturating_sub(NAMED);
    left.truncate(NAMED);
    if !left.is_empty() {
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push_str(&format!("\nStays in any case: {}{more}.", left.join(", ")));
    }
    for line in limits(report) {
        out.push('\n');
        out.push_str(line);
    }
    out
}

/// What undo does not know.
fn limits(report: &Report) -> Vec<&'static str> {
    let rows = [
        (
            report.partial,
            "Not everything that was changed is known: some of it was too large, too much or not readable.",
        ),
        (report.running, "Commands ran on after their turn: what they wrote later stays."),
        (report.killed, "The program was killed in one of the turns: what changed after that stays."),
        (report.amid, "The turn that this prompt was added to began before it: what it changed stays."),
    ];
    rows.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words).collect()
}

/// Files were changed since, and none of them can be taken back.
fn stay(report: &Report) -> String {
    let mut out = "Went back. Files stay as they are.".to_owned();
    lines(&mut out, report);
    out
}

/// Files were taken back.
fn done(report: &Report) -> String {
    let mut out = "Went back, and files too; /redo brings the edits again.".to_owned();
    lines(&mut out, report);
    if report.skipped {
        out.push_str("\nFolders that git ignores, such as build outputs, are left as they are.");
    }
    out
}

fn lines(out: &mut String, report: &Report) {
    for step in report.steps.iter().take(TOLD) {
        out.push_str(&match step {
            Step::Restored(_) => format!("\n  restored  {}", name(step)),
            Step::Removed(_) => format!("\n  removed   {}", name(step)),
            Step::Partly(_) => format!("\n  partly    {} ({PARTLY})", name(step)),
            Step::Left(_, why) => format!("\n  left      {} ({why})", name(step)),
        });
    }
    if let Some(more) = report.steps.len().checked_sub(TOLD + 1) {
        out.push_str(&format!("\n  and {} more", more + 1));
    }
    for line in limits(report) {
        out.push('\n');
        out.push_str(line);
    }
}

#[cfg(test)]
#[path = "back_tests.rs"]
mod tests;
