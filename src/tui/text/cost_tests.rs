//! What text costs, for people: `cargo test --release --lib text::cost -- --ignored --nocapture`. CPU time of this
//! thread, so that other load does not matter. Not part of the suite: figures belong to a machine.
#![allow(clippy::string_slice, reason = "tests know where their texts can be cut")]

use super::markdown::Stream;
use super::{diff, highlight};
use crate::tui::theme::{Colors, Theme};

fn theme() -> Theme {
    Theme { colors: Colors::Ansi256, ..Theme::default() }
}

/// CPU time of this thread in milliseconds.
fn cpu_ms() -> f64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e6
}

fn measure<T>(name: &str, work: impl FnOnce() -> T) -> T {
    let before = cpu_ms();
    let out = work();
    println!("{name}: {:.2} ms", cpu_ms() - before);
    out
}

/// Prose, lists, a table and code, as answers have them.
fn markdown(bytes: usize) -> String {
    let unit = "## Part of an answer\n\nSome **bold** words, `code` and a [link](https://example.org/page) in a \
                sentence that is long enough to wrap, followed by src/main.rs:12 and more words to fill it up.\n\n\
                - first item with words\n- second item with **more** words\n  - nested item\n\n```rust\nfn main() \
                {\n    let answer = 42; // comment\n    for line in text.lines() {\n        println!(\"{line}\");\n    \
                }\n}\n```\n\n| Name | Count | Note |\n|---|---:|---|\n| alpha | 1 | short |\n| beta | 2 | longer note \
                |\n\nA last paragraph with a few more words in it, as they come.\n\n";
    unit.repeat(bytes / unit.len() + 1)
}

/// Streams `text` in deltas and draws the last 30 rows after every `per_frame` of them.
fn stream(text: &str, delta: usize, per_frame: usize) -> usize {
    let theme = theme();
    let mut stream = Stream::new();
    let mut drawn = 0;
    let mut at = 0;
    for frame in 1.. {
        let end = text.floor_char_boundary((at + delta).min(text.len()));
        stream.push(&text[at..end]);
        at = end;
        if frame % per_frame == 0 || at == text.len() {
            let height = stream.height(100, &theme);
            drawn += stream.rows(height.saturating_sub(30)..height, 100, &theme).len();
        }
        if at == text.len() {
            break;
        }
    }
    stream.finish();
    drawn + stream.height(100, &theme)
}

#[test]
#[ignore = "prints figures"]
fn figures() {
    let code = "fn f(x: u32) -> Option<u32> { x.checked_add(1) } // words\n";
    measure("first 30 lines of rust", || highlight::lines(&code.repeat(30), "rust", &theme()));
    measure("next 30 lines of rust", || highlight::lines(&code.repeat(30), "rust", &theme()));
    measure("first 30 lines of python", || {
        highlight::lines(&"def f(x): return x + 1\n".repeat(30), "py", &theme())
    });
    measure("1,000 lines of rust", || highlight::lines(&code.repeat(1_000), "rust", &theme()));
    let small = markdown(57 * 1024);
    measure("57 KB, 12 bytes a delta, a frame every 8", || stream(&small, 12, 8));
    measure("57 KB, 12 bytes a delta, a frame every one", || stream(&small, 12, 1));
    let middle = markdown(575 * 1024);
    measure("575 KB, 120 bytes a delta, a frame every 8", || stream(&middle, 120, 8));
    let large = markdown(5 << 20);
    measure("5 MB, 4 KB a delta, a frame every one", || stream(&large, 4096, 1));
    measure("5 MB, 100 bytes a delta, a frame every 50", || stream(&large, 100, 50));
    let whole = measure("5 MB at once, height", || {
        let whole = Stream::whole(&large);
        whole.height(100, &theme());
        whole
    });
    measure("5 MB at another width", || whole.height(80, &theme()));
    measure("a screen in its middle", || whole.rows(50_000..50_040, 80, &theme()));
    measure("the same again", || whole.rows(50_000..50_040, 80, &theme()));
    let line = "word ".repeat(200_000);
    measure("1 MB without a line feed, a frame every 5 KB", || stream(&line, 5_000, 1));
    let chinese = "这是一个很长的段落，里面没有空格，只有标点符号。\n\n".repeat(15_000);
    measure("1 MB of Chinese at once", || Stream::whole(&chinese).height(100, &theme()));
    let list = "- an item with some words and `code`\n".repeat(28_000);
    measure("1 MB of one list, a frame every 1 KB", || stream(&list, 1_000, 1));
    let table = format!("| a | b |\n|---|---|\n{}", "| some words | **more** words |\n".repeat(32_000));
    measure("1 MB of one table, a frame every 4 KB", || stream(&table, 4_096, 1));
    let block = format!("```rust\n{}", code.repeat(20_000));
    measure("1 MB of one code block, a frame every 1 KB", || stream(&block, 1_000, 1));
    let change = format!("@@ -1,0 +1,500 @@\n{}", format!("+{code}").repeat(500));
    measure("500 changed lines", || diff::lines(&change, std::path::Path::new("a.rs"), 100, None, &theme()));
}
