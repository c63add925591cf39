//! Tests of `commit`.

use super::*;
use crate::patch::testing::Tree;
use crate::patch::undo::{recover, recover_gated};

/// One of everything: created (in a new folder), replaced, deleted, moved, moved over another, link deleted.
const HUNKS: &str = "*** Add File: n/e/w\n+new\n*** Update File: m\n-m\n+M\n*** Delete File: d\n\
    *** Update File: from\n*** Move to: n/to\n*** Update File: x\n*** Move to: y\n-x\n+X\n*** Delete File: l\n";

fn tree() -> Tree {
    let tree = Tree::new(&[
        ("m", "m\n"),
        ("d", "d\n"),
        ("from", "f\n"),
        ("x", "x\n"),
        ("y", "y\n"),
        ("sub/s", "s\n"),
    ]);
    tree.link("l", "m");
    tree.chmod("m", 0o640);
    tree
}

fn journals(dir: &tempfile::TempDir) -> usize {
    std::fs::read_dir(dir.path()).unwrap().count()
}

/// A gate that stops the `at`-th change of the disk and every later one while `lasting`.
fn gate(at: usize, stop: fn() -> Stop, lasting: bool) -> impl FnMut() -> Result<(), Stop> {
    let mut count = 0;
    move || {
        count += 1;
        if count == at || (lasting && count > at) { Err(stop()) } else { Ok(()) }
    }
}

fn disk_full() -> Stop {
    Stop::Io(io::Error::from_raw_os_error(libc::ENOSPC))
}

#[test]
fn everything_is_written_and_nothing_else_is_left() {
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    commit(&tree.plan(HUNKS).unwrap(), Some(dir.path())).unwrap();
    assert_eq!(tree.names(), ["m", "n", "n/e", "n/e/w", "n/to", "sub", "sub/s", "y"]);
    assert_eq!(
        (tree.read("m"), tree.read("n/to"), tree.read("y")),
        ("M\n".into(), "f\n".into(), "X\n".into())
    );
    assert_eq!(tree.all()["m"].0 & 0o777, 0o640);
    assert_eq!(journals(&dir), 0);
}

#[test]
fn a_failure_at_any_step_leaves_everything_as_it_was() {
    let mut steps = 0;
    loop {
        let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
        let before = tree.all();
        let plan = tree.plan(HUNKS).unwrap();
        match commit_gated(&plan, Some(dir.path()), &mut gate(steps + 1, disk_full, false)) {
            Ok(_) if tree.names().contains(&"n".to_owned()) => break,
            Ok(_) => panic!("nothing was written at step {steps}"),
            Err(error) => assert!(matches!(error, Error::Write { .. }), "{error}"),
        }
        assert_eq!(tree.all(), before, "step {steps}");
        assert_eq!(journals(&dir), 0, "step {steps}");
        steps += 1;
    }
    assert!(steps > 15, "only {steps} steps were tried");
}

#[test]
fn a_crash_at_any_step_is_taken_back_by_the_next_start() {
    let mut steps = 0;
    loop {
        let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
        let before = tree.all();
        let plan = tree.plan(HUNKS).unwrap();
        let done = commit_gated(&plan, Some(dir.path()), &mut gate(steps + 1, || Stop::Crash, true)).is_ok();
        let crashed = tree.all();
        let recovered = recover(dir.path());
        if done && recovered.is_empty() {
            break;
        }
        assert!(recovered.iter().all(|r| r.problems.is_empty()), "step {steps}: {recovered:?}");
        assert_eq!(journals(&dir), 0, "step {steps}");
        if done {
            // Cut off while clearing up: the patch stays written.
            assert!(recovered.iter().all(|r| !r.undone));
            assert_eq!(tree.names(), ["m", "n", "n/e", "n/e/w", "n/to", "sub", "sub/s", "y"], "step {steps}");
        } else {
            assert_eq!(tree.all(), before, "step {steps}, crashed as {:?}", crashed.keys());
        }
        steps += 1;
    }
    assert!(steps > 15, "only {steps} steps were tried");
}

#[test]
fn a_crash_while_taking_back_is_taken_back_too() {
    for failed in [20, 24, 28] {
        for steps in 1..60 {
            let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
            let before = tree.all();
            let plan = tree.plan(HUNKS).unwrap();
            let _ = commit_gated(&plan, Some(dir.path()), &mut gate(failed, || Stop::Crash, true));
            recover_gated(dir.path(), &mut gate(steps, || Stop::Crash, true));
            recover(dir.path());
            let now = tree.all();
            if now.contains_key("n") {
                break; // the patch had been written completely
            }
            assert_eq!(now, before, "crash at {failed}, then at {steps}");
            assert_eq!(journals(&dir), 0);
        }
    }
}

#[test]
fn when_taking_back_fails_the_journal_stays_and_the_next_start_does_it() {
    let mut stuck = 0;
    for at in 1..40 {
        let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
        let before = tree.all();
        let plan = tree.plan(HUNKS).unwrap();
        if let Err(Error::Stuck { left, .. }) =
            commit_gated(&plan, Some(dir.path()), &mut gate(at, disk_full, true))
        {
            stuck += 1;
            assert!(!left.is_empty());
            assert_eq!(journals(&dir), 1);
            let recovered = recover(dir.path());
            assert!(recovered.len() == 1 && recovered[0].undone && recovered[0].problems.is_empty());
            assert_eq!(tree.all(), before, "failed at {at}");
        }
    }
    assert!(stuck > 5, "only {stuck} places got stuck");
}

#[test]
fn what_others_wrote_is_never_overwritten() {
    // Between planning and writing.
    let (tree, dir) = (tree(), tempfile::tempdir().unwrap());
    let plan = tree.plan(HUNKS).unwrap();
    tree.write("m", b"mine\n");
    let before = tree.all();
    assert!(matches!(commit(&plan, Some(dir.path())), Err(Error::Changed { .. })));
    let plan = tree.plan("*** Add File: new\n+x\n").unwrap();
    tree.write("new", b"mine\n");
    assert!(matches!(commit(&plan, Some(dir.path())), Err(Error::Changed { .. })));
    assert_eq!(tree.read("new"), "mine\n");
    assert_eq!(tree.read("m"), "mine\n");
    drop(before);

    // Between a crash and the next start.
    let tree = self::tree();
    let plan =
        tree.plan("*** Update File: m\n-m\n+M\n*** Update File: x\n-x\n+X\n*** Add File: z\n+z\n").unwrap();
    let mut at = 1;
    while tree.read("x") == "x\n" || !tree.root.join("z").exists() {
        recover(dir.path());
        let _ = commit_gated(&plan, Some(dir.path()), &mut gate(at, || Stop::Crash, true));
        at += 1;
    }
    tree.write("x", b"mine\n");
    tree.write("z", b"mine too\n");
    let recovered = recover(dir.path());
    assert_eq!(recovered[0].problems.len(), 2, "{recovered:?}");
    assert_eq!(
        (tree.read("m"), tree.read("x"), tree.read("z")),
        ("m\n".into(), "mine\n".into(), "mine too\n".into())
    );
    let old = tree.names().into_iter().find(|name| name.ends_with(".old")).unwrap();
    assert_eq!(tree.read(&old), "x\n");
    assert_eq!(journals(&dir), 0);
}

#[test]
fn a_folder_swapped_for_a_link_is_not_followed() {
    let tree = Tree::new(&[("w/d/f", "f\n"), ("out/f", "f\n")]);
    for hunks in ["*** Update File: w/d/f\n-f\n+F\n", "*** Add File: w/d/g\n+g\n", "*** Delete File: w/d/f\n"]
    {
        let plan = tree.plan(hunks).unwrap();
        std::fs::rename(tree.root.join("w/d"), tree.root.join("w/real")).unwrap();
        tree.link("w/d", "../out");
        let before = tree.all();
        assert!(commit(&plan, None).is_err(), "{hunks}");
        assert_eq!(tree.all(), before);
        std::fs::remove_file(tree.root.join("w/d")).unwrap();
        std::fs::rename(tree.root.join("w/real"), tree.root.join("w/d")).unwrap();
    }
}

#[test]
fn without_a_place_for_the_journal_it_is_written_and_said() {
    let tree = tree();
    tree.write("file", b"");
    let plan = tree.plan(HUNKS).unwrap();
    let committed = commit(&plan, Some(&tree.root.join("file/journals"))).unwrap();
    assert!(committed.unguarded.is_some_and(|text| text.contains("journal")));
    assert_eq!(tree.read("m"), "M\n");
}

#[test]
fn attributes_of_the_user_stay() {
    let tree = Tree::new(&[("m", "m\n")]);
    let path = tree.root.join("m");
    if rustix::fs::setxattr(&path, "user.codex", b"v", rustix::fs::XattrFlags::empty()).is_err() {
        return; // this file system has none
    }
    commit(&tree.plan("*** Update File: m\n-m\n+M\n").unwrap(), None).unwrap();
    let mut value = [0u8; 8];
    assert_eq!(rustix::fs::getxattr(&path, "user.codex", &mut value[..]).unwrap(), 1);
}

#[test]
fn a_thousand_files() {
    let (tree, dir) = (Tree::new(&[]), tempfile::tempdir().unwrap());
    let hunks: String = (0..1000).map(|i| format!("*** Add File: d{}/f{i}\n+{i}\n", i % 50)).collect();
    commit(&tree.plan(&hunks).unwrap(), Some(dir.path())).unwrap();
    assert_eq!(tree.names().len(), 1050);
    assert_eq!(tree.read("d49/f999"), "999\n");
}
