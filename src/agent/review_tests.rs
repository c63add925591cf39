//! What reviewers are asked.

use std::process::Command;

use super::*;

fn git(dir: &Path, args: &[&str]) -> String {
    let identity =
        ["-c", "user.name=t", "-c", "user.email=t@example.invalid", "-c", "init.defaultBranch=main"];
    let done = Command::new("git").args(identity).args(args).current_dir(dir).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8_lossy(&done.stdout).trim().to_owned()
}

fn custom(text: &str) -> Target {
    Target::Custom { instructions: text.to_owned() }
}

#[test]
fn every_target_has_its_question() {
    let commit = |title: Option<&str>| Target::Commit { sha: "x".into(), title: title.map(str::to_owned) };
    for (target, sha, parts) in [
        (Target::UncommittedChanges, None, &["uncommitted", "staged", "not track"][..]),
        (Target::BaseBranch { branch: "main".into() }, Some("abc1"), &["'main'", "`git diff abc1`"]),
        (commit(None), Some("abc1"), &["commit abc1 changed", "`git show abc1`"]),
        (commit(Some("Mend it")), Some("abc1"), &["commit abc1 (\"Mend it\")"]),
        (custom(" only the tests\n"), None, &["only the tests"]),
    ] {
        let text = prompt(&target, sha);
        assert!(parts.iter().all(|part| text.contains(part)), "{text}");
    }
}

#[test]
fn git_says_what_a_target_is() {
    let dir = tempfile::tempdir().unwrap();
    let ask = |target: Target| question(dir.path(), &[], target);
    let refused = |target: Target| ask(target).unwrap_err().message;
    let base = |branch: &str| Target::BaseBranch { branch: branch.to_owned() };
    assert!(refused(Target::UncommittedChanges).contains("not in a git repository"));
    assert!(ask(custom("read it")).is_ok(), "own instructions need no git");
    assert!(refused(custom(" ")).contains("nothing to review"));
    git(dir.path(), &["init", "-q"]);
    assert!(ask(Target::UncommittedChanges).is_ok());
    assert!(refused(base("main")).contains("no commits yet"), "{}", refused(base("main")));
    std::fs::write(dir.path().join("a"), "1").unwrap();
    git(dir.path(), &["add", "."]);
    git(dir.path(), &["commit", "-qm", "First \u{1b}[31m title"]);
    let first = git(dir.path(), &["rev-parse", "HEAD"]);
    git(dir.path(), &["checkout", "-qb", "work"]);
    std::fs::write(dir.path().join("a"), "2").unwrap();
    git(dir.path(), &["commit", "-qam", "Second"]);
    let (_, text) = ask(base("main")).unwrap();
    assert!(text.contains(&format!("`git diff {first}`")), "{text}");
    let (target, _) = ask(Target::Commit { sha: first.clone(), title: None }).unwrap();
    assert_eq!(target, Target::Commit { sha: first, title: Some("First [31m title".to_owned()) });
    for odd in ["nosuch", "--output=x", "-h", "", "a\0b", "main; touch x", "$(touch x)"] {
        assert!(refused(base(odd)).contains("no branch or commit"), "{odd}");
    }
    git(dir.path(), &["checkout", "-q", "--orphan", "other"]);
    git(dir.path(), &["commit", "-qm", "Apart"]);
    assert!(refused(base("work")).contains("no commit in common"));
    assert!(!dir.path().join("x").exists());
}
