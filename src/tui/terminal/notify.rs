//! Words for a user who looks elsewhere: OSC 9 where the terminal shows it, a bell otherwise.

use crate::tui::text;

/// Longest message, in cells.
const MAX: usize = 120;

/// The bytes that tell.
pub(crate) fn bytes(words: &str, osc9: bool) -> Vec<u8> {
    if !osc9 {
        return vec![0x07];
    }
    let clean: String = text::sanitize(words).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // A number and a semicolon at the start would be another command of the same family.
    format!("\x1b]9;codex: {}\x07", text::truncate_end(&clean, MAX)).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_the_words_is_obeyed() {
        assert_eq!(bytes("done", false), b"\x07");
        assert_eq!(bytes("done\nnow", true), b"\x1b]9;codex: done now\x07");
        let bytes = bytes("a\u{1b}]52;c;x\u{7}b", true);
        assert_eq!(bytes.iter().filter(|byte| matches!(byte, 0x07 | 0x1b)).count(), 2);
    }
}
