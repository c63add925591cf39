//! Exit codes: one enum, so that every word of the command line means the same by a number. Part of the contract
//! with scripts; `--help` prints [`HELP`].

use std::process::ExitCode;

use crate::exec::brake::Signal;
use crate::exec::run::Outcome;

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done; for `exec`: the model answered, also when some of its commands failed.
    Success,
    /// The turn failed, or it could not begin.
    Failure,
    /// The command line is wrong.
    Usage,
    /// The terminal went away (SIGHUP).
    Hangup,
    /// Stopped with Ctrl-C (SIGINT).
    Interrupted,
    /// The reader of stdout went away; what a shell reports for SIGPIPE.
    OutputClosed,
    /// Stopped with SIGTERM.
    Terminated,
    /// A fault of the program itself; the number any Rust program ends with then.
    Fault,
    /// The exit code of another program, handed through.
    Other(u8),
}

/// The table for `--help`.
pub(crate) const HELP: &str = "\
Exit codes:
  0    the answer was given, also when commands of the model failed
  1    the turn failed or could not begin: configuration, account, service
  2    the command line is wrong
  101  a fault of codex itself
  129  the terminal was closed
  130  interrupted (Ctrl-C); a second Ctrl-C does not wait for the turn to stop
  141  the reader of standard output went away
  143  terminated";

impl Exit {
    /// The number.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::Fault => 101,
            Self::Hangup => 129,
            Self::Interrupted => 130,
            Self::OutputClosed => 141,
            Self::Terminated => 143,
            Self::Other(code) => code,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

impl From<Outcome> for Exit {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Answered => Self::Success,
            Outcome::Failed => Self::Failure,
            Outcome::OutputClosed => Self::OutputClosed,
            Outcome::Stopped(Signal::Hangup) => Self::Hangup,
            Outcome::Stopped(Signal::Interrupt) => Self::Interrupted,
            Outcome::Stopped(Signal::Terminate) => Self::Terminated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code_of_exec() {
        for outcome in [
            Outcome::Answered,
            Outcome::Failed,
            Outcome::OutputClosed,
            Outcome::Stopped(Signal::Hangup),
            Outcome::Stopped(Signal::Interrupt),
            Outcome::Stopped(Signal::Terminate),
        ] {
            let code = Exit::from(outcome).code();
            assert!(HELP.lines().any(|line| line.trim_start().starts_with(&format!("{code} "))), "{code}");
        }
        assert!(HELP.contains("\n  2 "));
    }
}
