//! Which files commands do not get to read: the list as configured against what is on the disk now. Paths that do
//! not exist stay on the list, because a key may be made while a thread runs.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::leads::real;
use crate::protocol::policy::DenyRead;

/// The paths to hide, symlinks resolved, sorted; `env_files` are those of the workspace.
pub(super) fn hidden(list: &DenyRead, env_files: &[PathBuf]) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = list.paths.iter().flat_map(|path| expand(path)).collect();
    if list.env_files {
        found.extend(env_files.iter().cloned());
    }
    found.retain(|path| !is_public(path) && !list.allow.iter().any(|allowed| path.starts_with(allowed)));
    for path in &mut found {
        *path = real(path);
    }
    found.sort();
    found.dedup();
    // What is in a hidden folder is hidden with it.
    let all = found.clone();
    found.retain(|path| !all.iter().any(|other| other != path && path.starts_with(other)));
    found
}

/// A `*` in the last part stands for any text.
fn expand(path: &Path) -> Vec<PathBuf> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return vec![path.to_owned()] };
    let Some((start, end)) = split(name.as_bytes()) else { return vec![path.to_owned()] };
    let fits =
        |name: &[u8]| name.len() >= start.len() + end.len() && name.starts_with(start) && name.ends_with(end);
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter(|entry| fits(entry.file_name().as_bytes())).map(|entry| entry.path()).collect()
}

fn split(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = name.iter().position(|byte| *byte == b'*')?;
    name.split_at_checked(at).and_then(|(start, rest)| Some((start, rest.split_first()?.1)))
}

/// Of the files beside private keys those that hold no secret and that programs need.
fn is_public(path: &Path) -> bool {
    let ssh = path.parent().is_some_and(|folder| folder.ends_with(".ssh"));
    let name = path.file_name().map(OsStrExt::as_bytes).unwrap_or_default();
    let starts = [&b"known_hosts"[..], b"config", b"authorized_keys", b"allowed_signers"];
    ssh && (name.ends_with(b".pub") || starts.iter().any(|start| name.starts_with(start)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_hidden_and_what_is_public_or_allowed_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().canonicalize().unwrap();
        for file in [
            ".ssh/id_ed25519",
            ".ssh/id_ed25519.pub",
            ".ssh/known_hosts",
            ".ssh/config",
            ".ssh/work",
            ".codex/a.key",
        ] {
            fs::create_dir_all(home.join(file).parent().unwrap()).unwrap();
            fs::write(home.join(file), "x").unwrap();
        }
        let mut list = DenyRead::usual(Some(&home), Some(&home.join(".codex")));
        let names = |list: &DenyRead| -> Vec<String> {
            let env = [home.join("w/.env")];
            let relative = |path: PathBuf| path.strip_prefix(&home).unwrap().display().to_string();
            hidden(list, &env).into_iter().map(relative).collect()
        };
        let all = [
            ".aws",
            ".codex/.credentials.json",
            ".codex/a.key",
            ".codex/auth.json",
            ".codex/undo",
            ".gnupg",
            ".ssh/id_ed25519",
            ".ssh/work",
            "w/.env",
        ];
        assert_eq!(names(&list), all);
        list.allow = vec![home.join(".aws"), home.join(".ssh"), home.join("w")];
        let ours = [".codex/.credentials.json", ".codex/a.key", ".codex/auth.json", ".codex/undo", ".gnupg"];
        assert_eq!(names(&list), ours);
        list.paths = vec![home.join("x"), home.join("x/y")];
        list.env_files = false;
        assert_eq!(names(&list), ["x"]);
    }
}
