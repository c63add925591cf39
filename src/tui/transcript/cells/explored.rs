//! Commands that only read, one after the other, as one cell: what was listed, read and searched, not how. Unfolded
//! each command stands with its output, and what the model thought between them stands where it was thought.

use std::borrow::Cow;

use ratatui::text::{Line, Span};

use super::command::Command;
use super::reasoning::Reasoning;
use crate::protocol::item::{CommandAction, CommandItem, CommandSource};
use crate::tui::text;
use crate::tui::theme::Role;
use crate::tui::transcript::cell::{Cell, FOLD_KEY, Look, Needle, all_parts};
use crate::tui::transcript::rows::{count, detail_width, head, one_row, under};

/// Steps in one cell; more begin another, so that no cell grows without end.
const MAX: usize = 100;
/// Rows shown folded; of more, the last ones are shown.
const ROWS: usize = 8;

/// Some commands that only read.
#[derive(Debug, Default)]
pub(crate) struct Explored {
    steps: Vec<Step>,
    revision: u32,
}

#[derive(Debug)]
enum Step {
    Command {
        command: Command,
        rows: Box<[(Verb, Box<str>)]>,
    },
    /// Shown unfolded only.
    Thought(Reasoning),
}

impl Step {
    fn cell(&self) -> &dyn Cell {
        match self {
            Self::Command { command, .. } => command,
            Self::Thought(thought) => thought,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    List,
    Read,
    Search,
}

/// Whether a command belongs into such a cell: the model's own, and nothing but reading as far as its words tell.
pub(crate) fn only_reads(item: &CommandItem) -> bool {
    let unknown = |action: &CommandAction| matches!(action, CommandAction::Unknown { .. });
    matches!(item.source, CommandSource::Agent | CommandSource::UnifiedExecStartup)
        && !item.command_actions.is_empty()
        && !item.command_actions.iter().any(unknown)
}

impl Explored {
    /// Whether another command finds room.
    pub(crate) fn has_room(&self) -> bool {
        self.steps.len() < MAX
    }

    /// Adds a command; gives its place.
    pub(crate) fn add(&mut self, item: &CommandItem, now_ms: u64) -> usize {
        self.revision += 1;
        self.steps
            .push(Step::Command { command: Command::new(item, now_ms), rows: rows(&item.command_actions) });
        self.steps.len() - 1
    }

    /// Takes in what the model thought since the last command, so that it does not part the commands.
    pub(crate) fn think(&mut self, thought: Reasoning) {
        self.revision += 1;
        self.steps.push(Step::Thought(thought));
    }

    /// The command at a place.
    pub(crate) fn at(&mut self, place: usize) -> Option<&mut Command> {
        self.revision += 1;
        match self.steps.get_mut(place)? {
            Step::Command { command, .. } => Some(command),
            Step::Thought(_) => None,
        }
    }

    /// Nobody will tell the ends of the rest.
    pub(crate) fn abandon(&mut self) {
        self.revision += 1;
        for step in &mut self.steps {
            match step {
                Step::Command { command, .. } => command.abandon(),
                Step::Thought(thought) => thought.abandon(),
            }
        }
    }

    /// The folded rows: verb, what, and trouble. Files read one after the other share a row.
    fn summary(&self) -> Vec<(Verb, String, Option<String>)> {
        let mut out: Vec<(Verb, String, Option<String>)> = Vec::new();
        for step in &self.steps {
            let Step::Command { command, rows } = step else { continue };
            let trouble = trouble(command);
            let last = rows.len().saturating_sub(1);
            for (index, (verb, what)) in rows.iter().enumerate() {
                let trouble = trouble.clone().filter(|_| index == last);
                match out.last_mut() {
                    Some((Verb::Read, files, None)) if *verb == Verb::Read && trouble.is_none() => {
                        let known = files.split(", ").any(|file| file == what.as_ref());
                        if !known {
                            files.push_str(", ");
                            files.push_str(what);
                        }
                    }
                    _ => out.push((*verb, what.to_string(), trouble)),
                }
            }
        }
        out
    }

    fn folded(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        let (marker, verb) = match self.is_live() {
            true => (Span::styled("•", look.style(Role::Accent)), "Exploring"),
            false => (Span::styled("•", look.style(Role::Good)), "Explored"),
        };
        let words = vec![Span::styled(verb, look.style(Role::Strong))];
        let tail = if self.is_live() { String::new() } else { format!(" · {FOLD_KEY} for details") };
        let mut lines = vec![head(marker, words, &tail, width, look)];
        let summary = self.summary();
        let room = detail_width(width);
        let earlier = if summary.len() > ROWS + 1 { summary.len() - ROWS } else { 0 };
        let mut rows = Vec::new();
        if earlier > 0 {
            let note = format!("… {}", count(earlier, "earlier row", "earlier rows"));
            rows.push(Line::styled(note, look.style(Role::Dim)));
        }
        for (verb, what, trouble) in summary.into_iter().skip(earlier) {
            rows.push(row(verb, &what, trouble, room, look));
        }
        lines.extend(under(rows, width, look));
        lines
    }

    /// Which step a part belongs to, and which part of it that is.
    fn locate(&self, mut part: usize, look: &Look<'_>) -> Option<(usize, usize)> {
        for (index, step) in self.steps.iter().enumerate() {
            let parts = step.cell().parts(look);
            if part < parts {
                return Some((index, part));
            }
            part -= parts;
        }
        None
    }
}

impl Cell for Explored {
    fn lines(&self, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        all_parts(self, width, look)
    }

    fn text(&self) -> Cow<'_, str> {
        let texts: Vec<_> = self.steps.iter().map(|step| step.cell().text()).collect();
        Cow::Owned(texts.join("\n"))
    }

    fn may_grow(&self) -> bool {
        true
    }

    fn is_live(&self) -> bool {
        self.steps.iter().any(|step| step.cell().is_live())
    }

    fn parts(&self, look: &Look<'_>) -> usize {
        if !look.unfolded {
            return 1;
        }
        self.steps.iter().map(|step| step.cell().parts(look)).sum()
    }

    fn part(&self, part: usize, width: u16, look: &Look<'_>) -> Vec<Line<'static>> {
        if !look.unfolded {
            return self.folded(width, look);
        }
        let Some((index, inside)) = self.locate(part, look) else { return Vec::new() };
        let mut lines = Vec::new();
        if index > 0 && inside == 0 {
            lines.push(Line::default());
        }
        if let Some(step) = self.steps.get(index) {
            lines.extend(step.cell().part(inside, width, look));
        }
        lines
    }

    fn stamp(&self, part: usize, look: &Look<'_>) -> u64 {
        let step = || self.locate(part, look).and_then(|(index, _)| self.steps.get(index));
        let seconds = match look.unfolded {
            true => step().map_or(0, |step| step.cell().stamp(0, look) & 0xffff_ffff),
            false => 0,
        };
        u64::from(self.revision) << 32 | seconds
    }

    fn has(&self, needle: &Needle) -> bool {
        self.steps.iter().any(|step| step.cell().has(needle))
    }
}

fn row(verb: Verb, what: &str, trouble: Option<String>, room: u16, look: &Look<'_>) -> Line<'static> {
    let verb = match verb {
        Verb::List => "List",
        Verb::Read => "Read",
        Verb::Search => "Search",
    };
    let mut spans = vec![Span::styled(verb, look.style(Role::Accent)), Span::raw(" ")];
    let tail = trouble.map(|trouble| format!(" · {trouble}")).unwrap_or_default();
    let used = text::width(verb) + 1 + text::width(&tail);
    spans.push(Span::raw(one_row(what, usize::from(room).saturating_sub(used).max(1))));
    spans.push(Span::styled(tail, look.style(Role::Dim)));
    text::truncate_line(Line::from(spans), usize::from(room))
}

/// A search that finds nothing is no trouble, although it ends with status 1.
fn trouble(command: &Command) -> Option<String> {
    let trouble = command.trouble()?;
    let nothing_found = trouble == "exited (status 1)" && command.output().trim().is_empty();
    Some(if nothing_found { "nothing found".to_owned() } else { trouble })
}

fn rows(actions: &[CommandAction]) -> Box<[(Verb, Box<str>)]> {
    let row = |action: &CommandAction| match action {
        CommandAction::Read { name, .. } => (Verb::Read, name.as_str().into()),
        CommandAction::ListFiles { command, path } => (Verb::List, path.as_deref().unwrap_or(command).into()),
        CommandAction::Search { command, query, path } => {
            let what = match (query, path) {
                (Some(query), Some(path)) => format!("{query} in {path}"),
                (Some(query), None) => query.clone(),
                (None, _) => command.clone(),
            };
            (Verb::Search, what.into())
        }
        CommandAction::Unknown { command } => (Verb::Read, command.as_str().into()),
    };
    actions.iter().map(row).collect()
}
