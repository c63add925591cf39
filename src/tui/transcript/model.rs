//! Events → cells. What an event means for the list is decided here and nowhere else; it is pure, time comes with the
//! event. Stored turns go through the same functions ([`super::replay`]), so that a resumed thread looks as it did.

use std::collections::HashMap;
use std::path::PathBuf;

use super::bodies::make;
use super::cell::Cell;
use super::cells::command::Command;
use super::cells::explored::{Explored, only_reads};
use super::cells::header::Header;
use super::cells::notice::Notice;
use super::cells::plan::Plan;
use super::cells::user::User;
use super::list::{Body, Cells, Key};
use crate::base::ids::{AskId, ItemId, TurnId};
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::{CommandItem, Item, ItemDelta, PlanStep};
use crate::protocol::limits::Price;
use crate::protocol::network::Visits;
use crate::protocol::note::{Level, Note};
use crate::protocol::turn::{Changed, TurnStatus};
use crate::tui::text::sanitize;

/// The time of an event.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Now {
    /// A clock that only runs forward, in milliseconds; the same as in `Look`.
    pub(crate) ms: u64,
    /// Unix seconds.
    pub(crate) unix: u64,
}

/// What the transcript needs to know about its surroundings.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// Version of the program.
    pub(crate) version: &'static str,
    /// Working directory; paths below it are shown relative to it.
    pub(crate) cwd: PathBuf,
    /// The working directory as it is shown, `~` for home.
    pub(crate) directory: String,
    /// Unix seconds → wall clock in the user's time zone, such as `11:34`.
    pub(crate) wall_clock: fn(u64) -> String,
}

/// How a turn ended, live or stored.
pub(super) struct Ended<'a> {
    pub(super) status: TurnStatus,
    pub(super) error: Option<&'a ErrorInfo>,
    pub(super) duration_ms: Option<u64>,
    /// Unix seconds.
    pub(super) at: Option<u64>,
    /// What it cost of each limit window.
    pub(super) price: &'a [Price],
    /// What its patches changed.
    pub(super) changed: Option<Changed>,
    /// But for its last answer.
    pub(super) so_far: bool,
    /// What its commands reached in the network.
    pub(super) network: &'a Visits,
}

/// A cell that an open item is shown in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) key: Key,
    /// Which of several commands of the cell.
    inside: Option<usize>,
}

/// The cells, and which of them still change.
pub(crate) struct Model {
    pub(super) cells: Cells,
    pub(super) setup: Setup,
    pub(super) open: HashMap<ItemId, Place>,
    pub(super) asks: HashMap<AskId, ItemId>,
    /// The item of the last cell that shows one.
    pub(super) last: Option<ItemId>,
    /// The turn that runs or ended last.
    pub(super) turn: Option<TurnId>,
    /// The line below the turn that ended last.
    pub(super) turn_end: Option<(TurnId, Key)>,
    /// No turn is at it.
    pub(super) ended: bool,
    /// Notes that are to be kept with the thread.
    pub(super) fresh: Vec<Note>,
}

impl Model {
    /// A transcript that holds its header alone.
    pub(crate) fn new(setup: Setup) -> Self {
        let mut cells = Cells::default();
        cells.push(Body::Header(Box::new(Header::new(setup.version, &setup.directory))));
        let (open, asks) = (HashMap::new(), HashMap::new());
        let (turn, turn_end) = (None, None);
        Self { cells, setup, open, asks, last: None, turn, turn_end, ended: true, fresh: Vec::new() }
    }

    /// Takes the next event.
    pub(crate) fn apply(&mut self, event: &Event, now: Now) {
        match event {
            Event::ItemStarted { item } => self.start(item, now),
            Event::ItemDelta { item_id, delta } => self.delta(item_id, delta),
            Event::ItemCompleted { item } => self.complete(item, now),
            Event::ItemDropped { item_id } => self.drop_item(item_id),
            Event::PlanUpdated { explanation, plan } => self.plan(explanation.as_deref(), plan),
            Event::Warning { message } => self.notice(Notice::new(Level::Warning, message)),
            Event::Ask { id, ask } => self.ask(*id, ask, now),
            Event::AskResolved { id } => self.resolve(*id, now),
            Event::TurnPriced { turn_id, price } => self.priced(*turn_id, price),
            Event::TurnCompleted(end) => self.turn_completed(end, now),
            Event::TurnStarted { turn_id } => (self.turn, self.ended) = (Some(*turn_id), false),
            Event::DiffUpdated { .. }
            | Event::Usage(_)
            | Event::Limits(_)
            | Event::Retrying { .. }
            | Event::Configured(_)
            | Event::Opened(_)
            | Event::Rewound { .. }
            | Event::Sessions(_)
            | Event::Closed => {}
        }
    }

    /// Drops a prompt and everything after it.
    pub(crate) fn cut_from(&mut self, key: Key) {
        self.cells.cut_from(key);
        self.open.retain(|_, place| place.key < key);
        // Which item the last cell shows is not known any more: notes stand where they reach the file.
        self.last = None;
        self.turn_end = self.turn_end.filter(|(_, end)| *end < key);
    }

    /// Drops everything but the header.
    pub(crate) fn clear(&mut self) {
        let setup = self.setup.clone();
        self.cells.clear();
        self.open.clear();
        self.asks.clear();
        (self.last, self.turn, self.turn_end, self.ended) = (None, None, None, true);
        self.fresh.clear();
        self.cells.push(Body::Header(Box::new(Header::new(setup.version, &setup.directory))));
    }

    /// The working directory changed; cells that are there keep the paths they show.
    pub(crate) fn set_cwd(&mut self, cwd: PathBuf, directory: String) {
        self.setup.cwd = cwd;
        self.setup.directory = directory;
    }

    /// What the model is thinking about, while it does.
    pub(crate) fn headline(&self) -> Option<String> {
        let newest = self.open.values().filter_map(|place| match &self.cells.get(place.key)?.body {
            Body::Reasoning(cell) => Some((place.key, cell)),
            _ => None,
        });
        newest.max_by_key(|(key, _)| *key).and_then(|(_, cell)| cell.headline())
    }

    /// Whether something is shown that changes by itself.
    pub(crate) fn has_live(&self) -> bool {
        !self.open.is_empty()
    }

    fn start(&mut self, item: &Item, now: Now) {
        if self.open.contains_key(item.id()) {
            self.settle(item, now);
            return;
        }
        self.last = Some(item.id().clone());
        let place = match item {
            Item::CommandExecution(command) if only_reads(command) => self.explore(command, now),
            _ => Place { key: self.cells.push(self.make(item, true, now)), inside: None },
        };
        self.open.insert(item.id().clone(), place);
    }

    pub(super) fn complete(&mut self, item: &Item, now: Now) {
        if !self.open.contains_key(item.id()) {
            self.last = Some(item.id().clone());
            match item {
                Item::AgentMessage { text, .. } if self.just_told(text) => {}
                Item::CommandExecution(command) if only_reads(command) => {
                    self.explore(command, now);
                }
                _ => {
                    self.cells.push(self.make(item, false, now));
                }
            }
            return;
        }
        self.settle(item, now);
        self.open.remove(item.id());
    }

    /// Whether a message only repeats the result of the review before it, which the protocol has it do.
    fn just_told(&self, text: &str) -> bool {
        let before = self.cells.last().map(|slot| &slot.body);
        matches!(before, Some(Body::Review(cell)) if cell.answer().is_some_and(|told| *told == *sanitize(text)))
    }

    /// Puts a command that only reads to those before it.
    fn explore(&mut self, command: &CommandItem, now: Now) -> Place {
        let group = self
            .cells
            .iter()
            .rev()
            .find(|slot| !matches!(&slot.body, Body::Reasoning(cell) if !cell.is_live()))
            .filter(|slot| matches!(&slot.body, Body::Explored(cell) if cell.has_room()))
            .map(|slot| slot.key);
        let key = group.unwrap_or_else(|| self.cells.push(Body::Explored(Box::default())));
        let mut thoughts = Vec::new();
        while let Some(last) = self.cells.last().map(|slot| slot.key).filter(|last| *last > key) {
            if let Some(Body::Reasoning(thought)) = self.cells.take(last) {
                thoughts.push(*thought);
            }
        }
        let inside = self.explored(key).map(|cell| {
            thoughts.into_iter().rev().for_each(|thought| cell.think(thought));
            cell.add(command, now.ms)
        });
        Place { key, inside }
    }

    fn explored(&mut self, key: Key) -> Option<&mut Explored> {
        match &mut self.cells.get_mut(key)?.body {
            Body::Explored(cell) => Some(cell),
            _ => None,
        }
    }

    /// The command an item is shown as.
    pub(super) fn command(&mut self, id: &ItemId) -> Option<&mut Command> {
        let place = *self.open.get(id)?;
        match (&mut self.cells.get_mut(place.key)?.body, place.inside) {
            (Body::Command(cell), _) => Some(cell),
            (Body::Explored(cell), Some(inside)) => cell.at(inside),
            _ => None,
        }
    }

    /// Brings an open item to what it is now.
    fn settle(&mut self, item: &Item, now: Now) {
        if let Item::CommandExecution(told) = item
            && let Some(command) = self.command(&told.id)
        {
            command.settle(told);
            return;
        }
        let Some(place) = self.open.get(item.id()) else { return };
        let cwd = self.setup.cwd.as_path();
        let Some(slot) = self.cells.get_mut(place.key) else { return };
        slot.revision += 1;
        match (&mut slot.body, item) {
            (Body::Message(cell), Item::AgentMessage { text, .. }) => cell.settle(text),
            (Body::Reasoning(cell), Item::Reasoning { summary, content, .. }) => {
                cell.settle(summary, content);
            }
            (Body::Patch(cell), Item::FileChange { changes, status, error, .. }) => {
                cell.settle(changes, *status, error.as_deref(), cwd);
            }
            (Body::Compaction(cell), Item::ContextCompaction { .. }) => cell.settle(now.ms),
            (Body::User(cell), Item::UserMessage { content, .. }) => {
                let turn = cell.turn;
                **cell = User::new(content);
                cell.turn = turn;
            }
            (body, item) => *body = make(item, false, now, cwd),
        }
    }

    fn delta(&mut self, id: &ItemId, delta: &ItemDelta) {
        if let ItemDelta::Output(text) = delta {
            if let Some(command) = self.command(id) {
                command.push(text);
            }
            return;
        }
        let Some(slot) = self.open.get(id).and_then(|place| self.cells.get_mut(place.key)) else { return };
        match (&mut slot.body, delta) {
            (Body::Message(cell), ItemDelta::Text(text)) => cell.push(text),
            (Body::Reasoning(cell), ItemDelta::SummarySection) => cell.section(),
            (Body::Reasoning(cell), ItemDelta::Summary(text)) => cell.push_summary(text),
            (Body::Reasoning(cell), ItemDelta::Reasoning(text)) => cell.push_raw(text),
            // What belongs to no cell of its kind says nothing about it.
            _ => {}
        }
    }

    fn drop_item(&mut self, id: &ItemId) {
        // A command among others stays with what is known of it: only messages and thoughts are ever taken back.
        if let Some(place) = self.open.remove(id).filter(|place| place.inside.is_none()) {
            self.cells.remove(place.key);
        }
    }

    /// A plan takes the place of the one before it, when nothing happened in between.
    fn plan(&mut self, explanation: Option<&str>, steps: &[PlanStep]) {
        if let Some(last) =
            self.cells.last().filter(|slot| matches!(slot.body, Body::Plan(_))).map(|slot| slot.key)
        {
            self.cells.remove(last);
        }
        self.cells.push(Body::Plan(Box::new(Plan::new(explanation, steps))));
    }
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
