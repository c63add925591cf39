//! The environment, captured once at start and handed on from there. Nobody else reads it, so a test can make
//! any environment it likes and no two readers can disagree. Values never show in debug output: many are keys.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::secret::Secret;

/// Where the administrator's files are.
const SYSTEM_DIR: &str = "/etc/codex";

/// Variables, working directory and home folder as they were when the program started.
#[derive(Clone)]
pub(crate) struct Env {
    vars: Arc<BTreeMap<OsString, OsString>>,
    cwd: Option<PathBuf>,
    home: Option<PathBuf>,
    system_dir: PathBuf,
}

impl Env {
    /// The environment of this process.
    #[allow(clippy::disallowed_methods, reason = "this is the place the lint points to")]
    pub(crate) fn capture() -> Self {
        let mut env = Self::new(std::env::vars_os().collect(), std::env::current_dir().ok());
        env.home = env.home.or_else(|| std::env::home_dir().filter(|home| home.is_absolute()));
        env
    }

    /// An environment made by hand: these variables, this working directory.
    pub(crate) fn new(vars: BTreeMap<OsString, OsString>, cwd: Option<PathBuf>) -> Self {
        let mut env = Self { vars: Arc::new(vars), cwd, home: None, system_dir: PathBuf::from(SYSTEM_DIR) };
        env.home = env.get("HOME").map(PathBuf::from).filter(|home| home.is_absolute());
        env
    }

    /// All variables, to be passed on to commands.
    pub(crate) fn vars(&self) -> Arc<BTreeMap<OsString, OsString>> {
        Arc::clone(&self.vars)
    }

    /// A variable that is set and not empty.
    pub(crate) fn get(&self, name: &str) -> Option<&OsStr> {
        self.vars.get(OsStr::new(name)).map(OsString::as_os_str).filter(|value| !value.is_empty())
    }

    /// A variable that is set, not empty and UTF-8.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str)
    }

    /// A variable that holds a key or token; white space around it is dropped.
    pub(crate) fn secret(&self, name: &str) -> Option<Secret> {
        self.text(name).map(str::trim).filter(|text| !text.is_empty()).map(Secret::new)
    }

    /// Working directory at start; `None` when it no longer exists.
    pub(crate) fn cwd(&self) -> Option<&Path> {
        self.cwd.as_deref()
    }

    /// The user's home folder.
    pub(crate) fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// Folder of the administrator's files.
    pub(crate) fn system_dir(&self) -> &Path {
        &self.system_dir
    }

    /// `CODEX_HOME` as the user set it.
    pub(crate) fn codex_home(&self) -> Option<&Path> {
        self.get("CODEX_HOME").map(Path::new)
    }

    /// `TMPDIR` when it is an absolute path.
    pub(crate) fn tmpdir(&self) -> Option<&Path> {
        self.get("TMPDIR").map(Path::new).filter(|path| path.is_absolute())
    }

    /// Whether colours are unwanted (`NO_COLOR`).
    pub(crate) fn no_color(&self) -> bool {
        self.get("NO_COLOR").is_some()
    }

    /// `OPENAI_API_KEY`.
    pub(crate) fn openai_api_key(&self) -> Option<Secret> {
        self.secret("OPENAI_API_KEY")
    }

    /// `CODEX_API_KEY`.
    pub(crate) fn codex_api_key(&self) -> Option<Secret> {
        self.secret("CODEX_API_KEY")
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Env").field("vars", &self.vars.len()).field("cwd", &self.cwd).finish_non_exhaustive()
    }
}

#[cfg(test)]
impl Env {
    /// An environment of a test: `name=value` pairs, and no files of an administrator.
    pub(crate) fn of(vars: &[(&str, &str)], cwd: &Path) -> Self {
        let vars = vars.iter().map(|(name, value)| (name.into(), value.into())).collect();
        Self::new(vars, Some(cwd.to_owned())).with_system_dir(Path::new("/nonexistent/etc/codex"))
    }

    /// The same with another folder for the administrator's files.
    pub(crate) fn with_system_dir(mut self, dir: &Path) -> Self {
        self.system_dir = dir.to_owned();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_and_relative_values_count_as_unset() {
        let env = Env::of(&[("HOME", "home"), ("TMPDIR", ""), ("OPENAI_API_KEY", "  ")], Path::new("/"));
        assert_eq!(env.home(), None);
        assert_eq!(env.tmpdir(), None);
        assert!(env.openai_api_key().is_none());
        assert!(!env.no_color());
    }

    #[test]
    fn debug_output_shows_no_value() {
        let env = Env::of(&[("CODEX_API_KEY", "sk-1234\n")], Path::new("/"));
        assert_eq!(env.codex_api_key().map(|key| key.expose().to_owned()).as_deref(), Some("sk-1234"));
        assert!(!format!("{env:?}").contains("sk-1234"));
    }
}
