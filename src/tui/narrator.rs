//! The thread told in plain lines, one after the other: for screen readers and terminals that can do no more. Nothing
//! is ever taken back, drawn around or counted up. Pure: lines and events in, lines and ops out.

use super::narrator_words::{
    answer, changed, clean, command_ended, named, noted, one_line, patched, spoken_answer,
};
use crate::base::clean::in_words;
use crate::base::ids::{AskId, ItemId};
use crate::protocol::ask::Ask;
use crate::protocol::event::Event;
use crate::protocol::input::UserInput;
use crate::protocol::item::{Item, ItemDelta, PlanStatus, ToolStatus};
use crate::protocol::op::Op;
use crate::protocol::turn::{TurnEnd, TurnStatus};
use crate::threads::Turn;
use crate::tui::keys::GUARD_MS;
use crate::tui::popups::{answers, facts};
use crate::tui::text;
use crate::tui::transcript::cells::command::spoken;

/// What is said to a line that came before anybody could have heard the question.
pub(crate) const TOO_SOON: &str =
    "That line came too soon to be an answer. Listen to the question, then type it again.";
/// Columns that are told of why a tool failed.
const REASON: usize = 300;

/// The thread, told.
#[derive(Debug, Default)]
pub(crate) struct Narrator {
    /// The message being written, and what of it was not told yet.
    message: Option<(ItemId, String)>,
    /// Questions that wait; the first is put.
    asks: Vec<(AskId, Box<Ask>)>,
    /// The time, as told last.
    now_ms: u64,
    /// When the first question was put: nobody can have heard it before.
    put_ms: u64,
    running: bool,
}

/// What a typed line means.
#[derive(Debug)]
pub(crate) enum Meant {
    /// Hand this to the thread.
    Op(Op),
    /// Say this.
    Say(String),
    /// A command of the app: its name and what follows.
    Command(String, String),
    /// Nothing.
    Nothing,
}

impl Narrator {
    /// The time of what comes next, on a clock that only runs forward.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
    }

    /// Whether a turn runs.
    pub(crate) fn is_running(&self) -> bool {
        self.running
    }

    /// A line was typed.
    pub(crate) fn on_line(&mut self, line: &str) -> Meant {
        let line = line.trim();
        if let Some((id, ask)) = self.asks.first() {
            let id = *id;
            let heard = self.now_ms >= self.put_ms.saturating_add(GUARD_MS);
            match answer(line, ask) {
                // Typed before the question: what it was typed for.
                None if !heard => {}
                Some(_) if !heard => return Meant::Say(TOO_SOON.to_owned()),
                Some(answer) => return Meant::Op(Op::Answer { id, answer }),
                None => {
                    let last = answers::choices(ask).len();
                    return Meant::Say(format!("Type a number from 1 to {last} and press enter."));
                }
            }
        }
        if let Some(command) = line.strip_prefix('!') {
            let command = command.trim().to_owned();
            return if command.is_empty() { Meant::Nothing } else { Meant::Op(Op::UserShell { command }) };
        }
        if let Some(rest) = line.strip_prefix('/') {
            let (name, args) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            return Meant::Command(name.to_owned(), args.trim().to_owned());
        }
        if line.is_empty() {
            return Meant::Nothing;
        }
        let input = vec![UserInput::Text { text: line.to_owned() }];
        Meant::Op(Op::UserTurn { input, output_schema: None })
    }

    /// Something happened in the thread.
    pub(crate) fn on_event(&mut self, event: &Event) -> Vec<String> {
        let mut out = Vec::new();
        match event {
            Event::TurnStarted { .. } => self.running = true,
            Event::ItemStarted { item } => self.started(item, &mut out),
            Event::ItemDelta { item_id, delta: ItemDelta::Text(more) } => self.more(item_id, more, &mut out),
            Event::ItemCompleted { item } => self.completed(item, &mut out),
            Event::ItemDropped { item_id } => {
                if self.message.take_if(|(id, _)| id == item_id).is_some() {
                    out.push("That answer broke off and is written again.".to_owned());
                }
            }
            Event::PlanUpdated { plan, .. } => {
                out.push("Plan:".to_owned());
                out.extend(plan.iter().map(|step| match step.status {
                    PlanStatus::Completed => format!("  done: {}", clean(&step.step)),
                    PlanStatus::InProgress => format!("  now: {}", clean(&step.step)),
                    PlanStatus::Pending => format!("  to do: {}", clean(&step.step)),
                }));
            }
            Event::Ask { id, ask } => {
                self.asks.push((*id, ask.clone()));
                if self.asks.len() == 1 {
                    self.put(&mut out);
                }
            }
            Event::AskResolved { id } => {
                let was_put = self.asks.first().is_some_and(|(open, _)| open == id);
                self.asks.retain(|(open, _)| open != id);
                if was_put {
                    self.put(&mut out);
                }
            }
            Event::Retrying { attempt, max, delay_ms, error } => out.push(format!(
                "Trying again, {attempt} of {max}, in {}s: {}",
                delay_ms.div_ceil(1000),
                clean(&error.message)
            )),
            Event::Warning { message } => out.push(format!("Warning: {}", clean(&in_words(message)))),
            Event::TurnCompleted(end) => self.ended(end, &mut out),
            Event::Sessions(running) if running.is_empty() => {
                out.push("Nothing runs in the background.".to_owned());
            }
            Event::Sessions(running) => {
                out.extend(running.iter().map(|command| format!("In the background: {}", spoken(command))));
            }
            Event::Closed => out.push("The thread has ended.".to_owned()),
            Event::ItemDelta { .. }
            | Event::DiffUpdated { .. }
            | Event::Usage(_)
            | Event::Limits(_)
            | Event::TurnPriced { .. }
            | Event::Configured(_)
            | Event::Opened(_)
            | Event::Rewound { .. } => {}
        }
        out
    }

    /// Stored turns, told as they were.
    pub(crate) fn on_past(&mut self, turns: &[Turn]) -> Vec<String> {
        let mut out = Vec::new();
        for turn in turns {
            self.past_turn(turn, &mut out);
        }
        out
    }

    fn past_turn(&mut self, turn: &Turn, out: &mut Vec<String>) {
        let mut notes = turn.notes.iter().peekable();
        for (at, item) in turn.items.iter().enumerate() {
            while let Some(placed) = notes.next_if(|placed| placed.at <= at) {
                noted(&placed.note, out);
            }
            if let Item::UserMessage { content, .. } = item {
                let texts = content.iter().filter_map(|part| match part {
                    UserInput::Text { text } => Some(clean(text)),
                    UserInput::Image { .. } | UserInput::LocalImage { .. } => None,
                });
                out.extend(texts.map(|text| format!("You: {text}")));
            }
            self.completed(item, out);
        }
        notes.for_each(|placed| noted(&placed.note, out));
    }

    fn started(&mut self, item: &Item, out: &mut Vec<String>) {
        match item {
            Item::AgentMessage { id, .. } => {
                self.message = Some((id.clone(), String::new()));
                out.push("Codex:".to_owned());
            }
            Item::CommandExecution(command) => {
                out.push(format!("Running: {}", clean(&spoken(&command.command))))
            }
            _ => {}
        }
    }

    /// Whole lines are told as they come.
    fn more(&mut self, id: &ItemId, more: &str, out: &mut Vec<String>) {
        let Some((_, rest)) = self.message.as_mut().filter(|(open, _)| open == id) else { return };
        rest.push_str(more);
        if let Some((whole, left)) = rest.rsplit_once('\n') {
            out.extend(clean(whole).split('\n').map(str::to_owned));
            *rest = left.to_owned();
        }
    }

    fn completed(&mut self, item: &Item, out: &mut Vec<String>) {
        match item {
            Item::AgentMessage { id, text, .. } => match self.message.take_if(|(open, _)| open == id) {
                Some((_, rest)) if rest.is_empty() => {}
                Some((_, rest)) => out.push(clean(&rest)),
                None => {
                    out.push("Codex:".to_owned());
                    out.extend(clean(text).lines().map(str::to_owned));
                }
            },
            Item::CommandExecution(command) => command_ended(command, out),
            Item::FileChange { changes, status, error, .. } => {
                out.extend(changes.iter().map(|change| changed(change, *status)));
                let why = error.as_deref().map(crate::patch::words::reason);
                out.extend(why.map(|why| format!("  because: {}", clean(&why))));
            }
            Item::ToolCall { tool, status: ToolStatus::Failed, output, .. } => {
                let why = output.as_deref().map(one_line).filter(|why| !why.is_empty());
                let why = why.map(|why| format!(": {}", text::truncate_end(&why, REASON)));
                out.push(format!("Tool {} failed{}", clean(tool), why.unwrap_or_default()));
            }
            Item::ToolCall { tool, .. } => out.push(format!("Tool {}: done", clean(tool))),
            Item::WebSearch { query, .. } => out.push(format!("Searched the web for {}", clean(query))),
            Item::ImageView { path, .. } => out.push(format!("Looked at the image {}", named(path))),
            Item::ContextCompaction { .. } => out.push("The conversation was summarised.".to_owned()),
            Item::EnteredReviewMode { review, .. } => out.push(format!("Review: {}", one_line(review))),
            // With a result, its text follows as a message.
            Item::ExitedReviewMode { output: None, review, .. } => out.push(clean(review)),
            Item::ExitedReviewMode { .. } => out.push("The review is finished.".to_owned()),
            Item::UserMessage { .. } | Item::Reasoning { .. } => {}
        }
    }

    /// Puts the first waiting question.
    fn put(&mut self, out: &mut Vec<String>) {
        let Some((_, ask)) = self.asks.first() else { return };
        self.put_ms = self.now_ms;
        let reason = match ask.as_ref() {
            Ask::Command { command, cwd, reason, .. } => {
                out.push("Question: may this command run?".to_owned());
                let command = spoken(command);
                let mut lines = command.trim_end().lines();
                out.push(format!("  command: {}", clean(lines.next().unwrap_or_default())));
                // Indented, so that no line of it passes for one of ours.
                out.extend(lines.map(|line| format!("    {}", clean(line))));
                out.push(format!("  folder: {}", named(cwd)));
                reason
            }
            Ask::Patch { changes, reason, .. } => {
                out.push("Question: may these changes be made?".to_owned());
                for change in changes {
                    out.push(format!("  file: {}", named(&change.path)));
                    let diff = text::reveal(&change.diff);
                    out.extend(clean(&diff).lines().map(|line| format!("    {line}")));
                }
                reason
            }
        };
        out.extend(reason.as_deref().map(|reason| format!("  reason: {}", one_line(reason))));
        let facts = facts::facts(ask, None).into_iter();
        out.extend(facts.map(|(label, value)| {
            format!("  {}: {}", label.to_lowercase(), one_line(&text::reveal_line(&value)))
        }));
        let choices = answers::choices(ask);
        out.extend(
            choices.iter().enumerate().map(|(at, answer)| format!("{}: {}", at + 1, spoken_answer(*answer))),
        );
        out.push("Type a number and press enter.".to_owned());
    }

    fn ended(&mut self, end: &TurnEnd, out: &mut Vec<String>) {
        self.running = false;
        self.message = None;
        self.asks.clear();
        let seconds = end.duration_ms / 1000;
        out.extend(end.network.words().map(|places| format!("Network: {places}")));
        out.push(match (end.status, &end.error) {
            (TurnStatus::Failed, Some(error)) => format!("Error: {}", clean(&error.to_string())),
            (TurnStatus::Failed, None) => "Error: the turn failed.".to_owned(),
            (TurnStatus::Interrupted, _) => format!("Interrupted after {seconds} seconds."),
            (TurnStatus::Completed | TurnStatus::InProgress, _) => {
                let after = if seconds == 0 { String::new() } else { format!(" after {seconds} seconds") };
                format!("Ready{after}.{}", end.changed.map(patched).unwrap_or_default())
            }
        });
    }
}

#[cfg(test)]
#[path = "narrator_tests.rs"]
mod tests;
