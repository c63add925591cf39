//! `codex`'s side of the supervisor server.

use std::ffi::OsString;
use std::io::{self, IoSlice};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::job::ARGV0;
use super::server::encode;

/// The word the server is called with instead of a mode.
pub(crate) const SERVE: &str = "serve";

/// A running server. Dropping it hangs up: no more commands, and the process ends.
#[derive(Debug)]
pub(crate) struct Server {
    /// One order at a time: an order is more than one write.
    socket: Mutex<UnixStream>,
    process: Child,
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
        Ok(Self { socket: Mutex::new(ours), process })
    }

    /// Starts a supervisor. `words` are `<mode> <confine> <cwd> <program> <args>…`; `fds` are the command's
    /// stdin, stdout, stderr and the supervisor's end of the control socket, all to be closed by the caller
    /// afterwards. Blocks for the time of a write to a process that reads at once.
    ///
    /// # Errors
    /// The server is gone: start another.
    pub(crate) fn launch(
        &self,
        words: &[OsString],
        environment: &[(OsString, OsString)],
        fds: [BorrowedFd<'_>; 4],
    ) -> io::Result<()> {
        let order = encode(words, environment);
        let length = (order.len() as u32).to_le_bytes();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(4))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ancillary.push(SendAncillaryMessage::ScmRights(&fds));
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        sendmsg(&*socket, &[IoSlice::new(&length)], &mut ancillary, SendFlags::NOSIGNAL)?;
        let mut rest = order.as_slice();
        while !rest.is_empty() {
            let sent = rustix::net::send(&*socket, rest, SendFlags::NOSIGNAL)?;
            rest = rest.get(sent..).unwrap_or_default();
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let socket = self.socket.get_mut().unwrap_or_else(PoisonError::into_inner);
        let _ = socket.shutdown(std::net::Shutdown::Both);
        let _ = self.process.wait();
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

    fn launch(server: &Server, words: &[&str]) -> (PipeReader, UnixStream) {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        let (output, to) = io::pipe().unwrap();
        let (control, theirs) = UnixStream::pair().unwrap();
        let null = std::fs::File::open("/dev/null").unwrap();
        let environment = [("GREETING".into(), "hello".into()), ("PATH".into(), "/usr/bin:/bin".into())];
        server.launch(&words, &environment, [null.as_fd(), to.as_fd(), to.as_fd(), theirs.as_fd()]).unwrap();
        (output, control)
    }

    #[test]
    fn commands_run_with_their_own_output_environment_and_end() {
        let server = server();
        let script = |n| format!("echo $GREETING {n}; echo err >&2; env | wc -l; exit {n}");
        let running: Vec<_> =
            (1..9).map(|n| launch(&server, &["pipe", "-", "/", "sh", "-c", &script(n)])).collect();
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
        let server = server();
        let (mut output, mut control) =
            launch(&server, &["pipe", "-", "/", "sh", "-c", "read x < /proc/self/stat; echo done"]);
        drop(server);
        let (mut text, mut line) = (String::new(), String::new());
        output.read_to_string(&mut text).unwrap();
        control.read_to_string(&mut line).unwrap();
        assert_eq!((text.as_str(), line.as_str()), ("done\n", "exit 0\n"));
    }
}
