//! Takes out of a text what a terminal could obey: escape sequences, control characters, marks that reorder what
//! follows. It is a machine fed with pieces, so that a sequence cut in two by the network is still recognised and
//! the pieces never decide the result. What is left can be laid out by width alone.

use std::borrow::Cow;

use unicode_width::UnicodeWidthChar as _;

/// Columns between tab stops, unless asked for otherwise.
const TAB: usize = 4;
/// Characters of an unfinished escape sequence before it is taken for text gone wrong and dropped.
const MAX_SEQUENCE: u16 = 4_096;
/// Combining marks in a row that are kept; more would only pile up in one cell.
const MAX_MARKS: u8 = 16;
/// Stands for marks that would reorder the text after them: what is shown must be what is run.
const REPLACEMENT: char = '\u{fffd}';

/// Sanitised text: only printable characters and `\n`.
pub(crate) fn sanitize(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut machine = Sanitizer::new();
    machine.push(text, &mut out);
    machine.finish(&mut out);
    Cow::Owned(out)
}

/// The machine behind [`sanitize`].
#[derive(Clone, Debug)]
pub(crate) struct Sanitizer {
    state: State,
    /// Cells since the last line feed, for tab stops.
    column: usize,
    /// Combining marks in a row so far.
    marks: u8,
    /// Columns between tab stops; none leaves tabs in the text.
    tab: Option<usize>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    /// After a carriage return, which is one line break together with a line feed.
    Return,
    /// After ESC.
    Escape,
    /// After ESC and an intermediate character: one more belongs to it.
    Intermediate,
    /// In a control sequence, this many characters long.
    Control(u16),
    /// In an OSC, DCS, APC, PM or SOS string, this many characters long.
    String(u16),
    /// In such a string, after ESC.
    StringEscape(u16),
}

impl Sanitizer {
    /// A machine that makes spaces of tabs.
    pub(crate) fn new() -> Self {
        Self::with_tabs(TAB)
    }

    /// A machine that makes spaces of tabs, with stops every `tab` columns.
    pub(crate) fn with_tabs(tab: usize) -> Self {
        Self { state: State::Text, column: 0, marks: 0, tab: Some(tab.max(1)) }
    }

    /// A machine that leaves tabs in the text, for a reader that knows about them.
    pub(crate) fn keeping_tabs() -> Self {
        Self { tab: None, ..Self::new() }
    }

    /// Appends what is left of `piece` to `out`.
    pub(crate) fn push(&mut self, piece: &str, out: &mut String) {
        let mut rest = piece;
        while !rest.is_empty() {
            if self.state == State::Text {
                let plain = rest.bytes().take_while(|byte| matches!(byte, b' '..=b'~' | b'\n')).count();
                let Some((head, tail)) = rest.split_at_checked(plain) else { return };
                if plain > 0 {
                    out.push_str(head);
                    self.column = match head.rfind('\n') {
                        Some(at) => plain - at - 1,
                        None => self.column + plain,
                    };
                    self.marks = 0;
                    rest = tail;
                }
            }
            let mut chars = rest.chars();
            if let Some(c) = chars.next() {
                self.step(c, out);
                rest = chars.as_str();
            }
        }
    }

    /// Appends what was held back. The machine is at its start again.
    pub(crate) fn finish(&mut self, out: &mut String) {
        if self.state == State::Return {
            out.push('\n');
        }
        *self = Self { tab: self.tab, ..Self::new() };
    }

    fn step(&mut self, c: char, out: &mut String) {
        self.state = match self.state {
            State::Text => self.text(c, out),
            State::Return => {
                self.line(out);
                if c == '\n' { State::Text } else { self.text(c, out) }
            }
            State::Escape => match c {
                '[' => State::Control(0),
                ']' | 'P' | 'X' | '^' | '_' => State::String(0),
                ' '..='/' => State::Intermediate,
                '\n' => self.text(c, out),
                '\u{1b}' => State::Escape,
                _ => State::Text,
            },
            State::Intermediate if c == '\n' => self.text(c, out),
            State::Intermediate => State::Text,
            State::Control(length) => match c {
                ' '..='?' if length < MAX_SEQUENCE => State::Control(length + 1),
                '\u{1b}' => State::Escape,
                '@'..='~' | ' '..='?' => State::Text,
                _ => self.text(c, out),
            },
            State::String(length) | State::StringEscape(length) => self.string(c, length, out),
        };
    }

    /// A string ends at its terminator, but also at a line end or after too many characters: a stray introducer
    /// must not swallow the rest of an answer.
    fn string(&mut self, c: char, length: u16, out: &mut String) -> State {
        let escaped = matches!(self.state, State::StringEscape(_));
        match c {
            '\\' if escaped => State::Text,
            '\n' | '\r' => self.text(c, out),
            '\u{7}' | '\u{18}' | '\u{1a}' | '\u{9c}' => State::Text,
            '\u{1b}' => State::StringEscape(length),
            '[' if escaped => State::Control(0),
            _ if length >= MAX_SEQUENCE => State::Text,
            _ => State::String(length + 1),
        }
    }

    fn text(&mut self, c: char, out: &mut String) -> State {
        match c {
            '\n' | '\u{2028}' | '\u{2029}' => self.line(out),
            '\r' => return State::Return,
            '\u{1b}' => return State::Escape,
            '\u{9b}' => return State::Control(0),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => return State::String(0),
            '\t' => self.tab(out),
            c if c.is_control() || c == '\u{feff}' => {}
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => self.push_char(REPLACEMENT, out),
            c => self.push_char(c, out),
        }
        State::Text
    }

    fn line(&mut self, out: &mut String) {
        out.push('\n');
        self.column = 0;
        self.marks = 0;
    }

    fn tab(&mut self, out: &mut String) {
        self.marks = 0;
        let Some(tab) = self.tab else {
            out.push('\t');
            return;
        };
        let cells = tab - self.column % tab;
        out.extend(std::iter::repeat_n(' ', cells));
        self.column += cells;
    }

    fn push_char(&mut self, c: char, out: &mut String) {
        let cells = c.width().unwrap_or(0);
        self.marks = if cells == 0 { self.marks.saturating_add(1) } else { 0 };
        if self.marks <= MAX_MARKS {
            out.push(c);
            self.column += cells;
        }
    }
}

fn is_clean(text: &str) -> bool {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~' | b'\n')) {
        return true;
    }
    let mut marks = 0_u8;
    text.chars().all(|c| {
        marks = if c.width().unwrap_or(0) == 0 && c != '\n' { marks.saturating_add(1) } else { 0 };
        marks <= MAX_MARKS
            && match c {
                '\n' => true,
                '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => false,
                c => !c.is_control(),
            }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn nothing_to_obey_is_left() {
        for (input, output) in [
            ("plain\ntext", "plain\ntext"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]52;c;aGk=\nnext line stays", "\nnext line stays"),
            ("\u{1b}Pdcs\u{1b}\\x", "x"),
            ("\u{1b}(Bx\u{1b}7y\u{1b}", "xy"),
            ("\u{9b}2Jx\u{9d}0;t\u{9c}y", "xy"),
            ("a\u{0}b\u{8}c\u{7f}d", "abcd"),
            ("a\tb\n\tc", "a   b\n    c"),
            ("漢\tb", "漢  b"),
            ("a\r\nb\rc\r", "a\nb\nc\n"),
            ("a\u{2028}b", "a\nb"),
            ("x\u{202e}y\u{2066}z", "x\u{fffd}y\u{fffd}z"),
            ("\u{feff}bom", "bom"),
            ("\u{1b}\u{1b}[1mz", "z"),
        ] {
            assert_eq!(sanitize(input), output, "{input:?}");
        }
    }

    #[test]
    fn clean_text_is_not_copied() {
        assert!(matches!(sanitize("Grüße 漢字 👩\u{200d}👧\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn marks_do_not_pile_up() {
        let text = format!("a{}b", "\u{301}".repeat(1_000));
        assert_eq!(sanitize(&text), format!("a{}b", "\u{301}".repeat(usize::from(MAX_MARKS))));
    }

    #[test]
    fn an_endless_sequence_ends() {
        let text = format!("\u{1b}]{}end", "x".repeat(usize::from(MAX_SEQUENCE) + 1));
        assert_eq!(sanitize(&text), "end");
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(text in "([a\t\r\n\u{1b}\\[\\];m\u{7}\\\\漢\u{301}]|\\PC){0,40}", at in 0_usize..40) {
            let at = text.char_indices().nth(at).map_or(text.len(), |(at, _)| at);
            let (head, tail) = text.split_at(at);
            let mut out = String::new();
            let mut machine = Sanitizer::new();
            machine.push(head, &mut out);
            machine.push(tail, &mut out);
            machine.finish(&mut out);
            let whole = sanitize(&text);
            prop_assert_eq!(&*whole, &out);
            prop_assert!(whole.chars().all(|c| c == '\n' || !c.is_control()));
            let again = sanitize(&whole);
            prop_assert_eq!(&*whole, &*again);
        }
    }
}
