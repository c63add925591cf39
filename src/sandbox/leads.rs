//! Where a name leads on this disk: through symlinks, and through the files by which git names folders that lie elsewhere.

use std::path::{Path, PathBuf};

use crate::base::path::absolute;

/// `path` with the symlinks of its existing part resolved; what does not exist stays as written.
pub(crate) fn real(path: &Path) -> PathBuf {
    let path = crate::base::path::normalise(path);
    let mut missing = Vec::new();
    let mut existing = path.as_path();
    loop {
        if let Ok(found) = std::fs::canonicalize(existing) {
            return missing.iter().rev().fold(found, |path, name| path.join(name));
        }
        match (existing.parent(), existing.file_name()) {
            (Some(parent), Some(name)) => {
                missing.push(name);
                existing = parent;
            }
            _ => return path.clone(),
        }
    }
}

/// Where a protected name leads besides itself: the target of a symlink, and the folder a `.git` file names (with
/// the common folder of a linked worktree, which holds hooks and configuration).
pub(crate) fn targets(path: &Path) -> Vec<PathBuf> {
    let Ok(meta) = std::fs::symlink_metadata(path) else { return Vec::new() };
    let mut found = Vec::new();
    if meta.is_symlink() {
        found.push(real(&path.parent().unwrap_or(path).join(std::fs::read_link(path).unwrap_or_default())));
    }
    if path.ends_with(".git") && path.is_file() {
        found.extend(gitdir(path));
    }
    found.retain(|target| target != path);
    found
}

/// The folders that a `.git` file names: the common one, when there is one, then the worktree's own.
pub(super) fn gitdir(file: &Path) -> Vec<PathBuf> {
    let read = |path: &Path| -> Option<String> {
        let small = std::fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.len() <= 64 * 1024);
        small.then(|| std::fs::read_to_string(path).ok()).flatten()
    };
    let base = file.parent().unwrap_or(file);
    let Some(target) = read(file).and_then(|text| {
        let line = text.lines().next()?.strip_prefix("gitdir:")?.trim();
        (!line.is_empty()).then(|| real(&absolute(base, Path::new(line))))
    }) else {
        return Vec::new();
    };
    let common = read(&target.join("commondir")).map(|text| real(&absolute(&target, Path::new(text.trim()))));
    common.into_iter().chain([target]).collect()
}
