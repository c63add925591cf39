//! What the settings of a repository make git run or read that lies among its files: a folder of hooks, a filter, an
//! included file. Git takes them whenever the user works there, outside; so they are protected like the settings
//! themselves, also before they exist. Read as git would: the user's own settings count as well.

use std::fs;
use std::path::{Path, PathBuf};

use super::git::Repository;
use super::leads::real;
use crate::base::path::absolute;

/// Included files of included files.
const DEPTH: usize = 4;
const LARGEST: u64 = 256 * 1024;
/// Keys, by their last part, whose value is a path or a command of git's.
const RUN: [&str; 13] = [
    "hookspath",
    "fsmonitor",
    "sshcommand",
    "editor",
    "pager",
    "clean",
    "smudge",
    "process",
    "textconv",
    "command",
    "driver",
    "program",
    "helper",
];

/// What git executes in a folder of hooks.
const HOOKS: [&str; 28] = [
    "applypatch-msg",
    "commit-msg",
    "fsmonitor-watchman",
    "p4-changelist",
    "p4-post-changelist",
    "p4-pre-submit",
    "p4-prepare-changelist",
    "post-applypatch",
    "post-checkout",
    "post-commit",
    "post-index-change",
    "post-merge",
    "post-receive",
    "post-rewrite",
    "post-update",
    "pre-applypatch",
    "pre-auto-gc",
    "pre-commit",
    "pre-merge-commit",
    "pre-push",
    "pre-rebase",
    "pre-receive",
    "prepare-commit-msg",
    "proc-receive",
    "push-to-checkout",
    "reference-transaction",
    "sendemail-validate",
    "update",
];

/// The paths that the settings of the repository around `folder`, and those of the user at `home`, name; resolved. Of one that
/// does not exist yet the folder that would hold it, or, when that is `folder` or holds it, the first part of it that
/// is missing.
pub(super) fn run_by_git(folder: &Path, home: Option<&Path>) -> Vec<PathBuf> {
    let Some(repository) = Repository::around(folder) else { return Vec::new() };
    let top = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder);
    let mut search = Search { folder, top, home, found: Vec::new() };
    for name in ["config", "config.worktree"] {
        for home in [&repository.common, &repository.own] {
            search.settings(&home.join(name), DEPTH);
        }
    }
    if let Some(home) = home {
        for file in [Path::new("/etc/gitconfig"), &home.join(".gitconfig"), &home.join(".config/git/config")]
        {
            search.settings(file, DEPTH);
        }
    }
    search.found.sort();
    search.found.dedup();
    search.found
}

struct Search<'a> {
    folder: &'a Path,
    /// Where the files of the repository begin.
    top: &'a Path,
    home: Option<&'a Path>,
    found: Vec<PathBuf>,
}

impl Search<'_> {
    fn settings(&mut self, file: &Path, depth: usize) {
        let small = fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
        let Some(text) = small.then(|| fs::read(file).ok()).flatten() else { return };
        for (section, key, value) in entries(&String::from_utf8_lossy(&text)) {
            if key == "path" && section.starts_with("include") {
                let base = file.parent().unwrap_or(self.top);
                let Some(path) = self.absolute(base, &value) else { continue };
                if depth > 0 {
                    self.settings(&path, depth - 1);
                }
                let found = self.place(&real(&path));
                self.found.extend(found);
            } else if RUN.contains(&key.as_str()) {
                self.value(&key, &value);
            }
        }
    }

    /// Where a value leads: a folder as a whole, a command by its first word when that is a path.
    fn value(&mut self, key: &str, value: &str) {
        let hooks = key == "hookspath";
        let word = match hooks {
            true => Some(value),
            false => {
                value.trim_start_matches('!').split_whitespace().next().filter(|word| word.contains('/'))
            }
        };
        let Some(word) = word else { return };
        let Some(path) = self.absolute(self.top, word.trim_matches(['"', '\''])) else { return };
        let path = real(&path);
        if hooks && self.folder.starts_with(&path) {
            // Among the files themselves.
            self.found.extend(HOOKS.iter().map(|name| path.join(name)));
            return;
        }
        let found = self.place(&path);
        self.found.extend(found);
    }

    /// `None` for what a shell or an unknown home folder would fill in.
    fn absolute(&self, base: &Path, path: &str) -> Option<PathBuf> {
        match (path.strip_prefix("~/"), self.home) {
            (Some(rest), Some(home)) => Some(absolute(home, Path::new(rest))),
            _ if path.starts_with(['~', '%']) || path.contains('$') => None,
            _ => Some(absolute(base, Path::new(path))),
        }
    }

    fn place(&self, path: &Path) -> Option<PathBuf> {
        let there = path.ancestors().find(|above| fs::symlink_metadata(above).is_ok())?;
        let holds_all = self.folder.starts_with(there);
        let missing = path.strip_prefix(there).ok()?.components().next();
        Some(missing.filter(|_| holds_all).map_or(there.to_owned(), |first| there.join(first)))
    }
}

/// Section, key and value, the first two in lower case.
fn entries(text: &str) -> Vec<(String, String, String)> {
    let mut section = String::new();
    let mut found = Vec::new();
    let joined = text.replace("\\\n", "");
    for line in joined.lines() {
        let mut line = line.trim();
        if let Some((head, rest)) = line.strip_prefix('[').and_then(|line| line.rsplit_once(']')) {
            section = head.to_lowercase();
            line = rest.trim();
        }
        if let Some((key, value)) = line.split_once('=') {
            let value = value.trim();
            let value = match value.strip_prefix('"').and_then(|value| value.split_once('"')) {
                Some((quoted, _)) => quoted,
                None => value.split([';', '#']).next().unwrap_or(value).trim(),
            };
            let value = value.replace("\\\\", "\\").replace("\\\"", "\"");
            found.push((section.clone(), key.trim().to_lowercase(), value));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_settings_name_among_the_files_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let w = dir.path().canonicalize().unwrap();
        for folder in [".git", ".husky", "tools", "sub"] {
            fs::create_dir(w.join(folder)).unwrap();
        }
        fs::write(w.join("tools/clean.sh"), "").unwrap();
        fs::write(w.join("tools/more"), "[core]\n\tfsmonitor = \"./tools/clean.sh\" ; x\n").unwrap();
        let config = "[core]\n\tbare = false\n\tHooksPath = .husky/_ # not there yet\n\teditor = vim\n\
            [include]\n\tpath = ../tools/more\n[filter \"x\"] clean = tools/clean.sh %f\n\
            [remote \"origin\"]\n\turl = ./tools\n[alias]\n\tx = !tools/clean.sh\n";
        fs::write(w.join(".git/config"), config).unwrap();
        let want = [".husky", "tools/clean.sh", "tools/more"].map(|name| w.join(name));
        assert_eq!(run_by_git(&w, None), want);
        assert_eq!(run_by_git(&w.join("sub"), None), want);
        for odd in
            ["", "[", "[core", "=", "[core]hookspath", "[core]\nhookspath=\n", "[include]\npath=.git/config"]
        {
            fs::write(w.join(".git/config"), odd).unwrap();
            run_by_git(&w, None);
        }
    }

    #[test]
    fn what_does_not_exist_yet_is_found_too_and_also_what_the_user_has_set() {
        let dir = tempfile::tempdir().unwrap();
        let w = dir.path().canonicalize().unwrap();
        for folder in [".git", "sub"] {
            fs::create_dir(w.join(folder)).unwrap();
        }
        let config = |text: &str| fs::write(w.join(".git/config"), text).unwrap();
        for (text, want) in [
            ("[core]\nhooksPath = hooks", "hooks"),
            ("[core]\nhooksPath = a/b/hooks", "a"),
            ("[core]\nhooksPath = sub/hooks", "sub"),
            ("[include]\npath = ../later", "later"),
            ("[includeIf \"gitdir:x\"]\npath = ../a/later", "a"),
            ("[core]\nfsmonitor = ./watch", "watch"),
        ] {
            config(text);
            assert_eq!(run_by_git(&w, None), [w.join(want)], "{text}");
        }
        config("[core]\nhooksPath = sub/hooks");
        assert_eq!(run_by_git(&w.join("sub"), None), [w.join("sub/hooks")]);
        config("[core]\nhooksPath = .");
        assert!(run_by_git(&w, None).contains(&w.join("pre-commit")));
        config("");
        let home = tempfile::tempdir().unwrap();
        for (text, want) in [("hooksPath = .githooks", vec![w.join(".githooks")]), ("editor = $X/y", vec![])]
        {
            fs::write(home.path().join(".gitconfig"), format!("[core]\n{text}")).unwrap();
            let found = run_by_git(&w, Some(home.path()));
            assert_eq!(found.into_iter().filter(|at| at.starts_with(&w)).collect::<Vec<_>>(), want, "{text}");
        }
        config("[core]\nhooksPath = ~/hooks");
        assert!(run_by_git(&w, None).is_empty() && !run_by_git(&w, Some(&w.join("sub"))).is_empty());
    }
}
