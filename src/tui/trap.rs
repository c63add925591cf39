//! Faults on purpose, for the tests of the way out. Only builds for developers have them: pasting one of these words
//! makes the named part of the app fail. A release knows nothing of it.
#![allow(clippy::panic, reason = "to panic is its purpose")]

use std::sync::atomic::{AtomicBool, Ordering};

/// The next frame fails.
static ARMED: AtomicBool = AtomicBool::new(false);

/// Looks at pasted text. True when it was a word of ours and not meant for the prompt.
pub(super) fn pasted(text: &str) -> bool {
    match text {
        "codex-trap:update" => panic!("a fault on purpose in the update"),
        "codex-trap:view" => ARMED.store(true, Ordering::Relaxed),
        _ => return false,
    }
    true
}

/// Stands in the way of a frame.
pub(super) fn drawn() {
    assert!(!ARMED.load(Ordering::Relaxed), "a fault on purpose in the view");
}
