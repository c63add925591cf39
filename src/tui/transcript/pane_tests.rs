//! Folding, find and focus, by keys.

use ratatui::buffer::Buffer;

use super::super::samples::*;
use super::*;
use crate::tui::testing::{assert_screen, draw};
use crate::tui::theme::Colors;

fn screen(t: &Transcript, width: u16, height: u16) -> Buffer {
    let theme = Theme { colors: Colors::Ansi256, ..Theme::default() };
    draw(width, height, |area, buf| t.view(area, buf, &theme, 0))
}

fn rows(t: &Transcript) -> Vec<String> {
    let buffer = screen(t, 60, 16);
    let row = |y| (0..60).map(|x| buffer[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..16).map(row).collect()
}

fn press(t: &mut Transcript, keys: &[Press]) {
    for key in keys {
        assert_eq!(t.on_key(*key), Outcome::Taken, "{key:?}");
    }
}

fn typed(words: &str) -> Vec<Press> {
    words.chars().map(|c| Press::plain(Code::Char(c))).collect()
}

/// Twelve turns; one output has a word far inside that only shows unfolded.
fn sample() -> Transcript {
    let mut t = transcript();
    for n in 0..12 {
        let hidden = if n == 3 { "the needle is here" } else { "nothing here" };
        let output = format!("first\n2\n3\n4\n5\n{hidden}\n7\n8\n9\nlast\n");
        t.feed(
            &[
                completed(&user(&format!("u{n}"), &format!("Prompt {n}"))),
                completed(&command(ended(running(&format!("c{n}"), &format!("make {n}")), 0, &output, 5))),
                completed(&message(&format!("m{n}"), &format!("Answer number {n} in **words**."))),
            ],
            0,
        );
    }
    rows(&t);
    t
}

#[test]
fn unfolding_keeps_what_one_looks_at() {
    let mut t = sample();
    t.scroll(Scroll::PageUp);
    t.scroll(Scroll::PageUp);
    let before = rows(&t);
    let (row, first) = before
        .iter()
        .enumerate()
        .find(|(_, row)| row.starts_with("• Ran") || row.starts_with("• Answer") || row.starts_with('›'))
        .unwrap();
    t.toggle_fold();
    let unfolded = rows(&t);
    let name = first.trim_start_matches(['•', '›', ' ']).trim_start_matches("Ran ");
    assert!(unfolded[row].contains(name) || row == 0, "{first} was in row {row}: {unfolded:#?}");
    t.toggle_fold();
    assert_eq!(rows(&t), before);
}

#[test]
fn find_shows_what_is_folded_away_and_esc_puts_it_back() {
    let mut t = sample();
    let before = rows(&t);
    t.open_find();
    press(&mut t, &typed("NEEDLE"));
    assert!(t.find_line(60, &Theme::default()).unwrap().to_string().contains("not found"), "capitals count");
    press(&mut t, &[Press::ctrl('u')]);
    press(&mut t, &typed("needle"));
    assert!(rows(&t).iter().any(|row| row.contains("the needle is here")));
    assert_screen!("find_60", screen(&t, 60, 16));
    press(&mut t, &[Press::plain(Code::Esc)]);
    assert_eq!(rows(&t), before);
    assert!(!t.takes_keys());
}

#[test]
fn find_goes_from_place_to_place_and_around() {
    let mut t = sample();
    t.open_find();
    press(&mut t, &typed("answer number"));
    let current = |t: &Transcript| match &t.mode {
        Mode::Finding(finder) => finder.hit().unwrap().key,
        _ => panic!("find is closed"),
    };
    let newest = current(&t);
    let mut seen = vec![newest];
    for _ in 0..11 {
        press(&mut t, &[Press::ctrl('p')]);
        assert!(current(&t) < *seen.last().unwrap());
        seen.push(current(&t));
    }
    press(&mut t, &[Press::ctrl('p')]);
    assert_eq!(current(&t), newest, "around to the newest");
    press(&mut t, &[Press::ctrl('n')]);
    assert_eq!(current(&t), *seen.last().unwrap(), "and around to the oldest");
    press(&mut t, &[Press::plain(Code::Enter)]);
    assert!(rows(&t).iter().any(|row| row.contains("Answer number 0")), "accepted: the view stays");
    assert!(!t.takes_keys());
}

#[test]
fn focus_unfolds_just_one() {
    let mut t = sample();
    t.toggle_focus();
    assert!(t.takes_keys());
    press(&mut t, &[Press::plain(Code::Up), Press::plain(Code::Enter)]);
    assert_screen!("focus_60", screen(&t, 60, 16));
    let all = rows(&t);
    assert!(all.iter().any(|row| row == "$ make 10"), "{all:#?}");
    let mut below = Vec::new();
    while !t.is_at_end() {
        t.scroll(Scroll::Down(1));
        below.extend(rows(&t));
    }
    assert!(below.iter().any(|row| row == "• Ran make 11"), "the others stay folded: {below:#?}");
    assert_eq!(t.on_key(Press::plain(Code::PageUp)), Outcome::Ignored);
    press(&mut t, &[Press::plain(Code::Enter), Press::plain(Code::Down), Press::plain(Code::Esc)]);
    assert!(!t.takes_keys());
}

#[test]
fn a_block_takes_newer_rows_and_is_kept_anew_only_then() {
    let limit = |value: &str| vec![("5h limit".to_owned(), value.to_owned())];
    let mut t = sample();
    t.take_notes();
    let key = t.push(Block::new("Status", limit("data not available yet")));
    assert!(rows(&t).iter().any(|row| row == "  5h limit: data not available yet"));
    t.replace(key, limit("data not available yet"));
    let first = t.take_notes();
    assert_eq!(first.len(), 1, "the same again is not worth a line");
    t.replace(key, limit("58% left"));
    assert!(rows(&t).iter().any(|row| row == "  5h limit: 58% left"));
    let newer = t.take_notes();
    assert_eq!(newer.iter().map(|note| &note.id).collect::<Vec<_>>(), [&first[0].id]);
    assert_eq!(newer[0].rows, limit("58% left"));
}

#[test]
fn the_last_answer_and_its_code_can_be_copied() {
    let mut t = sample();
    t.feed(&[completed(&message("m", "Do:\n\n```sh\nls\n```\n"))], 0);
    t.feed(&[completed(&command(ended(running("c", "ls"), 0, "", 5)))], 0);
    let sources: Vec<_> = t.copy_sources().into_iter().map(|source| (source.label, source.text)).collect();
    assert_eq!(
        sources,
        [
            ("Whole answer".to_owned(), "Do:\n\n```sh\nls\n```\n".to_owned()),
            ("Code 1 · sh · 1 line".to_owned(), "ls\n".to_owned())
        ]
    );
    let export = t.export();
    assert!(export.starts_with("# Conversation\n\n## You\n\nPrompt 0\n\n```\nmake 0\nfirst\n"), "{export}");
}

#[test]
fn typing_ends_the_focus_and_loses_no_letter() {
    let mut t = sample();
    t.toggle_focus();
    let press = |t: &mut Transcript, code| t.on_key(Press::plain(code));
    assert_eq!(press(&mut t, Code::Char('k')), Outcome::Taken, "a key of the list while one looks");
    let word: Vec<Outcome> = "ok, k j".chars().map(|c| press(&mut t, Code::Char(c))).collect();
    assert!(word.iter().all(|outcome| *outcome == Outcome::Ignored), "{word:?}");
    assert_eq!(press(&mut t, Code::Enter), Outcome::Ignored, "it sends");
}
