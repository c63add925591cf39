//! Process 1 of a new pid namespace, between supervisor and command. When it exits, the kernel kills everything
//! in the namespace before the supervisor sees the exit: nothing can survive a command. It reports through a
//! page of memory shared with the supervisor, because an exit status cannot carry a signal number or a sentence.
#![allow(unsafe_code)] // fork, the shared page, _exit

use std::ptr::NonNull;

use super::confinement::{Confinement, SetupError};
use super::job::{Job, Mode, Outcome};
use super::signals::Signals;
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
                let [stage, text] = [stage, text].map(String::from_utf8_lossy);
                Outcome::Setup(SetupError::new("sandbox", format_args!("{stage}: {text}")))
            }
            NOTHING.. => return None,
        })
    }
}

/// Forks process 1, which starts the command and stays until it ends. Gives its process id as seen from here.
///
/// # Errors
/// The fork failed.
pub(super) fn fork(
    job: &Job,
    confinement: &mut dyn Confinement,
    report: &Report,
    signals: &Signals,
    terminal: Option<&super::terminal::Terminal>,
    not_for_it: Option<i32>,
) -> Result<libc::pid_t, SetupError> {
    // SAFETY: the supervisor has one thread, so the child may do anything a process may.
    let pid = unsafe { libc::fork() };
    if pid < 0 {
        return Err(SetupError::last("process"));
    }
    if pid > 0 {
        return Ok(pid);
    }
    // SAFETY: system calls on our own process; the closed descriptor is the supervisor's control socket, of
    // which process 1 must not hold a copy: its end of file is how codex sees a supervisor die.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if let Some(fd) = not_for_it {
            libc::close(fd);
        }
    }
    let outcome = live(job, confinement, signals, terminal);
    report.put(&outcome);
    // SAFETY: leaves without running anything of the supervisor's.
    unsafe { libc::_exit(0) }
}

fn live(
    job: &Job,
    confinement: &mut dyn Confinement,
    signals: &Signals,
    terminal: Option<&super::terminal::Terminal>,
) -> Outcome {
    if let Err(error) = confinement.init() {
        return Outcome::Setup(error);
    }
    let command = match child::start(job, confinement, terminal.is_some()) {
        Ok(pid) => pid,
        Err(outcome) => return outcome,
    };
    if job.mode != Mode::Foreground {
        super::run::close_stdio();
    }
    loop {
        super::run::wait_readable(&mut [signals.fd()], None);
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
