//! Tests of `filter` and of the lists in `seccomp`, by walking through the programs as the kernel does.

use super::*;
use crate::sandbox::linux::seccomp::{Needs, programs};

const MACHINE: u32 = if cfg!(target_arch = "x86_64") { 0xC000_003E } else { 0xC000_00B7 };
const ALLOW: u32 = libc::SECCOMP_RET_ALLOW;
const PERM: u32 = libc::SECCOMP_RET_ERRNO | libc::EPERM as u32;
const NOSYS: u32 = libc::SECCOMP_RET_ERRNO | libc::ENOSYS as u32;

/// What the program says to a call.
fn said(program: &[sock_filter], machine: u32, call: u32, arguments: [u64; 6]) -> u32 {
    walked(program, machine, call, arguments).0
}

/// The same, and how many steps that takes.
fn walked(program: &[sock_filter], machine: u32, call: u32, arguments: [u64; 6]) -> (u32, usize) {
    let mut data = vec![call, machine, 0, 0];
    for argument in arguments {
        data.extend([argument as u32, (argument >> 32) as u32]);
    }
    let (mut at, mut a, mut steps) = (0, 0_u32, 0);
    loop {
        let step = &program[at];
        at += 1;
        steps += 1;
        let go = |holds: bool| usize::from(if holds { step.jt } else { step.jf });
        match step.code {
            LOAD => a = data[step.k as usize / 4],
            0x54 => a &= step.k,
            IF_EQUAL => at += go(a == step.k),
            IF_AT_LEAST => at += go(a >= step.k),
            0x25 => at += go(a > step.k),
            IF_ANY_BIT => at += go(a & step.k != 0),
            GO => at += step.k as usize,
            RETURN => return (step.k, steps),
            code => panic!("{code:#x} is not known here"),
        }
    }
}

/// The same on this machine.
pub(in crate::sandbox::linux) fn said_here(
    program: &[sock_filter],
    call: c_long,
    arguments: [u64; 6],
) -> u32 {
    said(program, MACHINE, call as u32, arguments)
}

/// The strictest of all filters.
fn all(programs: &[BpfProgram], call: c_long, arguments: [u64; 6]) -> u32 {
    let said = programs.iter().map(|program| said(program, MACHINE, call as u32, arguments));
    said.min_by_key(|said| said & libc::SECCOMP_RET_ACTION_FULL).unwrap()
}

fn needs() -> impl Iterator<Item = Needs> {
    (0..16).map(|n| Needs {
        namespaces: n & 1 != 0,
        network: n & 2 != 0,
        asked: n & 4 != 0,
        datagrams: n & 1 != 0 && n & 2 != 0,
        abi: if n & 8 != 0 { 6 } else { 1 },
        above: [4_000_001, 4_000_002, 4_000_003],
    })
}

#[test]
fn each_list_is_refused_in_its_way_and_the_rest_is_not() {
    let kinds = [libc::CLONE_NEWUSER, libc::CLONE_NEWNS, libc::CLONE_NEWNET, libc::CLONE_NEWCGROUP];
    for needs in needs() {
        let programs = programs(needs).unwrap();
        let all = |call, first: i32| all(&programs, call, [first as u64, 0, 0, 0, 0, 0]);
        for call in
            [libc::SYS_mount, libc::SYS_setns, libc::SYS_bpf, libc::SYS_io_uring_setup, libc::SYS_keyctl]
        {
            assert_eq!(all(call, 0), PERM, "{needs:?} {call}");
        }
        assert_eq!(all(libc::SYS_clone3, 0), NOSYS, "{needs:?}");
        assert_eq!(all(libc::SYS_landlock_restrict_self, 0), if needs.asked { NOSYS } else { ALLOW });
        for kind in kinds {
            for call in [libc::SYS_clone, libc::SYS_unshare] {
                assert_eq!(all(call, kind | libc::SIGCHLD), PERM, "{needs:?} {call}");
            }
        }
        assert_eq!(all(libc::SYS_clone, libc::CLONE_VM | libc::CLONE_THREAD | libc::CLONE_FILES), ALLOW);
        assert_eq!(all(libc::SYS_unshare, libc::CLONE_FILES), ALLOW);
        for call in
            [libc::SYS_read, libc::SYS_openat, libc::SYS_execve, libc::SYS_futex, libc::SYS_exit_group]
        {
            assert_eq!(all(call, 0), ALLOW, "{needs:?} {call}");
        }
        assert_eq!(all(libc::SYS_socket, libc::AF_VSOCK), PERM, "{needs:?}");
        let length: usize = programs.iter().map(Vec::len).sum();
        assert!(length < 680, "{needs:?}: {length} instructions");
    }
}

#[test]
fn another_machine_and_the_other_numbers_of_this_one_get_nothing() {
    for needs in needs() {
        for program in programs(needs).unwrap() {
            assert_eq!(said(&program, 0x4000_0003, 1, [0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
            if cfg!(target_arch = "x86_64") {
                assert_eq!(said(&program, MACHINE, 0x4000_0000 | libc::SYS_read as u32, [0; 6]), NOSYS);
            }
        }
    }
}

#[test]
fn a_long_table_keeps_its_order() {
    let mut program = Vec::new();
    let calls: Vec<u32> = (1000..1600).collect();
    program.push(plain(LOAD, NUMBER));
    table(&mut program, &calls, Some(PERM));
    program.push(plain(RETURN, ALLOW));
    for (call, want) in [(999, ALLOW), (1000, PERM), (1249, PERM), (1250, PERM), (1599, PERM), (1600, ALLOW)]
    {
        assert_eq!(said(&program, MACHINE, call, [0; 6]), want, "{call}");
    }
}

#[test]
fn most_calls_are_told_in_few_steps() {
    for needs in needs() {
        for program in programs(needs).unwrap() {
            let steps = |call| walked(&program, MACHINE, call, [0; 6]).1;
            let all: usize = (0..450).map(steps).sum();
            assert!(all / 450 < 60, "{needs:?}: {}", all / 450);
        }
    }
}
