//! What needs protection by its name somewhere below a root: repositories inside the repository, whose hooks run
//! when the user works there, and files of secrets. The kernel protects paths, not names, so the folders are
//! looked through once, when a thread starts: nearest first and up to a limit, and without what package managers
//! fill. Files cost nothing where folders count their folders: one without any is asked a few direct questions instead
//! of being listed, and a long list is left when all of its folders have come.

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
/// From this size on, in bytes, a folder is worth a question that may save its listing.
const LONG: i64 = 64 * 1024;
/// Repositories beyond this number are not listed either: each costs every command a mount.
const REPOSITORIES: usize = 256;
/// Filled by programs, huge, and nobody works in a repository there.
const SKIPPED: [&[u8]; 6] = [b"node_modules", b"target", b".venv", b"venv", b"__pycache__", b".git"];

/// Folders that nearly every project has, or while a command runs.
const ASKED: [&[u8]; 2] = [b".codex", b".agents"];

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
        let Ok(stat) = fstat(&folder) else { return };
        // A folder counts the `..` of each of its folders; where that is not kept, 1 is all it says.
        let mut folders = usize::try_from(stat.st_nlink).ok().and_then(|links| links.checked_sub(2));
        let long = stat.st_size > LONG;
        if long {
            let known = SKIPPED.iter().filter(|name| is_folder(&folder, name)).count();
            let asked = ASKED.iter().filter(|name| is_folder(&folder, name));
            let asked: Vec<_> = asked.map(|name| path.join(OsStr::from_bytes(name))).collect();
            folders = folders.map(|all| all.saturating_sub(known + asked.len()));
            if folders.is_some() {
                self.queue.extend(asked);
            }
        }
        match folders {
            Some(0) => self.ask(&folder, path, below_root),
            Some(all) if long => {
                self.list(&folder, path, below_root, all);
                self.ask(&folder, path, below_root);
            }
            _ => self.list(&folder, path, below_root, usize::MAX),
        }
    }

    fn ask(&mut self, folder: &OwnedFd, path: &Path, below_root: bool) {
        for name in [".git"].iter().chain(&ENV_FILES) {
            if let Ok(stat) = statat(folder, *name, AtFlags::SYMLINK_NOFOLLOW) {
                self.entry(path, name.as_bytes(), FileType::from_raw_mode(stat.st_mode), below_root);
            }
        }
    }

    /// Up to the last of so many folders.
    fn list(&mut self, folder: impl AsFd, path: &Path, below_root: bool, folders: usize) {
        let mut left = folders;
        let mut buffer = [MaybeUninit::<u8>::uninit(); 32 * 1024];
        let mut entries = RawDir::new(folder.as_fd(), &mut buffer);
        while let Some(Ok(entry)) = entries.next() {
            self.entries += 1;
            if self.entries > ENTRIES {
                return;
            }
            let name: &CStr = entry.file_name();
            let (name, kind) = (name.to_bytes(), entry.file_type());
            if folders != usize::MAX && ASKED.contains(&name) {
                continue;
            }
            self.entry(path, name, kind, below_root);
            if kind == FileType::Directory && name != b"." && name != b".." && !SKIPPED.contains(&name) {
                left -= 1;
                if left == 0 {
                    return;
                }
            }
        }
    }

    fn entry(&mut self, folder: &Path, name: &[u8], kind: FileType, below_root: bool) {
        let path = || folder.join(OsStr::from_bytes(name));
        match kind {
            _ if name == b"." || name == b".." => {}
            _ if name == b".git" && below_root => once(&mut self.found.repositories, path()),
            FileType::Directory if !SKIPPED.contains(&name) => self.queue.push_back(path()),
            FileType::RegularFile | FileType::Symlink if is_env_file(name) => {
                once(&mut self.found.env_files, path())
            }
            _ => {}
        }
    }
}

fn is_folder(folder: &OwnedFd, name: &[u8]) -> bool {
    let stat = statat(folder, OsStr::from_bytes(name), AtFlags::SYMLINK_NOFOLLOW);
    stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn once(list: &mut Vec<PathBuf>, path: PathBuf) {
    if !list.contains(&path) {
        list.push(path);
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

    /// Folders that do not count theirs are listed whole.
    #[test]
    fn many_files_in_a_folder_are_not_looked_at() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..6000 {
            fs::write(dir.path().join(format!("a-name-of-some-length-{number}")), "").unwrap();
        }
        for folder in [".git", "node_modules/p/.git"] {
            fs::create_dir_all(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join(".env"), "x").unwrap();
        let look = || {
            let mut search = Search { found: Nested::default(), queue: VecDeque::new(), entries: 0 };
            search.folder(dir.path(), false);
            (search.entries, search.found, search.queue.len())
        };
        use std::os::unix::fs::MetadataExt;
        let counts = fs::metadata(dir.path()).unwrap().nlink() == 4;
        let (entries, found, queued) = look();
        assert!(entries == 0 || !counts, "{entries} entries");
        assert_eq!((found.env_files, queued), (vec![dir.path().join(".env")], 0));
        fs::create_dir(dir.path().join(".codex")).unwrap();
        let (entries, _, queued) = look();
        assert!((entries == 0 || !counts) && queued == 1, "{entries} entries, {queued} queued");
        fs::create_dir_all(dir.path().join("sub/.git")).unwrap();
        assert_eq!(look().2, 2);
        let found = search(dir.path());
        assert_eq!(relative(&found.repositories, dir.path()), ["sub/.git"]);
        assert_eq!(found.env_files, [dir.path().join(".env")]);
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
