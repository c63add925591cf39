//! The view: what stays where, and what a frame costs.

use std::collections::HashSet;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::super::samples::*;
use super::super::{Scroll, Transcript};
use crate::threads::Turn;
use crate::tui::testing::{assert_screen, draw};
use crate::tui::theme::{Colors, Theme};

fn theme() -> Theme {
    Theme { colors: Colors::Ansi256, ..Theme::default() }
}

fn screen(t: &Transcript, width: u16, height: u16) -> Buffer {
    let theme = theme();
    draw(width, height, |area, buf| t.view(area, buf, &theme, 0))
}

fn rows(t: &Transcript, width: u16, height: u16) -> Vec<String> {
    let buffer = screen(t, width, height);
    let row = |y| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect()
}

/// `turns` turns of a prompt, a command and an answer of ten paragraphs.
fn long(turns: usize) -> Transcript {
    let mut t = transcript();
    for n in 0..turns {
        let answer: String =
            (0..10).map(|p| format!("Answer {n}, paragraph {p}: {}\n\n", "words ".repeat(20))).collect();
        let make = ended(
            running(&format!("c{n}"), &format!("make {n}")),
            0,
            "one\ntwo\nthree\nfour\nfive\nsix\n",
            5,
        );
        t.feed(
            &[
                completed(&user(&format!("u{n}"), &format!("Prompt {n}"))),
                completed(&command(make)),
                completed(&message(&format!("m{n}"), &answer)),
            ],
            0,
        );
    }
    t
}

#[test]
fn it_follows_the_end_until_one_scrolls() {
    let mut t = long(3);
    assert!(rows(&t, 60, 20).last().unwrap().contains("words"));
    assert!(t.is_at_end());
    t.scroll(Scroll::PageUp);
    assert!(!t.is_at_end());
    let before = rows(&t, 60, 20);
    t.feed(&[completed(&message("new", "A new answer"))], 0);
    assert_eq!(rows(&t, 60, 20), before, "new output does not move the view");
    t.scroll(Scroll::End);
    assert_eq!(rows(&t, 60, 20).last().unwrap(), "• A new answer");
}

#[test]
fn pages_overlap_and_lead_back() {
    let mut t = long(3);
    let end = rows(&t, 60, 20);
    let mut seen = HashSet::new();
    for _ in 0..50 {
        seen.extend(rows(&t, 60, 20));
        t.scroll(Scroll::PageUp);
    }
    assert!(t.is_at_start());
    for n in 0..3 {
        assert!(seen.contains(&format!("• Ran make {n}")), "{n}");
    }
    for _ in 0..50 {
        t.scroll(Scroll::PageDown);
    }
    assert!(t.is_at_end());
    assert_eq!(rows(&t, 60, 20), end);
    t.scroll(Scroll::Up(1));
    t.scroll(Scroll::Down(1));
    assert!(t.is_at_end());
}

#[test]
fn another_width_keeps_the_text_on_top() {
    let mut t = long(4);
    let top = |t: &Transcript, width| rows(t, width, 20)[1].clone();
    rows(&t, 80, 20);
    t.scroll(Scroll::PageUp);
    t.scroll(Scroll::PageUp);
    let before = top(&t, 80);
    let paragraph = |row: &str| row.split(':').next().unwrap_or_default().to_owned();
    for width in [60, 100, 43, 120] {
        rows(&t, width, 20);
    }
    let after = top(&t, 80);
    assert_eq!(paragraph(&before), paragraph(&after), "from {before:?} to {after:?}");
}

#[test]
fn a_short_transcript_asks_for_no_more_than_it_has() {
    let mut t = transcript();
    t.feed(&[completed(&message("m", "hello"))], 0);
    assert_eq!(t.rows_wanted(60, 30, &theme(), 0), 4);
    assert_eq!(t.rows_wanted(60, 3, &theme(), 0), 3);
    assert_eq!(long(50).rows_wanted(60, 30, &theme(), 0), 30);
    rows(&t, 60, 30);
    t.scroll(Scroll::PageUp);
    assert!(t.is_at_end(), "there is nothing to scroll to");
}

#[test]
fn earlier_turns_come_in_front_without_moving_the_view() {
    let mut t = long(2);
    rows(&t, 60, 20);
    t.scroll(Scroll::PageUp);
    let before = rows(&t, 60, 20);
    let past = Turn::done(vec![user("old", "An old prompt"), message("oldm", "An old answer")]);
    t.replay_before(&[past]);
    assert_eq!(rows(&t, 60, 20), before);
    t.scroll(Scroll::Start);
    assert!(rows(&t, 60, 20).iter().any(|row| row == "› An old prompt"));
}

#[test]
fn a_frame_lays_out_only_what_is_on_the_screen() {
    let mut t = transcript();
    for n in 0..100_000 {
        let item = ended(running(&format!("c{n}"), &format!("echo {n}")), 0, "x\n", 1);
        t.feed(&[completed(&command(item))], 0);
    }
    rows(&t, 80, 30);
    assert!(t.laid_out() <= 12, "the first frame laid out {} pieces", t.laid_out());
    let before = t.laid_out();
    for _ in 0..10 {
        rows(&t, 80, 30);
    }
    assert_eq!(t.laid_out(), before, "nothing changed: nothing is laid out");
    t.feed(&[completed(&message("m", "hello"))], 0);
    rows(&t, 80, 30);
    assert!(t.laid_out() <= before + 2, "one new cell is laid out");
    t.scroll(Scroll::Start);
    rows(&t, 80, 30);
    assert!(t.laid_out() <= before + 30, "{} pieces", t.laid_out() - before);
    t.scroll(Scroll::End);
    let before = t.laid_out();
    t.toggle_fold();
    rows(&t, 80, 30);
    assert!(t.laid_out() <= before + 30);
}

#[test]
fn an_answer_that_streams_costs_its_open_end() {
    let mut t = transcript();
    let paragraph = format!("{}\n\n", "words ".repeat(30));
    t.feed(&[started(&message("m", ""))], 0);
    for _ in 0..2_000 {
        t.feed(&[text("m", &paragraph)], 0);
    }
    rows(&t, 80, 30);
    let before = t.laid_out();
    for _ in 0..100 {
        t.feed(&[text("m", "more words ")], 0);
        rows(&t, 80, 30);
    }
    assert!(t.laid_out() <= before + 220, "{} pieces in 100 frames", t.laid_out() - before);
}

#[test]
fn screens() {
    let mut t = long(2);
    for width in [60, 80, 120] {
        t.scroll(Scroll::End);
        assert_screen!(format!("end_{width}"), screen(&t, width, 24));
        t.scroll(Scroll::PageUp);
        assert_screen!(format!("scrolled_{width}"), screen(&t, width, 24));
        t.scroll(Scroll::Start);
        assert_screen!(format!("start_{width}"), screen(&t, width, 24));
    }
}

#[test]
fn absurd_sizes_are_drawn() {
    let mut t = long(2);
    for (width, height) in [(1, 1), (2, 1), (1, 5), (3, 3), (10, 2), (0, 5), (5, 0), (300, 100)] {
        let theme = theme();
        let area = Rect::new(0, 0, width, height);
        let mut buf = Buffer::empty(area);
        t.view(area, &mut buf, &theme, 0);
        for scroll in [Scroll::PageUp, Scroll::Up(1), Scroll::PageDown, Scroll::Start, Scroll::End] {
            t.scroll(scroll);
            t.view(area, &mut buf, &theme, 0);
        }
    }
}
