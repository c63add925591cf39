//! May this command run, and how? The tools ask here and know nothing of rules, questions or sandboxes; whoever
//! builds the tools decides. Also the way out for a shell call that is really a patch.

use std::path::PathBuf;

use futures_util::future::BoxFuture;

use super::context::ToolContext;
use super::tool::{ToolCall, ToolOutput};
use crate::base::ids::ItemId;
use crate::process::actions::quote;
use crate::protocol::item::CommandAction;

/// A command the model wants to run.
#[derive(Clone, Debug)]
pub(crate) struct CommandRequest {
    /// Program and arguments as they will be executed.
    pub(crate) argv: Vec<String>,
    /// The script, when the argv is a shell that runs one.
    pub(crate) script: Option<String>,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Whether the model asks to run outside the sandbox.
    pub(crate) escalate: bool,
    /// Why, in the model's words.
    pub(crate) justification: Option<String>,
    /// The rule the model proposes for the future.
    pub(crate) prefix_rule: Option<Vec<String>>,
    /// The item that shows the command.
    pub(crate) item_id: ItemId,
    /// Whether it gets a terminal.
    pub(crate) tty: bool,
}

impl CommandRequest {
    /// The command line as it is shown: quoted for a shell.
    pub(crate) fn display(&self) -> String {
        quote(&self.argv)
    }
}

/// The answer to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Permit {
    /// Run, confined as told; `None` = the policy confines nothing.
    Sandboxed(Option<String>),
    /// Run outside the sandbox.
    Unsandboxed,
    /// Do not run; the sentence goes to the model.
    Refused(String),
}

/// What to do about a confined command that ended badly.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AfterFailure {
    /// Tell the result as it is.
    Keep,
    /// Tell the result and this sentence, for example that the sandbox was in the way.
    Note(String),
    /// Run once more, outside the sandbox.
    Again,
    /// Run once more, confined as told.
    AgainConfined(Option<String>),
}

/// Decides about commands.
pub(crate) trait Gate: Send + Sync {
    /// May it run? Asks the user when the policy says so. The item has been started.
    fn permit<'a>(&'a self, ctx: &'a ToolContext, request: &'a CommandRequest) -> BoxFuture<'a, Permit>;

    /// A confined command ended with this code (not 0) and this output (bounded).
    fn after_failure<'a>(
        &'a self,
        _ctx: &'a ToolContext,
        _request: &'a CommandRequest,
        _code: i32,
        _output: &'a str,
    ) -> BoxFuture<'a, AfterFailure> {
        Box::pin(std::future::ready(AfterFailure::Keep))
    }

    /// Carries out a command that is nothing but a patch; `None` = it is not one, run it. Nothing has been told
    /// yet: the patch tells its own item.
    fn patch<'a>(
        &'a self,
        _ctx: &'a ToolContext,
        _call: &'a ToolCall,
        _request: &'a CommandRequest,
    ) -> BoxFuture<'a, Option<ToolOutput>> {
        Box::pin(std::future::ready(None))
    }

    /// What the command does, for display.
    fn actions(&self, request: &CommandRequest) -> Vec<CommandAction> {
        let command = request.script.clone().unwrap_or_else(|| request.display());
        vec![CommandAction::Unknown { command }]
    }
}
