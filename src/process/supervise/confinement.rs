//! The seam between the supervisor and the sandbox. The supervisor knows the moments, the sandbox fills them;
//! neither knows more of the other.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::os::fd::RawFd;

use crate::protocol::network::Visits;

/// Restrictions to put in place around one command.
pub(crate) trait Confinement {
    /// In the supervisor, before anything is forked. `Some(flags)`: the command gets a process 1 of its own, in
    /// new namespaces (`CLONE_NEW…`, a pid namespace among them).
    ///
    /// # Errors
    /// The restriction is not available; the command must not run.
    fn outer(&mut self) -> Result<Option<i32>, SetupError>;

    /// In the supervisor, while process 1 waits: what only somebody outside its namespaces can do for it.
    ///
    /// # Errors
    /// As for [`Confinement::outer`].
    fn adopt(&mut self, _process_1: i32) -> Result<(), SetupError> {
        Ok(())
    }

    /// In the process that will start the command (process 1 of the namespace, else the supervisor itself), when
    /// everything may still allocate.
    ///
    /// # Errors
    /// As for [`Confinement::outer`].
    fn init(&mut self) -> Result<(), SetupError>;

    /// In the command's process just before it is executed. Shares memory with its suspended parent: system
    /// calls only, no allocation.
    ///
    /// # Errors
    /// The stage and the system's error number.
    fn inner(&self) -> Result<(), (&'static str, i32)>;

    /// When the command has been started, in the process that started it.
    fn started(&mut self) {}

    /// Readable when the command waits for [`Confinement::answer`]; below zero when it never does.
    fn questions(&self) -> RawFd {
        -1
    }

    /// Answers what the command waits for. Must not wait itself.
    fn answer(&mut self) {}

    /// In the supervisor when all is over: places in the network that the command reached or was refused.
    fn reached(&mut self) -> Visits {
        Visits::default()
    }

    /// In the supervisor after the last process of the command is gone.
    fn done(&mut self) {}
}

/// No restrictions.
#[derive(Debug)]
pub(crate) struct Unconfined;

impl Confinement for Unconfined {
    fn outer(&mut self) -> Result<Option<i32>, SetupError> {
        Ok(None)
    }

    fn init(&mut self) -> Result<(), SetupError> {
        Ok(())
    }

    fn inner(&self) -> Result<(), (&'static str, i32)> {
        Ok(())
    }
}

/// Something could not be set up, so the command did not run.
#[derive(Debug, thiserror::Error)]
#[error("{stage}: {text}")]
pub(crate) struct SetupError {
    /// What was being set up.
    pub(crate) stage: Cow<'static, str>,
    /// Why it failed.
    pub(crate) text: String,
}

impl SetupError {
    /// A failure with its reason.
    pub(crate) fn new(stage: impl Into<Cow<'static, str>>, text: impl fmt::Display) -> Self {
        Self { stage: stage.into(), text: text.to_string() }
    }

    /// The failure of the system call made last.
    pub(crate) fn last(stage: &'static str) -> Self {
        Self::new(stage, io::Error::last_os_error())
    }
}
