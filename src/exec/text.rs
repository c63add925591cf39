//! Small text work of the human output: colours, cleaning, shortening. Text of the model and of commands is
//! foreign: on a terminal it must not move the cursor, change the title or hide what came before, so control
//! characters and escape sequences are taken out.

use std::fmt::Write as _;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Color {
    /// Colours even into files and pipes.
    Always,
    /// No colours.
    Never,
    /// Colours on a terminal that wants them.
    #[default]
    Auto,
}

impl Color {
    /// Whether to colour a stream. `refused`: `NO_COLOR` is set and not empty, or the terminal is `dumb`.
    pub(crate) fn enabled(self, terminal: bool, refused: bool) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => terminal && !refused,
        }
    }
}

/// The few styles of the human output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Paint {
    /// Head of a block.
    Head,
    /// Less important.
    Dim,
    /// Went well.
    Good,
    /// Went badly.
    Bad,
    /// Needs attention.
    Warn,
}

/// Wraps `text` in the escape codes of a style, or leaves it alone.
pub(crate) fn paint(on: bool, style: Paint, text: &str) -> String {
    let code = match style {
        Paint::Head => "1;35",
        Paint::Dim => "2",
        Paint::Good => "32",
        Paint::Bad => "1;31",
        Paint::Warn => "33",
    };
    if on && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
}

/// Text without escape sequences and without control characters other than line breaks and tabs. A carriage
/// return that is not part of a line break starts the line anew, as on a terminal.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut line_start = 0;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\n' => {
                out.push('\n');
                line_start = out.len();
            }
            '\t' => out.push('\t'),
            '\r' => match chars.peek() {
                Some('\n' | '\r') | None => {}
                Some(_) => out.truncate(line_start),
            },
            '\u{1b}' => skip_escape(&mut chars),
            // Marks that reorder the text around them, and all other control characters.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {}
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// Skips what belongs to an escape character: a CSI sequence, an OSC-like string, or one more character.
fn skip_escape(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match chars.peek() {
        Some('[') => {
            chars.next();
            while chars.next_if(|c| ('\u{20}'..='\u{3f}').contains(c)).is_some() {}
            chars.next_if(|c| ('\u{40}'..='\u{7e}').contains(c));
        }
        Some(']' | 'P' | '^' | '_' | 'X') => {
            // Ends with BEL or ESC \; a line break ends it too, so that a cut sequence cannot swallow the rest.
            while let Some(c) = chars.next_if(|c| *c != '\n') {
                if c == '\u{7}' || (c == '\u{1b}' && chars.next_if(|c| *c == '\\').is_some()) {
                    break;
                }
            }
        }
        Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => {
            chars.next();
            chars.next_if(|c| *c != '\n');
        }
        _ => {
            chars.next_if(|c| *c != '\n');
        }
    }
}

/// Longest line shown, in characters.
const MAX_LINE: usize = 1000;

/// At most `max` lines of `text`: the first third and the last lines, with a note between them of how many are
/// left out. Over-long lines are cut. The result ends with a line break unless it is empty.
pub(crate) fn excerpt(text: &str, max: usize) -> String {
    let total = text.lines().count();
    let mut out = String::new();
    let mut push =
        |line: &str| match line.char_indices().nth(MAX_LINE).and_then(|(at, _)| line.split_at_checked(at)) {
            Some((head, tail)) => {
                let _ = writeln!(out, "{head}… ({} more characters)", thousands(tail.chars().count() as u64));
            }
            None => {
                let _ = writeln!(out, "{line}");
            }
        };
    if total <= max {
        text.lines().for_each(push);
        return out;
    }
    let head = max / 3;
    let tail = max.saturating_sub(head);
    text.lines().take(head).for_each(&mut push);
    push(&format!("… {} more lines …", thousands((total - head - tail) as u64)));
    text.lines().skip(total - tail).for_each(push);
    out
}

/// `1234567` → `1,234,567`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        for (given, want) in [
            ("plain ä\n\ttab", "plain ä\n\ttab"),
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{1b}]0;cut\nnext", "\nnext"),
            ("\u{1b}(Bx\u{1b}cy", "xy"),
            ("a\r\nb\r\n", "a\nb\n"),
            ("10%\r20%\r100%\ndone", "100%\ndone"),
            ("a\u{8}b\u{0}c\u{9b}31md", "abc31md"),
            ("safe\u{202e}evil", "safeevil"),
            ("\u{1b}", ""),
        ] {
            assert_eq!(clean(given), want, "{given:?}");
        }
    }

    #[test]
    fn excerpts_keep_both_ends_and_say_what_is_missing() {
        let text: String = (1..=20_000).map(|n| format!("line {n}\n")).collect();
        let short = excerpt(&text, 6);
        assert_eq!(
            short,
            "line 1\nline 2\n… 19,994 more lines …\nline 19997\nline 19998\nline 19999\nline 20000\n"
        );
        assert_eq!(excerpt("a\nb", 2), "a\nb\n");
        assert_eq!(excerpt("", 2), "");
        let long = excerpt(&"ä".repeat(MAX_LINE + 5), 2);
        assert!(long.ends_with("… (5 more characters)\n") && long.chars().count() < MAX_LINE + 40);
    }

    #[test]
    fn digits_are_grouped() {
        for (number, want) in [(0, "0"), (999, "999"), (1000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), want);
        }
    }

    #[test]
    fn colours_follow_the_flag_then_the_terminal() {
        for (color, terminal, refused, want) in [
            (Color::Always, false, true, true),
            (Color::Never, true, false, false),
            (Color::Auto, true, false, true),
            (Color::Auto, true, true, false),
            (Color::Auto, false, false, false),
        ] {
            assert_eq!(color.enabled(terminal, refused), want, "{color:?}");
        }
    }
}
