//! A strict terminal emulator: keeps the screen, answers what programs ask, and remembers every sequence it does
//! not know. Programs may write only what is listed here; anything else came from outside and slipped through.

use std::collections::BTreeSet;

use vt100::{Callbacks, Parser, Screen};

/// Rows of scrollback that are kept.
const SCROLLBACK: usize = 20_000;

/// The emulator.
pub(super) struct Emulator {
    parser: Parser<Seen>,
    /// At another width it wraps what it holds, as most terminals do; otherwise it cuts lines off.
    rewraps: bool,
}

/// What was seen besides the screen, and what is to be answered.
#[derive(Default)]
pub(super) struct Seen {
    /// Sequences that no terminal was asked to know.
    pub(super) strange: Vec<String>,
    /// Private modes that are on and that the screen itself does not track.
    modes: BTreeSet<u16>,
    /// Keyboard protocols pushed and not popped.
    pub(super) keyboards: i32,
    /// Titles kept and not restored.
    pub(super) titles: i32,
    /// Titles set, in order.
    pub(super) title: Vec<String>,
    /// What was copied to the clipboard, as base64.
    pub(super) copied: Vec<String>,
    /// Bells.
    pub(super) bells: usize,
    /// Notifications.
    pub(super) notices: Vec<String>,
    /// Links opened.
    pub(super) links: Vec<String>,
    /// What is to be answered.
    reply: Vec<u8>,
    /// It answers nothing.
    quiet: bool,
    /// What it calls itself.
    name: &'static str,
}

impl Emulator {
    /// A screen of this size. `quiet`: it answers nothing.
    pub(super) fn new(cols: u16, rows: u16, quiet: bool) -> Self {
        let seen = Seen { quiet, ..Seen::default() };
        Self { parser: Parser::new_with_callbacks(side(rows), side(cols), SCROLLBACK, seen), rewraps: false }
    }

    pub(super) fn rewrapping(mut self, rewraps: bool) -> Self {
        self.parser.callbacks_mut().name = if rewraps { "emulator 1" } else { "XTerm(1)" };
        Self { rewraps, ..self }
    }

    /// Takes what the program wrote; returns what the terminal answers.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.parser.process(bytes);
        std::mem::take(&mut self.parser.callbacks_mut().reply)
    }

    /// Whether a frame is being written that is to be shown whole.
    pub(super) fn in_frame(&self) -> bool {
        self.parser.callbacks().modes.contains(&2026)
    }

    pub(super) fn resize(&mut self, cols: u16, rows: u16) {
        match self.rewraps && !self.screen().alternate_screen() {
            true => self.rewrap(cols, rows),
            false => self.parser.set_size(side(rows), side(cols)),
        }
    }

    /// Puts everything that can be scrolled to into a screen of another size, the cursor with its text. Styles go.
    fn rewrap(&mut self, cols: u16, rows: u16) {
        let (row, column) = self.screen().cursor_position();
        let all = self.all_wrapped();
        let cursor = all.len() - usize::from(self.screen().size().0.get()) + usize::from(row);
        let last = all.iter().rposition(|(text, _)| !text.is_empty()).unwrap_or(0).max(cursor);
        let (mut lines, mut at, mut column) = (vec![String::new()], 0, usize::from(column));
        for (index, (text, wraps)) in all.into_iter().enumerate().take(last + 1) {
            let line = lines.last_mut().expect("there is a line");
            if index == cursor {
                column += line.chars().count();
            }
            line.push_str(&text);
            if index == cursor {
                at = lines.len() - 1;
            }
            if !wraps {
                lines.push(String::new());
            }
        }
        lines.pop();
        let modes = self.screen().input_mode_formatted();
        let hidden = self.screen().hide_cursor();
        let seen = std::mem::take(self.parser.callbacks_mut());
        self.parser = Parser::new_with_callbacks(side(rows), side(cols), SCROLLBACK, seen);
        self.parser.process(lines.join("\r\n").as_bytes());
        let width = usize::from(cols);
        let taken = |line: &String| line.chars().count().div_ceil(width).max(1);
        let below = lines.iter().skip(at).map(taken).sum::<usize>() - 1 - column / width;
        let row = usize::from(self.screen().cursor_position().0) - below;
        self.parser.process(format!("\x1b[{};{}H", row + 1, column % width + 1).as_bytes());
        self.parser.process(modes.as_bytes());
        self.parser.process(if hidden { b"\x1b[?25l" } else { b"\x1b[?25h" });
    }

    /// All rows, and whether each goes on in the next one.
    fn all_wrapped(&mut self) -> Vec<(String, bool)> {
        let screen = self.parser.screen_mut();
        let (height, cols) = screen.size();
        let mut all = Vec::new();
        for back in (1..=screen.scrollback_len()).rev() {
            screen.set_scrollback(back);
            all.extend(screen.rows(0, cols.get()).next().map(|row| (row, screen.row_wrapped(0))));
        }
        screen.set_scrollback(0);
        all.extend(
            (0..height.get()).zip(screen.rows(0, cols.get())).map(|(y, row)| (row, screen.row_wrapped(y))),
        );
        all
    }

    /// The lines as they were written, however they are wrapped now.
    pub(super) fn all_lines(&mut self) -> Vec<String> {
        let mut lines = vec![String::new()];
        for (text, wraps) in self.all_wrapped() {
            if let Some(line) = lines.last_mut() {
                line.push_str(&text);
            }
            if !wraps {
                lines.push(String::new());
            }
        }
        lines
    }

    pub(super) fn screen(&self) -> &Screen {
        self.parser.screen()
    }

    pub(super) fn seen(&self) -> &Seen {
        self.parser.callbacks()
    }

    /// The visible rows, without blanks at their ends.
    pub(super) fn rows(&self) -> Vec<String> {
        let screen = self.parser.screen();
        let cols = screen.size().1.get();
        screen.rows(0, cols).map(|row| row.trim_end().to_owned()).collect()
    }

    /// The rows that scrolled away, then the visible ones.
    pub(super) fn all_rows(&mut self) -> Vec<String> {
        let screen = self.parser.screen_mut();
        let cols = screen.size().1.get();
        let mut all = Vec::new();
        for back in (1..=screen.scrollback_len()).rev() {
            screen.set_scrollback(back);
            all.extend(screen.rows(0, cols).next().map(|row| row.trim_end().to_owned()));
        }
        screen.set_scrollback(0);
        all.extend(self.rows());
        all
    }

    /// What is still switched on; empty when everything is as a shell expects it.
    pub(super) fn left_on(&self) -> Vec<String> {
        let (screen, seen) = (self.parser.screen(), self.parser.callbacks());
        let mut on: Vec<String> = seen.modes.iter().map(|mode| format!("mode {mode}")).collect();
        let mut add = |is_on: bool, what: &str| {
            if is_on {
                on.push(what.to_owned());
            }
        };
        add(screen.alternate_screen(), "alternate screen");
        add(screen.bracketed_paste(), "bracketed paste");
        add(screen.hide_cursor(), "hidden cursor");
        add(screen.application_cursor() || screen.application_keypad(), "application keys");
        add(screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "mouse");
        add(seen.keyboards != 0, "keyboard protocol");
        add(seen.titles != 0, "title");
        add(screen.bold() || screen.inverse() || screen.underline() || screen.dim(), "text style");
        add(screen.fgcolor() != vt100::Color::Default || screen.bgcolor() != vt100::Color::Default, "colour");
        on
    }
}

/// The emulator knows no side of length nothing.
fn side(length: u16) -> std::num::NonZeroU16 {
    std::num::NonZeroU16::new(length).expect("a screen has rows and columns")
}

impl Seen {
    fn answer(&mut self, text: &str) {
        if !self.quiet {
            self.reply.extend_from_slice(text.as_bytes());
        }
    }

    fn private_modes(&mut self, params: &[&[u16]], on: bool) {
        for mode in params.iter().filter_map(|param| param.first()) {
            match (*mode, on) {
                (1004 | 1007 | 2026, true) => drop(self.modes.insert(*mode)),
                (1004 | 1007 | 2026, false) => drop(self.modes.remove(mode)),
                // Those that the emulator tracks itself come along when they stand beside an unknown one.
                (25 | 1049 | 2004, _) => {}
                _ => self.strange.push(format!("private mode {mode} {on}")),
            }
        }
    }
}

impl Callbacks for Seen {
    fn audible_bell(&mut self, _: &mut Screen) {
        self.bells += 1;
    }

    fn visual_bell(&mut self, _: &mut Screen) {
        self.strange.push("visual bell".to_owned());
    }

    fn resize(&mut self, _: &mut Screen, request: (u16, u16)) {
        self.strange.push(format!("resize {request:?}"));
    }

    fn set_window_title(&mut self, _: &mut Screen, title: &[u8]) {
        self.title.push(String::from_utf8_lossy(title).into_owned());
    }

    fn copy_to_clipboard(&mut self, _: &mut Screen, _: &[u8], data: &[u8]) {
        self.copied.push(String::from_utf8_lossy(data).into_owned());
    }

    fn paste_from_clipboard(&mut self, _: &mut Screen, _: &[u8]) {
        self.strange.push("reads the clipboard".to_owned());
    }

    fn unhandled_char(&mut self, _: &mut Screen, c: char) {
        if c != '\u{fffd}' {
            self.strange.push(format!("char {c:?}"));
        }
    }

    fn unhandled_control(&mut self, _: &mut Screen, byte: u8) {
        self.strange.push(format!("control {byte:#x}"));
    }

    fn unhandled_escape(&mut self, _: &mut Screen, first: Option<u8>, second: Option<u8>, byte: u8) {
        // The end of a string sequence arrives as a sequence of its own.
        if (first, byte) != (None, b'\\') {
            self.strange.push(format!("escape {first:?} {second:?} {:?}", byte as char));
        }
    }

    fn unhandled_csi(
        &mut self,
        screen: &mut Screen,
        first: Option<u8>,
        second: Option<u8>,
        params: &[&[u16]],
        last: char,
    ) {
        match (first, last, params) {
            (Some(b'?'), 'h', _) => self.private_modes(params, true),
            (Some(b'?'), 'l', _) => self.private_modes(params, false),
            // Keyboard protocol: asked for, pushed, popped; xterm's older form.
            (Some(b'?'), 'u', _) => {}
            (Some(b'>'), 'u', _) => self.keyboards += 1,
            (Some(b'<'), 'u', _) => self.keyboards -= 1,
            (Some(b'>'), 'm', [[4], ..]) => {}
            (Some(b'>'), 'q', _) => self.answer(&format!("\x1bP>|{}\x1b\\", self.name)),
            (None, 'c', _) => self.answer("\x1b[?62;22c"),
            (None, 'n', [[6]]) => {
                let (row, col) = screen.cursor_position();
                self.answer(&format!("\x1b[{};{}R", row + 1, col + 1));
            }
            (None, 't', [[22], ..]) => self.titles += 1,
            (None, 't', [[23], ..]) => self.titles -= 1,
            _ => self.strange.push(format!("csi {first:?} {second:?} {params:?} {last:?}")),
        }
    }

    fn unhandled_osc(&mut self, _: &mut Screen, params: &[&[u8]]) {
        let text =
            |param: Option<&&[u8]>| String::from_utf8_lossy(param.copied().unwrap_or(b"")).into_owned();
        match params {
            [b"10", b"?"] => self.answer("\x1b]10;rgb:dddd/dddd/dddd\x1b\\"),
            [b"11", b"?"] => self.answer("\x1b]11;rgb:1111/1111/1111\x1b\\"),
            [b"8", _, uri @ ..] if uri.iter().all(|part| part.is_empty()) => {}
            [b"8", ..] => self.links.push(text(params.get(2))),
            [b"9", ..] => self.notices.push(text(params.get(1))),
            _ => self.strange.push(format!("osc {:?}", text(params.first()))),
        }
    }
}

#[test]
fn the_emulator_is_strict_and_sees_what_is_left_on() {
    let mut emulator = Emulator::new(20, 4, false);
    let reply = emulator.take(b"\x1b[?1049h\x1b[?2026h\x1b[?1004h\x1b[>5u\x1b[c\x1b]11;?\x1b\\hi");
    assert_eq!(String::from_utf8(reply).unwrap(), "\x1b[?62;22c\x1b]11;rgb:1111/1111/1111\x1b\\");
    assert!(emulator.in_frame() && emulator.rows()[0] == "hi");
    emulator.take(b"\x1b[?2026l");
    assert_eq!(emulator.left_on(), ["mode 1004", "alternate screen", "keyboard protocol"]);
    assert!(emulator.seen().strange.is_empty(), "{:?}", emulator.seen().strange);
    for bytes in
        [&b"\x1b[?1003h\x1b[?9999h"[..], b"\x1b[5n", b"\x1bP+q\x1b\\\x1b#8", b"\x00", b"\x1b]52;c;?\x07"]
    {
        let before = emulator.seen().strange.len() + emulator.left_on().len();
        emulator.take(bytes);
        let after = emulator.seen().strange.len() + emulator.left_on().len();
        assert!(after > before, "{:?}", String::from_utf8_lossy(bytes));
    }
}
