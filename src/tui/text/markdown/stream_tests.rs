//! Markdown on the screen at three widths; pieces, widths and bad input as properties.
#![allow(clippy::string_slice, reason = "tests know where their texts can be cut")]

use proptest::prelude::*;

use super::*;
use crate::tui::testing::{assert_screen, paper};
use crate::tui::text::line_width;
use crate::tui::theme::Colors;

fn theme() -> Theme {
    Theme { colors: Colors::Ansi256, ..Theme::default() }
}

/// Compares the text at 60, 80 and 120 cells.
fn check(name: &str, text: &str) {
    for width in [60, 80, 120] {
        assert_screen!(format!("{name}_{width}"), paper(width, &render(text, width, &theme())));
    }
}

fn texts(text: &str, width: u16) -> Vec<String> {
    render(text, width, &theme()).iter().map(Line::to_string).collect()
}

#[test]
fn prose() {
    check(
        "prose",
        "# Title\n\nSome **bold**, *italic*, ~~gone~~ and `code` in a sentence that is long enough to wrap at every \
         width there is, with a [link](https://example.org/page) and https://example.org/bare too.\nA second line \
         about src/main.rs:12 and ./run.\n\n## Two\nText right below.\n\n> A quote with **weight** that goes on and \
         on until it wraps around at least once at sixty.\n>\n> Second paragraph.\n\n---\n\nEnd<br>of it.",
    );
}

#[test]
fn lists() {
    check(
        "lists",
        "Before:\n- one\n- two with `code` and a text that is so long that it must wrap at sixty cells\n  - nested\n    \
         1. deep\n    2. deeper\n- three\n\n1. first\n1. second\n   ```sh\n   # not a heading\n   ls -la\n   ```\n10. \
         third\n\n- [ ] open task\n- [x] done task\n\n* loose\n\n* items\n\n  with paragraphs",
    );
}

#[test]
fn code_blocks() {
    check(
        "code",
        "Run:\n```rust\nfn main() {\n\tlet answer = 42; // a comment that makes this line much longer than sixty \
         cells\n}\n```\nThen:\n\n```\nplain\n```\n\n~~~python title=\"x\"\nprint(\"hi\")\n~~~\n\n    indented",
    );
}

#[test]
fn tables() {
    check(
        "tables",
        "| Name | Count | Note |\n|:---|---:|:---:|\n| `alpha` | 1 | short |\n| beta 漢字 | 1,234 | a much longer note \
         that has to wrap in narrow terminals |\n| **γ** | | 👩\u{200d}👩\u{200d}👧 family |\n\nAfter.",
    );
}

#[test]
fn wide_characters_keep_columns_straight() {
    check(
        "wide",
        "| a | b |\n|---|---|\n| 漢字 | x |\n| 👩\u{200d}👩\u{200d}👧 | x |\n| e\u{301} | x |\n| שלום | x |\n| 🇩🇪 | x \
         |\n\n- 漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字漢字，漢字漢字漢字漢字漢字漢字漢字漢字\n\
         - مرحبا بالعالم",
    );
}

#[test]
fn narrow_tables_become_blocks() {
    let text =
        "| Name | Count | Note |\n|---|---|---|\n| alpha beta | 1000000 | some words here |\n| b | 2 | c |";
    assert_screen!("narrow_table", paper(18, &render(text, 18, &theme())));
}

#[test]
fn references_are_not_lost() {
    assert_eq!(
        texts("see [docs][1]\n\n[1]: https://example.org", 60),
        ["see [docs][1]", "", "[1]: https://example.org"]
    );
}

#[test]
fn links_show_where_they_lead() {
    assert_eq!(
        texts("[a](https://b.org) [c.org](https://c.org/) <https://d.org>", 60),
        ["a (https://b.org) c.org https://d.org"]
    );
}

#[test]
fn long_tables_repeat_their_header() {
    let text = format!("| n | word |\n|---|---|\n{}", "| 1 | hello |\n".repeat(3_000));
    let lines = texts(&text, 40);
    assert!(lines.iter().filter(|line| *line == "n  word").count() >= 2);
    assert_eq!(lines.iter().filter(|line| line.contains("hello")).count(), 3_000);
}

#[test]
fn rows_are_any_part_of_the_whole() {
    let text = "# a\n\n- b\n- c\n\n```rust\nlet x = 1;\nlet y = 2;\n```\n\n| d |\n|---|\n| e |\n\nend";
    for stop in 0..=text.len() {
        let mut stream = Stream::new();
        stream.push(&text[..stop]);
        let all = stream.rows(0..usize::MAX, 30, &theme());
        assert_eq!(all.len(), stream.height(30, &theme()));
        for from in 0..all.len() {
            for to in from..=all.len() {
                assert_eq!(stream.rows(from..to, 30, &theme()), all[from..to], "{from}..{to} of {stop}");
            }
        }
        let both = [stream.complete(30, &theme()), stream.tail(30, &theme())].concat();
        assert_eq!(both, all);
    }
}

#[test]
fn code_is_coloured_across_its_pieces() {
    let text = format!("```rust\n/* a comment\n{}over */ let x = 1;\n```", "still\n".repeat(200));
    let lines = render(&text, 40, &theme());
    let style = lines[1].spans[1].style;
    assert_ne!(style, ratatui::style::Style::new());
    assert!(lines[1..201].iter().all(|line| line.spans[1].style == style));
}

#[test]
fn without_colour_code_is_still_told_from_prose() {
    let plain = Theme { colors: Colors::None, ..Theme::default() };
    let text = "a\n\n```rust\nlet x = 1;\n```";
    let lines: Vec<_> = render(text, 40, &plain).iter().map(Line::to_string).collect();
    assert_eq!(lines, ["a", "", "┌ rust", "│ let x = 1;"]);
}

/// All rows, part by part; heights checked on the way.
fn by_parts(stream: &Stream, width: u16) -> Vec<Line<'static>> {
    let part = |part| {
        let rows = stream.part(part, width, &theme());
        assert_eq!(rows.len(), stream.part_height(part, width, &theme()));
        rows
    };
    (0..stream.parts()).flat_map(part).collect()
}

#[test]
fn an_incomplete_line_does_not_flicker() {
    let text = "Here:\n- a **bold** word\n\nThen *this*.";
    let mut stream = Stream::new();
    for c in text.chars() {
        stream.push(&c.to_string());
        for line in stream.rows(0..usize::MAX, 40, &theme()) {
            let line = line.to_string();
            assert!(!line.contains('*') && !line.contains('#'), "{line:?} after {:?}", stream.source());
        }
    }
}

#[test]
fn long_texts_come_in_parts() {
    let text = "Some words in a paragraph.\n\n- and\n- items\n\n```rust\nlet x = 1;\n```\n".repeat(500);
    let stream = Stream::whole(&text);
    assert!(stream.parts() > 10);
    assert!((0..stream.parts()).all(|part| stream.part_bytes(part) < 4_096));
    assert_eq!(by_parts(&stream, 60), render(&text, 60, &theme()));
}

/// Lines that models write, bent a little.
fn markdown() -> impl Strategy<Value = String> {
    let mark = "( {0,5}|\t)(- |\\* |1\\. |12\\) |> |> - |#{1,3} |```|```rs|~~~|---|- \\[x\\] |\\| |\\|--\\||<b>|\\[a\\]: )?";
    let words = "([a-z]{0,9} ?|\\*\\*|`|\\||漢字|👩\u{200d}👧|e\u{301}|שלום|\u{1b}\\[31m|\r|\\[x\\]\\(y\\)|<br>|/a/b\\.c|\\PC){0,9}";
    let line = (mark, words).prop_map(|(mark, words)| format!("{mark}{words}"));
    proptest::collection::vec(line, 0..14).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn pieces_give_the_same_rows(text in markdown(), step in 1_usize..12, width in 1_u16..50) {
        let whole = render(&text, width, &theme());
        let mut stream = Stream::new();
        let chars: Vec<char> = text.chars().collect();
        let mut before: Vec<Line<'static>> = Vec::new();
        for piece in chars.chunks(step) {
            stream.push(&piece.iter().collect::<String>());
            let finished = stream.complete(width, &theme());
            prop_assert_eq!(&finished[..before.len()], &before[..], "finished rows changed");
            before = finished;
            let all = stream.rows(0..usize::MAX, width, &theme());
            prop_assert_eq!(all.len(), stream.height(width, &theme()));
            prop_assert_eq!(by_parts(&stream, width), all);
        }
        stream.finish();
        prop_assert_eq!(&by_parts(&stream, width), &whole);
        prop_assert_eq!(stream.rows(0..usize::MAX, width, &theme()), whole);
    }

    #[test]
    fn no_line_is_too_wide(text in markdown(), width in 1_u16..130) {
        for line in render(&text, width, &theme()) {
            prop_assert!(line_width(&line) <= usize::from(width), "{:?}", line);
            prop_assert!(!line.to_string().contains(char::is_control), "{:?}", line);
        }
    }

    #[test]
    fn any_text_is_laid_out(text in any::<String>(), width in 0_u16..40) {
        for line in render(&text, width, &theme()) {
            prop_assert!(line_width(&line) <= usize::from(width.max(1)), "{:?}", line);
        }
    }
}
