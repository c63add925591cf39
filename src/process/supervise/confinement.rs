//! The seam between the supervisor and the sandbox. The supervisor knows the moments, the sandbox fills them;
//! neither knows more of the other.

use std::borrow::Cow;
use std::fmt;
use std::io;
use std::os::fd::RawFd;

use crate::protocol::network::Visits;

/// Restrictions to put in place around one command.
pub(crate) trait Confinement {
    /// In the supervisor, before anything is forked. `Some(flags)`: a process comes between it and the command, in
    /// the new namespaces of these flags (`CLONE_NEW…`); with a pid namespace among them it is process 1 there.
    ///
    /// # Errors
    /// The restriction is not available; the command must not run.
    fn outer(&mut self) -> Result<Option<i32>, SetupError>;

    /// In the supervisor, while the process between waits: what only somebody outside its namespaces can do for it.
    ///
    /// # Errors
    /// As for [`Confinement::outer`].
    fn adopt(&mut self, _between: i32) -> Result<(), SetupError> {
        Ok(())
    }

    /// In the process that will start the command (the one between, else the supervisor itself), when everything
    /// may still allocate.
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

    /// In the process that started the command, when that is the one between and the command has ended.
    fn ended(&mut self) {}

    /// In the supervisor after the last process of the command is gone.
    fn done(&mut self) {}

    /// Whether this protection of the supervisor's is left out, to show that its absence is noticed.
    #[cfg(debug_assertions)]
    fn leaves_out(&self, _protection: &str) -> bool {
        false
    }
}

/// Whether what a command leaves behind lives on. Only builds for tests know of it.
pub(super) fn spares_the_tree(confinement: &dyn Confinement) -> bool {
    #[cfg(debug_assertions)]
    return confinement.leaves_out("tree");
    #[cfg(not(debug_assertions))]
    {
        let _ = confinement;
        false
    }
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
