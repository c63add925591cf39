//! The door of a live thread: ops go in, events come out. Front ends hold nothing else of a thread.

use tokio::sync::mpsc;

use crate::base::tasks::Task;
use crate::protocol::event::Event;
use crate::protocol::op::Op;

/// Ops that may wait; a front end that sends more is told to wait itself.
pub(crate) const OPS: usize = 64;

/// A live thread. Dropping the handle stops the thread at once; `Op::Shutdown` and waiting for `Event::Closed`
/// ends it in order.
pub(crate) struct Handle {
    /// Where ops go in.
    pub(crate) ops: mpsc::Sender<Op>,
    /// Where events come out.
    pub(crate) events: mpsc::Receiver<Event>,
    /// Keeps the thread alive.
    pub(crate) task: Task<()>,
}
