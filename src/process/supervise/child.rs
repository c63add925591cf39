//! From the supervisor to the command's first instruction. The child shares the parent's memory until it
//! executes (`CLONE_VM | CLONE_VFORK`): no page tables are copied, and an error comes back as a plain variable.
//! The price: between start and execution only system calls, no allocation, no locks.
#![allow(unsafe_code)] // clone, execvp and the calls between them

use std::ffi::{CStr, c_char, c_int, c_void};
use std::os::fd::RawFd;

use super::confinement::{Confinement, SetupError};
use super::job::{Job, Mode, Outcome};

/// Enough for `execvp`, which copies `PATH` candidates to the stack.
const STACK: usize = 512 * 1024;

/// Why there is no command.
#[derive(Clone, Copy)]
enum Failed {
    No,
    Setup(&'static str, i32),
    Exec(i32),
}

struct Start<'a> {
    mode: Mode,
    /// Who has to be our parent, lest we outlive it.
    parent: libc::pid_t,
    cwd: &'a CStr,
    argv: *const *const c_char,
    terminal: Option<RawFd>,
    confinement: &'a dyn Confinement,
    failed: Failed,
}

/// Starts the command and gives its process id. The descriptors 0, 1, 2 are inherited, all others closed; the
/// command takes `terminal` when one is given.
///
/// # Errors
/// `Outcome::Setup` or `Outcome::Exec`: nothing is running.
pub(super) fn start(
    job: &Job,
    confinement: &dyn Confinement,
    terminal: Option<RawFd>,
) -> Result<libc::pid_t, Outcome> {
    let mut argv: Vec<*const c_char> = job.argv.iter().map(|word| word.as_ptr()).collect();
    argv.push(std::ptr::null());
    let mut start = Start {
        mode: job.mode,
        parent: std::process::id() as libc::pid_t,
        cwd: &job.cwd,
        argv: argv.as_ptr(),
        terminal,
        confinement,
        failed: Failed::No,
    };
    let mut stack = Vec::<u128>::with_capacity(STACK / size_of::<u128>());
    let argument: *mut Start<'_> = &raw mut start;
    // SAFETY: the stack is ours, 16-byte aligned, and given by its upper end; CLONE_VFORK suspends us until the
    // child has executed or exited, so `start`, `argv` and `stack` outlive its use of them.
    let pid = unsafe {
        let top = stack.as_mut_ptr().byte_add(STACK).cast::<c_void>();
        libc::clone(enter, top, libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD, argument.cast())
    };
    if pid < 0 {
        return Err(Outcome::Setup(SetupError::last("process")));
    }
    // SAFETY: `start` is alive; read through the pointer the child wrote through.
    let failed = unsafe { (&raw const (*argument).failed).read_volatile() };
    let outcome = match failed {
        Failed::No => return Ok(pid),
        Failed::Setup(stage @ "working directory", errno) => {
            let what = format!("{}: {}", job.cwd.to_string_lossy(), std::io::Error::from_raw_os_error(errno));
            Outcome::Setup(SetupError::new(stage, what))
        }
        Failed::Setup(stage, errno) => {
            Outcome::Setup(SetupError::new(stage, std::io::Error::from_raw_os_error(errno)))
        }
        Failed::Exec(errno) => Outcome::Exec(errno),
    };
    // SAFETY: reaps the child that failed; a null status is allowed.
    unsafe { libc::waitpid(pid, std::ptr::null_mut(), 0) };
    Err(outcome)
}

extern "C" fn enter(argument: *mut c_void) -> c_int {
    // SAFETY: the argument is the `Start` of the suspended parent; nobody else touches it meanwhile.
    let start = unsafe { &mut *argument.cast::<Start<'_>>() };
    start.failed = match before_exec(start) {
        Err((stage, errno)) => Failed::Setup(stage, errno),
        Ok(()) => {
            // SAFETY: argv is a null-terminated list of C strings, at least one long (checked by Job::new).
            unsafe { libc::execvp(*start.argv, start.argv) };
            Failed::Exec(errno())
        }
    };
    // SAFETY: ends only this process, without running the parent's exit handlers.
    unsafe { libc::_exit(127) }
}

fn before_exec(start: &Start<'_>) -> Result<(), (&'static str, i32)> {
    // SAFETY: plain system calls on our own process with valid arguments; errors that do not weaken anything
    // (already a leader, limit already lower) are ignored on purpose.
    unsafe {
        match start.mode {
            Mode::Pipe => check("session", libc::setsid())?,
            Mode::Tty => {
                check("session", libc::setsid())?;
                check("terminal", libc::ioctl(0, libc::TIOCSCTTY as _, 0))?;
            }
            Mode::Foreground => {
                check("process group", libc::setpgid(0, 0))?;
                if let Some(tty) = start.terminal {
                    libc::tcsetpgrp(tty, libc::getpid());
                }
            }
        }
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        if libc::getppid() != start.parent {
            return Err(("supervisor", libc::ESRCH));
        }
        let none = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
        libc::setrlimit(libc::RLIMIT_CORE, &raw const none);
        default_signals(start.mode);
        check("working directory", libc::chdir(start.cwd.as_ptr()))?;
    }
    start.confinement.inner()?;
    #[cfg(debug_assertions)]
    if start.confinement.leaves_out("descriptors") {
        return Ok(());
    }
    // SAFETY: in the child. Last, because the confinement is held in descriptors.
    unsafe { close_from_3() };
    Ok(())
}

/// Every signal to its default and none blocked: a program must not inherit what we ignore. A foreground
/// command keeps what its user ignores (`nohup`), except for the two signals that we ignore by ourselves.
///
/// # Safety
/// Only in the child: changes the process's signal table.
unsafe fn default_signals(mode: Mode) {
    // SAFETY: valid signal numbers; failures for KILL, STOP and the reserved ones are harmless.
    unsafe {
        if mode == Mode::Foreground {
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            libc::signal(libc::SIGXFSZ, libc::SIG_DFL);
        } else {
            for signal in 1..=libc::SIGRTMAX() {
                libc::signal(signal, libc::SIG_DFL);
            }
        }
        let mut none = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigemptyset(none.as_mut_ptr());
        libc::sigprocmask(libc::SIG_SETMASK, none.as_ptr(), std::ptr::null_mut());
    }
}

/// Closes all but stdio.
///
/// # Safety
/// Only in the child, whose descriptor table is its own.
unsafe fn close_from_3() {
    // SAFETY: closing is harmless in a table nobody shares. Kernels before 5.9 lack close_range.
    unsafe {
        if libc::syscall(libc::SYS_close_range, 3, u32::MAX, 0) != 0 {
            let mut limit = libc::rlimit { rlim_cur: 1024, rlim_max: 1024 };
            libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit);
            for fd in 3..limit.rlim_cur.min(1 << 20) as c_int {
                libc::close(fd);
            }
        }
    }
}

fn check(stage: &'static str, result: c_int) -> Result<(), (&'static str, i32)> {
    if result < 0 { Err((stage, errno())) } else { Ok(()) }
}

fn errno() -> i32 {
    // SAFETY: always a valid pointer for the calling thread.
    unsafe { *libc::__errno_location() }
}
