//! Git inside the sandbox. The folder of a repository is read-only for commands: hooks and settings in it run
//! later, outside. But a commit has to write there. So a call that consists of known commands of git, word for
//! word, runs with the folder open except for what git would execute or take settings from.

use std::path::{Path, PathBuf};

use super::leads::{gitdir, real};
use crate::process::parse::{Commands, Shape};

/// The folder of a repository, and the common one when it is a linked worktree's. Resolved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Repository {
    /// Holds index and HEAD of this worktree.
    pub(crate) own: PathBuf,
    /// Holds objects and refs; often the same.
    pub(crate) common: PathBuf,
}

impl Repository {
    /// The one `cwd` is in.
    pub(super) fn around(cwd: &Path) -> Option<Self> {
        let name = cwd.ancestors().map(|folder| folder.join(".git")).find(|path| path.exists())?;
        if name.is_dir() {
            let own = real(&name);
            return Some(Self { common: own.clone(), own });
        }
        let mut named = gitdir(&name);
        let own = named.pop().filter(|own| own.is_dir())?;
        let common = named.pop().filter(|common| common.is_dir()).unwrap_or_else(|| own.clone());
        Some(Self { own, common })
    }
}

/// What a granted call consists of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Work {
    /// Commands on an existing repository.
    Commit,
    /// Among them one that makes a repository.
    Init,
}

/// Commands that change index, objects, refs and files of one worktree, and that run nothing but what the user
/// has set up.
const VERBS: [&str; 22] = [
    "add",
    "am",
    "apply",
    "branch",
    "checkout",
    "cherry-pick",
    "commit",
    "diff",
    "init",
    "log",
    "merge",
    "mv",
    "reset",
    "restore",
    "revert",
    "rev-parse",
    "rm",
    "show",
    "stash",
    "status",
    "switch",
    "tag",
];

/// Harmless company of them in one script: what writes nothing and runs nothing whatever its words. Not `test`, which
/// computes subscripts, nor `printf`, which sets variables.
const COMPANY: [&str; 11] =
    ["cat", "cd", "echo", "false", "grep", "head", "ls", "pwd", "sleep", "tail", "true"];

/// Options that name a program, a folder of hooks or another repository. Shortened ones count too, as git takes
/// them.
const REFUSED: [&str; 6] =
    ["--template", "--separate-git-dir", "--strategy", "--exec", "--git-dir", "--ext-diff"];

/// Whether `argv` is such a call.
pub(crate) fn work(argv: &[String]) -> Option<Work> {
    let commands = Commands::of_argv(argv);
    if commands.shape != Shape::Plain || commands.pieces.is_empty() {
        return None;
    }
    let mut work = None;
    for piece in &commands.pieces {
        let (program, words) = piece.split_first()?;
        match program.as_str() {
            "git" => work = work.max(Some(verb(words)?)),
            other if COMPANY.contains(&other) => {}
            _ => return None,
        }
    }
    work
}

fn verb(words: &[String]) -> Option<Work> {
    let words = words.strip_prefix(&["--no-pager".to_owned()]).unwrap_or(words);
    let (verb, rest) = words.split_first()?;
    if !VERBS.contains(&verb.as_str()) || rest.iter().any(|word| is_refused(verb, word)) {
        return None;
    }
    Some(if verb == "init" { Work::Init } else { Work::Commit })
}

fn is_refused(verb: &str, word: &str) -> bool {
    let option = word.split('=').next().unwrap_or(word);
    let long = option.len() > 3 && REFUSED.iter().any(|refused| refused.starts_with(option));
    long || (matches!(verb, "merge" | "revert" | "cherry-pick") && word.starts_with("-s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(script: &str) -> Option<Work> {
        work(&["bash", "-lc", script].map(str::to_owned))
    }

    #[test]
    fn only_plain_commands_of_git_are_granted() {
        for script in [
            "git add -A",
            "git add . && git commit -m 'a b'",
            "cd sub && git switch -c x",
            "git stash; git log",
            "git add -A && git commit -qm x && git log --oneline | head -3",
        ] {
            assert_eq!(of(script), Some(Work::Commit), "{script}");
        }
        for script in ["git init", "git init -q -b main . && git add -A && git commit -qm x"] {
            assert_eq!(of(script), Some(Work::Init), "{script}");
        }
        for script in [
            "make && git commit -m x",
            "git -c core.editor=evil commit",
            "git config core.hooksPath x",
            "git init --template=evil",
            "git init --temp evil",
            "git merge -sevil x",
            "git rebase -x evil main",
            "git submodule foreach evil",
            "./git commit",
            "git commit -m $(evil)",
            "git log > .git/hooks/pre-commit",
            "X=1 git commit",
            "printf -v PATH /evil && git commit",
            "test -v 'x[$(evil)]' && git commit",
            "echo x",
            "",
        ] {
            assert_eq!(of(script), None, "{script}");
        }
    }

    #[test]
    fn repositories_are_found_from_below_and_through_files() {
        let dir = tempfile::tempdir().unwrap();
        let w = dir.path().canonicalize().unwrap();
        std::fs::create_dir_all(w.join("main/.git/worktrees/t")).unwrap();
        std::fs::create_dir_all(w.join("main/src")).unwrap();
        std::fs::create_dir(w.join("tree")).unwrap();
        std::fs::write(w.join("main/.git/worktrees/t/commondir"), "../..\n").unwrap();
        std::fs::write(w.join("tree/.git"), "gitdir: ../main/.git/worktrees/t\n").unwrap();
        let main = w.join("main/.git");
        let found = |path: &str| Repository::around(&w.join(path)).map(|r| (r.own, r.common));
        assert_eq!(found("main/src"), Some((main.clone(), main.clone())));
        assert_eq!(found("tree"), Some((main.join("worktrees/t"), main)));
    }
}
