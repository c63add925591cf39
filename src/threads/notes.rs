//! Notes among the items of turns. A note reaches the file when it was shown, which may be before the item it stands
//! behind, for that is written when it is complete, or behind others, for it takes its time from the screen to the file.
//! So it names that item, and gets its place when all lines are known.

use std::collections::HashMap;

use super::turn::Turn;
use crate::base::ids::ItemId;
use crate::protocol::note::Note;
use crate::protocol::turn::TurnStatus;

/// A note and its place in a turn.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed {
    /// How many items of the turn stand before it.
    pub(crate) at: usize,
    /// The note.
    pub(crate) note: Note,
}

/// Where each note waits: which of the turns, which of its notes. A later one with the same identity takes its place.
#[derive(Debug, Default)]
pub(super) struct Notes(HashMap<ItemId, (usize, usize)>);

impl Notes {
    /// A note waits at the end of what is known. Before the first turn it makes a turn of nothing but notes.
    pub(super) fn add(&mut self, note: Note, turns: &mut Vec<Turn>) {
        let known = self.0.get(&note.id).and_then(|(turn, at)| turns.get_mut(*turn)?.notes.get_mut(*at));
        if let Some(old) = known {
            let after = old.note.after.take();
            old.note = Note { after, after_end: old.note.after_end, ..note };
            return;
        }
        if turns.is_empty() {
            turns.push(Turn::new(None, TurnStatus::Completed, None));
        }
        let last = turns.len() - 1;
        if let Some(turn) = turns.last_mut() {
            self.0.insert(note.id.clone(), (last, turn.notes.len()));
            turn.notes.push(Placed { at: turn.items.len(), note });
        }
    }
}

/// Puts each note behind the item it was shown after.
pub(super) fn place(turns: &mut [Turn]) {
    let mut wanted: HashMap<ItemId, Option<(usize, usize)>> = HashMap::new();
    for note in turns.iter().flat_map(|turn| &turn.notes) {
        wanted.extend(note.note.after.clone().map(|id| (id, None)));
    }
    if wanted.is_empty() {
        return;
    }
    for (turn, items) in turns.iter().map(|turn| &turn.items).enumerate() {
        for (at, item) in items.iter().enumerate() {
            if let Some(place) = wanted.get_mut(item.id()) {
                *place = Some((turn, at + 1));
            }
        }
    }
    let homes: Vec<Vec<Placed>> = turns.iter_mut().map(|turn| std::mem::take(&mut turn.notes)).collect();
    for (from, notes) in homes.into_iter().enumerate() {
        for Placed { at, note } in notes {
            let home = note.after.as_ref().and_then(|id| *wanted.get(id)?);
            // Turns that show nothing but their end are no items to be behind of.
            let bare = |home: usize| {
                turns.get(home + 1..=from).is_some_and(|since| {
                    since.iter().all(|turn| turn.items.is_empty() && turn.ended_at.is_some())
                })
            };
            let home = home.filter(|(turn, _)| !(note.after_end && *turn < from && bare(*turn)));
            let (turn, at) = home.unwrap_or((from, at));
            if let Some(turn) = turns.get_mut(turn) {
                turn.notes.push(Placed { at, note });
            }
        }
    }
    turns.iter_mut().for_each(|turn| turn.notes.sort_by_key(|note| note.at));
}
