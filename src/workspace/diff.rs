//! What changed in the user's repository, as one unified diff: tracked files against the last commit, and the
//! files git does not know yet. The `git` program does the work; it runs without pager, colours, hooks or
//! helpers of the repository's own. Blocks, and is bounded in bytes.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// Longest diff that is shown, in bytes.
const MAX_BYTES: u64 = 8 << 20;
/// Most untracked files that are shown.
const MAX_FILES: usize = 500;

/// There is no diff.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The folder is in no repository.
    #[error("{0} is not in a git repository")]
    NoRepository(String),
    /// The `git` program cannot be run.
    #[error("cannot run git: {0}")]
    Git(#[from] io::Error),
}

/// The changes of the repository around `cwd`; empty when there are none. Cut with a note when too long. `hidden`:
/// variables that git does not get, because they hold keys.
///
/// # Errors
/// See [`Error`].
pub(crate) fn changes(cwd: &Path, hidden: &[String]) -> Result<String, Error> {
    let (inside, _) = git(cwd, hidden, &["rev-parse", "--is-inside-work-tree"], MAX_BYTES)?;
    if inside.trim() != "true" {
        return Err(Error::NoRepository(cwd.display().to_string()));
    }
    let has_commit =
        !git(cwd, hidden, &["rev-parse", "--verify", "--quiet", "HEAD"], MAX_BYTES)?.0.trim().is_empty();
    let base: &[&str] = if has_commit { &["HEAD"] } else { &["--cached"] };
    let mut args = vec!["diff", "--no-ext-diff", "--no-textconv", "--no-color"];
    // Whether files of a repository inside have changed, another git says, which obeys the settings there.
    args.extend(["--ignore-submodules=dirty", "--submodule=short"]);
    args.extend(base);
    let (mut diff, mut cut) = git(cwd, hidden, &args, MAX_BYTES)?;
    let (untracked, _) = git(cwd, hidden, &["ls-files", "--others", "--exclude-standard", "-z"], MAX_BYTES)?;
    for (index, name) in untracked.split('\0').filter(|name| !name.is_empty()).enumerate() {
        let left = MAX_BYTES.saturating_sub(diff.len() as u64);
        if index == MAX_FILES || left == 0 {
            cut = true;
            break;
        }
        let args =
            ["diff", "--no-index", "--no-ext-diff", "--no-textconv", "--no-color", "--", "/dev/null", name];
        let (text, more) = git(cwd, hidden, &args, left)?;
        diff.push_str(&text);
        cut |= more;
    }
    if cut {
        diff.push_str("\n[the diff is longer; it was cut here]\n");
    }
    Ok(diff)
}

/// The git program in `cwd`, without hooks, helpers and locks of its own; its standard output is a pipe. Files that
/// look like a repository without its folder are none: a command could have written them, with settings.
pub(super) fn command(cwd: &Path, hidden: &[String]) -> Command {
    let mut command = Command::new("git");
    command
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "diff.external="])
        .args(["-c", "safe.bareRepository=explicit"])
        .current_dir(cwd)
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_PAGER", "cat")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // A Ctrl-Z that stopped it before it is git would keep us from stopping too.
        .process_group(0);
    // The repository can name filters, which are programs of whoever wrote it.
    for name in hidden {
        command.env_remove(name);
    }
    command
}

/// Standard output of git, and whether there was more.
fn git(cwd: &Path, hidden: &[String], args: &[&str], max: u64) -> io::Result<(String, bool)> {
    let mut child =
        command(cwd, hidden).args(args.iter().map(|arg| OsStr::from_bytes(arg.as_bytes()))).spawn()?;
    let mut bytes = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        stdout.take(max + 1).read_to_end(&mut bytes)?;
    }
    let more = bytes.len() as u64 > max;
    if more {
        let _ = child.kill();
        bytes.truncate(usize::try_from(max).unwrap_or(usize::MAX));
    }
    child.wait()?;
    Ok((String::from_utf8_lossy(&bytes).into_owned(), more))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"];
        let done = Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn tracked_and_new_files_are_shown() {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &["init", "-q"]);
        std::fs::write(dir.path().join("a.txt"), "one\n").unwrap();
        run(dir.path(), &["add", "."]);
        run(dir.path(), &["commit", "-qm", "x"]);
        assert_eq!(changes(dir.path(), &[]).unwrap(), "");
        std::fs::write(dir.path().join("a.txt"), "two\n").unwrap();
        std::fs::write(dir.path().join("new file.txt"), "fresh\n").unwrap();
        let diff = changes(dir.path(), &[]).unwrap();
        assert!(diff.contains("-one\n+two\n") && diff.contains("+fresh\n"), "{diff}");
    }

    #[test]
    fn what_a_repository_inside_names_is_not_run() {
        let dir = tempfile::tempdir().unwrap();
        let (top, inner) = (dir.path(), dir.path().join("inner"));
        run(top, &["init", "-q"]);
        run(top, &["init", "-q", "inner"]);
        std::fs::write(inner.join("f"), "one\n").unwrap();
        std::fs::write(inner.join(".gitattributes"), "* filter=x\n").unwrap();
        run(&inner, &["add", "."]);
        run(&inner, &["commit", "-qm", "x"]);
        run(top, &["add", "inner"]);
        run(top, &["commit", "-qm", "x"]);
        let mark = format!("touch {}", dir.path().join("ran").display());
        for key in ["filter.x.clean", "core.fsmonitor", "filter.x.process"] {
            run(&inner, &["config", key, &mark]);
        }
        std::fs::write(inner.join("f"), "other\n").unwrap();
        assert!(!changes(top, &[]).unwrap().contains("inner"));
        run(
            &inner,
            &[
                "-c",
                "filter.x.clean=cat",
                "-c",
                "filter.x.process=",
                "-c",
                "core.fsmonitor=",
                "commit",
                "-qam",
                "y",
            ],
        );
        assert!(changes(top, &[]).unwrap().contains("+Subproject commit"));
        assert!(!dir.path().join("ran").exists());
    }

    #[test]
    fn files_that_look_like_a_repository_are_none() {
        let dir = tempfile::tempdir().unwrap();
        run(dir.path(), &["init", "-q", "--bare"]);
        run(dir.path(), &["config", "core.bare", "false"]);
        run(dir.path(), &["config", "core.worktree", &dir.path().display().to_string()]);
        assert!(matches!(changes(dir.path(), &[]), Err(Error::NoRepository(_))));
    }

    #[test]
    fn a_repository_without_commits_and_no_repository() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(changes(dir.path(), &[]), Err(Error::NoRepository(_))));
        run(dir.path(), &["init", "-q"]);
        std::fs::write(dir.path().join("a.txt"), "one\n").unwrap();
        assert!(changes(dir.path(), &[]).unwrap().contains("+one"));
    }
}
