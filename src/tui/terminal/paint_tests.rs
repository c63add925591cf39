//! Tests of `paint`.

use ratatui::layout::Rect;
use ratatui::style::{Style, Stylize as _};
use ratatui::text::Line;

use super::*;

/// A screen of these lines.
fn screen(width: u16, lines: &[&str]) -> Buffer {
    let mut buffer = Buffer::empty(Rect::new(0, 0, width, lines.len() as u16));
    for (y, line) in (0..).zip(lines) {
        buffer.set_string(0, y, line, Style::new());
    }
    buffer
}

/// What a terminal shows after the bytes of all steps.
fn replay(steps: &[Buffer]) -> (vt100::Parser, Vec<usize>) {
    let area = steps[0].area;
    let (height, width) = (area.height.try_into().unwrap(), area.width.try_into().unwrap());
    let mut terminal = vt100::Parser::new(height, width, 0);
    let mut shown = Buffer::empty(area);
    let mut sizes = Vec::new();
    for wanted in steps {
        let mut out = Vec::new();
        update(&mut shown, wanted, &mut out);
        terminal.process(&out);
        sizes.push(out.len());
        assert_eq!(shown, *wanted);
    }
    (terminal, sizes)
}

#[test]
fn the_terminal_shows_what_was_wanted() {
    let last = ["ein 漢字 Text", "👩‍👩‍👧 family", "", "e\u{301} combining", "x"];
    let steps = [
        screen(16, &["one", "two", "three", "four", "five"]),
        screen(16, &["two", "three", "four", "five", "six"]),
        screen(16, &["zero", "two", "three", "four", "five"]),
        screen(16, &last),
    ];
    let (terminal, _) = replay(&steps);
    for (y, line) in last.into_iter().enumerate().filter(|(y, _)| *y != 1) {
        let row: String = terminal.screen().rows(0, 16).nth(y).unwrap();
        assert_eq!(row.trim_end(), line);
    }
    // This terminal draws joined emoji one by one; what follows stands in its column all the same.
    assert_eq!(terminal.screen().cell(1, 3).unwrap().contents(), "f");
}

#[test]
fn nothing_changed_writes_nothing() {
    let one = screen(10, &["a", "b"]);
    let (_, sizes) = replay(&[one.clone(), one]);
    assert_eq!(sizes[1], 0);
}

#[test]
fn rows_that_moved_are_not_written_again() {
    let text: Vec<String> = (0..40).map(|n| format!("line {n} with quite some words in it")).collect();
    let view = |from: usize| -> Buffer {
        let mut lines: Vec<&str> = text[from..from + 20].iter().map(String::as_str).collect();
        lines.push("prompt");
        screen(60, &lines)
    };
    let steps: Vec<Buffer> = [0, 1, 3, 2, 7].map(view).into();
    let (terminal, sizes) = replay(&steps);
    assert!(sizes[0] > 600 && sizes[1] < 60 && sizes[2] < 100 && sizes[3] < 60, "{sizes:?}");
    assert_eq!(terminal.screen().rows(0, 60).nth(20).unwrap(), "prompt");
    assert_eq!(terminal.screen().rows(0, 60).next().unwrap(), text[7]);
}

#[test]
fn styles_and_links_begin_and_end() {
    let mut buffer = Buffer::empty(Rect::new(0, 0, 20, 1));
    let link = links::mark(Style::new().underlined(), "https://example.org/p");
    let line =
        Line::from(vec!["a".bold().red(), "b".bold(), "c".into(), ratatui::text::Span::styled("here", link)]);
    buffer.set_line(0, 0, &line, 20);
    let mut out = Vec::new();
    update(&mut Buffer::empty(buffer.area), &buffer, &mut out);
    let text = String::from_utf8(out).unwrap();
    assert!(text.starts_with("\x1b[1;1H\x1b[1;31ma\x1b[39mb\x1b[0mc\x1b]8;id="), "{text:?}");
    assert!(text.ends_with(";https://example.org/p\x1b\\\x1b[4mhere\x1b]8;;\x1b\\\x1b[0m"), "{text:?}");
    let mut line = Vec::new();
    row(&buffer, 0, &mut line);
    assert_eq!(String::from_utf8(line).unwrap(), text.replace("\x1b[1;1H", ""));
}

#[test]
fn every_colour_has_its_number() {
    for (fg, want) in [
        (Color::Black, "30"),
        (Color::Gray, "37"),
        (Color::DarkGray, "90"),
        (Color::White, "97"),
        (Color::Indexed(200), "38;5;200"),
        (Color::Rgb(1, 2, 3), "38;2;1;2;3"),
    ] {
        let mut out = Vec::new();
        color(&mut out, 0, fg, 30);
        assert_eq!(String::from_utf8(out).unwrap(), want);
    }
}

proptest::proptest! {
    /// Whatever moves where: the terminal ends up with the wanted rows.
    #[test]
    fn any_two_screens(a in proptest::collection::vec(0..6_u8, 12), b in proptest::collection::vec(0..6_u8, 12)) {
        let words = ["", "alpha", "beta", "gamma ray", "delta", "epsilon"];
        let lines = |ids: &[u8]| -> Vec<&str> { ids.iter().map(|id| words[usize::from(*id)]).collect() };
        let (terminal, _) = replay(&[screen(12, &lines(&a)), screen(12, &lines(&b))]);
        let rows: Vec<String> = terminal.screen().rows(0, 12).map(|row| row.trim_end().to_owned()).collect();
        proptest::prop_assert_eq!(rows, lines(&b));
    }
}
