//! Bytes from the terminal → keys, pastes and replies. A decoder of our own, because answers of the terminal to
//! our queries may come late, split, or not at all, and must never turn into typed text; and because it needs no
//! thread. Pure: what is incomplete waits inside, and [`Decoder::flush`] ends the wait.

use std::borrow::Cow;

use super::sequence::{self, Sequence};
use crate::tui::keys::{Code, Key};

/// Longest control sequence that is collected; the rest of a longer one is dropped.
const SEQUENCE_MAX: usize = 4096;
/// Longest paste that is collected, in bytes; what goes beyond is dropped.
const PASTE_MAX: usize = 64 * 1024 * 1024;
/// Arrows of one turn of the wheel, at least.
pub(super) const WHEEL: i32 = 3;
/// Begins a bracketed paste.
const PASTE_START: &[u8] = b"\x1b[200~";
/// Ends a bracketed paste.
const PASTE_END: &[u8] = b"\x1b[201~";
/// What may follow the end of a paste before it is decided about at once.
const BEHIND_MAX: usize = 64 * 1024;

/// One thing that came from the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// A key.
    Key(Key),
    /// The wheel was turned: rows towards the start, negative towards the end.
    Wheel(i32),
    /// Text put in as a whole.
    Paste(String),
    /// The window got (true) or lost the focus.
    Focus(bool),
    /// The text colour, as 8-bit parts.
    Foreground([u8; 3]),
    /// The background colour, as 8-bit parts.
    Background([u8; 3]),
    /// Name and version of the terminal.
    Name(String),
    /// The terminal speaks the kitty keyboard protocol.
    Kitty,
    /// The terminal told what it is: the last reply to our queries.
    Attributes,
}

/// Without a mouse mode the terminal sends the wheel as arrows, several at once, which no finger does: three or more
/// that came together are the wheel.
pub(crate) fn with_wheel(inputs: Vec<Input>) -> Vec<Input> {
    let arrow = |input: &Input| match input {
        Input::Key(key) if *key == Key::plain(Code::Up) => 1,
        Input::Key(key) if *key == Key::plain(Code::Down) => -1,
        _ => 0,
    };
    let mut out = Vec::with_capacity(inputs.len());
    for run in inputs.chunk_by(|a, b| arrow(a) != 0 && arrow(a) == arrow(b)) {
        match i32::try_from(run.len()) {
            Ok(rows) if rows >= WHEEL => out.push(Input::Wheel(rows * run.first().map_or(0, arrow))),
            _ => out.extend_from_slice(run),
        }
    }
    out
}

/// For what an incomplete input waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// Nothing is incomplete.
    Nothing,
    /// An escape that may be a key of its own, or the end of a paste that may be forged: a few milliseconds decide.
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
    /// An end was seen. It holds unless another follows on its heels: then it was in the pasted text, put there so
    /// that what stands behind it would be taken for keys.
    ended: bool,
    /// A string that is too long is passed over up to its end.
    dropping: bool,
}

impl Decoder {
    /// Takes bytes as they were read; appends what they mean to `out`.
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        if self.paste.is_some() {
            return self.feed_paste(bytes, out);
        }
        let rest = self.drop_string(bytes);
        self.pending.extend_from_slice(rest);
        let pending = std::mem::take(&mut self.pending);
        let used = self.decode(&pending, out);
        let left = pending.get(used..).unwrap_or_default();
        if self.paste.is_some() {
            // What follows the start of a paste belongs to it, whatever it looks like.
            return self.feed_paste(left, out);
        }
        self.pending = left.to_vec();
        if self.pending.len() > SEQUENCE_MAX {
            self.dropping = true;
            self.pending.clear();
        }
    }

    /// For what the decoder waits.
    pub(crate) fn waiting(&self) -> Waiting {
        match (&self.paste, self.pending.is_empty()) {
            (Some(_), _) if !self.ended => Waiting::Paste,
            (Some(_), _) | (None, false) => Waiting::Escape,
            (None, true) => Waiting::Nothing,
        }
    }

    /// Ends the wait: a lone escape is a key, a paste without an end is what came of it.
    pub(crate) fn flush(&mut self, out: &mut Vec<Input>) {
        if !self.ended
            && let Some(paste) = self.paste.take()
        {
            self.searched = 0;
            out.push(Input::Paste(text(&paste)));
            return;
        }
        self.settle(out);
        if self.paste.is_some() {
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

    /// Adds to the paste, also what follows its end: [`Self::settle`] tells them apart.
    fn feed_paste(&mut self, bytes: &[u8], out: &mut Vec<Input>) {
        let Some(paste) = &mut self.paste else { return };
        paste.extend_from_slice(bytes);
        if !self.ended {
            let tail = paste.get(self.searched..).unwrap_or_default();
            if let Some(at) = memchr::memmem::find(tail, PASTE_END) {
                (self.ended, self.searched) = (true, self.searched + at);
            } else {
                // The end may be cut in two by the read.
                self.searched = paste.len().saturating_sub(PASTE_END.len() - 1);
            }
            if !self.ended && paste.len() > PASTE_MAX {
                let tail = paste.split_off(self.searched);
                paste.truncate(PASTE_MAX);
                self.searched = paste.len();
                paste.extend_from_slice(&tail);
            }
        }
        if self.ended && paste.len() > self.searched + BEHIND_MAX {
            self.settle(out);
        }
    }

    /// Nothing came for a while: the last end there is ends the paste, and what follows was typed or is the next one.
    fn settle(&mut self, out: &mut Vec<Input>) {
        while std::mem::take(&mut self.ended) {
            let Some(paste) = self.paste.take() else { return };
            let from = std::mem::take(&mut self.searched);
            let behind = paste.get(from..).unwrap_or_default();
            let end = from + memchr::memmem::rfind(behind, PASTE_END).unwrap_or(0);
            let whole = paste.get(..end.min(PASTE_MAX + BEHIND_MAX)).unwrap_or_default();
            out.push(Input::Paste(text(&without_marks(whole))));
            self.feed(paste.get(end + PASTE_END.len()..).unwrap_or_default(), out);
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The bytes without starts and ends of pastes.
fn without_marks(bytes: &[u8]) -> Cow<'_, [u8]> {
    let mut clean = Cow::Borrowed(bytes);
    for mark in [PASTE_START, PASTE_END] {
        if memchr::memmem::find(&clean, mark).is_some() {
            let mut out = Vec::with_capacity(clean.len());
            let mut from = 0;
            for at in memchr::memmem::find_iter(&clean, mark) {
                out.extend_from_slice(clean.get(from..at).unwrap_or_default());
                from = at + mark.len();
            }
            out.extend_from_slice(clean.get(from..).unwrap_or_default());
            clean = Cow::Owned(out);
        }
    }
    clean
}

#[cfg(test)]
#[path = "input_tests.rs"]
mod tests;
