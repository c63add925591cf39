//! Whether a repository is one that commands can have set up. Git runs what the settings of a repository name, and looks
//! into the repositories that its index names, each with settings of its own; a rule that lets git out of the sandbox
//! is no word for those of a command's making. What was made in an earlier turn is protected now like any other, so
//! that it cannot be written any more says nothing: what counts is whether it could come to be. Reads the disk.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::vouch::Place;
use crate::base::fs::{marks, read_bounded};
use crate::config::git_dir;

/// Most that is read of an index; one that is longer is not known.
const INDEX_MAX: u64 = 64 << 20;
/// The kind of an entry that stands for a repository, as in the modes of files.
const REPOSITORY: u32 = 0o160_000;
/// The lengths of the two kinds of sums.
const SUMS: [usize; 2] = [20, 32];

/// Why the repository that git finds in `dir` is not to be trusted with its settings: commands can write them, or those
/// of one that it looks into.
pub(super) fn foreign(dir: Option<&Path>, place: &Place<'_>) -> Option<String> {
    let Some(dir) = dir.and_then(|dir| dir.canonicalize().ok()) else {
        return Some("the folder it runs in is not known".to_owned());
    };
    let bare = |dir: &Path| ["HEAD", "objects", "refs"].iter().all(|name| dir.join(name).exists());
    let (top, git) = dir.ancestors().find_map(|dir| {
        let named = marks(&dir.join(".git"));
        if named { Some((dir, git_dir(dir)?)) } else { bare(dir).then(|| (dir, dir.to_owned())) }
    })?;
    if is_foreign(&git, place) {
        return Some(format!("commands can write the settings of the repository {}", git.display()));
    }
    let Some(inner) = looked_into(&git) else {
        return Some(format!("the index of the repository {} cannot be read", git.display()));
    };
    let of_commands =
        |name: &PathBuf| git_dir(&top.join(name)).is_some_and(|inner| is_foreign(&inner, place));
    let inner = inner.into_iter().find(of_commands)?;
    let shown = top.join(inner);
    Some(format!("it looks into the repository {}, whose settings commands can write", shown.display()))
}

/// Whether commands could write this folder of a repository, or make it.
fn is_foreign(git: &Path, place: &Place<'_>) -> bool {
    let Ok(git) = git.canonicalize() else { return true };
    let outermost = git.ancestors().filter(|above| above.ends_with(".git")).last();
    let holder = outermost.map_or(Some(git.as_path()), Path::parent);
    let made = holder.is_some_and(place.writable) && !outermost.is_some_and(place.guarded);
    made || (place.writable)(&git.join("config"))
}

/// The repositories that the index names; `None` when it cannot be read.
fn looked_into(git: &Path) -> Option<Vec<PathBuf>> {
    match read_bounded(&git.join("index"), INDEX_MAX) {
        Ok(index) => SUMS.into_iter().find_map(|sum| repositories(&index, sum)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Vec::new()),
        Err(_) => None,
    }
}

/// The repositories among the entries of an index whose sums have this length; `None` when it is no whole index.
fn repositories(index: &[u8], sum: usize) -> Option<Vec<PathBuf>> {
    let word = |at: usize| Some(u32::from_be_bytes(index.get(at..at.checked_add(4)?)?.try_into().ok()?));
    let version = word(4)?;
    if index.get(..4)? != b"DIRC" || !(2..=4).contains(&version) {
        return None;
    }
    let (mut at, mut name, mut found) = (12, Vec::new(), Vec::new());
    for _ in 0..word(8)? {
        let flags = at + 40 + sum;
        let wide = version > 2 && index.get(flags)? & 0x40 != 0;
        let mut from = flags + if wide { 4 } else { 2 };
        let mut kept = 0;
        if version == 4 {
            let (cut, length) = number(index.get(from..)?)?;
            kept = name.len().checked_sub(cut)?;
            from += length;
        }
        let rest = index.get(from..)?;
        let rest = rest.get(..rest.iter().position(|byte| *byte == 0)?)?;
        name.truncate(kept);
        name.extend_from_slice(rest);
        if word(at + 24)? == REPOSITORY {
            found.push(PathBuf::from(OsStr::from_bytes(&name)));
        }
        let end = from + rest.len() + 1;
        at = if version == 4 { end } else { at + (end - at).next_multiple_of(8) };
    }
    let end = index.len().checked_sub(sum)?;
    while at < end {
        // The other entries are in another file.
        if index.get(at..at + 4)? == b"link" {
            return None;
        }
        at = at.checked_add(8)?.checked_add(word(at + 4)? as usize)?;
    }
    (at == end).then_some(found)
}

/// A number as version 4 has it, and its length.
fn number(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut number = usize::from(*bytes.first()? & 0x7f);
    let mut at = 0;
    while bytes.get(at)? & 0x80 != 0 && at < 8 {
        at += 1;
        number = (number + 1) << 7 | usize::from(*bytes.get(at)? & 0x7f);
    }
    Some((number, at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn git(dir: &Path, args: &[&str]) {
        let identity = ["-c", "user.name=t", "-c", "user.email=t@example.invalid"];
        let done = Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }

    #[test]
    fn a_repository_of_a_commands_making_is_foreign_also_later_and_also_in_the_index() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        git(&root, &["init", "-q", "-b", "main"]);
        std::fs::create_dir(root.join("src")).unwrap();
        std::fs::write(root.join("src/a"), "a").unwrap();
        std::fs::write(root.join("src/abc"), "a").unwrap();
        git(&root, &["add", "."]);
        // As it is after the turn: all that is called so is closed.
        let closed =
            |path: &Path| path.starts_with(&root) && !path.components().any(|c| c.as_os_str() == ".git");
        let own = root.join(".git");
        let place = Place {
            cwd: &root,
            path: OsStr::new(""),
            home: Path::new("/nonexistent"),
            writable: &closed,
            guarded: &|git| git == own,
        };
        let says = |dir: &str| foreign(Some(&root.join(dir)), &place).unwrap_or_default();
        assert_eq!((says("."), says("src")), (String::new(), String::new()));
        git(&root, &["init", "-q", "-b", "main", "evil"]);
        git(&root.join("evil"), &["commit", "-qm", "x", "--allow-empty"]);
        assert!(says("evil").contains("commands can write the settings"), "{}", says("evil"));
        assert_eq!(says("."), "", "it lies there, and git does not look into it");
        git(&root, &["add", "evil"]);
        for version in ["2", "3", "4"] {
            git(&root, &["update-index", "--index-version", version]);
            assert!(says("src").contains("looks into the repository"), "{version}: {}", says("src"));
        }
        git(&root, &["update-index", "--split-index"]);
        assert!(says(".").contains("cannot be read"), "{}", says("."));
        git(&root, &["update-index", "--no-split-index"]);
        git(&root, &["rm", "-qf", "--cached", "evil"]);
        assert_eq!(says("."), "");
        // A submodule as git makes it has its settings with those of the repository.
        std::fs::create_dir_all(own.join("modules")).unwrap();
        std::fs::rename(root.join("evil/.git"), own.join("modules/evil")).unwrap();
        std::fs::write(root.join("evil/.git"), "gitdir: ../.git/modules/evil\n").unwrap();
        git(&root, &["add", "evil"]);
        assert_eq!((says("."), says("evil")), (String::new(), String::new()));
        for odd in [&b""[..], b"DIRC", b"DIRC\0\0\0\x02\xff\xff\xff\xff", b"DIRC\0\0\0\x04\0\0\0\x01"] {
            std::fs::write(own.join("index"), odd).unwrap();
            assert!(says(".").contains("cannot be read"), "{odd:?}");
        }
    }
}
