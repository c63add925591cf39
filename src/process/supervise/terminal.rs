//! Hands the terminal to a foreground command and takes it back. The command has a process group of its own, so
//! that `kill 0` inside never reaches the caller; therefore it has to become the terminal's foreground group like
//! the job of a shell, and a stop (Ctrl-Z) has to be passed on to the shell that waits for us.
#![allow(unsafe_code)] // tcsetpgrp and raise

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// The user's terminal, of which we are the foreground group.
pub(super) struct Terminal {
    /// The first of our stdio that is this terminal.
    tty: RawFd,
    ours: libc::pid_t,
    /// Process 1 cannot see or signal the supervisor; it writes here when the command has stopped.
    stopped: File,
}

impl Terminal {
    /// The terminal, when there is one and it is ours to give.
    pub(super) fn held() -> Option<Self> {
        // SAFETY: questions about our stdio and our own group; the event descriptor is fresh and ours.
        unsafe {
            let ours = libc::getpgrp();
            let tty = (0..3).find(|fd| libc::tcgetpgrp(*fd) == ours)?;
            let fd = libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK);
            (fd >= 0).then(|| Self { tty, ours, stopped: File::from_raw_fd(fd) })
        }
    }

    /// Its descriptor, by which the command makes itself the foreground group.
    pub(super) fn tty(&self) -> RawFd {
        self.tty
    }

    /// For `poll`: readable when process 1 has called [`Terminal::tell_stopped`].
    pub(super) fn fd(&self) -> RawFd {
        self.stopped.as_raw_fd()
    }

    /// From process 1: the command has stopped.
    pub(super) fn tell_stopped(&self) {
        let _ = (&self.stopped).write_all(&1u64.to_ne_bytes());
    }

    /// Whether process 1 said so since the last question.
    pub(super) fn was_told(&self) -> bool {
        let mut count = [0; 8];
        (&self.stopped).read(&mut count).is_ok()
    }

    /// Stops this process like the command did, and on continuation gives the terminal back to it.
    pub(super) fn stop_and_resume(&self) {
        // SAFETY: signals are blocked, so SIGTTOU cannot stop us here; SIGSTOP cannot be blocked and returns
        // when the user continues the job.
        unsafe {
            let theirs = libc::tcgetpgrp(self.tty);
            libc::tcsetpgrp(self.tty, self.ours);
            libc::kill(libc::getpid(), libc::SIGSTOP);
            if libc::tcgetpgrp(self.tty) == self.ours {
                libc::tcsetpgrp(self.tty, theirs);
            }
            libc::kill(-theirs, libc::SIGCONT);
        }
    }

    /// Makes us the foreground group again.
    pub(super) fn take_back(&self) {
        // SAFETY: as above.
        unsafe { libc::tcsetpgrp(self.tty, self.ours) };
    }
}
