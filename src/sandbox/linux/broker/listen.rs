//! The loop that answers. The kernel holds each asking thread until it is answered; the
//! descriptor that questions come by is made in the command's process and handed to the supervisor over a pair of
//! sockets, because it comes to exist just before the command does.
#![allow(unsafe_code)] // seccomp and its ioctl requests

use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use libc::c_long;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use seccompiler::BpfProgram;

use super::asked::{Asks, FCHMODAT2, program};
use super::attributes;
use super::caller::{Caller, Question};
use super::devices::Own;
use super::files::{self, Answer, Ground, Named};
use super::ledger::Ledger;
use super::metadata::{self, Change, Object, Times};
use super::objects::{OBJECTS, Objects};
use super::places::Places;
use super::sockets::{self, Reach, Servers, Ways};
use super::wire::{receive, reply, send};
use crate::process::supervise::SetupError;

const HERE: u64 = libc::AT_FDCWD as u64;
/// From Linux 5.19 on: a signal does not make a call be asked, and made, twice.
const WAIT_KILLABLE: u64 = 32;

/// The questions of one command.
#[derive(Debug)]
pub(crate) struct Broker {
    places: Places,
    own: Own,
    servers: Servers,
    objects: Objects,
    /// `/proc` counts processes as somebody further out does.
    older_proc: bool,
    program: BpfProgram,
    /// For a command whose questions nobody can hear: what would be asked is refused; `None` where that much is not
    /// at stake.
    refusing: Option<BpfProgram>,
    ours: OwnedFd,
    theirs: OwnedFd,
    questions: Option<OwnedFd>,
}

impl Broker {
    /// Prepares the filter; `refusing` takes its place when another one asks already, in a sandbox inside a sandbox.
    ///
    /// # Errors
    /// No filter for this processor, or no descriptors.
    pub(crate) fn new(
        places: Places,
        asks: Asks,
        ways: Option<Ways>,
        refusing: Option<BpfProgram>,
        ledger: &Ledger,
    ) -> Result<Self, SetupError> {
        let fail = |error: Errno| SetupError::new("seccomp", error);
        let (ours, theirs) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)
                .map_err(fail)?;
        let asks = Asks { reads: asks.reads && places.hides_inside(), ..asks };
        let program = program(asks).map_err(|error| SetupError::new("seccomp", error))?;
        Ok(Self {
            places,
            own: Own::new(ledger.clone()),
            objects: Objects::new(ledger.clone()),
            older_proc: !Caller::is_shown_by_its_number(),
            servers: Servers::new(asks.sockets.unwrap_or(Reach::Anybody), ways),
            program,
            refusing,
            ours,
            theirs,
            questions: None,
        })
    }

    /// In the command's process: no allocation.
    ///
    /// # Errors
    /// Neither filter can be installed.
    pub(crate) fn install(&self) -> Result<(), i32> {
        for flags in
            [libc::SECCOMP_FILTER_FLAG_NEW_LISTENER | WAIT_KILLABLE, libc::SECCOMP_FILTER_FLAG_NEW_LISTENER]
        {
            let filter = libc::sock_fprog {
                len: self.program.len() as u16,
                filter: self.program.as_ptr().cast::<libc::sock_filter>().cast_mut(),
            };
            // SAFETY: `sock_filter` of seccompiler is the kernel's structure, which the kernel copies.
            let fd = unsafe {
                libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, flags, &raw const filter)
            };
            if fd >= 0 {
                return send(self.theirs.as_raw_fd(), fd as RawFd);
            }
        }
        self.refusing.as_ref().map_or(Ok(()), |refusing| super::super::sys::seccomp(refusing))
    }

    /// In the supervisor, when the command has been started: takes the descriptor; there is none when the other
    /// filter was installed.
    pub(crate) fn started(&mut self) {
        self.questions = receive(self.ours.as_raw_fd());
    }

    /// Readable when there is a question.
    pub(crate) fn fd(&self) -> RawFd {
        self.questions.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Answers one question.
    pub(crate) fn answer(&mut self) {
        let Some(questions) = &self.questions else { return };
        let fd = questions.as_raw_fd();
        let mut poll = libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
        // SAFETY: one valid entry.
        unsafe { libc::poll(&raw mut poll, 1, 0) };
        if poll.revents & libc::POLLIN == 0 {
            if poll.revents != 0 {
                // Nobody is left to ask.
                self.questions = None;
            }
            return;
        }
        // SAFETY: plain data, valid when zeroed, which the kernel demands; it fills the structure.
        let asked = unsafe {
            let mut asked: libc::seccomp_notif = std::mem::zeroed();
            if libc::ioctl(fd, libc::SECCOMP_IOCTL_NOTIF_RECV, &raw mut asked) < 0 {
                return;
            }
            asked
        };
        let caller = Caller::new(asked.pid, self.older_proc, Question { questions: fd, id: asked.id });
        let answer = match socket_call(&asked.data) {
            _ if !caller.waits() => Answer::Failed(Errno::INTR),
            Some(call) => sockets::call(caller, &mut self.servers, &self.places, asked.data.args[0], call),
            None if OBJECTS.contains(&c_long::from(asked.data.nr)) => self.objects.call(&asked.data),
            None => {
                let ground = &mut Ground { places: &self.places, own: &mut self.own };
                decide(caller, ground, &asked.data)
            }
        };
        reply(fd, asked.id, answer);
    }
}

fn socket_call(call: &libc::seccomp_data) -> Option<sockets::Call> {
    let [_, at, length, ..] = call.args;
    match c_long::from(call.nr) {
        libc::SYS_bind => Some(sockets::Call::Bind { at, length }),
        libc::SYS_setsockopt => Some(sockets::Call::Share { at: call.args[3], length: call.args[4] }),
        libc::SYS_listen => Some(sockets::Call::Listen(at)),
        libc::SYS_connect => Some(sockets::Call::Connect { at, length }),
        _ => None,
    }
}

fn decide(caller: Caller, places: &mut Ground<'_>, call: &libc::seccomp_data) -> Answer {
    let a = call.args;
    let number = c_long::from(call.nr);
    if let Some((object, change)) = metadata_call(number, &a) {
        return metadata::change(caller, places.places, object, change).into();
    }
    if let Some(change) = attributes::call(number, &a) {
        return attributes::change(caller, places.places, change).into();
    }
    let at = |folder: u64, path: u64| Named { folder, path };
    match number {
        libc::SYS_openat => files::open(caller, places, at(a[0], a[1]), a[2], a[3]),
        libc::SYS_mkdirat => files::make_folder(caller, places, at(a[0], a[1]), a[2]),
        libc::SYS_mknodat => files::make_node(caller, places, at(a[0], a[1]), a[2]),
        libc::SYS_symlinkat => files::make_link(caller, places, a[0], at(a[1], a[2])),
        libc::SYS_unlinkat => files::remove(caller, places, at(a[0], a[1]), a[2]),
        libc::SYS_renameat2 => files::rename(caller, places, at(a[0], a[1]), at(a[2], a[3]), a[4]),
        libc::SYS_linkat => files::link(caller, places, at(a[0], a[1]), at(a[2], a[3]), a[4]),
        libc::SYS_truncate => files::cut(caller, places, a[0], a[1]),
        _ => older(caller, places, number, &a),
    }
}

/// The same under the names that only older processors have.
#[cfg(target_arch = "x86_64")]
fn older(caller: Caller, places: &mut Ground<'_>, number: c_long, a: &[u64; 6]) -> Answer {
    let at = |path: u64| Named { folder: HERE, path };
    match number {
        libc::SYS_open => files::open(caller, places, at(a[0]), a[1], a[2]),
        libc::SYS_creat => files::open(
            caller,
            places,
            at(a[0]),
            (libc::O_CREAT | libc::O_WRONLY | libc::O_TRUNC) as u64,
            a[1],
        ),
        libc::SYS_mkdir => files::make_folder(caller, places, at(a[0]), a[1]),
        libc::SYS_mknod => files::make_node(caller, places, at(a[0]), a[1]),
        libc::SYS_symlink => files::make_link(caller, places, a[0], at(a[1])),
        libc::SYS_unlink => files::remove(caller, places, at(a[0]), 0),
        libc::SYS_rmdir => files::remove(caller, places, at(a[0]), libc::AT_REMOVEDIR as u64),
        libc::SYS_rename => files::rename(caller, places, at(a[0]), at(a[1]), 0),
        libc::SYS_renameat => {
            let (from, to) = (Named { folder: a[0], path: a[1] }, Named { folder: a[2], path: a[3] });
            files::rename(caller, places, from, to, 0)
        }
        libc::SYS_link => files::link(caller, places, at(a[0]), at(a[1]), 0),
        _ => Answer::Kernel,
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn older(_: Caller, _: &mut Ground<'_>, _: c_long, _: &[u64; 6]) -> Answer {
    Answer::Kernel
}

fn metadata_call(number: c_long, a: &[u64; 6]) -> Option<(Object, Change)> {
    let at = |folder: u64, path: u64, flags: u64| Object::Path { folder, path, flags };
    Some(match number {
        libc::SYS_fchmod => (Object::Descriptor(a[0]), Change::Mode(a[1])),
        libc::SYS_fchmodat => (at(a[0], a[1], 0), Change::Mode(a[2])),
        FCHMODAT2 => (at(a[0], a[1], a[3]), Change::Mode(a[2])),
        libc::SYS_fchown => (Object::Descriptor(a[0]), Change::Owner(a[1], a[2])),
        libc::SYS_fchownat => (at(a[0], a[1], a[4]), Change::Owner(a[2], a[3])),
        libc::SYS_utimensat => (at(a[0], a[1], a[3]), Change::Times(Times::Nanoseconds(a[2]))),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chmod => (at(HERE, a[0], 0), Change::Mode(a[1])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_chown => (at(HERE, a[0], 0), Change::Owner(a[1], a[2])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_lchown => (at(HERE, a[0], libc::AT_SYMLINK_NOFOLLOW as u64), Change::Owner(a[1], a[2])),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utime => (at(HERE, a[0], 0), Change::Times(Times::Seconds(a[1]))),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_utimes => (at(HERE, a[0], 0), Change::Times(Times::Microseconds(a[1]))),
        #[cfg(target_arch = "x86_64")]
        libc::SYS_futimesat => (at(a[0], a[1], 0), Change::Times(Times::Microseconds(a[2]))),
        _ => return None,
    })
}
