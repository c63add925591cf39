//! Items → the cells of their kind; what becomes of cells that are asked about, or whose turn ends before they do.

use std::path::Path;

use super::cells::command::Command;
use super::cells::compaction::Compaction;
use super::cells::image::Image;
use super::cells::message::Message;
use super::cells::patch::Patch;
use super::cells::plan::Plan;
use super::cells::reasoning::Reasoning;
use super::cells::review::Review;
use super::cells::search::Search;
use super::cells::tool::Tool;
use super::cells::user::User;
use super::cells::{notice::Notice, turn_end::TurnEnd};
use super::list::{Body, Key};
use super::model::{Ended, Model, Now};
use crate::base::ids::{AskId, ItemId, TurnId};
use crate::protocol::ask::Ask;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::item::{CommandSource, Item};
use crate::protocol::limits::Price;
use crate::protocol::note::Level;
use crate::protocol::turn::{self, TurnStatus};

impl Model {
    pub(super) fn ask(&mut self, id: AskId, ask: &Ask, now: Now) {
        let (Ask::Command { item_id, .. } | Ask::Patch { item_id, .. }) = ask;
        self.asks.insert(id, item_id.clone());
        self.mark_asking(item_id, true, now);
    }

    pub(super) fn resolve(&mut self, id: AskId, now: Now) {
        if let Some(item_id) = self.asks.remove(&id) {
            self.mark_asking(&item_id, false, now);
        }
    }

    fn mark_asking(&mut self, id: &ItemId, open: bool, now: Now) {
        if let Some(command) = self.command(id) {
            command.ask(open, now.ms);
            return;
        }
        let slot = self.open.get(id).and_then(|place| self.cells.get_mut(place.key));
        if let Some(Body::Patch(patch)) = slot.map(|slot| &mut slot.body) {
            patch.ask(open);
        }
    }

    /// The cell of an item of the present turn.
    pub(super) fn make(&self, item: &Item, live: bool, now: Now) -> Body {
        let mut body = make(item, live, now, &self.setup.cwd);
        if let Body::User(user) = &mut body {
            user.turn = self.turn;
        }
        body
    }

    pub(super) fn turn_completed(&mut self, end: &turn::TurnEnd, now: Now) {
        let key = self.end(&Ended {
            status: end.status,
            error: end.error.as_ref(),
            duration_ms: Some(end.duration_ms),
            at: Some(now.unix),
            price: &end.price,
            changed: end.changed,
            so_far: end.price_so_far,
            network: &end.network,
        });
        self.turn_end = key.map(|key| (end.turn_id, key));
    }

    /// What a turn cost in all, below it.
    pub(super) fn priced(&mut self, turn_id: TurnId, price: &[Price]) {
        let known = self.turn_end.filter(|(of, _)| *of == turn_id);
        if let Some(slot) = known.and_then(|(_, key)| self.cells.get_mut(key))
            && let Body::TurnEnd(cell) = &mut slot.body
        {
            cell.set_price(price, false);
            slot.revision += 1;
        }
    }

    /// The turn is over: nothing of it changes any more, except the commands the user runs beside it.
    pub(super) fn end(&mut self, end: &Ended<'_>) -> Option<Key> {
        self.asks.clear();
        self.ended = true;
        let open = std::mem::take(&mut self.open);
        for (id, place) in open {
            let Some(slot) = self.cells.get_mut(place.key) else { continue };
            slot.revision += 1;
            if abandon(&mut slot.body) {
                continue;
            }
            self.open.insert(id, place);
        }
        if let Some(places) = end.network.words() {
            // Kept with the end of the turn, so it is no note.
            self.cells.push(Body::Notice(Box::new(Notice::new(Level::Info, &format!("Network: {places}")))));
        }
        let bare_compaction = self.cells.last().is_some_and(|slot| matches!(slot.body, Body::Compaction(_)));
        let failed = || ErrorInfo::new(ErrorKind::Internal, "The turn failed.");
        let body = match (end.status, end.error) {
            (TurnStatus::Failed, Some(error)) => Body::Notice(Box::new(Notice::error(error))),
            (TurnStatus::Failed, None) => Body::Notice(Box::new(Notice::error(&failed()))),
            (TurnStatus::Interrupted | TurnStatus::InProgress, _) => {
                Body::TurnEnd(Box::new(TurnEnd::interrupted(end.duration_ms)))
            }
            (TurnStatus::Completed, _) if bare_compaction => return None,
            (TurnStatus::Completed, _) => match end.duration_ms {
                Some(ms) => {
                    let at = end.at.map(self.setup.wall_clock);
                    let mut cell = TurnEnd::done(ms, at, end.changed);
                    cell.set_price(end.price, end.so_far);
                    Body::TurnEnd(Box::new(cell))
                }
                None => return None,
            },
        };
        Some(self.cells.push(body))
    }
}

/// Whether the cell is at its end now; the user's own commands go on.
fn abandon(body: &mut Body) -> bool {
    match body {
        Body::Command(cell) if cell.source() == CommandSource::UserShell => return false,
        Body::Command(cell) => cell.abandon(),
        Body::Explored(cell) => cell.abandon(),
        Body::Message(cell) => cell.abandon(),
        Body::Reasoning(cell) => cell.abandon(),
        Body::Patch(cell) => cell.abandon(),
        Body::Tool(cell) => cell.abandon(),
        Body::Search(cell) => cell.abandon(),
        Body::Compaction(cell) => cell.abandon(),
        Body::Header(_)
        | Body::User(_)
        | Body::Plan(_)
        | Body::Image(_)
        | Body::Review(_)
        | Body::Notice(_)
        | Body::TurnEnd(_)
        | Body::Block(_) => {}
    }
    true
}

/// The cell of an item.
pub(super) fn make(item: &Item, live: bool, now: Now, cwd: &Path) -> Body {
    match item {
        Item::UserMessage { id: _, content } => Body::User(Box::new(User::new(content))),
        Item::AgentMessage { text, .. } if live => Body::Message(Box::new(Message::live(text))),
        Item::AgentMessage { text, .. } => Body::Message(Box::new(Message::done(text))),
        Item::Reasoning { summary, content, .. } => {
            Body::Reasoning(Box::new(Reasoning::new(summary, content, live)))
        }
        Item::CommandExecution(command) => Body::Command(Box::new(Command::new(command, now.ms))),
        Item::FileChange { changes, status, error, .. } => {
            Body::Patch(Box::new(Patch::new(changes, *status, error.as_deref(), cwd)))
        }
        Item::ToolCall { tool, arguments, status, success, output, .. } => {
            match Plan::of_call(tool, arguments) {
                Some(plan) => Body::Plan(Box::new(plan)),
                None => {
                    Body::Tool(Box::new(Tool::new(tool, arguments, *status, *success, output.as_deref())))
                }
            }
        }
        Item::WebSearch { query, .. } => Body::Search(Box::new(Search::new(query, live))),
        Item::ImageView { path, .. } => Body::Image(Box::new(Image::new(path, cwd))),
        Item::EnteredReviewMode { review, .. } => Body::Review(Box::new(Review::begun(review))),
        Item::ExitedReviewMode { review, output, .. } => {
            Body::Review(Box::new(Review::ended(review, output.as_ref(), cwd)))
        }
        Item::ContextCompaction { .. } if live => Body::Compaction(Box::new(Compaction::live(now.ms))),
        Item::ContextCompaction { .. } => Body::Compaction(Box::new(Compaction::done())),
    }
}
