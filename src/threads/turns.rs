//! Lines in order → what the user saw. Works on any stretch of a thread: a page from the end, or the whole.
//! Items come from events; calls that no event tells of are worked out by [`super::derive`] and give way when
//! the event comes after all. Pure: no files in here.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde_json::value::RawValue;

use super::classify::{kind_of, message_of};
use super::derive;
use super::events::{self, Seen};
use super::head::Marks;
use super::line::{Reason, Record};
use super::notes::{self, Notes};
use super::places;
use super::settings::Settings;
use super::turn::Turn;
use super::user_shell;
use crate::base::ids::{ItemId, TurnId};
use crate::protocol::input::UserInput;
use crate::protocol::item::{CommandSource, Item};
use crate::protocol::model_item::ModelItemKind;
use crate::protocol::note::Place;
use crate::protocol::turn::TurnStatus;

/// Makes turns of lines.
#[derive(Debug)]
pub(crate) struct Builder {
    turns: Vec<Turn>,
    notes: Notes,
    /// Items that were shown elsewhere.
    places: Vec<(ItemId, Place)>,
    /// The last turn has not ended.
    open: bool,
    /// Items of the last turn that were worked out and still wait for their output or event.
    derived: HashSet<ItemId>,
    /// Where the calls of the last turn are among its items: one turn may hold very many.
    calls: HashMap<ItemId, usize>,
    /// `!` commands of the last turn whose record did not come yet.
    user_shells: usize,
    /// `!` commands at the head of a turn that only their records tell of so far. A prompt after them shows that they
    /// ran before this turn, where their own event was shown, perhaps on an earlier page.
    recorded: Vec<Item>,
    /// The last event was a section of reasoning without a name.
    reasoning: bool,
    cwd: PathBuf,
}

impl Builder {
    /// Begins; `cwd` is the thread's, for commands whose turn does not tell its own.
    pub(crate) fn new(cwd: Option<&Path>) -> Self {
        Self {
            turns: Vec::new(),
            notes: Notes::default(),
            places: Vec::new(),
            open: false,
            derived: HashSet::new(),
            calls: HashMap::new(),
            user_shells: 0,
            recorded: Vec::new(),
            reasoning: false,
            cwd: cwd.unwrap_or(Path::new("/")).to_owned(),
        }
    }

    /// Takes the next line. `offset` is its place in its file, for items without an identity.
    ///
    /// # Errors
    /// The payload has the wrong shape; the line is passed over.
    pub(crate) fn feed(&mut self, record: Record<'_>, marks: Marks, offset: u64) -> Result<(), Reason> {
        match record {
            Record::Event(raw) => {
                if let Some(seen) = events::read(raw, || unnamed(offset))? {
                    self.seen(seen, marks, offset);
                }
            }
            Record::Model(raw) => self.model(raw, marks, offset),
            Record::Context(raw) => {
                if let Some(cwd) = Settings::parse(raw).and_then(|settings| settings.cwd) {
                    self.cwd = cwd;
                }
            }
            Record::Meta(_) | Record::Compacted(_) | Record::Other => {}
        }
        Ok(())
    }

    /// All turns.
    pub(crate) fn finish(mut self, marks: Marks) -> Vec<Turn> {
        self.close(marks);
        places::put(&mut self.turns, self.places);
        notes::place(&mut self.turns);
        self.turns
    }

    fn seen(&mut self, seen: Seen, marks: Marks, offset: u64) {
        let reasoning = std::mem::take(&mut self.reasoning);
        match seen {
            Seen::TurnStarted { turn_id, started_at } => self.begin(turn_id, started_at, marks),
            Seen::TurnEnded {
                turn_id,
                aborted,
                duration_ms,
                completed_at,
                price,
                price_so_far,
                changed,
                network,
            } => {
                let turn = self.end(turn_id, aborted, duration_ms);
                (turn.completed_at, turn.changed) = (completed_at, changed);
                (turn.price, turn.price_so_far) = (price, price_so_far);
                turn.network = network;
                self.finish_derived();
                self.open = false;
            }
            Seen::TurnPriced { turn_id, price } => {
                let named = |turn: &&mut Turn| turn.id.is_some() && turn.id == turn_id;
                if let Some(turn) = self.turns.iter_mut().rev().find(named) {
                    (turn.price, turn.price_so_far) = (price, false);
                }
            }
            Seen::Note(note) => self.notes.add(note, &mut self.turns),
            Seen::Failed(error) => {
                let turn = self.current(None);
                turn.error = Some(error);
            }
            Seen::Item { turn_id, item } => self.item(turn_id, item, marks),
            Seen::Placed { turn_id, item, place } => {
                self.places.push((item.id().clone(), place));
                self.item(turn_id, item, marks);
            }
            Seen::Reasoning { id, text, raw } => {
                self.reasoning = id.is_none();
                self.reason(id, text, raw, reasoning, offset);
            }
            // Turns that were taken back are left out before lines come here.
            Seen::RolledBack { .. } => {}
        }
    }

    fn begin(&mut self, id: Option<TurnId>, started_at: Option<u64>, marks: Marks) {
        self.close(marks);
        let status = TurnStatus::InProgress;
        self.turns.push(Turn::new(id, status, started_at));
        self.calls.clear();
        self.open = true;
    }

    fn end(&mut self, id: Option<TurnId>, aborted: bool, duration_ms: Option<u64>) -> &mut Turn {
        self.show_recorded();
        let turn = self.current(id);
        turn.id = turn.id.or(id);
        turn.status = match (aborted, &turn.error) {
            (true, _) => TurnStatus::Interrupted,
            (false, Some(_)) => TurnStatus::Failed,
            (false, None) => TurnStatus::Completed,
        };
        turn.duration_ms = duration_ms;
        turn.ended_at = Some(turn.items.len());
        turn
    }

    /// The rest of the last turn was taken back: it goes as far as it goes, and nothing stands below it.
    pub(crate) fn cut(&mut self) {
        self.finish_derived();
        if let Some(turn) = self.turns.last_mut().filter(|_| self.open) {
            turn.status = TurnStatus::Completed;
        }
        self.open = false;
    }

    /// Ends the last turn if nothing else did.
    fn close(&mut self, marks: Marks) {
        self.show_recorded();
        self.finish_derived();
        self.user_shells = 0;
        if let Some(turn) = self.turns.last_mut().filter(|turn| turn.status == TurnStatus::InProgress) {
            turn.status = match (&turn.error, marks) {
                (Some(_), _) => TurnStatus::Failed,
                (None, Marks::Started) => TurnStatus::Interrupted,
                (None, Marks::UserEvent | Marks::Prompt) => TurnStatus::Completed,
            };
        }
        self.open = false;
    }

    /// The last turn; one is begun when there is none, because its start may be lost.
    fn current(&mut self, id: Option<TurnId>) -> &mut Turn {
        let known = id.and_then(|id| self.turns.iter().position(|turn| turn.id == Some(id)));
        let at = match (known, self.turns.len()) {
            (Some(at), _) => at,
            (None, 0) => {
                self.begin(id, None, Marks::Started);
                0
            }
            (None, len) => len - 1,
        };
        &mut self.turns[at]
    }

    fn item(&mut self, turn_id: Option<TurnId>, item: Item, marks: Marks) {
        // The start of the turn is lost, or on an earlier page.
        if let Some(turn) = self.turns.last_mut().filter(|turn| self.open && turn.id.is_none()) {
            turn.id = turn_id;
        }
        if let Some(id) = turn_id
            && !self.turns.iter().any(|turn| turn.id == Some(id))
        {
            // A command that outlived its turn, which is not on this page; or a turn whose start is lost.
            match self.turns.first().and_then(|first| first.id) {
                Some(first) if id < first => return,
                _ => self.begin(turn_id, None, marks),
            }
            // A command of the user before any turn: nothing is open, and nothing can be interrupted.
            if of_user(&item)
                && let Some(turn) = self.turns.last_mut()
            {
                turn.status = TurnStatus::Completed;
                self.open = false;
            }
        }
        let user = matches!(item, Item::UserMessage { .. });
        if user && (marks != Marks::Started || !self.open) && turn_id.is_none() {
            self.begin(None, None, marks);
        }
        if let Item::CommandExecution(command) = &item {
            self.user_shells += usize::from(command.source == CommandSource::UserShell);
        }
        match user {
            true => self.recorded.clear(),
            false => self.show_recorded(),
        }
        self.derived.remove(item.id());
        self.current(turn_id);
        let last = self.turns.len().saturating_sub(1);
        let at =
            turn_id.and_then(|id| self.turns.iter().position(|turn| turn.id == Some(id))).unwrap_or(last);
        let known = self.calls.get(item.id()).copied().filter(|_| at == last);
        let Some(turn) = self.turns.get_mut(at) else { return };
        let known = known.or_else(|| {
            let same = |old: &Item| is_call(old) && old.id() == item.id();
            (at < last).then(|| turn.items.iter().position(same)).flatten()
        });
        match known.and_then(|known| turn.items.get_mut(known)) {
            Some(old) if is_call(&item) => *old = item,
            _ => {
                if is_call(&item) && at == last {
                    self.calls.insert(item.id().clone(), turn.items.len());
                }
                turn.items.push(item);
            }
        }
    }

    fn reason(&mut self, id: Option<ItemId>, text: String, raw: bool, follows: bool, offset: u64) {
        let turn = self.current(None);
        let named = id.is_some();
        let id = id.unwrap_or_else(|| unnamed(offset));
        if let Some(Item::Reasoning { id: last, summary, content }) = turn.items.last_mut()
            && (if named { *last == id } else { follows })
        {
            if raw {
                content.push(text)
            } else {
                summary.push(text)
            }
            return;
        }
        let (summary, content) = if raw { (Vec::new(), vec![text]) } else { (vec![text], Vec::new()) };
        turn.items.push(Item::Reasoning { id, summary, content });
    }

    fn model(&mut self, raw: &RawValue, marks: Marks, offset: u64) {
        let Some(kind) = kind_of(raw) else { return };
        self.reasoning &= kind != ModelItemKind::Reasoning;
        match kind {
            ModelItemKind::Call { .. } | ModelItemKind::Other => self.call(raw),
            ModelItemKind::Output { .. } => self.output(raw),
            ModelItemKind::Harness => self.harness(raw, offset),
            ModelItemKind::User if marks == Marks::Prompt => {
                let message = message_of(raw);
                let images = message.images.into_iter().map(|url| UserInput::Image { url });
                let content = std::iter::once(UserInput::Text { text: message.text }).chain(images).collect();
                self.item(None, Item::UserMessage { id: unnamed(offset), content }, marks);
            }
            ModelItemKind::Assistant if marks == Marks::Prompt => {
                let text = message_of(raw).text;
                self.item(None, Item::AgentMessage { id: unnamed(offset), text, phase: None }, marks);
            }
            _ => {}
        }
    }

    fn call(&mut self, raw: &RawValue) {
        let Some(item) = derive::call(raw, &self.cwd) else { return };
        if self.calls.contains_key(item.id()) {
            return;
        }
        let id = item.id().clone();
        let turn = self.current(None);
        turn.items.push(item);
        let at = turn.items.len() - 1;
        self.calls.insert(id.clone(), at);
        self.derived.insert(id);
    }

    fn output(&mut self, raw: &RawValue) {
        let Some((id, text)) = derive::output(raw) else { return };
        if self.derived.remove(&id)
            && let Some(at) = self.calls.get(&id).copied()
            && let Some(item) = self.turns.last_mut().and_then(|turn| turn.items.get_mut(at))
        {
            derive::complete(item, Some(&text));
        }
    }

    /// A `!` command is shown by its own item where programs store one, else by its record for the model.
    fn harness(&mut self, raw: &RawValue, offset: u64) {
        let text = message_of(raw).text;
        let Some(item) = user_shell::read(&text, unnamed(offset), &self.cwd) else { return };
        if let Some(left) = self.user_shells.checked_sub(1) {
            self.user_shells = left;
        } else if self.open && self.turns.last().is_some_and(|turn| turn.items.is_empty()) {
            self.recorded.push(item);
        } else {
            self.current(None).items.push(item);
        }
    }

    fn show_recorded(&mut self) {
        if !self.recorded.is_empty() {
            let recorded = std::mem::take(&mut self.recorded);
            self.current(None).items.extend(recorded);
        }
    }

    fn finish_derived(&mut self) {
        let waiting = std::mem::take(&mut self.derived);
        for item in self.last_turn_items().filter(|item| waiting.contains(item.id())) {
            derive::complete(item, None);
        }
    }

    fn last_turn_items(&mut self) -> impl Iterator<Item = &mut Item> {
        self.turns.last_mut().into_iter().flat_map(|turn| turn.items.iter_mut())
    }
}

fn of_user(item: &Item) -> bool {
    matches!(item, Item::CommandExecution(command) if command.source == CommandSource::UserShell)
}

/// Items that are told once by their call and once by their event.
fn is_call(item: &Item) -> bool {
    match item {
        Item::CommandExecution(_)
        | Item::FileChange { .. }
        | Item::ToolCall { .. }
        | Item::WebSearch { .. }
        | Item::ImageView { .. } => true,
        Item::UserMessage { .. }
        | Item::AgentMessage { .. }
        | Item::Reasoning { .. }
        | Item::EnteredReviewMode { .. }
        | Item::ExitedReviewMode { .. }
        | Item::ContextCompaction { .. } => false,
    }
}

/// An identity made of the place in the file: the same at every reading.
fn unnamed(offset: u64) -> ItemId {
    ItemId::from(format!("line_{offset}"))
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
