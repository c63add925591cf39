//! Keeps our own memory small: what is freed, and what is needed at the start alone, goes back to the system. Nothing here
//! changes what the program does, so nothing here fails: where it cannot be done, the memory stays.
#![allow(unsafe_code)] // mallopt, dl_iterate_phdr, madvise

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

/// The table of relocations was read before `main`, and most of the code that ran so far has read the command line: their
/// pages, six megabytes in our case, go back. They are unchanged pages of the program's file, which the system itself
/// takes away when memory is short: whoever needs one after all gets it from the file.
#[cfg(target_pointer_width = "64")]
pub(crate) fn return_start() {
    // SAFETY: the function is called during the call only, and needs nothing of us.
    unsafe { libc::dl_iterate_phdr(Some(return_table), std::ptr::null_mut()) };
}

/// Nothing is known about tables of other programs.
#[cfg(not(target_pointer_width = "64"))]
pub(crate) fn return_start() {}

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
    const END: i64 = 0;
    const TABLE: i64 = 7;
    const BYTES: i64 = 8;
    /// The loader has written where nobody may write.
    const WRITTEN: i64 = 22;
    // SAFETY: the loader hands in a valid description of a mapped program, with so many headers.
    let (base, headers) = unsafe {
        let info = &*info;
        (info.dlpi_addr, std::slice::from_raw_parts(info.dlpi_phdr, usize::from(info.dlpi_phnum)))
    };
    // Some loaders get the base of a static program wrong. This function lies in it.
    let here = return_table as *const () as u64;
    if !headers.iter().any(|header| header.p_flags & libc::PF_X != 0 && holds(base, header, here, 1)) {
        return 1;
    }
    // SAFETY: a number in, a number out.
    let page = u64::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(0);
    // A debugger's breakpoints are changed pages, and would be lost.
    for code in headers.iter().filter(|header| is_code(header) && !cfg!(debug_assertions)) {
        if let Some((first, length)) = whole_pages(base.wrapping_add(code.p_vaddr), code.p_filesz, page) {
            // SAFETY: whole pages of one mapping of a file that nobody may write to: they come back as they were.
            unsafe { libc::madvise(first as *mut libc::c_void, length as usize, libc::MADV_DONTNEED) };
        }
    }
    let Some(section) = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC) else { return 1 };
    let entries = base.wrapping_add(section.p_vaddr) as *const Dynamic;
    let (mut table, mut bytes) = (0, 0);
    for index in 0..section.p_memsz as usize / size_of::<Dynamic>() {
        // SAFETY: with this base the section is mapped, this long, and nobody writes to it any more.
        let entry = unsafe { &*entries.add(index) };
        match entry.tag {
            END => break,
            TABLE => table = entry.value,
            BYTES => bytes = entry.value,
            WRITTEN => return 1,
            _ => {}
        }
    }
    // Some loaders have turned the offset into an address.
    let begin = if table < base { base.wrapping_add(table) } else { table };
    let read_only =
        headers.iter().any(|header| header.p_flags & libc::PF_W == 0 && holds(base, header, begin, bytes));
    if let Some((first, length)) = whole_pages(begin, bytes, page)
        && read_only
    {
        // SAFETY: whole pages inside one mapping of a file that nobody may write to: they come back as they were.
        unsafe { libc::madvise(first as *mut libc::c_void, length as usize, libc::MADV_DONTNEED) };
    }
    1
}

/// Whether this header maps code, and nothing that is ever written.
#[cfg(target_pointer_width = "64")]
fn is_code(header: &libc::Elf64_Phdr) -> bool {
    header.p_type == libc::PT_LOAD && header.p_flags & (libc::PF_X | libc::PF_W) == libc::PF_X
}

/// Whether so many bytes from `begin` on are mapped from the file by this header.
#[cfg(target_pointer_width = "64")]
fn holds(base: u64, header: &libc::Elf64_Phdr, begin: u64, bytes: u64) -> bool {
    let offset = begin.wrapping_sub(base.wrapping_add(header.p_vaddr));
    header.p_type == libc::PT_LOAD && offset.checked_add(bytes).is_some_and(|end| end <= header.p_filesz)
}

/// The pages that lie in a range as a whole: where they begin, and how many bytes they are.
#[cfg(target_pointer_width = "64")]
fn whole_pages(begin: u64, bytes: u64, page: u64) -> Option<(u64, u64)> {
    // Not for a page of nothing.
    let first = begin.checked_next_multiple_of(page)?;
    let last = begin.checked_add(bytes)? / page * page;
    Some((first, last.checked_sub(first).filter(|length| *length > 0)?))
}

#[cfg(all(test, target_pointer_width = "64"))]
mod tests {
    use super::*;

    #[test]
    fn only_pages_that_hold_nothing_else_go_back() {
        for (begin, bytes, want) in [
            (4096, 8192, Some((4096, 8192))),
            (4097, 8191, Some((8192, 4096))),
            (4097, 8190, None),
            (4096, 4095, None),
            (5000, 100, None),
            (0, 0, None),
            (u64::MAX - 10, 5, None),
            (8192, u64::MAX, None),
        ] {
            assert_eq!(whole_pages(begin, bytes, 4096), want, "{begin} {bytes}");
        }
        assert_eq!(whole_pages(4096, 70_000, 65_536), None, "pages are larger elsewhere");
    }

    #[test]
    fn the_program_goes_on_with_its_table_gone() {
        return_start();
        return_start();
        // Unwinding looks everything up that a loader knows.
        let caught = std::panic::catch_unwind(|| std::panic::resume_unwind(Box::new(7)));
        assert_eq!(caught.unwrap_err().downcast_ref::<i32>(), Some(&7));
    }
}
