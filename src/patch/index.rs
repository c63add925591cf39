//! Where each line of a file occurs. Built once per file and asked once per chunk, so that placing a thousand chunks
//! in a long file costs little more than reading it.
//!
//! Lines are filed under their loosest form (trimmed, typographic characters made plain). Whatever matches more
//! strictly matches that form too, so one walk over the occurrences of a chunk's rarest line decides all four
//! degrees of strictness at once.

use super::text::Text;

/// How well a line of a file fits a line of a patch; smaller is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// Equal. A CR at the end counts as line ending, not as text.
    Exact,
    /// Equal but for white space at the end.
    TrailingSpace,
    /// Equal but for white space at both ends.
    AnySpace,
    /// Equal when dashes, quotes and spaces are written plainly.
    Typography,
}

/// Places looked at for a better fit once there is one: a file that is one line repeated must not cost a walk each.
const MAX_BETTER: usize = 4096;

/// Lines of a file by content.
#[derive(Debug)]
pub(crate) struct Index {
    /// Hash of each line.
    hashes: Vec<u32>,
    /// Where the lines of each bucket begin in `lines`, and one more.
    starts: Vec<u32>,
    /// Line numbers, bucket by bucket, ascending within each.
    lines: Vec<u32>,
}

impl Index {
    /// Files every line.
    pub(crate) fn new(text: &Text<'_>) -> Self {
        let mut scratch = String::new();
        let hashes: Vec<u32> = (0..text.len()).map(|i| line_hash(text.line(i), &mut scratch)).collect();
        let buckets = hashes.len().next_power_of_two();
        let mut starts = vec![0u32; buckets + 1];
        for &hash in &hashes {
            if let Some(count) = starts.get_mut(bucket(hash, buckets) + 1) {
                *count += 1;
            }
        }
        let mut sum = 0;
        for start in &mut starts {
            sum += *start;
            *start = sum;
        }
        let mut next = starts.clone();
        let mut lines = vec![0u32; hashes.len()];
        for (number, &hash) in hashes.iter().enumerate() {
            if let Some(free) = next.get_mut(bucket(hash, buckets)) {
                if let Some(slot) = lines.get_mut(*free as usize) {
                    *slot = number as u32;
                }
                *free += 1;
            }
        }
        Self { hashes, starts, lines }
    }

    /// Lines that may hold this text, ascending: all that do, and now and then one that does not.
    pub(crate) fn occurrences(&self, hash: u32) -> &[u32] {
        let at = bucket(hash, self.starts.len().saturating_sub(1));
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(&from), Some(&to)) => self.lines.get(from as usize..to as usize).unwrap_or_default(),
            _ => &[],
        }
    }

    /// Hash of a line of the file.
    pub(crate) fn hash(&self, line: usize) -> Option<u32> {
        self.hashes.get(line).copied()
    }
}

fn bucket(hash: u32, buckets: usize) -> usize {
    hash as usize & buckets.saturating_sub(1)
}

/// Lines to be found one below the other.
#[derive(Debug)]
pub(crate) struct Pattern<'t> {
    /// Lines as written in the patch.
    pub(crate) lines: Vec<&'t str>,
    hashes: Vec<u32>,
}

impl<'t> Pattern<'t> {
    /// Prepares lines for search.
    pub(crate) fn new(lines: Vec<&'t str>) -> Self {
        let mut scratch = String::new();
        let hashes = lines.iter().map(|line| line_hash(without_cr(line), &mut scratch)).collect();
        Self { lines, hashes }
    }

    /// Hash of each line.
    pub(crate) fn hashes(&self) -> &[u32] {
        &self.hashes
    }

    /// First best place at or after `from` that `allowed` accepts: the best degree wins, then the first place.
    pub(crate) fn find(
        &self,
        text: &Text<'_>,
        index: &Index,
        from: usize,
        mut allowed: impl FnMut(usize) -> bool,
    ) -> Option<(usize, Fit)> {
        let (rarest, lines) = self
            .hashes
            .iter()
            .map(|&hash| index.occurrences(hash))
            .enumerate()
            .min_by_key(|(_, lines)| lines.len())?;
        let first = lines.partition_point(|&line| (line as usize) < from + rarest);
        let mut best: Option<(usize, Fit)> = None;
        let mut looked = 0;
        for &line in lines.get(first..).unwrap_or_default() {
            let start = line as usize - rarest;
            if best.is_some() {
                looked += 1;
                if looked > MAX_BETTER {
                    break;
                }
            }
            let Some(fit) = self.fit_at(text, index, start) else { continue };
            if best.is_none_or(|(_, known)| fit < known) && allowed(start) {
                best = Some((start, fit));
                if fit == Fit::Exact {
                    break;
                }
            }
        }
        best
    }

    /// How well all lines fit from `start` on; `None` when they do not.
    pub(crate) fn fit_at(&self, text: &Text<'_>, index: &Index, start: usize) -> Option<Fit> {
        if start + self.lines.len() > text.len() {
            return None;
        }
        let same = |(offset, &hash): (usize, &u32)| index.hash(start + offset) == Some(hash);
        if !self.hashes.iter().enumerate().all(same) {
            return None;
        }
        let mut worst = Fit::Exact;
        for (offset, line) in self.lines.iter().enumerate() {
            worst = worst.max(fit(text.line(start + offset), line)?);
        }
        Some(worst)
    }
}

/// How well one line of a file fits one line of a patch.
pub(crate) fn fit(file: &str, patch: &str) -> Option<Fit> {
    let patch = without_cr(patch);
    if file == patch {
        Some(Fit::Exact)
    } else if file.trim_end() == patch.trim_end() {
        Some(Fit::TrailingSpace)
    } else if file.trim() == patch.trim() {
        Some(Fit::AnySpace)
    } else if file.trim().chars().map(plain_char).eq(patch.trim().chars().map(plain_char)) {
        Some(Fit::Typography)
    } else {
        None
    }
}

fn without_cr(line: &str) -> &str {
    line.strip_suffix('\r').unwrap_or(line)
}

/// Dashes, quotes and spaces as a keyboard has them.
fn plain_char(c: char) -> char {
    match c {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{2018}'..='\u{201b}' => '\'',
        '\u{201c}'..='\u{201f}' => '"',
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '\u{3000}' => ' ',
        other => other,
    }
}

/// Hash of the loosest form of a line. All the characters made plain are white space or stay none, so trimming
/// before and trimming after agree.
fn line_hash(line: &str, scratch: &mut String) -> u32 {
    if line.is_ascii() {
        return hash(trim_ascii(line.as_bytes()));
    }
    scratch.clear();
    scratch.extend(line.trim().chars().map(plain_char));
    hash(scratch.as_bytes())
}

/// What `str::trim` takes off ASCII text, without decoding it.
fn trim_ascii(mut bytes: &[u8]) -> &[u8] {
    let blank = |b: u8| matches!(b, 9..=13 | b' ');
    while let [first, rest @ ..] = bytes
        && blank(*first)
    {
        bytes = rest;
    }
    while let [rest @ .., last] = bytes
        && blank(*last)
    {
        bytes = rest;
    }
    bytes
}

/// Multiply-rotate over eight bytes at a time. Collisions cost time, never correctness.
fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = bytes.len() as u64;
    let mut chunks = bytes.chunks_exact(8);
    let mut mix = |word: u64| state = (state.rotate_left(5) ^ word).wrapping_mul(FACTOR);
    for chunk in &mut chunks {
        mix(u64::from_le_bytes(chunk.try_into().unwrap_or_default()));
    }
    let mut tail = [0u8; 8];
    for (slot, byte) in tail.iter_mut().zip(chunks.remainder()) {
        *slot = *byte;
    }
    mix(u64::from_le_bytes(tail));
    (state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits() {
        for (file, patch, want) in [
            ("a b", "a b", Some(Fit::Exact)),
            ("a b", "a b\r", Some(Fit::Exact)),
            ("a b  ", "a b", Some(Fit::TrailingSpace)),
            ("a b", "a b\t", Some(Fit::TrailingSpace)),
            ("\ta b", "    a b", Some(Fit::AnySpace)),
            ("say “hi” – now", "say \"hi\" - now", Some(Fit::Typography)),
            ("a\u{a0}b", "a b", Some(Fit::Typography)),
            ("a b", "a  b", None),
            ("a", "b", None),
        ] {
            assert_eq!(fit(file, patch), want, "{file:?} {patch:?}");
            let mut scratch = String::new();
            let same = line_hash(file, &mut scratch) == line_hash(without_cr(patch), &mut scratch);
            assert_eq!(same, want.is_some(), "hash of {file:?} {patch:?}");
        }
    }

    #[test]
    fn a_better_fit_wins_over_an_earlier_place() {
        let text = Text::new("  x\ny\nx\ny\nx\n").unwrap();
        let index = Index::new(&text);
        let find = |lines, from| Pattern::new(lines).find(&text, &index, from, |_| true);
        assert_eq!(find(vec!["x", "y"], 0), Some((2, Fit::Exact)));
        assert_eq!(find(vec![" x", "y"], 0), Some((0, Fit::AnySpace)));
        assert_eq!(find(vec!["x"], 3), Some((4, Fit::Exact)));
        assert_eq!(find(vec!["x", "y"], 3), None);
        assert_eq!(find(vec!["z"], 0), None);
    }
}
