//! The stream of one request → items for the readers. Pure. Items are shown while they are written and are
//! complete only with the attempt: a cut stream drops them, and the next attempt writes them anew, so that
//! nothing appears twice.

use std::collections::HashSet;

use super::calls::Pending;
use crate::base::ids::ItemId;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::{Item, ItemDelta, MessagePhase};
use crate::protocol::model_item::{ModelItem, ModelItemKind, OutputKind};
use crate::protocol::tokens::TokenUsage;
use crate::responses::{Output, OutputItem, ResponseEvent, items};
use crate::tools::tool::{Payload, ToolCall};

/// What an event of the stream means.
#[derive(Debug)]
pub(crate) enum Step {
    /// Tell the readers.
    Tell(Vec<Event>),
    /// The answer is complete.
    Complete(Option<TokenUsage>),
    /// There will be no complete answer.
    Failed {
        /// Why.
        error: ErrorInfo,
        /// Tokens, when the server counted them.
        usage: Option<TokenUsage>,
    },
}

/// One attempt after the other, until one is complete.
#[derive(Debug, Default)]
pub(crate) struct Ingest {
    open: Vec<Open>,
    done: Vec<(ItemId, OutputItem)>,
}

/// An item that is being written.
#[derive(Debug)]
struct Open {
    /// The server's id; empty when it has none.
    server_id: String,
    /// The id the readers know.
    id: ItemId,
    kind: Kind,
    /// Text so far, kept in case that this is all the user will ever get.
    text: String,
    phase: Option<MessagePhase>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
}

/// A complete item, ready to be stored.
#[derive(Debug)]
pub(crate) struct Done {
    /// For the model's view.
    pub(crate) model_item: ModelItem,
    /// For the readers; calls are told by their tools instead.
    pub(crate) item: Option<Item>,
    /// To be carried out.
    pub(crate) call: Option<Pending>,
}

impl Done {
    /// The text, when this is an answer and not a remark on the way.
    pub(crate) fn answer(&self) -> Option<&str> {
        match &self.item {
            Some(Item::AgentMessage { text, phase, .. }) if *phase != Some(MessagePhase::Commentary) => {
                Some(text)
            }
            _ => None,
        }
    }
}

impl Ingest {
    /// Takes the next event. `seen` holds the item ids of the whole thread.
    pub(crate) fn on(&mut self, event: ResponseEvent, seen: &mut HashSet<String>) -> Step {
        let events = match event {
            ResponseEvent::Created | ResponseEvent::Model(_) => Vec::new(),
            ResponseEvent::Limits(limits) => vec![Event::Limits(limits)],
            ResponseEvent::ItemAdded(output) => self.added(&output, seen),
            ResponseEvent::TextDelta { item_id, delta } => {
                self.delta(item_id, Kind::Message, ItemDelta::Text(delta), seen)
            }
            ResponseEvent::SummarySection { item_id } => {
                self.delta(item_id, Kind::Reasoning, ItemDelta::SummarySection, seen)
            }
            ResponseEvent::SummaryDelta { item_id, delta } => {
                self.delta(item_id, Kind::Reasoning, ItemDelta::Summary(delta), seen)
            }
            ResponseEvent::ReasoningDelta { item_id, delta } => {
                self.delta(item_id, Kind::Reasoning, ItemDelta::Reasoning(delta), seen)
            }
            ResponseEvent::ItemDone(item) => self.finished(*item, seen),
            ResponseEvent::Retrying { attempt, max, delay_ms, error } => {
                let mut events = self.drop_attempt();
                events.push(Event::Retrying { attempt, max, delay_ms, error });
                events
            }
            ResponseEvent::Completed { usage } => return Step::Complete(usage),
            ResponseEvent::Incomplete { error, usage } => return Step::Failed { error, usage },
            ResponseEvent::Failed(error) => return Step::Failed { error, usage: None },
        };
        Step::Tell(events)
    }

    fn added(&mut self, output: &Output, seen: &mut HashSet<String>) -> Vec<Event> {
        match output {
            Output::Message { id, phase, .. } => self.start(id.clone(), Kind::Message, *phase, seen),
            Output::Reasoning { id, .. } => self.start(id.clone(), Kind::Reasoning, None, seen),
            Output::FunctionCall { .. }
            | Output::CustomToolCall { .. }
            | Output::LocalShellCall { .. }
            | Output::WebSearch { .. }
            | Output::Compaction { .. }
            | Output::Other { .. } => Vec::new(),
        }
    }

    fn start(
        &mut self,
        server_id: String,
        kind: Kind,
        phase: Option<MessagePhase>,
        seen: &mut HashSet<String>,
    ) -> Vec<Event> {
        let id = fresh(&server_id, kind, seen);
        let item = match kind {
            Kind::Message => Item::AgentMessage { id: id.clone(), text: String::new(), phase },
            Kind::Reasoning => Item::Reasoning { id: id.clone(), summary: Vec::new(), content: Vec::new() },
        };
        self.open.push(Open { server_id, id, kind, text: String::new(), phase });
        vec![Event::ItemStarted { item }]
    }

    /// A delta may come for an item that was never announced, and without an id: then it is the newest of its
    /// kind, or begins one.
    fn delta(
        &mut self,
        item_id: String,
        kind: Kind,
        delta: ItemDelta,
        seen: &mut HashSet<String>,
    ) -> Vec<Event> {
        let known =
            self.open.iter().rposition(|o| o.kind == kind && (o.server_id == item_id || item_id.is_empty()));
        let (mut events, index) = match known {
            Some(index) => (Vec::new(), index),
            None => (self.start(item_id, kind, None, seen), self.open.len() - 1),
        };
        if let Some(open) = self.open.get_mut(index) {
            if let ItemDelta::Text(text) = &delta {
                open.text.push_str(text);
            }
            events.push(Event::ItemDelta { item_id: open.id.clone(), delta });
        }
        events
    }

    fn finished(&mut self, item: OutputItem, seen: &mut HashSet<String>) -> Vec<Event> {
        let (server_id, kind) = match &item.what {
            Output::Message { id, .. } => (id, Kind::Message),
            Output::Reasoning { id, .. } => (id, Kind::Reasoning),
            Output::WebSearch { id, .. } | Output::Compaction { id } | Output::Other { id, .. } => {
                let id = fresh(id, Kind::Message, seen);
                self.done.push((id, item));
                return Vec::new();
            }
            Output::FunctionCall { call_id, .. }
            | Output::CustomToolCall { call_id, .. }
            | Output::LocalShellCall { call_id, .. } => {
                self.done.push((ItemId::from(call_id.as_str()), item));
                return Vec::new();
            }
        };
        let known = self
            .open
            .iter()
            .position(|o| o.kind == kind && (o.server_id == *server_id || o.server_id.is_empty()));
        let (id, events) = match known {
            Some(index) => (self.open.remove(index).id, Vec::new()),
            None => {
                let events = self.start(server_id.clone(), kind, None, seen);
                (self.open.pop().map_or_else(|| ItemId::with_prefix("msg"), |o| o.id), events)
            }
        };
        self.done.push((id, item));
        events
    }

    /// The attempt is void: its messages and reasoning are taken back.
    pub(crate) fn drop_attempt(&mut self) -> Vec<Event> {
        let open = std::mem::take(&mut self.open).into_iter().map(|o| o.id);
        let done = std::mem::take(&mut self.done)
            .into_iter()
            .filter(|(_, item)| matches!(item.what, Output::Message { .. } | Output::Reasoning { .. }))
            .map(|(id, _)| id);
        done.chain(open).map(|item_id| Event::ItemDropped { item_id }).collect()
    }

    /// What a complete attempt brought, in order. Items that were begun and never finished are taken back.
    pub(crate) fn into_done(self) -> (Vec<Done>, Vec<Event>) {
        let dropped = self.open.into_iter().map(|o| Event::ItemDropped { item_id: o.id }).collect();
        (self.done.into_iter().map(|(id, item)| done(id, item)).collect(), dropped)
    }

    /// The text of all complete messages.
    pub(crate) fn message_text(&self) -> String {
        let texts = self.done.iter().filter_map(|(_, item)| match &item.what {
            Output::Message { text, .. } => Some(text.as_str()),
            _ => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    /// What is kept of an attempt that ends for good without being complete: the text the user has seen.
    /// Reasoning and calls are not kept, the service would not take them back in this form.
    pub(crate) fn salvage(mut self) -> (Vec<(ModelItem, Item)>, Vec<Event>) {
        let mut kept = Vec::new();
        let mut dropped = Vec::new();
        for (id, item) in self.done.drain(..) {
            match item.what {
                Output::Message { text, phase, .. } if !text.is_empty() => {
                    kept.push((item.model_item, Item::AgentMessage { id, text, phase }));
                }
                Output::Message { .. } | Output::Reasoning { .. } => {
                    dropped.push(Event::ItemDropped { item_id: id });
                }
                _ => {}
            }
        }
        for open in self.open.drain(..) {
            if open.kind == Kind::Message && !open.text.trim().is_empty() {
                let message = items::assistant(&open.text);
                let item = Item::AgentMessage { id: open.id, text: open.text, phase: open.phase };
                kept.push((message, item));
            } else {
                dropped.push(Event::ItemDropped { item_id: open.id });
            }
        }
        (kept, dropped)
    }
}

/// The server's id, or one of ours when it has none or repeats one.
fn fresh(server_id: &str, kind: Kind, seen: &mut HashSet<String>) -> ItemId {
    if !server_id.is_empty() && seen.insert(server_id.to_owned()) {
        return ItemId::from(server_id);
    }
    ItemId::with_prefix(match kind {
        Kind::Message => "msg",
        Kind::Reasoning => "rs",
    })
}

fn done(id: ItemId, item: OutputItem) -> Done {
    let OutputItem { model_item, what } = item;
    let output = match &model_item.kind {
        ModelItemKind::Call { output, .. } => *output,
        _ => OutputKind::Function,
    };
    let call = |call_id: String, name: String, payload: Payload| {
        Some(Pending { call: ToolCall { call_id, name, payload }, output })
    };
    let (item, call) = match what {
        Output::Message { text, phase, .. } => (Some(Item::AgentMessage { id, text, phase }), None),
        Output::Reasoning { summary, content, .. } => (Some(Item::Reasoning { id, summary, content }), None),
        Output::FunctionCall { call_id, name, namespace, arguments, .. } => {
            let name = namespace.map_or(name.clone(), |space| format!("{space}.{name}"));
            (None, call(call_id, name, Payload::Function(arguments)))
        }
        Output::CustomToolCall { call_id, name, input, .. } => {
            (None, call(call_id, name, Payload::Custom(input)))
        }
        Output::LocalShellCall { call_id, command, workdir, timeout_ms, .. } => {
            let arguments = serde_json::json!({
                "command": command, "workdir": workdir, "timeout_ms": timeout_ms,
            });
            (None, call(call_id, "local_shell".to_owned(), Payload::Function(arguments.to_string())))
        }
        Output::WebSearch { query, .. } => (Some(Item::WebSearch { id, query }), None),
        Output::Compaction { .. } => (Some(Item::ContextCompaction { id }), None),
        Output::Other { .. } => (None, None),
    };
    Done { model_item, item, call }
}

#[cfg(test)]
#[path = "ingest_tests.rs"]
mod tests;
