//! Tests of project root and trust.

use super::super::tree::{Layer, Source};
use super::*;

/// A folder with `main` (a repository), `linked` (its worktree) and `fake` (claims to be one).
fn folder() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().canonicalize().unwrap();
    let admin = root.join("main/.git/worktrees/linked");
    std::fs::create_dir_all(&admin).unwrap();
    for name in ["linked/deep", "fake"] {
        std::fs::create_dir_all(root.join(name)).unwrap();
    }
    std::fs::write(root.join("linked/.git"), format!("gitdir: {}\n", admin.display())).unwrap();
    std::fs::write(root.join("fake/.git"), "gitdir: ../main/.git/worktrees/linked\n").unwrap();
    std::fs::write(admin.join("gitdir"), format!("{}/linked/.git\n", root.display())).unwrap();
    (dir, root)
}

/// Trust of `cwd` under layers of text, lowest first; `ROOT` stands for the folder.
fn trust(root: &Path, cwd: &str, texts: &[&str]) -> Result<Trust, Error> {
    let mut sources = Sources::default();
    let mut trees = Vec::new();
    for text in texts {
        let text = Some(text.replace("ROOT", root.to_str().unwrap()));
        let base = PathBuf::from("/");
        let source = sources.add(Source { layer: Layer::User, label: "f".to_owned(), base, text });
        trees.push(sources.parse(source).unwrap());
    }
    let layers: Vec<&Tree> = trees.iter().rev().collect();
    let cwd = root.join(cwd);
    look_up(&cwd, project_root(&cwd, &[".git".to_owned()]).as_deref(), &layers, &sources)
}

#[test]
fn nearest_marker_is_the_root() {
    let (_dir, root) = folder();
    let find = |cwd: &str, markers: &[&str]| {
        let markers: Vec<String> = markers.iter().map(|marker| (*marker).to_owned()).collect();
        project_root(&root.join(cwd), &markers)
    };
    std::fs::write(root.join("main/mark"), "").unwrap();
    std::fs::create_dir_all(root.join("main/a/b")).unwrap();
    assert_eq!(find("main/a/b", &[".git"]), Some(root.join("main")));
    assert_eq!(find("linked/deep", &[".git"]), Some(root.join("linked")));
    assert_eq!(find("main/a", &["no-such", "mark"]), Some(root.join("main")));
    assert_eq!(find("main/a", &[]), None);
}

#[test]
fn nearest_entry_decides() {
    let (_dir, root) = folder();
    let yes = "[projects.'ROOT/main']\ntrust_level = 'trusted'";
    for (cwd, texts, want) in [
        ("main", vec![yes], Trust::Trusted),
        ("main", vec![], Trust::Unknown),
        ("main", vec!["[projects.'ROOT']\ntrust_level = 'trusted'"], Trust::Unknown),
        ("main", vec!["[projects.'ROOT/main/']\ntrust_level = 'trusted'"], Trust::Trusted),
        ("linked/deep", vec![yes], Trust::Trusted),
        ("fake", vec![yes], Trust::Unknown),
        ("linked", vec![yes, "[projects.'ROOT/linked']\ntrust_level = 'untrusted'"], Trust::Untrusted),
        ("main", vec![yes, "[projects.'ROOT/main']\ntrust_level = 'untrusted'"], Trust::Untrusted),
        ("main", vec![yes, "[projects.'ROOT/main']\nother = 1"], Trust::Trusted),
    ] {
        assert_eq!(trust(&root, cwd, &texts).unwrap(), want, "{cwd} {texts:?}");
    }
    let error = trust(&root, "main", &["[projects.'ROOT/main']\ntrust_level = 'ja'"]).unwrap_err();
    assert!(error.to_string().starts_with("f:2:15: `projects."), "{error}");
}

#[test]
fn a_symlinked_spelling_of_the_path_is_the_same_project() {
    let (_dir, root) = folder();
    std::os::unix::fs::symlink(root.join("main"), root.join("alias")).unwrap();
    let text = "[projects.'ROOT/alias']\ntrust_level = 'trusted'";
    assert_eq!(trust(&root, "main", &[text]).unwrap(), Trust::Trusted);
}

#[test]
fn git_files_that_lead_nowhere() {
    let (_dir, root) = folder();
    for text in ["", "gitdir:", "gitdir: a\nb", "hello", "gitdir: \0"] {
        std::fs::write(root.join("fake/.git"), text).unwrap();
        assert_eq!(git_dir(&root.join("fake")), None, "{text:?}");
    }
    std::fs::write(root.join("fake/.git"), "x".repeat(100_000)).unwrap();
    assert_eq!(git_dir(&root.join("fake")), None);
    assert_eq!(git_dir(&root.join("main")), Some(root.join("main/.git")));
}
