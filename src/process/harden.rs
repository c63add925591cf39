//! Keeps our own memory private: it holds credentials. Commands are not affected: a program started from here is dumpable
//! again by the rules of `execve`, only the soft limit changes, and its signals are reset.
#![allow(unsafe_code)] // signal

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// No core dumps of this process, no debugger of the same user may attach, and a limit on the size of files is an
/// error instead of our death. Cheap calls; a kernel that refuses them leaves us as safe as any other program, so
/// there is no error.
pub(crate) fn harden() {
    let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    let maximum = getrlimit(Resource::Core).maximum;
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    // SAFETY: sets no handler, and no other thread runs yet.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}
