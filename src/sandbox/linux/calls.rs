//! The system calls worth naming when they are refused: what they are called and where their path or address is.

use libc::c_long;

/// One call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call {
    /// As in its manual.
    pub(super) name: &'static str,
    /// What it is about.
    pub(super) kind: Kind,
}

/// What a call is about; numbers are positions of arguments, that of the folder first.
#[derive(Clone, Copy, Debug)]
pub(super) enum Kind {
    /// Changes a path.
    Write(Option<usize>, usize),
    /// Gives a path another place; folder and path of each.
    Move { from: (Option<usize>, usize), to: (Option<usize>, usize) },
    /// Reads a path.
    Read(Option<usize>, usize),
    /// Changes what a descriptor is open for.
    Descriptor(usize),
    /// Talks to an address, whose length follows.
    Address(usize),
    /// Makes a socket of the family and the type that come first.
    Sort,
    /// Signals a process.
    Process(usize),
    /// Itself.
    Call,
}

/// The call with this number and these arguments; `None` when its refusal would say nothing.
pub(super) fn call(number: u64, args: &[u64; 6]) -> Option<Call> {
    let number = c_long::try_from(number).ok()?;
    let opens = |flags: u64| {
        let flags = flags as i32;
        let writes =
            flags & libc::O_ACCMODE != libc::O_RDONLY || flags & (libc::O_CREAT | libc::O_TRUNC) != 0;
        if writes { Kind::Write } else { Kind::Read }
    };
    let found = |name, kind| Some(Call { name, kind });
    match number {
        libc::SYS_openat => found("openat", opens(args[2])(Some(0), 1)),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_open => found("open", opens(args[1])(None, 0)),
        libc::SYS_sendto if args[4] != 0 => found("sendto", Kind::Address(4)),
        libc::SYS_socket => found("socket", Kind::Sort),
        // The C library tries it first and has another way.
        libc::SYS_clone3 => None,
        _ => TABLE.iter().find(|(known, ..)| *known == number).and_then(|(_, name, kind)| found(name, *kind)),
    }
}

const MOVE_AT: Kind = Kind::Move { from: (Some(0), 1), to: (Some(2), 3) };

const TABLE: &[(c_long, &str, Kind)] = &[
    (libc::SYS_openat2, "openat2", Kind::Write(Some(0), 1)),
    (libc::SYS_mkdirat, "mkdirat", Kind::Write(Some(0), 1)),
    (libc::SYS_mknodat, "mknodat", Kind::Write(Some(0), 1)),
    (libc::SYS_unlinkat, "unlinkat", Kind::Write(Some(0), 1)),
    (libc::SYS_renameat2, "renameat2", MOVE_AT),
    (libc::SYS_linkat, "linkat", Kind::Write(Some(2), 3)),
    (libc::SYS_symlinkat, "symlinkat", Kind::Write(Some(1), 2)),
    (libc::SYS_fchmodat, "fchmodat", Kind::Write(Some(0), 1)),
    (libc::SYS_fchownat, "fchownat", Kind::Write(Some(0), 1)),
    (libc::SYS_fchmod, "fchmod", Kind::Descriptor(0)),
    (libc::SYS_fchown, "fchown", Kind::Descriptor(0)),
    (libc::SYS_ftruncate, "ftruncate", Kind::Descriptor(0)),
    (libc::SYS_truncate, "truncate", Kind::Write(None, 0)),
    (libc::SYS_setxattr, "setxattr", Kind::Write(None, 0)),
    (libc::SYS_removexattr, "removexattr", Kind::Write(None, 0)),
    (libc::SYS_connect, "connect", Kind::Address(1)),
    (libc::SYS_bind, "bind", Kind::Address(1)),
    (libc::SYS_mount, "mount", Kind::Call),
    (libc::SYS_umount2, "umount2", Kind::Call),
    (libc::SYS_unshare, "unshare", Kind::Call),
    (libc::SYS_setns, "setns", Kind::Call),
    (libc::SYS_chroot, "chroot", Kind::Call),
    (libc::SYS_pivot_root, "pivot_root", Kind::Call),
    (libc::SYS_bpf, "bpf", Kind::Call),
    (libc::SYS_perf_event_open, "perf_event_open", Kind::Call),
    (libc::SYS_io_uring_setup, "io_uring_setup", Kind::Call),
    (libc::SYS_ptrace, "ptrace", Kind::Call),
    (libc::SYS_process_vm_readv, "process_vm_readv", Kind::Call),
    (libc::SYS_process_vm_writev, "process_vm_writev", Kind::Call),
    (libc::SYS_keyctl, "keyctl", Kind::Call),
    (libc::SYS_add_key, "add_key", Kind::Call),
    (libc::SYS_request_key, "request_key", Kind::Call),
    (libc::SYS_syslog, "syslog", Kind::Call),
    (libc::SYS_sethostname, "sethostname", Kind::Call),
    (libc::SYS_init_module, "init_module", Kind::Call),
    (libc::SYS_finit_module, "finit_module", Kind::Call),
    (libc::SYS_delete_module, "delete_module", Kind::Call),
    (libc::SYS_reboot, "reboot", Kind::Call),
    (libc::SYS_clock_settime, "clock_settime", Kind::Call),
    (libc::SYS_kill, "kill", Kind::Process(0)),
    (libc::SYS_tkill, "tkill", Kind::Process(0)),
    (libc::SYS_tgkill, "tgkill", Kind::Process(0)),
    (libc::SYS_shmget, "shmget", Kind::Call),
    (libc::SYS_semget, "semget", Kind::Call),
    (libc::SYS_utimensat, "utimensat", Kind::Write(Some(0), 1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_creat, "creat", Kind::Write(None, 0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_mkdir, "mkdir", Kind::Write(None, 0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rmdir, "rmdir", Kind::Write(None, 0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_unlink, "unlink", Kind::Write(None, 0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_rename, "rename", Kind::Move { from: (None, 0), to: (None, 1) }),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_renameat, "renameat", MOVE_AT),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_link, "link", Kind::Write(None, 1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_symlink, "symlink", Kind::Write(None, 1)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chmod, "chmod", Kind::Write(None, 0)),
    #[cfg(target_arch = "x86_64")]
    (libc::SYS_chown, "chown", Kind::Write(None, 0)),
];
