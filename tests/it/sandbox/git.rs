//! Repositories: what of them stays closed whoever asks, and what plain commands of git may do.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::attacks::attack;
use super::bed::{Bed, Way, ways};

/// A repository with one commit, made by the user of this way.
pub(super) fn repository(bed: &Bed, folder: &str) {
    fs::remove_dir_all(bed.path().join(folder).join(".git")).ok();
    fs::create_dir_all(bed.path().join(folder)).unwrap();
    bed.own(&bed.path().join(folder));
    bed.sh_free(&format!(
        "cd {}/{folder} && git init -q -b main && {IDENTITY} && echo a > a && git add a && git commit -qm first",
        bed.path().display()
    ));
    assert!(bed.path().join(folder).join(".git/refs/heads/main").exists(), "git does not work here");
}

const IDENTITY: &str = "git config user.name t && git config user.email t@example.org";

/// `codex sandbox` with a script of its own, exit code and output.
fn git(bed: &Bed, script: &str) -> (i32, String) {
    bed.sh(script)
}

fn everywhere() -> impl Iterator<Item = Way> {
    ways().into_iter()
}

#[test]
fn hooks_of_nested_repositories_and_pointers_of_submodules_stay_as_they_are() {
    let make = |bed: &Bed| {
        bed.write("work/.git/modules/sub/config", "[core]");
        bed.write("work/deps/sub/.git", "gitdir: ../../.git/modules/sub\n");
        bed.write("work/deps/other/.git/hooks/sample", "#!/bin/sh");
        bed.write("work/deps/other/.git/config", "[core]");
    };
    let scripts = [
        "echo 'gitdir: ../../src' > deps/sub/.git",
        "rm deps/sub/.git",
        "mv deps/sub/.git deps/sub/aside",
        "rm -rf deps/sub",
        "mv deps/sub deps/moved; mkdir deps/sub; echo 'gitdir: /x' > deps/sub/.git",
        "mv deps moved; mkdir -p deps/sub; echo 'gitdir: /x' > deps/sub/.git",
        "echo x > deps/other/.git/hooks/pre-commit",
        "echo x >> deps/other/.git/config",
        "rm -rf deps/other/.git",
        "mv deps/other/.git deps/other/aside; mkdir -p deps/other/.git/hooks",
        "mv deps/other deps/moved",
        "echo x > .git/modules/sub/config",
    ];
    let watched = |bed: &Bed| -> Vec<PathBuf> {
        ["deps/sub/.git", "deps/other/.git", ".git"].iter().map(|path| bed.work().join(path)).collect()
    };
    attack(&scripts, make, watched);
}

#[test]
fn adding_committing_and_switching_work() {
    for way in everywhere() {
        let bed = Bed::new(way);
        repository(&bed, "work");
        let before = super::bed::snapshot(&bed.work().join(".git/hooks"));
        for script in [
            "echo b > b; echo c > src/c",
            "git add -A && git commit -qm second",
            "git switch -q -c topic",
            "git mv b src/b && git commit -qam third && git switch -q main && git merge -q topic",
            "git tag v1 && git stash list && git reset -q --hard HEAD~1 && git branch -D topic",
        ] {
            let (code, output) = git(&bed, script);
            assert_eq!(code, 0, "{way:?}: {script}: {output}");
        }
        let (_, log) = git(&bed, "git log --format=%s");
        assert_eq!(log, "second\nfirst\n", "{way:?}");
        assert_eq!(before, super::bed::snapshot(&bed.work().join(".git/hooks")));
        // Nothing is left of what stood in for missing names.
        for name in ["worktrees", "modules", "remotes", "commondir", "config.worktree"] {
            assert!(!bed.work().join(".git").join(name).exists(), "{name}");
        }
    }
}

#[test]
fn the_grant_is_for_plain_commands_of_git_and_can_be_removed() {
    for way in ways() {
        let bed = Bed::new(way);
        repository(&bed, "work");
        bed.sh_free("echo b > b");
        for script in [
            "git add b; touch .git/new",
            "sh -c 'git add b'",
            "GIT_INDEX_FILE=.git/index git add b",
            "git add b > .git/out",
            "git config core.hooksPath evil",
            "git worktree add ../w",
        ] {
            let before = super::bed::snapshot(&bed.work().join(".git"));
            git(&bed, script);
            assert_eq!(before, super::bed::snapshot(&bed.work().join(".git")), "{way:?}: {script}");
        }
        bed.write("home/.codex/config.toml", "[sandbox_workspace_write]\ngit = false\n");
        assert_ne!(git(&bed, "git add b").0, 0, "{way:?}");
        bed.write("home/.codex/config.toml", "");
        assert_eq!(git(&bed, "git add b").0, 0, "{way:?}");
    }
}

/// A hook of the user's runs whatever the repository says; it gets the open folder but for what git executes.
#[test]
fn a_hook_cannot_change_hooks_and_settings() {
    for way in everywhere() {
        let bed = Bed::new(way);
        repository(&bed, "work");
        let hook = "#!/bin/sh\nfor f in hooks/post-commit config config.worktree commondir modules/x worktrees/x \
                    remotes/x info/x gitdir; do (echo x > .git/$f) 2>/dev/null && touch .git/leaked; done\n\
                    mkdir .git/rebase-merge && touch .git/leaked\nmv .git/hooks .git/h\n\
                    mv .git aside\nmv .git/config .git/c\ntouch ../outside/new .git/ran\nexit 0\n";
        bed.write("work/.git/hooks/pre-commit", hook);
        bed.sh_free("chmod +x .git/hooks/pre-commit; echo b > b");
        let watch = |bed: &Bed| {
            let names = [
                "hooks",
                "config",
                "config.worktree",
                "commondir",
                "modules",
                "worktrees",
                "remotes",
                "info",
            ];
            let mut all: Vec<String> = names
                .iter()
                .flat_map(|name| super::bed::snapshot(&bed.work().join(".git").join(name)))
                .collect();
            all.extend(super::bed::snapshot(&bed.outside()));
            all
        };
        let before = watch(&bed);
        let (code, output) = git(&bed, "git add b && git commit -qm second");
        assert_eq!(code, 0, "{way:?}: {output}");
        assert!(bed.work().join(".git/ran").exists(), "{way:?}: the hook did not run: {output}");
        assert_eq!(before, watch(&bed), "{way:?}");
        // Not for a moment either: a git of the user's may run meanwhile.
        assert!(!bed.work().join(".git/leaked").exists(), "{way:?}");
    }
}

/// Git of the user's follows links in a repository when it writes: into a log, the index, a message.
#[test]
fn a_hook_leaves_no_link_for_a_git_of_later() {
    for way in everywhere() {
        let bed = Bed::new(way);
        repository(&bed, "work");
        let hook = "#!/bin/sh\nln -s $O/file .git/soft\nln -s $O/file soft\nmv soft .git/\nln -P soft .git/hard\n\
                    mkdir d; ln -s $O/file d/HEAD; mv .git/logs .git/old; mv d .git/logs; mv .git/old .git/logs\n\
                    python3 -c 'import os; os.rename(\"d\", \".git/d\")'\n\
                    touch .git/ran\nexit 0\n";
        bed.write("work/.git/hooks/pre-commit", hook);
        bed.sh_free("chmod +x .git/hooks/pre-commit; echo b > b");
        let (code, output) = git(&bed, "git add b && git commit -qm second");
        assert_eq!(code, 0, "{way:?}: {output}");
        let (_, found) = bed.sh("find .git -type l; ls .git/ran .git/logs/HEAD");
        let found: Vec<&str> = found.lines().filter(|line| line.starts_with(".git")).collect();
        let want = [".git/logs/HEAD", ".git/ran"];
        assert!(
            found.iter().all(|line| want.contains(line)) && found.contains(&".git/ran"),
            "{way:?}: {found:?}"
        );
    }
}

#[test]
fn several_commits_are_picked_and_reverted() {
    for way in everywhere() {
        let bed = Bed::new(way);
        repository(&bed, "work");
        let script = "git switch -qc topic && echo b > b && git add b && git commit -qm b && echo c > c && \
                      git add c && git commit -qm c && git switch -q main && git commit -q --allow-empty -m m";
        bed.sh_free(script);
        bed.sh("echo d > d");
        for script in [
            "git cherry-pick main..topic && git revert --no-edit HEAD HEAD~1",
            "git add d && git stash -q && git stash pop -q",
        ] {
            let (code, output) = git(&bed, script);
            assert_eq!(code, 0, "{way:?}: {script}: {output}");
        }
        assert!(!bed.work().join(".git/sequencer").exists(), "{way:?}");
    }
}

/// Hooks and included settings among the files of the workspace run outside as well.
#[test]
fn what_the_settings_of_a_repository_name_stays_as_it_is() {
    let make = |bed: &Bed| {
        let config =
            "[core]\n\thooksPath = .husky\n\tfsmonitor = tools/watch\n[include]\n\tpath = ../shared\n";
        bed.write("work/.git/config", config);
        for file in ["work/.husky/pre-commit", "work/tools/watch", "work/shared"] {
            bed.write(file, "");
        }
    };
    let scripts = [
        "echo x > .husky/pre-commit",
        "touch .husky/post-commit",
        "mv .husky aside; mkdir .husky",
        "echo x > tools/watch",
        "mv tools aside; mkdir tools; echo x > tools/watch",
        "echo x > shared",
        "mv own shared",
    ];
    let watched = |bed: &Bed| -> Vec<PathBuf> {
        [".husky", "tools/watch", "shared"].iter().map(|path| bed.work().join(path)).collect()
    };
    attack(&scripts, make, watched);
}

/// The same before it exists.
#[test]
fn what_the_settings_of_a_repository_name_does_not_come_to_exist() {
    let make = |bed: &Bed| {
        bed.write("work/.git/config", "[core]\n\thooksPath = later/hooks\n[include]\n\tpath = ../more\n");
        bed.write("home/.gitconfig", "[core]\n\tfsmonitor = ./watch\n");
        bed.write("work/src/hooks/pre-commit", "");
    };
    let scripts = [
        "mkdir -p later/hooks && echo x > later/hooks/pre-commit",
        "mkdir later",
        "mv src later",
        "ln -s src later",
        "rmdir later; mv src later",
        "mv later aside; mkdir later",
        "echo x > more",
        "mv own more",
        "ln own more",
        "echo x > watch",
        "ln -s own watch",
    ];
    let watched = |bed: &Bed| -> Vec<PathBuf> {
        ["later", "more", "watch"].iter().map(|path| bed.work().join(path)).collect()
    };
    attack(&scripts, make, watched);
    for way in ways() {
        let bed = Bed::new(way);
        make(&bed);
        let (code, output) = bed.sh("echo x > new && mkdir -p src/later && cat new");
        assert_eq!((code, output.as_str()), (0, "x\n"), "{way:?}");
        assert!(
            !bed.work().join("later").exists() && !bed.work().join("more").exists(),
            "{way:?}: something is left"
        );
    }
}

#[test]
fn a_linked_worktree_commits_and_leaves_the_others_alone() {
    for way in everywhere() {
        let bed = Bed::new(way);
        repository(&bed, "main");
        fs::remove_dir_all(bed.work()).unwrap();
        let path = bed.path().display();
        let mut add = Command::new("sh");
        add.args([
            "-c",
            &format!("cd {path}/main && git worktree add -q ../other && git worktree add -q ../work"),
        ]);
        bed.prepare(&mut add);
        add.current_dir(bed.path()).stderr(Stdio::null()).status().unwrap();
        let (code, output) = git(&bed, "git status && git commit -q --allow-empty -m second");
        assert_eq!(code, 0, "{way:?}: {output}");
        let before = super::bed::snapshot(&bed.path().join("main/.git/worktrees/other"));
        // The hook is the user's: it stands for anything hostile that runs beside git.
        let hook = "#!/bin/sh\nd=$(git rev-parse --git-common-dir)\ntouch $d/worktrees/other/new $d/worktrees/new \
                    $d/ran\necho x > $d/worktrees/work/commondir\nexit 0\n";
        bed.write("main/.git/hooks/pre-commit", hook);
        bed.sh_free(&format!("chmod +x {path}/main/.git/hooks/pre-commit"));
        let (code, output) = git(&bed, "git commit -q --allow-empty -m third");
        assert_eq!(code, 0, "{way:?}: {output}");
        assert!(bed.path().join("main/.git/ran").exists(), "{output}");
        assert_eq!(before, super::bed::snapshot(&bed.path().join("main/.git/worktrees/other")), "{way:?}");
        assert!(!bed.path().join("main/.git/worktrees/new").exists(), "{way:?}");
        let common = fs::read_to_string(bed.path().join("main/.git/worktrees/work/commondir")).unwrap();
        assert_eq!(common.trim(), "../..", "{way:?}");
    }
}

#[test]
fn a_repository_can_be_made_by_git_only() {
    for way in everywhere() {
        let bed = Bed::new(way);
        fs::remove_dir_all(bed.work().join(".git")).unwrap();
        bed.sh("mkdir .git; sh -c 'git init -q'; mkdir -p .git/hooks");
        assert!(!bed.work().join(".git").exists(), "{way:?}");
        let (code, output) = git(&bed, "git init -q -b main");
        assert_eq!(code, 0, "{way:?}: {output}");
        assert!(bed.work().join(".git/HEAD").exists(), "{way:?}: {output}");
        bed.sh_free(IDENTITY);
        let (code, output) = git(&bed, "git add -A && git commit -qm first");
        assert_eq!(code, 0, "{way:?}: {output}");
        bed.sh("echo x > .git/hooks/post-commit; echo x > .git/config");
        assert!(!bed.work().join(".git/hooks/post-commit").exists());
    }
}
