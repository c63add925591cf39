//! Tests of `plan`.

use std::os::unix::fs::{MetadataExt, PermissionsExt};

use super::*;
use crate::patch::testing::Tree;
use crate::protocol::item::ChangeKind;

#[test]
fn add_update_delete_and_report() {
    let tree = Tree::new(&[("m", "a\n"), ("d", "x\n"), ("over", "old\n")]);
    let report = tree
        .apply("*** Delete File: d\n*** Update File: m\n-a\n+b\n*** Add File: n/e/w\n+1\n+2\n*** Add File: over\n+new\n*** Add File: empty\n")
        .unwrap();
    assert_eq!(report, "A n/e/w\nA over\nA empty\nM m\nD d\n");
    assert_eq!(tree.names(), ["empty", "m", "n", "n/e", "n/e/w", "over"]);
    assert_eq!(
        (tree.read("m"), tree.read("n/e/w"), tree.read("over"), tree.read("empty")),
        ("b\n".into(), "1\n2\n".into(), "new\n".into(), String::new())
    );
}

#[test]
fn nothing_is_written_when_any_hunk_fails() {
    let tree = Tree::new(&[("m", "a\n"), ("x", "x\n"), ("dir/f", ""), ("lat", "")]);
    tree.write("lat", b"caf\xe9\n");
    tree.link("loop", "loop");
    let before = tree.all();
    for (hunk, want) in [
        ("*** Update File: x\n-y\n+z\n", "failed to find expected lines in x"),
        (
            "*** Update File: none\n-y\n",
            "failed to read none: No such file or directory (os error 2) (line 4 of the patch)",
        ),
        ("*** Delete File: none\n", "failed to read none: No such file"),
        ("*** Delete File: dir\n", "dir: is not a regular file"),
        ("*** Update File: dir\n-x\n", "dir: is a folder"),
        ("*** Add File: dir\n+x\n", "dir: is a folder"),
        ("*** Add File: dir/\n+x\n", "dir/: names a folder"),
        ("*** Add File: ..\n+x\n", "..: is a folder"),
        ("*** Add File: x/y\n+x\n", "x/y: a part of this path is a file"),
        ("*** Update File: x\n*** Move to: dir\n", "dir: is a folder"),
        (
            "*** Update File: lat\n-x\n",
            "lat: is not UTF-8 text (line 1 of the file); it can be deleted or moved",
        ),
        ("*** Update File: loop\n-x\n", "failed to read loop: too many levels"),
        (
            "*** Add File: n\n+x\n*** Add File: n/m\n+y\n",
            "n/m: would be below n, which line 4 of the patch makes a file",
        ),
        (
            "*** Delete File: x\n*** Delete File: ./x\n",
            "./x: was deleted by line 4 of the patch (line 5 of the patch)",
        ),
        ("*** Delete File: x\n*** Update File: x\n-x\n", "x: was deleted by line 4 of the patch"),
        (
            "*** Update File: x\n*** Move to: y\n*** Update File: x\n-x\n",
            "x: was moved to y by line 4 of the patch",
        ),
    ] {
        let got = tree.apply(&format!("*** Add File: new\n+x\n{hunk}")).unwrap_err();
        assert!(got.contains(want), "{hunk}\n gave {got}\n want {want}");
        assert_eq!(tree.all(), before, "{hunk}");
    }
}

#[test]
fn the_same_path_twice_is_played_in_order() {
    let tree = Tree::new(&[("a", "1\n2\n"), ("d/b", "x\n")]);
    tree.link("l", "a");
    let report = tree.apply("*** Update File: a\n-1\n+one\n*** Update File: ./d/../a\n one\n-2\n+two\n*** Update File: l\n-two\n+deux\n").unwrap();
    assert_eq!((report.as_str(), tree.read("a")), ("M a\n", "one\ndeux\n".into()));

    assert_eq!(tree.apply("*** Add File: n\n+1\n*** Update File: n\n-1\n+2\n").unwrap(), "A n\n");
    assert_eq!(tree.read("n"), "2\n");
    assert_eq!(tree.apply("*** Delete File: n\n*** Add File: n\n+3\n").unwrap(), "A n\n");
    assert_eq!(tree.read("n"), "3\n");
    assert_eq!(tree.apply("*** Update File: n\n-3\n+4\n*** Delete File: n\n").unwrap(), "D n\n");
    assert_eq!(tree.apply("*** Add File: n\n+1\n*** Delete File: n\n").unwrap(), "");
    assert!(!tree.names().contains(&"n".to_owned()));
    // Away and back, on over two places, and a swap.
    assert_eq!(
        tree.apply("*** Update File: a\n*** Move to: t\n*** Update File: t\n*** Move to: u\n-one\n+uno\n")
            .unwrap(),
        "M u\n"
    );
    assert_eq!(tree.read("u"), "uno\ndeux\n");
    tree.apply("*** Update File: u\n*** Move to: t\n*** Update File: d/b\n*** Move to: u\n*** Update File: t\n*** Move to: d/b\n").unwrap();
    assert_eq!((tree.read("u"), tree.read("d/b")), ("x\n".into(), "uno\ndeux\n".into()));
    assert!(!tree.names().contains(&"t".to_owned()));
}

#[test]
fn a_hard_link_changed_under_both_names_is_refused() {
    let tree = Tree::new(&[("a", "1\n2\n")]);
    std::fs::hard_link(tree.root.join("a"), tree.root.join("b")).unwrap();
    let got = tree.apply("*** Update File: a\n-1\n*** Update File: b\n-2\n").unwrap_err();
    assert!(got.contains("b: is another name (hard link) of a, which line 2"), "{got}");
    assert_eq!(tree.read("a"), "1\n2\n");
}

#[test]
fn moves_keep_the_mode_and_never_lose_the_file() {
    let tree = Tree::new(&[("run", "a\n"), ("other", "o\n"), ("d/x", "")]);
    tree.chmod("run", 0o755);
    let mode = |path: &str| std::fs::metadata(tree.root.join(path)).unwrap().permissions().mode() & 0o777;
    // Pure, with a change, over another file, into a folder that is not there.
    assert_eq!(tree.apply("*** Update File: run\n*** Move to: n/e/w\n").unwrap(), "M n/e/w\n");
    assert_eq!((mode("n/e/w"), tree.read("n/e/w")), (0o755, "a\n".into()));
    tree.apply("*** Update File: n/e/w\n*** Move to: other\n-a\n+b\n").unwrap();
    assert_eq!((mode("other"), tree.read("other")), (0o755, "b\n".into()));
    assert_eq!(tree.names(), ["d", "d/x", "n", "n/e", "other"]);
    // Onto itself.
    tree.link("l", "other");
    for to in ["other", "./other", "d/../other", "l"] {
        for (from, body, want) in
            [("other", "", "b\n"), ("other", "-b\n+c\n", "c\n"), ("l", "-c\n+b\n", "b\n")]
        {
            assert_eq!(
                tree.apply(&format!("*** Update File: {from}\n*** Move to: {to}\n{body}")).as_deref(),
                Ok(&*format!("M {from}\n"))
            );
            assert_eq!(
                (tree.read("other").as_str(), tree.read("l").as_str()),
                (want, want),
                "{from} to {to}"
            );
        }
    }
    // Onto its other name.
    std::fs::hard_link(tree.root.join("other"), tree.root.join("twin")).unwrap();
    tree.apply("*** Update File: other\n*** Move to: twin\n").unwrap();
    assert_eq!((tree.read("twin"), tree.names().contains(&"other".to_owned())), ("b\n".into(), false));
}

#[test]
fn links_are_written_through_and_stay() {
    let tree = Tree::new(&[("t/real", "a\n"), ("t/second", "s\n")]);
    tree.link("l", "t/real");
    tree.link("new", "t/made");
    tree.link("dir", "t");
    let is_link = |path: &str| tree.root.join(path).is_symlink();
    tree.apply("*** Update File: l\n-a\n+b\n*** Add File: new\n+n\n*** Update File: dir/second\n-s\n+S\n")
        .unwrap();
    assert_eq!(
        (tree.read("t/real"), tree.read("t/made"), tree.read("t/second")),
        ("b\n".into(), "n\n".into(), "S\n".into())
    );
    assert!(is_link("l") && is_link("new"));
    // What is judged is the real place.
    let plan = tree.plan("*** Update File: l\n-b\n+c\n").unwrap();
    assert_eq!(plan.paths(), [tree.root.join("t/real")]);
    // Deleting and moving concern the link itself.
    tree.apply("*** Delete File: new\n*** Update File: l\n*** Move to: m\n-b\n+c\n").unwrap();
    assert_eq!(
        (tree.read("t/made"), tree.read("m"), tree.read("t/real")),
        ("n\n".into(), "c\n".into(), "c\n".into())
    );
    assert!(is_link("m") && !is_link("l") && !is_link("new"));
    let got = tree.apply("*** Update File: m\n*** Move to: t/m\n").unwrap_err();
    assert!(got.contains("m: is a relative symbolic link"), "{got}");
    // A link that the patch deleted is no longer written through.
    tree.apply("*** Delete File: m\n*** Add File: m\n+own\n").unwrap();
    assert_eq!((tree.read("m"), tree.read("t/real"), is_link("m")), ("own\n".into(), "c\n".into(), false));
}

#[test]
fn a_way_out_is_judged_by_where_it_leads() {
    let tree = Tree::new(&[("work/f", "a\n"), ("outside/x", "x\n")]);
    tree.link("work/out", "../outside");
    let inner = tree.root.join("work");
    let paths = |hunk: &str| {
        let text = crate::patch::testing::patch(hunk);
        plan(&crate::patch::parse(&text).unwrap(), &inner, &crate::patch::Disk).unwrap().paths()
    };
    for hunk in [
        "*** Delete File: ../outside/x\n",
        "*** Delete File: out/x\n",
        "*** Update File: out/../outside/x\n-x\n",
    ] {
        assert_eq!(paths(hunk), [tree.root.join("outside/x")], "{hunk}");
    }
    let both = paths("*** Update File: f\n*** Move to: out/new/g\n");
    assert_eq!(both, [tree.root.join("work/f"), tree.root.join("outside/new/g")]);
}

#[test]
fn files_that_are_no_text_can_go_and_move() {
    let tree = Tree::new(&[]);
    tree.write("a", b"\xff\xfe\0");
    tree.write("b", b"\xff");
    assert_eq!(tree.apply("*** Update File: a\n*** Move to: c\n*** Delete File: b\n").unwrap(), "M c\nD b\n");
    assert_eq!(std::fs::read(tree.root.join("c")).unwrap(), b"\xff\xfe\0");
    assert_eq!(tree.names(), ["c"]);
}

#[test]
fn rights_stay_and_a_patch_that_changes_nothing_writes_nothing() {
    let tree = Tree::new(&[("x", "a\n"), ("same", "a\n")]);
    tree.chmod("x", 0o750);
    let ino = |path: &str| std::fs::metadata(tree.root.join(path)).unwrap().ino();
    let same = ino("same");
    assert!(tree.apply("*** Update File: x\n-a\n+b\n*** Update File: same\n a\n-a\n+a\n").is_err());
    assert_eq!(
        tree.apply("*** Update File: x\n-a\n+b\n*** Update File: same\n-a\n+a\n").unwrap(),
        "M x\nM same\n"
    );
    assert_eq!(ino("same"), same);
    assert_eq!(std::fs::metadata(tree.root.join("x")).unwrap().permissions().mode() & 0o777, 0o750);
    tree.apply("*** Add File: x\n+c\n").unwrap();
    assert_eq!(std::fs::metadata(tree.root.join("x")).unwrap().permissions().mode() & 0o777, 0o750);
}

#[test]
fn what_is_shown() {
    let tree = Tree::new(&[("m", "1\n2\n3\n4\n5\n"), ("d", "gone\n"), ("from", "a\n")]);
    let plan = tree.plan("*** Add File: n\n+x\n*** Delete File: d\n*** Update File: m\n-3\n+three\n*** Update File: from\n*** Move to: to\n-a\n+b\n").unwrap();
    let at = |path: &str| tree.root.join(path);
    let want = [
        (at("n"), ChangeKind::Add, "x\n"),
        (at("d"), ChangeKind::Delete, "gone\n"),
        (at("m"), ChangeKind::Update { move_path: None }, "@@ -1,5 +1,5 @@\n 1\n 2\n-3\n+three\n 4\n 5\n"),
        (at("from"), ChangeKind::Update { move_path: Some(at("to")) }, "@@ -1 +1 @@\n-a\n+b\n"),
    ];
    let got: Vec<_> =
        plan.changes.iter().map(|c| (c.path.clone(), c.kind.clone(), c.diff.as_str())).collect();
    assert_eq!(got, want);
}

#[test]
fn a_file_that_may_not_be_written_is_not_replaced() {
    if rustix::process::geteuid().is_root() {
        return; // root may write everything
    }
    let tree = Tree::new(&[("x", "a\n")]);
    tree.chmod("x", 0o444);
    let before = tree.all();
    assert!(tree.apply("*** Update File: x\n-a\n+b\n").unwrap_err().contains("ermission denied"));
    assert_eq!(tree.all(), before);
}
