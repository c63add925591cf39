//! Cuts a unified diff into pieces with right line numbers, and takes its changed lines out of it. Content of files
//! that come or go is treated as a diff in which every line has the same sign. Pure, and tolerant: a diff whose
//! headers cannot be read is shown all the same.

use std::fmt::Write as _;

/// Lines of a piece; more are laid out apart.
const LINES: usize = 200;

/// A stretch of a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Bytes of the diff, whole lines.
    start: usize,
    end: usize,
    /// Line number of the first line, before and after; 0 when not known.
    old: usize,
    new: usize,
}

impl Piece {
    /// The piece as a unified diff of its own.
    pub(crate) fn unified(&self, diff: &str, sign: Option<char>) -> String {
        let text = diff.get(self.start..self.end).unwrap_or_default();
        let mut out = String::with_capacity(text.len() + 32);
        if let Some(sign) = sign {
            let count = text.lines().count();
            let (old, new) = if sign == '+' { (0, count) } else { (count, 0) };
            header(&mut out, self.old, old, self.new, new);
            for line in text.lines() {
                out.push(sign);
                out.push_str(line);
                out.push('\n');
            }
        } else if text.starts_with("@@") {
            out.push_str(text);
        } else {
            let (added, removed) = signs(text);
            let kept = text.lines().count().saturating_sub(added + removed);
            header(&mut out, self.old, kept + removed, self.new, kept + added);
            out.push_str(text);
        }
        out
    }
}

fn header(out: &mut String, old: usize, old_count: usize, new: usize, new_count: usize) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "@@ -{old},{old_count} +{new},{new_count} @@");
}

/// The whole diff in pieces, in order. Nothing for an empty one.
pub(crate) fn pieces(diff: &str, sign: Option<char>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let (mut old, mut new) = (1, 1);
    let (mut lines, mut at) = (0, 0);
    for line in diff.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let is_header = sign.is_none() && line.starts_with("@@");
        if is_header && let Some(numbers) = numbers(line) {
            (old, new) = numbers;
        }
        let in_head = sign.is_none() && is_file_header(line, pieces.is_empty());
        if in_head {
            continue;
        }
        lines += 1;
        // A header begins a piece so that its own numbers count, but small hunks stay together.
        let full = lines > LINES || (is_header && lines > LINES / 2);
        match pieces.last_mut() {
            Some(piece) if !full => piece.end = at,
            _ => {
                pieces.push(Piece { start, end: at, old, new });
                lines = 1;
            }
        }
        if !is_header {
            step(line, sign, &mut old, &mut new);
        }
    }
    pieces
}

/// Names of the files and such before the first hunk.
fn is_file_header(line: &str, at_start: bool) -> bool {
    let words = ["--- ", "+++ ", "diff ", "index ", "similarity ", "rename ", "new file", "deleted file"];
    at_start && words.iter().any(|word| line.starts_with(word))
}

fn step(line: &str, sign: Option<char>, old: &mut usize, new: &mut usize) {
    match sign.or_else(|| line.chars().next()) {
        Some('+') => *new += 1,
        Some('-') => *old += 1,
        Some('\\') => {}
        _ => {
            *old += 1;
            *new += 1;
        }
    }
}

/// First line numbers of a hunk, before and after.
fn numbers(header: &str) -> Option<(usize, usize)> {
    let mut words = header.split_whitespace().skip(1);
    let mut number = |sign| words.next()?.strip_prefix(sign)?.split(',').next()?.parse().ok();
    Some((number('-')?, number('+')?))
}

/// Added and removed lines.
pub(crate) fn counts(diff: &str, sign: Option<char>) -> (usize, usize) {
    if let Some(sign) = sign {
        let lines = diff.lines().count();
        return if sign == '+' { (lines, 0) } else { (0, lines) };
    }
    let mut at = 0;
    for line in diff.split_inclusive('\n').take_while(|line| is_file_header(line, true)) {
        at += line.len();
    }
    signs(diff.get(at..).unwrap_or_default())
}

/// Added and removed lines of a text without headers of files.
fn signs(text: &str) -> (usize, usize) {
    text.lines().fold((0, 0), |(added, removed), line| match line.as_bytes().first() {
        Some(b'+') => (added + 1, removed),
        Some(b'-') => (added, removed + 1),
        _ => (added, removed),
    })
}

/// A diff of the first `limit` changed lines alone, and how many it holds.
pub(crate) fn changed_only(diff: &str, sign: Option<char>, limit: usize) -> (String, usize) {
    let mut out = String::new();
    let (mut old, mut new) = (1, 1);
    let mut taken = 0;
    // The stretch of changed lines at hand: where it begins, and its lines.
    let mut run: Option<(usize, usize, String)> = None;
    let mut in_hunk = false;
    for line in diff.lines() {
        if taken == limit {
            break;
        }
        if sign.is_none() && is_file_header(line, !in_hunk) {
            continue;
        }
        in_hunk = true;
        if sign.is_none() && line.starts_with("@@") {
            flush(&mut out, run.take());
            (old, new) = numbers(line).unwrap_or((old, new));
            continue;
        }
        let mark = sign.or_else(|| line.chars().next().filter(|mark| matches!(mark, '+' | '-')));
        if let Some(mark) = mark {
            let (_, _, lines) = run.get_or_insert_with(|| (old, new, String::new()));
            lines.push(mark);
            lines.push_str(if sign.is_some() { line } else { line.get(1..).unwrap_or_default() });
            lines.push('\n');
            taken += 1;
        } else if !line.starts_with('\\') {
            flush(&mut out, run.take());
        }
        step(line, sign, &mut old, &mut new);
    }
    flush(&mut out, run);
    (out, taken)
}

fn flush(out: &mut String, run: Option<(usize, usize, String)>) {
    let Some((old, new, lines)) = run else { return };
    let (added, removed) = signs(&lines);
    header(out, old, removed, new, added);
    out.push_str(&lines);
}

#[cfg(test)]
mod tests {
    use super::*;

    const DIFF: &str =
        "--- a/x\n+++ b/x\n@@ -3,4 +3,5 @@ fn f\n a\n-b\n+B\n+C\n d\n@@ -20 +21,2 @@\n e\n+f\n";

    #[test]
    fn lines_are_counted_without_headers() {
        assert_eq!(counts(DIFF, None), (3, 1));
        assert_eq!(counts("a\nb\n", Some('+')), (2, 0));
        assert_eq!(
            counts("--- a\n+++ b\n@@ -1 +1 @@\n--- x\n+++ y\n", None),
            (1, 1),
            "lines of the file itself"
        );
    }

    #[test]
    fn changed_lines_keep_their_numbers() {
        let (diff, taken) = changed_only(DIFF, None, 12);
        assert_eq!(diff, "@@ -4,1 +4,2 @@\n-b\n+B\n+C\n@@ -21,0 +22,1 @@\n+f\n");
        assert_eq!(taken, 4);
        assert_eq!(changed_only(DIFF, None, 2), ("@@ -4,1 +4,1 @@\n-b\n+B\n".to_owned(), 2));
        assert_eq!(changed_only("a\nb\n", Some('-'), 1), ("@@ -1,1 +1,0 @@\n-a\n".to_owned(), 1));
    }

    #[test]
    fn pieces_are_the_whole_and_go_on_counting() {
        let content = "x\n".repeat(450);
        let all = pieces(&content, Some('+'));
        assert_eq!(all.iter().map(|piece| piece.new).collect::<Vec<_>>(), [1, 201, 401]);
        let lines: usize = all.iter().map(|piece| counts(&piece.unified(&content, Some('+')), None).0).sum();
        assert_eq!(lines, 450);

        let long = format!("@@ -10,0 +10,300 @@\n{}", "+x\n".repeat(300));
        let all = pieces(&long, None);
        assert_eq!(all.len(), 2);
        assert!(all[1].unified(&long, None).starts_with("@@ -10,0 +209,101 @@\n+x"), "{:?}", all[1]);
        assert_eq!(pieces(DIFF, None).len(), 1);
        assert_eq!(pieces("", None).len(), 0);
    }
}
