//! The last line of a text that still streams in, made good for the eye: what was opened is closed, and a marker
//! that says nothing yet is held back. Without it bold text would flash its asterisks and the first dash of a list
//! would make a heading of the line above for the blink of an eye. Only for display; the finished text has none of it.

/// How much of the open end is shown, and what is put after it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Mended {
    /// Bytes of the text.
    pub(super) shown: usize,
    /// Closes what is open there.
    pub(super) closers: String,
}

/// Mends `text`, of which the last line may be incomplete.
pub(super) fn mend(text: &str) -> Mended {
    let start = text.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(start..).unwrap_or_default();
    if is_marker(line) {
        return Mended { shown: start, closers: String::new() };
    }
    let (length, closers) = close(line);
    Mended { shown: start + length, closers }
}

/// Whether a line holds nothing but the start of a bullet, heading, fence, rule, quote, table or number.
fn is_marker(line: &str) -> bool {
    let line = line.trim();
    let number =
        line.strip_suffix(['.', ')']).is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
    let signs = line.bytes().all(|byte| b"-=*+#>`~|:_ ".contains(&byte));
    !line.is_empty() && line.len() < 10 && (signs || number && line.len() <= 4)
}

/// Bytes of the line to show, and the closers of what is open at its end, innermost first.
fn close(line: &str) -> (usize, String) {
    let mut open: Vec<(usize, &str)> = Vec::new();
    let mut at = 0;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        let run = marker(rest);
        let code = open.last().is_some_and(|(_, mark)| mark.starts_with('`'));
        if rest.starts_with('\\') && !code {
            at += 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
            continue;
        }
        if run.is_empty() {
            at += rest.chars().next().map_or(1, char::len_utf8);
            continue;
        }
        let next = rest.get(run.len()..).and_then(|rest| rest.chars().next());
        let before = line.get(..at).and_then(|head| head.chars().next_back());
        let closes =
            open.last().is_some_and(|(_, mark)| *mark == run) && !before.is_some_and(char::is_whitespace);
        let opens = !code && next.is_none_or(|c| !c.is_whitespace());
        if closes {
            open.pop();
        } else if opens {
            open.push((at, run));
        }
        at += run.len();
    }
    let mut shown = line.trim_end().len();
    // What was opened just now has nothing to show yet.
    while let Some((at, mark)) = open.last()
        && at + mark.len() >= shown
    {
        shown = line.get(..*at).map_or(0, |head| head.trim_end().len());
        open.pop();
    }
    if open.is_empty() && shown == line.trim_end().len() {
        return (line.len(), String::new());
    }
    (shown, open.iter().rev().map(|(_, mark)| *mark).collect())
}

/// The emphasis or code marker that `rest` begins with; empty when there is none.
fn marker(rest: &str) -> &str {
    let length = match rest.bytes().next() {
        Some(b'`') => rest.bytes().take_while(|byte| *byte == b'`').count(),
        Some(b'*') => rest.bytes().take(2).take_while(|byte| *byte == b'*').count(),
        Some(b'~') if rest.starts_with("~~") => 2,
        _ => 0,
    };
    rest.get(..length).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_open_is_closed() {
        for (text, shown, closers) in [
            ("plain text ", "plain text ", ""),
            ("some **bold te", "some **bold te", "**"),
            ("some **bold ", "some **bold", "**"),
            ("some **", "some", ""),
            ("some *", "some", ""),
            ("a `co", "a `co", "`"),
            ("a `code` b", "a `code` b", ""),
            ("**a `b", "**a `b", "`**"),
            ("~~gone", "~~gone", "~~"),
            ("2 * 3 * 4", "2 * 3 * 4", ""),
            ("a \\*b", "a \\*b", ""),
            ("`a * b", "`a * b", "`"),
            ("**done** *now", "**done** *now", "*"),
            ("line\n-", "line\n", ""),
            ("line\n1.", "line\n", ""),
            ("line\n``", "line\n", ""),
            ("line\n- x", "line\n- x", ""),
            ("line\n", "line\n", ""),
            ("42", "42", ""),
        ] {
            let mended = mend(text);
            assert_eq!(
                (text.get(..mended.shown).unwrap(), mended.closers.as_str()),
                (shown, closers),
                "{text:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_line_is_mended(text in "[`*~ a\\\\é\n-]{0,30}") {
            let mended = mend(&text);
            prop_assert!(text.is_char_boundary(mended.shown));
        }
    }
}
