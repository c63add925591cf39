//! Tests of reading repositories: made by hand, and by the git program where there is one.

use std::process::Command;

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef01234567";

/// A folder with a `.git` of these files.
fn repository(files: &[(&str, &str)]) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    std::fs::create_dir(root.join(".git")).unwrap();
    for (path, text) in files {
        let path = root.join(".git").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    (dir, root)
}

fn want(branch: Option<&str>, commit: Option<&str>) -> Option<GitState> {
    let owned = |text: &str| text.to_owned();
    Some(GitState { branch: branch.map(owned), commit: commit.map(owned), origin: None })
}

#[test]
fn heads() {
    let packed = format!("# pack-refs\n{ID} refs/heads/other\n^{ID}\n{ID} refs/heads/a/b\n");
    let loose = format!("{}\n", ID.to_uppercase());
    for (files, expected) in [
        (vec![("HEAD", "ref: refs/heads/main\n")], want(Some("main"), None)),
        (vec![("HEAD", "ref: refs/heads/main\n"), ("refs/heads/main", &loose)], want(Some("main"), Some(ID))),
        (vec![("HEAD", "ref: refs/heads/a/b\n"), ("packed-refs", &packed)], want(Some("a/b"), Some(ID))),
        (vec![("HEAD", ID)], want(None, Some(ID))),
        (vec![("HEAD", "ref: refs/heads/.invalid\n")], want(None, None)),
        (
            vec![("HEAD", "ref: refs/heads/x"), ("refs/heads/x", "ref: refs/heads/y"), ("refs/heads/y", ID)],
            want(Some("x"), Some(ID)),
        ),
        (vec![("HEAD", "ref: refs/heads/x"), ("refs/heads/x", "ref: refs/heads/x")], want(Some("x"), None)),
        (vec![("HEAD", "ref: ../../../secret"), ("refs/heads/x", ID)], want(None, None)),
        (vec![("HEAD", "ref: refs/../../outside"), ("x", ID)], want(None, None)),
        (vec![("HEAD", "garbage")], want(None, None)),
        (vec![("HEAD", "ref: refs/heads/x"), ("refs/heads/x", "not a commit id")], want(Some("x"), None)),
        (vec![], None),
    ] {
        let (_dir, root) = repository(&files);
        assert_eq!(state(&root), expected, "{files:?}");
    }
}

#[test]
fn origin_is_told_without_credentials() {
    for (url, told) in [
        ("https://user:pw@host.example/a/b.git?t=1#x", "https://host.example/a/b.git"),
        ("https://token@host.example/a.git", "https://host.example/a.git"),
        ("ssh://git@host.example/a.git", "ssh://git@host.example/a.git"),
        ("git@host.example:a/b.git", "git@host.example:a/b.git"),
        ("../other", "../other"),
    ] {
        let config =
            format!("[remote \"other\"]\n\turl = https://no\n[remote \"origin\"]\n\turl = {url}\n[x]\n");
        let (_dir, root) = repository(&[("HEAD", ID), ("config", &config)]);
        assert_eq!(state(&root).unwrap().origin.as_deref(), Some(told));
    }
}

#[test]
fn root_is_the_nearest_folder_with_git() {
    let (_dir, root) = repository(&[("HEAD", ID)]);
    std::fs::create_dir_all(root.join("a/b")).unwrap();
    assert_eq!(super::root(&root.join("a/b")), Some(root.clone()));
    std::fs::write(root.join("a/.git"), "gitdir: nowhere").unwrap();
    assert_eq!(super::root(&root.join("a/b")), Some(root.join("a")));
    assert_eq!(state(&root.join("a")), None);
}

#[test]
fn agrees_with_the_git_program() {
    let dir = tempfile::tempdir().unwrap();
    let main = dir.path().join("main");
    std::fs::create_dir(&main).unwrap();
    let git = |folder: &Path, args: &[&str]| {
        let output = Command::new("git")
            .args(["-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"])
            .args(args)
            .current_dir(folder)
            .output();
        output.ok().filter(|output| output.status.success()).map(|o| String::from_utf8(o.stdout).unwrap())
    };
    if git(&main, &["init", "-q", "-b", "trunk"]).is_none() {
        return; // no git program, or one too old to name the branch
    }
    git(&main, &["commit", "-q", "--allow-empty", "-m", "one"]).unwrap();
    git(&main, &["worktree", "add", "-q", "-b", "side", "../linked"]).unwrap();
    git(&main, &["pack-refs", "--all"]).unwrap();
    let id = git(&main, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(state(&main), want(Some("trunk"), Some(id.trim())));
    let linked = dir.path().join("linked");
    git(&linked, &["commit", "-q", "--allow-empty", "-m", "two"]).unwrap();
    let id = git(&linked, &["rev-parse", "HEAD"]).unwrap();
    assert_eq!(state(&linked), want(Some("side"), Some(id.trim())));
    git(&linked, &["checkout", "-q", "--detach"]).unwrap();
    assert_eq!(state(&linked), want(None, Some(id.trim())));
}
