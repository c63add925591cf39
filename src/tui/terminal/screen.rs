//! The terminal's life cycle: raw mode, screen, modes, and all of it undone on every way out: exit, panic, signal,
//! suspension, a program in between. The only place that writes to the terminal. Knows no component.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, Once, PoisonError};
use std::time::Duration;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use rustix::event::{PollFd, PollFlags};
use rustix::termios::{self, OptionalActions, Termios};
use tokio::io::unix::AsyncFd;

use super::paint;

/// Bytes read from the terminal at once.
const READ: usize = 64 * 1024;
/// Largest screen that is drawn; what is beyond stays empty.
const MAX_SIDE: u16 = 1000;
/// Begins and ends a frame that is to be shown whole.
const SYNC: (&[u8], &[u8]) = (b"\x1b[?2026h", b"\x1b[?2026l");
/// Asks for keyboard protocol, text colour, background colour, and what the terminal is; the last is always answered.
const QUERIES: &[u8] = b"\x1b[?u\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[c";

/// The same, and its name: whether it wraps lines at another width goes by that.
const QUERIES_SCROLLBACK: &[u8] = b"\x1b[>q\x1b[?u\x1b]10;?\x1b\\\x1b]11;?\x1b\\\x1b[c";

/// Which part of the terminal is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Screen {
    /// All of it, on a screen of its own.
    Full,
    /// A few rows at the bottom; everything finished goes into the terminal's own scrollback.
    Scrollback,
}

impl Screen {
    /// Bracketed paste, focus reports, kitty keys without xterm's older form, the title kept for later.
    fn enter(self) -> &'static [u8] {
        match self {
            Self::Full => {
                b"\x1b[22;0t\x1b[?1049h\x1b[?1007h\x1b[?2004h\x1b[?1004h\x1b[>4;0m\x1b[>5u\x1b[2J\x1b[H"
            }
            Self::Scrollback => b"\x1b[22;0t\x1b[?2004h\x1b[?1004h\x1b[>4;0m\x1b[>5u",
        }
    }

    /// The same undone, in reverse.
    fn leave(self) -> &'static [u8] {
        match self {
            Self::Full => {
                b"\x1b[?2026l\x1b[r\x1b[0m\x1b[<1u\x1b[>4m\x1b[?1004l\x1b[?2004l\x1b[?1007l\x1b[?1049l\x1b[23;0t\x1b[?25h"
            }
            Self::Scrollback => {
                b"\x1b[?2026l\x1b[0m\x1b[<1u\x1b[>4m\x1b[?1004l\x1b[?2004l\x1b[23;0t\x1b[?25h"
            }
        }
    }
}

/// The terminal cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// Not a terminal: another front end is needed.
    #[error("standard input and output must be a terminal (use `codex exec` in scripts)")]
    NotATerminal,
    /// The system refused.
    #[error("cannot use the terminal: {0}")]
    Io(#[from] io::Error),
    /// A part of the app panicked; the terminal was given back.
    #[error("codex had to stop: a fault of its own")]
    Fault,
}

/// How the terminal was before, for whoever has to put it back.
struct Before {
    termios: Termios,
    screen: Screen,
}

static BEFORE: Mutex<Option<Before>> = Mutex::new(None);

/// The terminal while the app has it.
pub(crate) struct Terminal {
    screen: Screen,
    termios: Termios,
    shown: Buffer,
    cursor: Option<(u16, u16)>,
    /// The terminal may show anything: draw everything.
    unknown: bool,
    out: Vec<u8>,
}

impl Terminal {
    /// Takes the terminal.
    ///
    /// # Errors
    /// There is none, or it cannot be set up.
    pub(crate) fn open(screen: Screen) -> Result<Self, Error> {
        if !termios::isatty(stdin()) || !termios::isatty(stdout()) {
            return Err(Error::NotATerminal);
        }
        restore_on_panic();
        let termios = termios::tcgetattr(stdin()).map_err(io::Error::from)?;
        let mut terminal = Self {
            screen,
            termios,
            shown: Buffer::empty(Rect::default()),
            cursor: None,
            unknown: true,
            out: Vec::new(),
        };
        terminal.enter()?;
        Ok(terminal)
    }

    /// Sets everything up (again).
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn enter(&mut self) -> io::Result<()> {
        let mut raw = self.termios.clone();
        raw.make_raw();
        let before = Before { termios: self.termios.clone(), screen: self.screen };
        *BEFORE.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
        termios::tcsetattr(stdin(), OptionalActions::Now, &raw)?;
        self.unknown = true;
        write(self.screen.enter())
    }

    /// Gives the terminal back as it was.
    pub(crate) fn leave(&mut self) {
        restore();
    }

    /// Asks the terminal what it is; answers come as input, or not at all.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn query(&mut self) -> io::Result<()> {
        write(match self.screen {
            Screen::Full => QUERIES,
            Screen::Scrollback => QUERIES_SCROLLBACK,
        })
    }

    /// Columns and rows now.
    pub(crate) fn size(&self) -> (u16, u16) {
        match termios::tcgetwinsize(stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => {
                (size.ws_col.min(MAX_SIDE), size.ws_row.min(MAX_SIDE))
            }
            _ => (80, 24),
        }
    }

    /// The terminal may show anything by now.
    pub(crate) fn forget(&mut self) {
        self.unknown = true;
    }

    /// Shows a screen; writes only what changed, and nothing when nothing did.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn draw(&mut self, wanted: &Buffer, cursor: Option<(u16, u16)>) -> io::Result<()> {
        self.out.clear();
        self.out.extend_from_slice(SYNC.0);
        self.out.extend_from_slice(b"\x1b[?25l");
        let start = self.out.len();
        if self.unknown || self.shown.area != wanted.area {
            self.out.extend_from_slice(b"\x1b[r\x1b[0m\x1b[2J");
            self.shown = Buffer::empty(wanted.area);
        }
        paint::update(&mut self.shown, wanted, &mut self.out);
        if self.out.len() == start && self.cursor == cursor && !self.unknown {
            return Ok(());
        }
        if let Some((x, y)) = cursor {
            self.out.extend_from_slice(format!("\x1b[{};{}H\x1b[?25h", y + 1, x + 1).as_bytes());
        }
        self.out.extend_from_slice(SYNC.1);
        self.unknown = false;
        self.cursor = cursor;
        write(&self.out)
    }

    /// Begins or ends a screen of its own, for a page over a terminal that scrolls.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn page(&mut self, begins: bool) -> io::Result<()> {
        self.unknown = true;
        if let Some(before) = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).as_mut() {
            before.screen = if begins { Screen::Full } else { self.screen };
        }
        // Each screen has keyboard flags of its own.
        write(if begins { b"\x1b[?1049h\x1b[?1007h\x1b[>5u" } else { b"\x1b[<1u\x1b[?1007l\x1b[?1049l" })
    }

    /// Writes bytes that are no part of the screen: a title, a bell, the clipboard.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        write(bytes)
    }

    /// Writes bytes that are shown together.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) fn write_frame(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.clear();
        self.out.extend_from_slice(SYNC.0);
        self.out.extend_from_slice(bytes);
        self.out.extend_from_slice(SYNC.1);
        write(&self.out)
    }

    /// Stops the program as the shell would. Another thread may be the one that stops: the caller waits until it was
    /// continued before it takes the terminal again.
    pub(crate) fn stop(&mut self) {
        let _ = rustix::process::kill_current_process_group(rustix::process::Signal::TSTP);
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// The bytes a person types.
pub(crate) struct Keyboard {
    fd: AsyncFd<OwnedFd>,
    buffer: Vec<u8>,
    /// Bytes typed before the terminal was taken, not read yet.
    early: usize,
}

impl Keyboard {
    /// Listens to standard input, right after the terminal was taken.
    ///
    /// # Errors
    /// It cannot be waited for.
    #[allow(
        deprecated,
        reason = "the other way is `unsafe`; an owned descriptor is what the warning asks for"
    )]
    pub(crate) fn open() -> Result<Self, Error> {
        let own = stdin().try_clone_to_owned()?;
        let fd = AsyncFd::with_interest(own, tokio::io::Interest::READABLE)?;
        let early =
            rustix::io::ioctl_fionread(stdin()).map_or(0, |count| usize::try_from(count).unwrap_or(0));
        Ok(Self { fd, buffer: vec![0; READ], early })
    }

    /// The next bytes; nothing at all when the terminal is gone. Cancel-safe.
    ///
    /// # Errors
    /// The terminal is gone.
    pub(crate) async fn read(&mut self) -> io::Result<&[u8]> {
        loop {
            let mut ready = self.fd.readable().await?;
            // Another process may have read what we were woken for, and the descriptor may block.
            if !poll(self.fd.get_ref().as_fd(), PollFlags::IN, Duration::ZERO)? {
                ready.clear_ready();
                continue;
            }
            match rustix::io::read(self.fd.get_ref(), &mut self.buffer) {
                Ok(count) => return Ok(self.take(count)),
                Err(rustix::io::Errno::AGAIN) => ready.clear_ready(),
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What was read; the system's line editor has made line feeds of the enter keys it saw.
    fn take(&mut self, count: usize) -> &[u8] {
        let read = self.buffer.get_mut(..count).unwrap_or_default();
        let early = self.early.min(count);
        self.early -= early;
        for byte in read.iter_mut().take(early).filter(|byte| **byte == b'\n') {
            *byte = b'\r';
        }
        read
    }
}

fn stdin() -> BorrowedFd<'static> {
    rustix::stdio::stdin()
}

fn stdout() -> BorrowedFd<'static> {
    rustix::stdio::stdout()
}

fn poll(fd: BorrowedFd<'_>, flags: PollFlags, within: Duration) -> io::Result<bool> {
    let mut fds = [PollFd::from_borrowed_fd(fd.as_fd(), flags)];
    let within = rustix::event::Timespec {
        tv_sec: i64::try_from(within.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(within.subsec_nanos()),
    };
    Ok(rustix::event::poll(&mut fds, Some(&within))? > 0)
}

/// Writes everything; waits when a slow terminal cannot take more.
fn write(bytes: &[u8]) -> io::Result<()> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match rustix::io::write(stdout(), rest) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => rest = rest.get(count..).unwrap_or_default(),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                poll(stdout(), PollFlags::OUT, Duration::from_secs(1))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Puts the terminal back as it was, if it was taken. May be called at any time, from anywhere.
fn restore() {
    let before = BEFORE.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some(before) = before {
        let _ = write(before.screen.leave());
        let _ = termios::tcsetattr(stdin(), OptionalActions::Now, &before.termios);
    }
}

thread_local! {
    static DRAWING: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Runs code of the app itself: when it panics the terminal is put back first. A panic elsewhere ends only its
/// task and must not touch the screen.
///
/// # Errors
/// It panicked: what it worked on may be in any state, and the app can only end.
pub(crate) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    DRAWING.set(true);
    let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work));
    DRAWING.set(false);
    done.map_err(|_| Error::Fault)
}

/// The screen is given back before anybody tells of the panic; the hook that was there before must not print while a
/// screen is taken.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            if DRAWING.get() {
                restore();
            }
            usual(info);
        }));
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_switched_on_is_switched_off() {
        for screen in [Screen::Full, Screen::Scrollback] {
            let text = |bytes: &'static [u8]| std::str::from_utf8(bytes).unwrap();
            let on: Vec<&str> =
                text(screen.enter()).split('\x1b').filter(|part| part.ends_with('h')).collect();
            assert!(on.len() >= 2);
            for mode in on {
                let off = mode.replace('h', "l");
                assert!(text(screen.leave()).split('\x1b').any(|part| part == off), "{mode}");
            }
            for (begun, ended) in [("[>5u", "[<1u"), ("[>4;0m", "[>4m"), ("[22;0t", "[23;0t")] {
                assert!(text(screen.enter()).contains(begun) && text(screen.leave()).contains(ended));
            }
        }
    }
}
