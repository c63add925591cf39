//! The commands the user allowed "for this session": the very same one in the same folder with the same
//! permissions. Lives as long as its thread and is never written to disk.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Everything granted in one thread.
#[derive(Debug, Default)]
pub(crate) struct Grants {
    commands: HashSet<CommandGrant>,
}

/// Identity of a command grant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CommandGrant {
    argv: Vec<String>,
    cwd: PathBuf,
    escalated: bool,
}

impl Grants {
    /// Remembers a command. `escalated`: it was allowed to run outside the sandbox.
    pub(crate) fn allow_command(&mut self, argv: &[String], cwd: &Path, escalated: bool) {
        self.commands.insert(CommandGrant { argv: argv.to_vec(), cwd: cwd.to_owned(), escalated });
    }

    /// Whether exactly this was allowed before.
    pub(crate) fn has_command(&self, argv: &[String], cwd: &Path, escalated: bool) -> bool {
        self.commands.contains(&CommandGrant { argv: argv.to_vec(), cwd: cwd.to_owned(), escalated })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_covers_exactly_the_same_call() {
        let argv = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let mut grants = Grants::default();
        grants.allow_command(&argv("rm -f x"), Path::new("/p"), false);
        assert!(grants.has_command(&argv("rm -f x"), Path::new("/p"), false));
        assert!(!grants.has_command(&argv("rm -f x"), Path::new("/p"), true), "other permissions");
        assert!(!grants.has_command(&argv("rm -f x"), Path::new("/q"), false), "other folder");
        assert!(!grants.has_command(&argv("rm -f x y"), Path::new("/p"), false), "more words");
    }
}
