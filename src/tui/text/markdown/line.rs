//! What a line of Markdown begins, seen by itself. Only what decides where a text may be cut; the parser proper
//! reads the pieces.

/// What a line begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mark {
    /// A fence of code.
    Fence(Fence),
    /// A heading with `#`.
    Heading,
    /// An item of a list.
    Item(Item),
    /// A quote.
    Quote,
    /// Anything else, also a rule.
    Other,
}

/// The line that opens a fence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Fence {
    /// A backtick or a tilde.
    pub(super) mark: u8,
    /// How many of them.
    pub(super) count: usize,
    /// Columns before them.
    pub(super) indent: usize,
}

/// The marker of a list item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Item {
    /// `-`, `+`, `*`, or the `.` or `)` after a number: what makes it the same list.
    pub(super) kind: u8,
    /// The number of an ordered item.
    pub(super) number: Option<u32>,
    /// Column where the text of the item begins.
    pub(super) content: usize,
    /// Whether nothing follows the marker.
    pub(super) empty: bool,
}

impl Item {
    /// Whether it begins a list even right after the line of a paragraph.
    pub(super) fn interrupts(self) -> bool {
        !self.empty && self.number.is_none_or(|number| number == 1)
    }
}

/// Columns of white space before the text of a line, and the rest of it.
pub(super) fn dedent(line: &str) -> (usize, &str) {
    let mut indent = 0;
    for (at, byte) in line.bytes().enumerate() {
        match byte {
            b' ' => indent += 1,
            b'\t' => indent += 4 - indent % 4,
            _ => return (indent, line.get(at..).unwrap_or_default()),
        }
    }
    (indent, "")
}

/// What the line begins that has `indent` columns of white space before `rest`.
pub(super) fn mark(indent: usize, rest: &str) -> Mark {
    if indent > 3 {
        return Mark::Other;
    }
    match rest.bytes().next() {
        Some(b'`' | b'~') => fence(indent, rest).map_or(Mark::Other, Mark::Fence),
        Some(b'#') if is_heading(rest) => Mark::Heading,
        Some(b'>') => Mark::Quote,
        Some(b'-' | b'+' | b'*' | b'0'..=b'9') if !is_rule(rest) => {
            item(indent, rest).map_or(Mark::Other, Mark::Item)
        }
        _ => Mark::Other,
    }
}

/// The fence that a line opens.
pub(super) fn fence(indent: usize, rest: &str) -> Option<Fence> {
    let mark = rest.bytes().next().filter(|byte| matches!(byte, b'`' | b'~'))?;
    let count = rest.bytes().take_while(|byte| *byte == mark).count();
    let info = rest.get(count..)?;
    let possible = count >= 3 && (mark == b'~' || !info.contains('`'));
    possible.then_some(Fence { mark, count, indent })
}

/// Whether a line closes the fence.
pub(super) fn closes(fence: Fence, line: &str) -> bool {
    let (indent, rest) = dedent(line);
    let count = rest.bytes().take_while(|byte| *byte == fence.mark).count();
    indent <= 3 && count >= fence.count && rest.get(count..).is_some_and(|rest| rest.trim().is_empty())
}

/// Whether a line is the `|---|:-:|` below the header of a table.
pub(super) fn is_table_rule(line: &str) -> bool {
    let line = line.trim();
    line.contains('-')
        && line.contains('|')
        && line.bytes().all(|byte| matches!(byte, b'|' | b'-' | b':' | b' '))
}

fn is_heading(rest: &str) -> bool {
    let count = rest.bytes().take_while(|byte| *byte == b'#').count();
    count <= 6 && rest.as_bytes().get(count).is_none_or(u8::is_ascii_whitespace)
}

fn is_rule(rest: &str) -> bool {
    let mark = rest.bytes().next().unwrap_or_default();
    matches!(mark, b'-' | b'*')
        && rest.bytes().all(|byte| byte == mark || byte == b' ' || byte == b'\t')
        && rest.bytes().filter(|byte| *byte == mark).count() >= 3
}

fn item(indent: usize, rest: &str) -> Option<Item> {
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 9 {
        return None;
    }
    let kind = *rest.as_bytes().get(digits)?;
    let number = rest.get(..digits).and_then(|digits| digits.parse().ok());
    if !(if digits > 0 { matches!(kind, b'.' | b')') } else { matches!(kind, b'-' | b'+' | b'*') }) {
        return None;
    }
    let after = rest.get(digits + 1..)?;
    let (spaces, text) = dedent(after);
    if spaces == 0 && !text.is_empty() {
        return None;
    }
    // More than four columns of space are one, and code after it.
    let padding = if text.is_empty() || spaces > 4 { 1 } else { spaces };
    Some(Item { kind, number, content: indent + digits + 1 + padding, empty: text.is_empty() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_tell_what_they_begin() {
        let item = |kind, number, content, empty| Mark::Item(Item { kind, number, content, empty });
        let fence = |mark, count, indent| Mark::Fence(Fence { mark, count, indent });
        for (line, expected) in [
            ("text", Mark::Other),
            ("```rust", fence(b'`', 3, 0)),
            ("  ~~~~", fence(b'~', 4, 2)),
            ("``` a`b", Mark::Other),
            ("# Title", Mark::Heading),
            ("#", Mark::Heading),
            ("#tag", Mark::Other),
            ("####### seven", Mark::Other),
            ("> quote", Mark::Quote),
            ("- a", item(b'-', None, 2, false)),
            ("  *   a", item(b'*', None, 6, false)),
            ("12. a", item(b'.', Some(12), 4, false)),
            ("1) a", item(b')', Some(1), 3, false)),
            ("-", item(b'-', None, 2, true)),
            ("-a", Mark::Other),
            ("1.a", Mark::Other),
            ("1234567890. a", Mark::Other),
            ("---", Mark::Other),
            ("* * *", Mark::Other),
            ("    - code", Mark::Other),
            ("-      code", item(b'-', None, 2, false)),
        ] {
            let (indent, rest) = dedent(line);
            assert_eq!(mark(indent, rest), expected, "{line:?}");
        }
    }

    #[test]
    fn fences_close_by_their_own_kind() {
        let fence = Fence { mark: b'`', count: 4, indent: 0 };
        for (line, expected) in
            [("````", true), ("  `````  ", true), ("```", false), ("~~~~", false), ("```` x", false)]
        {
            assert_eq!(closes(fence, line), expected, "{line:?}");
        }
    }
}
