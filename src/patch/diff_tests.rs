//! Tests of `diff`.

use super::*;

/// Applies hunks strictly: every old line and every number must be right.
pub(in crate::patch) fn apply_unified(old: &str, hunks: &str) -> String {
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let mut out: Vec<String> = Vec::new();
    let mut at = 0;
    let mut lines = hunks.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        if let Some(head) = line.strip_prefix("@@ -") {
            let (before, after) = head.trim_end().trim_end_matches(" @@").split_once(" +").unwrap();
            let start = |span: &str| {
                let (first, count) = span.split_once(',').unwrap_or((span, "1"));
                let first: usize = first.parse().unwrap();
                if count == "0" { first } else { first - 1 }
            };
            out.extend(old[at..start(before)].iter().map(|&l| l.to_owned()));
            at = start(before);
            assert_eq!(out.len(), start(after), "{line}");
            continue;
        }
        let bare = lines.next_if(|next| next.starts_with("\\ ")).is_some();
        let content = line.get(1..).unwrap();
        let content = if bare { content.strip_suffix('\n').unwrap() } else { content };
        if !line.starts_with('+') {
            assert_eq!(old[at], content);
            at += 1;
        }
        if !line.starts_with('-') {
            out.push(content.to_owned());
        }
    }
    out.extend(old[at..].iter().map(|&l| l.to_owned()));
    out.concat()
}

#[test]
fn looks_like_git() {
    assert_eq!(between("alpha\n", "beta\n"), "@@ -1 +1 @@\n-alpha\n+beta\n");
    assert_eq!(between("", "a\nb\n"), "@@ -0,0 +1,2 @@\n+a\n+b\n");
    assert_eq!(between("a", "a\n"), "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n");
    assert_eq!(between("a\n", "a\n"), "");
    assert_eq!(between("a\rb\n", "a\rc\n"), "@@ -1 +1 @@\n-a\rb\n+a\rc\n");
}

#[test]
fn long_texts_are_cut_at_a_line() {
    let text = "0123456789\n".repeat(MAX_BYTES / 10);
    let got = bounded(text.clone());
    assert!(got.len() < MAX_BYTES + 100 && got.ends_with(" more bytes\n"), "{}", got.len());
    let got = between("", &text);
    assert!(got.len() < MAX_BYTES + 100);
    let got = bounded("é".repeat(MAX_BYTES));
    assert!(got.len() < MAX_BYTES + 100);
}
