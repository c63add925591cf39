//! What the model is told about a command, within its budget. Pure: text in, text out. The budget is counted in
//! tokens of four bytes; what is too long loses its middle, on character boundaries, with exact counts.

use std::time::Duration;

use crate::process::output::Chunk;
use crate::process::spill::SpillFile;

/// Bytes per token, the usual estimate.
const TOKEN_BYTES: u64 = 4;

/// Whether a command lives on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It ended with this code.
    Exited(i32),
    /// It goes on as this session.
    Running(u32),
}

/// Everything there is to tell about one call.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// Wall time of the call.
    pub(super) wall: Duration,
    /// Whether the command lives on.
    pub(super) state: State,
    /// The output the model has not seen.
    pub(super) chunk: Chunk,
    /// Budget in tokens.
    pub(super) tokens: u64,
    /// The complete output, when it was kept in a file.
    pub(super) file: Option<SpillFile>,
    /// Sentences of ours, after the output.
    pub(super) notes: Vec<String>,
}

/// Tokens of a number of bytes, rounded up.
fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(TOKEN_BYTES)
}

/// Whether the text does not fit the budget, so that a complete copy is worth keeping.
pub(super) fn exceeds(chunk: &Chunk, budget: u64) -> bool {
    chunk.omitted > 0 || chunk.text.len() as u64 > budget.saturating_mul(TOKEN_BYTES)
}

/// Result of `exec_command` and `write_stdin`. `chunk_id` is any short mark that tells results apart.
pub(super) fn exec_text(told: &Told, chunk_id: &str) -> String {
    let state = match told.state {
        State::Exited(code) => format!("Process exited with code {code}"),
        State::Running(id) => format!("Process running with session ID {id}"),
    };
    format!(
        "Chunk ID: {chunk_id}\nWall time: {:.4} seconds\n{state}\nOriginal token count: {}\nOutput:\n{}",
        told.wall.as_secs_f64(),
        tokens(told.chunk.bytes),
        body(told),
    )
}

/// Result of the older shell tools as plain text.
pub(super) fn plain_text(told: &Told, code: i32) -> String {
    format!("Exit code: {code}\nWall time: {:.1} seconds\nOutput:\n{}", told.wall.as_secs_f64(), body(told))
}

/// Result of the older shell tools as JSON.
pub(super) fn json_text(told: &Told, code: i32) -> String {
    let seconds = (told.wall.as_secs_f64() * 10.0).round() / 10.0;
    let metadata = serde_json::json!({ "exit_code": code, "duration_seconds": seconds });
    serde_json::json!({ "output": body(told), "metadata": metadata }).to_string()
}

/// Result of a command that the user stopped.
pub(super) fn aborted_text(told: &Told) -> String {
    let wall = told.wall.as_secs_f64();
    format!("aborted by user\nWall time: {wall:.4} seconds\nOutput:\n{}", body(told))
}

/// The output within the budget, then the notes.
fn body(told: &Told) -> String {
    let mut text = within(&told.chunk, told.tokens, told.file.as_ref());
    for note in &told.notes {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(note);
        text.push('\n');
    }
    text
}

/// The chunk's text, cut in the middle when it is too long.
pub(super) fn within(chunk: &Chunk, budget: u64, file: Option<&SpillFile>) -> String {
    if !exceeds(chunk, budget) {
        return chunk.text.clone();
    }
    let count = tokens(chunk.bytes);
    let mut text = format!("Warning: truncated output (original token count: {count})\n");
    text.push_str(&format!("Total output lines: {}\n", chunk.lines));
    match file {
        Some(SpillFile { path, first: None }) => {
            text.push_str(&format!("Full output: {}\n", path.display()));
        }
        Some(SpillFile { path, first: Some(bytes) }) => {
            text.push_str(&format!("Full output (its first {bytes} bytes): {}\n", path.display()));
        }
        None => text.push_str("Full output: not kept (no file could be written)\n"),
    }
    text.push('\n');
    let bytes = usize::try_from(budget.saturating_mul(TOKEN_BYTES)).unwrap_or(usize::MAX);
    if chunk.text.len() <= bytes {
        text.push_str(&chunk.text);
        return text;
    }
    let (head, tail) = ends(&chunk.text, bytes);
    let removed = (chunk.text.len() - head.len() - tail.len()) as u64 + chunk.omitted;
    text.push_str(head);
    text.push_str(&format!("…{} tokens truncated…", tokens(removed)));
    text.push_str(tail);
    text
}

/// The first and the last half of `bytes`, without splitting characters. `text` is longer than `bytes`.
fn ends(text: &str, bytes: usize) -> (&str, &str) {
    let half = bytes / 2;
    let head = text.floor_char_boundary(half);
    let tail = text.ceil_char_boundary(text.len() - (bytes - half));
    let first = text.get(..head).unwrap_or_default();
    (first, text.get(tail.max(head)..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;

    fn told(text: &str, tokens: u64) -> Told {
        let lines = text.lines().count() as u64;
        let chunk = Chunk { text: text.to_owned(), bytes: text.len() as u64, lines, omitted: 0 };
        let file = Some(SpillFile { path: PathBuf::from("/o/c.txt"), first: None });
        Told {
            wall: Duration::from_millis(231),
            state: State::Exited(3),
            chunk,
            tokens,
            file,
            notes: Vec::new(),
        }
    }

    #[test]
    fn results_have_the_known_form() {
        let mut told = told("hi\nerr\n", 100);
        assert_eq!(
            exec_text(&told, "d1fc1d"),
            "Chunk ID: d1fc1d\nWall time: 0.2310 seconds\nProcess exited with code 3\n\
             Original token count: 2\nOutput:\nhi\nerr\n"
        );
        told.state = State::Running(1001);
        assert!(exec_text(&told, "x").contains("\nProcess running with session ID 1001\n"));
        assert_eq!(plain_text(&told, 3), "Exit code: 3\nWall time: 0.2 seconds\nOutput:\nhi\nerr\n");
        let json: serde_json::Value = serde_json::from_str(&json_text(&told, 3)).unwrap();
        assert_eq!(json["metadata"]["exit_code"], 3);
        assert_eq!(json["output"], "hi\nerr\n");
        told.notes = vec!["a note".into()];
        assert!(aborted_text(&told).ends_with("\nOutput:\nhi\nerr\na note\n"));
    }

    #[test]
    fn cut_is_in_the_middle_and_counts_are_exact() {
        let text = "0123456789".repeat(10) + "\nend";
        let got = plain_text(&told(&text, 5), 0);
        let (_, body) = got.split_once("Output:\n").unwrap();
        assert_eq!(
            body,
            "Warning: truncated output (original token count: 26)\nTotal output lines: 2\n\
             Full output: /o/c.txt\n\n0123456789…21 tokens truncated…456789\nend"
        );
    }

    #[test]
    fn cut_never_splits_a_character_and_fits_every_budget() {
        let text = "aß€😀".repeat(50);
        for budget in 0..130 {
            let told = told(&text, budget);
            let bytes = (budget * 4) as usize;
            if bytes >= text.len() {
                assert_eq!(within(&told.chunk, budget, None), text);
                continue;
            }
            let (head, tail) = ends(&text, bytes);
            assert!(head.len() + tail.len() <= bytes && head.len() + tail.len() + 7 > bytes, "{budget}");
            assert!(text.starts_with(head) && text.ends_with(tail));
        }
    }

    #[test]
    fn what_memory_lost_is_told_even_when_the_rest_fits() {
        let mut told = told("start\n... 99 bytes omitted ...\nend", 1000);
        told.chunk.omitted = 99;
        told.file = Some(SpillFile { path: PathBuf::from("/o/c.txt"), first: Some(50) });
        let got = within(&told.chunk, told.tokens, told.file.as_ref());
        assert!(got.starts_with("Warning: truncated output"));
        assert!(got.contains("(its first 50 bytes): /o/c.txt\n\nstart\n... 99"));
    }
}
