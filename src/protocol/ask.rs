//! Questions to the user, and their answers. Every front end answers the same way; `exec` refuses them all.

use std::path::PathBuf;

use super::item::{CommandAction, FileChange};
use crate::base::ids::ItemId;

/// A question that holds up a tool call.
#[derive(Clone, Debug)]
pub(crate) enum Ask {
    /// May this command run?
    Command {
        /// The command item it is about.
        item_id: ItemId,
        /// The command line.
        command: String,
        /// Where it would run.
        cwd: PathBuf,
        /// What it does, for display.
        #[allow(dead_code, reason = "part of the contract; every front end shows the command as it is")]
        actions: Vec<CommandAction>,
        /// Why it is asked: the model's justification or a rule's text.
        reason: Option<String>,
    },
    /// May this patch be written?
    Patch {
        /// The file-change item it is about.
        item_id: ItemId,
        /// What would change.
        changes: Vec<FileChange>,
        /// Why it is asked.
        reason: Option<String>,
    },
}

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Yes, this once.
    Accept,
    /// Yes, and do not ask for the same again in this thread.
    AcceptForSession,
    /// No; the turn goes on and the model is told.
    Decline,
    /// No, and stop the turn.
    Cancel,
}
