//! Whether forced deletions stay inside the workspace. The only part of the decision that looks at the disk,
//! and only where no sandbox would hold the command: text alone does not show that `build` is a link to `/`.

use std::path::{Component, Path, PathBuf};

use super::lists;
use super::safe::{Deletion, forced_deletions};
use crate::process::parse::{Commands, Shape};
use crate::protocol::policy::PROTECTED;

/// True when each forced deletion of the call is known word by word and every target lies below one of `roots`
/// (absolute), is not a root itself, not protected, and is not reached through a link. Reads the disk.
pub(crate) fn stay_inside(commands: &Commands, cwd: &Path, roots: &[&Path]) -> bool {
    // Relative targets mean something else after a change of directory.
    commands.shape == Shape::Plain
        && !commands.pieces.iter().any(|piece| lists::moves(piece))
        && forced_deletions(commands).iter().all(|deletion| match deletion {
            Deletion::Of(targets) => targets.iter().all(|target| inside(target, cwd, roots)),
            Deletion::Hidden => false,
        })
}

fn inside(target: &str, cwd: &Path, roots: &[&Path]) -> bool {
    // Without the final slash, so that a link is seen as one.
    let path: PathBuf = cwd.join(target).components().collect();
    // With `..` the text does not tell the place; with a final slash `rm` would follow a link.
    if !path.is_absolute()
        || path.components().any(|c| c == Component::ParentDir)
        || (target.ends_with('/') && path.is_symlink())
    {
        return false;
    }
    roots.iter().any(|root| below(&path, root))
}

fn below(path: &Path, root: &Path) -> bool {
    let Ok(rest) = path.strip_prefix(root) else { return false };
    let Some(Component::Normal(first)) = rest.components().next() else { return false };
    if PROTECTED.iter().any(|name| first == *name) {
        return false;
    }
    // The nearest folder that exists must really be where it says; what is missing cannot be a link.
    let real_parent = path.ancestors().skip(1).find_map(|dir| dir.canonicalize().ok());
    match (real_parent, root.canonicalize()) {
        (Some(parent), Ok(root)) => parent.strip_prefix(&root).is_ok_and(|rest| {
            let first = rest.components().next();
            !PROTECTED.iter().any(|name| first == Some(Component::Normal(name.as_ref())))
        }),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_literal_targets_below_the_root_are_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap().join("w");
        std::fs::create_dir_all(root.join("build/x")).unwrap();
        std::fs::create_dir_all(root.join(".git")).unwrap();
        std::os::unix::fs::symlink("/", root.join("out")).unwrap();
        std::os::unix::fs::symlink(".git", root.join("g")).unwrap();
        let absolute = format!("rm -f {}", root.join("f").display());
        for (script, want) in [
            ("rm -rf build/x", true),
            ("rm -rf build; ls", true),
            ("rm -f missing/deeper", true),
            ("rm -rf ./build", true),
            ("rm -f out", true),
            (absolute.as_str(), true),
            ("rm -rf out/tmp", false),
            ("rm -rf out/", false),
            ("rm -f g/config", false),
            ("rm -rf .", false),
            ("rm -rf /", false),
            ("rm -rf /etc", false),
            ("rm -rf ../other", false),
            ("rm -rf build/../../other", false),
            ("rm -rf .git", false),
            ("rm -rf .codex/x", false),
            ("cd /; rm -rf etc", false),
            ("rm -rf build *", false),
            ("sudo rm -rf build", false),
        ] {
            assert_eq!(stay_inside(&Commands::of_script(script), &root, &[&root]), want, "{script}");
        }
    }
}
