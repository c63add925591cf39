//! The cells in their order. Each has a number that only grows along the list and never changes, so that a place in
//! the transcript stays valid while cells come at the end, go, or earlier ones are put in front.

use std::collections::VecDeque;

use super::cell::Cell;
use super::cells::block::Block;
use super::cells::command::Command;
use super::cells::compaction::Compaction;
use super::cells::explored::Explored;
use super::cells::header::Header;
use super::cells::image::Image;
use super::cells::message::Message;
use super::cells::notice::Notice;
use super::cells::patch::Patch;
use super::cells::plan::Plan;
use super::cells::reasoning::Reasoning;
use super::cells::review::Review;
use super::cells::search::Search;
use super::cells::tool::Tool;
use super::cells::turn_end::TurnEnd;
use super::cells::user::User;

/// Names a cell for as long as it exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Key(i64);

/// A cell by its kind, so that events find what they change.
pub(crate) enum Body {
    Header(Box<Header>),
    User(Box<User>),
    Message(Box<Message>),
    Reasoning(Box<Reasoning>),
    Explored(Box<Explored>),
    Command(Box<Command>),
    Patch(Box<Patch>),
    Tool(Box<Tool>),
    Plan(Box<Plan>),
    Search(Box<Search>),
    Image(Box<Image>),
    Compaction(Box<Compaction>),
    Review(Box<Review>),
    Notice(Box<Notice>),
    TurnEnd(Box<TurnEnd>),
    Block(Box<Block>),
}

impl Body {
    /// What every kind can do.
    pub(crate) fn cell(&self) -> &dyn Cell {
        match self {
            Self::Header(cell) => cell.as_ref(),
            Self::User(cell) => cell.as_ref(),
            Self::Message(cell) => cell.as_ref(),
            Self::Reasoning(cell) => cell.as_ref(),
            Self::Explored(cell) => cell.as_ref(),
            Self::Command(cell) => cell.as_ref(),
            Self::Patch(cell) => cell.as_ref(),
            Self::Tool(cell) => cell.as_ref(),
            Self::Plan(cell) => cell.as_ref(),
            Self::Search(cell) => cell.as_ref(),
            Self::Image(cell) => cell.as_ref(),
            Self::Compaction(cell) => cell.as_ref(),
            Self::Review(cell) => cell.as_ref(),
            Self::Notice(cell) => cell.as_ref(),
            Self::TurnEnd(cell) => cell.as_ref(),
            Self::Block(cell) => cell.as_ref(),
        }
    }

    /// Whether it tells of something the model did, which one may want to look into.
    pub(crate) fn is_activity(&self) -> bool {
        match self {
            Self::Explored(_) | Self::Command(_) | Self::Patch(_) | Self::Tool(_) => true,
            Self::Header(_)
            | Self::User(_)
            | Self::Message(_)
            | Self::Reasoning(_)
            | Self::Plan(_)
            | Self::Search(_)
            | Self::Image(_)
            | Self::Compaction(_)
            | Self::Review(_)
            | Self::Notice(_)
            | Self::TurnEnd(_)
            | Self::Block(_) => false,
        }
    }
}

/// A cell in its place.
pub(crate) struct Slot {
    pub(crate) key: Key,
    /// Grows whenever the cell was changed in a way its own stamp does not tell.
    pub(crate) revision: u32,
    /// Folded while the others are not, or the other way round.
    pub(crate) flipped: bool,
    pub(crate) body: Body,
}

/// All cells.
#[derive(Default)]
pub(crate) struct Cells {
    slots: VecDeque<Slot>,
    /// Keys of prompts, in order.
    prompts: VecDeque<Key>,
    next: i64,
}

impl Cells {
    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    /// The cell in a place.
    pub(crate) fn at(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)
    }

    /// The last cell.
    pub(crate) fn last(&self) -> Option<&Slot> {
        self.slots.back()
    }

    /// All cells, oldest first.
    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Slot> {
        self.slots.iter()
    }

    /// Where a cell stands; for one that is gone, where it would stand.
    pub(crate) fn index(&self, key: Key) -> usize {
        self.slots.partition_point(|slot| slot.key < key)
    }

    /// A cell, if it is still there.
    pub(crate) fn get(&self, key: Key) -> Option<&Slot> {
        self.slots.get(self.index(key)).filter(|slot| slot.key == key)
    }

    /// A cell to be changed.
    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut Slot> {
        let index = self.index(key);
        self.slots.get_mut(index).filter(|slot| slot.key == key)
    }

    /// Adds a cell at the end.
    pub(crate) fn push(&mut self, body: Body) -> Key {
        let key = Key(self.next);
        self.next += 1;
        if matches!(body, Body::User(_)) {
            self.prompts.push_back(key);
        }
        self.slots.push_back(Slot { key, revision: 0, flipped: false, body });
        key
    }

    /// Puts cells in front, in their order, behind the header if there is one.
    pub(crate) fn prepend(&mut self, bodies: Vec<Body>) {
        let header = match self.slots.pop_front() {
            Some(slot) if matches!(slot.body, Body::Header(_)) => Some(slot.body),
            Some(slot) => {
                self.slots.push_front(slot);
                None
            }
            None => None,
        };
        let mut first = self.slots.front().map_or(self.next, |slot| slot.key.0);
        for body in bodies.into_iter().rev().chain(header) {
            first -= 1;
            if matches!(body, Body::User(_)) {
                self.prompts.push_front(Key(first));
            }
            self.slots.push_front(Slot { key: Key(first), revision: 0, flipped: false, body });
        }
        self.next = self.next.max(first + 1);
    }

    /// Takes a cell out.
    pub(crate) fn take(&mut self, key: Key) -> Option<Body> {
        let index = self.index(key);
        self.slots.get(index).filter(|slot| slot.key == key)?;
        self.prompts.retain(|prompt| *prompt != key);
        self.slots.remove(index).map(|slot| slot.body)
    }

    /// Takes a cell out, for good.
    pub(crate) fn remove(&mut self, key: Key) {
        drop(self.take(key));
    }

    /// All cells without their places.
    pub(crate) fn into_bodies(self) -> impl Iterator<Item = Body> {
        self.slots.into_iter().map(|slot| slot.body)
    }

    /// Drops a cell and all after it.
    pub(crate) fn cut_from(&mut self, key: Key) {
        self.slots.truncate(self.index(key));
        self.prompts.truncate(self.prompts.partition_point(|prompt| *prompt < key));
    }

    /// Drops everything.
    pub(crate) fn clear(&mut self) {
        self.slots.clear();
        self.prompts.clear();
    }

    /// Everything is folded or unfolded alike again.
    pub(crate) fn unflip_all(&mut self) {
        self.slots.iter_mut().for_each(|slot| slot.flipped = false);
    }

    /// The last prompt before a cell.
    pub(crate) fn prompt_before(&self, key: Key) -> Option<&Slot> {
        let at = self.prompts.partition_point(|prompt| *prompt < key).checked_sub(1)?;
        self.get(*self.prompts.get(at)?)
    }

    /// All prompts, oldest first.
    pub(crate) fn prompts(&self) -> impl DoubleEndedIterator<Item = (Key, &User)> {
        self.prompts.iter().filter_map(|key| match &self.get(*key)?.body {
            Body::User(user) => Some((*key, user.as_ref())),
            _ => None,
        })
    }
}
