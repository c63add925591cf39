//! What undo of whole turns needs, kept while the turns of a thread run. Before the first thing in a turn that may write,
//! the working directory and the other writable folders are looked at, and after the turn again. What a turn made is
//! copied while nobody waits for it.

use std::io;
use std::path::{Path, PathBuf};

use super::begin::{Ahead, Begun, ahead, begin};
use super::cut::{self, Open, Turn};
use super::end::{self, Over, end};
use super::missed::{self, Why};
use super::news;
use crate::base::ids::{ThreadId, TurnId};
use crate::base::tasks::{self, Task};

/// Keeps what undo needs while the turns of one thread run.
#[derive(Debug, Default)]
pub(crate) struct Keeper {
    /// The folder of all stores; `None` keeps nothing.
    base: Option<PathBuf>,
    at: tokio::sync::Mutex<At>,
}

/// Where the thread is.
#[derive(Debug, Default)]
struct At {
    turn: Option<Turn>,
    /// The working directory of the turn first, then the other folders it may write.
    begun: Vec<Begun>,
    beat: Option<Task<()>>,
    ahead: Option<Ahead>,
    /// Nothing of this turn is kept.
    missed: bool,
    /// A folder that it may write could not be looked at.
    lacking: bool,
}

impl Keeper {
    /// Keeps below `base`, which is never looked at itself.
    pub(crate) fn new(base: Option<PathBuf>) -> Self {
        Self { base, at: tokio::sync::Mutex::default() }
    }

    /// Something of this turn of `thread` may write below `root` and `more` from now on. Only the first call of a turn
    /// for a folder does anything. Undo is no reason for a turn to fail, so neither is a fault in here; a sentence about
    /// it comes back once.
    pub(crate) async fn before_change(
        &self,
        (thread, turn): (ThreadId, TurnId),
        root: &Path,
        more: Vec<PathBuf>,
    ) -> Option<String> {
        let base = self.base.clone()?;
        let mut at = self.at.lock().await;
        if at.turn.as_ref().is_some_and(|turn| turn.between.is_some()) {
            let _ = at.close(&base, Over::default()).await;
        }
        if at.missed {
            return None;
        }
        at.ahead = None;
        let named = || Turn { of: Some(turn.to_string()), ..turn_of(thread, None) };
        let turn = at.turn.get_or_insert_with(named).clone();
        let (count, mut told) = (at.begun.len(), None);
        for root in std::iter::once(root.to_owned()).chain(more) {
            if at.begun.iter().any(|known| root.starts_with(&known.root)) {
                continue;
            }
            let (store, turn, own) = (base.clone(), turn.clone(), at.begun.is_empty());
            let folder = root.clone();
            let one = tasks::blocking("undo", move || begin(&store, root, own, &turn)).await;
            match one.unwrap_or_else(|_| Err(io::ErrorKind::Other.into())) {
                Ok(one) => at.begun.push(one),
                Err(error) if own => {
                    // The others would be nobody's.
                    at.missed = true;
                    return Some(not_kept("changes", miss(base, folder, &error).await));
                }
                Err(error) => {
                    if !std::mem::replace(&mut at.lacking, true) {
                        told = Some(format!(
                            "What this turn changes in {} cannot be taken back by undo: {}.",
                            folder.display(),
                            Why::of(&error).words()
                        ));
                    }
                }
            }
        }
        if at.begun.len() > count {
            at.beat = Some(cut::beat(at.marks()));
        }
        told
    }

    /// The turn is over: writes down what it changed; a sentence comes back when it cannot. `running`: commands still
    /// run, and what they write until the next turn gets a record of its own, since the user may write there too;
    /// `own`: some of them are of this turn.
    pub(crate) async fn after_turn(&self, thread: ThreadId, running: bool, own: bool) -> Option<String> {
        let base = self.base.clone()?;
        let mut at = self.at.lock().await;
        if at.begun.is_empty() {
            // Nothing could be looked at; the next turn is another one.
            at.turn = None;
            (at.missed, at.lacking) = (false, false);
            return None;
        }
        let between = at.turn.as_ref().is_some_and(|turn| turn.between.is_some());
        if running && between {
            return None;
        }
        let roots: Vec<PathBuf> = at.begun.iter().map(|begun| begun.root.clone()).collect();
        let over = Over { running: own, lacking: std::mem::take(&mut at.lacking) };
        let ended = at.close(&base, over).await;
        let told = match (&ended, roots.first()) {
            (Err(error), Some(root)) if !between => {
                Some(not_kept("changed", miss(base.clone(), root.clone(), error).await))
            }
            _ => None,
        };
        let (number, after) = ended.unwrap_or_default();
        if !running {
            at.ahead = Some(ahead(base, after));
            return told;
        }
        let turn = turn_of(thread, Some(number.unwrap_or(0)));
        at.turn = Some(turn.clone());
        for (count, root) in roots.into_iter().enumerate() {
            let (base, turn) = (base.clone(), turn.clone());
            let one = tasks::blocking("undo", move || begin(&base, root, count == 0, &turn)).await;
            at.begun.extend(one.ok().and_then(Result::ok));
        }
        at.beat = Some(cut::beat(at.marks()));
        told
    }

    /// The thread is over, and so are its commands.
    pub(crate) async fn close(&self) {
        let Some(base) = self.base.clone() else { return };
        let mut at = self.at.lock().await;
        at.ahead = None;
        let _ = at.close(&base, Over::default()).await;
    }

    /// What of the changes of `thread` in `root` was taken back or brought again since it was asked last, for the
    /// model.
    pub(crate) async fn news(&self, root: &Path, thread: ThreadId) -> Option<String> {
        let (base, root) = (self.base.clone()?, root.to_owned());
        let thread = thread.to_string();
        tasks::blocking("undo", move || news::news(&base, &root, &thread)).await.ok().flatten()
    }
}

impl At {
    fn marks(&self) -> impl Iterator<Item = &Open> {
        self.begun.iter().filter_map(|begun| begun.open.as_ref())
    }

    /// Writes down what has begun: the number of its record, and what is there now.
    async fn close(&mut self, base: &Path, over: Over) -> io::Result<end::Ended> {
        self.beat = None;
        let (begun, base) = (std::mem::take(&mut self.begun), base.to_owned());
        let Some(turn) = self.turn.take().filter(|_| !begun.is_empty()) else {
            return Ok(end::Ended::default());
        };
        let ended = tasks::blocking("undo", move || end(&base, begun, &turn, over)).await;
        ended.unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
    }
}

/// Marks that a turn in `root` is not kept.
async fn miss(base: PathBuf, root: PathBuf, error: &io::Error) -> Why {
    let why = Why::of(error);
    let _ = tasks::blocking("undo", move || missed::mark(&base, &root, why)).await;
    why
}

fn not_kept(changes: &str, why: Why) -> String {
    format!("What this turn {changes} cannot be taken back by undo: {}.", why.words())
}

pub(super) fn turn_of(thread: ThreadId, between: Option<u64>) -> Turn {
    Turn { id: uuid::Uuid::new_v4().simple().to_string(), thread: thread.to_string(), of: None, between }
}
