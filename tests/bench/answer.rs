//! An answer on its way in: 5 MB of text, in pieces of different sizes, arriving in chunks like those of a socket.

use codex::bench::{answer_to_lines, decode_stream, ingest, stream};
use divan::Bencher;
use divan::counter::BytesCount;

const BYTES: usize = 5_000_000;
const CHUNK: usize = 8192;

/// Pieces of one word, of a few words, of a paragraph.
const PIECES: [usize; 3] = [10, 100, 1000];

#[divan::bench(args = PIECES, sample_count = 20)]
fn sse_decode(bencher: Bencher, piece: usize) {
    let stream = stream(BYTES / piece, piece);
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| {
        assert_eq!(decode_stream(&stream, CHUNK).count(), BYTES / piece + 4);
    });
}

/// One event of ten megabytes: a search that began anew with every chunk would take minutes.
#[divan::bench(sample_count = 20)]
fn sse_long_line(bencher: Bencher) {
    let stream = stream(1, 10 << 20);
    bencher.counter(BytesCount::new(stream.len())).bench_local(|| {
        assert_eq!(decode_stream(&stream, CHUNK).count(), 5);
    });
}

#[divan::bench(args = PIECES, sample_count = 20)]
fn ingest_events(bencher: Bencher, piece: usize) {
    let stream = stream(BYTES / piece, piece);
    bencher
        .counter(BytesCount::new(BYTES))
        .with_inputs(|| decode_stream(&stream, CHUNK))
        .bench_local_values(|events| assert_eq!(ingest(events), 1));
}

#[divan::bench(args = PIECES, sample_count = 20)]
fn bytes_to_lines(bencher: Bencher, piece: usize) {
    let stream = stream(BYTES / piece, piece);
    bencher.counter(BytesCount::new(BYTES)).bench_local(|| assert!(answer_to_lines(&stream, CHUNK) > BYTES));
}
