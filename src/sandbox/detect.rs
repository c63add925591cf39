//! What this machine can enforce, tried once per start of the machine with a real supervisor: what a kernel offers, what a
//! container takes away again and what a distribution forbids to ordinary users shows only in trying.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::Error;
use super::linux::landlock;
use crate::base::fs;
use crate::process::supervise::ARGV0;

/// How a policy is enforced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// User, mount, pid, ipc and (network off) network namespaces, with Landlock and seccomp inside.
    Namespaces,
    /// Landlock and seccomp alone. What they cannot tell apart the supervisor does in the command's place, or it is
    /// refused.
    Landlock,
}

/// Landlock's version that keeps signals inside.
pub(super) const SCOPED_SIGNALS: i32 = 6;

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

/// Whether a command cannot signal processes outside even without namespaces.
pub(crate) fn signals_stay_inside() -> bool {
    landlock::abi() >= SCOPED_SIGNALS
}

/// Where the answer is kept for as long as the machine runs; set before the first question.
static KEPT: OnceLock<PathBuf> = OnceLock::new();

/// Keeps the answer in a file of `folder`, which commands must not be able to write.
pub(crate) fn remember_in(folder: &Path) {
    let _ = KEPT.set(folder.join("sandbox-level"));
}

/// The best level here; tried at the first call after the machine was started, which takes a few milliseconds
/// and blocks.
///
/// # Errors
/// Nothing can be enforced.
pub(crate) fn level() -> Result<Level, Error> {
    static LEVEL: OnceLock<Option<Level>> = OnceLock::new();
    let found = LEVEL.get_or_init(|| {
        let circumstances = circumstances();
        let kept = KEPT.get().and_then(|file| std::fs::read_to_string(file).ok());
        let namespaces = match kept.as_deref().and_then(|text| text.split_once('\n')) {
            Some((answer, under)) if under == circumstances => answer == ANSWER.trim_end(),
            _ => {
                let works = probe(Path::new("/proc/self/exe"));
                if let Some(file) = KEPT.get() {
                    let answer = if works { ANSWER } else { "none\n" };
                    // Not kept means tried again.
                    let _ = fs::replace(file, format!("{answer}{circumstances}").as_bytes(), 0o600);
                }
                works
            }
        };
        fallback(namespaces)
    });
    found.ok_or(Error::NothingEnforceable)
}

/// Everything the answer depends on: this start of the machine, who and in which container we are, which program
/// this is, and the switches of distributions. A kept answer counts only under the same.
fn circumstances() -> String {
    let mut text = String::new();
    for file in [
        "random/boot_id",
        "apparmor_restrict_unprivileged_userns",
        "unprivileged_userns_clone",
        "../user/max_user_namespaces",
    ] {
        let value = std::fs::read_to_string(Path::new("/proc/sys/kernel").join(file)).unwrap_or_default();
        text.push_str(&format!("{}\n", value.trim()));
    }
    for link in ["ns/user", "ns/mnt", "ns/pid", "attr/current"] {
        let link = Path::new("/proc/self").join(link);
        let value = std::fs::read_link(&link).map(|target| target.display().to_string());
        text.push_str(&value.or_else(|_| std::fs::read_to_string(&link)).unwrap_or_default());
        text.push('\n');
    }
    use std::os::unix::fs::MetadataExt;
    let program = std::fs::metadata("/proc/self/exe").map(|meta| (meta.dev(), meta.ino(), meta.mtime_nsec()));
    text.push_str(&format!("{} {:?}\n", rustix::process::geteuid().as_raw(), program.ok()));
    text
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
    // In a group of its own: a Ctrl-Z that stopped it before it is this program would keep us from stopping too.
    command.arg0(ARGV0).arg(PROBE).env_clear().process_group(0);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.output().is_ok_and(|output| output.stdout == ANSWER.as_bytes())
}

/// What the probing supervisor prints when everything worked.
pub(super) const ANSWER: &str = "namespaces\n";
/// The version of Landlock in this kernel; 0 without it.
pub(crate) fn landlock_version() -> i32 {
    landlock::abi()
}
