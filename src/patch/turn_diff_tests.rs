//! Tests of `turn_diff`.

use super::*;
use crate::patch::commit::commit;
use crate::patch::testing::Tree;

fn play(tree: &Tree, diff: &mut TurnDiff, hunks: &str) -> String {
    let plan = tree.plan(hunks).unwrap();
    commit(&plan, None).unwrap();
    diff.record(&plan.touched);
    diff.render(&tree.root)
}

#[test]
fn the_baseline_is_before_the_first_patch() {
    let tree = Tree::new(&[("a", "1\n2\n"), ("d", "x\n")]);
    let mut diff = TurnDiff::default();
    let first = play(&tree, &mut diff, "*** Update File: a\n-1\n+one\n");
    assert_eq!(first, "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-1\n+one\n 2\n");
    let second = play(&tree, &mut diff, "*** Update File: a\n-2\n+two\n");
    assert_eq!(second, "diff --git a/a b/a\n--- a/a\n+++ b/a\n@@ -1,2 +1,2 @@\n-1\n-2\n+one\n+two\n");
    let moved = play(&tree, &mut diff, "*** Update File: a\n*** Move to: b\n");
    assert!(
        moved.starts_with("diff --git a/a b/b\nrename from a\nrename to b\n--- a/a\n+++ b/b\n@@"),
        "{moved}"
    );
    let back = play(&tree, &mut diff, "*** Update File: b\n*** Move to: a\n-one\n-two\n+1\n+2\n");
    assert_eq!(back, "");
}

#[test]
fn added_deleted_and_outside() {
    let tree = Tree::new(&[("d", "x\n"), ("w/run", "r\n")]);
    tree.chmod("w/run", 0o755);
    tree.write("bin", b"\xff");
    let mut diff = TurnDiff::default();
    let added = play(&tree, &mut diff, "*** Add File: n\n+1\n");
    assert_eq!(
        added,
        "diff --git a/n b/n\nnew file mode 100644\n--- /dev/null\n+++ b/n\n@@ -0,0 +1 @@\n+1\n"
    );
    let gone = play(&tree, &mut diff, "*** Delete File: n\n");
    assert_eq!(gone, "");
    let deleted = play(&tree, &mut diff, "*** Delete File: w/run\n");
    assert_eq!(
        deleted,
        "diff --git a/w/run b/w/run\ndeleted file mode 100755\n--- a/w/run\n+++ /dev/null\n@@ -1 +0,0 @@\n-r\n"
    );
    let binary = play(&tree, &mut diff, "*** Delete File: bin\n");
    assert!(binary.contains("Binary files a/bin and /dev/null differ\n"), "{binary}");
    let outside = diff.render(Path::new("/elsewhere"));
    assert!(outside.contains("--- a/tmp/") || !tree.root.starts_with("/tmp"), "{outside}");
    assert!(!outside.contains("a//"));
}

#[test]
fn sizes_count_lines_and_not_headers() {
    let diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -1,2 +1,3 @@\n same\n--- gone\n+++ come\n+more\n\
                diff --git a/y b/y\nBinary files a/y and b/y differ\n";
    let expected = crate::protocol::turn::Changed { files: 2, added: 2, removed: 1 };
    assert_eq!(super::size(diff), expected);
    assert_eq!(super::size(""), Default::default());
}
