//! Pastes that arrive as single keys, from terminals that do not bracket them. Every key is painted at once;
//! what is decided here is only what `enter` and `tab` mean in a burst of keys faster than hands. They are held
//! until the burst goes on (then they were text) or stops (then they were keys, unless the burst already had
//! lines). A terminal that ever bracketed a paste is never suspected.

use crate::tui::keys::{Code, Key};

/// Longer pastes become one token, in characters.
pub(crate) const LONG: usize = 1000;
/// Keys closer than this are a burst, in milliseconds. Hands need about 30; a read of pasted bytes takes none.
const FAST_MS: u64 = 8;
/// A burst goes on across gaps up to this, as a slow line delivers a paste in pieces.
const WINDOW_MS: u64 = 50;
/// Fewer keys than this are no burst: keys that roll over each other come in twos.
const MIN_KEYS: usize = 3;

/// A key that waits for its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Submit or newline.
    Enter,
    /// Queue or tab character.
    Tab,
}

impl Held {
    /// What it is as a key.
    pub(crate) fn as_key(self) -> Key {
        match self {
            Self::Enter => Key::plain(Code::Enter),
            Self::Tab => Key::plain(Code::Tab),
        }
    }

    /// What it is as text.
    pub(crate) fn as_char(self) -> char {
        match self {
            Self::Enter => '\n',
            Self::Tab => '\t',
        }
    }
}

/// What became of a held key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A character of a paste.
    Text(Held),
    /// A key press.
    Key(Held),
}

/// The burst under way.
#[derive(Debug, Default)]
pub(crate) struct Burst {
    /// Never suspect anything: the terminal brackets pastes, or the configuration says so.
    off: bool,
    keys: usize,
    last_ms: u64,
    lines: usize,
    held: Option<Held>,
    /// Byte of the text where it began.
    start: usize,
}

impl Burst {
    /// Stops suspecting for good.
    pub(crate) fn turn_off(&mut self) {
        *self = Self { off: true, ..Self::default() };
    }

    /// A character was pressed with the cursor at byte `at`; `plain` is false when the text could be a command,
    /// `line` when it was a line feed. Returns the held key that turned out to be text, or to be a key (it comes
    /// first).
    pub(crate) fn char(&mut self, now_ms: u64, at: usize, plain: bool, line: bool) -> Option<Meaning> {
        let goes_on = self.goes_on(now_ms);
        let held = self.held.take();
        if self.off {
            return held.map(Meaning::Key);
        }
        if !goes_on || !plain {
            *self = Self { start: at, ..Self::default() };
        }
        self.keys += 1;
        self.lines += usize::from(line);
        self.last_ms = now_ms;
        match held {
            Some(held) if goes_on => {
                self.lines += usize::from(held == Held::Enter);
                self.keys += 1;
                Some(Meaning::Text(held))
            }
            held => held.map(Meaning::Key),
        }
    }

    /// `enter` or `tab` was pressed. True when it is held; the one held before comes with it as text.
    pub(crate) fn hold(&mut self, now_ms: u64, key: Held, plain: bool) -> Option<Option<Held>> {
        if self.off || !plain || self.keys < MIN_KEYS || !self.goes_on(now_ms) {
            return None;
        }
        let before = self.held.replace(key);
        self.lines += usize::from(before == Some(Held::Enter));
        self.keys += usize::from(before.is_some());
        self.last_ms = now_ms;
        Some(before)
    }

    fn goes_on(&self, now_ms: u64) -> bool {
        let gap = now_ms.saturating_sub(self.last_ms);
        let allowed = if self.keys >= MIN_KEYS { WINDOW_MS } else { FAST_MS };
        self.keys > 0 && gap <= allowed
    }

    /// Ends the burst (another key came, or time passed) and tells what the held key was.
    pub(crate) fn end(&mut self) -> Option<Meaning> {
        let held = self.held.take().map(|h| if self.lines > 0 { Meaning::Text(h) } else { Meaning::Key(h) });
        *self = Self { off: self.off, ..Self::default() };
        held
    }

    /// When the burst is over if nothing comes; `None` when nothing waits for that.
    pub(crate) fn over_at_ms(&self) -> Option<u64> {
        (self.held.is_some() || self.is_long()).then_some(self.last_ms + WINDOW_MS + 1)
    }

    /// So many characters that they should be one token.
    pub(crate) fn is_long(&self) -> bool {
        self.keys > LONG
    }

    /// Byte of the text where it began.
    pub(crate) fn start(&self) -> usize {
        self.start
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `x` is a character, `E` enter, `T` tab, `_` 30 ms of nothing, `.` 100 ms of nothing; each key takes 1 ms.
    /// Out come `x`, `n` (newline text), `t` (tab text), `S` (enter as a key), `Q` (tab as a key).
    fn run(keys: &str, plain: bool) -> String {
        let mut burst = Burst::default();
        let mut out = String::new();
        let mut now = 0;
        let show = |out: &mut String, meaning: Option<Meaning>| match meaning {
            Some(Meaning::Text(h)) => out.push(if h == Held::Enter { 'n' } else { 't' }),
            Some(Meaning::Key(h)) => out.push(if h == Held::Enter { 'S' } else { 'Q' }),
            None => {}
        };
        for c in keys.chars() {
            now += match c {
                '_' => 30,
                '.' => 100,
                _ => 1,
            };
            if burst.over_at_ms().is_some_and(|at| now >= at) {
                let meaning = burst.end();
                show(&mut out, meaning);
            }
            match c {
                'x' => {
                    let meaning = burst.char(now, 0, plain, false);
                    show(&mut out, meaning);
                    out.push('x');
                }
                'E' | 'T' => {
                    let key = if c == 'E' { Held::Enter } else { Held::Tab };
                    match burst.hold(now, key, plain) {
                        Some(before) => show(&mut out, before.map(Meaning::Text)),
                        None => show(&mut out, Some(Meaning::Key(key))),
                    }
                }
                _ => {}
            }
        }
        out
    }

    #[test]
    fn what_enter_and_tab_mean() {
        for (keys, want) in [
            ("x_x_x_xE", "xxxxS"),      // hands
            ("xxxE.", "xxxS"),          // one line at any speed: sent
            ("xxxExxxE.", "xxxnxxxn"),  // a paste of lines is never sent by its last newline
            ("xxxE_xxxE.", "xxxnxxxn"), // delivered in pieces
            ("xxxEExE.", "xxxnnxn"),    // blank lines
            ("xxE", "xxS"),             // two keys that roll over each other
            ("xxxTxxx.", "xxxtxxx"),    // tabs inside
            ("xxxT.", "xxxQ"),          // a quick tab
            ("xxxE.xxx", "xxxSxxx"),    // typed on after a pause
            ("E", "S"),
        ] {
            assert_eq!(run(keys, true), want, "{keys}");
        }
    }

    #[test]
    fn commands_run_at_any_speed() {
        assert_eq!(run("xxxxxxxE", false), "xxxxxxxS");
    }

    #[test]
    fn a_bracketing_terminal_is_never_suspected() {
        let mut burst = Burst::default();
        burst.turn_off();
        for t in 0..5 {
            assert_eq!(burst.char(t, 0, true, false), None);
        }
        assert_eq!(burst.hold(6, Held::Enter, true), None);
        assert_eq!(burst.over_at_ms(), None);
    }
}
