//! Branches and commits of small repositories.

use std::path::Path;
use std::process::Command;

use super::*;

fn run(dir: &Path, args: &[&str]) {
    let identity =
        ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

#[test]
fn branches_and_commits_are_listed() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(branches(dir.path(), &[]), Err(Error::NoRepository(_))));
    run(dir.path(), &["init", "-q"]);
    assert!(matches!(branches(dir.path(), &[]), Err(Error::NoCommits)));
    assert!(matches!(commits(dir.path(), &[]), Err(Error::NoCommits)));
    std::fs::write(dir.path().join("a"), "1").unwrap();
    run(dir.path(), &["add", "."]);
    run(dir.path(), &["commit", "-qm", "One\u{7} with \u{202e}tricks"]);
    for branch in ["zeta", "work"] {
        run(dir.path(), &["branch", branch]);
    }
    run(dir.path(), &["checkout", "-q", "work"]);
    run(dir.path(), &["commit", "-qm", "Two", "--allow-empty"]);
    let found = branches(dir.path(), &[]).unwrap();
    let names: Vec<_> = found.iter().map(|branch| branch.name.as_str()).collect();
    assert_eq!(names, ["main", "zeta"], "the usual base first, the current branch not at all");
    assert!(found[0].last.ends_with("One with tricks"), "{}", found[0].last);
    let listed = commits(dir.path(), &[]).unwrap();
    let titles: Vec<_> = listed.iter().map(|commit| commit.title.as_str()).collect();
    assert_eq!(titles, ["Two", "One with tricks"]);
    assert!(listed.iter().all(|commit| commit.sha.len() == 40 && commit.when.contains("ago")));
    assert_eq!(merge_base(dir.path(), &[], "main").unwrap(), listed[1].sha);
    assert_eq!(commit(dir.path(), &[], "work").unwrap().title, "Two");
}

#[test]
fn programs_of_the_repository_do_not_run() {
    let dir = tempfile::tempdir().unwrap();
    run(dir.path(), &["init", "-q"]);
    run(dir.path(), &["commit", "-qm", "One", "--allow-empty"]);
    let mark = dir.path().join("ran");
    let touch = format!("touch {}", mark.display());
    for key in ["core.fsmonitor", "core.pager", "gpg.program", "diff.external"] {
        run(dir.path(), &["config", key, &touch]);
    }
    run(dir.path(), &["config", "log.showSignature", "true"]);
    commits(dir.path(), &[]).unwrap();
    branches(dir.path(), &[]).unwrap();
    merge_base(dir.path(), &[], "main").unwrap();
    assert!(!mark.exists());
}
