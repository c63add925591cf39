//! `codex`'s side of the supervisor server. It never waits for the server: an order is taken at once or not at all.

use std::ffi::CString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::net::Shutdown;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use rustix::process::{Pid, Signal, kill_process};

use super::job::ARGV0;
use super::server::encode;
use crate::process::posix;

/// The word the server is called with instead of a mode.
pub(crate) const SERVE: &str = "serve";

/// A running server. Dropping it hangs up, which ends the process; supervisors it has forked go on.
#[derive(Debug)]
pub(crate) struct Server {
    socket: UnixStream,
    process: Pid,
}

impl Server {
    /// Starts a server; `exe` is this program, `/proc/self/exe` outside tests.
    ///
    /// # Errors
    /// The program cannot be executed.
    pub(crate) fn start(exe: &Path) -> io::Result<Self> {
        let (ours, theirs) = UnixStream::pair()?;
        let process = Command::new(exe)
            .arg0(ARGV0)
            .arg(SERVE)
            .env_clear()
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let process = Pid::from_child(&process);
        Ok(Self { socket: ours, process })
    }

    /// Starts a supervisor. `words` are `<mode> <confine> <cwd> <program> <args>…`, `environment` is made of
    /// `name=value`; `fds` are the command's stdin, stdout, stderr and the supervisor's end of the control socket,
    /// all to be closed by the caller afterwards.
    ///
    /// # Errors
    /// The server is gone or does not read. It must not be used again: half an order may be on its way.
    pub(crate) fn launch(
        &mut self,
        words: &[CString],
        environment: &[CString],
        fds: [BorrowedFd<'_>; 4],
    ) -> io::Result<()> {
        let order = encode(words, environment);
        let length = (order.len() as u32).to_le_bytes();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        let whole = [IoSlice::new(&length), IoSlice::new(&order)];
        let flags = SendFlags::DONTWAIT | SendFlags::NOSIGNAL;
        let sent = sendmsg(&self.socket, &whole, &mut ancillary, flags)?;
        if sent == length.len() + order.len() { Ok(()) } else { Err(io::ErrorKind::WriteZero.into()) }
    }
}

#[cfg(test)]
impl Server {
    /// Its process id.
    pub(crate) fn process(&self) -> Pid {
        self.process
    }
}

impl Drop for Server {
    /// It finishes what it was told, and nobody waits for it: if it was stopped from outside, that would be long.
    fn drop(&mut self) {
        let _ = self.socket.shutdown(Shutdown::Both);
        let _ = kill_process(self.process, Signal::CONT);
        posix::reap_later(self.process);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{PipeReader, Read};
    use std::os::fd::AsFd;

    /// The program beside the test binary; `cargo test` builds it.
    fn server() -> Server {
        let exe = std::env::current_exe().unwrap();
        let exe = exe.ancestors().nth(2).unwrap().join("codex");
        Server::start(&exe).unwrap_or_else(|error| panic!("{}: {error}", exe.display()))
    }

    fn launch(server: &mut Server, words: &[&str]) -> (PipeReader, UnixStream) {
        let words: Vec<_> = words.iter().map(|word| CString::new(*word).unwrap()).collect();
        let (output, to) = io::pipe().unwrap();
        let (control, theirs) = UnixStream::pair().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let environment = [c"GREETING=hello".to_owned(), c"PATH=/usr/bin:/bin".to_owned()];
        server.launch(&words, &environment, [null.as_fd(), to.as_fd(), to.as_fd(), theirs.as_fd()]).unwrap();
        (output, control)
    }

    #[test]
    fn commands_run_with_their_own_output_environment_and_end() {
        let mut server = server();
        let script = |n| format!("echo $GREETING {n}; echo err >&2; env | wc -l; exit {n}");
        let running: Vec<_> =
            (1..9).map(|n| launch(&mut server, &["pipe", "-", "/", "sh", "-c", &script(n)])).collect();
        for (n, (mut output, mut control)) in (1..).zip(running) {
            let (mut text, mut line) = (String::new(), String::new());
            output.read_to_string(&mut text).unwrap();
            control.read_to_string(&mut line).unwrap();
            // GREETING, PATH and the shell's own PWD; some shells add more.
            assert!(text.starts_with(&format!("hello {n}\nerr\n")), "{text}");
            assert_eq!(line, format!("exit {n}\n"));
        }
    }

    #[test]
    fn hanging_up_ends_the_server_but_not_a_command() {
        let mut server = server();
        let (mut output, mut control) =
            launch(&mut server, &["pipe", "-", "/", "sh", "-c", "read x < /proc/self/stat; echo done"]);
        drop(server);
        let (mut text, mut line) = (String::new(), String::new());
        output.read_to_string(&mut text).unwrap();
        control.read_to_string(&mut line).unwrap();
        assert_eq!((text.as_str(), line.as_str()), ("done\n", "exit 0\n"));
    }
}
