//! How many files of the user's repository are changed, for a line on the screen. The `git` program counts, with the
//! same precautions as for the diff; it gets little time, because nobody asked for it. Blocks.

use std::io::{self, Read};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::diff::command;

/// So long git may take; a repository that needs more is not counted.
const PATIENCE: Duration = Duration::from_secs(2);
/// Most of the list that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// What is changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    /// Files git knows that are not as in the last commit.
    pub(crate) known: usize,
    /// Files and folders git does not know.
    pub(crate) fresh: usize,
    /// There are more than were counted.
    pub(crate) more: bool,
}

/// Counts in the repository around `cwd`; `None` when there is none. `hidden`: variables that git does not get.
///
/// # Errors
/// Git cannot be run, or takes too long.
pub(crate) fn count(cwd: &Path, hidden: &[String]) -> io::Result<Option<Count>> {
    let args = [
        "status",
        "--porcelain",
        "-z",
        "--no-renames",
        "--untracked-files=normal",
        "--ignore-submodules=all",
    ];
    let mut child = command(cwd, hidden).args(args).spawn()?;
    let listed = match child.stdout.take() {
        Some(stdout) => read(stdout, PATIENCE, MAX_BYTES),
        None => Ok((Vec::new(), false)),
    };
    if !matches!(listed, Ok((_, false))) {
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (list, more) = listed?;
    if !more && !status.success() {
        return Ok(None);
    }
    let entries = list.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    let mut changed = Count { more, ..Count::default() };
    for entry in entries {
        match entry.starts_with(b"??") {
            true => changed.fresh += 1,
            false => changed.known += 1,
        }
    }
    Ok(Some(changed))
}

/// Reads to the end or to the bound (then true).
pub(super) fn read(
    mut stdout: std::process::ChildStdout,
    patience: Duration,
    max: usize,
) -> io::Result<(Vec<u8>, bool)> {
    let begin = Instant::now();
    let (mut list, mut piece) = (Vec::new(), vec![0; 16 << 10]);
    loop {
        let left = patience.saturating_sub(begin.elapsed());
        let left = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(0),
            tv_nsec: left.subsec_nanos().into(),
        };
        let mut ready = [PollFd::new(&stdout, PollFlags::IN)];
        match poll(&mut ready, Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        match stdout.read(&mut piece)? {
            0 => return Ok((list, false)),
            count => list.extend(piece.iter().take(count)),
        }
        if list.len() > max {
            return Ok((list, true));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"];
        let done =
            std::process::Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn changed_and_fresh_files_are_counted() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(count(dir.path(), &[]).unwrap(), None);
        git(dir.path(), &["init", "-q"]);
        std::fs::write(dir.path().join("a"), "1").unwrap();
        std::fs::write(dir.path().join("b"), "1").unwrap();
        git(dir.path(), &["add", "."]);
        git(dir.path(), &["commit", "-qm", "x"]);
        assert_eq!(count(dir.path(), &[]).unwrap(), Some(Count::default()));
        std::fs::write(dir.path().join("a"), "22").unwrap();
        std::fs::write(dir.path().join("new\nname"), "").unwrap();
        git(dir.path(), &["mv", "b", "c"]);
        let want = Count { known: 3, fresh: 1, more: false };
        assert_eq!(count(dir.path(), &[]).unwrap(), Some(want), "a rename is one gone and one new name");
    }
}
