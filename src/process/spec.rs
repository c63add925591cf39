//! What to run. Plain data: nothing here knows about shells, approvals or how the supervisor is reached.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// One program to run. The environment is complete: nothing is inherited besides it.
#[derive(Clone, Debug)]
pub(crate) struct CommandSpec {
    /// Program and arguments; the program is looked up in the `PATH` of `env`.
    pub(crate) argv: Vec<OsString>,
    /// Absolute working directory.
    pub(crate) cwd: PathBuf,
    /// The whole environment.
    pub(crate) env: BTreeMap<OsString, OsString>,
    /// Whether it gets a pseudo terminal instead of a pipe. A terminal always takes input.
    pub(crate) tty: bool,
    /// Where its input comes from when it has no terminal.
    pub(crate) stdin: Stdin,
    /// Confinement text made by the sandbox, handed through unread; `None` = unconfined.
    pub(crate) confine: Option<String>,
}

/// Standard input of a command without a terminal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stdin {
    /// Reads end of file at once.
    #[default]
    Closed,
    /// A pipe that takes what is written to the running command.
    #[cfg_attr(
        not(test),
        allow(
            dead_code,
            reason = "commands of the model read nothing; a terminal is what they are given to type into"
        )
    )]
    Piped,
}
