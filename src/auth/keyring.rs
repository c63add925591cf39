//! The system's keyring, through its own program `secret-tool` (package libsecret-tools): the document goes in by
//! standard input and never into an argument list. A keyring library would bring fifty crates and a bus client
//! for what two pipes do.

use std::io::{ErrorKind, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::process::{Pid, PidfdFlags, pidfd_open};
use sha2::{Digest, Sha256};

use super::error::Error;
use crate::process::mortal;

/// Name of the entry's service.
const SERVICE: &str = "Codex Auth";

/// Its program.
const PROGRAM: &str = "secret-tool";

/// A locked keyring asks the user for its password: so long that may take, from the program's start to its end.
/// Shorter than anybody waits for the lock of the store.
const PATIENCE: Duration = Duration::from_secs(30);

/// Longest entry, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The keyring, for one home.
pub(super) struct Keyring<'a> {
    home: &'a Path,
    /// Variables that the program does not get: they hold keys.
    hidden: &'a [String],
    program: &'a Path,
    patience: Duration,
}

impl<'a> Keyring<'a> {
    /// The system's.
    pub(super) fn of(home: &'a Path, hidden: &'a [String]) -> Self {
        Self { home, hidden, program: Path::new(PROGRAM), patience: PATIENCE }
    }

    /// The error of a machine that has no keyring which we could reach.
    pub(super) fn missing() -> Error {
        broken("it is reached through the program secret-tool (libsecret-tools), which is not installed")
    }

    /// The document of this home; `None` when there is none.
    pub(super) fn read(&self) -> Result<Option<String>, Error> {
        let (found, text) = self.tool(&["lookup", "service", SERVICE, "username", &self.account()], None)?;
        let text = String::from_utf8(text).map_err(|_| broken("its entry is no text"))?;
        Ok((found && !text.trim().is_empty()).then_some(text))
    }

    /// Puts the document of this home in.
    pub(super) fn write(&self, text: &str) -> Result<(), Error> {
        let account = self.account();
        let attributes = ["service", SERVICE, "username", &account, "target", "default"];
        let args: Vec<&str> = ["store", "--label", SERVICE].into_iter().chain(attributes).collect();
        match self.tool(&args, Some(text.trim_end()))? {
            (true, _) => Ok(()),
            (false, _) => Err(broken("the secret service did not take the entry")),
        }
    }

    /// Takes the document of this home out; false when there was none.
    pub(super) fn delete(&self) -> Result<bool, Error> {
        if self.read()?.is_none() {
            return Ok(false);
        }
        match self.tool(&["clear", "service", SERVICE, "username", &self.account()], None)? {
            (true, _) => Ok(true),
            (false, _) => Err(broken("the entry was not removed")),
        }
    }

    /// Name of the entry: one per home. Nothing of the home's own name gets into an argument.
    fn account(&self) -> String {
        let home = self.home.canonicalize().unwrap_or_else(|_| self.home.to_owned());
        let hash = Sha256::digest(home.to_string_lossy().as_bytes());
        let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("cli|{hex}")
    }

    /// Runs the program; whether it succeeded, and what it printed. A failed lookup prints its reason on standard
    /// error when there is one: no entry is no reason.
    fn tool(&self, args: &[&str], input: Option<&str>) -> Result<(bool, Vec<u8>), Error> {
        let mut command = Command::new(self.program);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
        for name in self.hidden {
            command.env_remove(name);
        }
        let mut child = mortal::spawn(&mut command).map_err(|error| match error.kind() {
            ErrorKind::NotFound => Self::missing(),
            _ => Error::Keyring { reason: format!("secret-tool cannot be started: {error}") },
        })?;
        let deadline = Instant::now() + self.patience;
        let done = talk(&mut child, input, deadline).and_then(|said| ended(&child, deadline).map(|()| said));
        if done.is_err() {
            mortal::end(&mut child);
        }
        let (output, errors) = done?;
        let success = child.wait().is_ok_and(|status| status.success());
        if !success && !errors.is_empty() {
            // The words may come from anywhere on the bus; only whether there are some is looked at.
            return Err(broken("the secret service does not answer, or is locked"));
        }
        Ok((success, output))
    }
}

fn broken(reason: &str) -> Error {
    Error::Keyring { reason: reason.to_owned() }
}

fn system(error: impl std::fmt::Display) -> Error {
    Error::Keyring { reason: error.to_string() }
}

/// What is left until `deadline`, as the system wants it.
fn left(deadline: Instant) -> Option<Timespec> {
    Timespec::try_from(deadline.saturating_duration_since(Instant::now())).ok()
}

/// Waits for the end of a program that has said everything.
fn ended(child: &Child, deadline: Instant) -> Result<(), Error> {
    let process = pidfd_open(Pid::from_child(child), PidfdFlags::empty()).map_err(system)?;
    loop {
        match poll(&mut [PollFd::new(&process, PollFlags::IN)], left(deadline).as_ref()) {
            Ok(0) => return Err(broken("secret-tool does not end")),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(system(error)),
        }
    }
}

/// Gives the program its input and takes both outputs, whichever comes first: neither side ever waits for the other.
fn talk(child: &mut Child, input: Option<&str>, deadline: Instant) -> Result<(Vec<u8>, Vec<u8>), Error> {
    let mut stdin = child.stdin.take().filter(|_| input.is_some());
    if let Some(pipe) = &stdin {
        let flags = fcntl_getfl(pipe).map_err(system)?;
        fcntl_setfl(pipe, flags | OFlags::NONBLOCK).map_err(system)?;
    }
    let mut rest = input.unwrap_or_default().as_bytes();
    let (Some(stdout), Some(stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(broken("secret-tool has no output"));
    };
    let (mut stdout, mut stderr) = (Some(stdout), Some(stderr));
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    while stdin.is_some() || stdout.is_some() || stderr.is_some() {
        let (writable, out_ready, err_ready) = {
            let mut fds = Vec::with_capacity(3);
            fds.extend(stdin.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
            fds.extend(stdout.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            fds.extend(stderr.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
            match poll(&mut fds, left(deadline).as_ref()) {
                Ok(0) => return Err(broken("the secret service does not answer")),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(system(error)),
            }
            let mut ready = fds.iter().map(|fd| !fd.revents().is_empty());
            let mut next = |open: bool| open && ready.next().unwrap_or(false);
            (next(stdin.is_some()), next(stdout.is_some()), next(stderr.is_some()))
        };
        if writable {
            stdin = give(stdin, &mut rest)?;
        }
        if out_ready {
            stdout = take(stdout, &mut output)?;
        }
        if err_ready {
            stderr = take(stderr, &mut errors)?;
        }
    }
    Ok((output, errors))
}

/// Writes what goes in now; the pipe is closed at the end.
fn give(pipe: Option<ChildStdin>, rest: &mut &[u8]) -> Result<Option<ChildStdin>, Error> {
    let Some(mut pipe) = pipe else { return Ok(None) };
    match pipe.write(rest) {
        Ok(n) => {
            *rest = rest.get(n..).unwrap_or_default();
            Ok((!rest.is_empty()).then_some(pipe))
        }
        Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {
            Ok(Some(pipe))
        }
        Err(_) => Err(broken("secret-tool did not read the entry")),
    }
}

/// Reads what is there; the pipe is closed at its end.
fn take<R: Read>(pipe: Option<R>, into: &mut Vec<u8>) -> Result<Option<R>, Error> {
    let Some(mut pipe) = pipe else { return Ok(None) };
    let mut chunk = [0; 8192];
    match pipe.read(&mut chunk) {
        Ok(0) => Ok(None),
        Ok(n) if into.len() + n > MAX_BYTES => Err(broken("its entry is far too large")),
        Ok(n) => {
            into.extend_from_slice(chunk.get(..n).unwrap_or_default());
            Ok(Some(pipe))
        }
        Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Some(pipe)),
        Err(error) => Err(system(error)),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// What a program made of these lines comes to, and the time it took.
    fn with(
        script: &str,
        work: impl FnOnce(&Keyring<'_>) -> Result<(), Error>,
    ) -> (Result<(), Error>, Duration) {
        let dir = tempfile::tempdir().unwrap();
        let program = dir.path().join("tool");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let patience = Duration::from_millis(300);
        let began = Instant::now();
        let done = work(&Keyring { home: dir.path(), hidden: &[], program: &program, patience });
        (done, began.elapsed())
    }

    #[test]
    fn no_phase_waits_for_ever() {
        let long = "x".repeat(300_000);
        for (what, script) in [
            ("does not read", "exec sleep 100"),
            ("closes its outputs and stays", "exec >&- 2>&-; cat; exec sleep 100"),
            ("says a little and stays", "echo a; exec sleep 100"),
            ("is ever talking", "while :; do echo a; done"),
        ] {
            for text in ["short", &long] {
                let (done, took) = with(script, |keyring| keyring.write(text));
                assert!(matches!(done, Err(Error::Keyring { .. })), "{what}: {done:?}");
                assert!(took < Duration::from_secs(20), "{what}: {took:?}");
            }
            let (done, _) = with(script, |keyring| keyring.read().map(drop));
            assert!(done.is_err(), "{what}");
        }
    }

    #[test]
    fn what_is_not_waited_for_is_ended_with_all_it_started() {
        let held = tempfile::NamedTempFile::new().unwrap();
        let lock = format!("exec 9>{}; flock -x 9; sleep 100 & exec sleep 100", held.path().display());
        let (done, _) = with(&lock, |keyring| keyring.write("short"));
        assert!(done.is_err());
        // Both held the lock; it is free as soon as both are gone.
        let file = std::fs::File::open(held.path()).unwrap();
        rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    }

    #[test]
    fn a_long_entry_goes_in_whole_while_the_program_talks() {
        let long = "x".repeat(300_000);
        let script = "n=$(wc -c); head -c 200000 /dev/zero; [ \"$n\" = 300000 ]";
        assert_eq!(with(script, |keyring| keyring.write(&long)).0, Ok(()));
        assert!(with("exit 0", |keyring| keyring.write(&long)).0.is_err(), "nobody read it");
    }

    #[test]
    fn names_of_homes_are_no_arguments() {
        for home in ["--help", "a b; c", "$(x)", ""] {
            let account = Keyring::of(Path::new(home), &[]).account();
            let hex = account.strip_prefix("cli|").unwrap();
            assert!(hex.len() == 16 && hex.chars().all(|c| c.is_ascii_hexdigit()), "{account}");
        }
    }
}
