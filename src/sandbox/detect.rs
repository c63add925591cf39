//! What this machine can enforce, tried once per process with a real supervisor: what a kernel offers, what a
//! container takes away again and what a distribution forbids to ordinary users shows only in trying.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Error;
use super::linux::landlock;
use crate::process::supervise::ARGV0;

/// How a policy is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// User, mount, pid, ipc and (network off) network namespaces, with Landlock and seccomp inside.
    Namespaces,
    /// Landlock and seccomp alone. New entries directly in a folder with protected children, changes of modes,
    /// owners and times, and connections of Unix sockets are refused, because they cannot be told apart there.
    Landlock,
}

/// Landlock's version that keeps signals inside.
const SCOPED_SIGNALS: i32 = 6;

/// The word the probing supervisor is called with instead of a mode.
pub(super) const PROBE: &str = "probe";

/// What the sandbox cannot keep a command from doing on this machine, as a sentence for the user; mostly nothing.
/// On a kernel without the newer Landlock it tries the levels, like [`level`].
pub(crate) fn gaps() -> Option<&'static str> {
    let alone = landlock::abi() < SCOPED_SIGNALS && matches!(level(), Ok(Level::Landlock));
    alone.then_some(
        "the sandbox of this machine cannot keep commands from signalling other processes of yours; namespaces for \
         ordinary users or Linux 6.12 would close the gap",
    )
}

/// The best level here; tried at the first call, which takes a few milliseconds and blocks.
///
/// # Errors
/// Nothing can be enforced.
pub(crate) fn level() -> Result<Level, Error> {
    static LEVEL: OnceLock<Option<Level>> = OnceLock::new();
    let found = LEVEL.get_or_init(|| {
        let usable = probe(Path::new("/proc/self/exe"));
        fallback(usable)
    });
    found.ok_or(Error::NothingEnforceable)
}

/// The level when namespaces do or do not work.
pub(crate) fn fallback(namespaces: bool) -> Option<Level> {
    match (namespaces, landlock::abi()) {
        (true, _) => Some(Level::Namespaces),
        (false, 0) => None,
        (false, _) => Some(Level::Landlock),
    }
}

/// Whether a supervisor of `exe` can set up all namespaces and mounts.
fn probe(exe: &Path) -> bool {
    let mut command = Command::new(exe);
    command.arg0(ARGV0).arg(PROBE).env_clear();
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.output().is_ok_and(|output| output.stdout == ANSWER.as_bytes())
}

/// What the probing supervisor prints when everything worked.
pub(super) const ANSWER: &str = "namespaces\n";
