//! Foreign text → one short line that is safe to show: no markup, no control characters (a terminal would obey
//! them), no line breaks, a bounded length, and never the key that was sent, nor anything else that is known or looks
//! like a token.

use std::borrow::Cow;
use std::sync::{Mutex, PoisonError};

use super::secret::Secret;

/// At most this much of a foreign text is looked at.
const LOOK_AT: usize = 64 << 10;

/// One line of at most `max` characters.
pub(crate) fn line(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut length = 0;
    for word in text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|w| !w.is_empty()) {
        let room = max.saturating_sub(length + usize::from(length > 0));
        if room == 0 {
            out.push('…');
            return out;
        }
        if length > 0 {
            out.push(' ');
            length += 1;
        }
        out.extend(word.chars().filter(|c| !is_invisible(*c)).take(room));
        let used = word.chars().count();
        if used > room {
            out.push('…');
            return out;
        }
        length += used;
    }
    out
}

/// Words for people: without the numbers that the system's errors carry, such as `(os error 2)`.
pub(crate) fn in_words(text: &str) -> Cow<'_, str> {
    const NUMBER: &str = " (os error ";
    if !text.contains(NUMBER) {
        return Cow::Borrowed(text);
    }
    let mut pieces = text.split(NUMBER);
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let rest = piece.trim_start_matches(|c: char| c.is_ascii_digit());
        match rest.strip_prefix(')').filter(|_| rest.len() < piece.len()) {
            Some(rest) => out.push_str(rest),
            None => {
                out.push_str(NUMBER);
                out.push_str(piece);
            }
        }
    }
    Cow::Owned(out)
}

/// The words of a body that is not JSON: an HTML page's title, else its text, else the text as it is.
pub(crate) fn body(bytes: &[u8], max: usize) -> String {
    let text = String::from_utf8_lossy(bytes.get(..LOOK_AT).unwrap_or(bytes));
    if !text.trim_start().starts_with('<') {
        return line(&text, max);
    }
    let lower = text.to_ascii_lowercase();
    let title = between(&text, &lower, "<title", "</title").map(without_tags).unwrap_or_default();
    let title = line(&title, max);
    if title.is_empty() { line(&without_tags(&without_blocks(&text)), max) } else { title }
}

/// Secrets that no request carries but that a service may know: the newest of this process.
static KNOWN: Mutex<Vec<Secret>> = Mutex::new(Vec::new());

/// So many of them are remembered.
const MOST_KNOWN: usize = 16;

/// So much of a key at the end of a text that was cut counts as the key, in bytes.
const PART: usize = 12;

/// From now on foreign texts are shown without this secret.
pub(crate) fn never_show(secret: &Secret) {
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if !known.contains(secret) {
        if known.len() >= MOST_KNOWN {
            known.remove(0);
        }
        known.push(secret.clone());
    }
}

/// `text` without the key, without other known secrets, and without what looks like a signed token, in case a
/// service repeats what it was sent or what it knows; also when the text was cut in the middle of it.
pub(crate) fn without_secret(text: String, secret: Option<&Secret>) -> String {
    let known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner).clone();
    without_all(known.iter().chain(secret), text)
}

/// `text` without all known secrets. Never waits, so that it may be called in the middle of a fault.
pub(crate) fn without_known(text: String) -> String {
    let known = KNOWN.try_lock().map(|known| known.clone()).unwrap_or_default();
    without_all(known.iter(), text)
}

fn without_all<'a>(secrets: impl Iterator<Item = &'a Secret>, text: String) -> String {
    let text = secrets.fold(text, without);
    match without_tokens(&text) {
        Cow::Owned(clean) => clean,
        Cow::Borrowed(_) => text,
    }
}

fn without(mut text: String, secret: &Secret) -> String {
    let key = secret.expose();
    if key.len() >= 4 && text.contains(key) {
        text = text.replace(key, MARK);
    }
    // What is left of a key at the cut.
    let body = text.strip_suffix('…').unwrap_or(&text);
    let longest = (PART..key.len()).rev().find(|n| key.get(..*n).is_some_and(|part| body.ends_with(part)));
    match longest.and_then(|part| body.get(..body.len() - part)) {
        Some(before) => format!("{before}{MARK}"),
        None => text,
    }
}

/// Stands where a secret was.
const MARK: &str = "[secret]";

/// Replaces JSON web tokens, whole or cut: words that begin like one.
fn without_tokens(text: &str) -> Cow<'_, str> {
    const BEGIN: &str = "eyJ";
    if !text.contains(BEGIN) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, token)) = rest.find(BEGIN).and_then(|at| rest.split_at_checked(at)) {
        let in_token = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '=');
        let end = token.find(|c| !in_token(c)).unwrap_or(token.len());
        let (word, after) = token.split_at_checked(end).unwrap_or((token, ""));
        out.push_str(before);
        out.push_str(if word.len() >= 16 { MARK } else { word });
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// Marks that reorder or hide text.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// What stands between the end of the tag `open` and the tag `close`; `lower` is `text` in lower case.
fn between<'a>(text: &'a str, lower: &str, open: &str, close: &str) -> Option<&'a str> {
    let after_open = lower.find(open)? + open.len();
    let begin = after_open + lower.get(after_open..)?.find('>')? + 1;
    let end = begin + lower.get(begin..)?.find(close)?;
    text.get(begin..end)
}

/// Drops scripts and styles, whose content is not text.
fn without_blocks(html: &str) -> String {
    let mut out = html.to_owned();
    for (open, close) in [("<script", "</script"), ("<style", "</style")] {
        let mut kept = String::with_capacity(out.len());
        let lower = out.to_ascii_lowercase();
        let mut at = 0;
        while let Some(found) = lower.get(at..).and_then(|rest| rest.find(open)) {
            let begin = at + found;
            kept.push_str(out.get(at..begin).unwrap_or_default());
            let end = lower.get(begin..).and_then(|rest| rest.find(close)).map(|n| begin + n);
            at = end.unwrap_or(out.len());
        }
        kept.push_str(out.get(at..).unwrap_or_default());
        out = kept;
    }
    out
}

fn without_tags(html: &str) -> String {
    let mut out = String::with_capacity(html.len());
    let mut inside = false;
    for c in html.chars() {
        match c {
            '<' => inside = true,
            '>' if inside => {
                inside = false;
                out.push(' ');
            }
            _ if !inside => out.push(c),
            _ => {}
        }
    }
    for (entity, plain) in
        [("&nbsp;", " "), ("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
    {
        out = out.replace(entity, plain);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_have_no_error_numbers() {
        for (raw, words) in [
            (
                "cannot read /x: No such file or directory (os error 2)",
                "cannot read /x: No such file or directory",
            ),
            ("a (os error 2): b (os error 13).", "a: b."),
            ("a file called (os error x) or  (os error )", "a file called (os error x) or  (os error )"),
            ("nothing", "nothing"),
        ] {
            assert_eq!(in_words(raw), words);
        }
    }

    #[test]
    fn lines() {
        for (given, max, want) in [
            ("plain", 10, "plain"),
            ("  two\n words\t", 20, "two words"),
            ("cut here please", 8, "cut here…"),
            ("cutting", 3, "cut…"),
            ("red \u{1b}[31malert\u{7}", 40, "red [31malert"),
            ("a\u{202e}b", 10, "ab"),
            ("üüü üüü", 5, "üüü ü…"),
            ("", 5, ""),
        ] {
            assert_eq!(line(given, max), want, "{given:?}");
        }
    }

    #[test]
    fn html_becomes_words() {
        let page = b"<!DOCTYPE html><html><head><TITLE lang=en>502 Bad Gateway</TITLE><style>b{}</style></head></html>";
        assert_eq!(body(page, 100), "502 Bad Gateway");
        let untitled = b"<html><script>alert('<p>no</p>')</script><h1>Sorry</h1><p>No &amp; never</p>";
        assert_eq!(body(untitled, 100), "Sorry No & never");
        assert_eq!(body(b"<script>never closed", 100), "");
        assert_eq!(body(b"\xff\xfe broken", 100), "\u{fffd}\u{fffd} broken");
        assert_eq!(body(b"", 100), "");
    }

    #[test]
    fn what_looks_like_a_token_is_hidden_also_when_it_is_cut() {
        let hidden = |text: &str, key: &str| without_secret(text.to_owned(), Some(&Secret::new(key)));
        for (text, want) in [
            ("no eyJhbGciOiJub25lIn0.eyJhIjoxfQ.c2ln, sorry", "no [secret], sorry"),
            ("cut eyJhbGciOiJub25lIn0.eyJhIj…", "cut [secret]…"),
            ("eyJ is short, eyJhbG too", "eyJ is short, eyJhbG too"),
            ("the end: sk-1234567890ab…", "the end: [secret]"),
            ("the end: sk-1234567890abcdef", "the end: [secret]"),
            ("the end: sk-12345…", "the end: sk-12345…"),
            ("üüü…", "üüü…"),
        ] {
            assert_eq!(hidden(text, "sk-1234567890abcdef"), want);
        }
        never_show(&Secret::new("rt-known-to-this-test"));
        assert_eq!(without_secret("no rt-known-to-this-test".to_owned(), None), "no [secret]");
    }

    #[test]
    fn a_repeated_key_is_hidden() {
        let key = Secret::new("sk-12345");
        assert_eq!(without_secret("bad key sk-12345!".to_owned(), Some(&key)), "bad key [secret]!");
        assert_eq!(without_secret("fine".to_owned(), Some(&key)), "fine");
        assert_eq!(without_secret("fine".to_owned(), Some(&Secret::new(""))), "fine");
    }
}
