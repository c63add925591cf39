//! The command line.
//!
//! - [`args`]: the words and flags as they are typed
//! - [`exit`]: exit codes

mod args;
mod exit;

mod demo;

use std::process::ExitCode;

/// Runs this process as the supervisor of one command if it was started as one. Comes before everything else.
pub fn supervise() -> bool {
    crate::sandbox::entry(std::env::args_os())
}

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
