//! Stored turns → cells, through the same functions as live ones, so that nothing looks different after a resume.

use std::collections::VecDeque;

use super::list::Body;
use super::model::{Ended, Model, Now};
use crate::protocol::item::{CommandSource, Item};
use crate::protocol::note::Note;
use crate::threads::{Placed, Turn};

/// Where the turn ended among its items, when no end was written: the user's own commands at the end were typed after
/// it, since a turn ends with what the model did or said.
fn end_of(items: &[Item]) -> usize {
    let mine =
        |item: &Item| matches!(item, Item::CommandExecution(c) if c.source == CommandSource::UserShell);
    items.iter().rposition(|item| !mine(item)).map_or(0, |last| last + 1)
}

/// Notes in the order in which they are shown, each with its place and on which side of the turn's end it stands. One
/// that came after the end stands there, whatever it names as its forerunner.
fn in_place(notes: &[Placed], end: usize) -> VecDeque<((usize, bool), &Note)> {
    let place = |placed: &Placed| match placed.note.after_end {
        true => (placed.at.max(end), true),
        false => (placed.at, placed.at > end),
    };
    let mut notes: Vec<_> = notes.iter().map(|placed| (place(placed), &placed.note)).collect();
    notes.sort_by_key(|(place, _)| *place);
    notes.into()
}

impl Model {
    /// Shows stored turns, oldest first, after what is there.
    pub(crate) fn replay(&mut self, turns: &[Turn]) {
        for turn in turns {
            (self.turn, self.ended) = (turn.id, false);
            let end = turn.ended_at.unwrap_or_else(|| end_of(&turn.items)).min(turn.items.len());
            let mut notes = in_place(&turn.notes, end);
            for at in 0..=turn.items.len() {
                self.replay_notes(&mut notes, at, false);
                if at == end {
                    self.replay_end(turn);
                }
                self.replay_notes(&mut notes, at, true);
                if let Some(item) = turn.items.get(at) {
                    self.complete(item, Now::default());
                }
            }
        }
    }

    /// The next notes, as far as they stand before the item in this place, on this side of the turn's end.
    fn replay_notes(&mut self, notes: &mut VecDeque<((usize, bool), &Note)>, at: usize, after: bool) {
        while let Some((_, note)) = notes.pop_front_if(|(place, _)| *place <= (at, after)) {
            self.kept(note);
        }
    }

    fn replay_end(&mut self, turn: &Turn) {
        let seconds = turn.duration_ms.unwrap_or(0) / 1000;
        self.end(&Ended {
            status: turn.status,
            error: turn.error.as_ref(),
            duration_ms: turn.duration_ms,
            at: turn.completed_at.or(turn.started_at.map(|at| at.saturating_add(seconds))),
            price: &turn.price,
            so_far: turn.price_so_far,
            changed: turn.changed,
            network: &turn.network,
        });
    }

    /// Shows stored turns before everything that is there: the next page while scrolling back.
    pub(crate) fn replay_before(&mut self, turns: &[Turn]) {
        let mut earlier = Self::new(self.setup.clone());
        earlier.replay(turns);
        let bodies = earlier.cells.into_bodies().filter(|body| !matches!(body, Body::Header(_)));
        self.cells.prepend(bodies.collect());
    }
}
