//! The user's own commands beside or between turns. Each runs as a task of its own; its record waits until the
//! conversation has room for it: never between a call and its output.

use std::sync::Arc;

use super::thread::Thread;
use crate::base::ids::ItemId;
use crate::base::tasks::{self, CancellationToken, Task};
use crate::responses::items;

/// The user's commands of one thread.
#[derive(Default)]
pub(crate) struct UserShells {
    running: Vec<Task<String>>,
    cancel: CancellationToken,
}

/// Starts a command.
pub(crate) fn start(thread: &mut Thread, command: String) {
    if thread.user_shells.cancel.is_cancelled() {
        thread.user_shells.cancel = CancellationToken::new();
    }
    let context = thread.tool_context(thread.turn_id, &thread.user_shells.cancel);
    let commands = Arc::clone(thread.registry.commands());
    let task = tasks::spawn("user shell", async move {
        commands.run_for_user(&context, ItemId::with_prefix("ush"), &command).await
    });
    thread.user_shells.running.push(task);
}

/// Stops them all; their records still come.
pub(crate) fn interrupt(thread: &mut Thread) {
    thread.user_shells.cancel.cancel();
}

/// Puts the records of ended commands into the conversation. `all` waits for those that still run.
pub(crate) async fn record(thread: &mut Thread, all: bool) {
    let mut going_on = Vec::new();
    for task in std::mem::take(&mut thread.user_shells.running) {
        if !all && !task.is_finished() {
            going_on.push(task);
            continue;
        }
        let mut task = std::pin::pin!(task.join());
        let record = loop {
            tokio::select! {
                biased; // what the command tells on the way comes first
                Some(event) = thread.tool_events.recv() => thread.on_tool_event(event).await,
                record = &mut task => break record,
            }
        };
        if let Ok(record) = record {
            thread.remember(items::harness(record));
        }
    }
    thread.user_shells.running = going_on;
}
