//! Which tools a thread offers, and which it accepts without offering them. The order of the definitions never
//! changes within a thread: they are part of what the server caches.

use std::sync::Arc;

use serde_json::value::RawValue;

use super::apply_patch::ApplyPatch;
use super::commands::Commands;
use super::exec_command::ExecCommand;
use super::shell::{Flavour, OldShell};
use super::tool::{Tool, ToolCall};
use super::update_plan::UpdatePlan;
use super::view_image::ViewImage;
use super::write_stdin::WriteStdin;

/// Which of the tools the configuration wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Commands at all.
    pub(crate) shell: bool,
    /// Images.
    pub(crate) view_image: bool,
    /// Patches and plans.
    pub(crate) edits: bool,
}

/// The tools of one thread.
pub(crate) struct Registry {
    tools: Vec<Arc<dyn Tool>>,
    definitions: Vec<Box<RawValue>>,
    commands: Arc<Commands>,
}

impl Registry {
    /// The tools, in the order in which they are offered.
    pub(crate) fn new(wanted: Wanted, commands: Arc<Commands>, patch: Arc<ApplyPatch>) -> Self {
        let mut tools: Vec<Arc<dyn Tool>> = Vec::new();
        if wanted.shell {
            tools.push(Arc::new(ExecCommand::new(Arc::clone(&commands))));
            tools.push(Arc::new(WriteStdin::new(Arc::clone(&commands))));
            for flavour in [Flavour::Shell, Flavour::ShellCommand, Flavour::LocalShell] {
                tools.push(Arc::new(OldShell::new(Arc::clone(&commands), flavour)));
            }
        }
        if wanted.edits {
            tools.push(patch);
            tools.push(Arc::new(UpdatePlan));
        }
        if wanted.view_image {
            tools.push(Arc::new(ViewImage));
        }
        let definitions = tools
            .iter()
            .filter_map(|tool| tool.definition())
            .filter_map(|definition| serde_json::value::to_raw_value(&definition).ok())
            .collect();
        Self { tools, definitions, commands }
    }

    /// What requests offer.
    pub(crate) fn definitions(&self) -> &[Box<RawValue>] {
        &self.definitions
    }

    /// The tool of that name.
    pub(crate) fn find(&self, name: &str) -> Option<&Arc<dyn Tool>> {
        self.tools.iter().find(|tool| tool.name() == name)
    }

    /// Whether a call may run beside others. An unknown name only answers that it is unknown; a patch inside a
    /// shell call is a patch.
    pub(crate) fn parallel(&self, call: &ToolCall) -> bool {
        !call.payload.text().contains("*** Begin Patch")
            && self.find(&call.name).is_none_or(|tool| tool.parallel())
    }

    /// What runs commands, also those of the user.
    pub(crate) fn commands(&self) -> &Arc<Commands> {
        &self.commands
    }

    /// The end of a turn: items of commands that go on get their final state.
    pub(crate) async fn settle(&self) {
        self.commands.sessions.settle().await;
    }

    /// The end of the thread, or an interrupt: commands that go on are killed.
    pub(crate) async fn close_sessions(&self) {
        self.commands.sessions.close().await;
    }
}
