//! Diffs on every kind of terminal, and diffs that are none.

use proptest::prelude::*;

use super::*;
use crate::tui::testing::{assert_screen, paper};

const DIFF: &str = "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -8,4 +8,5 @@ fn f\n fn main() {\n-    let a = \"old\";\n\
                    +    let a = \"new\";\n+\tlet b = 2; // a comment that is long enough to wrap at sixty cells\n }\n \n\
                    @@ -120 +121 @@\n-x\n+y\n\\ No newline at end of file\n";

fn theme(colors: Colors) -> Theme {
    Theme { colors, ..Theme::default() }
}

#[test]
fn every_terminal() {
    for colors in [Colors::None, Colors::Ansi16, Colors::Ansi256, Colors::True] {
        for width in [60, 80, 120] {
            let rows = lines(DIFF, Path::new("src/main.rs"), width, None, &theme(colors));
            assert_screen!(format!("{colors:?}_{width}").to_lowercase(), paper(width, &rows));
        }
    }
    let light = Theme { light: true, ..theme(Colors::Ansi256) };
    let rows = lines(DIFF, Path::new("src/main.rs"), 60, None, &light);
    assert_screen!("light_60", paper(60, &rows));
    let rows = lines(DIFF, Path::new("src/main.rs"), 14, None, &theme(Colors::Ansi16));
    assert_screen!("narrow_14", paper(14, &rows));
}

#[test]
fn several_files() {
    let text = format!(
        "diff --git a/src/main.rs b/src/main.rs\nindex 1..2 100644\n{DIFF}diff --git a/b.bin b/b.bin\nnew file mode \
         100644\nBinary files /dev/null and b/b.bin differ\n"
    );
    assert_screen!("git_80", paper(80, &git_lines(&text, 80, &theme(Colors::Ansi256))));
}

fn texts(unified: &str, limit: Option<usize>) -> Vec<String> {
    lines(unified, Path::new("x"), 40, limit, &theme(Colors::Ansi16)).iter().map(Line::to_string).collect()
}

#[test]
fn content_that_looks_like_a_header_is_content() {
    assert_eq!(
        texts("@@ -1,2 +1 @@\n--- a\n-diff --git\n+++ b\n", None),
        [" 1 - -- a", " 2 - diff --git", " 1 + ++ b"]
    );
}

#[test]
fn a_limit_counts_changed_lines() {
    assert_eq!(
        texts("@@ -1,2 +1,5 @@\n a\n+b\n c\n+d\n+e\n", Some(2)),
        [" 1   a", " 2 + b", " 3   c", " 4 + d"]
    );
}

#[test]
fn diffs_without_headers_and_no_diffs_are_shown() {
    assert_eq!(texts("-a\n+b", None), [" 1 - a", " 1 + b"]);
    assert_eq!(texts("", None), [""; 0]);
    assert_eq!(texts("no diff at all", None), ["     no diff at all"]);
    assert_eq!(texts("@@ -1 +1 @@\n+a\rb\u{1b}[2J\r\n", None), [" 1 + a␍b␛[2J"]);
}

proptest! {
    #[test]
    fn nothing_is_too_wide_or_lost(
        body in proptest::collection::vec("[-+ @\\\\]?([a-z\t漢]{0,30}|\\PC{0,9})", 0..12),
        width in 1_u16..60,
    ) {
        let text = body.join("\n");
        for line in lines(&text, Path::new("a.rs"), width, None, &theme(Colors::Ansi256)) {
            prop_assert!(line_width(&line) <= usize::from(width), "{:?}", line);
        }
        for line in git_lines(&format!("@@ -1,3 +1,3 @@\n{text}"), width, &theme(Colors::None)) {
            prop_assert!(line_width(&line) <= usize::from(width), "{:?}", line);
        }
    }
}
