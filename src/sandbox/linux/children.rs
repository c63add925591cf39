//! The protected children of the writable roots as they are on disk when a command starts.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::guard::{self, Guard, Hold};
use super::wrap::{Confine, Writable};
use crate::process::supervise::SetupError;
use crate::protocol::policy::PROTECTED;
use crate::sandbox::detect::Level;
use crate::sandbox::leads::targets;

/// What must be read-only, and the stand-ins that make it so.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Existing paths, symlinks not resolved in the last part: a symlink must not be replaced either.
    pub(super) read_only: Vec<PathBuf>,
    /// Writable again inside of those, and not to be moved away.
    pub(super) reopen: Vec<PathBuf>,
    /// Read-only again inside of these.
    pub(super) sealed: Vec<PathBuf>,
    /// A root takes other spellings for the same names, which mounts do not know of.
    pub(super) folds: bool,
    write: Vec<PathBuf>,
    /// Protected by what is granted, which needs nothing to be there, instead of by mounts, which do.
    by_grants: bool,
    guards: Vec<Guard>,
}

/// What git executes, takes settings from, or keeps for others, in the folder of a repository. The list of a rebase
/// may hold commands, which its continuation runs.
const GIT_SEALED: [&str; 11] = [
    "hooks",
    "info",
    "modules",
    "worktrees",
    "remotes",
    "branches",
    "rebase-merge",
    "config",
    "config.worktree",
    "commondir",
    "gitdir",
];

/// Whether a protected name in capitals is the same in there; the stand-ins make that there is one.
fn folds(root: &Path) -> bool {
    PROTECTED.iter().any(|name| {
        let at = |name: &str| fs::symlink_metadata(root.join(name)).map(|meta| (meta.dev(), meta.ino())).ok();
        at(name).is_some_and(|found| at(&name.to_uppercase()) == Some(found))
    })
}

impl Children {
    /// Looks at every root, and puts stand-ins where a guarded root misses a name.
    ///
    /// # Errors
    /// A missing name cannot be kept from coming to exist.
    pub(super) fn find(confine: &Confine) -> Result<Self, SetupError> {
        let write = confine.write.iter().map(|root| root.path.path()).collect();
        let by_grants = confine.level == Level::Landlock;
        let mut children = Self { write, by_grants, ..Self::default() };
        for root in &confine.write {
            let path = root.path.path();
            for name in PROTECTED {
                let name_is_free = confine.git_init && name == ".git";
                children.add(&path.join(name), root.guard && !name_is_free)?;
            }
        }
        for path in &confine.protect {
            // What git would run is protected before it exists.
            let path = path.path();
            let in_workspace = |root: &&Writable| root.guard && path.starts_with(root.path.path());
            let guarded = confine.write.iter().any(|root| in_workspace(&root));
            children.add(&path, guarded)?;
        }
        for folder in &confine.git {
            children.open_repository(&folder.path());
        }
        children.read_only.sort();
        children.read_only.dedup();
        children.folds = !by_grants && children.write.iter().any(|root| folds(root));
        Ok(children)
    }

    /// Opens the folder of a repository but for what is not the business of a commit. Whether that is there or not:
    /// git reads a `commondir` the moment it appears, and so does a git of the user's that runs meanwhile.
    fn open_repository(&mut self, folder: &Path) {
        self.reopen.push(folder.to_owned());
        self.sealed.extend(GIT_SEALED.iter().map(|name| folder.join(name)));
    }

    fn add(&mut self, path: &Path, guard: bool) -> Result<(), SetupError> {
        let exists = fs::symlink_metadata(path).is_ok();
        if guard && self.by_grants {
            // What is not granted cannot come to exist.
        } else if guard {
            match guard::hold(path)? {
                Hold::Exists => {}
                Hold::Guarded(guard) => self.guards.push(guard),
                Hold::Closed => return Ok(()),
            }
        } else if !exists {
            return Ok(());
        }
        self.read_only.push(path.to_owned());
        for target in targets(path) {
            if fs::symlink_metadata(&target).is_ok() || self.by_grants {
                self.read_only.push(target);
            } else if guard {
                self.add_missing_target(&target)?;
            }
        }
        Ok(())
    }

    /// A protected symlink to nothing: what it names must not come to exist. Outside the roots it cannot, and
    /// nothing of ours belongs there.
    fn add_missing_target(&mut self, target: &Path) -> Result<(), SetupError> {
        if !self.write.iter().any(|root| target.starts_with(root)) {
            return Ok(());
        }
        if let Hold::Guarded(guard) = guard::hold(target)? {
            self.guards.push(guard);
            self.read_only.push(target.to_owned());
        }
        Ok(())
    }

    /// Removes the stand-ins nobody needs any more.
    pub(super) fn release(&mut self) {
        self.guards.drain(..).for_each(Guard::release);
    }
}
