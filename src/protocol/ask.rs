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
        /// What the user would allow, as far as it can be told beforehand.
        effects: Vec<Effect>,
        /// The rule that would answer this for good, if one can be offered.
        rule: Option<RuleOffer>,
        /// The one place that the command needs, if opening it is another answer.
        place: Option<PlaceOffer>,
        /// Why there is no answer for longer than this session, when there is none.
        missing: Option<String>,
    },
    /// May this patch be written?
    Patch {
        /// The file-change item it is about.
        item_id: ItemId,
        /// What would change.
        changes: Vec<FileChange>,
        /// Why it is asked.
        reason: Option<String>,
        /// The one folder that it writes outside the writable ones, if opening it is another answer.
        place: Option<PlaceOffer>,
        /// Why there is no answer for longer than this session, when there is none.
        missing: Option<String>,
    },
}

/// Something a command would do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It runs in the sandbox: what that lets it do.
    Confined(String),
    /// These programs run outside the sandbox.
    Outside(Vec<String>),
    /// It is a script that a shell computes, so nobody can tell what it does; it runs outside the sandbox.
    OutsideUnread,
    /// It names this place to write.
    Writes(PathBuf),
    /// It names this place to delete.
    Deletes(PathBuf),
    /// It goes to this host, or to a place of this kind.
    Connects(String),
    /// The sandbox refused it before: what.
    Refused(String),
    /// Something about the command is not what its words say.
    Doubt(String),
    /// More of the above were left out.
    More(usize),
}

/// A single place that can be opened while everything else stays closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Narrow {
    /// Writing below this folder.
    Folder(PathBuf),
    /// This `host:port`.
    Host(String),
    /// These, which are of no use one without the other.
    Hosts(Vec<String>),
    /// This port of the machine's own loopback.
    Port(u16),
}

impl Narrow {
    /// What it lets commands do.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Folder(folder) => format!("write in {}", folder.display()),
            Self::Host(host) => format!("connect to {host}"),
            Self::Hosts(hosts) => format!("connect to {}", hosts.join(" and ")),
            Self::Port(port) => format!("connect to port {port} of this machine"),
        }
    }
}

/// A place whose opening is offered with a question, and what its answers for good would write down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlaceOffer {
    /// What would be opened.
    pub(crate) narrow: Narrow,
    /// The words of [`Answer::OpenForProject`]; `None`: that is no choice.
    pub(crate) project: Option<String>,
    /// The words of [`Answer::OpenAlways`]; `None`: that is no choice.
    pub(crate) always: Option<String>,
}

/// A rule that is offered with a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RuleOffer {
    /// Exactly what would be written, line by line.
    pub(crate) lines: Vec<String>,
    /// The project that [`Answer::AcceptForProject`] means.
    pub(crate) project: PathBuf,
    /// It means something else outside the project: [`Answer::AcceptAlways`] is no choice.
    pub(crate) project_only: bool,
    /// It lets nothing out of the sandbox.
    pub(crate) inside: bool,
}

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The offered place is opened for this thread, and the command runs in the sandbox. Without an offer the same as
    /// [`Answer::Decline`].
    Open,
    /// The same, from now on in this project.
    OpenForProject,
    /// The same, from now on everywhere.
    OpenAlways,
    /// Yes, this once.
    Accept,
    /// Yes, and do not ask for the same again in this thread.
    AcceptForSession,
    /// Yes, and from now on in this project, by the offered rule. Without an offer the same as for the session.
    AcceptForProject,
    /// Yes, and from now on everywhere, by the offered rule. Without an offer the same as for the session.
    AcceptAlways,
    /// No; the turn goes on and the model is told.
    Decline,
    /// No, and stop the turn.
    Cancel,
}
