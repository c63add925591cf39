//! Helper programs that must not outlive us: the kernel ends them when we end, however that happens. For commands of the
//! model there is the supervisor; this is for small programs of our own choice, which are waited for.
#![allow(unsafe_code)] // pre_exec

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};

use rustix::process::{Pid, Signal, getpid, getppid, kill_process_group, set_parent_process_death_signal};

/// Starts a program in a group of its own: a Ctrl-C that we handle ourselves does not reach it. It is killed when the
/// thread that starts it ends, so that thread has to wait for it.
///
/// # Errors
/// It cannot be started, or we are ending.
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    let we = getpid();
    let tie = move || {
        set_parent_process_death_signal(Some(Signal::KILL))?;
        // Without this a parent that died in between would go unnoticed.
        if getppid() == Some(we) { Ok(()) } else { Err(io::ErrorKind::Interrupted.into()) }
    };
    // SAFETY: between fork and exec only two system calls run; nothing is allocated and no lock is taken.
    unsafe { command.process_group(0).pre_exec(tie).spawn() }
}

/// Ends a program started by [`spawn`], which nobody has waited for, with all that is in its group, and takes its end in.
pub(crate) fn end(child: &mut Child) {
    // Nobody has waited for it yet, so the number is still its own even when it has ended.
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
    let _ = child.wait();
}
