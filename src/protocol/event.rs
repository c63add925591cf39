//! Everything a thread tells its readers, in the order it happened.

use super::ask::Ask;
use super::error::ErrorInfo;
use super::item::{Item, ItemDelta, PlanStep};
use super::limits::{LimitsSnapshot, Price};
use super::tokens::ThreadUsage;
use super::turn::{Configured, TurnEnd};
use crate::base::ids::{AskId, ItemId, TurnId};

/// How the sentences of [`Configured::access`] begin that tell what the user allowed for the session.
pub(crate) const ALLOWED: &str = "allowed for this session: ";

/// One thing that happened in a thread.
#[derive(Clone, Debug)]
pub(crate) enum Event {
    /// A turn began.
    TurnStarted {
        /// Which turn.
        turn_id: TurnId,
    },
    /// An item began; it will end with `ItemCompleted` or `ItemDropped`.
    ItemStarted {
        /// The item as far as it is known.
        item: Item,
    },
    /// More of a started item, for display only: the completed item carries everything again.
    ItemDelta {
        /// Which item.
        item_id: ItemId,
        /// What was added.
        delta: ItemDelta,
    },
    /// An item is complete and on disk.
    ItemCompleted {
        /// The whole item.
        item: Item,
    },
    /// A half-written item is void: its stream was cut and the next attempt writes it anew.
    ItemDropped {
        /// Which item.
        item_id: ItemId,
    },
    /// The model's plan changed.
    PlanUpdated {
        /// Why, in the model's words.
        explanation: Option<String>,
        /// All steps.
        plan: Vec<PlanStep>,
    },
    /// Unified diff of everything `apply_patch` changed in this turn.
    DiffUpdated {
        /// Git-style unified diff.
        diff: String,
    },
    /// Tokens used so far.
    Usage(ThreadUsage),
    /// Rate limits as the server just told them.
    Limits(Box<LimitsSnapshot>),
    /// A question waits for `Op::Answer` with the same id.
    Ask {
        /// To be repeated in the answer.
        id: AskId,
        /// The question.
        ask: Box<Ask>,
    },
    /// The question is settled: answered, or its turn ended.
    AskResolved {
        /// Which question.
        id: AskId,
    },
    /// A request failed and is repeated.
    Retrying {
        /// This retry, from 1.
        attempt: u32,
        /// Retries allowed; 0 while waiting for the network, which is bounded by time.
        max: u32,
        /// Wait before the retry, in milliseconds.
        delay_ms: u64,
        /// What went wrong.
        error: ErrorInfo,
    },
    /// Something the user should know that does not end the turn.
    Warning {
        /// One sentence.
        message: String,
    },
    /// The settings of the following turns: after the start and after every change.
    Configured(Box<Configured>),
    /// What commands may touch has changed since, because the user allowed or took back something: sentences as those of
    /// [`Configured::access`].
    Opened(Vec<String>),
    /// The last turns were taken back.
    Rewound {
        /// How many of the user's messages.
        turns: u32,
    },
    /// Command lines of what runs in the background, oldest first: when it has changed, and when it was asked for.
    Sessions(Vec<String>),
    /// The turn ended; every item of it has its final state before this.
    TurnCompleted(Box<TurnEnd>),
    /// What a turn cost in all, when that was not known at its end.
    TurnPriced {
        /// Which turn.
        turn_id: TurnId,
        /// Percent of each limit window.
        price: Vec<Price>,
    },
    /// The thread is gone; nothing follows.
    Closed,
}
