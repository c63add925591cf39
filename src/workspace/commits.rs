//! Branches and commits of the user's repository, for a review: what there is to choose from, and what a choice means.
//! The `git` program answers, with the same precautions as for the diff; names reach it as arguments that cannot be
//! taken for options. Blocks, bounded in bytes and time. Names and titles come from whoever wrote them: they are
//! cleaned for the screen. `hidden` everywhere: variables that git does not get.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::changed::read;
use super::diff::command;
use crate::base::clean;

/// So long git may take.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most of an answer that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;
/// Branches and commits that are listed.
const MAX_LISTED: usize = 500;
/// Characters of a title that are kept.
const TITLE: usize = 200;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The folder is in no repository.
    #[error("{0} is not in a git repository, so there are no changes to review.")]
    NoRepository(String),
    /// Nothing was committed yet.
    #[error("This repository has no commits yet; its uncommitted changes can be reviewed.")]
    NoCommits,
    /// No branch, tag or commit is called this.
    #[error("There is no branch or commit `{0}` in this repository.")]
    Unknown(String),
    /// The histories never met.
    #[error("`{0}` and the current branch have no commit in common.")]
    Unrelated(String),
    /// The `git` program cannot be run, or takes too long.
    #[error("Git does not answer: {0}.")]
    Git(#[from] io::Error),
}

/// A branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Branch {
    /// Its name as git knows it.
    pub(crate) name: String,
    /// When and what was committed to it last, cleaned.
    pub(crate) last: String,
}

/// A commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Full hexadecimal name.
    pub(crate) sha: String,
    /// First line of its message, cleaned.
    pub(crate) title: String,
    /// When, such as `3 days ago`.
    pub(crate) when: String,
}

/// Branches, the usual base first, then the most recent; the current one is left out.
///
/// # Errors
/// See [`Error`].
pub(crate) fn branches(cwd: &Path, hidden: &[String]) -> Result<Vec<Branch>, Error> {
    has_commits(cwd, hidden)?;
    let current = git(cwd, hidden, &["symbolic-ref", "--quiet", "--short", "HEAD"])?.unwrap_or_default();
    let usual = git(cwd, hidden, &["symbolic-ref", "--quiet", "--short", "refs/remotes/origin/HEAD"])?;
    let usual = usual.unwrap_or_default();
    let usual = usual.trim().trim_start_matches("origin/");
    let count = format!("--count={MAX_LISTED}");
    let format = "--format=%(refname:short)%00%(committerdate:relative)%00%(subject)";
    let args = ["for-each-ref", "--sort=-committerdate", &count, format, "refs/heads", "refs/remotes"];
    let listed = git(cwd, hidden, &args)?.unwrap_or_default();
    let mut found: Vec<Branch> = listed
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\0');
            let (name, when, title) = (fields.next()?, fields.next()?, fields.next().unwrap_or_default());
            let head = name.ends_with("/HEAD") || !name.contains('/') && name == "origin";
            let last = clean::line(&format!("{when} · {title}"), TITLE);
            (name != current.trim() && !head).then(|| Branch { name: name.to_owned(), last })
        })
        .collect();
    let rank = |branch: &Branch| match branch.name.as_str() {
        name if name == usual => 0,
        "main" | "master" => 1,
        _ => 2,
    };
    found.sort_by_key(rank);
    Ok(found)
}

/// Commits of the current branch, newest first.
///
/// # Errors
/// See [`Error`].
pub(crate) fn commits(cwd: &Path, hidden: &[String]) -> Result<Vec<Commit>, Error> {
    has_commits(cwd, hidden)?;
    let count = format!("--max-count={MAX_LISTED}");
    let args = ["log", &count, "--no-show-signature", "--format=%H%x00%cr%x00%s", "HEAD", "--"];
    let listed = git(cwd, hidden, &args)?.unwrap_or_default();
    let commit = |line: &str| {
        let mut fields = line.split('\0');
        let (sha, when) = (fields.next()?.to_owned(), fields.next()?.to_owned());
        Some(Commit { sha, when, title: clean::line(fields.next().unwrap_or_default(), TITLE) })
    };
    Ok(listed.lines().filter_map(commit).collect())
}

/// The commit where the current branch and `name` parted.
///
/// # Errors
/// See [`Error`].
pub(crate) fn merge_base(cwd: &Path, hidden: &[String], name: &str) -> Result<String, Error> {
    has_commits(cwd, hidden)?;
    let other = commit_of(cwd, hidden, name)?;
    let base = git(cwd, hidden, &["merge-base", "HEAD", &other])?;
    base.map(|base| base.trim().to_owned())
        .filter(|base| !base.is_empty())
        .ok_or_else(|| Error::Unrelated(clean::line(name, TITLE)))
}

/// The commit that `name` means, and its title.
///
/// # Errors
/// See [`Error`].
pub(crate) fn commit(cwd: &Path, hidden: &[String], name: &str) -> Result<Commit, Error> {
    has_commits(cwd, hidden)?;
    let sha = commit_of(cwd, hidden, name)?;
    let args = ["log", "--max-count=1", "--no-show-signature", "--format=%cr%x00%s", &sha, "--"];
    let told = git(cwd, hidden, &args)?.unwrap_or_default();
    let (when, title) = told.trim_end().split_once('\0').unwrap_or_default();
    Ok(Commit { sha, when: when.to_owned(), title: clean::line(title, TITLE) })
}

/// Whether `cwd` is in a repository.
///
/// # Errors
/// It is not, or nobody can tell.
pub(crate) fn inside(cwd: &Path, hidden: &[String]) -> Result<(), Error> {
    match git(cwd, hidden, &["rev-parse", "--is-inside-work-tree"])? {
        Some(told) if told.trim() == "true" => Ok(()),
        _ => Err(Error::NoRepository(cwd.display().to_string())),
    }
}

fn has_commits(cwd: &Path, hidden: &[String]) -> Result<(), Error> {
    inside(cwd, hidden)?;
    git(cwd, hidden, &["rev-parse", "--verify", "--quiet", "HEAD"])?.map(|_| ()).ok_or(Error::NoCommits)
}

fn commit_of(cwd: &Path, hidden: &[String], name: &str) -> Result<String, Error> {
    let unknown = || Error::Unknown(clean::line(name, TITLE));
    if name.trim().is_empty() || name.contains('\0') {
        return Err(unknown());
    }
    let wanted = format!("{name}^{{commit}}");
    let found = git(cwd, hidden, &["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
    found.map(|sha| sha.trim().to_owned()).filter(|sha| !sha.is_empty()).ok_or_else(unknown)
}

/// What git says; `None` when it ended badly.
fn git(cwd: &Path, hidden: &[String], args: &[&str]) -> io::Result<Option<String>> {
    let mut child = command(cwd, hidden).args(args).spawn()?;
    let told = match child.stdout.take() {
        Some(stdout) => read(stdout, PATIENCE, MAX_BYTES),
        None => Ok((Vec::new(), false)),
    };
    if !matches!(told, Ok((_, false))) {
        let _ = child.kill();
    }
    let status = child.wait()?;
    let (bytes, more) = told?;
    Ok((more || status.success()).then(|| String::from_utf8_lossy(&bytes).into_owned()))
}

#[cfg(test)]
#[path = "commits_tests.rs"]
mod tests;
