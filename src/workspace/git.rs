//! What a repository says about itself, read straight from its files: asking the git program would cost a process
//! per turn and could run programs that the repository configures. Everything here may be missing, torn or
//! hostile; what cannot be read is simply not known.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::base::fs::marks;
use crate::base::path::absolute;
use crate::config::git_dir;

/// Longest small file (HEAD, a loose ref, `commondir`).
const SMALL: u64 = 4 * 1024;
/// Most that is read of `packed-refs`.
const PACKED: u64 = 32 * 1024 * 1024;
/// Most that is read of the repository's `config`.
const CONFIG: u64 = 256 * 1024;
/// Symbolic refs are followed this far.
const LINKS: usize = 5;

/// Where a repository stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct GitState {
    /// Branch name; `None` when detached.
    pub(crate) branch: Option<String>,
    /// Commit id in hexadecimal; `None` before the first commit.
    pub(crate) commit: Option<String>,
    /// URL of the remote `origin`, without user name and password.
    pub(crate) origin: Option<String>,
}

/// Nearest ancestor of `cwd` (itself included) with a `.git` folder or file.
pub(crate) fn root(cwd: &Path) -> Option<PathBuf> {
    cwd.ancestors().find(|dir| marks(&dir.join(".git"))).map(Path::to_owned)
}

/// Reads branch, commit and origin of the repository at `root`; `None` when that is no repository.
pub(crate) fn state(root: &Path) -> Option<GitState> {
    let git = git_dir(root)?;
    let common = match small(&git.join("commondir")) {
        Some(path) => absolute(&git, Path::new(&path)),
        None => git.clone(),
    };
    let head = small(&git.join("HEAD"))?;
    let origin = origin(&common);
    let Some(name) = head.strip_prefix("ref:").map(str::trim) else {
        return Some(GitState { branch: None, commit: commit_id(&head), origin });
    };
    let branch = name.strip_prefix("refs/heads/").filter(|branch| *branch != ".invalid").map(str::to_owned);
    Some(GitState { branch, commit: resolve(&git, &common, name), origin })
}

/// The commit a ref stands for: loose in this worktree, loose in the common folder, or packed.
fn resolve(git: &Path, common: &Path, name: &str) -> Option<String> {
    let mut name = name.to_owned();
    for _ in 0..LINKS {
        let plain = name.starts_with("refs/") && !name.contains("..") && !name.contains('\0');
        if !plain {
            return None;
        }
        match small(&git.join(&name)).or_else(|| small(&common.join(&name))) {
            None => return packed(common, &name),
            Some(text) => match text.strip_prefix("ref:") {
                Some(next) => name = next.trim().to_owned(),
                None => return commit_id(&text),
            },
        }
    }
    None
}

fn packed(common: &Path, name: &str) -> Option<String> {
    let file = open(&common.join("packed-refs"))?;
    let mut lines = BufReader::new(file.take(PACKED));
    let mut line = Vec::new();
    loop {
        line.clear();
        if lines.read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let found = std::str::from_utf8(&line).ok().and_then(|line| line.trim_end().split_once(' '));
        if let Some((id, _)) = found.filter(|(_, known)| *known == name) {
            return commit_id(id);
        }
    }
}

/// `url` of `[remote "origin"]`.
fn origin(common: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    open(&common.join("config"))?.take(CONFIG).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8_lossy(&bytes);
    let mut inside = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            inside = line == "[remote \"origin\"]";
        } else if inside
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "url"
        {
            return public_url(value.trim().trim_matches('"'));
        }
    }
    None
}

/// A URL as it may be stored and sent: without user name, password, query and fragment. The short form of ssh
/// (`user@host:path`) holds no secret and stays.
fn public_url(text: &str) -> Option<String> {
    if text.is_empty() || text.chars().any(char::is_control) {
        return None;
    }
    if !text.contains("://") {
        return Some(text.to_owned());
    }
    let mut url = url::Url::parse(text).ok()?;
    if url.scheme() != "ssh" {
        let _ = url.set_username("");
    }
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    Some(url.into())
}

/// 40 or 64 hexadecimal digits.
fn commit_id(text: &str) -> Option<String> {
    let id = text.trim();
    let valid = matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    valid.then(|| id.to_ascii_lowercase())
}

/// First line of a small text file.
fn small(path: &Path) -> Option<String> {
    let mut bytes = Vec::new();
    open(path)?.take(SMALL).read_to_end(&mut bytes).ok()?;
    let text = String::from_utf8(bytes).ok()?;
    text.lines().next().map(|line| line.trim().to_owned())
}

/// Opens a regular file; anything that could block is not opened.
fn open(path: &Path) -> Option<File> {
    path.metadata().ok().filter(std::fs::Metadata::is_file)?;
    File::open(path).ok()
}

#[cfg(test)]
#[path = "git_tests.rs"]
mod tests;
