//! The system's keyring, through its own program `secret-tool` (package libsecret-tools): the document goes in by
//! standard input and never into an argument list. A keyring library would bring fifty crates and a bus client
//! for what two pipes do.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sha2::{Digest, Sha256};

use super::error::Error;

/// Name of the entry's service.
const SERVICE: &str = "Codex Auth";

/// A locked keyring asks the user for its password: so long that may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Longest entry, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// The document of this home; `None` when there is none.
pub(super) fn read(home: &Path) -> Result<Option<String>, Error> {
    let account = account(home);
    let (found, text) = tool(&["lookup", "service", SERVICE, "username", &account], None)?;
    let text = String::from_utf8(text).map_err(|_| broken("its entry is no text"))?;
    Ok((found && !text.trim().is_empty()).then_some(text))
}

/// Puts the document of this home in.
pub(super) fn write(home: &Path, text: &str) -> Result<(), Error> {
    let account = account(home);
    let attributes = ["service", SERVICE, "username", &account, "target", "default"];
    let args: Vec<&str> = ["store", "--label", SERVICE].into_iter().chain(attributes).collect();
    match tool(&args, Some(text.trim_end()))? {
        (true, _) => Ok(()),
        (false, _) => Err(broken("the secret service did not take the entry")),
    }
}

/// Takes the document of this home out; false when there was none.
pub(super) fn delete(home: &Path) -> Result<bool, Error> {
    if read(home)?.is_none() {
        return Ok(false);
    }
    let account = account(home);
    match tool(&["clear", "service", SERVICE, "username", &account], None)? {
        (true, _) => Ok(true),
        (false, _) => Err(broken("the entry was not removed")),
    }
}

/// Name of the entry: one per home.
fn account(home: &Path) -> String {
    let home = home.canonicalize().unwrap_or_else(|_| home.to_owned());
    let hash = Sha256::digest(home.to_string_lossy().as_bytes());
    let hex: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("cli|{hex}")
}

fn broken(reason: &str) -> Error {
    Error::Keyring { reason: reason.to_owned() }
}

/// Runs the program; whether it succeeded, and what it printed. A failed lookup prints its reason on standard
/// error when there is one: no entry is no reason.
fn tool(args: &[&str], input: Option<&str>) -> Result<(bool, Vec<u8>), Error> {
    let mut command = Command::new("secret-tool");
    command.args(args).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() });
    let mut child = command.spawn().map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            broken("it is reached through the program secret-tool (libsecret-tools), which is not installed")
        }
        _ => Error::Keyring { reason: format!("secret-tool cannot be started: {error}") },
    })?;
    let deadline = Instant::now() + PATIENCE;
    let done = talk(&mut child, input, deadline);
    if done.is_err() {
        let _ = child.kill();
    }
    let status = child.wait();
    let (output, errors) = done?;
    let success = status.is_ok_and(|status| status.success());
    if !success && !errors.is_empty() {
        // The words may come from anywhere on the bus; only whether there are some is looked at.
        return Err(broken("the secret service does not answer, or is locked"));
    }
    Ok((success, output))
}

fn talk(child: &mut Child, input: Option<&str>, deadline: Instant) -> Result<(Vec<u8>, Vec<u8>), Error> {
    if let (Some(mut pipe), Some(text)) = (child.stdin.take(), input) {
        let written = pipe.write_all(text.as_bytes());
        written.map_err(|_| broken("secret-tool did not read the entry"))?;
    }
    let (Some(mut stdout), Some(mut stderr)) = (child.stdout.take(), child.stderr.take()) else {
        return Err(broken("secret-tool has no output"));
    };
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let (mut out_open, mut err_open) = (true, true);
    while out_open || err_open {
        let (out_ready, err_ready) = {
            let mut fds = [PollFd::new(&stdout, PollFlags::IN), PollFd::new(&stderr, PollFlags::IN)];
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).ok();
            // A closed pipe is always ready, so only the open ones are asked about.
            let from = if out_open { 0 } else { 1 };
            let to = if err_open { 2 } else { 1 };
            let asked = fds.get_mut(from..to).unwrap_or_default();
            match poll(asked, left.as_ref()) {
                Ok(0) => return Err(broken("the secret service does not answer")),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(Error::Keyring { reason: error.to_string() }),
            }
            let [out, err] = fds;
            (out_open && !out.revents().is_empty(), err_open && !err.revents().is_empty())
        };
        if out_ready {
            out_open = take(&mut stdout, &mut output)?;
        }
        if err_ready {
            err_open = take(&mut stderr, &mut errors)?;
        }
    }
    Ok((output, errors))
}

/// Reads what is there; false at the end.
fn take(pipe: &mut impl Read, into: &mut Vec<u8>) -> Result<bool, Error> {
    let mut chunk = [0; 8192];
    match pipe.read(&mut chunk) {
        Ok(0) => Ok(false),
        Ok(n) if into.len() + n > MAX_BYTES => Err(broken("its entry is far too large")),
        Ok(n) => {
            into.extend_from_slice(chunk.get(..n).unwrap_or_default());
            Ok(true)
        }
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(true),
        Err(error) => Err(Error::Keyring { reason: error.to_string() }),
    }
}
