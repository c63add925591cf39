//! The words of the narrator: commands, files, questions and notes as plain lines, and lines as answers.

use std::path::Path;

use crate::protocol::ask::{Answer, Ask};
use crate::protocol::item::{ChangeKind, CommandItem, CommandSource, FileChange, ItemStatus};
use crate::protocol::note::{Level, Note};
use crate::protocol::turn::Changed;
use crate::tui::popups::answers;
use crate::tui::text;
use crate::tui::transcript::cells::command::spoken;

/// Lines of a command's output that are told.
const OUTPUT: usize = 10;

/// A line that was kept with the thread.
pub(super) fn noted(note: &Note, out: &mut Vec<String>) {
    let before = match note.level {
        Level::Warning => "Warning: ",
        Level::Error => "Error: ",
        Level::Info | Level::Granted => "",
    };
    let hint = note.hint.as_deref().map(|hint| format!(" {hint}")).unwrap_or_default();
    out.push(format!("{before}{}", clean(&format!("{}{hint}", note.message))));
    out.extend(note.rows.iter().map(|(label, value)| format!("  {}: {}", clean(label), clean(value))));
}

/// What the patches of a turn changed.
pub(super) fn patched(changed: Changed) -> String {
    let Changed { files, added, removed } = changed;
    let files = if files == 1 { "1 file".to_owned() } else { format!("{files} files") };
    format!(" Patches changed {files}: {added} lines added, {removed} removed.")
}

pub(super) fn clean(raw: &str) -> String {
    text::sanitize(raw.trim_end()).into_owned()
}

pub(super) fn one_line(raw: &str) -> String {
    clean(&raw.split_whitespace().collect::<Vec<_>>().join(" "))
}

pub(super) fn named(path: &Path) -> String {
    text::reveal_line(&path.display().to_string())
}

/// The answer that a line means for a question.
pub(super) fn answer(line: &str, ask: &Ask) -> Option<Answer> {
    let choices = answers::choices(ask);
    let meant = match line {
        "yes" => Answer::Accept,
        "no" => Answer::Cancel,
        "o" | "y" | "a" | "t" | "p" | "d" | "n" => answers::of_letter(line, &choices)?,
        number => *number.parse::<usize>().ok()?.checked_sub(1).and_then(|at| choices.get(at))?,
    };
    choices.contains(&meant).then_some(meant)
}

pub(super) fn spoken_answer(answer: Answer) -> &'static str {
    match answer {
        Answer::Open => "yes, in the sandbox, with this place open for this session",
        Answer::OpenForProject => "yes, in the sandbox, with this place open in this project",
        Answer::OpenAlways => "yes, in the sandbox, with this place open always",
        Answer::Accept => "yes, once",
        Answer::AcceptForSession => "yes, for this session",
        Answer::AcceptForProject => "yes, always in this project, by the rule",
        Answer::AcceptAlways => "yes, always, by the rule",
        Answer::Decline => "no, but go on",
        Answer::Cancel => "no, and stop",
    }
}

pub(super) fn command_ended(command: &CommandItem, out: &mut Vec<String>) {
    let shown = clean(&spoken(&command.command));
    let who = if command.source == CommandSource::UserShell { "Your command" } else { "Command" };
    match (command.status, command.exit_code) {
        (ItemStatus::Completed, _) => out.push(format!("{who} finished: {shown}")),
        (ItemStatus::Declined, _) => out.push(format!("{who} was refused: {shown}")),
        (_, Some(code)) => out.push(format!("{who} failed with exit code {code}: {shown}")),
        (_, None) => out.push(format!("{who} did not finish: {shown}")),
    }
    let output = clean(command.aggregated_output.as_deref().unwrap_or_default());
    let lines: Vec<&str> = output.lines().collect();
    let left_out = lines.len().saturating_sub(OUTPUT);
    if left_out > 0 {
        out.push(format!("  {left_out} earlier lines of output left out"));
    }
    out.extend(lines.iter().skip(left_out).map(|line| format!("  {line}")));
}

pub(super) fn changed(change: &FileChange, status: ItemStatus) -> String {
    let path = named(&change.path);
    let what = match (&change.kind, status) {
        (_, ItemStatus::Failed) => "Could not change",
        (_, ItemStatus::Declined) => "Was not allowed to change",
        (ChangeKind::Add, _) => "Added",
        (ChangeKind::Delete, _) => "Deleted",
        (ChangeKind::Update { .. }, _) => "Edited",
    };
    match &change.kind {
        ChangeKind::Update { move_path: Some(to) } => format!("{what} {path}, renamed to {}", named(to)),
        _ => format!("{what} {path}"),
    }
}
