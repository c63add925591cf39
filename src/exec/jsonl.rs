//! Machine: events → the [lines](super::jsonl_lines) of `exec --json`. Half-written messages never appear, so a repeated attempt cannot double anything;
//! every item that was started gets exactly one final line, whatever happens to its turn.

use super::jsonl_lines::{Details, ItemLine, Line, Message, Usage, details, todo_items};
use super::run::Show;
use crate::base::ids::{ItemId, ThreadId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::{Item, ItemStatus, PlanStep};
use crate::protocol::network::Visit;
use crate::protocol::turn::{TurnEnd, TurnStatus};

/// The state between lines.
#[derive(Debug)]
pub(crate) struct Lines {
    show: Show,
    next_id: u64,
    /// Started and not finished, with the number of their line id.
    open: Vec<(Item, u64)>,
    todo: Option<(u64, Vec<PlanStep>)>,
}

impl Lines {
    /// Before anything was written.
    pub(crate) fn new(show: Show) -> Self {
        Self { show, next_id: 0, open: Vec::new(), todo: None }
    }

    /// The first line.
    pub(crate) fn open(&mut self, thread_id: ThreadId) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out, &Line::ThreadStarted { thread_id: thread_id.to_string() });
        out
    }

    /// The lines an event makes: none, one, or several, each ending with a line break.
    pub(crate) fn event(&mut self, event: &Event) -> Vec<u8> {
        let mut out = Vec::new();
        match event {
            Event::TurnStarted { .. } => write(&mut out, &Line::TurnStarted),
            Event::ItemStarted { item } => self.started(&mut out, item),
            Event::ItemCompleted { item } => self.completed(&mut out, item),
            Event::ItemDropped { item_id } => self.dropped(&mut out, item_id),
            Event::PlanUpdated { plan, .. } => self.plan(&mut out, plan),
            Event::Retrying { attempt, max, error, .. } => {
                // Without a number of retries it is time that bounds them: there is no connection at all.
                let message = match max {
                    0 => format!("Reconnecting... waiting for network ({error})"),
                    _ => format!("Reconnecting... {attempt}/{max} ({error})"),
                };
                write(&mut out, &Line::Error { message });
            }
            Event::Warning { message } => {
                let id = self.take_id();
                write(&mut out, &Line::completed(id, Details::Error { message }));
            }
            Event::TurnCompleted(end) => self.turn_completed(&mut out, end),
            Event::ItemDelta { .. }
            | Event::DiffUpdated { .. }
            | Event::Usage(_)
            | Event::Limits(_)
            | Event::Configured(_)
            | Event::Opened(_)
            | Event::Rewound { .. }
            | Event::Sessions(_)
            | Event::TurnPriced { .. }
            | Event::Ask { .. }
            | Event::AskResolved { .. }
            | Event::Closed => {}
        }
        out
    }

    /// The lines of an error outside a turn, or of a thread that is gone before its turn ended.
    pub(crate) fn failed(&mut self, error: &ErrorInfo) -> Vec<u8> {
        let mut out = Vec::new();
        self.close_all(&mut out);
        failed(&mut out, &error.to_string(), &[]);
        out
    }

    fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    fn started(&mut self, out: &mut Vec<u8>, item: &Item) {
        // Texts have no start: they are told when they are whole.
        let has_start =
            matches!(item, Item::CommandExecution(_) | Item::FileChange { .. } | Item::WebSearch { .. });
        if !has_start || self.open.iter().any(|(open, _)| open.id() == item.id()) {
            return;
        }
        if let Some(details) = details(item, self.show) {
            let id = self.take_id();
            write(out, &Line::ItemStarted { item: ItemLine::new(id, details) });
            self.open.push((item.clone(), id));
        }
    }

    fn completed(&mut self, out: &mut Vec<u8>, item: &Item) {
        let open = self.open.iter().position(|(open, _)| open.id() == item.id());
        let id = open.map(|at| self.open.remove(at).1);
        if let Some(details) = details(item, self.show) {
            let id = id.unwrap_or_else(|| self.take_id());
            write(out, &Line::completed(id, details));
        }
    }

    fn dropped(&mut self, out: &mut Vec<u8>, item_id: &ItemId) {
        if let Some(at) = self.open.iter().position(|(open, _)| open.id() == item_id) {
            let (item, id) = self.open.remove(at);
            close(out, item, id, self.show);
        }
    }

    fn plan(&mut self, out: &mut Vec<u8>, plan: &[PlanStep]) {
        let items = todo_items(plan);
        let line = match &self.todo {
            Some((id, _)) => Line::ItemUpdated { item: ItemLine::new(*id, Details::TodoList { items }) },
            None => Line::ItemStarted { item: ItemLine::new(self.next_id, Details::TodoList { items }) },
        };
        write(out, &line);
        let id = self.todo.as_ref().map(|(id, _)| *id).unwrap_or_else(|| self.take_id());
        self.todo = Some((id, plan.to_vec()));
    }

    fn turn_completed(&mut self, out: &mut Vec<u8>, end: &TurnEnd) {
        self.close_all(out);
        let network = end.network.places.as_slice();
        match end.status {
            TurnStatus::Completed | TurnStatus::InProgress => {
                write(out, &Line::TurnCompleted { usage: Usage::from(&end.usage), network });
            }
            TurnStatus::Interrupted => {
                write(out, &Line::TurnFailed { error: Message { message: "interrupted" }, network });
            }
            TurnStatus::Failed => {
                let text =
                    end.error.as_ref().map_or_else(|| "The turn failed.".to_owned(), ErrorInfo::to_string);
                failed(out, &text, network);
            }
        }
    }

    /// Gives everything that is still open its final line.
    fn close_all(&mut self, out: &mut Vec<u8>) {
        for (item, id) in std::mem::take(&mut self.open) {
            close(out, item, id, self.show);
        }
        if let Some((id, plan)) = self.todo.take() {
            write(out, &Line::completed(id, Details::TodoList { items: todo_items(&plan) }));
        }
    }
}

/// The final line of an item that never told its own end.
fn close(out: &mut Vec<u8>, mut item: Item, id: u64, show: Show) {
    match &mut item {
        Item::CommandExecution(command) => command.status = ItemStatus::Failed,
        Item::FileChange { status, .. } => *status = ItemStatus::Failed,
        _ => {}
    }
    if let Some(details) = details(&item, show) {
        write(out, &Line::completed(id, details));
    }
}

fn failed(out: &mut Vec<u8>, message: &str, network: &[Visit]) {
    write(out, &Line::Error { message: message.to_owned() });
    write(out, &Line::TurnFailed { error: Message { message }, network });
}

/// Lossless for everything these types can hold; a failure here would be a fault of this file.
fn write(out: &mut Vec<u8>, line: &Line<'_>) {
    let start = out.len();
    match serde_json::to_writer(&mut *out, line) {
        Ok(()) => out.push(b'\n'),
        Err(_) => out.truncate(start),
    }
}

#[cfg(test)]
#[path = "jsonl_tests.rs"]
pub(crate) mod tests;
