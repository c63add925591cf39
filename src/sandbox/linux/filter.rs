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
    let (always, sometimes): (Rules, Rules) = refused.into_iter().partition(|(_, rules)| rules.is_empty());
    let arch = TargetArch::try_from(std::env::consts::ARCH)?;
    let refusing = SeccompAction::Errno(libc::EPERM as u32);
    // Without rules it is the check of the machine and one return.
    let bare = SeccompFilter::new(Rules::new(), SeccompAction::Allow, refusing.clone(), arch)?;
    let mut program = BpfProgram::try_from(bare)?;
    program.pop();
    program.push(plain(LOAD, NUMBER));
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
    let always: Vec<u32> = always.into_keys().map(|call| call as u32).collect();
    table(&mut program, &always, libc::EPERM);
    let absent: Vec<u32> = absent.iter().map(|call| *call as u32).collect();
    table(&mut program, &absent, libc::ENOSYS);
    if sometimes.is_empty() {
        program.push(plain(RETURN, libc::SECCOMP_RET_ALLOW));
    } else {
        let rest = SeccompFilter::new(sometimes, SeccompAction::Allow, refusing, arch)?;
        program.extend(BpfProgram::try_from(rest)?);
    }
    Ok(program)
}

/// Returns `error` for each of the calls; a jump reaches 255 instructions at most.
fn table(program: &mut BpfProgram, calls: &[u32], error: i32) {
    for calls in calls.chunks(250) {
        let count = calls.len() as u8;
        program.extend((0..count).zip(calls).map(|(at, call)| jump(IF_EQUAL, *call, count - at, 0)));
        program.push(plain(GO, 1));
        program.push(plain(RETURN, errno(error)));
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
