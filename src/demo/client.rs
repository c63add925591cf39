//! Runs the real client in a setting: `exec`, with or without JSON lines, on a new thread or a stored one.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};

use super::error::Error;
use super::setting::Setting;
use crate::base::tasks::CancellationToken;

/// Longest run of the client.
const MOST_TIME: Duration = Duration::from_secs(90);
/// Time the client gets to end by the terminal's signal before it gets one from here.
const BY_ITSELF: Duration = Duration::from_millis(700);
/// Time the client gets to end by itself after an interrupt.
const GRACE: Duration = Duration::from_secs(3);
/// Most bytes kept of each of its outputs.
const MOST_OUTPUT: u64 = 16 << 20;

/// The client and what it needs.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    /// The program.
    pub(crate) program: PathBuf,
    /// Fires when the person stops the demo.
    pub(crate) stop: CancellationToken,
}

/// How the client ended and what it said.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// Exit code; absent when it was killed.
    pub(crate) exit: Option<i32>,
    /// It took too long and was killed.
    pub(crate) late: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// What `-o` wrote.
    pub(crate) last_message: Option<String>,
}

impl Client {
    /// Plays a prompt and keeps everything the client says.
    ///
    /// # Errors
    /// The client cannot be started, or the person stopped it.
    pub(crate) async fn captured(
        &self,
        setting: &Setting,
        resume: Option<&str>,
        prompt: &str,
    ) -> Result<Run, Error> {
        let last = setting.home.join("last-message.txt");
        let _ = std::fs::remove_file(&last);
        let mut command = self.command(setting);
        command
            .arg("--json")
            .arg("-o")
            .arg(&last)
            .args(resume.iter().flat_map(|id| ["resume", id]))
            .arg(prompt);
        let mut run = self.capture(command).await?;
        run.last_message = std::fs::read_to_string(&last).ok();
        Ok(run)
    }

    async fn capture(&self, mut command: Command) -> Result<Run, Error> {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = self.start(command)?;
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let reading = async { tokio::join!(read(stdout), read(stderr)) };
        let ended = self.wait(&mut child);
        let ((stdout, stderr), ended) = tokio::join!(reading, ended);
        let (exit, late) = ended?;
        Ok(Run { exit, late, stdout, stderr, last_message: None })
    }

    /// Runs another command of the client and keeps everything it says.
    ///
    /// # Errors
    /// The client cannot be started, or the person stopped it.
    pub(crate) async fn captured_words(&self, setting: &Setting, words: &[String]) -> Result<Run, Error> {
        let mut command = self.plain(setting);
        command.args(words);
        self.capture(command).await
    }

    /// Runs another command of the client in front of the person. Returns the exit code.
    ///
    /// # Errors
    /// The client cannot be started, or the person stopped it.
    pub(crate) async fn shown_words(
        &self,
        setting: &Setting,
        words: &[String],
    ) -> Result<Option<i32>, Error> {
        let mut command = self.plain(setting);
        command.args(words);
        let mut child = self.start(command)?;
        Ok(self.wait(&mut child).await?.0)
    }

    /// Plays a prompt in front of the person. Returns the exit code.
    ///
    /// # Errors
    /// The client cannot be started, or the person stopped it.
    pub(crate) async fn shown(&self, setting: &Setting, prompt: &str) -> Result<Option<i32>, Error> {
        let mut command = self.command(setting);
        command.arg(prompt);
        let mut child = self.start(command)?;
        Ok(self.wait(&mut child).await?.0)
    }

    fn command(&self, setting: &Setting) -> Command {
        let mut command = self.plain(setting);
        command.args(["exec", "-s", "workspace-write", "-C"]).arg(&setting.project);
        command
    }

    fn plain(&self, setting: &Setting) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&setting.project).env_clear().envs(setting.client_env());
        command.stdin(Stdio::null()).kill_on_drop(true);
        command
    }

    fn start(&self, mut command: Command) -> Result<Child, Error> {
        command.spawn().map_err(|source| Error::Run { program: self.program.clone(), source })
    }

    /// Exit code, and whether it had to be killed because it took too long.
    async fn wait(&self, child: &mut Child) -> Result<(Option<i32>, bool), Error> {
        let wrong = |source| Error::Run { program: self.program.clone(), source };
        tokio::select! {
            biased; // an end that comes together with a stop is an end
            ended = child.wait() => return Ok((ended.map_err(wrong)?.code(), false)),
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep(MOST_TIME) => {}
        }
        // Ctrl-C reached the client too, and a second signal would cut short its orderly end.
        if self.stop.is_cancelled() && tokio::time::timeout(BY_ITSELF, child.wait()).await.is_ok() {
            return Err(Error::Stopped);
        }
        interrupt(child);
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            let _ = child.kill().await;
        }
        if self.stop.is_cancelled() { Err(Error::Stopped) } else { Ok((None, true)) }
    }
}

/// Asks for an orderly end, so that the client can end its own children.
fn interrupt(child: &Child) {
    let pid = child.id().and_then(|id| i32::try_from(id).ok()).and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut from) = from {
        let _ = (&mut from).take(MOST_OUTPUT).read_to_end(&mut bytes).await;
        // What is over the bound is read too, or the client would wait for ever.
        let _ = tokio::io::copy(&mut from, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The files below `dir` whose names fit, in order of their paths.
pub(crate) fn files_below(dir: &Path, fits: &dyn Fn(&str) -> bool) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() => open.push(entry.path()),
                Ok(kind) if kind.is_file() && fits(&entry.file_name().to_string_lossy()) => {
                    found.push(entry.path())
                }
                _ => {}
            }
        }
    }
    found.sort();
    found
}
