//! What the patches of one turn changed together, as a git-style diff: the baseline of each file is its content
//! before the turn's first patch to it. Only patches count, not what commands wrote.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::diff;
use crate::protocol::turn::Changed;

/// Longest text that is kept for comparing.
const MAX_KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Longest diff, in bytes, give or take one file.
const MAX_DIFF_BYTES: usize = 1024 * 1024;

/// One file of one patch, before and after.
#[derive(Clone, Debug)]
pub(crate) struct Touched {
    /// Absolute path afterwards.
    pub(crate) path: PathBuf,
    /// Absolute path before, when it was moved.
    pub(crate) from: Option<PathBuf>,
    pub(crate) before: Side,
    pub(crate) after: Side,
    /// Diff of this patch.
    pub(crate) hunks: String,
}

/// Content on one side of a change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Side {
    /// No file.
    Absent,
    /// Text, and the mode of the file.
    Text { text: Arc<str>, mode: u32 },
    /// A file that is not compared: not UTF-8, a link, or very long.
    Opaque,
}

/// Collects the patches of one turn.
#[derive(Debug, Default)]
pub(crate) struct TurnDiff {
    /// By path after the last patch.
    entries: BTreeMap<PathBuf, Entry>,
}

#[derive(Debug)]
struct Entry {
    /// Path before the turn.
    origin: PathBuf,
    before: Side,
    after: Side,
    /// Diff of the only patch so far.
    hunks: Option<String>,
}

impl TurnDiff {
    /// Adds the files of one patch that has been written.
    pub(crate) fn record(&mut self, touched: &[Touched]) {
        for file in touched {
            let source = file.from.as_ref().unwrap_or(&file.path);
            let known = self.entries.remove(source);
            let entry = match known {
                Some(entry) => Entry { after: kept(&file.after), hunks: None, ..entry },
                None => Entry {
                    origin: source.clone(),
                    before: kept(&file.before),
                    after: kept(&file.after),
                    hunks: Some(file.hunks.clone()).filter(|hunks| !hunks.is_empty()),
                },
            };
            // A file that was moved here takes the place of what was here.
            self.entries.insert(file.path.clone(), entry);
        }
    }

    /// The diff, with paths relative to `root` where they are below it; empty when nothing is left changed.
    pub(crate) fn render(&self, root: &Path) -> String {
        let mut out = String::new();
        for (count, (path, entry)) in self.entries.iter().enumerate() {
            if out.len() > MAX_DIFF_BYTES {
                out.push_str(&format!("… {} more files\n", self.entries.len() - count));
                break;
            }
            entry.render(path, root, &mut out);
        }
        out
    }
}

impl Entry {
    fn render(&self, path: &Path, root: &Path, out: &mut String) {
        let moved = self.origin != path && self.before != Side::Absent && self.after != Side::Absent;
        let same = self.before == self.after && self.hunks.is_none();
        if same && !moved && (self.before != Side::Opaque) {
            return;
        }
        let (old, new) = (shown(root, &self.origin), shown(root, path));
        // A file that the turn itself made has no other old name than its new one.
        let old = if self.before == Side::Absent { &new } else { &old };
        out.push_str(&format!("diff --git a/{old} b/{new}\n"));
        match (&self.before, &self.after) {
            (Side::Absent, after) => out.push_str(&format!("new file mode {}\n", git_mode(after))),
            (before, Side::Absent) => out.push_str(&format!("deleted file mode {}\n", git_mode(before))),
            _ if moved => out.push_str(&format!("rename from {old}\nrename to {new}\n")),
            _ => {}
        }
        let from = if self.before == Side::Absent { "/dev/null".to_owned() } else { format!("a/{old}") };
        let to = if self.after == Side::Absent { "/dev/null".to_owned() } else { format!("b/{new}") };
        let hunks = match (&self.hunks, text(&self.before), text(&self.after)) {
            (Some(hunks), ..) => hunks.clone(),
            (None, Some(before), Some(after)) => diff::between(before, after),
            (None, ..) if same && moved => return,
            (None, ..) => {
                out.push_str(&format!("Binary files {from} and {to} differ\n"));
                return;
            }
        };
        if !hunks.is_empty() {
            out.push_str(&format!("--- {from}\n+++ {to}\n{hunks}"));
        }
    }
}

/// The size of a diff that [`TurnDiff::render`] made.
pub(crate) fn size(diff: &str) -> Changed {
    let mut size = Changed::default();
    let mut in_hunk = false;
    for line in diff.split('\n') {
        match line.as_bytes().first() {
            Some(b'd') if line.starts_with("diff --git ") => {
                size.files = size.files.saturating_add(1);
                in_hunk = false;
            }
            Some(b'@') => in_hunk = true,
            Some(b'+') if in_hunk => size.added = size.added.saturating_add(1),
            Some(b'-') if in_hunk => size.removed = size.removed.saturating_add(1),
            _ => {}
        }
    }
    size
}

/// A path below `root` relative to it, any other without its leading slash.
fn shown(root: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(root).or_else(|_| path.strip_prefix("/")).unwrap_or(path);
    relative.display().to_string()
}

fn git_mode(side: &Side) -> &'static str {
    match side {
        Side::Text { mode, .. } if mode & 0o111 != 0 => "100755",
        Side::Text { .. } | Side::Opaque | Side::Absent => "100644",
    }
}

fn text(side: &Side) -> Option<&str> {
    match side {
        Side::Absent => Some(""),
        Side::Text { text, .. } => Some(text),
        Side::Opaque => None,
    }
}

fn kept(side: &Side) -> Side {
    match side {
        Side::Text { text, .. } if text.len() > MAX_KEPT_BYTES => Side::Opaque,
        other => other.clone(),
    }
}

#[cfg(test)]
#[path = "turn_diff_tests.rs"]
mod tests;
