//! What the settings of a repository make git run or read that lies among its files: a folder of hooks, a filter, an
//! included file. Git takes them whenever the user works there, outside; so they are protected like the settings
//! themselves. Read as git would, but for what this machine's other settings add.

use std::fs;
use std::path::{Path, PathBuf};

use super::git::Repository;
use super::policy::real;
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

/// The paths that the settings of the repository around `folder` name; resolved. Of one that does not exist yet the
/// folder that would hold it.
pub(super) fn run_by_git(folder: &Path) -> Vec<PathBuf> {
    let Some(repository) = Repository::around(folder) else { return Vec::new() };
    let top = folder.ancestors().find(|above| above.join(".git").exists()).unwrap_or(folder);
    let mut found = Vec::new();
    for name in ["config", "config.worktree"] {
        for home in [&repository.common, &repository.own] {
            settings(&home.join(name), top, DEPTH, &mut found);
        }
    }
    found.sort();
    found.dedup();
    found
}

fn settings(file: &Path, top: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let small = fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.len() <= LARGEST);
    let Some(text) = small.then(|| fs::read(file).ok()).flatten() else { return };
    for (section, key, value) in entries(&String::from_utf8_lossy(&text)) {
        if key == "path" && section.starts_with("include") {
            let path = absolute(file.parent().unwrap_or(top), Path::new(&value));
            if depth > 0 {
                settings(&path, top, depth - 1, found);
            }
            found.push(real(&path));
        } else if RUN.contains(&key.as_str()) {
            found.extend(place(top, &key, &value));
        }
    }
}

/// Where a value leads: a folder as a whole, a command by its first word when that is a path.
fn place(top: &Path, key: &str, value: &str) -> Option<PathBuf> {
    let word = match key {
        "hookspath" => value,
        _ => value.trim_start_matches('!').split_whitespace().next().filter(|word| word.contains('/'))?,
    };
    let path = real(&absolute(top, Path::new(word.trim_matches(['"', '\'']))));
    let there = path.ancestors().find(|above| above.exists())?;
    Some(there.to_owned())
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
        assert_eq!(run_by_git(&w), want);
        assert_eq!(run_by_git(&w.join("sub")), want);
        for odd in
            ["", "[", "[core", "=", "[core]hookspath", "[core]\nhookspath=\n", "[include]\npath=.git/config"]
        {
            fs::write(w.join(".git/config"), odd).unwrap();
            run_by_git(&w);
        }
    }
}
