//! Unified diffs: of one patch from the edits that are already known (no search for differences, whatever the size
//! of the file), and between two texts when several patches changed a file. Always bounded, in text and in time.

use std::time::Duration;

use super::hunk::{Line, LineKind};
use super::locate::Edit;
use super::splice::inserted;
use super::text::Text;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;
/// Longest diff or content that is shown, in bytes.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// Time for finding the shortest diff; a longer one that is right follows.
const MAX_TIME: Duration = Duration::from_millis(100);
const NO_NEWLINE: &str = "\\ No newline at end of file\n";

/// Hunks of a unified diff, without file headers.
pub(crate) fn of_edits(text: &Text<'_>, edits: &[Edit<'_>]) -> String {
    let edits = with_bare_last_line(text, edits);
    let mut out = String::new();
    let mut rest = edits.as_slice();
    // How many lines the new file is ahead of the old one.
    let mut ahead = 0isize;
    while let Some(first) = rest.first() {
        let near = |pair: &[Edit<'_>]| matches!(pair, [a, b] if b.at.start <= a.at.end + 2 * CONTEXT);
        let count = 1 + rest.windows(2).take_while(|pair| near(pair)).count();
        let (group, later) = rest.split_at_checked(count).unwrap_or((rest, &[]));
        let last_end = group.last().map_or(first.at.end, |edit| edit.at.end);
        let (start, end) = (first.at.start.saturating_sub(CONTEXT), (last_end + CONTEXT).min(text.len()));
        let removed: usize = group.iter().map(|edit| edit.at.len()).sum();
        let added: usize = group.iter().map(|edit| edit.insert.len()).sum();
        let (old_count, new_count) = (end - start, end - start - removed + added);
        let new_start = start.saturating_add_signed(ahead);
        out.push_str(&format!("@@ -{} +{} @@\n", span(start, old_count), span(new_start, new_count)));
        hunk(&mut out, text, group, (start, end), later.is_empty());
        ahead += added as isize - removed as isize;
        rest = later;
        if out.len() > MAX_BYTES {
            break;
        }
    }
    bounded(out)
}

fn hunk(out: &mut String, text: &Text<'_>, group: &[Edit<'_>], (start, end): (usize, usize), last: bool) {
    let old = |out: &mut String, mark: char, lines: std::ops::Range<usize>| {
        for line in lines {
            let raw = text.raw(line..line + 1);
            push(out, mark, raw.strip_suffix('\n').unwrap_or(raw), "", raw.ends_with('\n'));
        }
    };
    let mut at = start;
    for (count, edit) in group.iter().enumerate() {
        old(out, ' ', at..edit.at.start);
        old(out, '-', edit.at.clone());
        let ends_file = last && count + 1 == group.len() && edit.at.end == text.len();
        for (line, ending) in inserted(text, edit, ends_file) {
            push(out, '+', line, if ending == "\r\n" { "\r" } else { "" }, !ending.is_empty());
        }
        at = edit.at.end;
    }
    old(out, ' ', at..end);
}

fn push(out: &mut String, mark: char, line: &str, cr: &str, newline: bool) {
    out.push(mark);
    out.push_str(line);
    out.push_str(cr);
    out.push('\n');
    if !newline {
        out.push_str(NO_NEWLINE);
    }
}

/// Lines put behind a last line that has no newline change that line too: it gets one.
fn with_bare_last_line<'t>(text: &Text<'t>, edits: &[Edit<'t>]) -> Vec<Edit<'t>> {
    let mut edits = edits.to_vec();
    let Some(last) = text.len().checked_sub(1).filter(|_| text.lacks_newline()) else { return edits };
    let covered = edits.iter().any(|edit| edit.at.contains(&last));
    if let Some(edit) = edits.iter_mut().find(|edit| edit.at.start > last)
        && !covered
        && !edit.insert.is_empty()
    {
        edit.at.start = last;
        edit.insert.insert(0, Line { kind: LineKind::Add, text: text.line(last), no_newline: false });
    }
    edits
}

/// `first,count` as a hunk header has it.
fn span(start: usize, count: usize) -> String {
    match count {
        0 => format!("{start},0"),
        1 => format!("{}", start + 1),
        _ => format!("{},{count}", start + 1),
    }
}

/// Hunks of a unified diff between two texts, without file headers; empty when they are equal.
pub(crate) fn between(old: &str, new: &str) -> String {
    if old.is_empty() && !new.is_empty() {
        return bounded(all_new(new));
    }
    // Split here, not by the library: to it a lone CR ends a line.
    let (old, new): (Vec<&str>, Vec<&str>) =
        (old.split_inclusive('\n').collect(), new.split_inclusive('\n').collect());
    let diff = similar::TextDiff::configure().timeout(MAX_TIME).diff_slices(&old, &new);
    let mut out = String::new();
    for hunk in diff.unified_diff().context_radius(CONTEXT).iter_hunks() {
        let ops = hunk.ops();
        let (Some(first), Some(last)) = (ops.first(), ops.last()) else { continue };
        let old_range = first.old_range().start..last.old_range().end;
        let new_range = first.new_range().start..last.new_range().end;
        let (old_span, new_span) =
            (span(old_range.start, old_range.len()), span(new_range.start, new_range.len()));
        out.push_str(&format!("@@ -{old_span} +{new_span} @@\n"));
        for change in hunk.iter_changes() {
            let mark = match change.tag() {
                similar::ChangeTag::Equal => ' ',
                similar::ChangeTag::Delete => '-',
                similar::ChangeTag::Insert => '+',
            };
            let raw = change.value();
            push(&mut out, mark, raw.strip_suffix('\n').unwrap_or(raw), "", raw.ends_with('\n'));
        }
        if out.len() > MAX_BYTES {
            break;
        }
    }
    bounded(out)
}

/// The diff of a file that has only new lines.
fn all_new(text: &str) -> String {
    let shown = text.get(..text.floor_char_boundary(MAX_BYTES)).unwrap_or(text);
    let mut out = format!("@@ -0,0 +{} @@\n", span(0, text.split_inclusive('\n').count()));
    for raw in shown.split_inclusive('\n') {
        push(
            &mut out,
            '+',
            raw.strip_suffix('\n').unwrap_or(raw),
            "",
            raw.ends_with('\n') || shown.len() < text.len(),
        );
    }
    out
}

/// The beginning of a text that is too long, up to a whole line, and how much is left out.
pub(crate) fn bounded(mut text: String) -> String {
    if text.len() <= MAX_BYTES {
        return text;
    }
    let cut = memchr::memrchr(b'\n', text.as_bytes().get(..MAX_BYTES).unwrap_or_default());
    let keep = cut.map_or_else(|| text.floor_char_boundary(MAX_BYTES), |at| at + 1);
    let left_out = text.len() - keep;
    text.truncate(keep);
    text.push_str(&format!("… {left_out} more bytes\n"));
    text
}

#[cfg(test)]
#[path = "diff_tests.rs"]
pub(super) mod tests;
