//! Fuzzy search over the names of the workspace's files. The tree is walked once, in parallel, and kept as one
//! compact list; queries run over the list while it still grows, so that the first rows do not wait for the
//! walk. Files that ignore rules name, and the insides of version control, are never in it.
//!
//! Nothing runs between queries: no watch, no timer. A query that finds the list older than [`FRESH`] answers
//! from it at once, has the tree walked again behind it and answers once more.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::Sender;

use super::search_rank::{Ranking, Row};
use super::search_walk::{Chunk, walk};
use crate::base::tasks::{self, Task, TaskFailed};

/// How long a list counts as fresh.
const FRESH: Duration = Duration::from_secs(5);
/// Rows of an answer at most.
const ROWS: usize = 50;
/// First rows are told when there are so many, or after [`FIRST`].
const ENOUGH: usize = 8;
const FIRST: Duration = Duration::from_millis(30);
const AGAIN: Duration = Duration::from_millis(80);

/// What a found path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file, or anything that is no folder.
    File,
    /// A folder.
    Folder,
}

/// A found path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    /// Relative to the root, with `/` between its parts.
    pub(crate) path: String,
    /// File or folder.
    pub(crate) kind: Kind,
    /// Indices of the characters that matched, ascending.
    pub(crate) marks: Vec<u32>,
}

/// An answer, best row first. Each answer replaces the one before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    /// The query it answers.
    pub(crate) query: String,
    /// At most 50 rows.
    pub(crate) rows: Vec<Hit>,
    /// The whole tree was looked at.
    pub(crate) done: bool,
}

/// The searchable list of one folder. Costs nothing until the first query.
#[derive(Debug)]
pub(crate) struct Search {
    shared: Arc<Shared>,
    walk: Mutex<Option<Task<()>>>,
}

/// What walk and queries share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) root: PathBuf,
    state: Mutex<State>,
    grown: Condvar,
    /// The newest query; older ones end when they see it.
    newest: AtomicU64,
    closed: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    chunks: Vec<Arc<Chunk>>,
    /// The list of a walk that replaces `chunks` when it ends.
    coming: Vec<Arc<Chunk>>,
    /// `chunks` holds a whole tree.
    complete: bool,
    walking: bool,
    walked: Option<Instant>,
    /// Grows when `chunks` is replaced.
    edition: u64,
}

impl Search {
    /// A search below `root` (absolute).
    pub(crate) fn new(root: PathBuf) -> Self {
        let shared = Shared {
            root,
            state: Mutex::default(),
            grown: Condvar::new(),
            newest: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        };
        Self { shared: Arc::new(shared), walk: Mutex::default() }
    }

    /// Answers `query` through `out`, better and better, until the answer is final. Ends any query before it.
    ///
    /// # Errors
    /// The runtime is going down.
    pub(crate) async fn run(&self, query: String, out: Sender<Found>) -> Result<(), TaskFailed> {
        let number = self.shared.newest.fetch_add(1, Ordering::SeqCst) + 1;
        self.shared.grown.notify_all();
        self.walk_when_stale();
        let shared = Arc::clone(&self.shared);
        tasks::blocking("file search", move || shared.answer(number, &query, &out)).await
    }

    /// Ends the running query, when the list is closed.
    pub(crate) fn stop(&self) {
        self.shared.newest.fetch_add(1, Ordering::SeqCst);
        self.shared.grown.notify_all();
    }

    fn walk_when_stale(&self) {
        {
            let mut state = self.shared.lock();
            let fresh = state.walked.is_some_and(|at| at.elapsed() < FRESH);
            if state.walking || fresh {
                return;
            }
            state.walking = true;
        }
        let shared = Arc::clone(&self.shared);
        let task = tasks::spawn("file walk", async move {
            let ended = Arc::clone(&shared);
            if tasks::blocking("file walk", move || walk(&shared)).await.is_err() {
                ended.walked();
            }
        });
        *self.walk.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        self.stop();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the walk should end early.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Takes in a part of the list from the walk.
    pub(super) fn push(&self, chunk: Chunk) {
        let mut state = self.lock();
        match state.complete {
            true => state.coming.push(Arc::new(chunk)),
            false => state.chunks.push(Arc::new(chunk)),
        }
        self.grown.notify_all();
    }

    /// The walk has ended.
    pub(super) fn walked(&self) {
        let mut state = self.lock();
        if state.complete {
            state.chunks = std::mem::take(&mut state.coming);
            state.edition += 1;
        }
        state.complete = true;
        state.walking = false;
        state.walked = Some(Instant::now());
        self.grown.notify_all();
    }

    /// Ranks the list as far as it is there, tells, and goes on until a whole tree was ranked.
    fn answer(&self, number: u64, query: &str, out: &Sender<Found>) {
        let current = || self.newest.load(Ordering::SeqCst) == number;
        let mut ranking = Ranking::new(query);
        let mut edition = self.lock().edition;
        let mut told: Option<Instant> = None;
        let started = Instant::now();
        let mut seen = 0;
        while current() {
            let (chunks, complete, walking) = {
                let state = self.lock();
                if state.edition != edition {
                    // The tree was walked again: rank the new list from its start.
                    edition = state.edition;
                    (ranking, seen) = (Ranking::new(query), 0);
                }
                (state.chunks.get(seen..).unwrap_or_default().to_vec(), state.complete, state.walking)
            };
            seen += chunks.len();
            for chunk in chunks {
                if !current() {
                    return;
                }
                ranking.add(chunk);
            }
            if complete && self.lock().edition == edition {
                let sent = out.blocking_send(found(query, ranking.best(&self.root, ROWS), true));
                if sent.is_err() || !walking || !self.wait_for_edition(edition, &current) {
                    return;
                }
                continue;
            }
            let due = match told {
                Some(at) => at.elapsed() >= AGAIN,
                None => ranking.len() >= ENOUGH || (ranking.len() > 0 && started.elapsed() >= FIRST),
            };
            if due {
                told = Some(Instant::now());
                // A reader that is behind gets the next answer instead.
                let _ = out.try_send(found(query, ranking.best(&self.root, ROWS), false));
            }
            self.wait_for_more(seen);
        }
    }

    /// Waits until the list is longer than `seen` or complete; not longer than an answer may be held back.
    fn wait_for_more(&self, seen: usize) {
        let state = self.lock();
        if state.chunks.len() <= seen && !state.complete {
            drop(self.grown.wait_timeout(state, FIRST));
        }
    }

    /// Waits for the list to be replaced. False when that will not happen or the query is an old one.
    fn wait_for_edition(&self, edition: u64, current: &impl Fn() -> bool) -> bool {
        let mut state = self.lock();
        while state.walking && state.edition == edition && current() {
            let waited = self.grown.wait_timeout(state, Duration::from_secs(1));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        state.edition != edition && current()
    }
}

fn found(query: &str, rows: Vec<Row>, done: bool) -> Found {
    let rows = rows.into_iter().map(|r| Hit { path: r.path, kind: r.kind, marks: r.marks }).collect();
    Found { query: query.to_owned(), rows, done }
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
