//! A thread spread over several files. Newer programs do not copy history when a thread is forked or taken back:
//! the new file says which earlier file it continues, and up to where. This finds those files; a missing one or
//! a circle ends the chain with a problem, never with a failure.

use std::path::{Path, PathBuf};

use super::error::Error;
use super::head::{self, Head, Marks};
use super::index;
use super::line::{self, Line, Reason};
use super::meta::{Base, Meta};
use super::reader::{Backwards, Problems, RawLine};
use crate::base::ids::ThreadId;

/// Files a thread may be spread over.
const MAX_FILES: usize = 64;

/// The part of one file that belongs to the thread.
#[derive(Clone, Debug)]
pub(crate) struct Segment {
    /// The file.
    pub(crate) path: PathBuf,
    /// Bytes from here on do not belong to it.
    pub(crate) end: u64,
    /// Lines from this ordinal on do not belong to it.
    pub(crate) before_ordinal: Option<u64>,
    /// What begins a turn in it.
    pub(crate) marks: Marks,
    /// Where its first turn begins.
    pub(crate) first_turn: u64,
}

/// All parts of a thread, the last one first.
#[derive(Debug)]
pub(crate) struct Chain {
    /// What the thread is, told by its own file.
    pub(crate) meta: Meta,
    /// The parts.
    pub(crate) segments: Vec<Segment>,
}

impl Segment {
    fn new(path: PathBuf, end: u64, before_ordinal: Option<u64>, head: &Head) -> Self {
        Self { path, end, before_ordinal, marks: head.marks, first_turn: head.first_turn.unwrap_or(u64::MAX) }
    }

    /// Whether a line with this ordinal belongs to the part.
    fn covers(&self, ordinal: Option<u64>) -> bool {
        match (self.before_ordinal, ordinal) {
            (Some(end), Some(ordinal)) => ordinal < end,
            (None, _) | (Some(_), None) => true,
        }
    }

    /// Its lines, the last one first.
    pub(super) fn backwards(&self) -> Result<Backwards, Error> {
        Backwards::open(&self.path, self.end).map_err(Error::io("read", &self.path))
    }

    /// The line if it is sound and belongs to the thread; what is wrong with it becomes a problem.
    pub(super) fn good<'a>(&self, raw: RawLine<'a>, problems: &mut Problems) -> Option<Line<'a>> {
        let ended = raw.ended;
        match raw.bytes.and_then(line::parse) {
            Ok(read) => {
                if read.salvaged {
                    problems.push(raw.offset, None, Reason::NotARecord("two lines ran together".into()));
                }
                self.covers(read.ordinal).then_some(read)
            }
            Err(reason) => {
                problems.push(raw.offset, None, if ended { reason } else { Reason::Torn });
                None
            }
        }
    }
}

/// Finds the files of the thread stored in `path`.
///
/// # Errors
/// `path` itself cannot be read.
pub(crate) fn open(home: &Path, path: &Path, problems: &mut Problems) -> Result<Chain, Error> {
    let head = head::read(path).map_err(Error::io("read", path))?;
    let end = std::fs::metadata(path).map_err(Error::io("read", path))?.len();
    let mut segments = vec![Segment::new(path.to_owned(), end, None, &head)];
    let meta = match head.meta {
        Some(meta) => meta,
        None => Meta::unknown(index::id_of(path).unwrap_or_else(ThreadId::new)),
    };
    let mut base = meta.base;
    while let Some(wanted) = base {
        let found = if segments.len() < MAX_FILES { find_base(home, wanted, &segments) } else { None };
        let Some((segment, head)) = found else {
            problems.push(0, None, Reason::MissingBase(wanted.thread_id.to_string()));
            break;
        };
        segments.push(segment);
        base = head.meta.and_then(|meta| meta.base);
    }
    Ok(Chain { meta, segments })
}

/// The file that holds what is before `base`: the one where it ends at the told place, else the newest that
/// begins early enough.
fn find_base(home: &Path, base: Base, used: &[Segment]) -> Option<(Segment, Head)> {
    let before = base.end_ordinal_exclusive;
    let mut loose = None;
    for path in index::files_of(home, base.thread_id) {
        if used.iter().any(|segment| segment.path == path) {
            continue;
        }
        let Ok(head) = head::read(&path) else { continue };
        if let Some(end) = base.end_byte_offset
            && ends_with(&path, end, before)
        {
            return Some((Segment::new(path, end, Some(before), &head), head));
        }
        if loose.is_none() && head.ordinal.is_none_or(|first| first < before) {
            let end = std::fs::metadata(&path).map_or(0, |meta| meta.len());
            loose = Some((Segment::new(path, end, Some(before), &head), head));
        }
    }
    loose
}

/// Whether the line that ends at `end` is the last one before the ordinal.
fn ends_with(path: &Path, end: u64, before: u64) -> bool {
    let Ok(mut lines) = Backwards::open(path, end) else { return false };
    let Ok(Some(raw)) = lines.next() else { return false };
    let ordinal = raw.bytes.ok().and_then(|bytes| line::parse(bytes).ok()).and_then(|line| line.ordinal);
    raw.ended && ordinal.is_some_and(|ordinal| ordinal + 1 == before)
}
