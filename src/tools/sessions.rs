//! Commands that outlive their call. Each has a task that keeps reading its output, a number the model knows, and
//! ends with the thread at the latest. The table is bounded: when it is full, the session that was used longest
//! ago goes, but none of the eight used last.
//!
//! The item of a session gets its final state when the command ends, when the turn that started it ends
//! ([`Sessions::settle`]: the command lives on, the item does not), or when everything ends
//! ([`Sessions::close`]).

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::context::ToolEvent;
use super::live::Live;
use crate::base::tasks::{self, CancellationToken, Task};
use crate::process::output::Chunk;
use crate::process::spawn::Exit;
use crate::process::spill::SpillFile;

/// Most sessions at a time.
pub(super) const MAX: usize = 64;
/// From here on the model is warned.
const WARN_AT: usize = 60;
/// The last used ones, which never go to make room.
const PROTECTED: usize = 8;
/// Number of the first session of a thread.
const FIRST_ID: u32 = 1000;
/// Longest wait for all sessions to end.
const CLOSE: Duration = Duration::from_secs(5);

/// The sessions of one thread. Dropping it kills them all.
#[derive(Default)]
pub(crate) struct Sessions {
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    started: u32,
    /// How many there were when the turn began.
    before: u32,
    /// Counts uses: the order of last use without a clock.
    uses: u64,
    open: BTreeMap<u32, Session>,
    /// Told to end; their tasks see to it that the item is completed.
    ending: Vec<Task<()>>,
}

struct Session {
    handle: Handle,
    command: String,
    last_use: u64,
    task: Task<()>,
}

/// Talks to the task of a session.
#[derive(Clone)]
pub(super) struct Handle {
    requests: mpsc::Sender<Request>,
    ended: CancellationToken,
}

/// What is new in a session.
pub(super) struct News {
    /// Output since the last time.
    pub(super) chunk: Chunk,
    /// All of it, when it was too long.
    pub(super) file: Option<SpillFile>,
    /// How the command ended; `None` while it runs.
    pub(super) exit: Option<Exit>,
    /// What it reached in the network, as a sentence, when it has ended.
    pub(super) reached: Option<String>,
}

/// What a session is, for the item of a later call.
pub(super) struct About {
    /// Whether the session's own item still shows what happens.
    pub(super) item_open: bool,
    /// Its command line.
    pub(super) command: String,
    /// Whether the input was accepted.
    pub(super) written: Result<(), &'static str>,
}

enum Request {
    Write(Vec<u8>, oneshot::Sender<About>),
    News(u64, oneshot::Sender<News>),
    Settle(oneshot::Sender<()>),
    Stop,
}

impl Sessions {
    /// Takes in a command that goes on without its call. Gives its number, and a sentence for the model when the
    /// table is nearly full.
    pub(super) fn admit(&self, mut live: Live) -> (u32, Option<String>) {
        let mut table = self.lock();
        table.ending.retain(|task| !task.is_finished());
        let dropped = if table.open.len() >= MAX { table.make_room() } else { None };
        let id = FIRST_ID + table.started;
        table.started += 1;
        live.becomes_session(id);
        let (requests, inbox) = mpsc::channel(8);
        let ended = CancellationToken::new();
        let handle = Handle { requests, ended: ended.clone() };
        let command = live.item().command.clone();
        let told = live.events();
        let task = tasks::spawn("session", drive(live, inbox, ended, told));
        let last_use = table.next_use();
        table.open.insert(id, Session { handle, command, last_use, task });
        let count = table.open.len();
        let warning = (count >= WARN_AT).then(|| {
            let ended =
                dropped.map(|id| format!(" Session {id} was ended to make room.")).unwrap_or_default();
            format!(
                "Warning: {count} of at most {MAX} sessions are open; end those you no longer need.{ended}"
            )
        });
        (id, warning)
    }

    /// The session of this number, which counts as used now.
    pub(super) fn find(&self, id: u32) -> Option<Handle> {
        let mut table = self.lock();
        let now = table.next_use();
        let session = table.open.get_mut(&id)?;
        session.last_use = now;
        Some(session.handle.clone())
    }

    /// The model knows that this session has ended.
    pub(super) fn forget(&self, id: u32) {
        self.lock().dismiss(id);
    }

    /// How many sessions are open.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.lock().open.len()
    }

    /// From now on sessions are those of another turn.
    pub(crate) fn turn_begins(&self) {
        let mut table = self.lock();
        table.before = table.started;
    }

    /// Whether sessions are open, and whether one of them is of this turn and still runs.
    pub(crate) fn run_on(&self) -> (bool, bool) {
        let table = self.lock();
        let mut own = table.open.range(FIRST_ID + table.before..);
        (!table.open.is_empty(), own.any(|(_, session)| !session.handle.ended.is_cancelled()))
    }

    /// Command lines of those that still run, oldest first.
    pub(crate) fn running(&self) -> Vec<String> {
        let table = self.lock();
        let running = table.open.values().filter(|session| !session.handle.ended.is_cancelled());
        running.map(|session| session.command.clone()).collect()
    }

    /// Tells every session to end, without waiting for it.
    pub(crate) fn stop(&self) {
        let mut table = self.lock();
        let ids: Vec<u32> = table.open.keys().copied().collect();
        ids.into_iter().for_each(|id| table.dismiss(id));
    }

    /// The end of a turn: items of sessions that still run get their final state, the commands go on. To be
    /// called before the turn's end is told, while its events are still read.
    pub(crate) async fn settle(&self) {
        let handles: Vec<Handle> = self.lock().open.values().map(|session| session.handle.clone()).collect();
        for handle in handles {
            let (done, waits) = oneshot::channel();
            if handle.requests.send(Request::Settle(done)).await.is_ok() {
                let _ = waits.await;
            }
        }
        self.join_ending().await;
    }

    /// The end of the thread or program, or an interrupt: every session is killed with all it started, and its
    /// item gets its final state. Bounded in time.
    pub(crate) async fn close(&self) {
        self.stop();
        self.join_ending().await;
    }

    async fn join_ending(&self) {
        let ending = std::mem::take(&mut self.lock().ending);
        let all = async {
            for task in ending {
                let _ = task.join().await;
            }
        };
        let _ = timeout(CLOSE, all).await;
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn next_use(&mut self) -> u64 {
        self.uses += 1;
        self.uses
    }

    /// Ends one session: one that has ended by itself if there is any, else the one used longest ago.
    fn make_room(&mut self) -> Option<u32> {
        let mut by_use: Vec<(u64, u32)> =
            self.open.iter().map(|(id, session)| (session.last_use, *id)).collect();
        by_use.sort_unstable();
        by_use.truncate(by_use.len().saturating_sub(PROTECTED));
        let has_ended =
            |id: &u32| self.open.get(id).is_some_and(|session| session.handle.ended.is_cancelled());
        let ids = || by_use.iter().map(|(_, id)| *id);
        let id = ids().find(has_ended).or_else(|| ids().next())?;
        self.dismiss(id);
        Some(id)
    }

    fn dismiss(&mut self, id: u32) {
        if let Some(Session { handle, task, .. }) = self.open.remove(&id) {
            // A full inbox or a gone task: the closed channel says the same.
            let _ = handle.requests.try_send(Request::Stop);
            self.ending.push(task);
        }
    }
}

impl Handle {
    /// Writes input (may be empty) and tells what the session is. `None` = its task is gone.
    pub(super) async fn write(&self, bytes: Vec<u8>) -> Option<About> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::Write(bytes, reply)).await.ok()?;
        answer.await.ok()
    }

    /// Waits until the command has ended.
    pub(super) async fn ended(&self) {
        self.ended.cancelled().await;
    }

    /// Output since the last time. `None` = the task is gone.
    pub(super) async fn news(&self, tokens: u64) -> Option<News> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(Request::News(tokens, reply)).await.ok()?;
        answer.await.ok()
    }
}

/// The task of a session: reads output, answers requests, ends the command when nobody can ask any more.
async fn drive(
    mut live: Live,
    mut inbox: mpsc::Receiver<Request>,
    ended: CancellationToken,
    told: Option<mpsc::Sender<ToolEvent>>,
) {
    loop {
        let request = tokio::select! {
            biased; // a flood of output must not keep requests waiting
            request = inbox.recv() => request,
            _ = live.run(), if live.exit().is_none() => {
                if let Some(reached) = live.reached() {
                    live.remark(reached);
                }
                live.complete().await;
                ended.cancel();
                tell(told.as_ref()).await;
                continue;
            }
        };
        match request {
            Some(Request::Write(bytes, reply)) => {
                let written = if bytes.is_empty() { Ok(()) } else { live.write(&bytes) };
                let about =
                    About { item_open: live.is_open(), command: live.item().command.clone(), written };
                let _ = reply.send(about);
            }
            Some(Request::News(tokens, reply)) => {
                let (chunk, file) = live.take(tokens);
                let (exit, reached) = (live.exit().cloned(), live.reached());
                let _ = reply.send(News { chunk, file, exit, reached });
            }
            Some(Request::Settle(done)) => {
                live.complete().await;
                let _ = done.send(());
            }
            Some(Request::Stop) | None => break,
        }
    }
    let runs = live.exit().is_none();
    if runs {
        live.stop().await;
    }
    live.complete().await;
    ended.cancel();
    if runs {
        tell(told.as_ref()).await;
    }
}

/// Tells the thread that a command has ended. Nobody to hear it is no trouble.
async fn tell(told: Option<&mpsc::Sender<ToolEvent>>) {
    if let Some(told) = told {
        let _ = told.send(ToolEvent::SessionEnded).await;
    }
}
