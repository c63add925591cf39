//! Where one visible character ends and the next begins. A cluster is a grapheme cluster or one token (see
//! [`super::elements`]); a token never joins with a combining mark beside it. ASCII takes a short way, because
//! that is what nearly every draft consists of.

use unicode_segmentation::{GraphemeCursor, UnicodeSegmentation};

use super::elements;
use crate::tui::text;

/// Columns a tabulator takes on screen.
pub(crate) const TAB_COLUMNS: usize = 4;

/// The part of `text` from `start` to `end`; empty when the range is not on character boundaries.
pub(crate) fn slice(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or_default()
}

/// The text from byte `at` on.
pub(crate) fn tail(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// The text before byte `at`.
pub(crate) fn head(text: &str, at: usize) -> &str {
    text.get(..at).unwrap_or_default()
}

/// End of the cluster that starts at byte `at`; the length of the text at its end.
pub(crate) fn next(text: &str, at: usize) -> usize {
    let bytes = text.as_bytes();
    match (bytes.get(at), bytes.get(at + 1)) {
        (None, _) => text.len(),
        (Some(first), second) if first.is_ascii() && second.is_none_or(u8::is_ascii) => at + 1,
        _ => {
            let rest = tail(text, at);
            match rest.chars().next() {
                Some(c) if elements::is_token(c) => at + c.len_utf8(),
                _ => at + rest.graphemes(true).next().map_or(1, str::len),
            }
        }
    }
}

/// Start of the cluster that ends at byte `at`; 0 at the start.
pub(crate) fn prev(text: &str, at: usize) -> usize {
    let before = head(text, at);
    let Some(last) = before.chars().next_back() else { return 0 };
    if last.is_ascii() || elements::is_token(last) {
        return at - last.len_utf8();
    }
    let start = GraphemeCursor::new(before.len(), before.len(), true).prev_boundary(before, 0);
    let start = start.ok().flatten().unwrap_or(at - last.len_utf8());
    // A mark after a token is a cluster of its own.
    match slice(text, start, at).chars().next() {
        Some(first) if elements::is_token(first) => start + first.len_utf8(),
        _ => start,
    }
}

/// Columns of one cluster that is not a token.
pub(crate) fn columns(cluster: &str) -> usize {
    match cluster.as_bytes() {
        [b'\t'] => TAB_COLUMNS,
        [0x20..=0x7e] => 1,
        _ => text::width(cluster),
    }
}

/// What counts as a part of a word for word movement.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || elements::is_token(c)
}

/// Start of the word before `at`: blanks and signs are skipped first. A token is a word of its own.
pub(crate) fn word_left(text: &str, at: usize) -> usize {
    let mut at = at;
    let mut inside = false;
    while at > 0 {
        let start = prev(text, at);
        let Some(c) = tail(text, start).chars().next() else { break };
        if elements::is_token(c) {
            return if inside { at } else { start };
        }
        match (inside, is_word(c)) {
            (true, false) => return at,
            (_, word) => inside = word,
        }
        at = start;
    }
    at
}

/// End of the word after `at`: blanks and signs are skipped first. A token is a word of its own.
pub(crate) fn word_right(text: &str, at: usize) -> usize {
    let mut at = at;
    let mut inside = false;
    while at < text.len() {
        let end = next(text, at);
        let Some(c) = tail(text, at).chars().next() else { break };
        if elements::is_token(c) {
            return if inside { at } else { end };
        }
        match (inside, is_word(c)) {
            (true, false) => return at,
            (_, word) => inside = word,
        }
        at = end;
    }
    at
}

/// Start of the blank-separated word before `at`, as `ctrl-w` of a shell takes it.
pub(crate) fn blank_left(text: &str, at: usize) -> usize {
    let before = head(text, at).trim_end_matches(|c: char| c.is_whitespace());
    match before.char_indices().rev().find(|(_, c)| c.is_whitespace() || elements::is_token(*c)) {
        // The token itself is the word when nothing follows it.
        Some((i, c)) if elements::is_token(c) && i + c.len_utf8() == before.len() => i,
        Some((i, c)) => i + c.len_utf8(),
        None => 0,
    }
}

/// Start of the logical line that `at` is on.
pub(crate) fn line_start(text: &str, at: usize) -> usize {
    head(text, at).rfind('\n').map_or(0, |i| i + 1)
}

/// End of the logical line that `at` is on, before its newline.
pub(crate) fn line_end(text: &str, at: usize) -> usize {
    tail(text, at).find('\n').map_or(text.len(), |i| at + i)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn starts(text: &str) -> Vec<usize> {
        let mut out = vec![];
        let mut at = 0;
        while at < text.len() {
            out.push(at);
            at = next(text, at);
        }
        out
    }

    #[test]
    fn clusters_are_the_same_in_both_directions() {
        for text in ["abc", "e\u{301}x", "👩‍👩‍👧!", "日本", "a\u{F0000}\u{301}b", "\u{301}", "שלום", "🇩🇪🇫🇷"]
        {
            let forward = starts(text);
            let mut back = vec![];
            let mut at = text.len();
            while at > 0 {
                at = prev(text, at);
                back.push(at);
            }
            back.reverse();
            assert_eq!(forward, back, "{text:?}");
        }
    }

    #[test]
    fn word_steps() {
        // (text with | for the cursor, after left, after right)
        for (given, left, right) in [
            ("foo bar|", "foo |bar", "foo bar|"),
            ("foo |bar baz", "|foo bar baz", "foo bar| baz"),
            ("a.b|", "a.|b", "a.b|"),
            ("|x", "|x", "x|"),
            ("äö ü|", "äö |ü", "äö ü|"),
            ("  |", "|  ", "  |"),
            ("ab\u{F0000}|cd", "ab|\u{F0000}cd", "ab\u{F0000}cd|"),
        ] {
            let at = given.find('|').unwrap();
            let text = given.replace('|', "");
            let mark = |at: usize| format!("{}|{}", head(&text, at), tail(&text, at));
            assert_eq!(mark(word_left(&text, at)), left, "left of {given:?}");
            assert_eq!(mark(word_right(&text, at)), right, "right of {given:?}");
        }
    }

    #[test]
    fn blank_words_are_what_a_shell_takes() {
        for (text, want) in
            [("git commit -m", 11), ("foo/bar.rs  ", 0), ("a \u{F0000}", 2), ("\u{F0000}bc", 4), ("", 0)]
        {
            assert_eq!(blank_left(text, text.len()), want, "{text:?}");
        }
    }

    #[test]
    fn columns_of_clusters() {
        for (cluster, want) in [("a", 1), ("\t", 4), ("日", 2), ("e\u{301}", 1), ("👩‍👩‍👧", 2), ("\u{200b}", 0)]
        {
            assert_eq!(columns(cluster), want, "{cluster:?}");
        }
    }
}
