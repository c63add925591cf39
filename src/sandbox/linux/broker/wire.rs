//! Answers to the kernel, and one descriptor from the command's process to the supervisor.
#![allow(unsafe_code)] // ioctl requests, and messages without allocation

use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::files::Answer;

/// Answers a question; one whose asker is gone needs none.
pub(super) fn reply(questions: RawFd, id: u64, answer: Answer) {
    let mut reply = libc::seccomp_notif_resp { id, val: 0, error: 0, flags: 0 };
    match answer {
        Answer::Kernel => reply.flags = libc::SECCOMP_USER_NOTIF_FLAG_CONTINUE as u32,
        Answer::Done => {}
        Answer::Gave(number) => reply.val = number,
        Answer::Failed(error) => reply.error = -error.raw_os_error(),
        Answer::Opened(file, close) => match hand_in(questions, id, &file, close) {
            Some(number) => reply.val = number,
            None => reply.error = -libc::EMFILE,
        },
    }
    // SAFETY: a structure of the request's size.
    unsafe { libc::ioctl(questions, libc::SECCOMP_IOCTL_NOTIF_SEND, &raw const reply) };
}

fn hand_in(questions: RawFd, id: u64, file: &OwnedFd, close: bool) -> Option<i64> {
    let add = libc::seccomp_notif_addfd {
        id,
        flags: 0,
        srcfd: file.as_raw_fd() as u32,
        newfd: 0,
        newfd_flags: if close { libc::O_CLOEXEC as u32 } else { 0 },
    };
    // SAFETY: a structure of the request's size.
    let number = unsafe { libc::ioctl(questions, libc::SECCOMP_IOCTL_NOTIF_ADDFD, &raw const add) };
    (number >= 0).then_some(i64::from(number))
}

/// Room for one descriptor beside a message, aligned as its header wants it.
#[repr(align(8))]
struct Room([u8; 64]);

/// Sends a descriptor. No allocation.
///
/// # Errors
/// The system's error number.
pub(super) fn send(socket: RawFd, fd: RawFd) -> Result<(), i32> {
    let mut room = Room([0; 64]);
    // SAFETY: the room is larger than one header with one descriptor; all pointers live through the call.
    unsafe {
        let mut byte = 1u8;
        let mut part = libc::iovec { iov_base: (&raw mut byte).cast(), iov_len: 1 };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = room.0.as_mut_ptr().cast();
        message.msg_controllen = libc::CMSG_SPACE(4) as _;
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        (*header).cmsg_level = libc::SOL_SOCKET;
        (*header).cmsg_type = libc::SCM_RIGHTS;
        (*header).cmsg_len = libc::CMSG_LEN(4) as _;
        libc::CMSG_DATA(header).cast::<RawFd>().write_unaligned(fd);
        match libc::sendmsg(socket, &raw const message, libc::MSG_NOSIGNAL) {
            1 => Ok(()),
            _ => Err(*libc::__errno_location()),
        }
    }
}

/// The descriptor that was sent, if one was.
pub(super) fn receive(socket: RawFd) -> Option<OwnedFd> {
    let mut room = Room([0; 64]);
    // SAFETY: as for sending; the descriptor received is nobody else's.
    unsafe {
        let mut byte = MaybeUninit::<u8>::uninit();
        let mut part = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: 1 };
        let mut message: libc::msghdr = std::mem::zeroed();
        message.msg_iov = &raw mut part;
        message.msg_iovlen = 1;
        message.msg_control = room.0.as_mut_ptr().cast();
        message.msg_controllen = room.0.len() as _;
        if libc::recvmsg(socket, &raw mut message, libc::MSG_DONTWAIT | libc::MSG_CMSG_CLOEXEC) != 1 {
            return None;
        }
        let header = libc::CMSG_FIRSTHDR(&raw const message);
        let rights = !header.is_null() && (*header).cmsg_type == libc::SCM_RIGHTS;
        rights.then(|| OwnedFd::from_raw_fd(libc::CMSG_DATA(header).cast::<RawFd>().read_unaligned()))
    }
}
