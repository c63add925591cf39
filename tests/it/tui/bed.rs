//! What the tests start from: the app in a terminal, ready for the first prompt.

use super::terminal::{Options, Terminal};
use crate::support::{Codex, World};

/// Words in the empty prompt.
pub(super) const READY: &str = "What is to be done?";

/// The app as a usual terminal starts it.
pub(super) fn codex(world: &World) -> Codex {
    world.codex().env("TERM", "xterm-256color").env("COLORTERM", "truecolor")
}

/// The app, ready for a prompt.
#[track_caller]
pub(super) fn ready(world: &World) -> Terminal {
    ready_with(codex(world))
}

/// The same, started in another way.
#[track_caller]
pub(super) fn ready_with(codex: Codex) -> Terminal {
    let terminal = Terminal::start(codex);
    terminal.until(READY);
    terminal
}

/// The app in a window of this size, ready for a prompt.
#[track_caller]
pub(super) fn ready_sized(codex: Codex, cols: u16, rows: u16) -> Terminal {
    let terminal = Terminal::with(codex, Options { cols, rows, ..Options::default() });
    terminal.until(READY);
    terminal
}

/// A question hears nothing in its first 300 milliseconds; nobody can have read it.
pub(super) fn be_read() {
    // time itself: the guard counts from the frame that shows the question.
    std::thread::sleep(std::time::Duration::from_millis(400));
}

/// A script: the first request of a turn is answered with `calls` (TOML outputs), the next with `end`.
pub(crate) fn calls_then(calls: &str, end: &str) -> String {
    format!(
        "[[rule]]\nwhen = {{ request = 'title' }}\noutput = [{{ text = 'A title' }}]\n\
         [[rule]]\nname = 'do'\nwhen = {{ round = 0 }}\n{calls}\n[[rule]]\noutput = [{{ text = {} }}]\n",
        serde_json::json!(end)
    )
}

/// A script that answers everything with `text`.
pub(super) fn says(text: &str) -> String {
    format!("[[rule]]\noutput = [{{ text = {} }}]\n", serde_json::json!(text))
}

/// A shell command of the model as TOML.
pub(crate) fn exec(command: &str) -> String {
    format!("[[rule.output]]\nexec = {}\n", serde_json::json!(command))
}

/// How often `text` stands in these rows.
pub(super) fn count(rows: &[String], text: &str) -> usize {
    rows.iter().map(|row| row.matches(text).count()).sum()
}
