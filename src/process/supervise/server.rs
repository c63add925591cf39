//! Supervisors by the dozen: a small process, started once, that forks a supervisor for each command it is told
//! about. Executing a program costs more than all that a supervisor does, so this halves the price of a command.
//! It keeps nothing between commands and ends when `codex` hangs up; the supervisors it has forked live on, each
//! with its own control socket.
#![allow(unsafe_code)] // fork, the descriptors 0 to 3, the environment of the child

use std::ffi::{CString, OsString, c_char};
use std::io::IoSliceMut;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

/// More than the kernel accepts as arguments and environment of a program.
const LARGEST: u32 = 16 << 20;

/// One command: the words of the supervisor and the environment, with its stdio and control socket.
struct Order {
    words: Vec<OsString>,
    environment: Vec<CString>,
    fds: [OwnedFd; 4],
}

/// Forks a supervisor per order that arrives on descriptor 0. `prepare` hears of its words first, here, where
/// something can be kept for the next; what it gives is run in the supervisor. Returns when `codex` is gone.
pub(crate) fn serve(prepare: &mut dyn FnMut(Vec<OsString>) -> Box<dyn FnOnce()>) {
    // SAFETY: descriptor 0 is our socket for all of this process's life. Ignored children are reaped for us.
    let socket = unsafe {
        libc::signal(libc::SIGCHLD, libc::SIG_IGN);
        libc::setsid();
        BorrowedFd::borrow_raw(0)
    };
    // What is kept here must not have a number that supervisors need.
    let _three = rustix::io::fcntl_dupfd_cloexec(socket, 3);
    while let Some(order) = receive(socket) {
        let Order { words, environment, fds } = order;
        let supervise = prepare(words);
        // SAFETY: one thread, so the child may do anything. A failed fork drops the order, and with it the
        // control socket: its other end sees that no supervisor came.
        if unsafe { libc::fork() } == 0 {
            take_place(fds, &environment);
            supervise();
            // SAFETY: leaves without running anything of the server's.
            unsafe { libc::_exit(0) }
        }
    }
}

/// Puts the descriptors where a supervisor has them and makes `environment` the process's own.
fn take_place(fds: [OwnedFd; 4], environment: &[CString]) {
    let mut pointers: Vec<*const c_char> = environment.iter().map(|entry| entry.as_ptr()).collect();
    pointers.push(std::ptr::null());
    // SAFETY: the sources are 3 or higher and used in order, the fourth last, so none is overwritten before its
    // turn; nobody else reads the environment in this process of one thread, and the list is never freed.
    unsafe {
        for (to, from) in (0..).zip(&fds) {
            libc::dup2(from.as_raw_fd(), to);
        }
        environ = pointers.leak().as_ptr();
    }
    for fd in fds {
        if fd.as_raw_fd() == 3 {
            std::mem::forget(fd);
        }
    }
}

unsafe extern "C" {
    static mut environ: *const *const c_char;
}

/// The next order; `None` at the end or when what arrives makes no sense.
fn receive(socket: BorrowedFd<'_>) -> Option<Order> {
    let mut length = [0; 4];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let read = recvmsg(socket, &mut [IoSliceMut::new(&mut length)], &mut ancillary, RecvFlags::CMSG_CLOEXEC);
    if read.ok()?.bytes != length.len() {
        return None;
    }
    let mut fds = Vec::new();
    for message in ancillary.drain() {
        if let RecvAncillaryMessage::ScmRights(received) = message {
            fds.extend(received);
        }
    }
    let fds = <[OwnedFd; 4]>::try_from(fds).ok()?;
    let length = u32::from_le_bytes(length);
    let mut bytes = vec![0; (length <= LARGEST).then_some(length)? as usize];
    let mut rest = bytes.as_mut_slice();
    while !rest.is_empty() {
        let read = rustix::io::read(socket, &mut *rest).ok().filter(|read| *read > 0)?;
        rest = rest.get_mut(read..)?;
    }
    let (words, environment) = decode(&bytes)?;
    Some(Order { words, environment, fds })
}

/// An order as bytes: the number of words, the words, the environment as `name=value`; each ended by NUL.
pub(super) fn encode(words: &[CString], environment: &[CString]) -> Vec<u8> {
    let mut bytes = format!("{}\0", words.len()).into_bytes();
    for text in words.iter().chain(environment) {
        bytes.extend_from_slice(text.as_bytes_with_nul());
    }
    bytes
}

fn decode(bytes: &[u8]) -> Option<(Vec<OsString>, Vec<CString>)> {
    let mut parts = bytes.strip_suffix(b"\0")?.split(|byte| *byte == 0);
    let count: usize = std::str::from_utf8(parts.next()?).ok()?.parse().ok()?;
    let words: Vec<OsString> =
        parts.by_ref().take(count).map(|word| OsString::from_vec(word.to_vec())).collect();
    let environment = parts.map(|entry| CString::new(entry).ok()).collect::<Option<_>>()?;
    (words.len() == count).then_some((words, environment))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_survives_its_way_and_half_ones_are_refused() {
        let words = [c"pipe", c"-", c"", c"a b"].map(ToOwned::to_owned);
        let environment = [c"A=x=y".to_owned(), c"B=".to_owned()];
        let bytes = encode(&words, &environment);
        let (read, variables) = decode(&bytes).unwrap();
        assert_eq!(read, ["pipe", "-", "", "a b"]);
        assert_eq!(variables, environment);
        assert!(decode(&encode(&words, &[])).unwrap().1.is_empty());
        assert!(decode(b"3\0a\0b\0").is_none() && decode(b"").is_none() && decode(b"x\0").is_none());
    }
}
