//! The process between supervisor and command. In a pid namespace it is process 1: when it exits, the kernel kills
//! everything in there before the supervisor sees the exit. Without one it and the supervisor both adopt what the
//! command leaves behind, so that whichever of them is killed, the other ends the tree. It reports through a page of
//! memory shared with the supervisor, because an exit status cannot carry a signal number or a sentence.
#![allow(unsafe_code)] // fork, the shared page, _exit

use std::io::{PipeReader, Read, Write};
use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::confinement::{Confinement, SetupError, spares_the_tree};
use super::job::{Job, Mode, Outcome};
use super::signals::Signals;
use super::terminal::Terminal;
use super::{child, reap};

const TEXT: usize = 1024;

/// What the process between tells the supervisor. Written by one side, read by the other after the first has ended.
#[repr(C)]
struct Page {
    kind: u32,
    value: i32,
    stage_len: u32,
    text_len: u32,
    text: [u8; TEXT],
}

const NOTHING: u32 = 0;
const EXIT: u32 = 1;
const SIGNAL: u32 = 2;
const SETUP: u32 = 3;
const EXEC: u32 = 4;

/// The report page, seen by both processes.
pub(super) struct Report(NonNull<Page>);

impl Report {
    /// A fresh page.
    ///
    /// # Errors
    /// Out of memory.
    pub(super) fn new() -> Result<Self, SetupError> {
        let flags = libc::MAP_SHARED | libc::MAP_ANONYMOUS;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new anonymous mapping, zero-filled, never unmapped: valid for the life of both processes.
        let at = unsafe { libc::mmap(std::ptr::null_mut(), size_of::<Page>(), protection, flags, -1, 0) };
        let page = NonNull::new(at.cast::<Page>()).filter(|_| at != libc::MAP_FAILED);
        page.map(Self).ok_or_else(|| SetupError::last("memory"))
    }

    /// Writes the outcome; called once, by the process between.
    fn put(&self, outcome: &Outcome) {
        // SAFETY: only the process between touches the page while it lives.
        let page = unsafe { &mut *self.0.as_ptr() };
        let (kind, value) = match outcome {
            Outcome::Exit(code) => (EXIT, *code),
            Outcome::Signal(signal) => (SIGNAL, *signal),
            Outcome::Exec(errno) => (EXEC, *errno),
            Outcome::Setup(error) => {
                let text = format!("{}{}", error.stage, error.text);
                let len = text.len().min(TEXT);
                if let (Some(to), Some(from)) = (page.text.get_mut(..len), text.as_bytes().get(..len)) {
                    to.copy_from_slice(from);
                }
                page.stage_len = error.stage.len() as u32;
                page.text_len = len as u32;
                (SETUP, 0)
            }
        };
        page.value = value;
        page.kind = kind;
    }

    /// What was written; only after its writer has been reaped.
    pub(super) fn take(&self) -> Option<Outcome> {
        // SAFETY: the writer is gone.
        let page = unsafe { self.0.as_ref() };
        Some(match page.kind {
            EXIT => Outcome::Exit(page.value),
            SIGNAL => Outcome::Signal(page.value),
            EXEC => Outcome::Exec(page.value),
            SETUP => {
                let text = page.text.get(..page.text_len as usize).unwrap_or_default();
                let (stage, text) = text.split_at_checked(page.stage_len as usize).unwrap_or((text, b""));
                let [stage, text] = [stage, text].map(|part| String::from_utf8_lossy(part).into_owned());
                Outcome::Setup(SetupError::new(stage, text))
            }
            NOTHING.. => return None,
        })
    }
}

/// What the process between needs from the supervisor.
pub(super) struct Birth<'a> {
    pub(super) job: &'a Job,
    pub(super) signals: &'a Signals,
    pub(super) terminal: Option<&'a Terminal>,
    /// The control socket, of which the process between must not hold a copy: its end of file is how codex sees a
    /// supervisor die.
    pub(super) control: Option<RawFd>,
    pub(super) report: &'a Report,
}

impl Birth<'_> {
    /// Forks the process between into new namespaces, if any. It starts the command and stays until that ends. Gives
    /// its process id as seen from here.
    ///
    /// # Errors
    /// The namespaces are not available, or what the confinement does from outside failed.
    pub(super) fn fork(
        self,
        flags: i32,
        confinement: &mut dyn Confinement,
    ) -> Result<libc::pid_t, SetupError> {
        // Without namespaces nothing is done for it from outside, so it need not wait.
        let gate = (flags != 0).then(std::io::pipe).transpose();
        let (gate, open) = gate.map_err(|error| SetupError::new("descriptors", error))?.unzip();
        let supervisor = std::process::id() as libc::pid_t;
        let none = 0usize;
        // SAFETY: without CLONE_VM this is a fork; the supervisor has one thread, so the child may do anything.
        // The unused arguments are zero, so their order, which differs between machines, does not matter.
        let pid = unsafe { libc::syscall(libc::SYS_clone, flags | libc::SIGCHLD, none, none, none, none) };
        if pid < 0 {
            return Err(SetupError::last("namespaces"));
        }
        if pid == 0 {
            // Ours would keep the pipe open when the supervisor dies.
            drop(open);
            self.be(gate, supervisor, confinement)
        }
        let pid = pid as libc::pid_t;
        let Some(mut open) = open else { return Ok(pid) };
        let adopted = confinement
            .adopt(pid)
            .and_then(|()| open.write_all(b"!").map_err(|error| SetupError::new("namespaces", error)));
        adopted.map(|()| pid).inspect_err(|_| {
            reap::send(pid, libc::SIGKILL);
            // SAFETY: reaps our child; a null status is allowed.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        })
    }

    /// Without a gate `started_by` has to be our parent still: else it died before we could be told.
    fn be(self, gate: Option<PipeReader>, started_by: libc::pid_t, confinement: &mut dyn Confinement) -> ! {
        // SAFETY: system calls on our own process. Without a namespace of ours there is a tree to be ended first.
        let supervisor = unsafe {
            let first = libc::getpid() == 1;
            libc::prctl(libc::PR_SET_PDEATHSIG, if first { libc::SIGKILL } else { libc::SIGTERM });
            if let Some(fd) = self.control {
                libc::close(fd);
            }
            libc::getppid()
        };
        let opened = match gate {
            Some(mut gate) => gate.read_exact(&mut [0]),
            None if supervisor == started_by => Ok(()),
            None => Err(std::io::ErrorKind::UnexpectedEof.into()),
        };
        let outcome = match opened {
            Ok(()) => {
                // SAFETY: our own process; now that its id maps are written the command must not trace it.
                unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
                let outcome = self.live(supervisor, confinement);
                confinement.ended();
                outcome
            }
            Err(error) => Outcome::Setup(SetupError::new("namespaces", error)),
        };
        self.report.put(&outcome);
        // SAFETY: leaves without running anything of the supervisor's.
        unsafe { libc::_exit(0) }
    }

    /// `supervisor` is its process id as seen from here: 0 outside of a pid namespace of ours.
    fn live(&self, supervisor: libc::pid_t, confinement: &mut dyn Confinement) -> Outcome {
        if let Err(error) = confinement.init() {
            return Outcome::Setup(error);
        }
        let spared = spares_the_tree(confinement);
        if !spared {
            super::run::adopt_orphans();
        }
        let command = match child::start(self.job, confinement, self.terminal.map(Terminal::tty)) {
            Ok(pid) => pid,
            Err(outcome) => return outcome,
        };
        confinement.started();
        if self.job.mode != Mode::Foreground {
            super::run::close_stdio();
        }
        let outcome = self.watch(command, supervisor, confinement);
        // The kernel does it for process 1.
        if !spared && supervisor != 0 {
            reap::kill_all(command, self.signals);
        }
        outcome
    }

    fn watch(
        &self,
        command: libc::pid_t,
        supervisor: libc::pid_t,
        confinement: &mut dyn Confinement,
    ) -> Outcome {
        loop {
            let mut fds = [self.signals.fd(), confinement.questions()];
            super::run::wait_readable(&mut fds, None);
            if fds[1] >= 0 {
                confinement.answer();
            }
            while let Some(arrived) = self.signals.next() {
                // Only the supervisor may ask for the end.
                if arrived.signal == libc::SIGTERM && arrived.from == supervisor.cast_unsigned() {
                    super::run::ask_to_end(command, self.job.mode);
                }
            }
            // SAFETY: a system call without arguments.
            if unsafe { libc::getppid() } != supervisor {
                return Outcome::Signal(libc::SIGKILL);
            }
            loop {
                match reap::next(self.terminal.is_some()) {
                    Err(reap::NoChild) | Ok(None) => break,
                    Ok(Some(reaped)) if reaped.pid != command => {}
                    Ok(Some(reaped)) if libc::WIFSTOPPED(reaped.status) => {
                        if let Some(terminal) = self.terminal {
                            terminal.tell_stopped();
                        }
                    }
                    Ok(Some(reaped)) => return Outcome::from_status(reaped.status),
                }
            }
        }
    }
}
