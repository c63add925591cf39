//! The system call filter: everything is allowed but what is listed. It covers what file rules cannot see:
//! kernel features with a history of holes, keys pushed into the terminal, address families that no network
//! namespace separates; and without namespaces also what those would have covered.

use libc::c_long;
use seccompiler::{BpfProgram, SeccompCmpArgLen as Len, SeccompCmpOp as Op, SeccompCondition, SeccompRule};

use super::banned::{
    ABSENT, ATTRIBUTES, BTRFS, CLONE, CLONE_RANGE, DEDUPE_RANGE, FCHMODAT2, FIEMAP, GET_FLAGS, GET_FLAGS_32,
    GET_VERSION, GET_VERSION_32, NEVER, QUEUES, SET_ATTRIBUTES, TIOCLINUX, TIOCSTI, UNASKED,
};
use super::broker::{METADATA, OBJECTS, SOCKETS};
use super::filter::{Rules, filter};
use crate::process::supervise::SetupError;

/// What else is in place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Needs {
    /// The command has pid, mount, ipc and user namespaces of its own.
    pub(super) namespaces: bool,
    /// Network open.
    pub(super) network: bool,
    /// Landlock's version.
    pub(super) abi: i32,
    /// Changes are asked about.
    pub(super) asked: bool,
    /// Unix sockets may send to any name.
    pub(super) datagrams: bool,
    /// The supervisor, the process before the command, and who started the supervisor.
    pub(super) above: [libc::pid_t; 3],
}

/// The filter that refuses what would be asked about, for when nobody can be asked.
///
/// # Errors
/// As for [`programs`].
pub(super) fn refusing() -> Result<BpfProgram, SetupError> {
    let mut rules = Rules::new();
    never(&mut rules, METADATA);
    never(&mut rules, SOCKETS);
    never(&mut rules, OBJECTS);
    filter(rules, &[], false).map_err(|error| SetupError::new("seccomp", error))
}

/// The filters to install, one after the other.
///
/// # Errors
/// This processor has no filter.
pub(super) fn programs(needs: Needs) -> Result<Vec<BpfProgram>, SetupError> {
    let fail = |error: seccompiler::BackendError| SetupError::new("seccomp", error);
    let mut refused = Rules::new();
    never(&mut refused, NEVER);
    terminal(&mut refused).map_err(fail)?;
    sockets(&mut refused, needs).map_err(fail)?;
    other_users(&mut refused).map_err(fail)?;
    let mut absent = ABSENT.to_vec();
    if needs.asked {
        absent.extend(UNASKED);
    }
    if !needs.namespaces {
        never(&mut refused, ATTRIBUTES);
        if !needs.asked {
            never(&mut refused, METADATA);
            never(&mut refused, OBJECTS);
        }
        never(&mut refused, QUEUES);
        outside_processes(&mut refused, needs).map_err(fail)?;
        inode_settings(&mut refused).map_err(fail)?;
        if needs.abi < 3 {
            truncation(&mut refused, &mut absent).map_err(fail)?;
        }
    }
    Ok(vec![filter(refused, &absent, true).map_err(fail)?])
}

fn never(rules: &mut Rules, calls: &[c_long]) {
    for call in calls {
        rules.insert(*call, Vec::new());
    }
}

type Built = Result<(), seccompiler::BackendError>;

/// Adds: refuse `call` when all conditions hold.
fn when(rules: &mut Rules, call: c_long, conditions: &[(u8, Op, u64)]) -> Built {
    let conditions = conditions
        .iter()
        .map(|(argument, op, value)| SeccompCondition::new(*argument, Len::Dword, op.clone(), *value))
        .collect::<Result<Vec<_>, _>>()?;
    rules.entry(call).or_default().push(SeccompRule::new(conditions)?);
    Ok(())
}

/// A program that takes on its owner's rights is a way in for others on this machine, and stays when the command is
/// gone. The bit cannot come with a file that is made either: whoever then writes into it loses it.
fn other_users(rules: &mut Rules) -> Built {
    const SET_USER: u64 = libc::S_ISUID as u64;
    for (call, mode) in [
        (libc::SYS_fchmod, 1),
        (libc::SYS_fchmodat, 2),
        (FCHMODAT2, 2),
        #[cfg(target_arch = "x86_64")]
        (libc::SYS_chmod, 1),
    ] {
        when(rules, call, &[(mode, Op::MaskedEq(SET_USER), SET_USER)])?;
    }
    Ok(())
}

fn terminal(rules: &mut Rules) -> Built {
    when(rules, libc::SYS_ioctl, &[(1, Op::Eq, TIOCSTI)])?;
    when(rules, libc::SYS_ioctl, &[(1, Op::Eq, TIOCLINUX)])
}

fn sockets(rules: &mut Rules, needs: Needs) -> Built {
    let unix = libc::AF_UNIX as u64;
    let (inet, inet6, netlink) = (libc::AF_INET as u64, libc::AF_INET6 as u64, libc::AF_NETLINK as u64);
    when(rules, libc::SYS_socketpair, &[(0, Op::Ne, unix)])?;
    // What a socket given as stdio was told not to take.
    let pass = super::sys::PASS_RIGHTS as u64;
    when(rules, libc::SYS_setsockopt, &[(1, Op::Eq, libc::SOL_SOCKET as u64), (2, Op::Eq, pass)])?;
    // Which sockets the command may have. The addresses it can reach are a matter of the network namespace.
    let families: &[u64] = match (needs.namespaces, needs.network) {
        (true, _) => &[unix, inet, inet6, netlink],
        // Names in the file system lead to the host's daemons, and there is no namespace to hide them.
        (false, true) => &[inet, inet6, netlink],
        (false, false) if needs.asked => &[unix, inet, inet6],
        (false, false) => &[unix],
    };
    let others: Vec<_> = families.iter().map(|family| (0, Op::Ne, *family)).collect();
    when(rules, libc::SYS_socket, &others)?;
    // Of netlink only the routing tables: programs list their interfaces through it.
    when(rules, libc::SYS_socket, &[(0, Op::Eq, netlink), (2, Op::Ne, libc::NETLINK_ROUTE as u64)])?;
    // A datagram socket can send to any address without connecting, and a name of the host's that comes to be later
    // is covered by no mount; among Unix sockets a raw one is one too.
    let kinds: &[i32] = if needs.datagrams { &[] } else { &[libc::SOCK_DGRAM, libc::SOCK_RAW] };
    for call in [libc::SYS_socket, libc::SYS_socketpair] {
        for kind in kinds {
            when(rules, call, &[(0, Op::Eq, unix), (1, Op::MaskedEq(0xf), *kind as u64)])?;
        }
    }
    if needs.namespaces {
        return Ok(());
    }
    match (needs.network, needs.asked) {
        (true, _) => Ok(()),
        (false, true) => own_servers(rules),
        (false, false) => {
            never(rules, &[libc::SYS_connect]);
            Ok(())
        }
    }
}

/// Only TCP, whose calls are all asked about, and nothing that leads it elsewhere than its addresses say.
fn own_servers(rules: &mut Rules) -> Built {
    const OTHER_KINDS: [i32; 5] =
        [libc::SOCK_DGRAM, libc::SOCK_RAW, libc::SOCK_RDM, libc::SOCK_SEQPACKET, libc::SOCK_DCCP];
    for family in [libc::AF_INET, libc::AF_INET6] {
        let family = (0, Op::Eq, family as u64);
        for kind in OTHER_KINDS {
            when(rules, libc::SYS_socket, &[family.clone(), (1, Op::MaskedEq(0xf), kind as u64)])?;
        }
        let other = [(2, Op::Ne, 0), (2, Op::Ne, libc::IPPROTO_TCP as u64)];
        when(rules, libc::SYS_socket, &[&[family][..], &other].concat())?;
    }
    // Data that connects.
    let fast = libc::MSG_FASTOPEN as u64;
    for (call, flags) in [(libc::SYS_sendto, 3), (libc::SYS_sendmsg, 2), (libc::SYS_sendmmsg, 3)] {
        when(rules, call, &[(flags, Op::MaskedEq(fast), fast)])?;
    }
    const UNICAST_INTERFACE: i32 = 50;
    const UNICAST_INTERFACE_6: i32 = 76;
    const INTERFACE: i32 = 62;
    const ROUTE_6: [i32; 3] = [57, 5, 6];
    let ways = [
        (libc::SOL_SOCKET, libc::SO_BINDTODEVICE),
        (libc::SOL_SOCKET, INTERFACE),
        (libc::IPPROTO_IP, libc::IP_OPTIONS),
        (libc::IPPROTO_IP, UNICAST_INTERFACE),
        (libc::IPPROTO_IPV6, UNICAST_INTERFACE_6),
    ];
    let routes = ROUTE_6.map(|option| (libc::IPPROTO_IPV6, option));
    for (level, option) in ways.into_iter().chain(routes) {
        when(rules, libc::SYS_setsockopt, &[(1, Op::Eq, level as u64), (2, Op::Eq, option as u64)])?;
    }
    Ok(())
}

/// Processes outside, when there is no pid namespace. Landlock keeps signals in from its version 6 on.
fn outside_processes(rules: &mut Rules, needs: Needs) -> Built {
    // The second is an address: its lower half alone may be zero.
    let others = SeccompCondition::new(0, Len::Dword, Op::Ne, 0)?;
    let set = SeccompCondition::new(2, Len::Qword, Op::Ne, 0)?;
    rules.entry(libc::SYS_prlimit64).or_default().push(SeccompRule::new(vec![others, set])?);
    for call in [
        libc::SYS_sched_setaffinity,
        libc::SYS_sched_setscheduler,
        libc::SYS_sched_setparam,
        libc::SYS_sched_setattr,
    ] {
        when(rules, call, &[(0, Op::Ne, 0)])?;
    }
    const WHOLE_USER: u64 = 3;
    for (call, user) in [(libc::SYS_setpriority, libc::PRIO_USER as u64), (libc::SYS_ioprio_set, WHOLE_USER)]
    {
        when(rules, call, &[(1, Op::Ne, 0)])?;
        when(rules, call, &[(0, Op::Eq, user)])?;
    }
    if needs.abi >= 6 {
        return Ok(());
    }
    when(rules, libc::SYS_kill, &[(0, Op::Eq, u64::from(u32::MAX))])?;
    for pid in needs.above {
        let pid = pid as u64;
        let calls = [libc::SYS_kill, libc::SYS_tkill, libc::SYS_tgkill, libc::SYS_rt_sigqueueinfo];
        for call in calls.into_iter().chain([libc::SYS_rt_tgsigqueueinfo, libc::SYS_pidfd_open]) {
            when(rules, call, &[(0, Op::Eq, pid)])?;
        }
    }
    Ok(())
}

/// Requests that change a file or a folder although it is only open for reading, which Landlock does not see:
/// flags and versions of inodes, encryption and sealing, and the subvolumes of btrfs. What only asks stays.
fn inode_settings(rules: &mut Rules) -> Built {
    const TYPE: u64 = 0xff00;
    for (kind, harmless) in [
        (u64::from(b'f') << 8, [GET_FLAGS, GET_FLAGS_32, FIEMAP].as_slice()),
        (u64::from(b'v') << 8, &[GET_VERSION, GET_VERSION_32]),
        (BTRFS << 8, &[CLONE, CLONE_RANGE, DEDUPE_RANGE]),
    ] {
        let mut conditions = vec![(1, Op::MaskedEq(TYPE), kind)];
        conditions.extend(harmless.iter().map(|request| (1, Op::Ne, *request)));
        when(rules, libc::SYS_ioctl, &conditions)?;
    }
    when(rules, libc::SYS_ioctl, &[(1, Op::Eq, SET_ATTRIBUTES)])
}

/// Before its version 3 Landlock does not see a file being cut.
fn truncation(refused: &mut Rules, absent: &mut Vec<c_long>) -> Built {
    never(refused, &[libc::SYS_truncate]);
    absent.push(libc::SYS_openat2);
    let mask = Op::MaskedEq((libc::O_TRUNC | libc::O_ACCMODE) as u64);
    let read_and_cut = (libc::O_TRUNC | libc::O_RDONLY) as u64;
    when(refused, libc::SYS_openat, &[(2, mask.clone(), read_and_cut)])?;
    #[cfg(target_arch = "x86_64")]
    when(refused, libc::SYS_open, &[(1, mask, read_and_cut)])?;
    Ok(())
}
