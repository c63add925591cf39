//! Every editing action as a table: text with `|` for the cursor before and after.

use super::*;

/// An editor with `text`, the cursor at `|`.
fn area(text: &str) -> TextArea {
    let mut area = TextArea::default();
    area.insert(&text.replace('|', ""));
    area.undo.clear();
    area.move_to(text.find('|').unwrap());
    area.layout(10);
    area
}

fn shown(area: &TextArea) -> String {
    format!("{}|{}", head(&area.text, area.cursor), tail(&area.text, area.cursor))
}

#[test]
fn every_action() {
    use Action::*;
    for (given, actions, want) in [
        ("a|b", vec![MoveLeft], "|ab"),
        ("a|b", vec![MoveRight, MoveRight], "ab|"),
        ("👩‍👩‍👧|", vec![MoveLeft], "|👩‍👩‍👧"),
        ("one two|", vec![WordLeft], "one |two"),
        ("|one two", vec![WordRight, WordRight], "one two|"),
        ("ab\nc|d\nef", vec![LineStart], "ab\n|cd\nef"),
        ("ab\nc|d\nef", vec![LineEnd], "ab\ncd|\nef"),
        ("ab\nc|d", vec![TextStart], "|ab\ncd"),
        ("a|b\ncd", vec![TextEnd], "ab\ncd|"),
        ("e\u{301}|x", vec![DeleteBack], "|x"),
        ("|日本", vec![DeleteForward], "|本"),
        ("|", vec![DeleteBack, DeleteForward], "|"),
        ("one two.three|", vec![CutWordLeft], "one two.|"),
        ("one two.three|", vec![CutBlankLeft], "one |"),
        ("|one two", vec![CutWordRight], "| two"),
        ("ab c|d", vec![CutLineStart], "|d"),
        ("x\n|ab", vec![CutLineStart], "x|ab"),
        ("a|b\nc", vec![CutLineEnd], "a|\nc"),
        ("a|\nc", vec![CutLineEnd], "a|c"),
        // Cuts in a row are one entry, in reading order, whichever way they went.
        ("one two |three four", vec![CutWordLeft, CutWordRight, TextEnd, Yank], "one  fourtwo three|"),
        ("a b c|", vec![CutBlankLeft, MoveLeft, CutBlankLeft, Yank], "a b| "),
        ("a b c|", vec![CutBlankLeft, MoveLeft, CutBlankLeft, Yank, YankOlder], "a c| "),
        ("ab|", vec![YankOlder], "ab|"),
        ("ab|", vec![DeleteBack, DeleteBack, Undo], "ab|"),
        ("ab|", vec![DeleteBack, MoveLeft, DeleteForward, Undo], "|a"),
        ("ab|", vec![CutLineStart, Undo, Redo], "|"),
        ("ab|", vec![Undo, Redo], "ab|"),
    ] {
        let mut area = area(given);
        for action in &actions {
            area.apply(*action);
        }
        assert_eq!(shown(&area), want, "{given:?} {actions:?}");
    }
}

#[test]
fn up_and_down_keep_the_column() {
    let mut area = area("abcdef\nab\nabcd|ef");
    let steps = [(Action::MoveUp, "abcdef\nab|\nabcdef"), (Action::MoveUp, "abcd|ef\nab\nabcdef")];
    for (action, want) in steps {
        assert!(area.apply(action));
        assert_eq!(shown(&area), want);
    }
    assert!(!area.apply(Action::MoveUp), "the first row is the end");
    area.apply(Action::MoveDown);
    area.apply(Action::MoveDown);
    assert_eq!(shown(&area), "abcdef\nab\nabcd|ef");
    assert!(!area.apply(Action::MoveDown));
}

#[test]
fn rows_of_one_long_line_are_rows() {
    let mut area = area("one two three four|");
    area.layout(8);
    area.apply(Action::MoveUp);
    assert_eq!(shown(&area), "one two thre|e four");
}

#[test]
fn typing_is_undone_by_words() {
    let mut area = TextArea::default();
    "two words".chars().for_each(|c| area.type_char(c));
    area.apply(Action::Undo);
    assert_eq!(shown(&area), "two |");
    area.apply(Action::Undo);
    assert_eq!(shown(&area), "|");
    area.apply(Action::Redo);
    area.apply(Action::Redo);
    assert_eq!(shown(&area), "two words|");
    // An edit after an undo ends the way forward.
    area.apply(Action::Undo);
    area.type_char('x');
    area.apply(Action::Redo);
    assert_eq!(shown(&area), "two x|");
}

#[test]
fn undo_is_bounded_and_keeps_the_newest() {
    let mut area = TextArea::default();
    for n in 0..2000 {
        area.insert(&format!("{n} "));
    }
    let full = area.text.clone();
    area.apply(Action::Undo);
    assert!(full.starts_with(&area.text) && area.text.ends_with("1998 "));
    for _ in 0..3000 {
        area.apply(Action::Undo);
    }
    assert!(!area.text.is_empty(), "500 steps are kept");
}

#[test]
fn a_token_is_deleted_and_brought_back_as_one() {
    let mut area = area("a|b");
    let element = Element::Paste { text: "long".into(), chars: 4 };
    area.insert_element(element);
    assert_eq!(area.elements.expand(&area.text), "alongb");
    area.apply(Action::DeleteBack);
    assert_eq!(shown(&area), "a|b");
    area.apply(Action::Undo);
    assert_eq!(area.elements.expand(&area.text), "alongb");
    area.apply(Action::CutBlankLeft);
    area.apply(Action::Yank);
    assert_eq!(area.elements.expand(&area.text), "alongb");
}

#[test]
fn a_cut_token_survives_sending_as_text() {
    let mut area = area("|");
    area.insert_element(Element::Paste { text: "long".into(), chars: 4 });
    area.apply(Action::CutBlankLeft);
    area.reset();
    area.apply(Action::Yank);
    assert_eq!(area.text(), "long");
}
