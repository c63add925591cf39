//! The binary: everything is in the library. The supervisor comes first, because it is started for every
//! command and must not pay for what only `codex` itself needs.

use std::process::ExitCode;

fn main() -> ExitCode {
    if codex::cli::supervise() { ExitCode::SUCCESS } else { codex::cli::main() }
}
