//! A file as lines. One line keeps its own ending, so that CRLF, LF and a missing last newline can stand side by side
//! and survive; a lone CR is data like any other character, and a BOM belongs to no line.

use std::ops::Range;

/// What stands before the first line of some files.
const BOM: char = '\u{feff}';

/// Borrowed text and where its lines end.
#[derive(Debug)]
pub(crate) struct Text<'a> {
    bom: bool,
    body: &'a str,
    /// End of each line including its ending, as offsets into `body`.
    ends: Vec<u32>,
}

impl<'a> Text<'a> {
    /// Finds the lines. `None` when the text is longer than offsets reach (4 GiB).
    pub(crate) fn new(text: &'a str) -> Option<Self> {
        u32::try_from(text.len()).ok()?;
        let (bom, body) = match text.strip_prefix(BOM) {
            Some(body) => (true, body),
            None => (false, text),
        };
        let mut ends: Vec<u32> =
            memchr::memchr_iter(b'\n', body.as_bytes()).map(|at| at as u32 + 1).collect();
        if ends.last().map_or(0, |&end| end as usize) < body.len() {
            ends.push(body.len() as u32);
        }
        Some(Self { bom, body, ends })
    }

    /// Number of lines. A last line without newline counts.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the text begins with a byte order mark.
    pub(crate) fn has_bom(&self) -> bool {
        self.bom
    }

    /// Length in bytes, without the byte order mark.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// Whether there is a last line and it lacks its newline.
    pub(crate) fn lacks_newline(&self) -> bool {
        !self.body.is_empty() && !self.body.ends_with('\n')
    }

    /// Several lines exactly as they are; empty when there are no such lines.
    pub(crate) fn raw(&self, lines: Range<usize>) -> &'a str {
        let end_of = |count: usize| match count.checked_sub(1) {
            None => 0,
            Some(last) => self.ends.get(last).map_or(self.body.len(), |&end| end as usize),
        };
        self.body.get(end_of(lines.start)..end_of(lines.end)).unwrap_or_default()
    }

    /// One line without its ending.
    pub(crate) fn line(&self, index: usize) -> &'a str {
        let raw = self.raw(index..index + 1);
        match raw.strip_suffix('\n') {
            Some(line) => line.strip_suffix('\r').unwrap_or(line),
            None => raw,
        }
    }

    /// How one line ends; empty for a last line without newline and for lines that are not there.
    pub(crate) fn ending(&self, index: usize) -> &'static str {
        let raw = self.raw(index..index + 1);
        if raw.ends_with("\r\n") {
            "\r\n"
        } else if raw.ends_with('\n') {
            "\n"
        } else {
            ""
        }
    }
}

/// Takes a byte order mark off a line that a patch wants first in a file.
pub(crate) fn without_bom(line: &str) -> &str {
    line.strip_prefix(BOM).unwrap_or(line)
}

/// The byte order mark as text.
pub(crate) fn bom() -> char {
    BOM
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_endings() {
        let text = Text::new("\u{feff}a\r\nb\rc\n\n\r\nlast").unwrap();
        assert!(text.has_bom() && text.lacks_newline());
        let all: Vec<_> = (0..text.len()).map(|i| (text.line(i), text.ending(i))).collect();
        assert_eq!(all, [("a", "\r\n"), ("b\rc", "\n"), ("", "\n"), ("", "\r\n"), ("last", "")]);
        assert_eq!(text.raw(1..3), "b\rc\n\n");
        assert_eq!((text.line(9), text.ending(9), text.raw(7..9)), ("", "", ""));
    }

    #[test]
    fn a_file_without_lines() {
        let text = Text::new("").unwrap();
        assert_eq!((text.len(), text.lacks_newline()), (0, false));
    }
}
