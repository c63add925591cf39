//! Starts a command under its supervisor and tells how it ended. The supervisor is this binary under another name;
//! one socket joins it to us. Closing that socket, in whatever way, ends the command with all its descendants; and
//! when the last of them is gone the supervisor says so there. Nothing in here polls, and nothing needs SIGCHLD.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, Shutdown, SocketFlags, SocketType, recv, send, shutdown, socketpair,
};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::process::Pid;
use tokio::io::Interest;

use super::polled::Polled;
use super::spec::{CommandSpec, Stdin};
use super::supervise::ARGV0;
use super::supervisors::{Started, Supervisors};
use super::{posix, pty};
use crate::protocol::network::Visits;

/// Room of a pipe whose writer is faster than we are: few wake-ups, still not much memory.
const BIG_PIPE: usize = 1 << 20;
/// The supervisor's answer is one or two short lines; more is not read.
const ANSWER_MAX: usize = 16 << 10;

/// Why a command could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The call is wrong: an empty command, or a NUL byte where the system allows none.
    #[error("{0}")]
    Invalid(&'static str),
    /// The system has no process, descriptor or terminal to give, or the arguments are too long.
    #[error("cannot start a process: {0}")]
    System(#[from] io::Error),
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// By itself.
    Code(i32),
    /// By a signal.
    Signal(i32),
    /// It did not run: what was asked for could not be set up (confinement, working directory).
    Setup(String),
    /// It did not run: the program cannot be executed; the system's error number.
    Exec(i32),
    /// Its supervisor was killed from outside; the command and its descendants are gone with it.
    Lost,
}

impl Exit {
    /// The code a shell would give: 128 + signal number when killed, 127 or 126 when it could not be executed.
    pub(crate) fn code(&self) -> i32 {
        match self {
            Self::Code(code) => *code,
            Self::Signal(signal) => 128 + signal,
            Self::Setup(_) => 126,
            Self::Exec(libc::ENOENT) => 127,
            Self::Exec(_) => 126,
            Self::Lost => 137,
        }
    }
}

/// Starts commands. Clones share what makes the second command cheaper than the first.
#[derive(Clone, Debug)]
pub(crate) struct Launcher {
    supervisors: Arc<Supervisors>,
}

impl Default for Launcher {
    /// Ourselves, also when the file on disk was replaced meanwhile.
    fn default() -> Self {
        Self::at(PathBuf::from("/proc/self/exe"))
    }
}

impl Launcher {
    /// Another binary as supervisor: a test binary is not one.
    pub(crate) fn at(exe: PathBuf) -> Self {
        Self { supervisors: Arc::new(Supervisors::new(exe)) }
    }

    /// Starts a command. Must be called on a runtime.
    ///
    /// # Errors
    /// See [`Error`]. A program that does not exist is not an error here but an [`Exit`].
    pub(crate) fn start(&self, spec: &CommandSpec) -> Result<Running, Error> {
        posix::reap_left();
        let (argv, env) = (arguments(spec)?, environment(spec)?);
        let (ours, theirs) = socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)
            .map_err(io::Error::from)?;
        let streams = Streams::open(spec)?;
        let fds = posix::Fds {
            stdin: streams.stdin.as_ref().map(AsFd::as_fd),
            output: streams.output.as_fd(),
            control: theirs.as_fd(),
        };
        let control = Polled::stream(ours, Interest::READABLE)?;
        let Started { child: pid, anew } =
            self.supervisors.start(&argv, &env, &fds, spec.confine.is_some())?;
        // From here on an error drops `supervisor`, which ends the command.
        let supervisor = Supervisor { pid, control: Some(control), exit: None, reached: None, anew };
        drop(theirs);
        supervisor.attach(streams)
    }
}

/// The child's ends of the streams, and ours.
struct Streams {
    stdin: Option<OwnedFd>,
    output: OwnedFd,
    ours_in: Option<OwnedFd>,
    ours_out: OwnedFd,
    tty: bool,
}

impl Streams {
    fn open(spec: &CommandSpec) -> io::Result<Self> {
        if spec.tty {
            let pty = pty::open()?;
            let stdin = Some(pty.slave.try_clone()?);
            return Ok(Self { stdin, output: pty.slave, ours_in: None, ours_out: pty.master, tty: true });
        }
        let (ours_out, output) = pipe_with(PipeFlags::CLOEXEC)?;
        let (stdin, ours_in) = match spec.stdin {
            Stdin::Closed => (None, None),
            Stdin::Piped => {
                let (theirs, ours) = pipe_with(PipeFlags::CLOEXEC)?;
                (Some(theirs), Some(ours))
            }
        };
        Ok(Self { stdin, output, ours_in, ours_out, tty: false })
    }
}

/// A started command. Dropping it ends the command and all its descendants.
#[derive(Debug)]
pub(crate) struct Running {
    output: Polled,
    input: Option<Polled>,
    supervisor: Supervisor,
    tty: bool,
}

impl Running {
    /// Reads output, waiting for the first byte; 0 = no program holds the stream any more. Cancel safe.
    pub(crate) async fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.output.read(buf).await
    }

    /// Reads output that is already there; `None` = nothing now.
    pub(crate) fn try_read(&self, buf: &mut [u8]) -> io::Result<Option<usize>> {
        self.output.try_read(buf)
    }

    /// Writes some of `bytes` to the command's input, waiting for room. Cancel safe.
    ///
    /// # Errors
    /// The command takes no input, or closed it.
    pub(crate) async fn write(&self, bytes: &[u8]) -> io::Result<usize> {
        match &self.input {
            Some(input) => input.write(bytes).await,
            None if self.tty => self.output.write(bytes).await,
            None => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Whether the command has an input that can be written.
    pub(crate) fn takes_input(&self) -> bool {
        self.tty || self.input.is_some()
    }

    /// Whether the command has a terminal.
    pub(crate) fn is_tty(&self) -> bool {
        self.tty
    }

    /// Gives the output pipe more room: for a command that prints faster than it is read.
    pub(crate) fn widen(&self) {
        if !self.tty {
            let _ = fcntl_setpipe_size(self.output.fd(), BIG_PIPE);
        }
    }

    /// Waits until every process of the command is gone; what they printed may still be in the stream. Cancel
    /// safe, and may be awaited beside `read` and `write`.
    pub(crate) async fn ended(&self) {
        self.supervisor.ended().await;
    }

    /// How the command ended; to be asked after `ended`. Gives the same answer when asked again.
    pub(crate) fn exit(&mut self) -> Exit {
        self.supervisor.exit()
    }

    /// Asks the supervisor to end the command: SIGTERM, a short grace, then SIGKILL for every descendant.
    /// `ended` tells when it is done.
    pub(crate) fn terminate(&self) {
        self.supervisor.terminate();
    }

    /// What the command reached in the network or was refused there, when it has ended and there were chosen ways.
    pub(crate) fn reached(&self) -> Option<&Visits> {
        self.supervisor.reached.as_ref()
    }

    /// Whether what commands before this one shared, their network, was lost before it.
    pub(crate) fn is_anew(&self) -> bool {
        self.supervisor.anew
    }

    /// Closes our side of the control socket: the command is killed as if we had died. `ended` still tells when it
    /// is done.
    pub(crate) fn hang_up(&self) {
        self.supervisor.hang_up();
    }
}

/// The process that watches the command. Owned by exactly one [`Running`].
#[derive(Debug)]
struct Supervisor {
    /// When it is our child.
    pid: Option<Pid>,
    control: Option<Polled>,
    exit: Option<Exit>,
    reached: Option<Visits>,
    anew: bool,
}

impl Supervisor {
    fn attach(self, streams: Streams) -> Result<Running, Error> {
        let Streams { stdin, output, ours_in, ours_out, tty } = streams;
        drop((stdin, output));
        let interest = if tty { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let output = Polled::stream(ours_out, interest)?;
        let input = ours_in.map(|fd| Polled::stream(fd, Interest::WRITABLE)).transpose()?;
        Ok(Running { output, input, supervisor: self, tty })
    }

    /// The supervisor speaks once, when all is over; if it was killed there is the end of the stream instead.
    async fn ended(&self) {
        if let Some(control) = &self.control {
            // An error means that the runtime goes down: there is nobody left to wait for.
            let _ = control.readable().await;
        }
    }

    fn exit(&mut self) -> Exit {
        if let Some(exit) = &self.exit {
            return exit.clone();
        }
        let exit = self.answer();
        if let Some(pid) = self.pid.take() {
            posix::reap_later(pid);
        }
        self.exit.insert(exit).clone()
    }

    fn answer(&mut self) -> Exit {
        let Some(control) = self.control.take() else { return Exit::Lost };
        let mut line = Vec::new();
        let mut buf = [0u8; 512];
        while line.len() < ANSWER_MAX {
            match recv(control.fd(), &mut buf, RecvFlags::DONTWAIT) {
                Ok((_, 0)) | Err(_) => break,
                Ok((_, count)) => line.extend_from_slice(buf.get(..count).unwrap_or_default()),
            }
        }
        let text = String::from_utf8_lossy(&line);
        let (first, more) = text.split_once('\n').unwrap_or((&text, ""));
        self.reached = more.strip_prefix("reached ").and_then(|visits| serde_json::from_str(visits).ok());
        parse_answer(first)
    }

    fn terminate(&self) {
        if let Some(control) = &self.control {
            let _ = send(control.fd(), b"T", SendFlags::DONTWAIT | SendFlags::NOSIGNAL);
        }
    }

    fn hang_up(&self) {
        if let Some(control) = &self.control {
            let _ = shutdown(control.fd(), Shutdown::Write);
        }
    }
}

impl Drop for Supervisor {
    fn drop(&mut self) {
        self.control = None;
        if let Some(pid) = self.pid.take() {
            posix::reap_later(pid);
        }
    }
}

/// Reads the supervisor's first line.
fn parse_answer(line: &str) -> Exit {
    let line = line.trim_end_matches('\n');
    let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
    match (word, rest.parse::<i32>()) {
        ("exit", Ok(code)) => Exit::Code(code),
        ("signal", Ok(signal)) => Exit::Signal(signal),
        ("exec", Ok(errno)) => Exit::Exec(errno),
        ("setup", _) => Exit::Setup(rest.to_owned()),
        _ => Exit::Lost,
    }
}

fn arguments(spec: &CommandSpec) -> Result<Vec<CString>, Error> {
    if spec.argv.first().is_none_or(|program| program.is_empty()) {
        return Err(Error::Invalid("the command is empty"));
    }
    let mode = if spec.tty { "tty" } else { "pipe" };
    let confine = spec.confine.as_deref().unwrap_or("-");
    let head = [ARGV0, mode, confine].map(OsStr::new);
    head.into_iter()
        .chain([spec.cwd.as_os_str()])
        .chain(spec.argv.iter().map(OsString::as_os_str))
        .map(text)
        .collect()
}

fn environment(spec: &CommandSpec) -> Result<Vec<CString>, Error> {
    spec.env
        .iter()
        .filter(|(name, _)| !name.is_empty() && !name.as_bytes().contains(&b'='))
        .map(|(name, value)| {
            let mut pair = Vec::with_capacity(name.len() + value.len() + 1);
            pair.extend_from_slice(name.as_bytes());
            pair.push(b'=');
            pair.extend_from_slice(value.as_bytes());
            CString::new(pair).map_err(|_| Error::Invalid("an environment variable holds a NUL byte"))
        })
        .collect()
}

fn text(text: &OsStr) -> Result<CString, Error> {
    CString::new(text.as_bytes()).map_err(|_| Error::Invalid("the command holds a NUL byte"))
}

#[cfg(test)]
#[path = "spawn_tests.rs"]
mod tests;
