//! What a tool may use while it runs: the turn's frozen settings, a way to tell events, a way to ask.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::tool::{ToolCall, ToolOutput};
use crate::base::ids::{ItemId, ThreadId, TurnId};
use crate::base::tasks::CancellationToken;
use crate::protocol::ask::{Answer, Ask};
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::item::{Item, ToolStatus};
use crate::protocol::network::Visits;
use crate::protocol::policy::{ApprovalPolicy, SandboxPolicy, ShellEnvPolicy};
use crate::sandbox::Roots;
use crate::workspace::undo::Keeper;

/// Everything one tool call may use. Cheap to clone: one per call.
#[derive(Clone)]
pub(crate) struct ToolContext {
    /// The thread, for the environment of commands.
    pub(crate) thread_id: ThreadId,
    /// The turn.
    pub(crate) turn_id: TurnId,
    /// Absolute working directory of the turn.
    pub(crate) cwd: PathBuf,
    /// When to ask.
    pub(crate) approval: ApprovalPolicy,
    /// What commands may touch.
    pub(crate) sandbox: Arc<SandboxPolicy>,
    /// What follows from it on this disk.
    pub(crate) roots: Arc<Roots>,
    /// Our own environment, captured at start.
    pub(crate) env: Arc<BTreeMap<OsString, OsString>>,
    /// Whether commands may read the user's login profile first.
    pub(crate) login_shell: bool,
    /// Which of it commands inherit.
    pub(crate) shell_env: Arc<ShellEnvPolicy>,
    /// Names of variables that hold model-provider keys; commands never get them.
    pub(crate) secret_env: Arc<Vec<String>>,
    /// Folder for complete outputs that are too long for the model; made when first needed.
    pub(crate) output_dir: PathBuf,
    /// Output budget in tokens when the model names none.
    pub(crate) output_tokens: u64,
    /// Told before anything may change files.
    pub(crate) undo: Arc<Keeper>,
    /// Where events go; bounded, so that a flood slows the tool instead of filling memory.
    pub(crate) events: mpsc::Sender<ToolEvent>,
    /// Fires when the turn is interrupted.
    pub(crate) cancel: CancellationToken,
}

/// What a running tool tells its turn.
#[derive(Debug)]
pub(crate) enum ToolEvent {
    /// Something for the readers (items are recorded on their way).
    Event(Event),
    /// What a command that has ended reached in the network.
    Reached(Visits),
    /// A question; the answer comes back through the channel. A dropped channel means "cancelled".
    Ask(Box<Ask>, oneshot::Sender<Answer>),
    /// What happens next cannot be taken back: everything told so far must outlive a power cut first. The answer
    /// says whether it would.
    Sync(oneshot::Sender<Result<(), ErrorInfo>>),
    /// A command in the background has ended.
    SessionEnded,
}

impl ToolContext {
    /// Tells the readers something. Losing the turn is not the tool's trouble.
    pub(crate) async fn tell(&self, event: Event) {
        let _ = self.events.send(ToolEvent::Event(event)).await;
    }

    /// Shows the user a call that came to nothing, and tells the model why.
    pub(crate) async fn failed(&self, call: &ToolCall, why: String) -> ToolOutput {
        let text = call.payload.text();
        let item = Item::ToolCall {
            id: ItemId::from(call.call_id.as_str()),
            tool: call.name.clone(),
            arguments: serde_json::from_str(text)
                .unwrap_or_else(|_| serde_json::Value::String(text.to_owned())),
            status: ToolStatus::Failed,
            success: Some(false),
            output: Some(why.clone()),
        };
        self.tell(Event::ItemStarted { item: item.clone() }).await;
        self.tell(Event::ItemCompleted { item }).await;
        ToolOutput::text(why)
    }

    /// Waits until everything told so far would outlive a power cut.
    ///
    /// # Errors
    /// It would not, or the turn is gone: a sentence that says why.
    pub(crate) async fn synced(&self) -> Result<(), String> {
        let gone = || "the turn has ended".to_owned();
        let (sender, receiver) = oneshot::channel();
        self.events.send(ToolEvent::Sync(sender)).await.map_err(|_| gone())?;
        match receiver.await {
            Ok(done) => done.map_err(|error| error.message),
            Err(_) => Err(gone()),
        }
    }

    /// Asks the user and waits; `Answer::Cancel` when the turn ends first.
    pub(crate) async fn ask(&self, ask: Ask) -> Answer {
        let (sender, receiver) = oneshot::channel();
        if self.events.send(ToolEvent::Ask(Box::new(ask), sender)).await.is_err() {
            return Answer::Cancel;
        }
        tokio::select! {
            biased; // an interrupt beats an answer that arrives with it
            () = self.cancel.cancelled() => Answer::Cancel,
            answer = receiver => answer.unwrap_or(Answer::Cancel),
        }
    }
}
