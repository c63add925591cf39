//! Tests of `parse`.

use super::*;
use crate::patch::testing::patch;

fn error(text: &str) -> String {
    match parse(text) {
        Ok(patch) => panic!("parsed as {patch:?}"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn errors_name_the_line_and_what_was_received() {
    let begin = "*** Begin Patch\n";
    for (text, want) in [
        (String::new(), "line 1: the first line must be `*** Begin Patch`; the text is empty"),
        ("\n\nhello\n".into(), "line 3: the first line must be `*** Begin Patch` alone; received `hello`"),
        (
            "--- a/x\n+++ b/x\n".into(),
            "line 1: the first line must be `*** Begin Patch` alone; received `--- a/x`",
        ),
        (
            format!("{begin}*** Delete File: a\n"),
            "line 2: the last line must be `*** End Patch`; the patch stops at `*** Delete File: a`",
        ),
        (begin.into(), "line 1: the last line must be `*** End Patch`; the patch stops at `*** Begin Patch`"),
        (patch(""), "the patch is empty"),
        (
            patch("*** Delete File: a\n*** End Patch\nmore\n"),
            "line 4: nothing may follow `*** End Patch`; received `more`",
        ),
        (
            patch("*** Rename File: a\n"),
            "line 2: not a hunk header: `*** Rename File: a`; expected `*** Add File: path`",
        ),
        (patch("*** Delete File: a\n+x\n"), "line 3: not a hunk header: `+x`"),
        (patch("*** Add File: a\n+x\ny\n"), "line 4: not a hunk header: `y`"),
        (patch("*** Add File:  \n+x\n"), "line 2: the path is missing"),
        (patch("*** Delete File: a\0b\n"), "line 2: the path contains a NUL character"),
        (patch("*** Update File: a\n*** Move to:\n"), "line 3: the path is missing"),
        (patch("*** Update File: a\n"), "line 2: this update says neither what to change nor where to move"),
        (patch("*** Update File: a\n@@ f\n"), "line 3: this chunk has no lines"),
        (patch("*** Update File: a\n@@\n*** End of File\n"), "line 3: this chunk has no lines"),
        (patch("*** Update File: a\n x\n!y\n"), "line 4: unexpected line `!y` in an update"),
        (
            patch("*** Environment ID: e\n*** Delete File: a\n"),
            "line 2: `*** Environment ID:` is not accepted",
        ),
    ] {
        let got = error(&text);
        assert!(got.contains(want), "{text:?}\n gave {got}\n want {want}");
    }
    assert!(error(&"x".repeat(1 << 20)).len() < 500, "what was received is quoted in bounds");
}

#[test]
fn what_is_lenient_means_the_same() {
    let plain = patch("*** Update File: a b\n@@ fn f\n x\n-y\n+z\n");
    let want = parse(&plain).unwrap();
    for text in [
        plain.replace('\n', "\r\n"),
        format!("\n\n{plain}\n\n"),
        format!("<<'EOF'\n{plain}EOF\n"),
        format!("<<EOF\n{plain}EOF"),
        format!("<<\"END\"\n{plain}\nEND\n"),
        plain.replace("*** Begin Patch", "  *** Begin Patch  ").replace("*** End Patch", " *** End Patch\t"),
        plain.replace("*** Update File: a b", "*** Update File:   a b  "),
        plain.replace("*** End Patch", "\n*** End Patch").replace("+z\n\n", "+z\n"),
        plain.replace("@@ fn f", "@@ -1,2 +3 @@ fn f"),
    ] {
        let got = parse(&text).unwrap();
        let strip = |p: &Patch<'_>| format!("{:?}", p.hunks[0].action).replace(char::is_numeric, "");
        assert_eq!(strip(&got), strip(&want), "{text:?}");
        assert_eq!(got.hunks[0].path, "a b");
    }
}

fn chunks<'t>(patch: &'t Patch<'t>) -> &'t [Chunk<'t>] {
    match &patch.hunks[0].action {
        Action::Update { chunks, .. } => chunks,
        other => panic!("{other:?}"),
    }
}

#[test]
fn chunks_anchors_and_marks() {
    let text = patch(
        "*** Update File: a\n x\n\n-y\n@@ class A\n@@ def f\n+z\n*** End of File\n@@\n-q\n\\ No newline at end of file\n+r\n",
    );
    let patch = parse(&text).unwrap();
    let [first, second, third] = chunks(&patch) else { panic!() };
    assert_eq!((first.line, first.anchors.len(), first.lines.len()), (3, 0, 3));
    assert_eq!((first.lines[1].kind, first.lines[1].text), (LineKind::Keep, ""));
    assert_eq!(
        (second.line, second.anchors.as_slice(), second.end_of_file),
        (6, ["class A", "def f"].as_slice(), true)
    );
    assert_eq!(third.lines.iter().map(|l| l.no_newline).collect::<Vec<_>>(), [true, false]);
}

#[test]
fn markers_inside_lines_are_lines() {
    let text = patch(
        "*** Update File: a\n *** Update File: b\n+*** End Patch\n-*** Begin Patch\n*** Delete File: c\n",
    );
    let patch = parse(&text).unwrap();
    assert_eq!(chunks(&patch)[0].lines.len(), 3);
    assert_eq!(patch.hunks[1].path, "c");
    assert_eq!(patch.hunks[1].line, 6);
}

#[test]
fn adds_and_moves() {
    let text = patch(
        "*** Add File: a\n+x\n\n+y\n\n*** Add File: e\n*** Update File: m\n*** Move to: n\n\n*** Delete File: d\n",
    );
    let patch = parse(&text).unwrap();
    let Action::Add(lines) = &patch.hunks[0].action else { panic!() };
    assert_eq!(lines.iter().map(|l| l.text).collect::<Vec<_>>(), ["x", "", "y"]);
    assert_eq!(patch.hunks[1].action, Action::Add(vec![]));
    assert_eq!(patch.hunks[2].action, Action::Update { move_to: Some("n"), chunks: vec![] });
    assert_eq!(patch.hunks[3].action, Action::Delete);
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_text_is_read_without_panic(lines in proptest::collection::vec(
        proptest::prop_oneof![
            "[ +\\-@*]{0,3}[a-z é\r]{0,4}",
            proptest::sample::select(vec![
                "*** Begin Patch", "*** End Patch", "*** Add File: a", "*** Update File: b", "*** Delete File: c",
                "*** Move to: d", "*** End of File", "@@", "@@ x", "\\ No newline at end of file", "<<EOF", "EOF",
            ]).prop_map(str::to_owned),
        ], 0..12)) {
        let _ = parse(&lines.join("\n"));
        let _ = parse(&patch(&(lines.join("\n") + "\n")));
    }
}

use proptest::strategy::Strategy as _;
