//! What travels from `codex` to its supervisor: the confinement of one command as a JSON text in an argument.
//! Everything else is looked up where it is enforced, because a file may have changed since.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::sandbox::detect::Level;
use crate::sandbox::git::Work;
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
    /// Paths whose content is kept from the command.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hide: Vec<PathText>,
    /// Folders of a repository that the command may write but for what git executes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) git: Vec<PathText>,
    /// The command may make a repository where there is none.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) git_init: bool,
    /// Network open.
    pub(crate) network: bool,
    /// Ports of the host's loopback that can be reached when it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) ports: Vec<u16>,
    /// Ports of the command's own servers that the host's loopback leads to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) serve: Vec<u16>,
    /// Hosts that can be reached when it is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) hosts: Vec<String>,
    /// They are reached without the proxy of the user's network.
    #[serde(default, skip_serializing_if = "is_false")]
    pub(crate) direct: bool,
    /// Protections left out, to show that their absence is noticed.
    #[cfg(debug_assertions)]
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn is_false(flag: &bool) -> bool {
    !flag
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
    /// The confinement that enforces `roots` by `level`, for a command that does this with git.
    pub(crate) fn new(roots: &Roots, level: Level, work: Option<Work>) -> Self {
        let write = roots.roots().iter().map(|root| Writable {
            path: root.path.as_path().into(),
            // Temporary folders are shared with everybody: nothing is put into them to be in the way.
            guard: matches!(root.origin, Origin::Workdir | Origin::Extra),
        });
        let texts = |paths: &[PathBuf]| paths.iter().map(|path| path.as_path().into()).collect::<Vec<_>>();
        let mut protect = texts(roots.protected());
        protect.extend(texts(roots.repositories()));
        let git = work.and_then(|_| roots.repository()).map(|found| [found.common, found.own]);
        Self {
            level,
            write: write.collect(),
            protect,
            hide: texts(&roots.hidden()),
            git: texts(git.as_ref().map(<[_; 2]>::as_slice).unwrap_or_default()),
            git_init: work == Some(Work::Init),
            network: roots.network(),
            ports: roots.network_rules().ports.clone(),
            serve: roots.network_rules().serve.clone(),
            hosts: roots.network_rules().hosts.clone(),
            direct: roots.network_rules().direct,
            #[cfg(debug_assertions)]
            without: Vec::new(),
        }
    }

    /// The strictest confinement: nothing is writable, no network.
    pub(crate) fn strictest(level: Level) -> Self {
        Self {
            level,
            write: Vec::new(),
            protect: Vec::new(),
            hide: Vec::new(),
            git: Vec::new(),
            git_init: false,
            network: false,
            ports: Vec::new(),
            serve: Vec::new(),
            hosts: Vec::new(),
            direct: false,
            #[cfg(debug_assertions)]
            without: Vec::new(),
        }
    }

    /// The same without these protections, where builds for tests have them.
    pub(crate) fn leaving_out(mut self, protections: &[String]) -> Self {
        #[cfg(debug_assertions)]
        self.without.extend_from_slice(protections);
        #[cfg(not(debug_assertions))]
        let _ = (&mut self, protections);
        self
    }

    /// Landlock's version to work with: `found`, or an older one that a test asks for.
    pub(super) fn oldest(&self, found: i32) -> i32 {
        (1..found).find(|abi| self.without(&format!("abi-{abi}"))).unwrap_or(found)
    }

    /// Whether a protection is left out on purpose. Only in builds for tests: others do not have the switch.
    pub(super) fn without(&self, protection: &str) -> bool {
        #[cfg(debug_assertions)]
        return self.without.iter().any(|left_out| left_out == protection);
        #[cfg(not(debug_assertions))]
        return protection.is_empty();
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
