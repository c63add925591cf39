//! What a command printed: stdout and stderr as one stream in the order they were written. Memory is bounded
//! whatever is printed, counts are exact, and whatever is not UTF-8 becomes U+FFFD, also across reads.
//! Three views of the one stream: what the model has not seen yet, the whole for the item, and live text.

use super::ring::HeadTail;

/// Kept of what the model has not seen yet: half from the start, half from the end.
const UNREAD_HALF: usize = 512 * 1024;
/// Kept of everything, for the item that is shown and recorded: half from the start, half from the end.
pub(crate) const WHOLE_HALF: usize = 64 * 1024;
/// Largest piece of live text.
const LIVE_MAX: usize = 16 * 1024;

/// The output of one command.
#[derive(Debug)]
pub(crate) struct Capture {
    unread: HeadTail,
    unread_newlines: u64,
    whole: HeadTail,
    live: HeadTail,
    last: Option<u8>,
}

/// A part of the output, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chunk {
    /// The text; when it was too long for memory the middle is replaced by a line that tells the exact number.
    pub(crate) text: String,
    /// Bytes the command printed, all of them.
    pub(crate) bytes: u64,
    /// Lines the command printed, an unfinished last one included.
    pub(crate) lines: u64,
    /// Bytes of them that were too many for memory.
    pub(crate) omitted: u64,
}

impl Default for Capture {
    fn default() -> Self {
        Self {
            unread: HeadTail::new(UNREAD_HALF, UNREAD_HALF),
            unread_newlines: 0,
            whole: HeadTail::new(WHOLE_HALF, WHOLE_HALF),
            live: HeadTail::new(0, LIVE_MAX),
            last: None,
        }
    }
}

impl Capture {
    /// Adds what was just read.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.unread.push(bytes);
        self.unread_newlines += memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.whole.push(bytes);
        self.live.push(bytes);
        self.last = bytes.last().copied().or(self.last);
    }

    /// Bytes printed so far.
    pub(crate) fn total(&self) -> u64 {
        self.whole.total()
    }

    /// The first bytes, complete as long as `total` is at most [`WHOLE_HALF`].
    pub(crate) fn first(&self) -> &[u8] {
        self.whole.head()
    }

    /// Everything printed so far, bounded; for the item.
    pub(crate) fn whole(&self) -> String {
        text_of(&self.whole)
    }

    /// What the model has not seen yet; the next call starts after it. While the command runs, half a character
    /// at the end waits for its other half.
    pub(crate) fn take_unread(&mut self, ended: bool) -> Chunk {
        let held = if ended { Vec::new() } else { self.held_back() };
        let bytes = self.unread.total() - held.len() as u64;
        let omitted = self.unread.omitted();
        let mut text = text_of(&self.unread);
        if !held.is_empty() {
            // An incomplete sequence shows as exactly one U+FFFD.
            text.pop();
        }
        let open = bytes > 0 && (!held.is_empty() || self.last != Some(b'\n'));
        let lines = self.unread_newlines + u64::from(open);
        self.unread.clear();
        self.unread.push(&held);
        self.unread_newlines = 0;
        Chunk { text, bytes, lines, omitted }
    }

    /// Half a character at the end of the unread bytes.
    fn held_back(&self) -> Vec<u8> {
        let tail = self.unread.tail();
        let end = if tail.is_empty() { self.unread.head() } else { &tail };
        let (_, held) = end.split_at(end.len() - incomplete_suffix(end));
        held.to_vec()
    }

    /// Whether there is live text to take.
    pub(crate) fn has_live(&self) -> bool {
        self.live.total() > 0
    }

    /// Text for whoever watches, since the last call; a flood loses its older part. `None` = nothing whole yet.
    pub(crate) fn take_live(&mut self) -> Option<String> {
        let bytes = self.live.tail();
        let skipped = self.live.omitted() > 0;
        let (now, later) = bytes.split_at(bytes.len() - incomplete_suffix(&bytes));
        self.live.clear();
        self.live.push(later);
        if now.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(if skipped { without_half_start(now) } else { now });
        Some(if skipped { format!("…\n{text}") } else { text.into_owned() })
    }
}

/// The buffer as text, with a line in place of what fell out.
fn text_of(buffer: &HeadTail) -> String {
    let (head, tail) = (buffer.head(), buffer.tail());
    if buffer.omitted() == 0 {
        return lossy([head, &tail].concat());
    }
    let (kept_head, _) = head.split_at(head.len() - incomplete_suffix(head));
    let kept_tail = without_half_start(&tail);
    let omitted = buffer.total() - (kept_head.len() + kept_tail.len()) as u64;
    let mut text = String::with_capacity(kept_head.len() + kept_tail.len() + 64);
    push_lossy(&mut text, kept_head);
    text.push_str(&format!("\n... {omitted} bytes omitted ...\n"));
    push_lossy(&mut text, kept_tail);
    text
}

/// Adds bytes as text, without a second copy of them.
fn push_lossy(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// Text without a copy when it is UTF-8 already.
fn lossy(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

/// Length of an unfinished but so far valid character at the end; at most 3.
fn incomplete_suffix(bytes: &[u8]) -> usize {
    let start = bytes.len().saturating_sub(3);
    let Some(end) = bytes.get(start..) else { return 0 };
    let Some(lead) = end.iter().rposition(|byte| byte & 0xC0 != 0x80) else { return 0 };
    let Some(candidate) = end.get(lead..) else { return 0 };
    match std::str::from_utf8(candidate) {
        Err(error) if error.error_len().is_none() => candidate.len() - error.valid_up_to(),
        _ => 0,
    }
}

/// Without the rest of a character whose start was cut off.
fn without_half_start(bytes: &[u8]) -> &[u8] {
    let half = bytes.iter().take(3).take_while(|byte| **byte & 0xC0 == 0x80).count();
    bytes.split_at(half).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_survive_any_cut() {
        let text = "aß€😀\nb";
        for cut in 0..=text.len() {
            let (one, two) = text.as_bytes().split_at(cut);
            let mut capture = Capture::default();
            capture.push(one);
            let first = capture.take_unread(false);
            let live = capture.take_live().unwrap_or_default();
            capture.push(two);
            let second = capture.take_unread(true);
            assert_eq!(first.text.clone() + &second.text, text, "cut {cut}");
            assert_eq!(first.bytes + second.bytes, text.len() as u64);
            assert_eq!(live + &capture.take_live().unwrap_or_default(), text);
            assert_eq!(capture.whole(), text);
        }
    }

    #[test]
    fn noise_is_replaced_and_an_unfinished_character_shows_at_the_end() {
        let mut capture = Capture::default();
        capture.push(b"ok \xff\xfe \xe2\x82");
        assert_eq!(capture.take_unread(false).text, "ok \u{fffd}\u{fffd} ");
        let last = capture.take_unread(true);
        assert_eq!((last.text.as_str(), last.bytes), ("\u{fffd}", 2));
    }

    #[test]
    fn counts_are_exact_beyond_memory() {
        let mut capture = Capture::default();
        let line = [b'x'; 1000];
        for _ in 0..5000 {
            capture.push(&line);
            capture.push(b"\n");
        }
        capture.push(b"end");
        let chunk = capture.take_unread(true);
        assert_eq!((chunk.bytes, chunk.lines), (5000 * 1001 + 3, 5001));
        let omitted = 5000 * 1001 + 3 - 2 * UNREAD_HALF;
        assert!(chunk.text.contains(&format!("\n... {omitted} bytes omitted ...\n")));
        assert!(chunk.text.ends_with("x\nend"));
        assert!(capture.whole().len() < 2 * WHOLE_HALF + 100);
        assert!(capture.take_live().unwrap().len() <= LIVE_MAX + 4);
        assert_eq!(capture.take_unread(true), Chunk { text: String::new(), bytes: 0, lines: 0, omitted: 0 });
    }
}
