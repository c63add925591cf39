//! Bytes and what they mean, whole and cut anywhere.

use super::*;

fn decode(pieces: &[&[u8]]) -> Vec<Input> {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    for piece in pieces {
        decoder.feed(piece, &mut out);
    }
    decoder.flush(&mut out);
    out
}

fn keys(bytes: &[u8]) -> Vec<Key> {
    let out = decode(&[bytes]);
    out.into_iter()
        .map(|input| match input {
            Input::Key(key) => key,
            other => panic!("{other:?}"),
        })
        .collect()
}

fn shift(code: Code) -> Key {
    Key { shift: true, ..Key::plain(code) }
}

#[test]
fn keys_of_all_kinds() {
    let c = |c| Key::plain(Code::Char(c));
    for (bytes, want) in [
        (&b"a"[..], c('a')),
        (b"A", c('A')),
        ("ü".as_bytes(), c('ü')),
        ("漢".as_bytes(), c('漢')),
        (b"\r", Key::plain(Code::Enter)),
        (b"\n", Key::ctrl('j')),
        (b"\t", Key::plain(Code::Tab)),
        (b"\x7f", Key::plain(Code::Backspace)),
        (b"\x08", Key::ctrl('h')),
        (b"\x03", Key::ctrl('c')),
        (b"\x1f", Key::ctrl('_')),
        (b"\x1d", Key::ctrl(']')),
        (b"\x00", Key::ctrl(' ')),
        (b"\x1b", Key::plain(Code::Esc)),
        (b"\x1bb", Key::alt('b')),
        (b"\x1b.", Key::alt('.')),
        (b"\x1b\x7f", Key { alt: true, ..Key::plain(Code::Backspace) }),
        (b"\x1b\r", Key { alt: true, ..Key::plain(Code::Enter) }),
        (b"\x1b[A", Key::plain(Code::Up)),
        (b"\x1bOA", Key::plain(Code::Up)),
        (b"\x1b[1;5D", Key { ctrl: true, ..Key::plain(Code::Left) }),
        (b"\x1b[1;2D", shift(Code::Left)),
        (b"\x1b[3~", Key::plain(Code::Delete)),
        (b"\x1b[3;5~", Key { ctrl: true, ..Key::plain(Code::Delete) }),
        (b"\x1b[5~", Key::plain(Code::PageUp)),
        (b"\x1bOR", Key::plain(Code::F(3))),
        (b"\x1b[13~", Key::plain(Code::F(3))),
        (b"\x1b[12~", Key::plain(Code::F(2))),
        (b"\x1b[24~", Key::plain(Code::F(12))),
        (b"\x1b[Z", Key::plain(Code::BackTab)),
        // the kitty protocol
        (b"\x1b[27u", Key::plain(Code::Esc)),
        (b"\x1b[13;2u", shift(Code::Enter)),
        (b"\x1b[97;5u", Key::ctrl('a')),
        (b"\x1b[45:95;6u", Key::ctrl('_')),
        (b"\x1b[9;2u", Key::plain(Code::BackTab)),
        (b"\x1b[97:65;2u", c('A')),
        (b"\x1b[55;3u", Key::alt('7')),
        // modifyOtherKeys
        (b"\x1b[27;2;13~", shift(Code::Enter)),
        (b"\x1b[27;5;46~", Key::ctrl('.')),
    ] {
        assert_eq!(keys(bytes), [want], "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn escape_and_what_follows() {
    assert_eq!(keys(b"\x1b\x1b[A"), [Key::plain(Code::Esc), Key::plain(Code::Up)]);
    assert_eq!(keys(b"\x1b\x1b"), [Key::plain(Code::Esc), Key::plain(Code::Esc)]);
    assert_eq!(keys(b"\x1b["), [Key::alt('[')]);
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    decoder.feed(b"\x1b", &mut out);
    assert_eq!((decoder.waiting(), out.len()), (Waiting::Escape, 0));
    decoder.feed(b"[", &mut out);
    decoder.feed(b"A", &mut out);
    assert_eq!(out, [Input::Key(Key::plain(Code::Up))]);
    assert_eq!(decoder.waiting(), Waiting::Nothing);
}

#[test]
fn replies_never_become_text() {
    for (bytes, want) in [
        (&b"\x1b]11;rgb:1e1e/1e1e/2e2e\x1b\\"[..], Some(Input::Background([30, 30, 46]))),
        (b"\x1b]10;rgb:ff/ff/ff\x07", Some(Input::Foreground([255; 3]))),
        (b"\x1b]11;#102030\x07", Some(Input::Background([16, 32, 48]))),
        (b"\x1b]11;nonsense\x07", None),
        (b"\x1b[?5u", Some(Input::Kitty)),
        (b"\x1b[?62;4c", Some(Input::Attributes)),
        (b"\x1b[24;80R", None),
        (b"\x1bP>|term 1.0\x1b\\", Some(Input::Name("term 1.0".to_owned()))),
        (b"\x1bP1+r524742\x1b\\", None),
        (b"\x1b[<0;3;4M", None),
        (b"\x1b[<64;3;4M", Some(Input::Wheel(3))),
        (b"\x1b[<65;3;4M", Some(Input::Wheel(-3))),
        (b"\x1b[<64;3;4m", None),
        (b"\x1b[M !!", None),
        (b"\x1b[97;5:3u", None),
        (b"\x1b[57441;2u", None),
        (b"\x1b[?2026;2$y", None),
        (b"\x1b]52;c;aGk=\x07", None),
    ] {
        assert_eq!(decode(&[bytes]), Vec::from_iter(want), "{:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(decode(&[b"\x1b[I\x1b[O"]), [Input::Focus(true), Input::Focus(false)]);
    // A reply that is cut off leaves nothing behind, and the next key is a key.
    assert_eq!(decode(&[b"\x1b]11;rgb:00"]), []);
    assert_eq!(decode(&[b"\x1b[1\x03"]), [Input::Key(Key::ctrl('c'))]);
}

#[test]
fn any_split_of_the_bytes_means_the_same() {
    let bytes: &[u8] =
        "aü\x1b[1;5D\x1b[200~one\n\x1b[31mtwo 漢\x1b[201~b\x1b]11;rgb:00/00/00\x07\x1bf\x1b[27u".as_bytes();
    let whole = decode(&[bytes]);
    assert_eq!(whole.len(), 8);
    assert_eq!(whole[3], Input::Paste("one\n\x1b[31mtwo 漢".to_owned()));
    for at in 1..bytes.len() {
        let (a, b) = bytes.split_at(at);
        assert_eq!(decode(&[a, b]), whole, "split at {at}");
    }
    let single: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(&single), whole);
}

#[test]
fn a_paste_without_an_end_is_not_lost() {
    assert_eq!(decode(&[b"\x1b[200~abc", b"def"]), [Input::Paste("abcdef".to_owned())]);
    assert_eq!(decode(&[b"\x1b[200~a\x1b[20", b"1~b"])[1], Input::Key(Key::plain(Code::Char('b'))));
}

#[test]
fn a_large_paste_is_linear() {
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    decoder.feed(b"\x1b[200~", &mut out);
    for _ in 0..2560 {
        decoder.feed(&[b'x'; 4096], &mut out);
    }
    decoder.feed(b"\x1b[201~", &mut out);
    decoder.flush(&mut out);
    assert!(matches!(out.as_slice(), [Input::Paste(text)] if text.len() == 2560 * 4096));
}

#[test]
fn pasted_text_cannot_end_its_paste() {
    let key = |c| Input::Key(Key::plain(Code::Char(c)));
    let paste = |text: &str| Input::Paste(text.to_owned());
    for (pieces, want) in [
        // Without care a command of the user's shell would be typed and sent here.
        (&[&b"\x1b[200~a\x1b[201~b\r!rm\r\x1b[201~"[..]][..], vec![paste("ab\r!rm\r")]),
        (&[b"\x1b[200~a\x1b[201~", b"b\r!rm\r", b"\x1b[201~"], vec![paste("ab\r!rm\r")]),
        (&[b"\x1b[200~a\x1b[201~!rm\r\x1b[200~b\x1b[201~x"], vec![paste("a!rm\rb"), key('x')]),
        (&[b"\x1b[200~a\x1b[201~x\x1b[200~b"], vec![paste("a"), key('x')]),
        (&[b"\x1b[200~a\x1b[201~\x1b"], vec![paste("a"), Input::Key(Key::plain(Code::Esc))]),
    ] {
        assert_eq!(decode(pieces), want, "{pieces:?}");
    }
    // What follows in a pause is a key.
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    decoder.feed(b"\x1b[200~a\x1b[201~", &mut out);
    assert_eq!((decoder.waiting(), out.len()), (Waiting::Escape, 0));
    decoder.flush(&mut out);
    decoder.feed(b"x", &mut out);
    assert_eq!(out, [paste("a"), key('x')]);
    // Endless input behind an end is not collected for ever.
    let (mut decoder, mut out) = (Decoder::default(), Vec::new());
    decoder.feed(b"\x1b[200~a\x1b[201~", &mut out);
    (0..100).for_each(|_| decoder.feed(&[b'x'; 4096], &mut out));
    assert!(out.len() > 60 * 4096);
}

#[test]
fn the_wheel_is_told_from_fingers() {
    for (bytes, wheel) in [
        (&b"\x1b[A\x1b[A\x1b[A"[..], Some(3)),
        (b"\x1bOB\x1bOB\x1bOB\x1bOB\x1bOB", Some(-5)),
        (b"\x1b[A\x1b[A", None),
        (b"\x1b[A\x1b[B\x1b[A", None),
        (b"aaaa", None),
    ] {
        let plain = decode(&[bytes]);
        let want = wheel.map_or(plain.clone(), |rows| vec![Input::Wheel(rows)]);
        assert_eq!(with_wheel(plain), want, "{:?}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn nonsense_is_dropped() {
    assert_eq!(decode(&[b"\xff\xfe\xc3(a"]).last(), Some(&Input::Key(Key::plain(Code::Char('a')))));
    let mut decoder = Decoder::default();
    let mut out = Vec::new();
    decoder.feed(b"\x1b]0;", &mut out);
    for _ in 0..100 {
        decoder.feed(&[b'y'; 1000], &mut out);
    }
    assert!(decoder.pending.len() <= SEQUENCE_MAX + 1000);
    decoder.feed(b"y\x07q", &mut out);
    assert_eq!(out, [Input::Key(Key::plain(Code::Char('q')))]);
}
