//! Names as any file system may take them. Some know no capitals, some fold letters further and leave out what is not
//! seen, some have a second, short name for each; and a path that a command wrote comes back as it was written. What
//! is protected is protected under all of these: that costs at most a name that nobody needs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Whether `name` may lead to what is called `protected`.
pub(crate) fn same(name: &OsStr, protected: &OsStr) -> bool {
    if name.is_ascii() && protected.is_ascii() {
        return name.eq_ignore_ascii_case(protected) || is_short_for(name.as_bytes(), protected.as_bytes());
    }
    folded(name) == folded(protected)
}

/// Whether `path` may lead to `folder` or below.
pub(crate) fn below(path: &Path, folder: &Path) -> bool {
    let mut parts = path.components();
    folder
        .components()
        .all(|wanted| parts.next().is_some_and(|part| same(part.as_os_str(), wanted.as_os_str())))
}

fn folded(name: &OsStr) -> String {
    let seen = |c: &char| {
        !matches!(u32::from(*c), 0xad | 0x34f | 0x61c | 0x115f..=0x1160 | 0x17b4..=0x17b5 | 0x180b..=0x180f
            | 0x200b..=0x200f | 0x202a..=0x202e | 0x2060..=0x206f | 0x3164 | 0xfe00..=0xfe0f | 0xfeff | 0xffa0
            | 0xfff0..=0xfff8 | 0x1d173..=0x1d17a | 0xe0000..=0xe0fff)
    };
    let text = name.to_string_lossy();
    text.chars().filter(seen).flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
}

/// `GIT~1` for `.git`: the second name that disks of older systems give to one they cannot write.
fn is_short_for(name: &[u8], long: &[u8]) -> bool {
    let Some(rest) = long.strip_prefix(b".") else { return false };
    let first = rest.iter().take_while(|byte| **byte != b'.').take(6).count();
    match (name.split_at_checked(first), rest.get(..first)) {
        (Some((start, [b'~', digits @ ..])), Some(wanted)) => {
            start.eq_ignore_ascii_case(wanted) && digits.first().is_some_and(u8::is_ascii_digit)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_protected_name_is_that_name_and_others_are_not() {
        for (name, protected, want) in [
            (".git", ".git", true),
            (".GIT", ".git", true),
            (".g\u{130}t", ".git", false),
            (".agent\u{17f}", ".agents", true),
            ("wor\u{212a}", "work", true),
            (".g\u{200d}it", ".git", true),
            (".codex\u{feff}", ".codex", true),
            ("GIT~1", ".git", true),
            ("codex~2", ".codex", true),
            ("AGENTS~1", ".agents", true),
            ("git", ".git", false),
            ("git~", ".git", false),
            ("git~x", ".git", false),
            (".gitignore", ".git", false),
            (".github", ".git", false),
            ("GITHUB~1", ".git", false),
            ("Stra\u{df}e", "STRASSE", true),
        ] {
            assert_eq!(same(name.as_ref(), protected.as_ref()), want, "{name} {protected}");
        }
        for (path, folder, want) in [
            ("/w/SUB/.Git/config", "/w/sub/.git", true),
            ("/w/sub", "/w/sub/.git", false),
            ("/w/sub2/.git", "/w/sub/.git", false),
            ("/w", "/", true),
        ] {
            assert_eq!(below(Path::new(path), Path::new(folder)), want, "{path} {folder}");
        }
    }
}
