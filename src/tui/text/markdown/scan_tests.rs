//! Where texts are cut, and that the way they arrive does not matter.
#![allow(clippy::string_slice, reason = "tests know where their texts can be cut")]

use proptest::prelude::*;

use super::*;

fn cut(text: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    Scanner::default().end(text, &mut out);
    out
}

/// The pieces of `text`, ends trimmed; a `_` before one that has a gap.
fn pieces(text: &str) -> Vec<String> {
    let piece = |segment: &Segment| {
        let body = text[big(segment.start)..big(segment.end)].trim_end();
        format!("{}{body}", if segment.gap { "_" } else { "" })
    };
    cut(text).iter().map(piece).collect()
}

#[test]
fn texts_are_cut_at_top_level_blocks() {
    for (text, expected) in [
        ("", &[][..]),
        ("one\ntwo\n\nthree", &["one\ntwo", "_three"]),
        ("# head\ntext\n## next", &["# head", "text", "_## next"]),
        ("text:\n- a\n- b\n\n- c", &["text:", "- a", "- b", "_- c"]),
        ("- a\n\n  more\n\ntext", &["- a\n\n  more", "_text"]),
        ("- a\n  - b\n  - c\n- d", &["- a\n  - b\n  - c", "- d"]),
        ("- a\nlazy\n- b", &["- a\nlazy", "- b"]),
        ("text\n2. no list", &["text\n2. no list"]),
        ("title\n---\nx", &["title\n---\nx"]),
        ("> a\n> b\n\n> c", &["> a\n> b", "_> c"]),
        ("a\n\n    code\n\n    more\nb", &["a", "_    code\n\n    more", "b"]),
        ("1. a\n   ```\n   x\n\n   # y\n   ```\n2. b", &["1. a\n   ```\n   x\n\n   # y\n   ```", "2. b"]),
        ("1. a\n  ```\nx\n\n- y\n  ```\nz", &["1. a", "_x\n\n- y", "_z"]),
        ("| a |\n|---|\n| b |\n\nx", &["| a |\n|---|\n| b |", "_x"]),
    ] {
        assert_eq!(pieces(text), expected, "{text:?}");
    }
}

#[test]
fn code_is_a_segment_of_its_own() {
    let text = "a\n```rust\nx\n```\nb";
    let segments = cut(text);
    assert_eq!(segments[1].kind, Kind::Code { block: 2, first: true });
    assert_eq!(&text[big(segments[1].start)..big(segments[1].end)], "x\n");
    assert_eq!(pieces(text), ["a", "_x", "_b"]);
}

#[test]
fn long_code_is_cut_every_so_many_lines() {
    let text = format!("```\n{}```\n", "x\n".repeat(150));
    let firsts: Vec<_> = cut(&text).iter().map(|s| (s.end - s.start, s.gap, s.kind)).collect();
    let code = |first| Kind::Code { block: 0, first };
    assert_eq!(firsts, [(128, false, code(true)), (128, false, code(false)), (44, false, code(false))]);
}

#[test]
fn numbers_go_on_as_the_parser_would_count() {
    let kinds = |text: &str| cut(text).iter().map(|segment| segment.kind).collect::<Vec<_>>();
    assert_eq!(kinds("1. a\n1. b\n1. c"), [Kind::Numbered(1), Kind::Numbered(2), Kind::Numbered(3)]);
    assert_eq!(kinds("4. a\n\n9. b"), [Kind::Numbered(4), Kind::Numbered(5)]);
    assert_eq!(kinds("1. a\n1) b"), [Kind::Numbered(1), Kind::Numbered(1)]);
    assert_eq!(kinds("1. a\n\ntext\n\n2. b"), [Kind::Numbered(1), Kind::Prose, Kind::Numbered(2)]);
}

#[test]
fn endless_blocks_are_cut() {
    let line = "x".repeat(MAX_SEGMENT * 3);
    let words = "word ".repeat(MAX_SEGMENT);
    let rows = format!("| a | b |\n|---|---|\n{}", "| 1 | 2 |\n".repeat(5_000));
    let code = format!("```\n{words}");
    for text in [line, words, rows, code, "> q\n".repeat(20_000), "- a\n\n".repeat(20_000)] {
        let segments = cut(&text);
        assert!(segments.iter().all(|s| big(s.end - s.start) <= 2 * MAX_SEGMENT), "{:.20}", text);
        assert!(segments.iter().skip(1).all(|s| !s.gap || text.starts_with('-')), "{:.20}", text);
    }
}

#[test]
fn rows_of_a_long_table_know_their_header() {
    let text = format!("| a | b |\n|---|---|\n{}", "| 1 | 2 |\n".repeat(5_000));
    let segments = cut(&text);
    assert!(segments.len() > 2);
    assert!(segments.iter().skip(1).all(|s| s.kind == Kind::Rows { head: 0, end: 20 }));
}

proptest! {
    #[test]
    fn arrival_does_not_matter(
        lines in proptest::collection::vec("( {0,5}|\t)(- |1\\. |> |#+ |```|~~~|\\||---)?[a-z|]{0,4}", 0..12),
        step in 1_usize..9,
    ) {
        let text = lines.join("\n");
        let mut machine = Scanner::default();
        let mut out = Vec::new();
        let mut at = 0;
        while at < text.len() {
            at = text.floor_char_boundary((at + step).max(text.ceil_char_boundary(at + 1)));
            machine.advance(&text[..at], &mut out);
        }
        machine.end(&text, &mut out);
        prop_assert_eq!(&out, &cut(&text));
        prop_assert!(out.windows(2).all(|pair| pair[0].end <= pair[1].start));
    }
}
