//! What travels from `codex` to its supervisor: the confinement of one command as a JSON text in an argument.
//! Everything else is looked up where it is enforced, because a file may have changed since.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sandbox::detect::Level;
use crate::sandbox::policy::{Origin, Roots};

/// One command's confinement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Confine {
    /// The mechanism, decided beforehand. A supervisor never falls back by itself.
    pub(crate) level: Level,
    /// Writable folders.
    pub(crate) write: Vec<Writable>,
    /// Read-only paths below them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) protect: Vec<PathText>,
    /// Network open.
    pub(crate) network: bool,
}

/// A writable folder.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Writable {
    /// Absolute, symlinks resolved.
    pub(crate) path: PathText,
    /// Protected names that do not exist must not come to exist either.
    pub(crate) guard: bool,
}

/// A path in JSON: text when it is text, bytes when not.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum PathText {
    /// UTF-8.
    Text(String),
    /// Anything else.
    Bytes(Vec<u8>),
}

impl From<&Path> for PathText {
    fn from(path: &Path) -> Self {
        match path.to_str() {
            Some(text) => Self::Text(text.to_owned()),
            None => Self::Bytes(path.as_os_str().as_bytes().to_vec()),
        }
    }
}

impl PathText {
    /// The path again.
    pub(crate) fn path(&self) -> PathBuf {
        match self {
            Self::Text(text) => PathBuf::from(text),
            Self::Bytes(bytes) => PathBuf::from(OsString::from_vec(bytes.clone())),
        }
    }
}

impl Confine {
    /// The confinement that enforces `roots` by `level`.
    pub(crate) fn new(roots: &Roots, level: Level) -> Self {
        let write = roots.roots().iter().map(|root| Writable {
            path: root.path.as_path().into(),
            // Temporary folders are shared with everybody: nothing is put into them to be in the way.
            guard: matches!(root.origin, Origin::Workdir | Origin::Extra),
        });
        Self {
            level,
            write: write.collect(),
            protect: roots.protected().iter().map(|path| path.as_path().into()).collect(),
            network: roots.network(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_that_are_not_text_survive() {
        for bytes in [&b"/a b"[..], b"/a\xff"] {
            let path = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            let json = serde_json::to_string(&PathText::from(path.as_path())).unwrap();
            assert_eq!(serde_json::from_str::<PathText>(&json).unwrap().path(), path);
        }
    }
}
