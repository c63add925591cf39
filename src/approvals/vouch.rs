//! Whether a command is what its words say. A rule or an earlier answer is about words; what runs is the program that
//! `PATH` finds for them, with every option that follows, in the folder where it starts. A command could put a program
//! of the same name where `PATH` finds it first, make a repository whose settings run something, or add an option that
//! does. What is doubtful is not wrong: it only needs the user's word again, or stays in the sandbox. Reads the disk.

use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::effects::moved;
use super::lists;
use super::repositories::foreign;
use super::rules::{RuleDecision, RuleMatch, base_name, git_verb};
use crate::process::parse::Commands;

/// Folders of the home that usual login profiles put on the search path.
const PROFILE_DIRS: [&str; 3] = ["bin", ".local/bin", ".cargo/bin"];

/// Where a call would run.
pub(crate) struct Place<'a> {
    /// Absolute working directory.
    pub(crate) cwd: &'a Path,
    /// The search path of commands.
    pub(crate) path: &'a OsStr,
    /// The home folder of the user: login profiles put folders of it on the search path.
    pub(crate) home: &'a Path,
    /// Whether commands in the sandbox may write there.
    pub(crate) writable: &'a dyn Fn(&Path) -> bool,
    /// Whether this `.git` is one that commands never could make, because it was kept from them before there was one.
    pub(crate) guarded: &'a dyn Fn(&Path) -> bool,
}

/// For each piece of a call, the program that it finds when commands could have put it there.
pub(crate) fn planted(commands: &Commands, place: &Place<'_>) -> Vec<Option<PathBuf>> {
    let by_shell = commands.script.is_some();
    let found = |piece: &Vec<String>| {
        let name = piece.first()?;
        let known = name.contains('/') || (by_shell && lists::BUILTINS.contains(&name.as_str()));
        if known { None } else { find(name, place) }
    };
    commands.pieces.iter().map(found).collect()
}

/// The first program of this name on the search path, if commands can write it.
fn find(name: &str, place: &Place<'_>) -> Option<PathBuf> {
    let candidates = std::env::split_paths(place.path).map(|dir| place.cwd.join(dir).join(name));
    let runs = |file: &PathBuf| {
        file.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
    };
    let changeable = |file: &PathBuf| {
        (place.writable)(file) || file.canonicalize().is_ok_and(|real| (place.writable)(&real))
    };
    let by_profile = PROFILE_DIRS.map(|dir| place.home.join(dir).join(name)).into_iter();
    let first = candidates.into_iter().find(runs);
    first.into_iter().chain(by_profile.filter(runs)).find(changeable)
}

/// Takes back what rules allow where that is doubtful; a sentence for each.
pub(crate) fn doubts(
    commands: &Commands,
    rules: &mut [Option<RuleMatch>],
    planted: &[Option<PathBuf>],
    place: &Place<'_>,
) -> Vec<String> {
    let mut said = Vec::new();
    let mut dir = Some(place.cwd.to_owned());
    for (at, piece) in commands.pieces.iter().enumerate() {
        let Some((program, args)) = piece.split_first() else { continue };
        if let Some(rule) = rules.get_mut(at)
            && let Some(found) = rule.as_ref().filter(|rule| rule.decision == RuleDecision::Allow)
        {
            let name = base_name(program);
            let beyond = args.get(found.prefix.len().saturating_sub(1)..).unwrap_or_default();
            let doubt = planted
                .get(at)
                .and_then(Option::as_ref)
                .map(|path| format!("`{name}` is {}, which commands can change", path.display()))
                .or_else(|| {
                    let option = runs_by_option(name, args, beyond)?;
                    Some(format!("`{option}` can make `{name}` run another program"))
                })
                .or_else(|| (name == "git").then(|| foreign(dir.as_deref(), place)).flatten());
            if let Some(doubt) = doubt {
                said.push(format!("A rule allows `{}`, but {doubt}", found.prefix.join(" ")));
                *rule = None;
            }
        }
        if lists::moves(piece) {
            dir = moved(dir, args);
        }
    }
    said
}

/// The word among `beyond`, the end of `args`, that makes `name` run another program.
fn runs_by_option<'a>(name: &str, args: &'a [String], beyond: &'a [String]) -> Option<&'a String> {
    let verb = if name == "git" { git_verb(args) } else { 0 };
    // What stands before the verb of git chooses another repository or other settings, but for a few.
    let before = beyond.len() + verb;
    let globals = args.get(..verb).unwrap_or_default();
    if before > args.len()
        && let Some(global) = globals.iter().find(|arg| !lists::GIT_GLOBAL.1.contains(&arg.as_str()))
    {
        return Some(global);
    }
    let verb = args.get(verb).map(String::as_str);
    let known: Vec<&str> = lists::RUNS_BY_OPTION
        .iter()
        .filter(|(program, of, _)| *program == name && (of.is_empty() || verb == Some(of)))
        .flat_map(|(.., options)| options.iter().copied())
        .collect();
    beyond.iter().take_while(|arg| *arg != "--" || name != "git").find(|arg| {
        let word = arg.split('=').next().unwrap_or(arg);
        known.iter().any(|option| match option.starts_with("--") {
            // Options may be shortened.
            true => word.len() > 3 && option.starts_with(word),
            false if option.len() == 2 && option.starts_with('-') => arg.starts_with(option),
            false => word == *option,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bed {
        dir: tempfile::TempDir,
    }

    impl Bed {
        fn new() -> Self {
            let bed = Self { dir: tempfile::tempdir().unwrap() };
            std::fs::create_dir_all(bed.root().join("sub")).unwrap();
            std::fs::create_dir_all(bed.root().join("bin")).unwrap();
            std::fs::create_dir_all(bed.root().join(".git/refs")).unwrap();
            bed
        }

        fn root(&self) -> PathBuf {
            self.dir.path().canonicalize().unwrap()
        }

        fn program(&self, name: &str) {
            let file = self.root().join(name);
            std::fs::write(&file, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o755)).unwrap();
        }

        /// Whether rules that allow `prefix` still do for `script`.
        fn allows(&self, prefix: &str, script: &str) -> bool {
            let root = self.root();
            let writable = |path: &Path| path.starts_with(&root) && !path.starts_with(root.join(".git"));
            let path = std::env::join_paths([root.join("bin"), "rel".into(), "/usr/bin".into()]).unwrap();
            let place = Place {
                cwd: &root,
                path: &path,
                home: Path::new("/nonexistent"),
                writable: &writable,
                guarded: &|git| git == root.join(".git"),
            };
            let commands = Commands::of_script(script);
            let words: Vec<String> = prefix.split(' ').map(str::to_owned).collect();
            let rule = crate::approvals::rules::Rule::allowing(&words);
            let matching = |piece: &Vec<String>| {
                crate::approvals::rules::matching(std::slice::from_ref(&rule), None, piece).pop()
            };
            let mut rules: Vec<_> = commands.pieces.iter().map(matching).collect();
            let planted = planted(&commands, &place);
            let said = doubts(&commands, &mut rules, &planted, &place);
            assert_eq!(said.is_empty(), rules.iter().any(Option::is_some), "{script}: {said:?}");
            rules.iter().any(Option::is_some)
        }
    }

    #[test]
    fn options_that_run_programs_are_no_part_of_a_rule() {
        let bed = Bed::new();
        for (prefix, script, want) in [
            ("git push", "git push -u origin main", true),
            ("git push", "git push --receive-pack=./x", false),
            ("git push", "git push --rec=./x", false),
            ("git push", "git push --exec ./x", false),
            ("git push --exec", "git push --exec ./x", true),
            ("git", "git -c core.pager=./x log", false),
            ("git", "git --config-env=a=b log", false),
            ("git", "git --no-pager -c core.pager=./x log", false),
            ("git", "git -C sub log", false),
            ("git", "git --no-pager log", true),
            ("git", "git bisect run ./x", false),
            ("git submodule", "git submodule foreach ./x", false),
            ("git switch", "git switch -c name", true),
            ("git clone", "git clone -c core.sshCommand=x y", false),
            ("git clone", "git clone -u ./x y", false),
            ("git rebase", "git rebase -x ./x HEAD~2", false),
            ("git diff", "git diff --ext-diff", false),
            ("git log", "git log -- --exec", true),
            ("tar", "tar xf a.tar", true),
            ("tar", "tar xf a.tar --to-command=./x", false),
            ("tar", "tar -I./x -xf a.tar", false),
            ("find", "find . -name x", true),
            ("find", "find . -exec ./x \\;", false),
            ("rg", "rg --pre ./x y", false),
            ("sort", "sort --compress-prog=./x y", false),
            ("rsync", "rsync -e ./x a b:", false),
            ("ssh", "ssh -oProxyCommand=./x host", false),
            ("make test", "make test", true),
        ] {
            assert_eq!(bed.allows(prefix, script), want, "{prefix}: {script}");
        }
    }

    #[test]
    fn a_planted_program_is_not_the_one_that_was_meant() {
        let bed = Bed::new();
        assert!(bed.allows("make", "make"));
        bed.program("bin/make");
        assert!(!bed.allows("make", "make"));
        assert!(bed.allows("./bin/make", "./bin/make"), "that one was meant");
        // Not executable, so it is not found; a builtin is never looked for.
        std::fs::write(bed.root().join("bin/cargo"), "").unwrap();
        bed.program("bin/echo");
        assert!(bed.allows("cargo", "cargo") && bed.allows("echo", "echo x"));
        // A relative entry of the search path means a folder that commands can write.
        std::fs::create_dir(bed.root().join("rel")).unwrap();
        bed.program("rel/npm");
        assert!(!bed.allows("npm", "npm"));
    }

    #[test]
    fn git_is_trusted_in_repositories_that_commands_cannot_set_up() {
        let bed = Bed::new();
        assert!(bed.allows("git push", "git push") && bed.allows("git push", "cd sub && git push"));
        assert!(!bed.allows("git push", "cd - && git push"), "nobody knows where");
        std::fs::create_dir_all(bed.root().join("sub/.git/refs")).unwrap();
        assert!(!bed.allows("git push", "cd sub && git push"));
        assert!(bed.allows("git push", "cd sub; cd ..; git push"));
        std::fs::remove_dir_all(bed.root().join("sub/.git")).unwrap();
        for name in ["objects", "refs", "HEAD"] {
            std::fs::create_dir(bed.root().join("sub").join(name)).unwrap();
        }
        assert!(!bed.allows("git push", "cd sub && git push"), "a bare one");
    }
}
