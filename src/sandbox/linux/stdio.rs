//! Sockets that a command is given as its standard input and output. Some programs connect their children by pairs of
//! Unix sockets, which lead to the other end and nowhere else. Every other socket can be pointed at an address, and is
//! in the network that it was made in: it would be a network that is off. Descriptors that the other end sends are
//! refused by kernels from 6.16 on; on older ones, and before the command starts, it hands over what it likes, as
//! whoever starts a command may.

use std::os::fd::BorrowedFd;

use rustix::net::{AddressFamily, SocketType, getpeername, sockopt};

use super::sys;
use crate::process::supervise::SetupError;

/// Looks at what the command will have as stdio.
///
/// # Errors
/// One is a socket that a command with this network must not have.
pub(super) fn check(network: bool) -> Result<(), SetupError> {
    let stdio = [
        ("standard input", rustix::stdio::stdin()),
        ("standard output", rustix::stdio::stdout()),
        ("standard error", rustix::stdio::stderr()),
    ];
    for (name, fd) in stdio {
        let Ok(family) = sockopt::socket_domain(fd) else { continue };
        if family == AddressFamily::UNIX {
            sys::refuse_passed_descriptors(fd);
        }
        if !network && !leads_to_one_place(fd, family) {
            return Err(SetupError::new(
                "stdio",
                format_args!(
                    "its {name} is a socket of a network that is off; give the command a pipe instead"
                ),
            ));
        }
    }
    Ok(())
}

fn leads_to_one_place(fd: BorrowedFd<'_>, family: AddressFamily) -> bool {
    let kind = sockopt::socket_type(fd);
    let stays = matches!(kind, Ok(SocketType::STREAM | SocketType::SEQPACKET));
    family == AddressFamily::UNIX && stays && getpeername(fd).is_ok()
}
