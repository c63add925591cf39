//! Rows of text: tables, and that no row is ever too wide and no word ever lost.

use proptest::prelude::*;
use ratatui::style::Stylize as _;

use super::*;
use crate::tui::text::line_width;

fn rows(text: &str, width: u16) -> Vec<String> {
    wrap(&Line::from(text), width, &Line::default(), &Line::default()).iter().map(Line::to_string).collect()
}

#[test]
fn text_breaks_between_words() {
    for (text, width, expected) in [
        ("", 5, &[""][..]),
        ("one two three", 7, &["one two", "three"]),
        ("one two  three", 20, &["one two  three"]),
        ("  one two", 6, &["  one", "two"]),
        ("abcdefgh ij", 4, &["abcd", "efgh", "ij"]),
        ("x abcdefgh", 4, &["x ab", "cdef", "gh"]),
        ("漢字漢字", 5, &["漢字", "漢字"]),
        ("ab漢字，cd", 6, &["ab漢", "字，cd"]),
        ("word ", 4, &["word"]),
        ("a👩\u{200d}👩\u{200d}👧b", 2, &["a", "👩\u{200d}👩\u{200d}👧", "b"]),
        ("漢", 1, &["\u{fffd}"]),
        ("   ", 2, &[""]),
    ] {
        assert_eq!(rows(text, width), expected, "{text:?} at {width}");
    }
}

#[test]
fn indents_and_styles_follow() {
    let line = Line::from(vec!["one ".bold(), "tw".into(), "o three".italic()]);
    let out = wrap(&line, 9, &Line::from("- "), &Line::from("  "));
    assert_eq!(out[0], Line::from(vec!["- ".into(), "one ".bold(), "tw".into(), "o".italic()]));
    assert_eq!(out[1], Line::from(vec!["  ".into(), "three".italic()]));
}

#[test]
fn indents_give_way_when_there_is_no_room() {
    let out = wrap(&Line::from("ab"), 2, &Line::from(">> "), &Line::from(">> "));
    assert_eq!(out, [Line::from("ab")]);
}

#[test]
fn code_keeps_its_spaces() {
    let out = hard_wrap(&Line::from("    a   b"), 4, &Line::default(), &Line::default());
    let texts: Vec<_> = out.iter().map(Line::to_string).collect();
    assert_eq!(texts, ["    ", "a   ", "b"]);
}

proptest! {
    #[test]
    fn no_row_is_too_wide(
        text in "([ a-z漢א\u{301}\u{200d}\u{fe0f}🇩👩ｶﾞ]|\\PC){0,60}",
        width in 1_u16..30,
        indent in 0_usize..6,
    ) {
        let indent = Line::from(" ".repeat(indent));
        for line in wrap(&Line::from(text.clone()), width, &indent, &Line::default()) {
            prop_assert!(line_width(&line) <= usize::from(width), "{line:?}");
        }
        for line in hard_wrap(&Line::from(text), width, &Line::default(), &indent) {
            prop_assert!(line_width(&line) <= usize::from(width), "{line:?}");
        }
    }

    #[test]
    fn no_word_is_lost(text in "[ a-zé漢]{0,60}", width in 2_u16..30) {
        let joined: String = rows(&text, width).concat();
        let bare = |text: &str| text.chars().filter(|c| *c != ' ').collect::<String>();
        prop_assert_eq!(bare(&joined), bare(&text));
    }
}
