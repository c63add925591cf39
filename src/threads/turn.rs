//! A stored turn as the user saw it: what [`super::turns`] makes of lines.

use super::notes::Placed;
use crate::base::ids::TurnId;
use crate::protocol::error::ErrorInfo;
use crate::protocol::item::Item;
use crate::protocol::limits::Price;
use crate::protocol::network::Visits;
use crate::protocol::turn::{Changed, TurnStatus};

/// A stored turn as the user saw it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Turn {
    /// Identity; absent in files of programs that did not name turns.
    pub(crate) id: Option<TurnId>,
    /// Its items, in the order they began.
    pub(crate) items: Vec<Item>,
    /// How it ended. A turn whose end was never written counts as interrupted: its program is gone, or still at
    /// it, which a reader of the file cannot tell.
    pub(crate) status: TurnStatus,
    /// Why it failed.
    pub(crate) error: Option<ErrorInfo>,
    /// Unix seconds.
    pub(crate) started_at: Option<u64>,
    /// Wall time in milliseconds.
    pub(crate) duration_ms: Option<u64>,
    /// Unix seconds of its end.
    pub(crate) completed_at: Option<u64>,
    /// What it cost of the limits, as it was shown.
    pub(crate) price: Vec<Price>,
    /// But for its last answer.
    pub(crate) price_so_far: bool,
    /// What its patches changed.
    pub(crate) changed: Option<Changed>,
    /// What its commands reached in the network.
    pub(crate) network: Visits,
    /// How many of its items came before its end; absent when the end was never written.
    pub(crate) ended_at: Option<usize>,
    /// Lines that the user saw beside the items, in order.
    pub(crate) notes: Vec<Placed>,
}

impl Turn {
    pub(super) fn new(id: Option<TurnId>, status: TurnStatus, started_at: Option<u64>) -> Self {
        Self {
            id,
            items: Vec::new(),
            status,
            error: None,
            started_at,
            duration_ms: None,
            completed_at: None,
            price: Vec::new(),
            price_so_far: false,
            changed: None,
            network: Visits::default(),
            ended_at: None,
            notes: Vec::new(),
        }
    }
}

#[cfg(test)]
impl Turn {
    /// A turn of these items that came to its end.
    pub(crate) fn done(items: Vec<Item>) -> Self {
        Self { items, ..Self::new(None, TurnStatus::Completed, None) }
    }
}
