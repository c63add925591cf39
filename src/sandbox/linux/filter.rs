//! The program of a filter. The kernel translates it for every command and walks through it at calls it has not
//! seen to be harmless, so it is short: one instruction for each call that is refused whatever its arguments,
//! one check for all new namespaces. What depends on arguments in other ways is left to the library.

use std::collections::BTreeMap;

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompFilter, SeccompRule, TargetArch, sock_filter,
};

/// Calls that are refused: always when they have no rules, else when one of their rules holds.
pub(super) type Rules = BTreeMap<i64, Vec<SeccompRule>>;

/// Flags of new namespaces.
const NAMESPACES: i32 = libc::CLONE_NEWUSER
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// Load a word of what is known of the call.
const LOAD: u16 = 0x20;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const GO: u16 = 0x05;
const RETURN: u16 = 0x06;
/// Where the call's number is, and the lower half of its first argument on the machines there are.
const NUMBER: u32 = 0;
const FIRST: u32 = 16;

/// Calls looked at one after the other. The kernel walks through a filter once for each call there is when it is
/// installed, so that most calls should be told from those listed in few steps.
const GROUP: usize = 12;

/// The filter: `refused` with EPERM, new namespaces too when `namespaces` says so; `absent` as if the kernel did not
/// have it.
///
/// # Errors
/// This processor has no filter.
pub(super) fn filter(
    refused: Rules,
    absent: &[c_long],
    namespaces: bool,
) -> Result<BpfProgram, BackendError> {
    let mut program = opening()?;
    if cfg!(target_arch = "x86_64") {
        // The same entry also takes the x32 numbers, which differ by one bit from those listed here. -1 is what a
        // tracer sets to skip a call, not an x32 number; it is harmless to refuse it here too.
        program.push(jump(IF_AT_LEAST, 0x4000_0000, 0, 1));
        program.push(plain(RETURN, errno(libc::ENOSYS)));
    }
    if namespaces {
        program.extend([
            jump(IF_EQUAL, libc::SYS_clone as u32, 1, 0),
            jump(IF_EQUAL, libc::SYS_unshare as u32, 0, 4),
            plain(LOAD, FIRST),
            jump(IF_ANY_BIT, NAMESPACES as u32, 0, 1),
            plain(RETURN, errno(libc::EPERM)),
            plain(RETURN, libc::SECCOMP_RET_ALLOW),
        ]);
    }
    let (always, sometimes) = parted(refused);
    table(&mut program, &always, Some(errno(libc::EPERM)));
    let mut absent: Vec<u32> = absent.iter().map(|call| *call as u32).collect();
    absent.sort_unstable();
    table(&mut program, &absent, Some(errno(libc::ENOSYS)));
    close(&mut program, sometimes, SeccompAction::Errno(libc::EPERM as u32))?;
    Ok(program)
}

/// The filter that lets somebody be asked about `rules`.
///
/// # Errors
/// As for [`filter`].
pub(super) fn asking(rules: Rules) -> Result<BpfProgram, BackendError> {
    let mut program = opening()?;
    let (always, sometimes) = parted(rules);
    table(&mut program, &always, Some(libc::SECCOMP_RET_USER_NOTIF));
    // The library has no word for asking: another one stands in, and is replaced in what it gives.
    close(&mut program, sometimes, SeccompAction::Log)?;
    for step in &mut program {
        if step.code == RETURN && step.k == libc::SECCOMP_RET_LOG {
            step.k = libc::SECCOMP_RET_USER_NOTIF;
        }
    }
    Ok(program)
}

/// The check of the machine, and the call's number at hand.
fn opening() -> Result<BpfProgram, BackendError> {
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    // Without rules it is the check and one return.
    let bare = SeccompFilter::new(Rules::new(), SeccompAction::Allow, SeccompAction::Log, arch)?;
    let mut program = BpfProgram::try_from(bare)?;
    program.pop();
    program.push(plain(LOAD, NUMBER));
    Ok(program)
}

/// The calls without rules, in their order, and the others.
fn parted(rules: Rules) -> (Vec<u32>, Rules) {
    let (always, sometimes): (Rules, Rules) = rules.into_iter().partition(|(_, rules)| rules.is_empty());
    (always.into_keys().map(|call| call as u32).collect(), sometimes)
}

/// Everything else is allowed, but for `action` where one of a call's rules holds.
fn close(program: &mut BpfProgram, sometimes: Rules, action: SeccompAction) -> Result<(), BackendError> {
    let calls: Vec<u32> = sometimes.keys().map(|call| *call as u32).collect();
    table(program, &calls, None);
    program.push(plain(RETURN, libc::SECCOMP_RET_ALLOW));
    if !sometimes.is_empty() {
        let arch = TargetArch::try_from(std::env::consts::ARCH)?;
        let rest = SeccompFilter::new(sometimes, SeccompAction::Allow, action, arch)?;
        program.extend(BpfProgram::try_from(rest)?);
    }
    Ok(())
}

/// Returns `said` for each of the calls, which are in order, or goes on after the instruction that follows.
fn table(program: &mut BpfProgram, calls: &[u32], said: Option<u32>) {
    let end = program.len() + calls.chunks(GROUP).map(|group| group.len() + 3).sum::<usize>();
    let mut groups = calls.chunks(GROUP).peekable();
    while let Some(group) = groups.next() {
        let next = groups.peek().and_then(|group| group.first()).copied().unwrap_or(u32::MAX);
        let count = group.len() as u8;
        program.push(jump(IF_AT_LEAST, next, count + 2, 0));
        program.extend((0..count).zip(group).map(|(at, call)| jump(IF_EQUAL, *call, count - at, 0)));
        let rest = (end - program.len()) as u32;
        program.push(plain(GO, rest - 1));
        // One further on it is one less to the end, and one more to what follows.
        program.push(said.map_or_else(|| plain(GO, rest - 1), |said| plain(RETURN, said)));
    }
}

fn errno(error: i32) -> u32 {
    libc::SECCOMP_RET_ERRNO | error as u32
}

fn plain(code: u16, k: u32) -> sock_filter {
    sock_filter { code, jt: 0, jf: 0, k }
}

fn jump(code: u16, k: u32, jt: u8, jf: u8) -> sock_filter {
    sock_filter { code, jt, jf, k }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;

#[cfg(test)]
pub(super) use tests::said_here;
