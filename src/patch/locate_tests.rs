//! Tests of `locate`.

use crate::patch::testing::{change, check};

#[track_caller]
fn check_error(old: &str, body: &str, wants: &[&str]) {
    let got = change(old, body).unwrap_err();
    for want in wants {
        assert!(got.contains(want), "{old:?} with {body:?}\n gave {got}\n want {want}");
    }
}

#[test]
fn passes_from_strict_to_loose() {
    check("a\nb\nc\n", " a\n-b\n+B\n c\n", "a\nB\nc\n");
    check("a\nb  \nc\n", " a\n-b\n+B\n c\n", "a\nB\nc\n");
    check("\ta\n\tb\n", " a\n-b\n+B\n", "\ta\nB\n");
    check("say “a” – b\nx\n", "-say \"a\" - b\n+y\n", "y\nx\n");
    // A stricter match further down wins over a looser one above.
    check("  b\nb\n", "-b\n+B\n", "  b\nB\n");
    // Kept lines stay as the file has them, however loosely they matched.
    check("  if x:  \n    y\n", " if x:\n-y\n+z\n", "  if x:  \nz\n");
}

#[test]
fn the_first_of_several_wins_and_anchors_narrow() {
    let old = "class A\n def f\n  x\nclass B\n def f\n  x\n def g\n  x\n";
    check(old, "-  x\n+  y\n", &old.replacen("  x", "  y", 1));
    check(old, "@@ class B\n-  x\n+  y\n", "class A\n def f\n  x\nclass B\n def f\n  y\n def g\n  x\n");
    check(
        old,
        "@@ class B\n@@  def g\n-  x\n+  y\n",
        "class A\n def f\n  x\nclass B\n def f\n  x\n def g\n  y\n",
    );
    // The anchor repeated as first line.
    check(
        old,
        "@@ class B\n class B\n- def f\n+ def h\n",
        &old.replacen("class B\n def f", "class B\n def h", 1),
    );
}

#[test]
fn insert_only_goes_below_its_anchor_or_to_the_end() {
    check("a\nb\n", "@@ a\n+x\n", "a\nx\nb\n");
    check("a\nb\n", "@@\n+x\n", "a\nb\nx\n");
    check("a\nb\n", "+x\n", "a\nb\nx\n");
    check("a\nb\n", "@@ a\n+x\n*** End of File\n", "a\nb\nx\n");
    check("c\na\nb\na\n", "@@ b\n@@ a\n+x\n", "c\na\nb\na\nx\n");
    check("", "+x\n", "x\n");
    check("a\nb\n", "@@ a\n+x\n@@ a\n+y\n", "a\nx\ny\nb\n");
}

#[test]
fn end_of_file_is_tried_first() {
    check("x\na\nx\n", "-x\n+y\n*** End of File\n", "x\na\ny\n");
    check("x\na\n", "-x\n+y\n*** End of File\n", "y\na\n");
}

#[test]
fn a_blank_last_line_that_is_not_there_is_dropped() {
    check("a\nb\n", " a\n-b\n+c\n\n", "a\nc\n");
    check("a\nb\n", "-b\n-\n+c\n+\n", "a\nc\n");
    check("a\nb\n\nc\n", "-b\n \n", "a\n\nc\n");
}

#[test]
fn chunks_out_of_order_find_their_place() {
    check("a\nb\nc\nd\n", "-d\n+D\n@@\n-a\n+A\n", "A\nb\nc\nD\n");
    check("a\nb\nc\nd\n", "@@ c\n-d\n+D\n@@ a\n-b\n+B\n", "a\nB\nc\nD\n");
    // Identical places are taken one after the other.
    check("x\nx\nx\n", "-x\n+1\n@@\n-x\n+2\n", "1\n2\nx\n");
}

#[test]
fn chunks_may_share_lines_that_stay() {
    check("a\nb\nc\n", "-a\n+A\n b\n@@\n b\n-c\n+C\n", "A\nb\nC\n");
    check("a\nb\n", " a\n+1\n b\n@@\n a\n+2\n b\n", "a\n1\n2\nb\n");
}

#[test]
fn chunks_that_want_the_same_line_are_refused() {
    check_error("a\nb\n", "-a\n+A\n@@\n-a\n+B\n", &["5: ", "already changes them", "chunk at line 3"]);
    check_error("x\nx\n", "-x\n+1\n@@\n-x\n+2\n@@\n-x\n+3\n", &["8: ", "chunk at line 3"]);
    check_error("a\nb\nc\n", "-a\n-b\n-c\n@@\n a\n+x\n b\n", &["already changes them"]);
}

#[test]
fn errors_quote_what_was_looked_for_and_what_is_near() {
    check_error(
        "one\ntwo\nthree\nfour\n",
        " two\n-thre\n+3\n",
        &[
            "3: failed to find expected lines in f:\n  two\n  thre\n",
            "the nearest match begins at line 2:\n  two\n  three\n",
            "first difference at line 3: the file has `three`, the patch `thre`",
        ],
    );
    check_error("alpha beta\n", "-alpha bets\n", &["nearest match begins at line 1", "`alpha beta`"]);
    check_error("a\nb\n", "-zzzzzz\n", &["nothing in the file comes near"]);
    check_error("", "-x\n", &["nothing in the file comes near"]);
    check_error(
        "fn one() {\n}\n",
        "@@ fn one()\n-x\n",
        &["failed to find context `fn one()`", "nearest line is 1: `fn one() {`"],
    );
    check_error("a\nb\n", "@@ a\n@@ c\n-x\n", &["failed to find context `c` below `a` in f from line 2 on"]);
    check_error(
        "b\n",
        "-b\n-c\n",
        &["first difference at line 2: the file has already ended, the patch `c`"],
    );
    check_error("b\na\n", "@@ a\n-b\n", &["above the place where the search began"]);
    let long = "x".repeat(100_000);
    let got = change(&format!("{long}y\n"), &format!("-{long}z\n").repeat(50)).unwrap_err();
    assert!(got.len() < 20_000, "{}", got.len());
}

#[test]
fn a_long_file_with_many_places() {
    let (file, patch) = crate::patch::sample(4_000, 400);
    let body = patch.split_once("long.rs\n").unwrap().1.replace("*** End Patch\n", "");
    let forward = change(&file, &body).unwrap();
    assert_eq!(forward.lines().filter(|line| line.starts_with("    changed_")).count(), 400);
    // Backwards, so that every place is above the one before.
    let mut places: Vec<&str> = body.split("@@\n").skip(1).collect();
    assert_eq!(places.len(), 400);
    places.reverse();
    assert_eq!(change(&file, &format!("@@\n{}", places.join("@@\n"))).unwrap(), forward);
}
