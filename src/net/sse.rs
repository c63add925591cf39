//! Bytes of a server-sent event stream → frames. Whatever way the bytes are cut into chunks, the frames are the
//! same, and the work is linear in the bytes: a line that arrives in a thousand pieces is not searched a
//! thousand times. What a frame means is the business of whoever decodes it.

use std::borrow::Cow;
use std::ops::Range;

/// The largest event accepted, in bytes: far above what a model sends, far below what hurts.
pub(crate) const MAX_EVENT_BYTES: usize = 64 << 20;

/// Buffers above this size are given back once they are empty.
const KEEP_CAPACITY: usize = 1 << 20;

/// An event did not end within the limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("one event of the stream is larger than {} MiB", limit >> 20)]
pub(crate) struct TooLarge {
    /// The limit in bytes.
    pub(crate) limit: usize,
}

/// Reads one stream. [`push`](Self::push) bytes, then take [`next_frame`](Self::next_frame) until it is `None`.
#[derive(Debug)]
pub(crate) struct SseParser {
    buf: Vec<u8>,
    /// Bytes before this are done with.
    start: usize,
    /// Where the current line begins.
    line: usize,
    /// Bytes of the current line already searched for its end.
    scanned: usize,
    /// The last line ended with CR: a LF that follows belongs to it.
    after_cr: bool,
    first_line: bool,
    data: Data,
    /// Complete lines so far, comments included: a sign of life.
    lines: u64,
    limit: usize,
}

/// The `data:` lines of the event that is being read.
#[derive(Debug)]
enum Data {
    None,
    /// One line so far: its place in the buffer.
    One(Range<usize>),
    /// Several lines, joined by LF.
    Many(Vec<u8>),
}

impl Default for SseParser {
    fn default() -> Self {
        Self::new(MAX_EVENT_BYTES)
    }
}

impl SseParser {
    /// Starts a stream whose events have at most `limit` bytes.
    pub(crate) fn new(limit: usize) -> Self {
        Self {
            buf: Vec::new(),
            start: 0,
            line: 0,
            scanned: 0,
            after_cr: false,
            first_line: true,
            data: Data::None,
            lines: 0,
            limit,
        }
    }

    /// Adds bytes as they came. Take the frames out before the next push: the limit is checked there.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.compact();
        self.buf.extend_from_slice(bytes);
    }

    /// The data of the next complete event. Events without data are skipped. Bytes that are not UTF-8 become
    /// replacement characters.
    ///
    /// # Errors
    /// The event has grown too large; the stream is useless then.
    pub(crate) fn next_frame(&mut self) -> Result<Option<Cow<'_, str>>, TooLarge> {
        while let Some(line) = self.next_line() {
            self.lines += 1;
            if !line.is_empty() {
                self.take_line(line)?;
                continue;
            }
            self.start = self.line;
            match std::mem::replace(&mut self.data, Data::None) {
                Data::None => {}
                Data::One(range) => {
                    let bytes = self.buf.get(range).unwrap_or_default();
                    return Ok(Some(String::from_utf8_lossy(bytes)));
                }
                Data::Many(joined) => {
                    let text = String::from_utf8(joined)
                        .unwrap_or_else(|e| String::from_utf8_lossy(e.as_bytes()).into_owned());
                    return Ok(Some(Cow::Owned(text)));
                }
            }
        }
        if self.pending_bytes() > self.limit { Err(TooLarge { limit: self.limit }) } else { Ok(None) }
    }

    /// Complete lines so far, comments included.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// Bytes of the event that is not complete yet.
    pub(crate) fn pending_bytes(&self) -> usize {
        let joined = if let Data::Many(joined) = &self.data { joined.len() } else { 0 };
        self.buf.len() - self.start + joined
    }

    /// The next complete line without its end, as a place in the buffer.
    fn next_line(&mut self) -> Option<Range<usize>> {
        if self.after_cr && self.line < self.buf.len() {
            self.after_cr = false;
            if self.buf.get(self.line) == Some(&b'\n') {
                self.line += 1;
                self.scanned = 0;
                if matches!(self.data, Data::None) {
                    self.start = self.line;
                }
            }
        }
        let rest = self.buf.get(self.line + self.scanned..)?;
        let Some(found) = memchr::memchr2(b'\n', b'\r', rest) else {
            self.scanned += rest.len();
            return None;
        };
        self.after_cr = rest.get(found) == Some(&b'\r');
        let mut begin = self.line;
        let end = self.line + self.scanned + found;
        self.line = end + 1;
        self.scanned = 0;
        if std::mem::take(&mut self.first_line)
            && self.buf.get(begin..end).is_some_and(|l| l.starts_with(b"\xef\xbb\xbf"))
        {
            begin += 3;
        }
        Some(begin..end)
    }

    /// Takes in a line that is not empty. Only `data` matters: what an event is stands in its data.
    fn take_line(&mut self, line: Range<usize>) -> Result<(), TooLarge> {
        let bytes = self.buf.get(line.clone()).unwrap_or_default();
        let value = match bytes.strip_prefix(b"data") {
            Some([]) => Some(line.end..line.end),
            Some([b':', b' ', ..]) => Some(line.start + 6..line.end),
            Some([b':', ..]) => Some(line.start + 5..line.end),
            _ => None,
        };
        match value {
            Some(value) => self.add_data(value)?,
            // A comment or another field between two events leaves nothing behind.
            None if matches!(self.data, Data::None) => self.start = self.line,
            None => {}
        }
        Ok(())
    }

    fn add_data(&mut self, value: Range<usize>) -> Result<(), TooLarge> {
        let text = |range: Range<usize>| self.buf.get(range).unwrap_or_default();
        match &mut self.data {
            Data::None => self.data = Data::One(value),
            Data::One(first) => {
                let mut joined = text(first.clone()).to_vec();
                joined.push(b'\n');
                joined.extend_from_slice(text(value));
                self.data = Data::Many(joined);
                self.start = self.line;
            }
            Data::Many(joined) => {
                joined.push(b'\n');
                joined.extend_from_slice(self.buf.get(value).unwrap_or_default());
                self.start = self.line;
                if joined.len() > self.limit {
                    return Err(TooLarge { limit: self.limit });
                }
            }
        }
        Ok(())
    }

    /// Moves what is not done with to the front. Everything before it was handed out, so each byte is moved
    /// at most once per event.
    fn compact(&mut self) {
        if self.start == 0 {
            return;
        }
        if self.start == self.buf.len() {
            self.buf.clear();
            self.buf.shrink_to(KEEP_CAPACITY);
        } else {
            self.buf.drain(..self.start);
        }
        self.line -= self.start;
        if let Data::One(range) = &mut self.data {
            *range = range.start - self.start..range.end - self.start;
        }
        self.start = 0;
    }
}

#[cfg(test)]
#[path = "sse_tests.rs"]
mod tests;
