//! What follows when the sandbox stopped a command: a sentence for the model, and where the policy has it so a question
//! to the user. What was stopped is remembered for the next question about the same command.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::consent::Said;
use super::denied::{self, Denied};
use super::permit::{Permits, call};
use crate::approvals::decide;
use crate::base::tasks;
use crate::protocol::ask::Narrow;
use crate::sandbox::{Denial, Roots};
use crate::tools::context::ToolContext;
use crate::tools::gate::{AfterFailure, CommandRequest, Permit};

/// Refused commands that are remembered.
const MAX_DENIED: usize = 32;

/// What the sandbox refused, newest last.
#[derive(Debug, Default)]
pub(super) struct Remembered(Mutex<VecDeque<Denied>>);

impl Remembered {
    fn held(&self) -> MutexGuard<'_, VecDeque<Denied>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, found: Denied) {
        let mut denied = self.held();
        denied.push_back(found);
        let surplus = denied.len().saturating_sub(MAX_DENIED);
        denied.drain(..surplus);
    }

    /// What was refused to the same command before, when it is known.
    pub(super) fn of(&self, request: &CommandRequest) -> Option<Denied> {
        self.held()
            .iter()
            .rfind(|denied| denied.is_of(request))
            .filter(|denied| !denied.what.is_empty())
            .cloned()
    }

    /// Whether the same command failed in the sandbox as it is now.
    pub(super) fn failed(&self, request: &CommandRequest) -> bool {
        self.held().iter().any(|denied| denied.is_of(request))
    }

    /// The place is open: what failed for want of it may succeed.
    pub(super) fn opened(&self, narrow: &Narrow) {
        self.held().retain(|denied| denied.narrow.as_ref() != Some(narrow));
    }
}

impl Permits {
    /// What to do about a command that was stopped.
    pub(super) async fn retry(
        &self,
        ctx: &ToolContext,
        request: &CommandRequest,
        output: &str,
        denial: Option<Denial>,
    ) -> AfterFailure {
        let judged = self.judge(ctx, request);
        let (roots, commands) = (Arc::clone(&judged.in_force), judged.commands.clone());
        let (cwd, printed) = (request.cwd.clone(), denied::searched(output).to_owned());
        let look = move || denied::narrow(&roots, &commands, &cwd, &printed);
        let narrow = tasks::blocking("look what was refused", look).await.ok().flatten();
        let narrow = narrow.filter(|narrow| self.places.may_open(narrow));
        let Some(denial) = named(denial, narrow.as_ref(), &judged.in_force) else {
            self.remembered.add(Denied::silent(request));
            return AfterFailure::Keep;
        };
        let note = denial.sentence();
        let (argv, cwd) = (request.argv.clone(), request.cwd.clone());
        let found = Denied { argv, cwd, what: denial.what, narrow };
        self.remembered.add(found.clone());
        if !decide::may_offer_retry(ctx.approval) {
            return AfterFailure::Note(note);
        }
        let all: Vec<usize> = (0..judged.commands.pieces.len()).collect();
        let _turn = self.asking.lock().await;
        // What the user let out of the sandbox before needs no second word.
        let covered = self.grants().cover(call(request, &judged.commands, true, &judged.planted));
        let said = if !covered.is_empty() && covered.iter().all(|covered| *covered) {
            Said::Yes
        } else {
            let reason = Some("The sandbox stopped it. Run it again?".to_owned());
            self.ask(ctx, &judged, reason, true, &all, Some(found)).await
        };
        match said {
            Said::Yes => match ctx.synced().await {
                Ok(()) => AfterFailure::Again,
                Err(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Said::Inside => match self.confined(ctx, request, true).await {
                Permit::Sandboxed(confine) => AfterFailure::AgainConfined(confine),
                Permit::Unsandboxed => AfterFailure::Note(note),
                Permit::Refused(why) => AfterFailure::Note(format!("{note} It was not run again: {why}")),
            },
            Said::No(_) => AfterFailure::Note(note),
        }
    }
}

/// What was refused, with the grant of the one place when it is known.
fn named(denial: Option<Denial>, narrow: Option<&Narrow>, roots: &Roots) -> Option<Denial> {
    let grant = |text: String| Some(format!("`{text}` in [sandbox_workspace_write] would allow it"));
    match narrow {
        Some(Narrow::Host(host)) => {
            denial.map(|denial| Denial { grant: grant(format!("network_allow = [\"{host}\"]")), ..denial })
        }
        Some(Narrow::Hosts(hosts)) => denial.map(|denial| {
            let list = hosts.iter().map(|host| format!("\"{host}\"")).collect::<Vec<_>>().join(", ");
            Denial { grant: grant(format!("network_allow = [{list}]")), ..denial }
        }),
        Some(Narrow::Port(port)) => Some(Denial {
            what: format!("port {port} of this machine's 127.0.0.1 (no command of this thread serves one)"),
            grant: grant(format!("loopback_ports = [{port}]")),
            sandbox: roots.describe(),
        }),
        Some(Narrow::Folder(_)) | None => denial,
    }
}
