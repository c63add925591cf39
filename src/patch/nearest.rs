//! What a model is told when lines of its patch are not in the file: what was looked for, and the place that comes
//! nearest with its line number, so that it can correct itself without reading the whole file again. Runs only on
//! failure, and is bounded in time and in text.

use super::error::quote;
use super::index::{Index, Pattern, fit};
use super::text::Text;

/// Lines quoted at most from either side.
const MAX_LINES: usize = 12;
/// Places weighed per looked-for line.
const MAX_PLACES: usize = 500;
/// How alike two lines must be to be called near, of 100.
const NEAR_PCT: usize = 50;

/// The text for lines that have no place.
pub(super) fn lines_not_found(
    text: &Text<'_>,
    index: &Index,
    pattern: &Pattern<'_>,
    file: &str,
    below: usize,
) -> String {
    let mut out = format!("failed to find expected lines in {file}{}:\n", searched_from(below));
    quote_lines(&mut out, pattern.lines.iter().copied());
    let wanted = || pattern.lines.iter().find(|line| !line.trim().is_empty());
    let start = by_votes(text, index, pattern).or_else(|| {
        let first = wanted()?;
        let offset = pattern.lines.iter().position(|line| line == first)?;
        Some(most_alike(text, first)?.saturating_sub(offset))
    });
    let Some(start) = start else {
        out.push_str("nothing in the file comes near");
        return out;
    };
    let end = (start + pattern.lines.len()).min(text.len());
    out.push_str(&format!("the nearest match begins at line {}:\n", start + 1));
    quote_lines(&mut out, (start..end).map(|line| text.line(line)));
    let differs = pattern.lines.iter().enumerate().find(|(offset, line)| {
        start + offset >= text.len() || fit(text.line(start + offset), line).is_none()
    });
    if let Some((offset, line)) = differs {
        let has = match start + offset < text.len() {
            true => quote(text.line(start + offset)),
            false => "already ended".into(),
        };
        out.push_str(&format!(
            "first difference at line {}: the file has {has}, the patch {}",
            start + offset + 1,
            quote(line)
        ));
    } else {
        out.push_str("these lines stand above the place where the search began");
    }
    out
}

/// The text for an anchor that is not there.
pub(super) fn anchor_not_found(
    text: &Text<'_>,
    anchor: &str,
    under: Option<&str>,
    file: &str,
    below: usize,
) -> String {
    let under = under.map_or(String::new(), |line| format!(" below {}", quote(line)));
    let mut out =
        format!("failed to find context {}{under} in {file}{}", quote(anchor), searched_from(below));
    match most_alike(text, anchor) {
        Some(line) => {
            out.push_str(&format!("; the nearest line is {}: {}", line + 1, quote(text.line(line))))
        }
        None => out.push_str("; nothing in the file comes near"),
    }
    out
}

fn searched_from(below: usize) -> String {
    if below == 0 { String::new() } else { format!(" from line {} on", below + 1) }
}

fn quote_lines<'a>(out: &mut String, lines: impl Iterator<Item = &'a str>) {
    for (count, line) in lines.enumerate() {
        if count == MAX_LINES {
            out.push_str("  …\n");
            return;
        }
        let quoted = quote(line);
        let bare = quoted.strip_prefix('`').and_then(|q| q.strip_suffix('`')).unwrap_or(&quoted);
        out.push_str("  ");
        out.push_str(bare);
        out.push('\n');
    }
}

/// The place where most of the lines stand: each occurrence of each line votes for where the first would be.
fn by_votes(text: &Text<'_>, index: &Index, pattern: &Pattern<'_>) -> Option<usize> {
    let mut votes = std::collections::BTreeMap::<usize, usize>::new();
    for (offset, (&hash, line)) in pattern.hashes().iter().zip(&pattern.lines).enumerate().take(200) {
        if line.trim().is_empty() {
            continue;
        }
        for &place in index.occurrences(hash).iter().take(MAX_PLACES) {
            if let Some(start) = (place as usize).checked_sub(offset)
                && fit(text.line(place as usize), line).is_some()
            {
                *votes.entry(start).or_default() += 1;
            }
        }
    }
    votes.into_iter().max_by_key(|&(start, count)| (count, usize::MAX - start)).map(|(start, _)| start)
}

/// The line that shares most of its beginning and end with `wanted`.
fn most_alike(text: &Text<'_>, wanted: &str) -> Option<usize> {
    let wanted = wanted.trim();
    let mut best = (NEAR_PCT - 1, None);
    for number in 0..text.len() {
        let line = text.line(number).trim();
        let longer = line.len().max(wanted.len()).max(1);
        let shorter = line.len().min(wanted.len());
        if shorter * 100 / longer <= best.0 {
            continue;
        }
        let front = line.bytes().zip(wanted.bytes()).take_while(|(a, b)| a == b).count();
        let back = line.bytes().rev().zip(wanted.bytes().rev()).take_while(|(a, b)| a == b).count();
        let alike = (front + back).min(shorter) * 100 / longer;
        if alike > best.0 {
            best = (alike, Some(number));
        }
    }
    best.1
}
