//! Tests of `policy`.

use super::*;
use std::fs;
use std::os::unix::fs::symlink;

fn workspace_write(roots: &[&Path]) -> SandboxPolicy {
    SandboxPolicy::WorkspaceWrite {
        writable_roots: roots.iter().map(|p| p.to_path_buf()).collect(),
        network_access: false,
        exclude_tmpdir_env_var: true,
        exclude_slash_tmp: true,
    }
}

fn temp() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().canonicalize().unwrap();
    (dir, path)
}

#[test]
fn only_roots_are_writable_and_protected_names_are_not() {
    let (_dir, w) = temp();
    let roots = resolve(&workspace_write(&[]), &w, None);
    for (path, want) in [
        (w.join("src/a.rs"), true),
        (w.clone(), true),
        (w.join(".git"), false),
        (w.join(".git/hooks/x"), false),
        (w.join(".codex/config.toml"), false),
        (w.join(".agents"), false),
        (w.join(".gitignore"), true),
        (w.join("sub/.git/x"), true),
        (w.join("../x"), false),
        (PathBuf::from("/etc/passwd"), false),
        (PathBuf::from("src/a.rs"), false),
        (PathBuf::from(format!("{}x", w.display())), false),
    ] {
        assert_eq!(roots.can_write(&path), want, "{}", path.display());
    }
}

#[test]
fn a_root_inside_another_does_not_open_what_is_protected_there() {
    let (_dir, w) = temp();
    fs::create_dir_all(w.join("p/.git")).unwrap();
    let roots = resolve(&workspace_write(&[&w]), &w.join("p"), None);
    assert!(!roots.can_write(&w.join("p/.git/config")));
    assert!(!roots.can_write(&w.join(".git/config")));
    assert!(roots.can_write(&w.join("q/x")));
}

#[test]
fn read_only_writes_nothing_and_full_access_everything() {
    let (_dir, w) = temp();
    let read_only = resolve(&SandboxPolicy::ReadOnly { network_access: true }, &w, Some(&w));
    assert!(!read_only.can_write(&w.join("a")) && read_only.network() && read_only.roots().is_empty());
    let full = resolve(&SandboxPolicy::DangerFullAccess, &w, None);
    assert!(full.can_write(Path::new("/etc/passwd")) && full.network());
}

#[test]
fn roots_are_resolved_and_missing_ones_left_out() {
    let (_dir, w) = temp();
    fs::create_dir(w.join("real")).unwrap();
    symlink(w.join("real"), w.join("link")).unwrap();
    fs::write(w.join("file"), "").unwrap();
    let extra = [w.join("link"), w.join("missing"), w.join("file"), w.join("real")];
    let extra: Vec<&Path> = extra.iter().map(PathBuf::as_path).collect();
    let roots = resolve(&workspace_write(&extra), &w, None);
    let paths: Vec<&Path> = roots.roots().iter().map(|root| root.path.as_path()).collect();
    assert_eq!(paths, [w.as_path(), &w.join("real")]);
}

#[test]
fn temporary_folders_follow_their_switches() {
    let (_dir, w) = temp();
    let (_other, t) = temp();
    let policy = |no_tmpdir, no_slash_tmp| SandboxPolicy::WorkspaceWrite {
        writable_roots: Vec::new(),
        network_access: false,
        exclude_tmpdir_env_var: no_tmpdir,
        exclude_slash_tmp: no_slash_tmp,
    };
    for (policy, want) in [
        (policy(false, false), "workspace-write [workdir, /tmp, $TMPDIR]"),
        (policy(true, false), "workspace-write [workdir, /tmp]"),
        (policy(true, true), "workspace-write [workdir]"),
    ] {
        assert_eq!(resolve(&policy, &w, Some(&t)).describe(), want);
    }
    assert_eq!(resolve(&policy(false, true), &w, Some(Path::new("relative"))).roots().len(), 1);
}

#[test]
fn a_git_file_protects_its_folder_and_the_common_one() {
    let (_dir, w) = temp();
    fs::create_dir_all(w.join("main/.git/worktrees/t")).unwrap();
    fs::write(w.join("main/.git/worktrees/t/commondir"), "../..\n").unwrap();
    fs::create_dir(w.join("tree")).unwrap();
    fs::write(w.join("tree/.git"), "gitdir: ../main/.git/worktrees/t\n").unwrap();
    let roots = resolve(&workspace_write(&[&w]), &w.join("tree"), None);
    assert!(!roots.can_write(&w.join("main/.git/hooks/pre-commit")));
    assert!(!roots.can_write(&w.join("main/.git/worktrees/t/HEAD")));
    assert!(roots.can_write(&w.join("main/src")));
}

#[test]
fn a_git_symlink_protects_its_target_also_a_missing_one() {
    let (_dir, w) = temp();
    fs::create_dir(w.join("store")).unwrap();
    symlink("store", w.join(".git")).unwrap();
    symlink("later", w.join(".codex")).unwrap();
    let roots = resolve(&workspace_write(&[]), &w, None);
    assert!(!roots.can_write(&w.join("store/config")));
    assert!(!roots.can_write(&w.join("later/config.toml")));
}

#[test]
fn a_told_path_is_protected() {
    let (_dir, w) = temp();
    let mut roots = resolve(&workspace_write(&[]), &w, None);
    assert!(roots.can_write(&w.join("home/auth.json")));
    roots.protect(&w.join("home"));
    assert!(!roots.can_write(&w.join("home/auth.json")));
}

#[test]
fn real_resolves_the_existing_part() {
    let (_dir, w) = temp();
    fs::create_dir(w.join("a")).unwrap();
    symlink("a", w.join("l")).unwrap();
    assert_eq!(real(&w.join("l/x/y")), w.join("a/x/y"));
    assert_eq!(real(&w.join("a/../l")), w.join("a"));
}

#[test]
fn looking_again_finds_what_came_and_forgets_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let w = dir.path().canonicalize().unwrap();
    std::fs::create_dir_all(w.join("old/.git")).unwrap();
    let policy = SandboxPolicy::workspace();
    let mut roots = resolve(&policy, &w, None);
    roots.deny_read(DenyRead { env_files: true, ..DenyRead::default() });
    assert_eq!(roots.look_again(), roots);
    std::fs::rename(w.join("old"), w.join("moved")).unwrap();
    std::fs::write(w.join("moved/.env"), "x").unwrap();
    let again = roots.look_again();
    assert_eq!(again.repositories(), [w.join("old/.git"), w.join("moved/.git")]);
    assert_eq!((roots.hidden(), again.hidden()), (vec![], vec![w.join("moved/.env")]));
    // By its name even before: for what works in our own process.
    std::fs::write(w.join(".env.local"), "x").unwrap();
    assert!(again.cannot_read(&w.join(".env.local")).is_some() && again.cannot_read(&w.join("a")).is_none());
}
