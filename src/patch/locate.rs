//! Chunks + file → which lines become which. Everything is placed in the file as it is before the patch, so chunks
//! need not be in file order and may share lines that both leave alone; two chunks that want the same line are
//! refused.
//!
//! The first match wins, searched from the end of the previous chunk; only when nothing below fits is the search
//! repeated from the top. No file is copied and no chunk walks the whole file: [`Index`] knows where each line is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use super::hunk::{Chunk, Line, LineKind};
use super::index::{Index, Pattern};
use super::nearest;
use super::text::{Text, without_bom};

/// Lines of a file that are replaced. The range may be empty (lines come in) and so may `insert` (lines go).
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Edit<'t> {
    /// Lines of the file that go.
    pub(crate) at: Range<usize>,
    /// Lines that come, none when only removed.
    pub(crate) insert: Vec<Line<'t>>,
    /// The patch says how each inserted line ends: one of its old lines shows a CR.
    pub(crate) endings_written: bool,
    /// The patch marks an old line as having no newline: it decides about the last one.
    pub(crate) newline_written: bool,
}

/// Why a chunk has no place.
#[derive(Debug, PartialEq)]
pub(crate) struct Miss {
    /// Line of the patch, from 1.
    pub(crate) line: usize,
    /// What was looked for and what is there instead.
    pub(crate) reason: String,
}

/// Edits by first line, last line, and order in the patch.
type Taken<'t> = BTreeMap<(usize, usize, usize), (usize, Edit<'t>)>;

/// Places every chunk and returns the edits in file order, none touching another.
///
/// # Errors
/// The first chunk that has no place.
pub(crate) fn locate<'t>(chunks: &[Chunk<'t>], text: &Text<'_>, file: &str) -> Result<Vec<Edit<'t>>, Miss> {
    let mut search = Search { text, index: Index::new(text), taken: Taken::new(), cursor: 0, file };
    for chunk in chunks {
        search.place(chunk)?;
    }
    Ok(search.taken.into_values().map(|(_, edit)| edit).collect())
}

struct Search<'t, 'f> {
    text: &'f Text<'f>,
    index: Index,
    taken: Taken<'t>,
    /// Line after the previous chunk.
    cursor: usize,
    /// Path as written, for messages.
    file: &'f str,
}

impl<'t> Search<'t, '_> {
    fn place(&mut self, chunk: &Chunk<'t>) -> Result<(), Miss> {
        let mut why: Option<Why> = None;
        for from in [self.cursor, 0] {
            let mut rest = Some(Cow::Borrowed(chunk.lines.as_slice()));
            while let Some(lines) = rest {
                match self.try_place(chunk, &lines, from) {
                    Ok((start, edits)) => {
                        self.take(chunk.line, start, &lines, edits);
                        return Ok(());
                    }
                    // That the lines are there but taken says more than that they are not further down.
                    Err(Why::Overlap(other)) => why = Some(Why::Overlap(other)),
                    Err(other) => why = why.or(Some(other)),
                }
                rest = without_last_blank(&lines).map(Cow::Owned);
            }
            if self.cursor == 0 {
                break;
            }
        }
        let reason = why.map_or_else(String::new, |why| self.explain(chunk, &why));
        Err(Miss { line: chunk.line, reason })
    }

    /// Finds a free place at or below `from`.
    fn try_place(
        &self,
        chunk: &Chunk<'t>,
        lines: &[Line<'t>],
        from: usize,
    ) -> Result<(usize, Vec<Edit<'t>>), Why> {
        let below = self.below_anchors(chunk, from)?;
        let old = old_lines(lines);
        let mut blocked = None;
        let mut free = |start: usize| {
            let conflict = self.conflict(&edits(lines, start));
            blocked = blocked.or(conflict);
            conflict.is_none()
        };
        let found = if old.is_empty() {
            let at_end = chunk.end_of_file || chunk.anchors.is_empty();
            Some(if at_end { self.text.len() } else { below }).filter(|&start| free(start))
        } else {
            self.find(chunk, &pattern(old), below, &mut free)
        };
        match (found, blocked) {
            (Some(start), _) => Ok((start, edits(lines, start))),
            (None, Some(other)) => Err(Why::Overlap(other)),
            (None, None) => Err(Why::Lines { below }),
        }
    }

    fn find(
        &self,
        chunk: &Chunk<'t>,
        pattern: &Pattern<'_>,
        below: usize,
        mut free: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        if chunk.end_of_file
            && let Some(start) = self.text.len().checked_sub(pattern.lines.len())
            && start >= below
            && pattern.fit_at(self.text, &self.index, start).is_some()
            && free(start)
        {
            return Some(start);
        }
        if let Some((start, _)) = pattern.find(self.text, &self.index, below, &mut free) {
            return Some(start);
        }
        // A chunk often repeats its anchor as its first line.
        let anchor = below.checked_sub(1).filter(|_| !chunk.anchors.is_empty())?;
        pattern.fit_at(self.text, &self.index, anchor)?;
        free(anchor).then_some(anchor)
    }

    /// The line below the last anchor, each anchor searched below the one before it.
    fn below_anchors(&self, chunk: &Chunk<'t>, from: usize) -> Result<usize, Why> {
        let mut below = from;
        for (count, anchor) in chunk.anchors.iter().enumerate() {
            let found = pattern(vec![anchor]).find(self.text, &self.index, below, |_| true);
            let (line, _) = found.ok_or(Why::Anchor { count, below })?;
            below = line + 1;
        }
        Ok(below)
    }

    fn explain(&self, chunk: &Chunk<'t>, why: &Why) -> String {
        match *why {
            Why::Anchor { count, below } => {
                let anchor = chunk.anchors.get(count).copied().unwrap_or_default();
                let under = count.checked_sub(1).and_then(|above| chunk.anchors.get(above)).copied();
                nearest::anchor_not_found(self.text, anchor, under, self.file, below)
            }
            Why::Lines { below } => {
                let pattern = pattern(old_lines(&chunk.lines));
                nearest::lines_not_found(self.text, &self.index, &pattern, self.file, below)
            }
            Why::Overlap(other) => format!(
                "the lines of this chunk are in {}, but the chunk at line {other} of the patch already changes them",
                self.file
            ),
        }
    }

    /// Line of the chunk that already changes what one of these edits would change.
    fn conflict(&self, edits: &[Edit<'_>]) -> Option<usize> {
        edits.iter().find_map(|edit| {
            let (_, (chunk_line, other)) = self.taken.range(..(edit.at.end, 0, 0)).next_back()?;
            (edit.at.start < other.at.end).then_some(*chunk_line)
        })
    }

    fn take(&mut self, chunk_line: usize, start: usize, lines: &[Line<'t>], edits: Vec<Edit<'t>>) {
        self.cursor = start + old_lines(lines).len();
        for edit in edits {
            let order = self.taken.len();
            self.taken.insert((edit.at.start, edit.at.end, order), (chunk_line, edit));
        }
    }
}

/// Why one attempt failed. Told in words only when no other attempt succeeds.
enum Why {
    /// This anchor is not at or below this line.
    Anchor { count: usize, below: usize },
    /// The lines are not at or below this line.
    Lines { below: usize },
    /// The chunk at this line of the patch changes the same lines.
    Overlap(usize),
}

fn old_lines<'t>(lines: &[Line<'t>]) -> Vec<&'t str> {
    lines.iter().filter(|line| line.kind != LineKind::Add).map(|line| line.text).collect()
}

/// Old lines as a pattern; a BOM that the model copied from the first line is not part of it.
fn pattern(mut old: Vec<&str>) -> Pattern<'_> {
    if let Some(first) = old.first_mut() {
        *first = without_bom(first);
    }
    Pattern::new(old)
}

/// The edits of a chunk whose first old line is line `start` of the file: one per run of changed lines.
fn edits<'t>(lines: &[Line<'t>], start: usize) -> Vec<Edit<'t>> {
    let old = || lines.iter().filter(|line| line.kind != LineKind::Add);
    let endings_written = old().any(|l| l.text.ends_with('\r'));
    let newline_written = old().any(|l| l.no_newline);
    let mut out: Vec<Edit<'t>> = Vec::new();
    let mut at = start;
    let mut open = false;
    for line in lines {
        if line.kind == LineKind::Keep {
            at += 1;
            open = false;
            continue;
        }
        if !open {
            out.push(Edit { at: at..at, insert: Vec::new(), endings_written, newline_written });
            open = true;
        }
        let Some(edit) = out.last_mut() else { continue };
        if line.kind == LineKind::Add {
            edit.insert.push(*line);
        } else {
            at += 1;
            edit.at.end = at;
        }
    }
    out
}

/// The chunk without the blank line that ends its old lines: models write one where the file merely ends. A blank
/// line that also ends the new lines goes with it.
fn without_last_blank<'t>(lines: &[Line<'t>]) -> Option<Vec<Line<'t>>> {
    let last_old = lines.iter().rposition(|line| line.kind != LineKind::Add)?;
    let line = lines.get(last_old)?;
    let ends_chunk = last_old + 1 == lines.len();
    if !line.text.trim().is_empty() || last_old == 0 || (line.kind == LineKind::Keep && !ends_chunk) {
        return None;
    }
    let mut shorter = lines.to_vec();
    shorter.remove(last_old);
    if !ends_chunk && shorter.last().is_some_and(|line| line.text.trim().is_empty()) {
        shorter.pop();
    }
    Some(shorter)
}

#[cfg(test)]
#[path = "locate_tests.rs"]
mod tests;
