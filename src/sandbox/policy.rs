//! A policy made concrete: which folders, which children of them are protected, network or not. Resolving looks
//! at the disk once; the questions afterwards do not, so that a decision can be repeated and tested. Resolve when
//! a thread starts, not per command: a folder on the list that a command could replace by a symlink must not be
//! followed again.

use std::path::{Component, Path, PathBuf};

use crate::base::clean;
use crate::base::path::absolute;
use crate::protocol::policy::{DenyRead, NetworkRules, PROTECTED, Profiled, SandboxMode, SandboxPolicy};

use super::git::{self, Repository};
use super::git_config;
use super::leads::{real, targets};
use super::names;
use super::nested::{self, Nested};
use super::secrets;

/// Why a root is writable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The working directory.
    Workdir,
    /// Configured or given with `--add-dir`.
    Extra,
    /// `/tmp`.
    SlashTmp,
    /// `$TMPDIR`.
    Tmpdir,
}

/// One writable folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Root {
    /// Absolute, symlinks resolved.
    pub(crate) path: PathBuf,
    /// Why it is writable.
    pub(crate) origin: Origin,
}

/// A policy resolved on this disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Roots {
    mode: SandboxMode,
    network: bool,
    roots: Vec<Root>,
    /// Read-only although below a root, besides the protected names: targets of `.git` files and symlinks, and
    /// what [`Roots::protect`] was told. Resolved.
    protected: Vec<PathBuf>,
    /// What these folders hold below.
    nested: Nested,
    looked_in: Vec<PathBuf>,
    deny_read: DenyRead,
    network_rules: NetworkRules,
    /// Plain commands of git may write the repository that this folder is in.
    git: Option<PathBuf>,
    /// The user's home folder.
    pub(super) home: Option<PathBuf>,
    /// The permission profile of the user's own it is, in words.
    profile: Option<String>,
}

/// Resolves `policy` for the working directory `cwd` (absolute) and the value of `TMPDIR`. Roots that do not
/// exist or are no folders are left out.
pub(crate) fn resolve(policy: &SandboxPolicy, cwd: &Path, tmpdir: Option<&Path>) -> Roots {
    let mut resolved = Roots {
        mode: policy.mode(),
        network: policy.network_access(),
        roots: Vec::new(),
        protected: Vec::new(),
        nested: Nested::default(),
        looked_in: Vec::new(),
        deny_read: DenyRead::default(),
        network_rules: NetworkRules::default(),
        git: None,
        home: None,
        profile: None,
    };
    let SandboxPolicy::WorkspaceWrite { writable_roots, exclude_tmpdir_env_var, exclude_slash_tmp, .. } =
        policy
    else {
        if !resolved.full_access() {
            resolved.looked_in.push(real(cwd));
            resolved = resolved.look_again();
        }
        return resolved;
    };
    resolved.add(cwd, Origin::Workdir);
    for root in writable_roots {
        resolved.add(&absolute(cwd, root), Origin::Extra);
    }
    if !exclude_slash_tmp {
        resolved.add(Path::new("/tmp"), Origin::SlashTmp);
    }
    if let Some(tmpdir) = tmpdir.filter(|t| !exclude_tmpdir_env_var && t.is_absolute()) {
        resolved.add(tmpdir, Origin::Tmpdir);
    }
    resolved
}

impl Roots {
    fn add(&mut self, path: &Path, origin: Origin) {
        let Some(path) = std::fs::canonicalize(path).ok().filter(|path| path.is_dir()) else { return };
        // The kernel's own settings are not folders to work in.
        let system = ["/proc", "/sys"].iter().any(|system| path.starts_with(system));
        if system || self.roots.iter().any(|root| root.path == path) {
            return;
        }
        for name in PROTECTED {
            self.protected.extend(targets(&path.join(name)));
        }
        // Temporary folders are shared, large, and nobody's workspace.
        if matches!(origin, Origin::Workdir | Origin::Extra) {
            self.protect_what_git_runs(&path);
            self.look_in(&path);
            self.looked_in.push(path.clone());
        }
        self.roots.push(Root { path, origin });
    }

    /// In the root at `path`.
    fn protect_what_git_runs(&mut self, path: &Path) {
        let run = git_config::run_by_git(path, self.home.as_deref());
        // What holds all of the root cannot be closed.
        let in_root = |found: &PathBuf| found.starts_with(path) && found != path;
        for found in run.into_iter().filter(in_root) {
            if !self.protected.contains(&found) {
                self.protected.push(found);
            }
        }
    }

    /// The user's home folder is never opened as a whole, nor what holds it; the settings of git that are there count.
    pub(crate) fn never_open(&mut self, home: Option<&Path>) {
        self.home = home.map(real);
        let lasting: Vec<_> = self.lasting().map(Path::to_owned).collect();
        lasting.iter().for_each(|folder| self.protect_what_git_runs(folder));
    }

    fn look_in(&mut self, folder: &Path) {
        let found = nested::search(folder);
        let new = |known: &[PathBuf], found: Vec<PathBuf>| -> Vec<PathBuf> {
            found.into_iter().filter(|path| !known.contains(path)).collect()
        };
        if self.mode == SandboxMode::WorkspaceWrite {
            let repositories = new(&self.nested.repositories, found.repositories);
            self.nested.repositories.extend(repositories);
        }
        let env_files = new(&self.nested.env_files, found.env_files);
        self.nested.env_files.extend(env_files);
        self.nested.more |= found.more;
    }

    /// The same, with the repositories and secrets that have come to exist below since. What was known stays so:
    /// a command cannot push it off the list by making more of its kind. The folders themselves are not resolved
    /// again.
    pub(crate) fn look_again(&self) -> Self {
        let mut again = self.clone();
        for folder in &self.looked_in {
            again.look_in(folder);
        }
        again
    }

    /// Makes one more folder writable, as if it had been configured; what is protected below it stays so. Not in a
    /// read-only sandbox.
    pub(crate) fn open(&mut self, folder: &Path) {
        if self.mode == SandboxMode::WorkspaceWrite {
            self.add(folder, Origin::Extra);
        }
    }

    /// Whether `path` is in the working directory or a folder beside it that was given.
    pub(super) fn is_workspace(&self, path: &Path) -> bool {
        self.looked_in.iter().any(|folder| path.starts_with(folder))
    }

    /// Whether `path` (as for [`Roots::can_write`]) is in a folder that somebody opened besides the workspace.
    pub(crate) fn is_opened(&self, path: &Path) -> bool {
        self.roots.iter().any(|root| root.origin == Origin::Extra && path.starts_with(&root.path))
    }

    /// Whether commands were kept from making this `.git` (as [`real`] gives it) before there was one.
    pub(crate) fn is_guarded(&self, git: &Path) -> bool {
        git.ends_with(".git") && git.parent().is_some_and(|folder| self.lasting().any(|root| root == folder))
    }

    /// The writable folders that are workspaces, and no folders for temporary files.
    pub(crate) fn lasting(&self) -> impl Iterator<Item = &Path> {
        let lasting = |root: &&Root| matches!(root.origin, Origin::Workdir | Origin::Extra);
        self.roots.iter().filter(lasting).map(|root| root.path.as_path())
    }

    /// Adds what the policy of this profile has no words for. Not when another policy is in force by now.
    pub(crate) fn restrict(&mut self, profile: &Profiled, policy: &SandboxPolicy) {
        if profile.policy != *policy {
            return;
        }
        if !profile.workdir {
            self.roots.retain(|root| root.origin != Origin::Workdir);
        }
        profile.read_only.iter().for_each(|path| self.protect(path));
        let about = profile.description.as_ref().map(|text| format!(" ({})", clean::line(text, 200)));
        self.profile = Some(format!("{}{}", clean::line(&profile.name, 100), about.unwrap_or_default()));
    }

    /// The permission profile of the user's own it is, in words.
    pub(crate) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }

    /// Keeps the content of what `list` names from commands.
    pub(crate) fn deny_read(&mut self, list: DenyRead) {
        self.deny_read = list;
    }

    /// Lets commands reach these while the network is off. Not in a read-only sandbox, which is for looking.
    pub(crate) fn allow_network(&mut self, rules: NetworkRules) {
        if self.mode == SandboxMode::WorkspaceWrite && !self.network {
            self.network_rules = rules;
        }
    }

    /// What commands may reach while the network is off.
    pub(crate) fn network_rules(&self) -> &NetworkRules {
        &self.network_rules
    }

    /// Lets plain commands of git write the repository that `cwd` is in.
    pub(crate) fn grant_git(&mut self, cwd: &Path) {
        self.git = (self.mode == SandboxMode::WorkspaceWrite).then(|| cwd.to_owned());
    }

    /// What a call of these words may do with a repository.
    pub(crate) fn git_for(&self, argv: &[String]) -> Option<git::Work> {
        self.git.as_ref().and_then(|_| git::work(argv))
    }

    /// The repository of [`Roots::git_for`] as it is now: a call before may have made it, with git and nothing
    /// else.
    pub(super) fn repository(&self) -> Option<Repository> {
        self.git.as_deref().and_then(Repository::around)
    }

    /// What commands cannot read, as it is on the disk now.
    pub(crate) fn hidden(&self) -> Vec<PathBuf> {
        if self.full_access() {
            return Vec::new();
        }
        secrets::hidden(&self.deny_read, &self.nested.env_files)
    }

    /// Why what is at `path` (as [`real`] gives it) is kept from commands, and so from every other way that a model
    /// has to a file; `None` when it is not.
    pub(crate) fn cannot_read(&self, path: &Path) -> Option<String> {
        let by_name = self.deny_read.env_files
            && path.file_name().is_some_and(nested::is_env_name)
            && self.looked_in.iter().any(|folder| path.starts_with(folder))
            && !self.deny_read.allow.iter().any(|allowed| path.starts_with(allowed));
        match by_name && !self.full_access() {
            true => Some(super::explain::secret(path, path)),
            false => super::explain::read(self, path).map(|said| said.to_string()),
        }
    }

    /// The repository that plain commands of git may write, when there is one.
    pub(crate) fn git_folder(&self) -> Option<PathBuf> {
        self.repository().map(|repository| repository.common)
    }

    /// Keeps `path` read-only although a root contains it, for example our own home inside the workspace.
    pub(crate) fn protect(&mut self, path: &Path) {
        self.protected.push(real(path));
    }

    /// Nothing is restricted.
    pub(crate) fn full_access(&self) -> bool {
        self.mode == SandboxMode::DangerFullAccess
    }

    /// The mode it was resolved from.
    pub(crate) fn mode(&self) -> SandboxMode {
        self.mode
    }

    /// Network is open.
    pub(crate) fn network(&self) -> bool {
        self.network
    }

    /// The writable folders, the working directory first.
    pub(crate) fn roots(&self) -> &[Root] {
        &self.roots
    }

    /// Read-only paths besides the protected names of each root.
    pub(crate) fn protected(&self) -> &[PathBuf] {
        &self.protected
    }

    /// Repositories below the roots, as far as they were looked for; read-only as well.
    pub(super) fn repositories(&self) -> &[PathBuf] {
        &self.nested.repositories
    }

    /// Whether the roots are too large to be looked through for repositories and secrets.
    pub(crate) fn searched_in_part(&self) -> bool {
        self.nested.more
    }

    /// Whether a command may write at `path`: absolute, and as [`real`] gives it. Does not touch the disk.
    pub(crate) fn can_write(&self, path: &Path) -> bool {
        if self.full_access() {
            return true;
        }
        if !path.is_absolute() || path.components().any(|part| part == Component::ParentDir) {
            return false;
        }
        let inside = self.roots.iter().any(|root| path.starts_with(&root.path));
        inside && !self.is_protected(path)
    }

    /// Whether `path` (as for [`Roots::can_write`]) is below a protected name or path.
    pub(crate) fn is_protected(&self, path: &Path) -> bool {
        let by_name = |root: &Root| {
            let first = path.strip_prefix(&root.path).ok().and_then(|rest| rest.components().next());
            first.is_some_and(|first| {
                PROTECTED.iter().any(|name| names::same(first.as_os_str(), name.as_ref()))
            })
        };
        let below = |protected: &[PathBuf]| protected.iter().any(|p| names::below(path, p));
        self.roots.iter().any(by_name) || below(&self.protected) || below(&self.nested.repositories)
    }
}

#[cfg(test)]
#[path = "policy_tests.rs"]
mod tests;
