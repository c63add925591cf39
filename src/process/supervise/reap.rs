//! Kills and reaps every descendant. The supervisor is a child subreaper: whatever a command leaves behind, also
//! after `setsid` and double forks, becomes its child, so killing and reaping until there is no child left
//! reaches everything.
#![allow(unsafe_code)] // kill and waitpid by number

use std::time::{Duration, Instant};

use super::signals::Signals;

/// A process that does not die of SIGKILL hangs in the kernel; nobody can wait for that.
const GIVE_UP: Duration = Duration::from_secs(10);

/// One reaped or stopped child.
pub(super) struct Reaped {
    pub(super) pid: libc::pid_t,
    pub(super) status: i32,
}

/// The next child that ended (or stopped), without waiting. `Err` when there is no child at all.
pub(super) fn next(stops: bool) -> Result<Option<Reaped>, NoChild> {
    let mut status = 0;
    let flags = libc::WNOHANG | if stops { libc::WUNTRACED } else { 0 };
    // SAFETY: `status` is a valid place for the answer.
    match unsafe { libc::waitpid(-1, &raw mut status, flags) } {
        0 => Ok(None),
        pid if pid > 0 => Ok(Some(Reaped { pid, status })),
        _ => Err(NoChild),
    }
}

/// There is no child.
pub(super) struct NoChild;

/// Sends `signal` to a process, or to a process group when `pid` is negative.
pub(super) fn send(pid: libc::pid_t, signal: i32) {
    // SAFETY: no memory is involved; a process that is gone already is fine.
    unsafe { libc::kill(pid, signal) };
}

/// Kills every descendant and returns when the last one is reaped. Tells the status of `wanted` if it was among
/// them.
pub(super) fn kill_all(wanted: libc::pid_t, signals: &Signals) -> Option<i32> {
    let mut found = None;
    let end = Instant::now() + GIVE_UP;
    loop {
        match next(false) {
            Err(NoChild) => return found,
            Ok(Some(reaped)) => {
                if reaped.pid == wanted {
                    found = Some(reaped.status);
                }
            }
            Ok(None) => {
                if Instant::now() > end {
                    return found;
                }
                kill_below(own_pid(), 0);
                wait(signals);
            }
        }
    }
}

/// Waits for the next child's end; in steps, because a descendant that forks while it is killed hands over its
/// new child without a signal.
fn wait(signals: &Signals) {
    let mut poll = libc::pollfd { fd: signals.fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one valid entry.
    unsafe { libc::poll(&raw mut poll, 1, 20) };
    while signals.next().is_some() {}
}

/// Kills from the leaves' parents down: parents first, so that they cannot replace what dies.
fn kill_below(pid: libc::pid_t, depth: u32) {
    for child in children(pid) {
        send(child, libc::SIGKILL);
        if depth < 64 {
            kill_below(child, depth + 1);
        }
    }
}

fn own_pid() -> libc::pid_t {
    std::process::id() as libc::pid_t
}

/// The children of all threads of `pid`.
fn children(pid: libc::pid_t) -> Vec<libc::pid_t> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return Vec::new() };
    let mut found = Vec::new();
    for task in tasks.flatten() {
        match std::fs::read_to_string(task.path().join("children")) {
            Ok(text) => found.extend(text.split_whitespace().filter_map(|n| n.parse::<libc::pid_t>().ok())),
            // Kernels built without this list: look through all processes instead.
            Err(_) => return scan(pid),
        }
    }
    found
}

/// The children of `pid`, found by the parent noted in every process's status line.
fn scan(pid: libc::pid_t) -> Vec<libc::pid_t> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|e| e.file_name().to_str()?.parse::<libc::pid_t>().ok());
    numbers.filter(|n| parent(*n) == Some(pid)).collect()
}

fn parent(pid: libc::pid_t) -> Option<libc::pid_t> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // `pid (name) state parent …`, and the name may contain anything, also `)`.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_is_found_both_ways() {
        let mut child = std::process::Command::new("sleep").arg("30").spawn().unwrap();
        let pid = child.id() as libc::pid_t;
        assert!(children(own_pid()).contains(&pid));
        assert!(scan(own_pid()).contains(&pid));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
