//! Keeps our own memory private: it holds credentials. Commands are not affected: a program started from here is dumpable
//! again by the rules of `execve`, only the soft limit changes, and its signals are reset.
#![allow(unsafe_code)] // signal, and the block of the environment

use std::ffi::{CStr, c_char};

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

unsafe extern "C" {
    static mut environ: *mut *mut c_char;
}

/// Not secrets, whatever a header is filled from, and our helpers look them up.
const NEEDED: [&[u8]; 5] = [b"PATH", b"HOME", b"USER", b"LOGNAME", b"TERM"];

/// Wipes the values of these variables where the system shows a process's environment for as long as it lives
/// (`/proc/PID/environ`). What has been read before is not affected; programs started from here find them empty. Must
/// come before the first thread.
pub(crate) fn forget(names: &[impl AsRef<str>]) {
    // SAFETY: the C library keeps a list of texts there that ends with null, each writable and ended by a zero; no
    // other thread runs that could read them meanwhile, and the lengths stay as they are.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let text = *entry;
            let bytes = CStr::from_ptr(text).to_bytes();
            let (length, at) = (bytes.len(), bytes.iter().position(|byte| *byte == b'='));
            let hidden = |at: &usize| {
                let name = bytes.get(..*at).unwrap_or_default();
                !NEEDED.contains(&name) && names.iter().any(|hidden| hidden.as_ref().as_bytes() == name)
            };
            if let Some(value) = at.filter(hidden).map(|at| at + 1) {
                text.add(value).write_bytes(0, length - value);
            }
            entry = entry.add(1);
        }
    }
}
