//! The channels of a thread: ops on their way to it, what it tells, and its end in order.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::run::Woken;
use crate::limits::AccountLimits;
use crate::protocol::event::Event;
use crate::protocol::op::Op;

/// The open thread's channels.
pub(super) struct Channels {
    pub(super) ops: mpsc::Sender<Op>,
    pub(super) events: mpsc::Receiver<Event>,
}

/// Hands over the next op as soon as there is room.
pub(super) async fn reserve(ops: Option<&mpsc::Sender<Op>>, outbox: &mut VecDeque<Op>) -> Woken {
    let Some(ops) = ops else { return std::future::pending().await };
    match ops.reserve().await {
        Ok(permit) => {
            if let Some(op) = outbox.pop_front() {
                permit.send(op);
            }
            Woken::Room
        }
        // The thread is gone; its events tell so.
        Err(_) => std::future::pending().await,
    }
}

pub(super) async fn next_event(events: Option<&mut mpsc::Receiver<Event>>) -> Option<Event> {
    match events {
        Some(events) => events.recv().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn next_limits(
    limits: Option<&mut watch::Receiver<Arc<AccountLimits>>>,
) -> Option<Arc<AccountLimits>> {
    match limits {
        Some(limits) => match limits.changed().await {
            Ok(()) => Some(limits.borrow_and_update().clone()),
            Err(_) => None,
        },
        None => std::future::pending().await,
    }
}

pub(super) fn is_note(op: &Op) -> bool {
    matches!(op, Op::Note(_))
}

/// Tells a thread its last notes, ends it and waits until it is on disk.
pub(super) async fn close(live: Channels, last: VecDeque<Op>) {
    let Channels { ops, mut events } = live;
    let told = async {
        for op in last {
            let _ = ops.send(op).await;
        }
        let _ = ops.send(Op::Shutdown).await;
        std::future::pending::<()>().await;
    };
    let gone = async { while !matches!(events.recv().await, None | Some(Event::Closed)) {} };
    tokio::select! {
        biased; // both are kept until the thread is gone; telling never ends by itself
        () = gone => {}
        () = told => {}
    }
}
