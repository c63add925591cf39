//! What keys and pastes cost when there is much text. Bounds are far above what an optimised build takes: they
//! catch work that grows with the text, not slow machines.

use std::time::{Duration, Instant};

use super::desk::{Desk, key_of};

/// Time of one run.
fn time(what: &str, run: impl FnOnce()) -> Duration {
    let started = Instant::now();
    run();
    let took = started.elapsed();
    println!("{what}: {took:?}");
    took
}

#[test]
fn a_paste_of_ten_megabytes_is_one_token_and_keys_stay_quick() {
    let text = "some line of pasted text, 40 characters.\n".repeat(256_000);
    let mut desk = Desk::new();
    let took = time("paste of 10 MB", || desk.paste(&text));
    assert!(took < Duration::from_secs(30));
    let took = time("100 keys beside it, drawn", || {
        for _ in 0..100 {
            desk.write("x");
            desk.composer.height(80, 24);
        }
    });
    assert!(took < Duration::from_secs(10));
    let draft = desk.composer.take();
    assert_eq!(draft.expand().len(), text.len() + 100);
}

#[test]
fn single_keys_of_a_paste_are_linear() {
    let mut desk = Desk::new();
    let text = "key by key\n".repeat(8_000);
    let took = time("88 KB key by key", || {
        for c in text.chars() {
            desk.now_ms += u64::from(c == '\n');
            let now = desk.now_ms;
            desk.press_now(key_of(c));
            assert_eq!(now, desk.now_ms);
            desk.composer.height(80, 24);
        }
    });
    assert!(took < Duration::from_secs(20));
    assert_eq!(desk.composer.take().expand().len(), text.len() - 1, "the last enter is held");
}

#[test]
fn keys_in_the_longest_text_edited_in_place() {
    let mut desk = Desk::new();
    desk.paste(&"x".repeat(900));
    for _ in 0..70 {
        desk.paste(&"word and ".repeat(100));
    }
    let took = time("20 keys in 64 KB, drawn", || {
        for _ in 0..20 {
            desk.press_now(key_of('x'));
            desk.composer.height(80, 24);
        }
    });
    assert!(took < Duration::from_secs(20));
}
