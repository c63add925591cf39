//! The protected children of the writable roots as they are on disk when a command starts.

use std::fs;
use std::path::{Path, PathBuf};

use super::guard::{self, Guard, Hold};
use super::wrap::Confine;
use crate::process::supervise::SetupError;
use crate::protocol::policy::PROTECTED;
use crate::sandbox::policy::targets;

/// What must be read-only, and the stand-ins that make it so.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Existing paths, symlinks not resolved in the last part: a symlink must not be replaced either.
    pub(super) read_only: Vec<PathBuf>,
    write: Vec<PathBuf>,
    guards: Vec<Guard>,
}

impl Children {
    /// Looks at every root, and puts stand-ins where a guarded root misses a name.
    ///
    /// # Errors
    /// A missing name cannot be kept from coming to exist.
    pub(super) fn find(confine: &Confine) -> Result<Self, SetupError> {
        let write = confine.write.iter().map(|root| root.path.path()).collect();
        let mut children = Self { write, ..Self::default() };
        for root in &confine.write {
            let path = root.path.path();
            for name in PROTECTED {
                children.add(&path.join(name), root.guard)?;
            }
        }
        for path in &confine.protect {
            children.add(&path.path(), false)?;
        }
        children.read_only.sort();
        children.read_only.dedup();
        Ok(children)
    }

    fn add(&mut self, path: &Path, guard: bool) -> Result<(), SetupError> {
        let exists = fs::symlink_metadata(path).is_ok();
        if guard {
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
            if fs::symlink_metadata(&target).is_ok() {
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
