//! What the filter of system calls knows by number: the calls and requests that are refused, and why, as data.

use libc::c_long;

/// Not from this kernel's headers everywhere.
const OPEN_TREE_ATTR: c_long = 467;
const FILE_SETATTR: c_long = 469;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;
const QUOTACTL_FD: c_long = 443;
pub(super) const FCHMODAT2: c_long = 452;

/// Refused whatever the arguments.
pub(super) const NEVER: &[c_long] = &[
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_move_mount,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    OPEN_TREE_ATTR,
    libc::SYS_setns,
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    libc::SYS_userfaultfd,
    libc::SYS_open_by_handle_at,
    libc::SYS_pidfd_getfd,
    libc::SYS_quotactl,
    QUOTACTL_FD,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_acct,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_vhangup,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
];

/// Answered as if the kernel did not have them, because programs then use what can be checked: `clone3` and
/// `openat2` hide their flags in memory, the others have an older way that asks the tracing rules.
pub(super) const ABSENT: &[c_long] =
    &[libc::SYS_clone3, libc::SYS_process_vm_readv, libc::SYS_process_vm_writev];

/// Without a mount namespace nothing else can stop these outside the roots, and they cannot be told apart here.
pub(super) const ATTRIBUTES: &[c_long] = &[SETXATTRAT, REMOVEXATTRAT, FILE_SETATTR];

/// Not there where changes are made in the command's place: the flags of the first are out of a filter's sight, and
/// the supervisor cannot see what a command forbids itself with the others, so it would make changes that are
/// forbidden there. A sandbox inside is refused instead of being hollow.
pub(super) const UNASKED: &[c_long] = &[
    libc::SYS_openat2,
    libc::SYS_landlock_create_ruleset,
    libc::SYS_landlock_add_rule,
    libc::SYS_landlock_restrict_self,
];

/// Without an ipc namespace: objects of other programs of this user.
pub(super) const QUEUES: &[c_long] = &[libc::SYS_mq_open, libc::SYS_mq_unlink];

/// Names for ioctl requests that libc does not have everywhere.
pub(super) const TIOCSTI: u64 = 0x5412;
pub(super) const TIOCLINUX: u64 = 0x541C;

/// Of the ioctl requests on files those that change nothing, or only what is open for writing; and one that does.
pub(super) const GET_FLAGS: u64 = 0x8008_6601;
pub(super) const GET_FLAGS_32: u64 = 0x8004_6601;
pub(super) const GET_VERSION: u64 = 0x8008_7601;
pub(super) const GET_VERSION_32: u64 = 0x8004_7601;
pub(super) const FIEMAP: u64 = 0xC020_660B;
pub(super) const BTRFS: u64 = 0x94;
pub(super) const CLONE: u64 = 0x4004_9409;
pub(super) const CLONE_RANGE: u64 = 0x4020_940D;
pub(super) const DEDUPE_RANGE: u64 = 0xC018_9436;
pub(super) const SET_ATTRIBUTES: u64 = 0x401C_5820;
