//! What is in a working directory: every file, link and folder with the marks by which a change shows. Folders that
//! git ignores are build products and left out, as is git's own data; ignored files are taken in, since they are
//! often the ones that nobody else keeps.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{DirEntry, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use serde::{Deserialize, Serialize};

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

/// A working directory as it was at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tree {
    /// Paths below the directory.
    pub(crate) entries: BTreeMap<PathBuf, Stamp>,
    /// Folders that were not looked into: what is in them was there before, whatever a later look finds.
    pub(crate) unseen: BTreeSet<PathBuf>,
    /// Something could not be looked at.
    pub(crate) partial: bool,
    /// There is too much: any path may be missing here.
    pub(crate) cut: bool,
}

impl Tree {
    /// Notes a folder that is not looked into.
    fn leave(&mut self, root: &Path, dir: &Path) {
        self.unseen.insert(dir.strip_prefix(root).unwrap_or(dir).to_owned());
    }

    /// Whether `path` was certainly not there, given that it is not among the entries.
    pub(crate) fn lacks(&self, path: &Path) -> bool {
        !self.cut
            && !self.entries.contains_key(path)
            && !path.ancestors().any(|dir| self.unseen.contains(dir))
    }
}

/// Looks at everything below `root` but `skipped` (absolute) and what was named above.
pub(crate) fn walk(root: &Path, skipped: &Path) -> Tree {
    let mut tree = Tree::default();
    let deepest = root.components().count() + MAX_DEPTH;
    let mut open = vec![(root.to_owned(), Vec::<Gitignore>::new())];
    while let Some((dir, mut rules)) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&dir) else {
            tree.leave(root, &dir);
            tree.partial = true;
            continue;
        };
        if let Some(found) = ignored(&dir) {
            rules.push(found);
        }
        for entry in entries {
            let Ok(entry) = entry else {
                tree.partial = true;
                continue;
            };
            if tree.entries.len() >= MAX_ENTRIES {
                (tree.partial, tree.cut) = (true, true);
                return tree;
            }
            let Some((path, stamp)) = look(&entry) else {
                tree.partial = true;
                continue;
            };
            if stamp.kind == Kind::Folder {
                if entry.file_name() == ".git" || path == skipped || is_ignored(&rules, &path) {
                    tree.leave(root, &path);
                    continue;
                }
                if path.components().count() < deepest {
                    open.push((path.clone(), rules.clone()));
                } else {
                    tree.leave(root, &path);
                    tree.partial = true;
                }
            }
            match path.strip_prefix(root) {
                // The records are text.
                Ok(rest) if rest.to_str().is_some() => drop(tree.entries.insert(rest.to_owned(), stamp)),
                _ => tree.partial = true,
            }
        }
    }
    tree
}

fn look(entry: &DirEntry) -> Option<(PathBuf, Stamp)> {
    let meta = entry.metadata().ok()?;
    Some((entry.path(), Stamp::of(&meta)))
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
        let tree = walk(root, &root.join("home"));
        let names: Vec<&str> = tree.entries.keys().map(|path| path.to_str().unwrap()).collect();
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
        assert_eq!((names.as_slice(), tree.partial), (&want[..], false));
        assert!(!tree.lacks(Path::new("target/big")) && !tree.lacks(Path::new(".env")));
        assert!(tree.lacks(Path::new("sub/new")));
        assert_eq!(tree.entries[Path::new("sub/link")].kind, Kind::Link);
        let before = tree.entries[Path::new(".env")];
        std::fs::write(root.join(".env"), "public").unwrap();
        assert_ne!(walk(root, root).entries[Path::new(".env")], before, "same length, other content");
    }
}
