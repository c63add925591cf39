//! What can be wrong with the configuration, said so that the user can mend it: which file, which line, which
//! key, what was found there and what is allowed. Values of keys that may hold secrets are never repeated.

use std::fmt;
use std::path::PathBuf;

/// Why no configuration could be made. Each text stands on its own.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither `CODEX_HOME` nor a home folder: set one.
    #[error("the home folder is unknown: set HOME or CODEX_HOME")]
    NoHome,
    /// `CODEX_HOME` names something that cannot be used: create it or unset the variable.
    #[error("CODEX_HOME is set to {}, but {problem}", path.display())]
    Home {
        /// As set.
        path: PathBuf,
        /// What is the matter with it.
        problem: String,
    },
    /// The working directory cannot be used: choose another one.
    #[error("working directory {}: {problem}", path.display())]
    Cwd {
        /// As asked for.
        path: PathBuf,
        /// What is the matter with it.
        problem: String,
    },
    /// A file cannot be read as text: mend its type, size, mode or encoding.
    #[error("{place}: {problem}")]
    File {
        /// The file, with line and column when the fault has a place.
        place: Place,
        /// What is the matter with it.
        problem: String,
    },
    /// A file is not TOML.
    #[error("{place}: {problem}{excerpt}")]
    Syntax {
        /// Where reading stopped.
        place: Place,
        /// What the reader says.
        problem: String,
        /// The line, marked, on lines of its own; empty when it may hold a secret.
        excerpt: String,
    },
    /// A key has a value it cannot have.
    #[error("{place}: `{key}` {problem}")]
    Value {
        /// Where the value is written.
        place: Place,
        /// Dotted path of the key.
        key: String,
        /// What was found and what is allowed.
        problem: String,
    },
    /// A key that nobody knows, where that is an error (`--strict-config`).
    #[error("{0}")]
    UnknownKey(String),
    /// A `-c` argument that is not `key=value`.
    #[error("-c {argument}: {problem}")]
    Override {
        /// The part before `=`.
        argument: String,
        /// What is the matter with it.
        problem: String,
    },
    /// A profile that does not exist.
    #[error("{0}")]
    Profile(String),
    /// `--enable` or `--disable` with an unknown feature.
    #[error("{0}")]
    Feature(String),
    /// What the user asks for is not allowed by the administrator, and falling back would mislead.
    #[error("{0}")]
    Forbidden(String),
}

/// Where something is written: a file with line and column, or an argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// File path, or the argument as typed without its value.
    pub(crate) label: String,
    /// Line and column from 1; the column counts characters.
    pub(crate) at: Option<(usize, usize)>,
}

impl Place {
    /// A whole file.
    pub(crate) fn file(path: &std::path::Path) -> Self {
        Self { label: path.display().to_string(), at: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.label)?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}
