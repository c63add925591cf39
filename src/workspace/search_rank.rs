//! Ranking of paths for one query: by fuzzy score, where letters found in the file's own name count for more,
//! then by how recently the file was changed. Times are read only for the few rows that could be shown.

use std::cmp::Reverse;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use nucleo::pattern::{AtomKind, CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32Str};

use super::search::Kind;
use super::search_walk::Chunk;

/// Candidates kept; the rest of a long list of matches is dropped as better ones come.
const KEPT: usize = 256;
/// What a match inside the file's own name is worth, in the matcher's points (a letter at a boundary has 24).
const NAME_BONUS: u32 = 32;

#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: u32,
    bytes: u32,
    chunk: u32,
    index: u32,
}

/// A ranked path.
pub(super) struct Row {
    pub(super) path: String,
    pub(super) kind: Kind,
    pub(super) marks: Vec<u32>,
}

/// The best matches so far of one query.
pub(super) struct Ranking {
    pattern: Pattern,
    matcher: Matcher,
    blank: bool,
    chunks: Vec<Arc<Chunk>>,
    best: Vec<Candidate>,
    buffer: Vec<char>,
}

impl Ranking {
    pub(super) fn new(query: &str) -> Self {
        Self {
            pattern: Pattern::new(query, CaseMatching::Smart, Normalization::Smart, AtomKind::Fuzzy),
            matcher: Matcher::new(Config::DEFAULT.match_paths()),
            blank: query.is_empty(),
            chunks: Vec::new(),
            best: Vec::new(),
            buffer: Vec::new(),
        }
    }

    /// Matches kept so far.
    pub(super) fn len(&self) -> usize {
        self.best.len()
    }

    /// Ranks a part of the list.
    pub(super) fn add(&mut self, chunk: Arc<Chunk>) {
        let number = u32::try_from(self.chunks.len()).unwrap_or(u32::MAX);
        for index in 0..chunk.len() {
            let Some((path, _)) = chunk.get(index) else { continue };
            let Some(score) = self.score(path) else { continue };
            let bytes = u32::try_from(path.len()).unwrap_or(u32::MAX);
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            self.best.push(Candidate { score, bytes, chunk: number, index });
            if self.best.len() >= KEPT * 16 {
                self.shrink();
            }
        }
        self.chunks.push(chunk);
    }

    /// `None` when the path does not match. Without a query, what lies higher comes first.
    fn score(&mut self, path: &str) -> Option<u32> {
        if self.blank {
            let depth = path.bytes().filter(|b| *b == b'/').count();
            return Some(1000_u32.saturating_sub(u32::try_from(depth).unwrap_or(1000)));
        }
        let whole = self.pattern.score(Utf32Str::new(path, &mut self.buffer), &mut self.matcher)?;
        let name = path.rsplit_once('/').map_or(path, |(_, name)| name);
        let inside = self.pattern.score(Utf32Str::new(name, &mut self.buffer), &mut self.matcher);
        Some(inside.map_or(whole, |s| whole.max(s + NAME_BONUS)))
    }

    fn shrink(&mut self) {
        if self.best.len() > KEPT {
            self.best.select_nth_unstable_by_key(KEPT, |c| (Reverse(c.score), c.bytes, c.chunk, c.index));
            self.best.truncate(KEPT);
        }
    }

    /// The best `rows` paths below `root`.
    pub(super) fn best(&mut self, root: &Path, rows: usize) -> Vec<Row> {
        self.shrink();
        let mut dated: Vec<(Candidate, SystemTime)> = Vec::with_capacity(self.best.len());
        for candidate in &self.best {
            let changed = self.path(candidate).and_then(|(path, _)| changed_at(&root.join(path)));
            dated.push((*candidate, changed.unwrap_or(SystemTime::UNIX_EPOCH)));
        }
        dated.sort_by(|(a, a_time), (b, b_time)| {
            let order = b.score.cmp(&a.score).then(b_time.cmp(a_time)).then(a.bytes.cmp(&b.bytes));
            order.then_with(|| self.path(a).map(|p| p.0).cmp(&self.path(b).map(|p| p.0)))
        });
        let mut out = Vec::new();
        for (candidate, _) in dated.iter().take(rows) {
            let Some((path, kind)) = self.path(candidate).map(|(p, k)| (p.to_owned(), k)) else { continue };
            let marks = self.marks(&path);
            out.push(Row { path, kind, marks });
        }
        out
    }

    fn path(&self, candidate: &Candidate) -> Option<(&str, Kind)> {
        self.chunks.get(candidate.chunk as usize)?.get(candidate.index as usize)
    }

    /// Indices of the characters that matched: in the name when they all are there, else in the path.
    fn marks(&mut self, path: &str) -> Vec<u32> {
        let mut marks = Vec::new();
        if self.blank {
            return marks;
        }
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        let text = Utf32Str::new(name, &mut self.buffer);
        if self.pattern.indices(text, &mut self.matcher, &mut marks).is_some() {
            let shift = if folder.is_empty() { 0 } else { folder.chars().count() + 1 };
            marks.iter_mut().for_each(|m| *m += u32::try_from(shift).unwrap_or(0));
        } else {
            marks.clear();
            let text = Utf32Str::new(path, &mut self.buffer);
            self.pattern.indices(text, &mut self.matcher, &mut marks);
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}

fn changed_at(path: &Path) -> Option<SystemTime> {
    std::fs::symlink_metadata(path).and_then(|m| m.modified()).ok()
}
