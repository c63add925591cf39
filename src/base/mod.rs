//! The ground: no domain words in here, and every file has two users or more.
//!
//! - [`clock`]: the time, as a trait, so that tests can hold it still
//! - [`ids`]: identities of threads, turns, items and questions
//! - [`secret`]: text that never shows itself in logs, errors or debug output
//! - [`fs`]: bounded reading, atomic replacement, private modes, fsync
//! - [`lock`]: a lock file between processes, with a time-out
//! - [`tasks`]: the only place that spawns tasks and blocking work
//! - [`path`]: absolute, normalised paths
//! - [`reach`]: whether an address is on this machine, nearby or anywhere
//! - [`clean`]: foreign text → one short line that is safe to show

pub(crate) mod clean;
pub(crate) mod clock;
pub(crate) mod fs;
pub(crate) mod ids;
pub(crate) mod lock;
pub(crate) mod path;
pub(crate) mod reach;
pub(crate) mod secret;
pub(crate) mod tasks;
