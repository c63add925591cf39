//! What is in a working directory: every file, link and folder with the marks by which a change shows. Folders that
//! git ignores are build products and left out, as is git's own data; ignored files are taken in, since they are
//! often the ones that nobody else keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::SystemTime;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

use crate::protocol::policy::{PROTECTED, STAND_IN_AT};

/// More entries than this are not followed.
const MAX_ENTRIES: usize = 200_000;
/// Deeper folders are not followed.
const MAX_DEPTH: usize = 64;

/// What a path is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// A regular file.
    File,
    /// A symbolic link.
    Link,
    /// A folder.
    Folder,
    /// Anything else: never read, never written.
    Other,
}

/// The marks of one path: any write changes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Stamp {
    /// What it is.
    pub(crate) kind: Kind,
    /// Permissions.
    pub(crate) mode: u32,
    /// Bytes; 0 for folders.
    pub(crate) size: u64,
    inode: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// The file behind the name.
    pub(crate) fn inode(&self) -> u64 {
        self.inode
    }

    /// Whether all marks are the same but the time at which they changed.
    pub(crate) fn same_but_change(&self, other: &Self) -> bool {
        Self { changed: other.changed, ..*self } == *other
    }

    /// Whether the file changed after `time`. Of folders nobody knows.
    pub(crate) fn is_later(&self, time: SystemTime) -> bool {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        self.kind != Kind::Folder
            && self.changed > (since.as_secs().cast_signed(), since.subsec_nanos().into())
    }

    /// Marks that no file has: what is there is not what the turn left.
    pub(crate) fn nobodys(&self) -> Self {
        Self { inode: 0, changed: (0, 0), ..*self }
    }

    /// The marks in `meta`, which must not have followed a link. For a folder only that it is one, with its
    /// permissions: what it holds is told by its entries.
    pub(crate) fn of(meta: &Metadata) -> Self {
        let kind = match meta.file_type() {
            kind if kind.is_file() => Kind::File,
            kind if kind.is_symlink() => Kind::Link,
            kind if kind.is_dir() => Kind::Folder,
            _ => Kind::Other,
        };
        let mode = meta.mode() & 0o7777;
        if kind == Kind::Folder {
            return Self { kind, mode, size: 0, inode: 0, modified: (0, 0), changed: (0, 0) };
        }
        Self {
            kind,
            mode,
            size: meta.size(),
            inode: meta.ino(),
            modified: (meta.mtime(), meta.mtime_nsec()),
            changed: (meta.ctime(), meta.ctime_nsec()),
        }
    }
}

/// A working directory as it was at one moment. Paths are text below the directory: comparing them as paths, part by
/// part, would cost more than looking at the files.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Every path that was looked at.
    pub(crate) entries: BTreeMap<String, Stamp>,
    /// What is not among them.
    pub(crate) gaps: Gaps,
}

/// What was not looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Gaps {
    /// Folders that were not looked into: what is in them was there before, whatever a later look finds.
    pub(crate) unseen: BTreeSet<String>,
    /// Something could not be looked at.
    pub(crate) partial: bool,
    /// There is too much: any path may be missing here.
    pub(crate) cut: bool,
}

impl Gaps {
    /// Whether `path` was certainly not there, given that it is not among the entries.
    pub(crate) fn spare(&self, path: &str) -> bool {
        let above = path.match_indices('/').filter_map(|(at, _)| path.get(..at));
        !self.cut && !above.chain([path, ""]).any(|dir| self.unseen.contains(dir))
    }
}

/// Looks at everything below `root` but `skipped` (absolute) and what was named above.
pub(crate) fn walk(root: &Path, skipped: &Path) -> Tree {
    let mut gaps = Gaps::default();
    let mut found: Vec<(String, Stamp)> = Vec::new();
    let mut open = vec![(String::new(), 0, Vec::<Gitignore>::new())];
    while let Some((dir, depth, mut rules)) = open.pop() {
        let at = root.join(&dir);
        let Ok(entries) = std::fs::read_dir(&at) else {
            gaps.unseen.insert(dir);
            gaps.partial = true;
            continue;
        };
        if let Some(own) = ignored(&at) {
            rules.push(own);
        }
        for entry in entries {
            if found.len() >= MAX_ENTRIES {
                (gaps.partial, gaps.cut) = (true, true);
                return Tree { entries: found.into_iter().collect(), gaps };
            }
            // The records are text.
            let Some((path, stamp)) = entry.ok().and_then(|entry| look(&dir, &entry)) else {
                gaps.partial = true;
                continue;
            };
            if stamp.kind == Kind::Folder {
                let absolute = root.join(&path);
                if is_stand_in(&absolute) {
                    continue;
                }
                if absolute.ends_with(".git") || absolute == skipped || is_ignored(&rules, &absolute) {
                    gaps.unseen.insert(path);
                    continue;
                }
                if depth < MAX_DEPTH {
                    open.push((path.clone(), depth + 1, rules.clone()));
                } else {
                    gaps.unseen.insert(path.clone());
                    gaps.partial = true;
                }
            }
            found.push((path, stamp));
        }
    }
    Tree { entries: found.into_iter().collect(), gaps }
}

/// Whether the sandbox made this folder, for as long as a command runs.
fn is_stand_in(folder: &Path) -> bool {
    PROTECTED.iter().any(|name| folder.ends_with(name))
        && folder.symlink_metadata().is_ok_and(|meta| meta.mtime() == STAND_IN_AT)
}

fn look(dir: &str, entry: &DirEntry) -> Option<(String, Stamp)> {
    let name = entry.file_name();
    let name = name.to_str()?;
    let mut path = String::with_capacity(dir.len() + 1 + name.len());
    if !dir.is_empty() {
        path.push_str(dir);
        path.push('/');
    }
    path.push_str(name);
    Some((path, Stamp::of(&entry.metadata().ok()?)))
}

/// The rules of a folder's `.gitignore`.
fn ignored(dir: &Path) -> Option<Gitignore> {
    let file = dir.join(".gitignore");
    if !file.symlink_metadata().ok()?.is_file() {
        return None;
    }
    let mut builder = GitignoreBuilder::new(dir);
    // A faulty line is as good as none.
    let _ = builder.add(file);
    builder.build().ok().filter(|rules| !rules.is_empty())
}

/// Whether git ignores this folder; the nearest file that says anything decides.
fn is_ignored(rules: &[Gitignore], folder: &Path) -> bool {
    let says = rules.iter().rev().map(|rules| rules.matched(folder, true)).find(|found| !found.is_none());
    says.is_some_and(|found| found.is_ignore())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_folders_are_left_out_and_ignored_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for (name, text) in [
            (".gitignore", "target/\n.env\n/build\n"),
            ("target/big", "x"),
            ("sub/target/big", "x"),
            ("sub/build/kept", "x"),
            ("sub/.gitignore", "!target/\n"),
            (".git/HEAD", "x"),
            (".env", "secret"),
            ("home/rules", "x"),
        ] {
            let path = root.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::os::unix::fs::symlink("/", root.join("sub/link")).unwrap();
        // A command runs.
        std::fs::create_dir(root.join(".agents")).unwrap();
        let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(STAND_IN_AT.cast_unsigned());
        std::fs::File::open(root.join(".agents")).unwrap().set_modified(at).unwrap();
        let tree = walk(root, &root.join("home"));
        let names: Vec<&str> = tree.entries.keys().map(String::as_str).collect();
        let want = [
            ".env",
            ".gitignore",
            "sub",
            "sub/.gitignore",
            "sub/build",
            "sub/build/kept",
            "sub/link",
            "sub/target",
            "sub/target/big",
        ];
        assert_eq!((names.as_slice(), tree.gaps.partial), (&want[..], false));
        assert!(!tree.gaps.spare("target/big") && !tree.gaps.spare("target"));
        assert!(tree.gaps.spare("sub/new") && tree.gaps.spare("new") && tree.gaps.spare("targets/x"));
        assert_eq!(tree.entries["sub/link"].kind, Kind::Link);
        let before = tree.entries[".env"];
        std::fs::write(root.join(".env"), "public").unwrap();
        assert_ne!(walk(root, root).entries[".env"], before, "same length, other content");
    }
}
