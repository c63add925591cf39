//! The supervisor's loop: start the command, wait for its end or for the word to end it, kill what is left, say
//! how it ended. It sleeps in one `poll` and has no timer unless it is ending something.
#![allow(unsafe_code)] // poll, prctl and the control descriptor by number

use std::os::fd::RawFd;
use std::time::{Duration, Instant};

use super::confinement::{Confinement, SetupError, spares_the_tree};
use super::init::{self, Report};
use super::job::{Job, Mode, Outcome};
use super::signals::Signals;
use super::terminal::Terminal;
use super::{child, reap};

/// Between SIGTERM and SIGKILL.
const GRACE: Duration = Duration::from_millis(200);

/// The descriptor of the control socket, by agreement with `process::spawn`.
const CONTROL: RawFd = 3;

/// Runs `job` for a `codex` that listens on the control socket, and reports there: how it ended in one line, and in
/// another what it reached in the network, if it did.
pub(crate) fn supervised(job: Result<Job, SetupError>, confinement: &mut dyn Confinement) {
    // SAFETY: system calls on our own process. An own session: Ctrl-C for codex is codex's business.
    unsafe {
        libc::setsid();
        libc::fcntl(CONTROL, libc::F_SETFD, libc::FD_CLOEXEC);
    }
    let outcome = job.and_then(|job| run(&job, confinement, Some(CONTROL), None));
    let mut line = format!("{}\n", outcome.unwrap_or_else(Outcome::Setup));
    let reached = confinement.reached();
    if let Some(reached) = serde_json::to_string(&reached).ok().filter(|_| !reached.is_empty()) {
        line.push_str(&format!("reached {reached}\n"));
    }
    // SAFETY: a valid buffer; MSG_NOSIGNAL because codex may be gone.
    unsafe { libc::send(CONTROL, line.as_ptr().cast(), line.len(), libc::MSG_NOSIGNAL) };
}

/// Runs `job` in the caller's terminal and returns when all of it has ended. Signals to this process end it.
pub(crate) fn foreground(job: &Job, confinement: &mut dyn Confinement) -> Outcome {
    let terminal = Terminal::held();
    let outcome = run(job, confinement, None, terminal.as_ref());
    if let Some(terminal) = &terminal {
        terminal.take_back();
    }
    outcome.unwrap_or_else(Outcome::Setup)
}

/// Sets everything up around a command that is never started.
///
/// # Errors
/// What a real command would have failed with.
pub(crate) fn rehearse(confinement: &mut dyn Confinement) -> Result<(), SetupError> {
    let job = Job::nothing();
    match run(&job, confinement, None, None)? {
        Outcome::Setup(error) => Err(error),
        Outcome::Exit(_) | Outcome::Signal(_) | Outcome::Exec(_) => Ok(()),
    }
}

fn run(
    job: &Job,
    confinement: &mut dyn Confinement,
    control: Option<RawFd>,
    terminal: Option<&Terminal>,
) -> Result<Outcome, SetupError> {
    let wanted: &[i32] = match job.mode {
        Mode::Foreground => &[libc::SIGCHLD, libc::SIGTERM, libc::SIGINT, libc::SIGHUP, libc::SIGQUIT],
        Mode::Pipe | Mode::Tty => &[libc::SIGCHLD, libc::SIGTERM],
    };
    let signals = Signals::block(wanted).map_err(|e| SetupError::new("signals", e))?;
    let flags = confinement.outer()?;
    let outcome = start(job, confinement, &signals, control, terminal, flags);
    confinement.done();
    outcome
}

fn start(
    job: &Job,
    confinement: &mut dyn Confinement,
    signals: &Signals,
    control: Option<RawFd>,
    terminal: Option<&Terminal>,
    flags: Option<i32>,
) -> Result<Outcome, SetupError> {
    let (child, report) = match flags {
        Some(flags) => {
            let report = Report::new()?;
            if flags == 0 {
                shield(confinement);
            }
            let birth = init::Birth { job, signals, terminal, control, report: &report };
            (birth.fork(flags, confinement)?, Some(report))
        }
        None => {
            confinement.init()?;
            shield(confinement);
            match child::start(job, confinement, terminal.map(Terminal::tty)) {
                Ok(pid) => {
                    confinement.started();
                    (pid, None)
                }
                Err(outcome) => return Ok(outcome),
            }
        }
    };
    shield(confinement);
    Ok(Supervisor { job, confinement, signals, control, terminal, child, report }.watch())
}

/// Orphans come to us, and the command, which may have our user id, cannot trace us. With namespaces only after
/// the fork: a process that is not dumpable may not write the id maps of its child.
fn shield(confinement: &dyn Confinement) {
    if !spares_the_tree(confinement) {
        adopt_orphans();
    }
    // SAFETY: a setting of our own process.
    unsafe { libc::prctl(libc::PR_SET_DUMPABLE, 0) };
}

/// What a command leaves behind becomes our child.
pub(super) fn adopt_orphans() {
    // SAFETY: a setting of our own process.
    unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1) };
}

struct Supervisor<'a> {
    job: &'a Job,
    confinement: &'a mut dyn Confinement,
    signals: &'a Signals,
    control: Option<RawFd>,
    terminal: Option<&'a Terminal>,
    /// The command, or the process between.
    child: libc::pid_t,
    /// Where the process between reports; `None` when the child is the command itself.
    report: Option<Report>,
}

impl Supervisor<'_> {
    fn watch(mut self) -> Outcome {
        if self.job.mode != Mode::Foreground {
            close_stdio();
        }
        let mut kill_at = None;
        let mut told_to_end = false;
        loop {
            let timeout = kill_at.map(|at: Instant| at.saturating_duration_since(Instant::now()));
            let none = -1;
            let mut fds = [
                self.signals.fd(),
                self.control.unwrap_or(none),
                self.terminal.map_or(none, Terminal::fd),
                self.confinement.questions(),
            ];
            wait_readable(&mut fds, timeout);
            let [signalled, controlled, stopped, asked] = fds.map(|fd| fd >= 0);
            if asked {
                self.confinement.answer();
            }
            let end = (controlled && self.read_control()) | (signalled && self.read_signals());
            if let Some(status) = self.reap() {
                return self.finish(status);
            }
            if stopped && let Some(terminal) = self.terminal.filter(|terminal| terminal.was_told()) {
                terminal.stop_and_resume();
            }
            if end && !told_to_end {
                told_to_end = true;
                kill_at = Some(Instant::now() + GRACE);
                self.ask_to_end();
            }
            if kill_at.is_some_and(|at| at <= Instant::now()) {
                let status = self.kill();
                return self.finish(status);
            }
        }
    }

    /// True when codex wants the end or is gone.
    fn read_control(&mut self) -> bool {
        let mut byte = 0u8;
        // SAFETY: one byte of room.
        let read = unsafe { libc::recv(CONTROL, (&raw mut byte).cast(), 1, libc::MSG_DONTWAIT) };
        if read == 0 {
            // Readable for ever from now on; the line is still tried at the end.
            self.control = None;
        }
        read == 0 || (read == 1 && byte == b'T')
    }

    /// True when a signal asks for the end.
    fn read_signals(&self) -> bool {
        let mut end = false;
        while let Some(arrived) = self.signals.next() {
            end |= arrived.signal != libc::SIGCHLD && self.job.mode == Mode::Foreground;
        }
        end
    }

    /// Reaps what ended; the status of the child when it is among them.
    fn reap(&self) -> Option<i32> {
        loop {
            match reap::next(self.terminal.is_some()) {
                Err(reap::NoChild) | Ok(None) => return None,
                Ok(Some(reaped)) if reaped.pid != self.child => {}
                Ok(Some(reaped)) if libc::WIFSTOPPED(reaped.status) => {
                    if let (Some(terminal), None) = (self.terminal, &self.report) {
                        terminal.stop_and_resume();
                    }
                }
                Ok(Some(reaped)) => return Some(reaped.status),
            }
        }
    }

    fn ask_to_end(&self) {
        match &self.report {
            Some(_) => reap::send(self.child, libc::SIGTERM),
            None => ask_to_end(self.child, self.job.mode),
        }
    }

    fn kill(&self) -> i32 {
        reap::send(self.child, libc::SIGKILL);
        reap::kill_all(self.child, self.signals).unwrap_or(libc::SIGKILL)
    }

    /// The child is reaped; kills the rest.
    fn finish(&self, status: i32) -> Outcome {
        if !spares_the_tree(self.confinement) {
            reap::kill_all(self.child, self.signals);
        }
        match &self.report {
            None => Outcome::from_status(status),
            // The process between was killed before it could report: so was the command.
            Some(report) => report.take().unwrap_or(Outcome::Signal(libc::SIGKILL)),
        }
    }
}

/// Asks the command and its group to end; a stopped one has to run to hear it.
pub(super) fn ask_to_end(command: libc::pid_t, mode: Mode) {
    for pid in [command, -command] {
        // In the foreground the command may have left its group to a shell's job; it alone is surely ours.
        if pid > 0 || mode != Mode::Foreground {
            reap::send(pid, libc::SIGTERM);
            reap::send(pid, libc::SIGCONT);
        }
    }
}

/// Waits until one of the descriptors is readable or closed; the others are set to -1. Entries below zero are
/// not waited for.
pub(super) fn wait_readable<const N: usize>(fds: &mut [RawFd; N], timeout: Option<Duration>) {
    let mut polls = fds.map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 });
    // A millisecond more than asked: waking up just before the time would make one more round.
    let timeout = timeout.map_or(-1, |t| t.as_millis().min(60_000) as i32 + 1);
    // SAFETY: N valid entries.
    unsafe { libc::poll(polls.as_mut_ptr(), N as libc::nfds_t, timeout) };
    for (fd, poll) in fds.iter_mut().zip(polls) {
        if poll.revents == 0 {
            *fd = -1;
        }
    }
}

/// Gives up our copies of the command's stdio: whoever reads the other end must see the command close it.
pub(super) fn close_stdio() {
    for fd in 0..3 {
        // SAFETY: nothing in the supervisor uses stdio; descriptors opened later may take these numbers.
        unsafe { libc::close(fd) };
    }
}
