//! What is asked about, as a filter.

use libc::c_long;
use seccompiler::{BpfProgram, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompRule};

use super::objects::OBJECTS;
use super::sockets::Reach;
use crate::sandbox::linux::filter::{Rules, asking};

pub(super) const FCHMODAT2: c_long = 452;

/// What is asked about.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asks {
    /// Changes of names, and opening for writing.
    pub(crate) names: bool,
    /// Opening for reading, where something hidden is beside what is not.
    pub(crate) reads: bool,
    /// Modes, owners and times.
    pub(crate) metadata: bool,
    /// Where sockets connect to, and listen.
    pub(crate) sockets: Option<Reach>,
    /// Where sockets listen, whatever is asked about them else: their names are names in folders.
    pub(crate) binds: bool,
}

/// Asked whatever the arguments.
pub(in crate::sandbox::linux) const METADATA: &[c_long] = &[
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// Asked where no network namespace is between the command and others.
pub(in crate::sandbox::linux) const SOCKETS: &[c_long] =
    &[libc::SYS_bind, libc::SYS_listen, libc::SYS_connect];

const NAMES: &[c_long] = &[
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    libc::SYS_symlinkat,
    libc::SYS_unlinkat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_truncate,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_renameat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
];

/// Opening a file is asked about when it may change something, or always when reading has to be asked about.
pub(super) fn program(asks: Asks) -> Result<BpfProgram, seccompiler::BackendError> {
    let metadata = if asks.metadata { METADATA } else { &[] };
    let objects = if asks.metadata { OBJECTS } else { &[] };
    let names = if asks.names { NAMES } else { &[] };
    let sockets = match (asks.sockets, asks.binds) {
        (None, false) => [].as_slice(),
        (None, true) => &[libc::SYS_bind],
        (Some(Reach::Inhabitants), false) => &[libc::SYS_connect],
        (Some(Reach::Inhabitants), true) => &[libc::SYS_bind, libc::SYS_connect],
        (Some(_), _) => SOCKETS,
    };
    let mut rules: Rules =
        metadata.iter().chain(objects).chain(names).chain(sockets).map(|call| (*call, Vec::new())).collect();
    #[cfg(target_arch = "x86_64")]
    let opens = [(libc::SYS_openat, 2), (libc::SYS_open, 1)].as_slice();
    #[cfg(not(target_arch = "x86_64"))]
    let opens = [(libc::SYS_openat, 2)].as_slice();
    for (call, argument) in opens.iter().copied().filter(|_| asks.names) {
        let mut any = Vec::new();
        for flag in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC] {
            let flag = flag as u64;
            let condition = SeccompCondition::new(argument, Len::Dword, Op::MaskedEq(flag), flag)?;
            any.push(SeccompRule::new(vec![condition])?);
        }
        rules.insert(call, if asks.reads { Vec::new() } else { any });
    }
    if asks.sockets == Some(Reach::Own) {
        // In turn with the calls it decides about: it must not change between a look at it and what follows.
        let is = |argument, value: i32| SeccompCondition::new(argument, Len::Dword, Op::Eq, value as u64);
        let shares = vec![is(1, libc::SOL_SOCKET)?, is(2, libc::SO_REUSEPORT)?];
        rules.insert(libc::SYS_setsockopt, vec![SeccompRule::new(shares)?]);
    }
    asking(rules)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::linux::filter::said_here;

    #[test]
    fn what_changes_something_is_asked_about_and_the_rest_is_not() {
        const ASK: u32 = libc::SECCOMP_RET_USER_NOTIF;
        const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
        for n in 0..16 {
            let [names, reads, metadata] = [n & 1 != 0, n & 2 != 0, n & 4 != 0];
            let sockets = (n & 8 != 0).then_some(Reach::Own);
            let program = program(Asks { names, reads, metadata, sockets, binds: false }).unwrap();
            let all = |calls: &[c_long], asked: bool| {
                for call in calls {
                    let want = if asked { ASK } else { ALLOW };
                    assert_eq!(said_here(&program, *call, [0; 6]), want, "{n} {call}");
                }
            };
            all(METADATA, metadata);
            all(OBJECTS, metadata);
            all(NAMES, names);
            all(SOCKETS, sockets.is_some());
            all(&[libc::SYS_openat], names && reads);
            all(&[libc::SYS_read, libc::SYS_write, libc::SYS_execve, libc::SYS_statx, 1_000_000], false);
            for flag in [libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC] {
                let want = if names { ASK } else { ALLOW };
                let arguments = [0, 0, (flag | libc::O_CLOEXEC) as u64, 0, 0, 0];
                assert_eq!(said_here(&program, libc::SYS_openat, arguments), want, "{n} {flag}");
            }
            assert!(program.len() < 160, "{}", program.len());
        }
    }
}
