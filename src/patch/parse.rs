//! Patch text → hunks, each with the line it was written on, so that every later error can name that line.
//!
//! It borrows the text and touches no file. It is lenient where the meaning cannot be in doubt (white space around
//! markers, a heredoc around the patch, a blank line for an empty context line, a patch written with CRLF) and says
//! what it received everywhere else: a model that is told what was wrong corrects itself, one that is not loops.

use super::error::{Error, quote};
use super::hunk::{Action, Chunk, Hunk, Line, LineKind, Patch};

const BEGIN: &str = "*** Begin Patch";
const END: &str = "*** End Patch";
const END_OF_FILE: &str = "*** End of File";
const HEADERS: &str = "`*** Add File: path`, `*** Update File: path` or `*** Delete File: path`";

/// Reads a patch.
///
/// # Errors
/// [`Error::Malformed`] with the line, and [`Error::Empty`].
pub(crate) fn parse(text: &str) -> Result<Patch<'_>, Error> {
    let mut lines: Vec<(usize, &str)> =
        text.split('\n').enumerate().map(|(index, line)| (index + 1, line)).collect();
    trim_blank(&mut lines);
    unwrap_heredoc(&mut lines);
    let Some(&(first_line, first)) = lines.first() else {
        return Err(malformed(1, format!("the first line must be `{BEGIN}`; the text is empty")));
    };
    if first.trim() != BEGIN {
        let received = quote(first);
        return Err(malformed(
            first_line,
            format!("the first line must be `{BEGIN}` alone; received {received}"),
        ));
    }
    let crlf = first.ends_with('\r');
    let mut body = Vec::with_capacity(lines.len());
    let mut ended = false;
    for (number, line) in lines.into_iter().skip(1) {
        let line = if crlf { line.strip_suffix('\r').unwrap_or(line) } else { line };
        if ended && !line.trim().is_empty() {
            let received = quote(line);
            return Err(malformed(number, format!("nothing may follow `{END}`; received {received}")));
        }
        if line.trim_end() == END {
            ended = true;
        } else if !ended {
            body.push((number, line));
        }
    }
    finish(body, ended)
}

/// Checks the end and reads the hunks between the markers.
fn finish(mut body: Vec<(usize, &str)>, ended: bool) -> Result<Patch<'_>, Error> {
    if !ended {
        match body.last() {
            Some((_, last)) if last.trim() == END => drop(body.pop()),
            Some((number, last)) => {
                let received = quote(last);
                return Err(malformed(
                    *number,
                    format!("the last line must be `{END}`; the patch stops at {received}"),
                ));
            }
            None => {
                return Err(malformed(
                    1,
                    format!("the last line must be `{END}`; the patch stops at `{BEGIN}`"),
                ));
            }
        }
    }
    let mut reader = Reader { lines: body, at: 0 };
    reader.skip_blank();
    if let Some((number, line)) = reader.peek()
        && line.trim().starts_with("*** Environment ID:")
    {
        return Err(malformed(
            number,
            "`*** Environment ID:` is not accepted: this thread has one environment".into(),
        ));
    }
    let mut hunks = Vec::new();
    while let Some((number, line)) = reader.peek() {
        hunks.push(reader.hunk(number, line)?);
        reader.skip_blank();
    }
    if hunks.is_empty() { Err(Error::Empty) } else { Ok(Patch { hunks }) }
}

/// The lines between the markers, and how far they are read.
struct Reader<'t> {
    lines: Vec<(usize, &'t str)>,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<(usize, &'t str)> {
        self.lines.get(self.at).copied()
    }

    fn skip_blank(&mut self) {
        while self.peek().is_some_and(|(_, line)| line.trim().is_empty()) {
            self.at += 1;
        }
    }

    fn hunk(&mut self, number: usize, line: &'t str) -> Result<Hunk<'t>, Error> {
        let Some((word, path)) = header(line.trim()) else {
            let received = quote(line);
            return Err(malformed(number, format!("not a hunk header: {received}; expected {HEADERS}")));
        };
        check_path(number, path)?;
        self.at += 1;
        let action = match word {
            Word::Add => Action::Add(self.added()),
            Word::Delete => Action::Delete,
            Word::Update => self.update(number)?,
        };
        Ok(Hunk { path, line: number, action })
    }

    /// `+` lines of a new file. A blank line between two of them is an empty line whose mark was forgotten.
    fn added(&mut self) -> Vec<Line<'t>> {
        let mut out = Vec::new();
        loop {
            let start = self.at;
            self.skip_blank();
            match self.peek() {
                Some((_, line)) if line.starts_with('+') => {
                    out.extend((start..self.at).map(|_| plain(LineKind::Add, "")));
                    out.push(plain(LineKind::Add, line.strip_prefix('+').unwrap_or_default()));
                    self.at += 1;
                }
                Some((_, line)) if line.starts_with("\\ ") => {
                    mark_no_newline(&mut out);
                    self.at += 1;
                }
                _ => return out,
            }
        }
    }

    fn update(&mut self, header_line: usize) -> Result<Action<'t>, Error> {
        let mut move_to = None;
        if let Some((number, line)) = self.peek()
            && let Some(path) = line.trim().strip_prefix("*** Move to:")
        {
            check_path(number, path.trim())?;
            move_to = Some(path.trim());
            self.at += 1;
        }
        let mut chunks = Vec::new();
        while let Some((number, line)) = self.peek() {
            if is_marker(line) || self.only_blank_before_marker() {
                break;
            }
            chunks.push(self.chunk(number)?);
        }
        if chunks.is_empty() && move_to.is_none() {
            return Err(malformed(
                header_line,
                "this update says neither what to change nor where to move".into(),
            ));
        }
        Ok(Action::Update { move_to, chunks })
    }

    fn chunk(&mut self, number: usize) -> Result<Chunk<'t>, Error> {
        let mut chunk = Chunk { line: number, ..Chunk::default() };
        while let Some((_, line)) = self.peek()
            && let Some(anchor) = line.strip_prefix("@@")
        {
            chunk.anchors.extend(anchor_text(anchor));
            self.at += 1;
        }
        while let Some((number, line)) = self.peek() {
            if line.starts_with("@@") || is_marker(line) {
                break;
            }
            self.at += 1;
            if line.trim_end() == END_OF_FILE {
                chunk.end_of_file = true;
                break;
            }
            self.chunk_line(number, line, &mut chunk.lines)?;
        }
        if chunk.lines.is_empty() {
            return Err(malformed(
                number,
                "this chunk has no lines; write at least one that begins with a space, `+` or `-`".into(),
            ));
        }
        Ok(chunk)
    }

    fn chunk_line(&self, number: usize, line: &'t str, out: &mut Vec<Line<'t>>) -> Result<(), Error> {
        let mut chars = line.chars();
        let kind = match chars.next() {
            None | Some(' ') => LineKind::Keep,
            Some('\r') if chars.as_str().is_empty() => LineKind::Keep,
            Some('+') => LineKind::Add,
            Some('-') => LineKind::Remove,
            Some('\\') if line.starts_with("\\ ") && !out.is_empty() => {
                mark_no_newline(out);
                return Ok(());
            }
            Some(_) => {
                let received = quote(line);
                return Err(malformed(
                    number,
                    format!(
                        "unexpected line {received} in an update; each line must begin with a space, `+`, `-` or `@@`"
                    ),
                ));
            }
        };
        out.push(plain(kind, chars.as_str()));
        Ok(())
    }

    /// True when from here to the next marker there are only empty lines: they part hunks, they match nothing.
    fn only_blank_before_marker(&self) -> bool {
        let empty = |line: &str| line.is_empty() || line == "\r";
        let rest = self.lines.get(self.at..).unwrap_or_default();
        let blank = rest.iter().take_while(|(_, line)| empty(line)).count();
        blank > 0 && rest.get(blank).is_none_or(|(_, line)| is_header(line))
    }
}

enum Word {
    Add,
    Delete,
    Update,
}

fn header(line: &str) -> Option<(Word, &str)> {
    let words = [
        ("*** Add File:", Word::Add),
        ("*** Delete File:", Word::Delete),
        ("*** Update File:", Word::Update),
    ];
    words.into_iter().find_map(|(prefix, word)| Some((word, line.strip_prefix(prefix)?.trim())))
}

/// Ends the body of an update. Only at the start of a line: with a space before it, it is a line of the file.
fn is_marker(line: &str) -> bool {
    line.starts_with("*** ") && line.trim_end() != END_OF_FILE
}

fn is_header(line: &str) -> bool {
    is_marker(line) && header(line.trim()).is_some()
}

/// The line to look for, without the line numbers of a unified diff, should the model have written one.
fn anchor_text(after_marks: &str) -> Option<&str> {
    let text = after_marks.strip_prefix(' ').unwrap_or(after_marks).trim_end();
    let text = match text.strip_prefix('-').and_then(|rest| rest.split_once(" @@")) {
        Some((numbers, rest)) if numbers.bytes().all(|b| b.is_ascii_digit() || b" +,".contains(&b)) => {
            rest.strip_prefix(' ').unwrap_or(rest)
        }
        _ => text,
    };
    (!text.trim().is_empty()).then_some(text)
}

fn check_path(number: usize, path: &str) -> Result<(), Error> {
    if path.is_empty() {
        return Err(malformed(number, "the path is missing".into()));
    }
    if path.contains('\0') {
        return Err(malformed(number, "the path contains a NUL character".into()));
    }
    Ok(())
}

fn plain(kind: LineKind, text: &str) -> Line<'_> {
    Line { kind, text, no_newline: false }
}

fn mark_no_newline(lines: &mut [Line<'_>]) {
    if let Some(last) = lines.last_mut() {
        last.no_newline = true;
    }
}

fn trim_blank(lines: &mut Vec<(usize, &str)>) {
    while lines.last().is_some_and(|(_, line)| line.trim().is_empty()) {
        lines.pop();
    }
    let blank = lines.iter().take_while(|(_, line)| line.trim().is_empty()).count();
    lines.drain(..blank);
}

/// Takes away `<<'EOF'` … `EOF` around the patch, left over from a shell call.
fn unwrap_heredoc(lines: &mut Vec<(usize, &str)>) {
    let Some((_, first)) = lines.first() else { return };
    let Some(word) = first.trim().strip_prefix("<<") else { return };
    let word = word.trim().trim_matches(|c| c == '\'' || c == '"');
    if word.is_empty() || lines.last().is_none_or(|(_, last)| last.trim() != word) || lines.len() < 2 {
        return;
    }
    lines.pop();
    lines.remove(0);
    trim_blank(lines);
}

fn malformed(line: usize, reason: String) -> Error {
    Error::Malformed { line, reason }
}

#[cfg(test)]
#[path = "parse_tests.rs"]
mod tests;
