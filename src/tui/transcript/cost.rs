//! What a transcript costs, for people: `cargo test --release --lib transcript::cost -- --ignored --nocapture
//! --test-threads 1`, one at a time for the memory to be true. Not part of the suite: figures belong to a machine.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::samples::*;
use super::{Scroll, Transcript};
use crate::tui::keys::{Code, Key};
use crate::tui::theme::{Colors, Theme};

/// CPU time of this thread in milliseconds.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

/// Private memory of this process in bytes.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

fn measure<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let before = cpu_ms();
    let out = work();
    println!("{name}: {:.2} ms", cpu_ms() - before);
    out
}

fn frame(t: &Transcript) {
    let theme = Theme { colors: Colors::Ansi256, ..Theme::default() };
    let area = Rect::new(0, 0, 100, 40);
    let mut buf = Buffer::empty(area);
    t.view(area, &mut buf, &theme, 0);
}

/// An answer with prose, a list and code.
fn answer(bytes: usize) -> String {
    let unit = "## Part\n\nSome **bold** words and `code` in a sentence that is long enough to wrap at least once, \
                followed by src/main.rs:12 and more.\n\n- first item\n- second item\n\n```rust\nfn main() {\n    let \
                answer = 42; // comment\n}\n```\n\n";
    unit.repeat(bytes / unit.len() + 1)
}

/// Twenty megabytes in commands and answers of about `size` bytes. In a process of its own for the memory to be true.
fn twenty_megabytes(size: usize) {
    let before = memory();
    let mut t = transcript();
    let mut bytes = 0;
    let mut n = 0;
    while bytes < 20_000_000 {
        let text = answer(size / 2);
        let output = "a line of output with some words\n".repeat(size / 66);
        bytes += text.len() + output.len();
        let item = command(ended(running(&format!("c{n}"), "cargo test --workspace"), 0, &output, 5));
        t.feed(&[completed(&item), completed(&message(&format!("m{n}"), &text))], 0);
        n += 1;
    }
    let held = |what: &str| {
        let ratio = (memory() - before) as f64 / bytes as f64;
        println!("{what}: {ratio:.2} times the text is held");
    };
    held(&format!("{} cells of {size} bytes", 2 * n));
    measure("first frame", || frame(&t));
    measure("100 frames, nothing new", || (0..100).for_each(|_| frame(&t)));
    measure("find what is nowhere", || {
        t.open_find();
        for c in "zzq".chars() {
            t.on_key(Key::plain(Code::Char(c)));
        }
        t.on_key(Key::plain(Code::Esc));
    });
    measure("2,000 pages up", || {
        for _ in 0..2_000 {
            t.scroll(Scroll::PageUp);
            frame(&t);
        }
    });
    held("after that");
}

#[test]
#[ignore = "prints figures"]
fn small_cells() {
    twenty_megabytes(400);
}

#[test]
#[ignore = "prints figures"]
fn usual_cells() {
    twenty_megabytes(4_000);
}

#[test]
#[ignore = "prints figures"]
fn large_cells() {
    twenty_megabytes(100_000);
}

#[test]
#[ignore = "prints figures"]
fn streaming() {
    for (name, size, delta) in [("57 KB", 57_000, 16), ("575 KB", 575_000, 64), ("5 MB", 5_000_000, 512)] {
        let whole = answer(size);
        let mut t = transcript();
        t.feed(&[started(&message("m", ""))], 0);
        measure(&format!("{name} in deltas of {delta}, a frame for every eight"), || {
            let mut rest = whole.as_str();
            let mut n = 0;
            while !rest.is_empty() {
                let (head, tail) = rest.split_at(delta.min(rest.len()));
                t.feed(&[text("m", head)], 0);
                rest = tail;
                n += 1;
                if n % 8 == 0 {
                    frame(&t);
                }
            }
            t.feed(&[completed(&message("m", &whole))], 0);
            frame(&t);
        });
    }
}
