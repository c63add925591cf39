//! What needs protection by its name somewhere below a root: repositories inside the repository, whose hooks run
//! when the user works there, and files of secrets. The kernel protects paths, not names, so the folders are
//! looked through once, when a thread starts: nearest first and up to a limit, folders without subfolders by a
//! few direct questions instead of a listing, and without what package managers fill.

use std::collections::VecDeque;
use std::ffi::{CStr, OsStr};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, RawDir, fstat, openat, statat};

/// How many folders are looked at.
const FOLDERS: usize = 4096;
/// How many entries of them.
const ENTRIES: usize = 200_000;
/// Repositories beyond this number are not listed either: each costs every command a mount.
const REPOSITORIES: usize = 256;
/// Filled by programs, huge, and nobody works in a repository there.
const SKIPPED: [&[u8]; 6] = [b"node_modules", b"target", b".venv", b"venv", b"__pycache__", b".git"];

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nested {
    /// `.git` folders and files, without the one of the root itself.
    pub(super) repositories: Vec<PathBuf>,
    /// Files of environment variables with secrets.
    pub(super) env_files: Vec<PathBuf>,
    /// The limit was reached: there may be more.
    pub(super) more: bool,
}

/// Looks through `root`.
pub(super) fn search(root: &Path) -> Nested {
    let mut search = Search { found: Nested::default(), queue: VecDeque::new(), entries: 0 };
    search.queue.push_back(root.to_owned());
    let mut folders = 0;
    while let Some(folder) = search.queue.pop_front() {
        folders += 1;
        if folders > FOLDERS || search.entries > ENTRIES || search.found.repositories.len() >= REPOSITORIES {
            search.found.more = true;
            break;
        }
        search.folder(&folder, folders > 1);
    }
    search.found
}

struct Search {
    found: Nested,
    queue: VecDeque<PathBuf>,
    entries: usize,
}

impl Search {
    fn folder(&mut self, path: &Path, below_root: bool) {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let Ok(folder) = openat(CWD, path, flags, Mode::empty()) else { return };
        // A folder counts the `..` of each of its folders; 2 means there are none, where that is kept at all.
        match fstat(&folder).is_ok_and(|stat| stat.st_nlink == 2) {
            true => self.ask(&folder, path, below_root),
            false => self.list(&folder, path, below_root),
        }
    }

    fn ask(&mut self, folder: &OwnedFd, path: &Path, below_root: bool) {
        for name in [".git"].iter().chain(&ENV_FILES) {
            if let Ok(stat) = statat(folder, *name, AtFlags::SYMLINK_NOFOLLOW) {
                self.entry(path, name.as_bytes(), FileType::from_raw_mode(stat.st_mode), below_root);
            }
        }
    }

    fn list(&mut self, folder: impl AsFd, path: &Path, below_root: bool) {
        let mut buffer = [MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut entries = RawDir::new(folder.as_fd(), &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            self.entries += 1;
            if self.entries > ENTRIES {
                return;
            }
            let name: &CStr = entry.file_name();
            self.entry(path, name.to_bytes(), entry.file_type(), below_root);
        }
    }

    fn entry(&mut self, folder: &Path, name: &[u8], kind: FileType, below_root: bool) {
        let path = || folder.join(OsStr::from_bytes(name));
        match kind {
            _ if name == b"." || name == b".." => {}
            _ if name == b".git" && below_root => self.found.repositories.push(path()),
            FileType::Directory if !SKIPPED.contains(&name) => self.queue.push_back(path()),
            FileType::RegularFile | FileType::Symlink if is_env_file(name) => {
                self.found.env_files.push(path())
            }
            _ => {}
        }
    }
}

/// The names asked for where a listing is saved.
const ENV_FILES: [&str; 8] = [
    ".env",
    ".env.local",
    ".env.development",
    ".env.development.local",
    ".env.test",
    ".env.production",
    ".env.production.local",
    ".env.staging",
];

/// The same for a name.
pub(super) fn is_env_name(name: &OsStr) -> bool {
    is_env_file(name.as_bytes())
}

/// `.env` and `.env.something`, except for the ones that are made to be shared.
fn is_env_file(name: &[u8]) -> bool {
    const SHARED: [&[u8]; 6] = [b".example", b".sample", b".template", b".dist", b".defaults", b".schema"];
    let Some(rest) = name.strip_prefix(b".env") else { return false };
    rest.is_empty() || (rest.starts_with(b".") && !SHARED.iter().any(|end| rest.ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn relative(paths: &[PathBuf], root: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            paths.iter().map(|path| path.strip_prefix(root).unwrap().display().to_string()).collect();
        names.sort();
        names
    }

    #[test]
    fn repositories_and_secrets_are_found_below_but_not_in_what_programs_fill() {
        let dir = tempfile::tempdir().unwrap();
        for folder in [".git", "a/b/.git/hooks", "sub", "deep/er/leaf", "node_modules/p/.git", "target/.git"]
        {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        for file in [
            "sub/.git",
            ".env",
            ".envrc",
            ".env.example",
            "deep/er/leaf/.env.local",
            "deep/.env.odd",
            ".environment",
        ] {
            fs::write(dir.path().join(file), "x").unwrap();
        }
        let found = search(dir.path());
        assert_eq!(relative(&found.repositories, dir.path()), ["a/b/.git", "sub/.git"]);
        assert_eq!(
            relative(&found.env_files, dir.path()),
            [".env", "deep/.env.odd", "deep/er/leaf/.env.local"]
        );
        assert!(!found.more);
    }

    #[test]
    fn a_huge_tree_is_given_up_and_said_so() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(".git")).unwrap();
        for number in 0..FOLDERS + 1 {
            fs::create_dir(dir.path().join(number.to_string())).unwrap();
        }
        assert!(search(dir.path()).more);
        assert_eq!(search(&dir.path().join("missing")), Nested::default());
    }
}
