//! What is in a folder: every file, link and folder with the marks by which a change shows. Folders that git ignores
//! are build products and left out, as is git's own data; ignored files are taken in, since they are often the ones
//! that nobody else keeps. This is what every turn that may write waits for twice, so one system call per file and one
//! allocation for its name is all that it does.

use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::{AtFlags, Mode, OFlags, RawDir};
use rustix::io::Errno;

use super::bytes::Name;
use super::stamp::{Kind, Stamp};
use super::state::Gaps;
use crate::protocol::policy::{PROTECTED, STAND_IN_AT};

/// More entries than this are not followed.
const MAX_ENTRIES: usize = 200_000;
/// Deeper folders are not followed.
const MAX_DEPTH: usize = 64;

/// A folder as it was at one moment.
#[derive(Debug, Default)]
pub(super) struct Tree {
    /// Every path that was looked at, sorted.
    pub(super) entries: Vec<(Name, Stamp)>,
    /// What is not among them.
    pub(super) gaps: Gaps,
}

/// The rules of a folder and of those above it.
struct Rules {
    own: Gitignore,
    above: Option<Rc<Rules>>,
}

/// A folder to be looked into.
struct Open {
    path: Vec<u8>,
    depth: usize,
    rules: Option<Rc<Rules>>,
}

/// Looks at everything below `root` but `skipped` (absolute) and what was named above.
pub(super) fn walk(root: &Path, skipped: &Path) -> Tree {
    let mut tree = Tree::default();
    let mut open = vec![Open { path: Vec::new(), depth: 0, rules: None }];
    let mut space = Vec::with_capacity(64 << 10);
    while let Some(mut dir) = open.pop() {
        let at = root.join(OsStr::from_bytes(&dir.path));
        let Some(folder) = opened(&at, dir.depth > 0) else {
            tree.gaps.miss(&dir.path);
            continue;
        };
        if let Some(own) = ignored(&folder, &at) {
            dir.rules = Some(Rc::new(Rules { own, above: dir.rules.take() }));
        }
        let spare: &mut [MaybeUninit<u8>] = space.spare_capacity_mut();
        let mut entries = RawDir::new(&folder, spare);
        while let Some(entry) = entries.next() {
            let Ok(entry) = entry else {
                tree.gaps.miss(&dir.path);
                break;
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            if tree.entries.len() >= MAX_ENTRIES {
                (tree.gaps.partial, tree.gaps.cut) = (true, true);
                return tree.sorted();
            }
            open.extend(tree.entry(&dir, &folder, name, (root, skipped)));
        }
    }
    tree.sorted()
}

impl Tree {
    /// Looks at one path; the folder that it is, when it is to be looked into.
    fn entry(
        &mut self,
        dir: &Open,
        folder: &OwnedFd,
        name: &CStr,
        (root, skipped): (&Path, &Path),
    ) -> Option<Open> {
        let stat = match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(error) => {
                // What is gone already was nothing of the turn.
                self.gaps.partial |= error != Errno::NOENT;
                return None;
            }
        };
        let stamp = Stamp::of(&stat);
        let path = below(&dir.path, name.to_bytes());
        let mut inside = None;
        if stamp.kind == Kind::Folder {
            let absolute = root.join(OsStr::from_bytes(&path));
            // The sandbox makes such folders for as long as a command runs.
            if stat.st_mtime == STAND_IN_AT && PROTECTED.iter().any(|name| absolute.ends_with(name)) {
                return None;
            }
            let ignored = is_ignored(dir.rules.as_deref(), &absolute);
            if ignored || absolute.ends_with(".git") || absolute == skipped {
                self.gaps.ignored |= ignored;
                self.gaps.unseen.insert(named(path));
                return None;
            }
            if dir.depth < MAX_DEPTH {
                inside = Some(Open { path: path.clone(), depth: dir.depth + 1, rules: dir.rules.clone() });
            } else {
                self.gaps.miss(&path);
            }
        }
        self.entries.push((named(path), stamp));
        inside
    }

    fn sorted(mut self) -> Self {
        self.entries.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        self
    }
}

fn opened(path: &Path, below: bool) -> Option<OwnedFd> {
    // A link in the place of the root leads somewhere; inside, nothing is looked at through one.
    let more = if below { OFlags::NOFOLLOW } else { OFlags::empty() };
    rustix::fs::open(path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | more, Mode::empty()).ok()
}

fn below(dir: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(dir.len() + usize::from(!dir.is_empty()) + name.len());
    path.extend_from_slice(dir);
    if !dir.is_empty() {
        path.push(b'/');
    }
    path.extend_from_slice(name);
    path
}

fn named(path: Vec<u8>) -> Name {
    std::ffi::OsString::from_vec(path).into_boxed_os_str()
}

/// The rules of a folder's `.gitignore`.
fn ignored(folder: &OwnedFd, dir: &Path) -> Option<Gitignore> {
    let stat = rustix::fs::statat(folder, c".gitignore", AtFlags::SYMLINK_NOFOLLOW).ok()?;
    if Stamp::of(&stat).kind != Kind::File {
        return None;
    }
    let mut builder = GitignoreBuilder::new(dir);
    // A faulty line is as good as none.
    let _ = builder.add(dir.join(".gitignore"));
    builder.build().ok().filter(|rules| !rules.is_empty())
}

/// Whether git ignores this folder; the nearest file that says anything decides.
fn is_ignored(mut rules: Option<&Rules>, folder: &Path) -> bool {
    while let Some(Rules { own, above }) = rules {
        let found = own.matched(folder, true);
        if !found.is_none() {
            return found.is_ignore();
        }
        rules = above.as_deref();
    }
    false
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
        let names: Vec<&str> = tree.entries.iter().map(|(path, _)| path.to_str().unwrap()).collect();
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
        let spare = |path: &str| tree.gaps.spare(path.as_ref());
        assert!(!spare("target/big") && !spare("target"));
        assert!(spare("sub/new") && spare("new") && spare("targets/x"));
        let of = |tree: &Tree, name: &str| tree.entries.iter().find(|(path, _)| &**path == name).unwrap().1;
        assert_eq!(of(&tree, "sub/link").kind, Kind::Link);
        let before = of(&tree, ".env");
        std::fs::write(root.join(".env"), "public").unwrap();
        assert_ne!(of(&walk(root, root), ".env"), before, "same length, other content");
    }
}
