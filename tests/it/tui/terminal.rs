//! The binary in a real pseudo terminal with an emulator on the other side. A thread of its own takes what the
//! program writes, so the program never waits for a test; tests wait for what they want to see, never for time.

use std::fs::File;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;
use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};

use super::emulator::Emulator;
use crate::support::Codex;

/// Far more than any test needs on a loaded machine.
const LIMIT: Duration = Duration::from_secs(20);

pub(super) const ENTER: &str = "\r";
pub(super) const ESC: &str = "\x1b";
pub(super) const TAB: &str = "\t";
pub(super) const UP: &str = "\x1b[A";
pub(super) const PAGE_UP: &str = "\x1b[5~";
pub(super) const END: &str = "\x1b[F";
pub(super) const CTRL_C: &str = "\x03";
pub(super) const CTRL_D: &str = "\x04";
pub(super) const CTRL_G: &str = "\x07";
pub(super) const CTRL_T: &str = "\x14";
pub(super) const CTRL_Z: &str = "\x1a";

/// A terminal with a program in it; the program ends with this value.
pub(super) struct Terminal {
    child: Child,
    master: Arc<OwnedFd>,
    slave: Option<OwnedFd>,
    shared: Arc<Shared>,
    /// Closed to tell the reader that it is over.
    _reading: OwnedFd,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    emulator: Emulator,
    /// Everything written so far, for those who look at bytes.
    raw: Vec<u8>,
    /// The last holder of the program's side is gone.
    ended: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How a terminal is before a program starts in it.
pub(super) struct Options {
    pub(super) cols: u16,
    pub(super) rows: u16,
    /// It answers no question.
    pub(super) quiet: bool,
    /// It wraps what it holds at another width.
    pub(super) rewraps: bool,
    /// Keys that were pressed before the program started.
    pub(super) ahead: &'static str,
}

impl Default for Options {
    fn default() -> Self {
        Self { cols: 80, rows: 24, quiet: false, rewraps: false, ahead: "" }
    }
}

impl Terminal {
    /// Starts codex in 80 columns and 24 rows, as xterm.
    pub(super) fn start(codex: Codex) -> Self {
        Self::with(codex, Options::default())
    }

    pub(super) fn with(codex: Codex, options: Options) -> Self {
        Self::command(codex.into_command(), options)
    }

    /// Starts any program as the leader of the terminal's session.
    pub(super) fn command(inner: Command, options: Options) -> Self {
        let (master, slave) = pty(options.cols, options.rows);
        if !options.ahead.is_empty() {
            rustix::io::write(&master, options.ahead.as_bytes()).expect("the terminal takes keys");
        }
        let emulator = Emulator::new(options.cols, options.rows, options.quiet).rewrapping(options.rewraps);
        let state = Mutex::new(State { emulator, raw: Vec::new(), ended: false });
        let shared = Arc::new(Shared { state, changed: Condvar::new() });
        let master = Arc::new(master);
        let child = in_session(inner, &slave);
        let (over, reading) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC).expect("a pipe is left");
        let (theirs, terminal) = (Arc::clone(&shared), Arc::clone(&master));
        thread::spawn(move || read(&theirs, terminal, &over));
        Self { child, master, slave: Some(slave), shared, _reading: reading }
    }

    /// Presses keys, as bytes.
    pub(super) fn keys(&self, keys: &str) {
        self.write(keys.as_bytes());
    }

    /// Types a line: waits until it stands in the prompt, then presses enter.
    #[track_caller]
    pub(super) fn submit(&self, line: &str) {
        self.keys(line);
        // It may be wrapped anywhere: blanks do not count.
        let dense = |text: &str| text.split_whitespace().collect::<String>();
        let mut tail: Vec<char> = dense(line.trim_start_matches('!')).chars().rev().take(16).collect();
        tail.reverse();
        let tail: String = tail.into_iter().collect();
        self.until_that(line, |rows| dense(&rows.concat()).contains(&tail));
        self.keys(ENTER);
    }

    /// Pastes text as terminals do it.
    pub(super) fn paste(&self, text: &str) {
        self.write(b"\x1b[200~");
        self.write(text.as_bytes());
        self.write(b"\x1b[201~");
    }

    fn write(&self, mut bytes: &[u8]) {
        let mut master = File::from(self.master.try_clone().expect("a descriptor is left"));
        // In pieces, as a terminal does; the program's end is no failure of the writer.
        while !bytes.is_empty() {
            match master.write(&bytes[..bytes.len().min(4096)]) {
                Ok(n) => bytes = &bytes[n..],
                Err(_) => return,
            }
        }
    }

    /// Waits until `text` is on the screen.
    #[track_caller]
    pub(super) fn until(&self, text: &str) {
        self.until_that(text, |rows| rows.iter().any(|row| row.contains(text)));
    }

    /// Waits until `text` is no more on the screen.
    #[track_caller]
    pub(super) fn until_gone(&self, text: &str) {
        self.until_that(&format!("no {text}"), |rows| !rows.iter().any(|row| row.contains(text)));
    }

    /// Waits until the visible rows are as wanted; looks only at whole frames.
    #[track_caller]
    pub(super) fn until_that(&self, what: &str, wanted: impl Fn(&[String]) -> bool) {
        self.wait(what, |state| !state.emulator.in_frame() && wanted(&state.emulator.rows()));
    }

    /// Waits until the terminal is as wanted; looks only at whole frames.
    #[track_caller]
    pub(super) fn until_whole(&self, what: &str, wanted: impl Fn(&Emulator) -> bool) {
        self.wait(what, |state| !state.emulator.in_frame() && wanted(&state.emulator));
    }

    #[track_caller]
    fn wait(&self, what: &str, wanted: impl Fn(&State) -> bool) {
        let started = Instant::now();
        let mut state = self.shared.lock();
        while !wanted(&state) {
            let left = LIMIT.saturating_sub(started.elapsed());
            if state.ended || left.is_zero() {
                let why = if state.ended { "the program ended" } else { "time is up" };
                let rows = state.emulator.rows().join("\n");
                drop(state);
                panic!("{why}; not seen: {what}\n{rows}");
            }
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Looks at the emulator as it is now.
    pub(super) fn look<T>(&self, look: impl FnOnce(&Emulator) -> T) -> T {
        look(&self.shared.lock().emulator)
    }

    /// The visible rows.
    pub(super) fn rows(&self) -> Vec<String> {
        self.look(Emulator::rows)
    }

    /// The visible rows as one text.
    pub(super) fn text(&self) -> String {
        self.rows().join("\n")
    }

    /// Scrollback and visible rows.
    pub(super) fn all_rows(&self) -> Vec<String> {
        self.shared.lock().emulator.all_rows()
    }

    /// The same as lines, however they are wrapped now.
    pub(super) fn all_lines(&self) -> Vec<String> {
        self.shared.lock().emulator.all_lines()
    }

    /// Everything the program wrote so far.
    pub(super) fn raw(&self) -> String {
        String::from_utf8_lossy(&self.shared.lock().raw).into_owned()
    }

    /// Makes the window larger or smaller.
    pub(super) fn resize(&self, cols: u16, rows: u16) {
        // Both under one lock: what the program writes for the new size is read at the new size.
        let mut state = self.shared.lock();
        state.emulator.resize(cols, rows);
        tcsetwinsize(&*self.master, size(cols, rows)).expect("the terminal has a size");
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by name.
    pub(super) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([format!("-{signal}"), self.pid().to_string()]).status();
        assert!(sent.expect("kill runs").success(), "the process is there");
    }

    /// Whether the line editor of the system is in charge, as a shell expects it.
    pub(super) fn is_cooked(&self) -> bool {
        let modes = tcgetattr(&*self.master).expect("the terminal has settings").local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The window is closed: the terminal is gone for the program. Returns how it ended.
    #[track_caller]
    pub(super) fn close(self) -> ExitStatus {
        let mut bare = self.into_bare();
        let started = Instant::now();
        loop {
            if let Some(status) = bare.try_wait().expect("the child can be waited for") {
                return status;
            }
            assert!(started.elapsed() < LIMIT, "still running without a terminal");
            // time itself: without its terminal the end of a process makes no event to wait for.
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Lets go of both sides of the terminal.
    fn into_bare(mut self) -> Child {
        let (_, nothing) = pty(1, 1);
        let child = Command::new("true").spawn().expect("true starts");
        self.slave = None;
        let child = std::mem::replace(&mut self.child, child);
        self.master = Arc::new(nothing);
        drop(self);
        child
    }

    /// Waits for the end of the program and of everything that has the terminal open.
    #[track_caller]
    pub(super) fn end(mut self) -> Ended {
        let status = self.reap();
        let cooked = self.is_cooked();
        self.slave = None;
        let started = Instant::now();
        let mut state = self.shared.lock();
        while !state.ended {
            let left = LIMIT.saturating_sub(started.elapsed());
            assert!(!left.is_zero(), "something still holds the terminal");
            state = self.shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        let mut left_on = state.emulator.left_on();
        if !cooked {
            left_on.push("raw mode".to_owned());
        }
        Ended {
            status,
            left_on,
            rows: state.emulator.all_rows(),
            strange: state.emulator.seen().strange.clone(),
        }
    }

    #[track_caller]
    fn reap(&mut self) -> ExitStatus {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("the child can be waited for") {
                return status;
            }
            if started.elapsed() > LIMIT {
                let rows = self.text();
                panic!("still running:\n{rows}");
            }
            // Ends when the program writes or closes its side; the limit is for those that do neither.
            let state = self.shared.lock();
            let wait = Duration::from_millis(20);
            drop(self.shared.changed.wait_timeout(state, wait).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.slave = None;
        if !thread::panicking() {
            let strange = self.look(|emulator| emulator.seen().strange.clone());
            assert!(strange.is_empty(), "the terminal was sent {strange:?}");
        }
    }
}

/// What a program left.
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    left_on: Vec<String>,
    /// Scrollback and screen.
    pub(super) rows: Vec<String>,
    strange: Vec<String>,
}

impl Ended {
    /// The terminal must be as it was before.
    #[track_caller]
    pub(super) fn restored(self) -> Self {
        assert!(self.left_on.is_empty(), "still on: {:?}\n{}", self.left_on, self.text());
        assert!(self.strange.is_empty(), "the terminal was sent {:?}", self.strange);
        self
    }

    /// The exit code must be this one.
    #[track_caller]
    pub(super) fn code(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}\n{}", self.status, self.text());
        self
    }

    pub(super) fn text(&self) -> String {
        self.rows.join("\n")
    }
}

/// Takes what the program writes until its last holder is gone, or `over` is.
fn read(shared: &Shared, master: Arc<OwnedFd>, over: &OwnedFd) {
    let mut chunk = vec![0; 65536];
    loop {
        let mut ready = [PollFd::new(&*master, PollFlags::IN), PollFd::new(over, PollFlags::IN)];
        if poll(&mut ready, None).is_err() || !ready[1].revents().is_empty() {
            break;
        }
        let Ok(n @ 1..) = rustix::io::read(&*master, &mut chunk) else { break };
        let mut state = shared.lock();
        let reply = state.emulator.take(&chunk[..n]);
        state.raw.extend_from_slice(&chunk[..n]);
        drop(state);
        if !reply.is_empty() {
            let _ = rustix::io::write(&*master, &reply);
        }
        shared.changed.notify_all();
    }
    drop(master);
    shared.lock().ended = true;
    shared.changed.notify_all();
}

fn size(cols: u16, rows: u16) -> Winsize {
    Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 }
}

fn pty(cols: u16, rows: u16) -> (OwnedFd, OwnedFd) {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let master = openpt(flags).expect("the machine has pseudo terminals");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("the terminal is ours");
    tcsetwinsize(&master, size(cols, rows)).expect("the terminal has a size");
    let slave = ioctl_tiocgptpeer(&master, flags).unwrap_or_else(|_| {
        let name = ptsname(&master, Vec::new()).expect("the terminal has a name");
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())
            .expect("the terminal opens")
    });
    (master, slave)
}

/// Starts the command as leader of a session that has this terminal; `setsid` becomes the command, so its process
/// number is the command's.
fn in_session(inner: Command, slave: &OwnedFd) -> Child {
    let mut command = Command::new("setsid");
    command.arg("--ctty").arg(inner.get_program()).args(inner.get_args());
    command.env_clear();
    for (name, value) in inner.get_envs() {
        command.envs(value.map(|value| (name, value)));
    }
    if let Some(dir) = inner.get_current_dir() {
        command.current_dir(dir);
    }
    let side = || Stdio::from(slave.try_clone().expect("a descriptor is left"));
    command.stdin(side()).stdout(side()).stderr(side());
    command.spawn().expect("setsid starts")
}
