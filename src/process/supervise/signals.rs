//! Signals as a readable descriptor. The supervisor blocks everything it can and reads what it needs, so no
//! handler ever runs and no wait needs a time-out.
#![allow(unsafe_code)] // signal masks and signalfd have no safe wrapper

use std::fs::File;
use std::io::{self, Read};
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Blocked signals of this process, read as records.
pub(super) struct Signals(File);

/// One signal that arrived.
pub(super) struct Arrived {
    /// Its number.
    pub(super) signal: i32,
    /// Who sent it, as seen from here; 0 for the kernel or a process outside our pid namespace.
    pub(super) from: u32,
}

impl Signals {
    /// Blocks every signal and makes `wanted` readable.
    ///
    /// # Errors
    /// Out of descriptors.
    pub(super) fn block(wanted: &[i32]) -> io::Result<Self> {
        let mut set = MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: `set` is initialised by sigfillset/sigemptyset before it is read; the descriptor is fresh and
        // ours; SIGCHLD is put to its default so that a caller that ignored it cannot lose us the children.
        unsafe {
            libc::sigfillset(set.as_mut_ptr());
            libc::sigprocmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut());
            libc::signal(libc::SIGCHLD, libc::SIG_DFL);
            libc::sigemptyset(set.as_mut_ptr());
            for signal in wanted {
                libc::sigaddset(set.as_mut_ptr(), *signal);
            }
            let fd = libc::signalfd(-1, set.as_ptr(), libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
            if fd < 0 { Err(io::Error::last_os_error()) } else { Ok(Self(File::from_raw_fd(fd))) }
        }
    }

    /// The next waiting signal of the calling process.
    pub(super) fn next(&self) -> Option<Arrived> {
        let mut bytes = [0u8; size_of::<libc::signalfd_siginfo>()];
        let read = (&self.0).read(&mut bytes).ok()?;
        if read < bytes.len() {
            return None;
        }
        // SAFETY: plain data of exactly this size, filled by the kernel; read_unaligned needs no alignment.
        let info = unsafe { bytes.as_ptr().cast::<libc::signalfd_siginfo>().read_unaligned() };
        Some(Arrived { signal: info.ssi_signo as i32, from: info.ssi_pid })
    }

    /// For `poll`.
    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
