//! Bytes from the terminal → keys, pastes and replies. A decoder of our own, because answers of the terminal to
//! our queries may come late, split, or not at all, and must never turn into typed text; and because it needs no
//! thread. Pure: what is incomplete waits inside, and [`Decoder::flush`] ends the wait.

use super::sequence::{self, Sequence};
use crate::tui::keys::{Code, Key};

/// Longest control sequence that is collected; the rest of a longer one is dropped.
const SEQUENCE_MAX: usize = 4096;
/// Longest paste that is collected, in bytes; what goes beyond is dropped.
const PASTE_MAX: usize = 64 * 1024 * 1024;
/// Ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";

/// One thing that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A key.
    Key(Key),
    /// Text put in as a whole.
    Paste(String),
    /// The window got (true) or lost the focus.
    Focus(bool),
    /// The text colour, as 8-bit parts.
    Foreground([u8; 3]),
    /// The background colour, as 8-bit parts.
    Background([u8; 3]),
    /// The terminal speaks the kitty keyboard protocol.
    Kitty,
    /// The terminal told what it is: the last reply to our queries.
    Attributes,
}

/// For what an incomplete input waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Nothing is incomplete.
    Nothing,
    /// An escape that may be a key of its own: a few milliseconds decide.
    Escape,
    /// A paste without an end.
    Paste,
}

/// Collects bytes until they mean something.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    pending: Vec<u8>,
    paste: Option<Vec<u8>>,
    /// Bytes of the paste that are known not to hold the end.
    searched: usize,
    /// A string that is too long is passed over up to its end.
    dropping: bool,
}

impl Decoder {
    /// Takes bytes as they were read; appends what they mean to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        let mut rest = bytes;
        while !rest.is_empty() || (!self.pending.is_empty() && self.paste.is_none()) {
            if self.paste.is_some() {
                rest = self.feed_paste(rest, out);
                continue;
            }
            rest = self.drop_string(rest);
            self.pending.extend_from_slice(rest);
            rest = &[];
            let pending = std::mem::take(&mut self.pending);
            let used = self.decode(&pending, out);
            let left = pending.get(used..).unwrap_or_default();
            if self.paste.is_some() {
                // What follows the start of a paste belongs to it, whatever it looks like.
                let left = left.to_vec();
                let more = self.feed_paste(&left, out).to_vec();
                self.pending = more;
                continue;
            }
            self.pending = left.to_vec();
            if self.pending.len() > SEQUENCE_MAX {
                self.dropping = true;
                self.pending.clear();
            }
            return;
        }
    }

    /// For what the decoder waits.
    pub(crate) fn waiting(&self) -> Waiting {
        match (&self.paste, self.pending.is_empty()) {
            (Some(_), _) => Waiting::Paste,
            (None, false) => Waiting::Escape,
            (None, true) => Waiting::Nothing,
        }
    }

    /// Ends the wait: a lone escape is a key, a paste without an end is what came of it.
    pub(crate) fn flush(&mut self, out: &mut Vec<Input>) {
        if let Some(paste) = self.paste.take() {
            self.searched = 0;
            out.push(Input::Paste(text(&paste)));
            return;
        }
        let pending = std::mem::take(&mut self.pending);
        match pending.as_slice() {
            [] => {}
            [0x1b] => out.push(Input::Key(Key::plain(Code::Esc))),
            [0x1b, c @ (b'[' | b'O' | b'P' | b']' | b'_' | b'^' | b'X')] => {
                out.push(Input::Key(Key::alt(char::from(*c))));
            }
            // Cut short: not text, and nothing that could be obeyed.
            _ => {}
        }
    }

    /// Passes over a string that is too long; returns what follows it.
    fn drop_string<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        if !self.dropping {
            return bytes;
        }
        let Some(end) = bytes.iter().position(|byte| matches!(byte, 0x07 | 0x1b)) else { return &[] };
        self.dropping = false;
        let after = bytes.get(end..).unwrap_or_default();
        after.strip_prefix(b"\x07").or_else(|| after.strip_prefix(b"\x1b\\")).unwrap_or(after)
    }

    /// Decodes as much as is complete; returns how many bytes that were.
    fn decode(&mut self, bytes: &[u8], out: &mut Vec<Input>) -> usize {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            match sequence::next(rest) {
                None => break,
                Some((used, sequence)) => {
                    at += used;
                    match sequence {
                        Sequence::Input(input) => out.push(input),
                        Sequence::PasteStart => {
                            self.paste = Some(Vec::new());
                            self.searched = 0;
                            break;
                        }
                        Sequence::Nothing => {}
                    }
                }
            }
        }
        at
    }

    /// Adds to the paste; returns what follows its end.
    fn feed_paste<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<Input>) -> &'a [u8] {
        let Some(paste) = &mut self.paste else { return bytes };
        let before = paste.len();
        paste.extend_from_slice(bytes);
        let from = self.searched;
        let found = paste.get(from..).and_then(|tail| memchr::memmem::find(tail, PASTE_END));
        let Some(end) = found.map(|at| from + at) else {
            // The end may be cut in two by the read.
            self.searched = paste.len().saturating_sub(PASTE_END.len() - 1);
            if paste.len() > PASTE_MAX {
                let tail = paste.split_off(self.searched);
                paste.truncate(PASTE_MAX);
                self.searched = paste.len();
                paste.extend_from_slice(&tail);
            }
            return &[];
        };
        let whole = paste.get(..end.min(PASTE_MAX)).unwrap_or_default();
        out.push(Input::Paste(text(whole)));
        self.paste = None;
        self.searched = 0;
        bytes.get(end + PASTE_END.len() - before..).unwrap_or_default()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
