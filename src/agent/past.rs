//! What a continued thread was before. It stays on disk until a turn needs it, so that opening a long thread costs
//! no more than the page that is shown; then as much of it is read as a model could ever take.

use std::path::PathBuf;

use super::context::instructions;
use super::errors;
use super::history::History;
use super::thread::Thread;
use crate::base::tasks;
use crate::protocol::error::{ErrorInfo, ErrorKind};
use crate::protocol::event::Event;
use crate::responses::items;
use crate::threads::{self, Loaded};

/// The record of a thread up to its opening.
pub(crate) enum Past {
    /// There is none, or it is in the thread's history.
    None,
    /// It was read.
    Read(Box<Loaded>),
    /// It is on disk, and its writer keeps the file still.
    Stored {
        /// The folder of the user's files.
        home: PathBuf,
        /// The thread's file.
        path: PathBuf,
        /// What the user was told about its lines already.
        told: Option<String>,
    },
}

impl Past {
    async fn read(&self) -> Result<Option<Box<Loaded>>, ErrorInfo> {
        let Self::Stored { home, path, .. } = self else { return Ok(None) };
        let (home, path) = (home.clone(), path.clone());
        let read = tasks::blocking("read thread", move || threads::load(&home, &path)).await;
        let loaded = read.map_err(|failed| errors::internal(&failed))?;
        loaded.map(|loaded| Some(Box::new(loaded))).map_err(|error| {
            ErrorInfo::new(ErrorKind::Io, format!("the thread cannot be continued: {error}"))
        })
    }
}

/// Gives `thread` its past, the first time that it is needed.
///
/// # Errors
/// It cannot be read. It will be tried again.
pub(crate) async fn ready(thread: &mut Thread) -> Result<(), ErrorInfo> {
    if let Some(loaded) = thread.past.read().await? {
        let past = std::mem::replace(&mut thread.past, Past::None);
        let told = if let Past::Stored { told, .. } = past { told } else { None };
        if let Some(message) = loaded.problems.summary().filter(|summary| Some(summary) != told.as_ref()) {
            thread.readers.tell(Event::Warning { message }).await;
        }
        thread.past = Past::Read(loaded);
    }
    if let Past::Read(loaded) = std::mem::replace(&mut thread.past, Past::None) {
        take_over(thread, *loaded).await;
    }
    Ok(())
}

async fn take_over(thread: &mut Thread, loaded: Loaded) {
    let mut history = History::from_items(loaded.history);
    let usage = loaded.usage.unwrap_or_default();
    if usage.last.total_tokens > 0 {
        history.counted(usage.last.total_tokens);
    }
    thread.since_compaction = history.items().len();
    thread.history = history;
    thread.window_number = u32::try_from(loaded.window_number).unwrap_or(u32::MAX);
    if let Some(turn_id) = loaded.unfinished {
        thread.end_lost_turn(turn_id);
    }
    if loaded.cut {
        thread.remember(items::harness(instructions::PAST_CUT.trim_end()));
        let message = "This thread is longer than any model can take: only its last part is sent. All of it \
                       stays on disk."
            .to_owned();
        thread.readers.tell(Event::Warning { message }).await;
    }
}
