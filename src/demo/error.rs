//! What can go wrong by accident. Faults made on purpose are in `faults`.

use std::path::PathBuf;

/// Why the demo cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// A scenario is written wrongly: correct the named line.
    #[error("{file}:{line}: {message}")]
    Script {
        /// Where the text came from.
        file: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No scenario has this name: choose one of the list.
    #[error("there is no scenario `{name}`; there are: {known}")]
    NoScenario {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// The listener could not be opened: choose another port.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for; 0 means any.
        port: u16,
        /// Why.
        source: std::io::Error,
    },
    /// A file or folder of a scenario could not be read, made or removed: look at that place.
    #[error("{}: {source}", path.display())]
    Setup {
        /// Which path.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The client could not be started.
    #[error("cannot run {}: {source}", program.display())]
    Run {
        /// Which program.
        program: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The person stopped it.
    #[error("stopped")]
    Stopped,
}
