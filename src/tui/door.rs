//! What the app asks of the program around it, besides ops and events of the open thread: one bounded channel of
//! calls, each with a place for its answer. The other end is wired in `cli`; tests answer by script.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};

use crate::backend::nudge::{More, Nudged};
use crate::base::ids::ThreadId;
use crate::base::secret::Secret;
use crate::limits::AccountLimits;
use crate::limits::activity::Activity;
use crate::limits::advice::Pending;
use crate::limits::alarms::Alarm;
use crate::limits::redeemer::{Plan, Wish};
use crate::limits::redemption::{Outcome, Step};
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::protocol::op::Op;
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy};
use crate::protocol::tokens::ThreadUsage;
use crate::threads::Turn;
use crate::workspace::changed::Count;
use crate::workspace::undo::Report;
use crate::workspace::undo::{Wanted, Which};

/// Calls that may wait.
const CALLS: usize = 32;
/// Batches of a list that may wait.
const BATCHES: usize = 4;

/// A place for the answer of a call.
pub(crate) type Reply<T> = oneshot::Sender<Result<T, ErrorInfo>>;

/// One call.
pub(crate) enum Call {
    /// Opens a thread; the one before is shut down by its ops.
    Open(Begin, Reply<Live>),
    /// Lists stored threads, newest first, in batches; the end of the channel ends the list.
    Threads(ThreadFilter, mpsc::Sender<Vec<ThreadRow>>),
    /// What can be gone on with in this folder, piece by piece.
    Glance(mpsc::Sender<Glimpse>),
    /// Where the thread that would be continued worked, when that is not this folder and nobody has decided.
    Locate(Begin, Reply<Option<Elsewhere>>),
    /// The turns before those that were given so far, oldest first, and whether there are more.
    Earlier(Reply<(Vec<Turn>, bool)>),
    /// Names the open thread.
    Rename(String, Reply<()>),
    /// What git sees as changed, new files included, as a unified diff.
    Diff(Reply<String>),
    /// Takes back what a turn changed below this folder, or brings it again; what it came to.
    Undo(PathBuf, Which, Reply<Undone>),
    /// Takes back what these turns changed below this folder, or (true) only tells; `None` when nothing of it stands.
    Since(PathBuf, Wanted, bool, Reply<Option<Report>>),
    /// Stores that the folder is trusted, and configures anew; threads opened later run with that.
    Trust(Reply<()>),
    /// Looks at the folder without trusting it: whatever the configuration says, this run is read-only.
    LookOnly(Reply<()>),
    /// Stores an API key.
    SignIn(Secret, Reply<()>),
    /// Begins to sign in with ChatGPT; the one before ends.
    SignInBy(Way, Reply<Waiting>),
    /// Hands in the address a browser ended at; the error says what is wrong with it.
    Pasted(Secret, Reply<()>),
    /// Goes on as whoever is signed in now; tells who that is.
    Adopt(Reply<String>),
    /// Uses the scripted service from now on.
    Demo(Reply<()>),
    /// Forgets the stored credentials; what is true afterwards, in sentences.
    Logout(Reply<String>),
    /// Writes a setting of the app to the user's configuration.
    Save(Setting, Reply<()>),
    /// Something about the limits of the account.
    Limits(LimitsCall),
}

/// What can be asked about the limits of the account. None of these waits for another.
pub(crate) enum LimitsCall {
    /// Reads them anew when they are older than this; the numbers come by [`Live::limits`]. Tells of a redemption that is
    /// not over.
    Refresh(Duration, Reply<Option<Pending>>),
    /// What the user has to be told and nobody has told yet, in no process.
    Alarms(Reply<Vec<Alarm>>),
    /// Token activity.
    Activity(Reply<Activity>),
    /// What a wish to redeem comes to.
    Plan(Wish, Reply<Box<Plan>>),
    /// Redeems, after the person said yes; the channel ends with the outcome.
    Redeem(Box<Plan>, Wish, mpsc::Sender<Redeeming>),
    /// Asks the owner of the workspace for more.
    Nudge(More, Reply<Nudged>),
    /// Finishes what an earlier run left unfinished; `None` when there was nothing.
    Finish(Reply<Option<Box<Outcome>>>),
}

/// What undo came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Undone {
    /// In words.
    pub(crate) text: String,
    /// Nothing was done yet: the words tell why this turn is perhaps not the one that is meant.
    pub(crate) ask: Option<u64>,
}

/// A redemption on its way.
#[derive(Debug)]
pub(crate) enum Redeeming {
    /// A step.
    Step(Step),
    /// Its end.
    Ended(Box<Outcome>),
}

/// A way to sign in with ChatGPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A browser on this machine.
    Browser,
    /// A code that is typed in a browser on any device.
    Code,
}

/// A sign-in that waits for the user.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The address to open.
    pub(crate) url: String,
    /// The code to type there.
    pub(crate) code: Option<String>,
    /// The end of it. Dropping this gives up.
    pub(crate) done: oneshot::Receiver<Result<(), ErrorInfo>>,
}

/// How a thread begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    /// With nothing.
    New,
    /// Where this one ended.
    Resume(ThreadId),
    /// The same, in this folder from now on.
    ResumeIn(ThreadId, PathBuf),
    /// Where the last one ended.
    ResumeLast {
        /// Of all folders, not only this one.
        everywhere: bool,
    },
    /// Where the one of this name or id ended.
    ResumeNamed(String),
    /// As a copy of this one.
    Fork(ThreadId),
}

/// An open thread.
pub(crate) struct Live {
    /// What it is.
    pub(crate) info: ThreadInfo,
    /// Where ops go in.
    pub(crate) ops: mpsc::Sender<Op>,
    /// Where events come out.
    pub(crate) events: mpsc::Receiver<Event>,
    /// What was shown before, oldest first: the last page of it.
    pub(crate) past: Vec<Turn>,
    /// There is more before that.
    pub(crate) earlier: bool,
    /// Tokens so far.
    pub(crate) usage: Option<ThreadUsage>,
    /// Sentences for the user.
    pub(crate) warnings: Vec<String>,
    /// The limits of the account, now and after each change; `None` without a ChatGPT sign-in.
    pub(crate) limits: Option<watch::Receiver<Arc<AccountLimits>>>,
}

/// What is known of the open thread, and what its turns run with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadInfo {
    /// Identity.
    pub(crate) id: ThreadId,
    /// Name, when it has one.
    pub(crate) name: Option<String>,
    /// Slug of the model.
    pub(crate) model: String,
    /// Reasoning effort, when the model has one.
    pub(crate) effort: Option<String>,
    /// Kind of reasoning summary.
    pub(crate) summary: Option<String>,
    /// Provider id.
    pub(crate) provider: String,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// Root of the project, when there is one.
    pub(crate) project: Option<PathBuf>,
    /// Branch of the project.
    pub(crate) branch: Option<String>,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: SandboxPolicy,
    /// What that comes to on this machine, a sentence each.
    pub(crate) access: Vec<String>,
    /// Usable window of the model in tokens.
    pub(crate) context_window: Option<u64>,
    /// Instruction files in effect.
    pub(crate) instructions: Vec<PathBuf>,
    /// Who pays, in words: an address and plan, "API key", "none needed".
    pub(crate) account: String,
    /// Chosen profile.
    pub(crate) profile: Option<String>,
}

/// Which threads to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct ThreadFilter {
    /// From all folders, not only this one.
    pub(crate) everywhere: bool,
    /// The archived ones.
    pub(crate) archived: bool,
    /// By their start, not by their last change.
    pub(crate) by_creation: bool,
}

/// A stored thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ThreadRow {
    /// Identity.
    pub(crate) id: ThreadId,
    /// Name or first prompt.
    pub(crate) title: String,
    /// Folder it was started in.
    pub(crate) cwd: Option<PathBuf>,
    /// Branch at the start.
    pub(crate) branch: Option<String>,
    /// Start or last change, unix milliseconds, as listed by.
    pub(crate) at_ms: u64,
}

/// A thread that worked in another folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Elsewhere {
    /// Identity.
    pub(crate) id: ThreadId,
    /// Where it worked.
    pub(crate) there: PathBuf,
    /// That folder is still there.
    pub(crate) exists: bool,
    /// What holds there without asking, in words.
    pub(crate) permissions: String,
    /// This folder.
    pub(crate) here: PathBuf,
}

/// One of the things that can be gone on with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Glimpse {
    /// The thread used last in this folder.
    Last(Option<ThreadRow>),
    /// The repository.
    Git(GitState),
}

/// Where the repository stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum GitState {
    /// There is none.
    None,
    /// Changes are counted; with the branch, when there is one.
    Counted(Option<String>, Count),
    /// Nobody counted: the folder is not trusted, and git may run what is configured in it.
    Untrusted(Option<String>),
    /// Git does not answer.
    Silent(Option<String>),
}

/// A setting the app itself changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Setting {
    /// Model and effort of threads to come.
    Model {
        /// Slug.
        slug: String,
        /// Effort; `None` leaves it to the model.
        effort: Option<String>,
    },
    /// Items of the status line.
    StatusLine(Vec<String>),
    /// Items of the title.
    Title(Vec<String>),
    /// Syntax theme.
    Theme(String),
    /// Whether the next start uses the whole screen.
    Fullscreen(bool),
    /// A smaller model is never offered again.
    NoModelNudge,
}

/// The app's end. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    calls: mpsc::Sender<Call>,
}

impl Door {
    /// A door and the calls that come through it.
    pub(crate) fn new() -> (Self, mpsc::Receiver<Call>) {
        let (calls, receiver) = mpsc::channel(CALLS);
        (Self { calls }, receiver)
    }

    /// Makes a call and waits for the answer.
    ///
    /// # Errors
    /// What went wrong on the other side; also when there is none.
    pub(crate) async fn call<T>(&self, make: impl FnOnce(Reply<T>) -> Call) -> Result<T, ErrorInfo> {
        let (reply, answer) = oneshot::channel();
        self.calls.send(make(reply)).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }

    /// Makes a call that answers by itself.
    ///
    /// # Errors
    /// There is nobody to take it.
    pub(crate) async fn send(&self, call: Call) -> Result<(), ErrorInfo> {
        self.calls.send(call).await.map_err(|_| gone())
    }

    /// Begins a list of stored threads.
    ///
    /// # Errors
    /// There is nobody to make it.
    pub(crate) async fn threads(
        &self,
        filter: ThreadFilter,
    ) -> Result<mpsc::Receiver<Vec<ThreadRow>>, ErrorInfo> {
        let (batches, rows) = mpsc::channel(BATCHES);
        self.calls.send(Call::Threads(filter, batches)).await.map_err(|_| gone())?;
        Ok(rows)
    }
}

/// The other side is no more.
pub(crate) fn gone() -> ErrorInfo {
    ErrorInfo::new(ErrorKind::Internal, "this part of codex has stopped").with_hint("restart codex")
}
