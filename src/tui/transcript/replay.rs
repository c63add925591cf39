//! Stored turns → cells, through the same functions as live ones, so that nothing looks different after a resume.

use super::list::Body;
use super::model::{Ended, Model, Now};
use crate::protocol::error::ErrorInfo;
use crate::protocol::item::{CommandSource, Item};
use crate::protocol::turn::TurnStatus;
use crate::threads::Turn;

/// A turn as it was stored.
#[derive(Clone, Debug)]
pub(crate) struct Past {
    /// Its items, in the order they began.
    pub(crate) items: Vec<Item>,
    /// How it ended.
    pub(crate) status: TurnStatus,
    /// Why it failed.
    pub(crate) error: Option<ErrorInfo>,
    /// Unix seconds.
    pub(crate) started_at: Option<u64>,
    /// Wall time in milliseconds.
    pub(crate) duration_ms: Option<u64>,
}

impl From<Turn> for Past {
    fn from(turn: Turn) -> Self {
        let Turn { id: _, items, status, error, started_at, duration_ms } = turn;
        Self { items, status, error, started_at, duration_ms }
    }
}

/// Where the turn ended among its items: the user's own commands at the end were typed after it, since a turn ends
/// with what the model did or said.
fn end_of(items: &[Item]) -> usize {
    let mine =
        |item: &Item| matches!(item, Item::CommandExecution(c) if c.source == CommandSource::UserShell);
    items.iter().rposition(|item| !mine(item)).map_or(0, |last| last + 1)
}

impl Model {
    /// Shows stored turns, oldest first, after what is there.
    pub(crate) fn replay(&mut self, turns: &[Past]) {
        for turn in turns {
            let (during, after) = turn.items.split_at(end_of(&turn.items));
            for item in during {
                self.complete(item, Now::default());
            }
            let seconds = turn.duration_ms.unwrap_or(0) / 1000;
            self.end(&Ended {
                status: turn.status,
                error: turn.error.as_ref(),
                duration_ms: turn.duration_ms,
                at: turn.started_at.map(|at| at.saturating_add(seconds)),
                price: &[],
                so_far: false,
            });
            for item in after {
                self.complete(item, Now::default());
            }
        }
    }

    /// Shows stored turns before everything that is there: the next page while scrolling back.
    pub(crate) fn replay_before(&mut self, turns: &[Past]) {
        let mut earlier = Self::new(self.setup.clone());
        earlier.replay(turns);
        let bodies = earlier.cells.into_bodies().filter(|body| !matches!(body, Body::Header(_)));
        self.cells.prepend(bodies.collect());
    }
}
