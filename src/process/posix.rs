//! Creates the supervisor process. `posix_spawn` shares our memory with the child until it executes, so the cost
//! does not grow with the size of this program as it does with `fork`; and unlike `std::process` it can hand over
//! a fourth descriptor without running code of ours in the child.
#![allow(unsafe_code)] // the C interface of posix_spawn; each block says why it is sound

use std::ffi::CString;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};

use rustix::process::{Pid, WaitOptions, waitpid};

/// Descriptors of the child: `None` = `/dev/null`.
pub(super) struct Fds<'a> {
    /// Standard input.
    pub(super) stdin: Option<BorrowedFd<'a>>,
    /// Standard output and standard error, the same for both so that their order is kept.
    pub(super) output: BorrowedFd<'a>,
    /// The control socket, number 3 in the child.
    pub(super) control: BorrowedFd<'a>,
}

/// Starts `path`. The child has exactly the descriptors of `fds`, an empty signal mask, default signal actions and
/// its own session, so that a Ctrl-C meant for us does not reach it.
///
/// # Errors
/// No more processes or descriptors, arguments too long, or the program cannot be executed.
pub(super) fn spawn(path: &CString, argv: &[CString], env: &[CString], fds: &Fds<'_>) -> io::Result<Pid> {
    // The child's numbers 0 to 3 are filled one after the other: a source among them could be overwritten first.
    let output = above_three(fds.output)?;
    let control = above_three(fds.control)?;
    let stdin = fds.stdin.map(above_three).transpose()?;

    let mut actions = Actions::new()?;
    match &stdin {
        Some(stdin) => actions.dup(stdin.number(), 0)?,
        None => actions.open_null()?,
    }
    actions.dup(output.number(), 1)?;
    actions.dup(output.number(), 2)?;
    actions.dup(control.number(), 3)?;
    let attributes = Attributes::new()?;
    let (argv, env) = (pointers(argv), pointers(env));
    let mut pid: libc::pid_t = 0;
    // SAFETY: `path`, the two arrays (ended by a null pointer) and what they point to live until the call returns,
    // and the child has executed or failed by then; the two objects were initialised by their own init calls.
    let code = unsafe {
        libc::posix_spawn(
            &mut pid,
            path.as_ptr(),
            actions.0.as_ptr(),
            attributes.0.as_ptr(),
            argv.as_ptr(),
            env.as_ptr(),
        )
    };
    check(code)?;
    Pid::from_raw(pid).ok_or_else(|| io::Error::from_raw_os_error(libc::EAGAIN))
}

/// A descriptor with a number above 3: the given one, or a copy of it.
enum High<'a> {
    Given(BorrowedFd<'a>),
    Copy(OwnedFd),
}

impl High<'_> {
    fn number(&self) -> RawFd {
        match self {
            Self::Given(fd) => fd.as_raw_fd(),
            Self::Copy(fd) => fd.as_fd().as_raw_fd(),
        }
    }
}

fn above_three(fd: BorrowedFd<'_>) -> io::Result<High<'_>> {
    if fd.as_raw_fd() > 3 {
        return Ok(High::Given(fd));
    }
    Ok(High::Copy(rustix::io::fcntl_dupfd_cloexec(fd, 4)?))
}

fn pointers(texts: &[CString]) -> Vec<*mut libc::c_char> {
    texts.iter().map(|text| text.as_ptr().cast_mut()).chain([std::ptr::null_mut()]).collect()
}

fn check(code: libc::c_int) -> io::Result<()> {
    if code == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(code)) }
}

/// What the child does with descriptors before it executes.
struct Actions(Box<MaybeUninit<libc::posix_spawn_file_actions_t>>);

impl Actions {
    fn new() -> io::Result<Self> {
        let mut raw = Box::new(MaybeUninit::uninit());
        // SAFETY: init writes the object it is given; the box keeps its address for good.
        check(unsafe { libc::posix_spawn_file_actions_init(raw.as_mut_ptr()) })?;
        Ok(Self(raw))
    }

    fn dup(&mut self, from: RawFd, to: RawFd) -> io::Result<()> {
        // SAFETY: initialised in `new`; both numbers are plain values.
        check(unsafe { libc::posix_spawn_file_actions_adddup2(self.0.as_mut_ptr(), from, to) })
    }

    fn open_null(&mut self) -> io::Result<()> {
        // SAFETY: initialised in `new`; the path is a constant and is copied.
        check(unsafe {
            libc::posix_spawn_file_actions_addopen(
                self.0.as_mut_ptr(),
                0,
                c"/dev/null".as_ptr(),
                libc::O_RDONLY,
                0,
            )
        })
    }
}

impl Drop for Actions {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawn_file_actions_destroy(self.0.as_mut_ptr()) };
    }
}

/// Signal state and session of the child.
struct Attributes(Box<MaybeUninit<libc::posix_spawnattr_t>>);

impl Attributes {
    fn new() -> io::Result<Self> {
        let mut raw = Box::new(MaybeUninit::uninit());
        let flags =
            libc::POSIX_SPAWN_SETSIGMASK | libc::POSIX_SPAWN_SETSIGDEF | i32::from(libc::POSIX_SPAWN_SETSID);
        // SAFETY: each call writes only the object it is given, and init comes first.
        unsafe {
            check(libc::posix_spawnattr_init(raw.as_mut_ptr()))?;
            let this = Self(raw);
            let mut raw = this;
            let mut set = MaybeUninit::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            check(libc::posix_spawnattr_setsigmask(raw.0.as_mut_ptr(), set.as_ptr()))?;
            libc::sigfillset(set.as_mut_ptr());
            check(libc::posix_spawnattr_setsigdefault(raw.0.as_mut_ptr(), set.as_ptr()))?;
            check(libc::posix_spawnattr_setflags(raw.0.as_mut_ptr(), flags as libc::c_short))?;
            Ok(raw)
        }
    }
}

impl Drop for Attributes {
    fn drop(&mut self) {
        // SAFETY: initialised in `new`, destroyed once.
        unsafe { libc::posix_spawnattr_destroy(self.0.as_mut_ptr()) };
    }
}

/// Supervisors whose owner went away before they had ended. They are on their way out (their control socket is
/// closed) and are reaped with the next start.
static LEFT: Mutex<Vec<Pid>> = Mutex::new(Vec::new());

/// Reaps `pid` if it has ended; true when nothing of it is left.
pub(super) fn reap(pid: Pid) -> bool {
    !matches!(waitpid(Some(pid), WaitOptions::NOHANG), Ok(None))
}

/// Leaves a supervisor that has not ended yet to be reaped later.
pub(super) fn reap_later(pid: Pid) {
    if !reap(pid) {
        LEFT.lock().unwrap_or_else(PoisonError::into_inner).push(pid);
    }
}

/// Reaps what earlier owners left.
pub(super) fn reap_left() {
    LEFT.lock().unwrap_or_else(PoisonError::into_inner).retain(|pid| !reap(*pid));
}
