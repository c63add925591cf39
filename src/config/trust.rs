//! Which folder is the project, and does the user trust it. Trust is written in files the project cannot reach;
//! a linked worktree shares the trust of its main repository only if that repository knows the worktree, because
//! the `.git` file of an untrusted folder may claim anything.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::error::Error;
use super::tree::{Sources, Tree, Value, find};
use crate::base::fs::{marks, read_bounded};
use crate::base::path::absolute;

/// What the user said about a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Its configuration is loaded and commands may write in it.
    Trusted,
    /// Nothing of it is followed, not even its AGENTS.md.
    Untrusted,
    /// The user was not asked yet.
    Unknown,
}

/// Longest `.git` file that is believed.
const GIT_FILE_MAX: u64 = 8 * 1024;

/// Nearest ancestor of `cwd` (itself included) that holds one of `markers`.
pub(crate) fn project_root(cwd: &Path, markers: &[String]) -> Option<PathBuf> {
    cwd.ancestors().find(|dir| markers.iter().any(|marker| marks(&dir.join(marker)))).map(Path::to_owned)
}

/// Looks up the trust of `cwd`, then of its project root, then of the main repository of a linked worktree; the
/// first that has an entry decides. `layers` are the user's side, highest first.
///
/// # Errors
/// The entry found is not one of the two words.
pub(crate) fn look_up(
    cwd: &Path,
    root: Option<&Path>,
    layers: &[&Tree],
    sources: &Sources,
) -> Result<Trust, Error> {
    if !layers.iter().any(|tree| tree.contains_key("projects")) {
        return Ok(Trust::Unknown);
    }
    let main = root.and_then(main_repository);
    for dir in [Some(cwd), root, main.as_deref()].into_iter().flatten() {
        if let Some(trust) = of(dir, layers, sources)? {
            return Ok(trust);
        }
    }
    Ok(Trust::Unknown)
}

/// What the user said about exactly `dir`.
///
/// # Errors
/// As for [`look_up`].
pub(crate) fn of(dir: &Path, layers: &[&Tree], sources: &Sources) -> Result<Option<Trust>, Error> {
    for tree in layers {
        if let Some(trust) = entry(tree, dir, sources)? {
            return Ok(Some(trust));
        }
    }
    Ok(None)
}

/// The entry for exactly `dir` (also through another spelling of its path) in one layer.
fn entry(tree: &Tree, dir: &Path, sources: &Sources) -> Result<Option<Trust>, Error> {
    let Some(Value::Table(projects)) = tree.get("projects").map(|entry| &entry.node.value) else {
        return Ok(None);
    };
    for (name, project) in projects {
        let path = Path::new(name);
        let same = path == dir || (path.is_absolute() && path.canonicalize().is_ok_and(|real| real == dir));
        if !same {
            continue;
        }
        let Value::Table(table) = &project.node.value else { continue };
        let Some(level) = find(table, &["trust_level"]) else { continue };
        return match &level.value {
            Value::Text(word) if word == "trusted" => Ok(Some(Trust::Trusted)),
            Value::Text(word) if word == "untrusted" => Ok(Some(Trust::Untrusted)),
            _ => Err(Error::Value {
                place: sources.place(level.at),
                key: format!("projects.{}.trust_level", super::diagnose::quoted(name)),
                problem: "has no such value; allowed: \"trusted\", \"untrusted\"".to_owned(),
            }),
        };
    }
    Ok(None)
}

/// The git directory that `dir/.git` stands for: itself, or where its `gitdir:` line points.
pub(crate) fn git_dir(dir: &Path) -> Option<PathBuf> {
    let dot_git = dir.join(".git");
    let kind = dot_git.metadata().ok()?;
    if kind.is_dir() {
        return Some(dot_git);
    }
    let bytes = read_bounded(&dot_git, GIT_FILE_MAX).ok()?;
    let target = bytes.strip_prefix(b"gitdir:")?.trim_ascii();
    if target.is_empty() || target.contains(&b'\n') || target.contains(&0) {
        return None;
    }
    Some(absolute(dir, Path::new(OsStr::from_bytes(target))))
}

/// Whether `dir` is a linked worktree in the working tree of its own repository, where commands of that one write.
pub(crate) fn lies_in_main(dir: &Path) -> bool {
    let main = main_repository(dir);
    main.is_some_and(|main| dir.canonicalize().is_ok_and(|real| real.starts_with(main)))
}

/// The main working tree of the linked worktree `dir`, when the repository confirms the link.
fn main_repository(dir: &Path) -> Option<PathBuf> {
    let git = git_dir(dir)?;
    if git == dir.join(".git") {
        return None;
    }
    let git = git.canonicalize().ok()?;
    let back = read_bounded(&git.join("gitdir"), GIT_FILE_MAX).ok()?;
    let back = absolute(&git, Path::new(OsStr::from_bytes(back.trim_ascii())));
    if back.canonicalize().ok()? != dir.join(".git").canonicalize().ok()? {
        return None;
    }
    let worktrees = git.parent().filter(|parent| parent.ends_with(".git/worktrees"))?;
    worktrees.parent()?.parent().map(Path::to_owned)
}

#[cfg(test)]
#[path = "trust_tests.rs"]
mod tests;
