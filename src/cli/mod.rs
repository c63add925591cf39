//! The command line.

use std::process::ExitCode;

mod sandbox;

/// Runs this process as the supervisor of one command if it was started as one. Comes before everything else.
pub fn supervise() -> bool {
    crate::sandbox::entry(std::env::args_os())
}

/// Runs the program.
pub fn main() -> ExitCode {
    use clap::Parser;

    #[derive(Parser)]
    #[command(name = "codex")]
    enum Cli {
        /// Run a command in the sandbox
        Sandbox(sandbox::SandboxArgs),
    }

    #[allow(clippy::disallowed_methods, reason = "the environment is read here")]
    let tmpdir = std::env::var_os("TMPDIR").map(std::path::PathBuf::from);
    match Cli::parse() {
        Cli::Sandbox(args) => sandbox::run(args, tmpdir.as_deref()),
    }
}
