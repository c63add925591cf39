//! What can go wrong with stored threads. Each variant is something the caller treats differently.

use std::io;
use std::path::{Path, PathBuf};

use crate::base::ids::ThreadId;

/// A thread could not be stored, found or read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Somebody else writes this thread: open another one, or fork it.
    #[error("thread {id} is open in another codex process")]
    InUse {
        /// The thread.
        id: ThreadId,
    },
    /// No such thread: look at the list.
    #[error("no thread is called `{what}`; give the id that its first run printed, or --last")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// The line is not on disk but kept in memory; the next line tries again.
    #[error("cannot {doing} {}: {source}", path.display())]
    Io {
        /// The step, as a verb.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The disk refused lines for so long that the queue in memory is full: this line is lost.
    #[error(
        "the thread file could not be written and {queued_bytes} bytes wait already; a line was not kept"
    )]
    QueueFull {
        /// Size of the queue.
        queued_bytes: usize,
    },
    /// This thread cannot be treated this way.
    #[error("{what}")]
    Unsupported {
        /// A sentence.
        what: &'static str,
    },
    /// A value has no JSON form. A fault of the program.
    #[error("a record could not be encoded: {0}")]
    Encode(#[from] serde_json::Error),
}

impl Error {
    /// Adapts an IO error: `map_err(Error::io("read", path))`.
    pub(crate) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { doing, path, source }
    }
}
