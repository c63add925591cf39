//! What can go wrong with a patch, told apart by what the caller can do about it. Every reason is one that a model
//! can act on: it names the line of the patch, the path as written, and quotes what was looked for.

use std::io;
use std::path::PathBuf;

/// Why a patch was not applied. Except for [`Error::Stuck`] nothing was changed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The patch does nothing.
    #[error("the patch is empty")]
    Empty,
    /// The text is not a patch: write it differently.
    #[error("invalid patch at line {line}: {reason}")]
    Malformed {
        /// Line of the patch, from 1.
        line: usize,
        /// What is wrong, and what was received.
        reason: String,
    },
    /// The patch does not fit the files as they are: read them again.
    #[error("{reason} (line {line} of the patch)")]
    Mismatch {
        /// Line of the patch, from 1.
        line: usize,
        /// What was looked for, where, and what is there instead.
        reason: String,
    },
    /// What the patch asks for is not done to such a path.
    #[error("{path}: {reason} (line {line} of the patch)")]
    Refused {
        /// Line of the patch, from 1.
        line: usize,
        /// Path as written.
        path: String,
        /// Why not.
        reason: String,
    },
    /// A file could not be looked at.
    #[error("failed to read {path}: {source} (line {line} of the patch)")]
    Read {
        /// Line of the patch, from 1.
        line: usize,
        /// Path as written.
        path: String,
        /// What the system said.
        source: io::Error,
    },
    /// A file changed between planning and writing: plan again.
    #[error("{} was changed by someone else while the patch was being applied; nothing was changed by the patch", path.display())]
    Changed {
        /// Real path.
        path: PathBuf,
    },
    /// Writing failed and everything is as it was.
    #[error("failed to write {}: {source}; every file is as it was before the patch", path.display())]
    Write {
        /// Real path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Writing failed, and so did putting back. The journal stays; [`super::recover`] tries again.
    #[error("failed to write {}: {source}; putting the files back failed too: {left}", path.display())]
    Stuck {
        /// Real path.
        path: PathBuf,
        /// What the system said first.
        source: io::Error,
        /// What could not be put back, and where the old content is.
        left: String,
    },
}

/// Text of a file or patch inside an error: bounded, in back quotes, control characters made visible.
pub(crate) fn quote(text: &str) -> String {
    const MAX_CHARS: usize = 160;
    let mut out = String::from("`");
    for (count, c) in text.chars().enumerate() {
        if count == MAX_CHARS {
            out.push('…');
            break;
        }
        if c.is_control() && c != '\t' { out.extend(c.escape_default()) } else { out.push(c) }
    }
    out.push('`');
    out
}
