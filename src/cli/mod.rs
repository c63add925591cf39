//! The command line.
//!
//! - [`args`]: the words and flags as they are typed
//! - [`exit`]: exit codes

mod args;
mod exit;

use std::process::ExitCode;

/// Runs the program.
pub fn main() -> ExitCode {
    ExitCode::SUCCESS
}
