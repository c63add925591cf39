//! The prompt: from the argument, from stdin, or from both. With a prompt on the command line an open stdin must
//! never hold up the run: a pipe gets a moment for its first byte, then a little patience between bytes; whoever
//! is slower is left out or cut, and the user is told. Without a prompt stdin is the prompt and is awaited.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;

/// Longest prompt, in bytes. The service takes less; this only bounds memory.
pub(crate) const MAX_BYTES: usize = 4 << 20;

/// How long to wait for a stdin that nobody asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the first byte, or the end.
    pub(crate) first: Duration,
    /// For the next byte.
    pub(crate) next: Duration,
    /// For everything.
    pub(crate) all: Duration,
}

impl Patience {
    /// Long enough for `git diff | codex exec …`, short enough not to be noticed with an idle pipe.
    pub(crate) const USUAL: Self = Self {
        first: Duration::from_millis(100),
        next: Duration::from_secs(1),
        all: Duration::from_secs(10),
    };
}

/// The prompt, and what the user should know about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Never empty.
    pub(crate) text: String,
    /// Set when stdin was left out or cut.
    pub(crate) warning: Option<String>,
}

/// There is no usable prompt.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Neither an argument nor stdin.
    #[error("no prompt given. Write it as an argument, or pipe it in: `echo \"…\" | codex exec -`")]
    Missing,
    /// Stdin, or the argument, holds only white space.
    #[error("the prompt is empty")]
    Empty,
    /// More than anybody can send.
    #[error("the prompt is larger than {} MiB", MAX_BYTES >> 20)]
    TooLong,
    /// Stdin is not text.
    #[error("stdin is not valid UTF-8 (byte {offset}). Convert it first, for example with iconv")]
    NotUtf8 {
        /// Bytes before the first bad one.
        offset: usize,
    },
    /// Stdin cannot be read.
    #[error("cannot read stdin: {0}")]
    Unreadable(std::io::Error),
}

/// Reads the prompt. Blocks: call it before anything runs, or on a blocking task.
///
/// # Errors
/// See [`Error`].
pub(crate) fn read(argument: Option<&str>, stdin: impl AsFd, patience: Patience) -> Result<Prompt, Error> {
    let fd = stdin.as_fd();
    let terminal = rustix::termios::isatty(fd);
    let prompt = match argument {
        None if terminal => return Err(Error::Missing),
        None | Some("-") => {
            let (bytes, _) = drain(fd, None)?;
            let text = text(bytes)?;
            if argument.is_none() && text.trim().is_empty() {
                return Err(Error::Missing);
            }
            Prompt { text, warning: None }
        }
        Some(argument) => match beside(fd, terminal, patience)? {
            (bytes, warning) if bytes.iter().all(u8::is_ascii_whitespace) => {
                Prompt { text: argument.to_owned(), warning }
            }
            (bytes, warning) => {
                let piped = text(bytes)?;
                Prompt {
                    text: format!("{argument}\n\n<stdin>\n{}\n</stdin>", piped.trim_end_matches('\n')),
                    warning,
                }
            }
        },
    };
    match prompt.text {
        ref text if text.trim().is_empty() => Err(Error::Empty),
        ref text if text.len() > MAX_BYTES => Err(Error::TooLong),
        _ => Ok(prompt),
    }
}

/// What stdin holds beside a prompt from the command line.
fn beside(
    fd: rustix::fd::BorrowedFd<'_>,
    terminal: bool,
    patience: Patience,
) -> Result<(Vec<u8>, Option<String>), Error> {
    let kind = rustix::fs::fstat(fd).map(|stat| FileType::from_raw_mode(stat.st_mode));
    let (bytes, end) = match kind {
        Ok(FileType::RegularFile) => drain(fd, None)?,
        Ok(FileType::Fifo | FileType::Socket) if !terminal => drain(fd, Some(patience))?,
        // A terminal, /dev/null, or nothing at all.
        _ => return Ok((Vec::new(), None)),
    };
    let warning = match (end, bytes.is_empty()) {
        (End::Whole, _) => None,
        (End::Impatient, true) => Some(
            "stdin is open but silent, so it was not read; to send what it brings, give - as the prompt"
                .to_owned(),
        ),
        (End::Impatient, false) => Some(format!(
            "stdin went quiet before its end; only the first {} bytes were read. To wait for all of it, give - as \
             the prompt",
            bytes.len()
        )),
    };
    Ok((bytes, warning))
}

enum End {
    Whole,
    Impatient,
}

/// Reads until the end, the size limit, or the end of patience (`None`: forever).
fn drain(fd: rustix::fd::BorrowedFd<'_>, patience: Option<Patience>) -> Result<(Vec<u8>, End), Error> {
    let unreadable = |errno: rustix::io::Errno| Error::Unreadable(errno.into());
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 64 * 1024];
    let begun = Instant::now();
    loop {
        if let Some(patience) = patience {
            let wait = if bytes.is_empty() { patience.first } else { patience.next };
            let wait = wait.min(patience.all.saturating_sub(begun.elapsed()));
            if !is_ready(fd, wait).map_err(unreadable)? {
                return Ok((bytes, End::Impatient));
            }
        }
        match rustix::io::read(fd, &mut chunk) {
            Ok(0) => return Ok((bytes, End::Whole)),
            Ok(count) => bytes.extend(chunk.iter().take(count)),
            // Somebody else made the pipe non-blocking, or took the bytes.
            Err(rustix::io::Errno::AGAIN) if patience.is_none() => {
                is_ready(fd, Duration::from_secs(3600)).map_err(unreadable)?;
            }
            Err(rustix::io::Errno::INTR | rustix::io::Errno::AGAIN) => {}
            Err(errno) => return Err(unreadable(errno)),
        }
        if bytes.len() > MAX_BYTES {
            return Err(Error::TooLong);
        }
    }
}

/// Whether a read would return within `wait` (bytes, the end, or an error).
fn is_ready(fd: rustix::fd::BorrowedFd<'_>, wait: Duration) -> rustix::io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd, PollFlags::IN)];
    let timeout = Timespec::try_from(wait).ok();
    match poll(&mut fds, timeout.as_ref()) {
        Ok(count) => Ok(count > 0),
        Err(rustix::io::Errno::INTR) => Ok(false),
        Err(errno) => Err(errno),
    }
}

fn text(bytes: Vec<u8>) -> Result<String, Error> {
    let text = String::from_utf8(bytes)
        .map_err(|error| Error::NotUtf8 { offset: error.utf8_error().valid_up_to() })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Seek, Write};
    use std::os::fd::OwnedFd;

    use super::*;

    const SHORT: Patience = Patience {
        first: Duration::from_millis(20),
        next: Duration::from_millis(20),
        all: Duration::from_secs(5),
    };

    /// A pipe with `bytes` in it; the second end keeps it open.
    fn pipe(bytes: &[u8]) -> (OwnedFd, File) {
        let (read, write) = rustix::pipe::pipe().unwrap();
        let mut write = File::from(write);
        write.write_all(bytes).unwrap();
        (read, write)
    }

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        file
    }

    #[test]
    fn argument_alone_and_with_a_finished_stdin() {
        let null = File::open("/dev/null").unwrap();
        assert_eq!(read(Some("hi"), &null, SHORT).unwrap(), Prompt { text: "hi".into(), warning: None });
        let want = "hi\n\n<stdin>\nmore\n</stdin>";
        assert_eq!(read(Some("hi"), file(b"more\n"), SHORT).unwrap().text, want);
        let (end, writer) = pipe(b"more");
        drop(writer);
        assert_eq!(read(Some("hi"), end, SHORT).unwrap(), Prompt { text: want.into(), warning: None });
        assert_eq!(read(Some("hi"), file(b" \n"), SHORT).unwrap().text, "hi");
    }

    #[test]
    fn an_open_pipe_never_holds_up_a_given_prompt() {
        let (end, _open) = pipe(b"");
        let prompt = read(Some("hi"), end, SHORT).unwrap();
        assert_eq!(prompt.text, "hi");
        assert!(prompt.warning.unwrap().contains("silent"));
        let (end, _open) = pipe(b"half");
        let prompt = read(Some("hi"), end, SHORT).unwrap();
        assert_eq!(prompt.text, "hi\n\n<stdin>\nhalf\n</stdin>");
        assert!(prompt.warning.unwrap().contains("first 4 bytes"));
    }

    #[test]
    fn stdin_is_the_prompt_when_there_is_no_other() {
        for argument in [None, Some("-")] {
            let (end, writer) = pipe("\u{feff}do it\n".as_bytes());
            drop(writer);
            assert_eq!(read(argument, end, SHORT).unwrap().text, "do it\n");
        }
        assert!(matches!(read(None, file(b" \n"), SHORT), Err(Error::Missing)));
        assert!(matches!(read(Some("-"), file(b" \n"), SHORT), Err(Error::Empty)));
        assert!(matches!(read(Some(" "), File::open("/dev/null").unwrap(), SHORT), Err(Error::Empty)));
    }

    #[test]
    fn bad_input_is_named() {
        for argument in [None, Some("hi")] {
            let error = read(argument, file(b"ok\xff\xfe"), SHORT).unwrap_err();
            assert!(matches!(error, Error::NotUtf8 { offset: 2 }), "{error}");
            let error = read(argument, file(&vec![b'x'; MAX_BYTES + 1]), SHORT).unwrap_err();
            assert!(matches!(error, Error::TooLong), "{error}");
        }
        let write_only = File::options().write(true).open("/dev/null").unwrap();
        assert!(matches!(read(None, write_only, SHORT), Err(Error::Unreadable(_))));
    }
}
