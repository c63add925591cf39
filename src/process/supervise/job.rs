//! What a supervisor is told and what it tells: its argument list and its one line. Both sides use this file.

use std::ffi::{CString, OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use super::confinement::SetupError;

/// The name under which `codex` starts itself as a supervisor.
pub(crate) const ARGV0: &str = "codex-supervise";

/// How the command is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Own session, stdio as inherited (pipes).
    Pipe,
    /// Own session whose controlling terminal is descriptor 0.
    Tty,
    /// The caller's session and stdio: the command is a foreground job of the user's terminal.
    Foreground,
}

/// One command to supervise.
#[derive(Debug)]
pub(crate) struct Job {
    /// How it is connected.
    pub(crate) mode: Mode,
    /// Working directory, entered after confinement.
    pub(crate) cwd: CString,
    /// Program (looked up in `PATH`) and arguments.
    pub(crate) argv: Vec<CString>,
}

impl Job {
    /// A job from paths and words.
    ///
    /// # Errors
    /// No program, or a NUL byte in one of the words.
    pub(crate) fn new(mode: Mode, cwd: &Path, argv: Vec<OsString>) -> Result<Self, SetupError> {
        let argv = argv.into_iter().map(c_string).collect::<Result<Vec<_>, _>>()?;
        if argv.first().is_none_or(|program| program.is_empty()) {
            return Err(SetupError::new("arguments", "no program given"));
        }
        Ok(Self { mode, cwd: c_string(cwd.as_os_str().to_owned())?, argv })
    }

    /// A program that does not exist, to see how far one would get. Keeps the supervisor's own stdio.
    pub(crate) fn nothing() -> Self {
        Self { mode: Mode::Foreground, cwd: c"/".to_owned(), argv: vec![c"/proc/self/nothing".to_owned()] }
    }

    /// Reads `<mode> <confine> <cwd> <program> <args>…`; gives the job and the text of the confinement.
    ///
    /// # Errors
    /// A word is missing or not understood.
    pub(crate) fn from_args(
        mut args: impl Iterator<Item = OsString>,
    ) -> Result<(Self, OsString), SetupError> {
        let mode = match args.next().as_deref().map(OsStr::as_bytes) {
            Some(b"pipe") => Mode::Pipe,
            Some(b"tty") => Mode::Tty,
            _ => return Err(SetupError::new("arguments", "the mode is `pipe` or `tty`")),
        };
        let (Some(confine), Some(cwd)) = (args.next(), args.next()) else {
            return Err(SetupError::new("arguments", "confinement or working directory missing"));
        };
        Ok((Self::new(mode, Path::new(&cwd), args.collect())?, confine))
    }
}

fn c_string(text: OsString) -> Result<CString, SetupError> {
    CString::new(text.into_vec()).map_err(|_| SetupError::new("arguments", "a word contains a NUL byte"))
}

/// How it ended. `Display` is the line on the control socket, without its end.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The command ended with this code.
    Exit(i32),
    /// The command was killed by this signal.
    Signal(i32),
    /// The command did not run: something could not be set up.
    Setup(SetupError),
    /// The command did not run: error number of the execution.
    Exec(i32),
}

impl Outcome {
    /// Decodes a `waitpid` status.
    pub(crate) fn from_status(status: i32) -> Self {
        if libc::WIFSIGNALED(status) {
            Self::Signal(libc::WTERMSIG(status))
        } else {
            Self::Exit(libc::WEXITSTATUS(status))
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(code) => write!(f, "exit {code}"),
            Self::Signal(signal) => write!(f, "signal {signal}"),
            // One line, whatever a path in the text contains.
            Self::Setup(error) => {
                write!(f, "setup {}: {}", error.stage, error.text.replace(['\n', '\r'], " "))
            }
            Self::Exec(errno) => write!(f, "exec {errno}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> impl Iterator<Item = OsString> {
        words.iter().map(OsString::from).collect::<Vec<_>>().into_iter()
    }

    #[test]
    fn arguments_are_read_in_order_and_incomplete_ones_refused() {
        let (job, confine) = Job::from_args(words(&["tty", "-", "/w", "ls", "-l"])).unwrap();
        assert_eq!((job.mode, job.cwd.as_bytes(), confine), (Mode::Tty, &b"/w"[..], "-".into()));
        assert_eq!(job.argv, [c"ls".to_owned(), c"-l".to_owned()]);
        for bad in
            [&["x", "-", "/", "ls"][..], &["pipe", "-", "/"], &["pipe", "-"], &[], &["pipe", "-", "/", ""]]
        {
            assert!(Job::from_args(words(bad)).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_setup_line_stays_one_line() {
        let line = Outcome::Setup(SetupError::new("mount", "/a\nexit 0: no")).to_string();
        assert_eq!(line, "setup mount: /a exit 0: no");
    }
}
