//! What undo does to one path, for whoever tells it.

use std::path::{Path, PathBuf};

/// What becomes of one path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The earlier content comes back.
    Restored(PathBuf),
    /// What was made goes.
    Removed(PathBuf),
    /// It is as somebody else left it between two of several turns: what the later turns did is gone.
    Partly(PathBuf),
    /// It stays as it is: why.
    Left(PathBuf, &'static str),
}

/// Why a file is taken back in part only, in words.
pub(crate) const PARTLY: &str = "as somebody else left it in between";

impl Step {
    /// The same in another folder.
    pub(crate) fn below(self, root: &Path) -> Self {
        match self {
            Self::Restored(path) => Self::Restored(root.join(path)),
            Self::Removed(path) => Self::Removed(root.join(path)),
            Self::Partly(path) => Self::Partly(root.join(path)),
            Self::Left(path, why) => Self::Left(root.join(path), why),
        }
    }

    /// The path.
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Restored(path) | Self::Removed(path) | Self::Partly(path) | Self::Left(path, _) => path,
        }
    }

    /// The path, when it is another one now.
    pub(crate) fn changed(&self) -> Option<&Path> {
        match self {
            Self::Restored(path) | Self::Removed(path) | Self::Partly(path) => Some(path),
            Self::Left(..) => None,
        }
    }
}
