//! Output of commands: its colours are kept as styles, what was written over is gone as on a terminal, and every
//! other thing a terminal could obey is dropped. Rows are as long as the output made them; the caller wraps.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use super::Sanitizer;
use crate::tui::palette::NAMED;
use crate::tui::theme::Theme;

/// Columns between tab stops, as programs expect them.
const TAB: usize = 8;

/// One line per line of output, in `base` where it has no style of its own.
pub(crate) fn lines(output: &str, base: Style, theme: &Theme) -> Vec<Line<'static>> {
    let mut screen = Screen { theme, base, style: base, out: Vec::new(), row: Vec::new() };
    let mut sanitizer = Sanitizer::with_tabs(TAB);
    let mut rest = output.strip_suffix('\n').unwrap_or(output);
    while let Some(at) = rest.find("\u{1b}[") {
        let (before, sequence) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let length = 2 + parameters(sequence);
        screen.write(before, &mut sanitizer);
        if sequence.as_bytes().get(length) == Some(&b'm') {
            screen.paint(sequence.get(2..length).unwrap_or_default());
            rest = sequence.get(length + 1..).unwrap_or_default();
        } else {
            // The sanitiser knows where other sequences end.
            let (head, tail) = sequence.split_at_checked(2).unwrap_or((sequence, ""));
            screen.write(head, &mut sanitizer);
            rest = tail;
        }
    }
    screen.write(rest, &mut sanitizer);
    screen.end_row();
    screen.out
}

/// Bytes of parameters behind the introducer.
fn parameters(sequence: &str) -> usize {
    let known = |byte: &u8| matches!(byte, b'0'..=b'9' | b';' | b':');
    sequence.bytes().skip(2).take(256).take_while(known).count()
}

struct Screen<'a> {
    theme: &'a Theme,
    base: Style,
    style: Style,
    out: Vec<Line<'static>>,
    row: Vec<Span<'static>>,
}

impl Screen<'_> {
    fn write(&mut self, text: &str, sanitizer: &mut Sanitizer) {
        let mut clean = String::new();
        for (index, part) in text.split('\r').enumerate() {
            // A return followed by text writes the row anew; one at its end only ends it.
            let first = part.trim_start_matches('\u{8}').chars().next();
            if index > 0 && first.is_some_and(|c| c != '\n') {
                self.flush(&mut clean);
                self.row.clear();
            }
            for (index, piece) in part.split('\u{8}').enumerate() {
                if index > 0 && !clean.ends_with('\n') {
                    clean.pop();
                }
                sanitizer.push(piece, &mut clean);
            }
        }
        self.flush(&mut clean);
    }

    fn flush(&mut self, clean: &mut String) {
        for (index, part) in clean.split('\n').enumerate() {
            if index > 0 {
                self.end_row();
            }
            if !part.is_empty() {
                self.row.push(Span::styled(part.to_owned(), self.style));
            }
        }
        clean.clear();
    }

    fn end_row(&mut self) {
        self.out.push(Line::from(std::mem::take(&mut self.row)));
    }

    fn paint(&mut self, parameters: &str) {
        let mut codes = parameters.split([';', ':']).map(|code| code.parse().unwrap_or(0_u16));
        while let Some(code) = codes.next() {
            self.code(code, &mut codes);
        }
    }

    fn code(&mut self, code: u16, rest: &mut impl Iterator<Item = u16>) {
        let bright = |code: u16| named(code + 8);
        self.style = match code {
            0 => self.base,
            1 => self.style.add_modifier(Modifier::BOLD),
            2 => self.style.add_modifier(Modifier::DIM),
            3 => self.style.add_modifier(Modifier::ITALIC),
            4 => self.style.add_modifier(Modifier::UNDERLINED),
            7 => self.style.add_modifier(Modifier::REVERSED),
            9 => self.style.add_modifier(Modifier::CROSSED_OUT),
            22 => self.style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            23 => self.style.remove_modifier(Modifier::ITALIC),
            24 => self.style.remove_modifier(Modifier::UNDERLINED),
            27 => self.style.remove_modifier(Modifier::REVERSED),
            29 => self.style.remove_modifier(Modifier::CROSSED_OUT),
            30..=37 => self.foreground(named(code - 30)),
            38 => self.foreground(extended(rest)),
            39 => Style { fg: self.base.fg, ..self.style },
            40..=47 => self.background(named(code - 40)),
            48 => self.background(extended(rest)),
            49 => Style { bg: self.base.bg, ..self.style },
            90..=97 => self.foreground(bright(code - 90)),
            100..=107 => self.background(bright(code - 100)),
            _ => self.style,
        };
    }

    fn foreground(&self, color: Option<Color>) -> Style {
        Style { fg: color.and_then(|color| self.theme.color(color)).or(self.base.fg), ..self.style }
    }

    fn background(&self, color: Option<Color>) -> Style {
        Style { bg: color.and_then(|color| self.theme.color(color)).or(self.base.bg), ..self.style }
    }
}

fn named(number: u16) -> Option<Color> {
    NAMED.get(usize::from(number)).copied()
}

/// What follows a 38 or 48.
fn extended(codes: &mut impl Iterator<Item = u16>) -> Option<Color> {
    let mut part = || codes.next().and_then(|code| u8::try_from(code).ok());
    match part()? {
        5 => part().map(Color::Indexed),
        2 => Some(Color::Rgb(part()?, part()?, part()?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::Stylize as _;

    use super::*;
    use crate::tui::theme::Colors;

    fn theme(colors: Colors) -> Theme {
        Theme { colors, ..Theme::default() }
    }

    fn shown(output: &str) -> Vec<Line<'static>> {
        lines(output, Style::new(), &theme(Colors::Ansi256))
    }

    #[test]
    fn colours_are_kept_and_the_rest_dropped() {
        assert_eq!(
            shown("\u{1b}[1;31merror\u{1b}[0m: x"),
            [Line::from(vec!["error".red().bold(), ": x".into()])]
        );
        assert_eq!(shown("\u{1b}[2J\u{1b}[Hx\u{1b}]0;t\u{7}y\u{1b}[?25l"), [Line::from("xy")]);
        assert_eq!(
            shown("\u{1b}[38;5;208ma\u{1b}[38;2;255;0;0mb")[0].spans[1].style.fg,
            Some(Color::Indexed(196))
        );
        assert_eq!(shown("\u{1b}[32ma\nb")[1], Line::from("b".green()));
        assert_eq!(lines("\u{1b}[31mx", Style::new(), &theme(Colors::None)), [Line::from("x")]);
    }

    #[test]
    fn what_was_written_over_is_gone() {
        let texts = |output| shown(output).iter().map(Line::to_string).collect::<Vec<_>>();
        assert_eq!(texts("10%\r50%\r100%\ndone\r\n"), ["100%", "done"]);
        assert_eq!(texts("ab\u{8}c"), ["ac"]);
        assert_eq!(texts("a\tb"), ["a       b"]);
        assert_eq!(texts(""), [""]);
    }

    proptest! {
        #[test]
        fn nothing_to_obey_is_left(output in "(\u{1b}\\[[0-9;]{0,9}[a-zA-Z]|\u{1b}|[\r\n\t\u{8}a]|\\PC){0,40}") {
            for line in shown(&output) {
                prop_assert!(!line.to_string().contains(char::is_control), "{:?}", line);
            }
        }
    }
}
