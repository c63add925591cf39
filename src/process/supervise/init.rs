//! Process 1 of a new pid namespace, between supervisor and command. When it exits, the kernel kills everything
//! in the namespace before the supervisor sees the exit: nothing can survive a command. It reports through a
//! page of memory shared with the supervisor, because an exit status cannot carry a signal number or a sentence.
#![allow(unsafe_code)] // fork, the shared page, _exit

use std::io::{PipeReader, Read, Write};
use std::os::fd::RawFd;
use std::ptr::NonNull;

use super::confinement::{Confinement, SetupError};
use super::job::{Job, Mode, Outcome};
use super::signals::Signals;
use super::terminal::Terminal;
use super::{child, reap};

const TEXT: usize = 1024;

/// What process 1 tells the supervisor. Written by one side, read by the other after the first has ended.
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

    /// Writes the outcome; called once, by process 1.
    fn put(&self, outcome: &Outcome) {
        // SAFETY: only process 1 touches the page while it lives.
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

    /// What was written; only after process 1 has been reaped.
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

/// What process 1 needs from the supervisor.
pub(super) struct Birth<'a> {
    pub(super) job: &'a Job,
    pub(super) signals: &'a Signals,
    pub(super) terminal: Option<&'a Terminal>,
    /// The control socket, of which process 1 must not hold a copy: its end of file is how codex sees a
    /// supervisor die.
    pub(super) control: Option<RawFd>,
    pub(super) report: &'a Report,
}

impl Birth<'_> {
    /// Forks process 1 into new namespaces. It starts the command and stays until that ends. Gives its process
    /// id as seen from here.
    ///
    /// # Errors
    /// The namespaces are not available, or what the confinement does from outside failed.
    pub(super) fn fork(
        self,
        flags: i32,
        confinement: &mut dyn Confinement,
    ) -> Result<libc::pid_t, SetupError> {
        let (gate, mut open) = std::io::pipe().map_err(|error| SetupError::new("descriptors", error))?;
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
            self.be(gate, confinement)
        }
        let pid = pid as libc::pid_t;
        let adopted = confinement
            .adopt(pid)
            .and_then(|()| open.write_all(b"!").map_err(|error| SetupError::new("namespaces", error)));
        adopted.map(|()| pid).inspect_err(|_| {
            reap::send(pid, libc::SIGKILL);
            // SAFETY: reaps our child; a null status is allowed.
            unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
        })
    }

    fn be(self, mut gate: PipeReader, confinement: &mut dyn Confinement) -> ! {
        // SAFETY: system calls on our own process.
        unsafe {
            libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
            if let Some(fd) = self.control {
                libc::close(fd);
            }
        }
        let outcome = match gate.read_exact(&mut [0]) {
            Ok(()) => {
                // SAFETY: our own process; now that its id maps are written the command must not trace it.
                unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
                live(self.job, confinement, self.signals, self.terminal)
            }
            Err(error) => Outcome::Setup(SetupError::new("namespaces", error)),
        };
        self.report.put(&outcome);
        // SAFETY: leaves without running anything of the supervisor's.
        unsafe { libc::_exit(0) }
    }
}

fn live(
    job: &Job,
    confinement: &mut dyn Confinement,
    signals: &Signals,
    terminal: Option<&Terminal>,
) -> Outcome {
    if let Err(error) = confinement.init() {
        return Outcome::Setup(error);
    }
    let command = match child::start(job, confinement, terminal.map(Terminal::tty)) {
        Ok(pid) => pid,
        Err(outcome) => return outcome,
    };
    confinement.started();
    if job.mode != Mode::Foreground {
        super::run::close_stdio();
    }
    loop {
        let mut fds = [signals.fd(), confinement.questions()];
        super::run::wait_readable(&mut fds, None);
        if fds[1] >= 0 {
            confinement.answer();
        }
        while let Some(arrived) = signals.next() {
            // Only the supervisor may ask for the end; inside, nobody outside has a number.
            if arrived.signal == libc::SIGTERM && arrived.from == 0 {
                super::run::ask_to_end(command, job.mode);
            }
        }
        loop {
            match reap::next(terminal.is_some()) {
                Err(reap::NoChild) | Ok(None) => break,
                Ok(Some(reaped)) if reaped.pid != command => {}
                Ok(Some(reaped)) if libc::WIFSTOPPED(reaped.status) => {
                    if let Some(terminal) = terminal {
                        terminal.tell_stopped();
                    }
                }
                Ok(Some(reaped)) => return Outcome::from_status(reaped.status),
            }
        }
    }
}
