//! What would be invisible, made visible, for texts about which somebody decides: commands, paths, changes. A
//! terminal may drop a control character or what stands inside an escape sequence; the shell that runs it does not.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Hidden characters in a row that are shown one by one; more are counted.
const ROW: usize = 3;

/// `text` without anything that is dropped, obeyed or has no width: controls become their pictures (`␛`), the rest
/// its number (`<U+202E>`). Line feeds and tabs stay.
pub(crate) fn reveal(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\t')) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        // Pictures of people are several characters, joined by one without width.
        let joins = matches!(c, '\u{200d}' | '\u{fe0e}' | '\u{fe0f}') && !before.is_ascii();
        if joins || !is_hidden(c) {
            out.push(c);
            before = c;
            continue;
        }
        let mut count = 1;
        while chars.next_if_eq(&c).is_some() {
            count += 1;
        }
        let picture = picture(c);
        if count <= ROW {
            out.extend(std::iter::repeat_n(picture.as_str(), count));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "{picture}×{count}");
        }
        before = ' ';
    }
    Cow::Owned(out)
}

/// The same for what is one line, such as a path: a line feed in it is shown too.
pub(crate) fn reveal_line(text: &str) -> String {
    super::sanitize(&reveal(text).replace('\n', "␊").replace('\t', "␉")).into_owned()
}

/// Characters that pass for ASCII ones, with their numbers: foreign letters in a word of Latin ones, and other forms of
/// letters and signs. Words of another script, and Latin letters with accents, are no trick.
pub(crate) fn lookalikes(text: &str) -> Option<String> {
    const MOST: usize = 4;
    let mut found: Vec<char> = Vec::new();
    for word in text.split(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()) {
        let mixed = word.chars().any(|c| c.is_ascii_alphabetic());
        let odd = word.chars().filter(|c| is_other_form(*c) || (mixed && is_like_latin(*c)));
        for c in odd {
            if !found.contains(&c) {
                found.push(c);
            }
        }
    }
    let named = found.iter().take(MOST).map(|c| format!("{c} (U+{:04X})", u32::from(*c)));
    let more = if found.len() > MOST { ", and others" } else { "" };
    (!found.is_empty()).then(|| named.collect::<Vec<_>>().join(", ") + more)
}

/// Letters of the scripts that have the shapes of Latin ones: Greek, Cyrillic, Armenian, Cherokee, Lisu.
fn is_like_latin(c: char) -> bool {
    matches!(c, '\u{370}'..='\u{58f}' | '\u{13a0}'..='\u{13ff}' | '\u{1f00}'..='\u{1fff}' | '\u{a4d0}'..='\u{a4ff}')
}

/// A wide, mathematical or other form of a letter or sign of ASCII.
fn is_other_form(c: char) -> bool {
    matches!(c, '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}' | '\u{37e}' | '\u{2024}' | '\u{2044}' | '\u{2215}' | '\u{2236}' | '\u{29f8}' | '\u{a789}')
}

fn picture(c: char) -> String {
    let code = u32::from(c);
    match c {
        '\0'..='\u{1f}' => char::from_u32(0x2400 + code).map_or_else(String::new, String::from),
        '\u{7f}' => "␡".to_owned(),
        _ => format!("<U+{code:04X}>"),
    }
}

/// Has no picture of its own on a terminal, or changes the order of what has.
fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{3164}' => {
            true
        }
        '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' => true,
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' => true,
        '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' => true,
        '\u{e0000}'..='\u{e0fff}' => true,
        c => c.is_control(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        for (input, output) in [
            ("plain\n\ttext", "plain\n\ttext"),
            // A terminal swallows all between the introducer and its end; a shell runs it.
            ("echo ok \u{1b}]; rm -rf ~ \u{7}", "echo ok ␛]; rm -rf ~ ␇"),
            ("a\rb\r\n", "a␍b␍\n"),
            ("x\u{9b}2Jy\u{7f}", "x<U+009B>2Jy␡"),
            ("x\u{202e}gnp.exe", "x<U+202E>gnp.exe"),
            ("rm a\u{200b}b", "rm a<U+200B>b"),
            ("rm \u{200d}b", "rm <U+200D>b"),
            ("\u{0}\u{0}\u{0}\u{0}\u{0}", "␀×5"),
            ("\u{e0041}", "<U+E0041>"),
            ("👩\u{200d}👧 ❤\u{fe0f} Grüße 漢字", "👩\u{200d}👧 ❤\u{fe0f} Grüße 漢字"),
        ] {
            assert_eq!(reveal(input), output, "{input:?}");
            assert_eq!(super::super::sanitize(&reveal(input)).replace("    ", "\t"), output, "{input:?}");
        }
        assert!(matches!(reveal("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_path_stays_on_its_line() {
        assert_eq!(reveal_line("a\u{1b}[8m\n\tb"), "a␛[8m␊␉b");
    }
}
