//! Runs the binary: arguments, environment and input in; exit code and both outputs back. Nothing runs without
//! a time limit, so that a hang is a failure that says what was printed.

use std::ffi::OsStr;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

/// Far more than any test needs on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// One run of the binary.
pub(crate) struct Codex {
    command: Command,
    stdin: Option<Vec<u8>>,
    open_stdin: bool,
    closed_stdout: bool,
}

impl Codex {
    /// With an empty environment but for the search path and `home`.
    pub(crate) fn new(home: &Path, cwd: &Path) -> Self {
        Self::program(&binary(), home, cwd)
    }

    /// The same by another path, which also changes the name it is called by.
    pub(crate) fn program(path: &Path, home: &Path, cwd: &Path) -> Self {
        let mut command = Command::new(path);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", home)
            .env("CODEX_HOME", home.join(".codex"))
            .env("LANG", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            // No test may reach the real service that signs people in.
            .env("CODEX_APP_SERVER_LOGIN_ISSUER", "http://127.0.0.1:9")
            .current_dir(cwd);
        Self { command, stdin: None, open_stdin: false, closed_stdout: false }
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg);
        self
    }

    pub(crate) fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn cwd(mut self, dir: &Path) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Text on standard input, then its end.
    pub(crate) fn stdin(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.stdin = Some(text.into());
        self
    }

    /// A pipe on standard input that stays open and silent.
    pub(crate) fn open_stdin(mut self) -> Self {
        self.open_stdin = true;
        self
    }

    /// The reader of standard output goes away after the first line.
    pub(crate) fn closed_stdout(mut self) -> Self {
        self.closed_stdout = true;
        self
    }

    /// The command alone, for those who give it other places to read from and write to.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    /// Starts without waiting.
    pub(crate) fn start(mut self) -> Running {
        let piped = self.open_stdin || self.stdin.is_some();
        self.command.stdin(if piped { Stdio::piped() } else { Stdio::null() });
        self.command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.command.spawn().expect("codex starts");
        let mut stdin = child.stdin.take();
        if let Some(text) = self.stdin {
            let mut pipe = stdin.take().expect("stdin is a pipe");
            thread::spawn(move || pipe.write_all(&text));
        }
        let mut stdout = child.stdout.take().expect("stdout is a pipe");
        if self.closed_stdout {
            // The first line, so that it is the turn that is hit; then the reader is gone.
            let mut byte = [0];
            while stdout.read_exact(&mut byte).is_ok() && byte != *b"\n" {}
            drop(stdout);
            let stderr = reader(child.stderr.take().expect("stderr is a pipe"));
            return Running { child, stdin, stdout: mpsc::sync_channel(1).1, stderr };
        }
        let stdout = reader(stdout);
        let stderr = reader(child.stderr.take().expect("stderr is a pipe"));
        Running { child, stdin, stdout, stderr }
    }

    /// Starts, waits for the end.
    pub(crate) fn run(self) -> Output {
        self.start().wait()
    }
}

/// Lines as they come.
fn reader(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (sender, receiver) = mpsc::sync_channel(1024);
    thread::spawn(move || {
        let mut chunk = [0; 65536];
        while let Ok(n) = pipe.read(&mut chunk) {
            if n == 0 || sender.send(chunk[..n].to_vec()).is_err() {
                break;
            }
        }
    });
    receiver
}

/// A run that goes on.
pub(crate) struct Running {
    pub(crate) child: Child,
    stdin: Option<std::process::ChildStdin>,
    stdout: mpsc::Receiver<Vec<u8>>,
    stderr: mpsc::Receiver<Vec<u8>>,
}

impl Running {
    pub(crate) fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    /// Sends a signal by number.
    pub(crate) fn signal(&self, signal: i32) {
        let status = Command::new("kill").args([format!("-{signal}"), self.pid().to_string()]).status();
        assert!(status.expect("kill runs").success(), "the process is there");
    }

    /// Types a line, when standard input was left open.
    pub(crate) fn type_in(&mut self, line: &str) {
        let pipe = self.stdin.as_mut().expect("standard input is open");
        writeln!(pipe, "{line}").expect("codex reads");
    }

    /// Waits until standard output holds `text`; returns what came so far.
    pub(crate) fn until(&mut self, text: &str) -> String {
        self.until_seen(text, |seen| seen.contains(text))
    }

    fn until_seen(&mut self, what: &str, enough: impl Fn(&str) -> bool) -> String {
        let started = Instant::now();
        let mut seen = String::new();
        while !enough(&seen) {
            let left = LIMIT.saturating_sub(started.elapsed());
            match self.stdout.recv_timeout(left) {
                Ok(chunk) => seen.push_str(&String::from_utf8_lossy(&chunk)),
                Err(_) => panic!("{what:?} did not come; stdout: {seen}\nstderr: {}", drain(&self.stderr)),
            }
        }
        seen
    }

    /// The same for standard error.
    pub(crate) fn until_told(&mut self, text: &str) -> String {
        std::mem::swap(&mut self.stdout, &mut self.stderr);
        let seen = self.until(text);
        std::mem::swap(&mut self.stdout, &mut self.stderr);
        seen
    }

    /// Waits for that many lines on standard output, or its end; returns what came so far.
    pub(crate) fn lines(&mut self, count: usize) -> String {
        let started = Instant::now();
        let mut seen = String::new();
        while seen.matches('\n').count() < count {
            match self.stdout.recv_timeout(LIMIT.saturating_sub(started.elapsed())) {
                Ok(chunk) => seen.push_str(&String::from_utf8_lossy(&chunk)),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    panic!("only this came: {seen}\nstderr: {}", drain(&self.stderr))
                }
            }
        }
        seen
    }

    /// Kills without warning; returns what was printed meanwhile.
    pub(crate) fn kill(mut self) -> Output {
        self.child.kill().expect("the process is there");
        self.wait()
    }

    /// Waits for the end; kills and fails when it takes too long.
    pub(crate) fn wait(mut self) -> Output {
        let started = Instant::now();
        let mut stdout = Vec::new();
        loop {
            match self.stdout.recv_timeout(Duration::from_millis(20)) {
                Ok(chunk) => stdout.extend(chunk),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {}
            }
            if started.elapsed() > LIMIT {
                let _ = self.child.kill();
                panic!("still running; stdout: {}\nstderr: {}", lossy(&stdout), drain(&self.stderr));
            }
        }
        let mut stderr = Vec::new();
        while let Ok(chunk) = self.stderr.recv_timeout(LIMIT) {
            stderr.extend(chunk);
        }
        let status = self.child.wait().expect("the end is told");
        Output {
            code: status.code(),
            stdout: lossy(&stdout),
            stderr: lossy(&stderr),
            took: started.elapsed(),
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn drain(pipe: &mpsc::Receiver<Vec<u8>>) -> String {
    lossy(&pipe.try_iter().flatten().collect::<Vec<u8>>())
}

/// What a run left.
#[derive(Debug)]
pub(crate) struct Output {
    /// `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) took: Duration,
}

impl Output {
    /// Fails with everything printed when the exit code is another one.
    #[track_caller]
    pub(crate) fn expect(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// The JSON lines of standard output.
    #[track_caller]
    pub(crate) fn events(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// The last state of every item, in order of appearance; fails when an item has no final state.
    #[track_caller]
    pub(crate) fn items(&self) -> Vec<Value> {
        let mut items: Vec<Value> = Vec::new();
        for event in self.events() {
            let Some(item) = event.get("item") else { continue };
            match items.iter_mut().find(|known| known["id"] == item["id"]) {
                Some(known) => *known = item.clone(),
                None => items.push(item.clone()),
            }
        }
        for item in &items {
            assert_ne!(item["status"], "in_progress", "no final state: {item}\n{}", self.stdout);
        }
        items
    }

    /// The items of one type.
    #[track_caller]
    pub(crate) fn items_of(&self, kind: &str) -> Vec<Value> {
        self.items().into_iter().filter(|item| item["type"] == kind).collect()
    }
}

/// Path of the binary, for tests that start it in their own way.
pub(crate) fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_codex"))
}
