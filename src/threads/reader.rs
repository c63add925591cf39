//! Raw lines of a rollout, from the start or from the end. A file of any size costs one block and the line at
//! hand; a line beyond [`MAX_LINE`] is reported and passed over without being held. Nothing here knows what a
//! line means.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::FileExt;
use std::path::Path;

use super::line::Reason;
use crate::base::fs;

/// The longest line that is read. Images travel inside lines, so this is generous.
pub(crate) const MAX_LINE: usize = 64 << 20;

/// Bytes read at once. Heads of files are short, tails are not.
const HEAD_BLOCK: usize = 32 << 10;
const TAIL_BLOCK: usize = 256 << 10;

/// How many problems of one file are kept one by one.
const MAX_PROBLEMS: usize = 50;

/// A line that was passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    /// Where the line begins in its file.
    pub(crate) offset: u64,
    /// Line number from 1, when the file was read from the start.
    pub(crate) line: Option<u64>,
    /// Why.
    pub(crate) reason: Reason,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}: {}", self.reason),
            None => write!(f, "at byte {}: {}", self.offset, self.reason),
        }
    }
}

/// The lines that were passed over: the first ones in full, the rest as a count.
#[derive(Clone, Debug, Default)]
pub(crate) struct Problems {
    /// The first ones.
    pub(crate) list: Vec<Problem>,
    /// All of them.
    pub(crate) count: u64,
}

impl Problems {
    /// Adds one.
    pub(crate) fn push(&mut self, offset: u64, line: Option<u64>, reason: Reason) {
        self.count += 1;
        if self.list.len() < MAX_PROBLEMS {
            self.list.push(Problem { offset, line, reason });
        }
    }
}

impl Problems {
    /// What the user should know of them, one sentence.
    pub(crate) fn summary(&self) -> Option<String> {
        let first = self.list.first()?;
        Some(match self.count {
            1 => format!("one line of the thread's file could not be read and was passed over: {first}"),
            n => format!(
                "{n} lines of the thread's file could not be read and were passed over; the first: {first}"
            ),
        })
    }
}

/// One line of a file.
#[derive(Debug)]
pub(crate) struct RawLine<'a> {
    /// Where it begins.
    pub(crate) offset: u64,
    /// Its bytes without the line break, or why there are none.
    pub(crate) bytes: Result<&'a [u8], Reason>,
    /// False for the last line of a file that has no line break.
    pub(crate) ended: bool,
}

/// Lines from the start.
#[derive(Debug)]
pub(crate) struct Forwards {
    reader: BufReader<File>,
    line: Vec<u8>,
    offset: u64,
    max: usize,
}

impl Forwards {
    /// Opens a file at its start.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self::with_limits(fs::open_regular(path)?, MAX_LINE, HEAD_BLOCK))
    }

    fn with_limits(file: File, max: usize, block: usize) -> Self {
        Self { reader: BufReader::with_capacity(block, file), line: Vec::new(), offset: 0, max }
    }

    /// The next line; `None` at the end of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let offset = self.offset;
        let mut length = 0_u64;
        let mut ended = false;
        self.line.clear();
        while !ended {
            let block = match self.reader.fill_buf() {
                Ok(block) => block,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if block.is_empty() {
                break;
            }
            let end = memchr::memchr(b'\n', block);
            let taken = end.map_or(block.len(), |at| at + 1);
            let content = block.get(..end.unwrap_or(block.len())).unwrap_or_default();
            length += content.len() as u64;
            if length <= self.max as u64 {
                self.line.extend_from_slice(content);
            }
            ended = end.is_some();
            self.offset += taken as u64;
            self.reader.consume(taken);
        }
        if self.offset == offset {
            return Ok(None);
        }
        let bytes = if length <= self.max as u64 {
            Ok(self.line.as_slice())
        } else {
            Err(Reason::TooLong { bytes: length })
        };
        Ok(Some(RawLine { offset, bytes, ended }))
    }
}

/// Lines from the end.
#[derive(Debug)]
pub(crate) struct Backwards {
    file: File,
    /// Bytes of the file from `start` on that no returned line has used.
    buffer: Vec<u8>,
    /// How many bytes of `buffer` are still to be returned.
    len: usize,
    start: u64,
    max: usize,
    block: usize,
}

impl Backwards {
    /// Opens a file at `end`, or at its own end if that comes first.
    pub(crate) fn open(path: &Path, end: u64) -> io::Result<Self> {
        let file = fs::open_regular(path)?;
        let end = end.min(file.metadata()?.len());
        Ok(Self::with_limits(file, end, MAX_LINE, TAIL_BLOCK))
    }

    fn with_limits(file: File, end: u64, max: usize, block: usize) -> Self {
        Self { file, buffer: Vec::new(), len: 0, start: end, max, block }
    }

    /// Where the last returned line begins: what was not read yet ends here.
    pub(crate) fn position(&self) -> u64 {
        self.start + self.len as u64
    }

    /// The line before the last one returned; `None` at the start of the file.
    pub(crate) fn next(&mut self) -> io::Result<Option<RawLine<'_>>> {
        if self.position() == 0 {
            return Ok(None);
        }
        if self.len == 0 {
            self.more()?;
        }
        let ended = self.unread().last() == Some(&b'\n');
        if ended {
            self.len -= 1;
        }
        let line_end = self.position();
        let mut searched = 0;
        let mut too_long = false;
        let from = loop {
            let unseen = self.len - searched;
            if let Some(at) = memchr::memrchr(b'\n', self.unread().get(..unseen).unwrap_or_default()) {
                break at + 1;
            }
            searched = self.len;
            if searched > self.max {
                too_long = true;
                (self.len, searched) = (0, 0);
            }
            if self.start == 0 {
                break 0;
            }
            let before = self.len;
            self.more()?;
            searched = if before == 0 { 0 } else { searched };
        };
        let offset = self.start + from as u64;
        let to = std::mem::replace(&mut self.len, from);
        let bytes = if too_long || to - from > self.max {
            Err(Reason::TooLong { bytes: line_end - offset })
        } else {
            Ok(self.buffer.get(from..to).unwrap_or_default())
        };
        Ok(Some(RawLine { offset, bytes, ended }))
    }

    fn unread(&self) -> &[u8] {
        self.buffer.get(..self.len).unwrap_or_default()
    }

    /// Reads the block before the buffer. Blocks grow with the line, so that a long line is moved only a few
    /// times.
    fn more(&mut self) -> io::Result<()> {
        let size = self.block.max(self.len).min(usize::try_from(self.start).unwrap_or(usize::MAX));
        let mut buffer = vec![0; size + self.len];
        let (block, rest) = buffer.split_at_mut(size);
        self.file.read_exact_at(block, self.start - size as u64)?;
        rest.copy_from_slice(self.unread());
        self.len = buffer.len();
        self.start -= size as u64;
        self.buffer = buffer;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// (offset, text or length of a line that is too long, ended)
    type Seen = Vec<(u64, Result<String, u64>, bool)>;

    fn owned(raw: RawLine<'_>) -> (u64, Result<String, u64>, bool) {
        let bytes = raw.bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        let bytes = bytes.map_err(|reason| match reason {
            Reason::TooLong { bytes } => bytes,
            other => panic!("{other:?}"),
        });
        (raw.offset, bytes, raw.ended)
    }

    fn both_ways(text: &[u8], max: usize, block: usize) -> (Seen, Seen) {
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, text).unwrap();
        io::Seek::rewind(&mut file).unwrap();
        let (mut there, mut back) = (Vec::new(), Vec::new());
        let mut lines = Backwards::with_limits(file.try_clone().unwrap(), text.len() as u64, max, block);
        while let Some(raw) = lines.next().unwrap() {
            let line = owned(raw);
            assert_eq!(lines.position(), line.0);
            back.push(line);
        }
        let mut lines = Forwards::with_limits(file, max, block);
        while let Some(raw) = lines.next().unwrap() {
            there.push(owned(raw));
        }
        back.reverse();
        (there, back)
    }

    #[test]
    fn both_ways_see_the_same_at_any_block_size() {
        let long = format!("a\n{}\nb\n", "x".repeat(40));
        for text in ["", "\n", "\n\n", "a", "a\n", "a\nb", "\na\n\nbc\n", "0123456789\nabcdefghij\nz", &long]
        {
            let mut at = 0;
            let want: Seen = text
                .split_inclusive('\n')
                .map(|line| {
                    let bare = line.strip_suffix('\n');
                    let seen = bare.unwrap_or(line).to_owned();
                    let bytes = if seen.len() > 20 { Err(seen.len() as u64) } else { Ok(seen) };
                    at += line.len() as u64;
                    (at - line.len() as u64, bytes, bare.is_some())
                })
                .collect();
            for block in 1..50 {
                let (there, back) = both_ways(text.as_bytes(), 20, block);
                assert_eq!(there, want, "{text:?} forwards by {block}");
                assert_eq!(back, want, "{text:?} backwards by {block}");
            }
        }
    }

    #[test]
    fn problems_are_counted_beyond_the_list() {
        let mut problems = Problems::default();
        for n in 0..1000 {
            problems.push(n, None, Reason::Torn);
        }
        assert_eq!((problems.count, problems.list.len()), (1000, MAX_PROBLEMS));
    }
}
