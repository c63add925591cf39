//! Keeps our own memory private: it holds credentials; and small. Commands are not affected: a program started from here
//! is dumpable again by the rules of `execve`, only the soft limit changes, and its signals are reset.
#![allow(unsafe_code)] // signal, mallopt

use rustix::process::{DumpableBehavior, Resource, Rlimit, getrlimit, set_dumpable_behavior, setrlimit};

/// Memory that is freed goes back to the system: a long answer is held several times while it comes in, and once
/// after that. Left alone, the allocator learns to keep such blocks, in several heaps. A C library that knows
/// none of this stays as it is.
pub(crate) fn return_memory() {
    #[cfg(target_env = "gnu")]
    {
        /// From this size on a block is a mapping of its own; also what may stay free at the end of the heap.
        /// Bytes.
        const LARGE: libc::c_int = 128 << 10;
        let options =
            [(libc::M_ARENA_MAX, 1), (libc::M_MMAP_THRESHOLD, LARGE), (libc::M_TRIM_THRESHOLD, LARGE)];
        for (option, value) in options {
            // SAFETY: numbers in, and no other thread runs yet.
            unsafe { libc::mallopt(option, value) };
        }
    }
}

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
