//! Tests of the event-stream parser: tables, limits, and "any chunking gives the same frames".

use proptest::prelude::*;

use super::*;

fn frames(chunks: &[&[u8]]) -> Vec<String> {
    let mut parser = SseParser::default();
    let mut out = Vec::new();
    for chunk in chunks {
        parser.push(chunk);
        while let Some(frame) = parser.next_frame().unwrap() {
            out.push(frame.into_owned());
        }
    }
    out
}

#[test]
fn table() {
    for (input, want) in [
        ("data: a\n\n", vec!["a"]),
        ("data:a\n\n", vec!["a"]),
        ("data:  a\n\n", vec![" a"]),
        ("data: a\r\n\r\n", vec!["a"]),
        ("data: a\r\r", vec!["a"]),
        ("data: a\r\n\ndata: b\r\r\n", vec!["a", "b"]),
        ("event: x\ndata: a\nid: 1\nretry: 2\n\n", vec!["a"]),
        ("data: a\ndata: b\ndata: c\n\n", vec!["a\nb\nc"]),
        ("data: a\n: comment\ndata: b\n\n", vec!["a\nb"]),
        ("data\n\n", vec![""]),
        ("data:\ndata:\n\n", vec!["\n"]),
        ("\u{feff}data: a\n\n", vec!["a"]),
        ("\u{feff}\u{feff}data: a\n\n", vec![]),
        ("data: a\n\n\u{feff}data: b\n\n", vec!["a"]),
        (": keep alive\n\n\n\ndata: a\n\n", vec!["a"]),
        ("event: nothing\n\ndata: a\n\n", vec!["a"]),
        ("database: a\n\n", vec![]),
        ("data: unfinished\n", vec![]),
        ("data: unfinished", vec![]),
        ("garbage\u{0}\u{1}\n\ndata: a\n\n", vec!["a"]),
        ("data: ü€😀\n\n", vec!["ü€😀"]),
    ] {
        assert_eq!(frames(&[input.as_bytes()]), want, "{input:?}");
        let bytes: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
        assert_eq!(frames(&bytes), want, "byte by byte: {input:?}");
    }
}

#[test]
fn broken_utf8_is_replaced_not_fatal() {
    assert_eq!(frames(&[b"data: a\xff\xc3\n\ndata: b\n\n"]), ["a\u{fffd}\u{fffd}", "b"]);
    assert_eq!(frames(&[b"data: \xc3\ndata: b\n\n"]), ["\u{fffd}\nb"]);
}

#[test]
fn an_endless_line_ends_at_the_limit() {
    let mut parser = SseParser::new(10_000);
    parser.push(b"data: ");
    let mut pushed = 0;
    while parser.next_frame().is_ok() {
        parser.push(&[b'x'; 1000]);
        pushed += 1000;
        assert!(pushed <= 12_000, "the limit did not hold");
    }
    assert_eq!(parser.next_frame(), Err(TooLarge { limit: 10_000 }));
}

#[test]
fn endless_data_lines_end_at_the_limit() {
    let mut parser = SseParser::new(10_000);
    for _ in 0..1100 {
        parser.push(b"data: 123456789\n");
        if parser.next_frame().is_err() {
            return;
        }
    }
    panic!("the limit did not hold");
}

#[test]
fn endless_comments_keep_no_memory() {
    let mut parser = SseParser::new(10_000);
    for _ in 0..10_000 {
        parser.push(b": still here, thinking\n\n");
        assert_eq!(parser.next_frame(), Ok(None));
    }
    assert_eq!(parser.pending_bytes(), 0);
    assert_eq!(parser.lines(), 20_000);
    assert!(parser.buf.capacity() < 1000, "{}", parser.buf.capacity());
}

#[test]
fn a_ten_megabyte_line_in_small_pieces_is_quick() {
    let mut line = b"data: ".to_vec();
    line.resize(10 << 20, b'x');
    line.extend_from_slice(b"\n\n");
    let begin = std::time::Instant::now();
    let mut parser = SseParser::default();
    let mut got = 0;
    for piece in line.chunks(1024) {
        parser.push(piece);
        while let Some(frame) = parser.next_frame().unwrap() {
            got = frame.len();
        }
    }
    assert_eq!(got, (10 << 20) - 6);
    // Searching again from the line's beginning would take minutes in a debug build.
    assert!(begin.elapsed() < std::time::Duration::from_secs(5), "{:?}", begin.elapsed());
    parser.push(b"x");
    assert!(parser.buf.capacity() <= KEEP_CAPACITY, "a large buffer is given back");
}

fn stream() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just("data: ".to_owned()),
        Just("data:".to_owned()),
        Just(": ".to_owned()),
        Just("event: x".to_owned()),
        Just("\n".to_owned()),
        Just("\r".to_owned()),
        Just("\r\n".to_owned()),
        Just("\n\n".to_owned()),
        Just("\u{feff}".to_owned()),
        "[a-zäß€😀{}\":]{0,12}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat().into_bytes())
}

proptest! {
    #[test]
    fn any_chunking_gives_the_same_frames(bytes in stream(), cuts in proptest::collection::vec(0usize..400, 0..20)) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|c| c.min(bytes.len())).collect();
        cuts.push(0);
        cuts.push(bytes.len());
        cuts.sort_unstable();
        let chunks: Vec<&[u8]> = cuts.windows(2).map(|w| &bytes[w[0]..w[1]]).collect();
        prop_assert_eq!(frames(&chunks), frames(&[&bytes]));
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        prop_assert_eq!(frames(&single), frames(&[&bytes]));
    }

    #[test]
    fn data_that_goes_in_comes_out(texts in proptest::collection::vec("[^\r\n]{0,40}", 1..10)) {
        let wire: String = texts.iter().map(|t| format!("event: e\ndata: {t}\n\n")).collect();
        prop_assert_eq!(frames(&[wire.as_bytes()]), texts);
    }
}
