//! Instruction files: the user's own, then one per folder from the project root down to the working directory.
//! Reading is bounded and never fails: what could not be used is told in a warning. Explicitly untrusted projects
//! are not read at all, because their text would speak to the model in the user's name.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::schema::project::ProjectDocs;
use crate::config::{Config, Trust};
use crate::protocol::policy::DenyRead;

/// The usual name.
const NAME: &str = "AGENTS.md";
/// Stands in for `AGENTS.md` of the same folder, even when it is empty: so a folder's file can be switched off.
const OVERRIDE: &str = "AGENTS.override.md";
/// Most that is read of the user's own file, in bytes.
const GLOBAL_MAX: u64 = 256 * 1024;
/// Between the user's text and the project's; readers of threads know it.
const SEPARATOR: &str = "--- project-doc ---";

/// Where to look and how much to take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Search<'a> {
    /// Folder of the user's own file.
    pub(crate) codex_home: &'a Path,
    /// Last folder of the project to look in.
    pub(crate) cwd: &'a Path,
    /// First folder of the project; without one only `cwd` counts.
    pub(crate) project_root: Option<&'a Path>,
    /// Trust in the project.
    pub(crate) trust: Trust,
    /// Budget and further names.
    pub(crate) docs: &'a ProjectDocs,
    /// What commands cannot read: a project's file must not be a link to it.
    pub(crate) hidden: &'a DenyRead,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Docs {
    /// The user's own file.
    pub(crate) global: Option<Doc>,
    /// Files of the project, root first.
    pub(crate) project: Vec<Doc>,
    /// Sentences for the user: what was cut, left out or unreadable.
    pub(crate) warnings: Vec<String>,
}

/// One instruction file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Doc {
    /// Absolute path.
    pub(crate) path: PathBuf,
    /// Its text as far as the budget went; never blank.
    pub(crate) text: String,
}

impl<'a> From<&'a Config> for Search<'a> {
    fn from(config: &'a Config) -> Self {
        Self {
            codex_home: &config.codex_home,
            cwd: &config.cwd,
            project_root: config.project_root.as_deref(),
            trust: config.trust,
            docs: &config.docs,
            hidden: &config.deny_read,
        }
    }
}

impl Docs {
    /// The text for the model; `None` when there is nothing to say. Heading and tags are how readers of a thread
    /// tell this message from the user's.
    pub(crate) fn block(&self, cwd: &Path) -> Option<String> {
        let mut parts: Vec<&str> = self.global.iter().map(|doc| doc.text.trim_end()).collect();
        if !self.project.is_empty() {
            parts.extend(self.global.as_ref().map(|_| SEPARATOR));
            parts.extend(self.project.iter().map(|doc| doc.text.trim_end()));
        }
        if parts.is_empty() {
            return None;
        }
        let body = parts.join("\n\n");
        Some(format!(
            "# AGENTS.md instructions for {}\n\n<INSTRUCTIONS>\n{body}\n</INSTRUCTIONS>",
            cwd.display()
        ))
    }
}

/// Looks for all instruction files. Reads the disk: call it where blocking is allowed.
pub(crate) fn find(search: Search<'_>) -> Docs {
    let mut docs = Docs::default();
    docs.global = global(search.codex_home, &mut docs.warnings);
    if search.trust == Trust::Untrusted || search.docs.max_bytes == 0 {
        return docs;
    }
    let mut left = search.docs.max_bytes;
    for dir in folders(search) {
        let Some((path, size)) = choose(dir, &search.docs.fallback_names) else { continue };
        if left == 0 {
            docs.warnings.push(format!(
                "{} is left out: the files above it used up project_doc_max_bytes = {}",
                path.display(),
                search.docs.max_bytes
            ));
            continue;
        }
        if is_hidden(&path, search.hidden) {
            docs.warnings
                .push(format!("{} is left out: it leads to what commands cannot read", path.display()));
            continue;
        }
        let Some((text, used)) = read(&path, left, &mut docs.warnings) else { continue };
        left -= used.min(left);
        if used < size {
            left = 0; // what a half character left over is no room for another file
            docs.warnings.push(format!(
                "{} is cut: {used} of its {size} bytes are used, {} are not (project_doc_max_bytes = {})",
                path.display(),
                size - used,
                search.docs.max_bytes
            ));
        }
        if !text.trim().is_empty() {
            docs.project.push(Doc { path, text });
        }
    }
    docs
}

/// Folders to look in, root first.
fn folders(search: Search<'_>) -> Vec<&Path> {
    let top = search.project_root.unwrap_or(search.cwd);
    let mut dirs: Vec<&Path> = search.cwd.ancestors().take_while(|dir| dir.starts_with(top)).collect();
    dirs.retain(|dir| *dir != search.codex_home);
    dirs.reverse();
    dirs
}

fn global(codex_home: &Path, warnings: &mut Vec<String>) -> Option<Doc> {
    let (path, size) = choose(codex_home, &[])?;
    let (text, used) = read(&path, GLOBAL_MAX, warnings)?;
    if used < size {
        warnings.push(format!("{} is cut: only its first {used} of {size} bytes are used", path.display()));
    }
    (!text.trim().is_empty()).then_some(Doc { path, text })
}

/// The one file of a folder, with its size: the override whatever it holds, else the first of the other names
/// that holds anything but white space.
fn choose(dir: &Path, fallback: &[String]) -> Option<(PathBuf, u64)> {
    let names = [OVERRIDE, NAME].into_iter().chain(fallback.iter().map(String::as_str));
    for name in names {
        let path = dir.join(name);
        let Ok(metadata) = path.metadata() else { continue };
        if metadata.is_file() && (name == OVERRIDE || !blank(&path, metadata.len())) {
            return Some((path, metadata.len()));
        }
    }
    None
}

/// Whether a file holds white space only. Only short files are looked at; unreadable ones are not blank, so that
/// reading them later tells why.
fn blank(path: &Path, size: u64) -> bool {
    const SHORT: u64 = 4096;
    size <= SHORT && bytes(path, SHORT).is_ok_and(|bytes| bytes.trim_ascii().is_empty())
}

/// Whether a file is one of those, or in one of those folders, by where it really is.
fn is_hidden(path: &Path, list: &DenyRead) -> bool {
    let Ok(real) = path.canonicalize() else { return false };
    let fits = |name: &str, pattern: &str| match pattern.split_once('*') {
        Some((start, end)) => {
            name.len() >= pattern.len() - 1 && name.starts_with(start) && name.ends_with(end)
        }
        None => name == pattern,
    };
    let by_path = |pattern: &PathBuf| {
        let (Some(folder), Some(last)) = (pattern.parent(), pattern.file_name()) else { return false };
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_owned());
        let first = real.strip_prefix(folder).ok().and_then(|rest| rest.components().next());
        first.is_some_and(|first| fits(&first.as_os_str().to_string_lossy(), &last.to_string_lossy()))
            || pattern.canonicalize().is_ok_and(|target| real.starts_with(target))
    };
    let env = real.file_name().is_some_and(|name| fits(&name.to_string_lossy(), ".env*"));
    let allowed = list.allow.iter().any(|allowed| real.starts_with(allowed));
    !allowed && (list.paths.iter().any(by_path) || (list.env_files && env))
}

/// Text of at most `max` bytes of a file, and how many bytes of the file that is. Bytes that are not UTF-8 are
/// replaced; a character cut by the limit goes.
fn read(path: &Path, max: u64, warnings: &mut Vec<String>) -> Option<(String, u64)> {
    let mut bytes = match bytes(path, max) {
        Ok(bytes) => bytes,
        Err(error) => {
            warnings.push(format!("{} is left out: it cannot be read: {error}", path.display()));
            return None;
        }
    };
    if let Err(error) = std::str::from_utf8(&bytes)
        && error.error_len().is_none()
        && bytes.len() as u64 == max
    {
        bytes.truncate(error.valid_up_to());
    }
    let used = bytes.len() as u64;
    let text = String::from_utf8_lossy(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes)).into_owned();
    Some((text, used))
}

fn bytes(path: &Path, max: u64) -> io::Result<Vec<u8>> {
    let nonblock = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path)?;
    let mut bytes = Vec::new();
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
#[path = "agents_md_tests.rs"]
mod tests;
