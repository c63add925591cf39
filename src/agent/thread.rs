//! One task per thread. It owns everything of the thread and lends it to the running turn; nothing of it is
//! shared, so nothing of it is locked.

use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::asks::Asks;
use super::budget::{Ledger, Priced};
use super::compact::Threshold;
use super::configure;
use super::handle::{Handle, OPS};
use super::history::History;
use super::live_roots::LiveRoots;
use super::past::{self, Past};
use super::readers::Readers;
use super::request;
use super::services::Services;
use super::settings::Settings;
use super::toolbox::Toolbox;
use super::turn::{Finished, Turn};
use super::user_shell::{self, UserShells};
use crate::base::ids::{ThreadId, TurnId};
use crate::base::tasks::{self, CancellationToken};
use crate::config::Config;
use crate::protocol::error::ErrorInfo;
use crate::protocol::event::Event;
use crate::protocol::limits::LimitsSnapshot;
use crate::protocol::network::Visits;
use crate::protocol::op::Op;
use crate::protocol::tokens::ThreadUsage;
use crate::protocol::turn::Changed;
use crate::threads::Writer;
use crate::tools::context::{ToolContext, ToolEvent};
use crate::tools::registry::Registry;

/// Events of tools that may wait; a tool that tells more waits for its turn.
const TOOL_EVENTS: usize = 256;

/// What a thread begins with.
pub(crate) struct Start {
    /// New, or the one that goes on.
    pub(crate) thread_id: ThreadId,
    /// Where its lines go.
    pub(crate) writer: Writer,
    /// What was before.
    pub(crate) past: Past,
    /// Tokens so far.
    pub(crate) usage: ThreadUsage,
    /// The settings of its turns.
    pub(crate) settings: Settings,
}

/// The state of a live thread.
pub(crate) struct Thread {
    pub(crate) id: ThreadId,
    /// The running turn, or the last one: commands in the background belong to it.
    pub(crate) turn_id: TurnId,
    pub(crate) services: Arc<Services>,
    pub(crate) config: Arc<Config>,
    pub(crate) settings: Settings,
    pub(crate) roots: LiveRoots,
    pub(crate) user_shells: UserShells,
    /// Complete once the past was taken over.
    pub(crate) history: History,
    pub(crate) past: Past,
    pub(crate) readers: Readers,
    pub(crate) registry: Arc<Registry>,
    pub(crate) tool_events: mpsc::Receiver<ToolEvent>,
    pub(crate) asks: Asks,
    /// How often it was compacted; travels with every request.
    pub(crate) window_number: u32,
    /// Item ids already shown: servers may repeat theirs, readers must be able to rely on them.
    pub(crate) seen_ids: HashSet<String>,
    /// Items the model added since the last compaction; none means that another one cannot help.
    pub(crate) since_compaction: usize,
    /// What was told last of what runs in the background.
    sessions_told: Vec<String>,
    pub(crate) threshold: Threshold,
    /// What it has used of the limits.
    pub(crate) ledger: Ledger,
    pub(crate) usage: ThreadUsage,
    /// The reviewer's own name while the thread lends itself to a review: its conversation is not stored.
    pub(crate) reviewer: Option<ThreadId>,
    pub(super) writer: Writer,
    /// Rate limits as the server told them last; stored with the usage.
    pub(crate) limits: Option<LimitsSnapshot>,
    tool_sender: mpsc::Sender<ToolEvent>,
    /// A write that failed and was not looked at yet.
    pub(super) unsaved: Option<ErrorInfo>,
    /// The model that answered instead of the one that was asked, when the user was told of it.
    pub(crate) answered_by: Option<String>,
    /// What the patches of the running turn changed so far.
    pub(crate) changed: Option<Changed>,
    /// What commands have reached in the network since the last turn.
    pub(crate) visits: Visits,
}

/// Starts a thread.
pub(crate) fn start(services: Arc<Services>, config: Arc<Config>, start: Start) -> Handle {
    let Toolbox { registry, roots } = Toolbox::new(&config, &start.settings, &services);
    let (tool_sender, tool_events) = mpsc::channel(TOOL_EVENTS);
    let (ops, ops_receiver) = mpsc::channel(OPS);
    let mut readers = Readers::default();
    let events = readers.subscribe();
    let thread = Thread {
        id: start.thread_id,
        turn_id: TurnId::new(),
        services,
        since_compaction: 0,
        sessions_told: Vec::new(),
        config,
        settings: start.settings,
        roots,
        user_shells: UserShells::default(),
        history: History::default(),
        past: start.past,
        readers,
        registry: Arc::new(registry),
        tool_events,
        asks: Asks::default(),
        window_number: 0,
        seen_ids: HashSet::new(),
        threshold: Threshold::default(),
        ledger: Ledger::default(),
        usage: start.usage,
        reviewer: None,
        writer: start.writer,
        limits: None,
        tool_sender,
        unsaved: None,
        answered_by: None,
        changed: None,
        visits: Visits::default(),
    };
    let task = tasks::spawn("thread", thread.run(ops_receiver));
    Handle { ops, events, task }
}

impl Thread {
    async fn run(mut self, mut ops: mpsc::Receiver<Op>) {
        let mut waiting: VecDeque<Op> = VecDeque::new();
        configure::tell(&mut self).await;
        loop {
            let op = match waiting.pop_front() {
                Some(op) => Some(op),
                None => self.idle(&mut ops).await,
            };
            let finished = match op {
                Some(Op::UserTurn { input, output_schema }) => {
                    Turn::new(&mut self, &mut ops, output_schema).run(input).await
                }
                Some(Op::Review { target }) => Turn::new(&mut self, &mut ops, None).run_review(target).await,
                Some(Op::Compact) => Turn::new(&mut self, &mut ops, None).run_compaction().await,
                Some(Op::Answer { id, answer }) => {
                    self.asks.answer(id, answer);
                    continue;
                }
                Some(
                    op @ (Op::Interrupt
                    | Op::UserShell { .. }
                    | Op::Configure(_)
                    | Op::Rewind { .. }
                    | Op::Note(_)
                    | Op::Sessions
                    | Op::StopSessions),
                ) => {
                    self.between_turns(op).await;
                    continue;
                }
                Some(Op::Shutdown) | None => break,
            };
            let Finished { closing, left_over } = finished;
            waiting.extend(left_over);
            if closing {
                break;
            }
        }
        self.close().await;
    }

    /// What ops mean that need no turn.
    async fn between_turns(&mut self, op: Op) {
        match op {
            Op::Interrupt => user_shell::interrupt(self),
            Op::UserShell { command } => user_shell::start(self, command),
            Op::Configure(change) => configure::apply(self, *change).await,
            Op::Rewind { turns } => self.rewind(turns).await,
            Op::Note(note) => self.store(|w| w.note(&note)),
            Op::Sessions => self.tell_sessions(true).await,
            Op::StopSessions => {
                self.settle(true).await;
                self.tell_sessions(true).await;
            }
            Op::UserTurn { .. } | Op::Review { .. } | Op::Answer { .. } | Op::Compact | Op::Shutdown => {}
        }
    }

    /// Tells what runs in the background, when that is not what was told last or when it was asked for.
    pub(crate) async fn tell_sessions(&mut self, asked: bool) {
        let running = self.registry.commands().sessions.running();
        if asked || running != self.sessions_told {
            self.sessions_told.clone_from(&running);
            self.readers.tell(Event::Sessions(running)).await;
        }
    }

    /// Takes back the last turns, in memory and by a mark on disk.
    async fn rewind(&mut self, turns: u32) {
        if let Err(error) = past::ready(self).await {
            self.readers.tell(Event::Warning { message: error.message }).await;
        }
        let turns = self.history.rewind(turns);
        if turns > 0 {
            self.store(|w| w.rolled_back(turns));
            self.since_compaction = self.history.items().len();
        }
        self.readers.tell(Event::Rewound { turns }).await;
    }

    /// Waits for the next op; background sessions may still tell things meanwhile.
    async fn idle(&mut self, ops: &mut mpsc::Receiver<Op>) -> Option<Op> {
        loop {
            tokio::select! {
                biased; // ops first: a person waits for them
                op = ops.recv() => return op,
                Some(event) = self.tool_events.recv() => self.on_tool_event(event).await,
                () = self.readers.flush(), if self.readers.holding() => {}
                () = self.ledger.follow(&self.services), if self.ledger.is_due() => {
                    if let Some(priced) = self.ledger.price(&self.services) {
                        self.priced(priced).await;
                    }
                }
            }
        }
    }

    /// What a turn has cost in all.
    pub(crate) async fn priced(&mut self, Priced { turn_id, price }: Priced) {
        let spent = self.ledger.spent(&self.services);
        self.store(|w| w.turn_priced(turn_id, &price, &spent));
        self.readers.tell(Event::TurnPriced { turn_id, price }).await;
    }

    /// Ends in order: background sessions are stopped and told, everything is on disk, then `Closed`.
    async fn close(mut self) {
        user_shell::interrupt(&mut self);
        user_shell::record(&mut self, true).await;
        self.settle(true).await;
        if let Some(priced) = self.ledger.settle(&self.services).await {
            self.priced(priced).await;
        }
        self.services.undo.close().await;
        if let Err(error) = self.sync().await {
            self.readers.tell(Event::Warning { message: error.message }).await;
        }
        self.readers.tell(Event::Closed).await;
    }

    /// Gives the items of commands that go on their final state; `kill` also ends the commands.
    pub(crate) async fn settle(&mut self, kill: bool) {
        let registry = Arc::clone(&self.registry);
        let work = async { if kill { registry.close_sessions().await } else { registry.settle().await } };
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                biased; // what the commands tell on the way comes first
                Some(event) = self.tool_events.recv() => self.on_tool_event(event).await,
                () = &mut work => break,
            }
        }
        self.drain_tool_events().await;
    }

    /// Events of tools: items are stored on their way, questions are opened.
    pub(crate) async fn on_tool_event(&mut self, event: ToolEvent) {
        match event {
            ToolEvent::Event(Event::ItemCompleted { item }) => self.complete(item).await,
            ToolEvent::Event(event) => {
                if let Event::DiffUpdated { diff } = &event {
                    self.changed = Some(crate::patch::size(diff)).filter(|changed| changed.files > 0);
                }
                self.readers.tell(event).await
            }
            ToolEvent::Reached(visits) => self.visits.join(visits),
            ToolEvent::Ask(ask, sender) => {
                let id = self.asks.open(sender);
                self.readers.tell(Event::Ask { id, ask }).await;
            }
            ToolEvent::SessionEnded => self.tell_sessions(false).await,
            ToolEvent::Sync(sender) => {
                let _ = sender.send(self.sync().await);
            }
        }
    }

    /// Context fill in tokens, as far as it is known.
    pub(crate) fn tokens(&self) -> u64 {
        self.history.tokens(request::fixed_tokens(self))
    }

    /// Takes everything tools have told so far.
    pub(crate) async fn drain_tool_events(&mut self) {
        while let Ok(event) = self.tool_events.try_recv() {
            self.on_tool_event(event).await;
        }
    }

    /// What the tools of a turn may use.
    pub(crate) fn tool_context(&self, turn_id: TurnId, cancel: &CancellationToken) -> ToolContext {
        let settings = &self.settings;
        ToolContext {
            thread_id: self.id,
            turn_id,
            cwd: settings.cwd.clone(),
            approval: settings.approval,
            sandbox: Arc::clone(&settings.sandbox),
            roots: Arc::clone(&settings.roots),
            env: Arc::clone(&self.services.env),
            login_shell: settings.login_shell,
            shell_env: Arc::clone(&settings.shell_env),
            secret_env: Arc::clone(&self.services.secret_env),
            output_dir: self.services.output_dir.join(self.id.to_string()),
            output_tokens: settings.output_tokens,
            undo: Arc::clone(&self.services.undo),
            events: self.tool_sender.clone(),
            cancel: cancel.clone(),
        }
    }
}
