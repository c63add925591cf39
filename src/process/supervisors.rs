//! Where supervisors come from. The first of a thread is this binary executed again; from the second on they are
//! forked by a server, which costs half as much. The server is an economy and nothing depends on it: one that does
//! not take an order at once is given up, and the supervisor is executed. Those it has forked never notice.

use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rustix::process::Pid;

use super::posix::{self, Fds};
use super::supervise::Server;

/// Larger orders might not fit into the socket at once, and the largest of them the system refuses: executing
/// says so before anything has started.
const LARGEST_ORDER: usize = 64 << 10;

/// A supervisor on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Started {
    /// Its process when it is our child and has to be reaped.
    pub(super) child: Option<Pid>,
    /// What commands before this one shared is gone.
    pub(super) anew: bool,
}

/// Starts supervisors. Dropping it does not end any.
#[derive(Debug)]
pub(super) struct Supervisors {
    exe: PathBuf,
    server: Mutex<State>,
}

#[derive(Debug, Default)]
enum State {
    /// No command yet; one alone does not need a server.
    #[default]
    Unused,
    /// The next command is worth a server.
    Due,
    /// And whether it keeps something for commands.
    Running(Server, bool),
}

impl Supervisors {
    /// None yet; `exe` is the binary that supervises.
    pub(super) fn new(exe: PathBuf) -> Self {
        Self { exe, server: Mutex::default() }
    }

    /// Starts one. `words` are the supervisor's arguments, its name first; `lasting` says that already the first
    /// command shares something with the next, which the server keeps.
    ///
    /// # Errors
    /// See [`posix::spawn`].
    pub(super) fn start(
        &self,
        words: &[CString],
        env: &[CString],
        fds: &Fds<'_>,
        lasting: bool,
    ) -> io::Result<Started> {
        let size: usize = words.iter().chain(env).map(|text| text.as_bytes_with_nul().len()).sum();
        let mut started = Started::default();
        if size <= LARGEST_ORDER {
            let (taken, anew) = self.order(words.get(1..).unwrap_or_default(), env, fds, lasting);
            started.anew = anew;
            if taken {
                return Ok(started);
            }
        }
        started.child = Some(posix::spawn(&c_path(&self.exe)?, words, env, fds)?);
        Ok(started)
    }

    /// Lets the server start one; false when there is none that does. And whether one that kept something was lost.
    fn order(&self, words: &[CString], env: &[CString], fds: &Fds<'_>, lasting: bool) -> (bool, bool) {
        let mut state = self.server.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Unused = *state {
            *state = State::Due;
            if !lasting {
                return (false, false);
            }
        }
        let mut lost = false;
        // What is lost is told, and shared anew from this command on.
        for _ in 0..2 {
            if let State::Due = *state
                && let Ok(server) = Server::start(&self.exe)
            {
                *state = State::Running(server, false);
            }
            let State::Running(server, keeps) = &mut *state else { break };
            if launch(server, words, env, fds).is_ok() {
                *keeps |= lasting;
                return (true, lost);
            }
            lost |= *keeps;
            *state = State::Due;
            if !lasting {
                break;
            }
        }
        (false, lost)
    }
}

fn launch(server: &mut Server, words: &[CString], env: &[CString], fds: &Fds<'_>) -> io::Result<()> {
    let null = if fds.stdin.is_none() { Some(File::open("/dev/null")?) } else { None };
    let stdin = null.as_ref().map(AsFd::as_fd).or(fds.stdin);
    let stdin = stdin.ok_or(io::ErrorKind::NotFound)?;
    server.launch(words, env, [stdin, fds.output, fds.output, fds.control])
}

fn c_path(path: &Path) -> io::Result<CString> {
    Ok(CString::new(OsStr::as_bytes(path.as_os_str()))?)
}

#[cfg(test)]
impl Supervisors {
    /// The server, if there is one.
    pub(super) fn server(&self) -> Option<Pid> {
        match &*self.server.lock().unwrap() {
            State::Running(server, _) => Some(server.process()),
            State::Unused | State::Due => None,
        }
    }
}
