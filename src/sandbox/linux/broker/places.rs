//! Where a command may change something, as a question about real paths: the same answer that mounts give where
//! there are namespaces. Nothing here touches the disk.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::protocol::policy::PROTECTED;
use crate::sandbox::names;

/// Where programs and libraries are.
const SYSTEM: [&str; 5] = ["/usr", "/lib", "/lib64", "/etc", "/proc"];

/// The rules for one command. All paths are absolute, symlinks resolved.
#[derive(Debug, Default)]
pub(crate) struct Places {
    /// Writable folders.
    pub(crate) write: Vec<PathBuf>,
    /// Read-only below them.
    pub(crate) closed: Vec<PathBuf>,
    /// Writable again: the folders of a repository.
    pub(crate) reopened: Vec<PathBuf>,
    /// Read-only in those.
    pub(crate) sealed: Vec<PathBuf>,
    /// Neither read nor written.
    pub(crate) hidden: Vec<PathBuf>,
    /// `.git` may be made where there is none.
    pub(crate) git_init: bool,
    /// Names protect nothing, to show that their protection is missed.
    pub(crate) unprotected: bool,
    /// The same for what must not be moved away.
    pub(crate) unpinned: bool,
    /// The same for all rules.
    pub(crate) lawless: bool,
}

impl Places {
    /// Whether what is at `path` may be changed, made or removed.
    pub(super) fn may_write(&self, path: &Path) -> bool {
        if self.is_hidden(path) || self.lawless {
            return self.lawless;
        }
        let longest = |list: &[PathBuf], holds: fn(&Path, &Path) -> bool| {
            list.iter().filter(|at| holds(path, at)).map(|at| at.components().count()).max()
        };
        let exactly: fn(&Path, &Path) -> bool = |path, at| path.starts_with(at);
        let closed = longest(&self.closed, names::below).max(self.by_name(path));
        match longest(&self.reopened, exactly) {
            Some(reopened) if Some(reopened) >= closed => {
                Some(reopened) > longest(&self.sealed, names::below)
            }
            _ => longest(&self.write, exactly) > closed,
        }
    }

    /// Whether `path` is one of the hidden ones or in one of them.
    pub(super) fn is_hidden(&self, path: &Path) -> bool {
        !self.lawless && self.hidden.iter().any(|hidden| names::below(path, hidden))
    }

    /// Whether what is at `path` may be read for the command: everything in the roots but what is hidden. Elsewhere
    /// the kernel knows.
    pub(super) fn may_read(&self, path: &Path) -> bool {
        !self.is_hidden(path) && self.write.iter().any(|root| path.starts_with(root))
    }

    /// Whether `path`, as a command wrote it, is plainly where programs and libraries are and no root is: most of what is
    /// opened for reading, which the kernel may answer by itself.
    pub(super) fn is_of_the_system(&self, path: &[u8]) -> bool {
        let path = Path::new(std::ffi::OsStr::from_bytes(path));
        let plain = path.components().all(|part| part != Component::ParentDir);
        let inside = |folder: &&str| {
            let rooted =
                self.write.iter().any(|root| root.starts_with(folder) || Path::new(folder).starts_with(root));
            path.starts_with(folder) && !rooted
        };
        plain && SYSTEM.iter().any(inside)
    }

    /// Whether `path` is in a repository that is open. Git writes through links there, later and for the user: one put in
    /// the place of a log leads what it writes into any file. So no link is made there, and nothing comes in from
    /// elsewhere, which could bring one.
    pub(super) fn in_repository(&self, path: &Path) -> bool {
        !self.lawless && self.reopened.iter().any(|open| path.starts_with(open))
    }

    /// Whether moving or removing the folder at `path` would move something that must stay where it is.
    pub(super) fn is_pinned(&self, path: &Path) -> bool {
        if self.unpinned {
            return false;
        }
        [&self.write, &self.closed, &self.reopened, &self.sealed, &self.hidden]
            .into_iter()
            .flatten()
            .any(|at| names::below(at, path))
    }

    /// Whether something that must not be read is where the command may make files: then a file of its own beside it
    /// can only be read by asking.
    pub(super) fn hides_inside(&self) -> bool {
        self.hidden.iter().any(|hidden| self.write.iter().any(|root| hidden.starts_with(root)))
    }

    /// Protected by its name in a root; as long as the path up to that name.
    fn by_name(&self, path: &Path) -> Option<usize> {
        let roots = self.write.iter().filter_map(|root| {
            let first = path.strip_prefix(root).ok()?.components().next()?;
            let is = |name: &str| names::same(first.as_os_str(), name.as_ref());
            let free = self.git_init && first.as_os_str() == ".git";
            let protected = !free && !self.unprotected && PROTECTED.iter().any(|name| is(name));
            protected.then(|| root.components().count() + 1)
        });
        roots.max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_counts_and_hidden_ones_always() {
        let paths = |list: &[&str]| list.iter().map(PathBuf::from).collect::<Vec<_>>();
        let places = Places {
            write: paths(&["/w", "/t"]),
            closed: paths(&["/w/.git", "/w/sub/.git", "/w/mine"]),
            reopened: paths(&["/w/.git", "/w/.git/worktrees/x"]),
            sealed: paths(&["/w/.git/hooks", "/w/.git/worktrees", "/w/.git/worktrees/x/config"]),
            hidden: paths(&["/w/.env"]),
            ..Places::default()
        };
        for (path, want) in [
            ("/w/new", true),
            ("/w/sub/new", true),
            ("/w", true),
            ("/x", false),
            ("/", false),
            ("/w/.env", false),
            ("/w/.envrc", true),
            ("/w/.codex", false),
            ("/w/.CODEX", false),
            ("/w/.Git/hooks/x", false),
            ("/w/SUB/.git/config", false),
            ("/w/.git/HOOKS/x", false),
            ("/w/.ENV", false),
            ("/w/.agents/x", false),
            ("/w/sub/.codex", true),
            ("/w/sub/.git/config", false),
            ("/w/mine/auth.json", false),
            ("/t/.git", false),
            ("/w/.git/index", true),
            ("/w/.git/hooks/x", false),
            ("/w/.git/worktrees/y/HEAD", false),
            ("/w/.git/worktrees/x/HEAD", true),
            ("/w/.git/worktrees/x/config", false),
        ] {
            assert_eq!(places.may_write(Path::new(path)), want, "{path}");
        }
        for (path, want) in [
            ("/w/sub", true),
            ("/w/Sub", true),
            ("/w", true),
            ("/", true),
            ("/w/src", false),
            ("/w/.env", true),
        ] {
            assert_eq!(places.is_pinned(Path::new(path)), want, "{path}");
        }
        for (path, want) in [("/w/.git/config", true), ("/w/.env", false), ("/x", false), ("/w/n", true)] {
            assert_eq!(places.may_read(Path::new(path)), want, "{path}");
        }
        assert!(places.hides_inside());
        for (path, want) in [
            ("/usr/lib/x", true),
            ("/usr/../w/x", false),
            ("usr/x", false),
            ("/w/x", false),
            ("/usrx/y", false),
        ] {
            assert_eq!(places.is_of_the_system(path.as_bytes()), want, "{path}");
        }
        let within = Places { write: paths(&["/usr/src/x"]), ..Places::default() };
        assert!(!within.is_of_the_system(b"/usr/lib/x") && within.is_of_the_system(b"/etc/x"));
        for (path, want) in
            [("/w/.git/logs/HEAD", true), ("/w/.git", true), ("/w/x", false), ("/w/.gitx", false)]
        {
            assert_eq!(places.in_repository(Path::new(path)), want, "{path}");
        }
        let init = Places { write: paths(&["/w"]), git_init: true, ..Places::default() };
        assert!(init.may_write(Path::new("/w/.git/HEAD")) && !init.may_write(Path::new("/w/.codex")));
        assert!(!init.hides_inside());
    }
}
