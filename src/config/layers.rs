//! Finds, reads and orders the files. A file that is not there is no layer; a file that is there but cannot be
//! read is an error, because going on without it could mean going on with less protection.

use std::io;
use std::path::{Path, PathBuf};

use super::diagnose;
use super::error::{Error, Place};
use super::tree::{Layer, Source, Sources, Tree, Value, join};
use crate::base::fs::read_bounded;

/// Largest configuration file.
pub(crate) const FILE_MAX: u64 = 1024 * 1024;

/// Keys a project file may not set: where requests and credentials go, what is run or reported in the user's
/// name, whom to trust, and what has to be known before the project's file is found.
const NOT_FOR_PROJECTS: [&str; 23] = [
    "deny_read",
    "openai_base_url",
    "chatgpt_base_url",
    "experimental_realtime_ws_base_url",
    "model_provider",
    "model_providers",
    "oss_provider",
    "model_catalog_json",
    "notify",
    "otel",
    "analytics",
    "feedback",
    "profile",
    "profiles",
    "projects",
    "project_root_markers",
    "log_dir",
    "sqlite_home",
    "cli_auth_credentials_store",
    "mcp_oauth_credentials_store",
    "forced_login_method",
    "forced_chatgpt_workspace_id",
    "history",
];

/// Keys that lead out of the sandbox, let something in, or read any file; not from a folder below the root of a trusted
/// project, unless the user trusts that folder by its own name: a command that works in the project can make a file
/// there, for the next start of the program further down.
const NOT_BELOW_ROOT: [&str; 10] = [
    "approval_policy",
    "sandbox_mode",
    "sandbox_workspace_write",
    "default_permissions",
    "shell_environment_policy",
    "allow_login_shell",
    "model_instructions_file",
    "experimental_compact_prompt_file",
    "features",
    "budget",
];

/// But what holds commands more tightly than anything else is no way out.
const STRICTEST: [(&str, &str); 3] =
    [("approval_policy", "untrusted"), ("sandbox_mode", "read-only"), ("default_permissions", ":read-only")];

/// The table of permission profiles.
const PERMISSIONS: &str = "permissions";

/// Reads one file as a layer; `None` when there is no such file.
///
/// # Errors
/// It is there but is no readable TOML text of at most 1 MiB.
pub(crate) fn read(path: &Path, layer: Layer, sources: &mut Sources) -> Result<Option<Tree>, Error> {
    let Some(text) = read_text(path)? else { return Ok(None) };
    let base = path.parent().unwrap_or(Path::new("/")).to_owned();
    let source = sources.add(Source { layer, label: path.display().to_string(), base, text: Some(text) });
    sources.parse(source).map(Some)
}

/// The text of a file; `None` when there is no such file.
///
/// # Errors
/// It cannot be read, is too large, or is not text.
pub(crate) fn read_text(path: &Path) -> Result<Option<String>, Error> {
    let bytes = match read_bounded(path, FILE_MAX) {
        Ok(bytes) => bytes,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => {
            return Err(Error::File {
                place: Place::file(path),
                problem: format!("cannot be read: {error}"),
            });
        }
    };
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    let (valid, problem) = match std::str::from_utf8(bytes) {
        Ok(text) => match text.find('\0') {
            None => return Ok(Some(text.to_owned())),
            Some(at) => (text.get(..at).unwrap_or_default(), "holds a NUL byte; this is not a text file"),
        },
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            (std::str::from_utf8(valid).unwrap_or_default(), "is not UTF-8 from here on")
        }
    };
    let at = Some(diagnose::line_column(valid, valid.len()));
    let place = Place { at, ..Place::file(path) };
    Err(Error::File { place, problem: problem.to_owned() })
}

/// Existing project files from the root down to `cwd`; without a root, only that of `cwd`.
pub(crate) fn project_files(root: Option<&Path>, cwd: &Path, codex_home: &Path) -> Vec<PathBuf> {
    let folders = project_folders(root, cwd, codex_home).into_iter();
    folders.map(|dir| dir.join("config.toml")).filter(|file| file.symlink_metadata().is_ok()).collect()
}

/// The `.codex` folders from the root down to `cwd`, whether they exist or not. The user's own folder is no
/// project, even when the user works in the home folder.
pub(crate) fn project_folders(root: Option<&Path>, cwd: &Path, codex_home: &Path) -> Vec<PathBuf> {
    let top = root.unwrap_or(cwd);
    let real_home = codex_home.canonicalize();
    let of_the_user = |dir: &Path| match (dir.canonicalize(), &real_home) {
        (Ok(real), Ok(home)) => real == *home,
        _ => dir == codex_home,
    };
    let mut folders: Vec<PathBuf> = cwd
        .ancestors()
        .take_while(|dir| dir.starts_with(top))
        .map(|dir| dir.join(".codex"))
        .filter(|dir| !of_the_user(dir))
        .collect();
    folders.reverse();
    folders
}

/// Names of the permission profiles in the user's layers.
pub(crate) fn permission_profiles(tree: &Tree) -> Vec<String> {
    match tree.get(PERMISSIONS).map(|entry| &entry.node.value) {
        Some(Value::Table(profiles)) => profiles.keys().cloned().collect(),
        _ => Vec::new(),
    }
}

/// Takes out what a project may not say, and returns the sentence that tells so. `profiles` are the permission profiles
/// of the user: what they deny, a project must not allow by a line of its own in them.
pub(crate) fn restrict(tree: &mut Tree, file: &Path, profiles: &[String]) -> Option<String> {
    let removed = NOT_FOR_PROJECTS.iter().filter(|key| tree.remove(**key).is_some());
    let mut removed: Vec<String> = removed.map(|key| (*key).to_owned()).collect();
    if let Some(Value::Table(own)) = tree.get_mut(PERMISSIONS).map(|entry| &mut entry.node.value) {
        let taken = profiles.iter().filter(|name| own.remove(*name).is_some());
        removed.extend(taken.map(|name| join(PERMISSIONS, name)));
    }
    if removed.is_empty() {
        return None;
    }
    let keys = removed.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    Some(format!("{}: ignored, because a project may not set: {keys}", file.display()))
}

/// The same for a file below the root of a project.
pub(crate) fn restrict_lower(tree: &mut Tree, file: &Path) -> Option<String> {
    let strict = |tree: &Tree, key: &str| match tree.get(key).map(|entry| &entry.node.value) {
        Some(Value::Text(word)) => STRICTEST.contains(&(key, word.as_str())),
        _ => false,
    };
    let loose = NOT_BELOW_ROOT.into_iter().filter(|key| !strict(tree, key)).collect::<Vec<_>>();
    let removed: Vec<&str> = loose.into_iter().filter(|key| tree.remove(*key).is_some()).collect();
    if removed.is_empty() {
        return None;
    }
    let keys = removed.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
    Some(format!(
        "{}: ignored, because below the root of a project only a folder that you trust by its own name may set: {keys}",
        file.display()
    ))
}
