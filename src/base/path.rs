//! Paths as text to compare: absolute and without `.`, `..` or doubled slashes. Nothing here touches the disk,
//! so a symlink stays what it is.

use std::path::{Component, Path, PathBuf};

/// Joins `path` to `base` (when relative) and removes `.` and `..` as text.
pub(crate) fn absolute(base: &Path, path: &Path) -> PathBuf {
    normalise(&base.join(path))
}

/// Removes `.` and `..` as text; `..` at the root stays at the root.
pub(crate) fn normalise(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if matches!(out.components().next_back(), Some(Component::Normal(_))) {
                    out.pop();
                } else if !out.has_root() {
                    out.push("..");
                }
            }
            Component::Prefix(_) | Component::RootDir | Component::Normal(_) => out.push(part),
        }
    }
    out
}

/// `path` with the user's home shown as `~`.
pub(crate) fn with_tilde(path: &Path, home: Option<&Path>) -> String {
    match home.filter(|h| h.parent().is_some()).and_then(|h| path.strip_prefix(h).ok()) {
        Some(rest) if rest.as_os_str().is_empty() => "~".to_owned(),
        Some(rest) => format!("~/{}", rest.display()),
        None => path.display().to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normalise_cases() {
        for (given, want) in [
            ("/a/./b//c/", "/a/b/c"),
            ("/a/../../b", "/b"),
            ("a/../../b", "../b"),
            ("/..", "/"),
            ("./x", "x"),
        ] {
            assert_eq!(normalise(Path::new(given)), Path::new(want), "{given}");
        }
    }

    #[test]
    fn tilde_only_for_whole_components() {
        let home = Some(Path::new("/home/u"));
        assert_eq!(with_tilde(Path::new("/home/u/p"), home), "~/p");
        assert_eq!(with_tilde(Path::new("/home/u"), home), "~");
        assert_eq!(with_tilde(Path::new("/home/user2"), home), "/home/user2");
        assert_eq!(with_tilde(Path::new("/x"), Some(Path::new("/"))), "/x");
    }
}
