//! Keeps our own memory private: it holds credentials; and small. Commands are not affected: a program started from here
//! is dumpable again by the rules of `execve`, only the soft limit changes, and its signals are reset.
#![allow(unsafe_code)] // signal, mallopt, madvise

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

/// The table of relocations was read before `main` and never is again: its pages, more than a megabyte in our case, go
/// back. They are read-only pages of the program's file; whoever reads one after all gets it from there.
#[cfg(target_pointer_width = "64")]
pub(crate) fn return_relocations() {
    // SAFETY: the function is called during the call only, and needs nothing of us.
    unsafe { libc::dl_iterate_phdr(Some(return_table), std::ptr::null_mut()) };
}

/// Nothing is known about tables of other programs.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn return_relocations() {}

/// One entry of the dynamic section, by the ELF specification.
#[cfg(target_pointer_width = "64")]
#[repr(C)]
struct Dynamic {
    tag: i64,
    value: u64,
}

/// Called with the program itself first; not zero, so that no library follows.
#[cfg(target_pointer_width = "64")]
unsafe extern "C" fn return_table(
    info: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    _data: *mut libc::c_void,
) -> libc::c_int {
    const TABLE: i64 = 7;
    const BYTES: i64 = 8;
    const PAGE: u64 = 4096;
    // SAFETY: the loader hands in a valid description of a mapped program, with so many headers.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)))
    };
    let Some(section) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return 1 };
    let (mut table, mut bytes) = (0, 0);
    let entries = (base + section.p_vaddr) as *const Dynamic;
    for index in 0..section.p_memsz as usize / size_of::<Dynamic>() {
        // SAFETY: the dynamic section is mapped, this long, and nobody writes to it any more.
        let entry = unsafe { &*entries.add(index) };
        match entry.tag {
            0 => break,
            TABLE => table = entry.value,
            BYTES => bytes = entry.value,
            _ => {}
        }
    }
    // Some loaders have turned the offset into an address.
    let begin = if table < base { base + table } else { table };
    let (first, last) = (begin.next_multiple_of(PAGE), (begin.saturating_add(bytes)) / PAGE * PAGE);
    let read_only = headers.iter().any(|header| {
        let from = base + header.p_vaddr;
        header.p_type == libc::PT_LOAD
            && header.p_flags & libc::PF_W == 0
            && (from..=from + header.p_filesz).contains(&begin)
            && begin.saturating_add(bytes) <= from + header.p_filesz
    });
    if read_only && first < last {
        // SAFETY: whole pages of a mapping of a file that nobody can have written to: they come back as they were.
        unsafe { libc::madvise(first as *mut libc::c_void, (last - first) as usize, libc::MADV_DONTNEED) };
    }
    1
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
