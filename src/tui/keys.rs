//! One key press, as the components see it. The terminal library's own type does not go past `terminal.rs`.

/// Keys that come so soon after a question opened by itself were meant for something else, and so were typed lines.
/// Milliseconds.
pub(crate) const GUARD_MS: u64 = 300;

/// A key with its modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    /// Which key.
    pub(crate) code: Code,
    /// Control was held.
    pub(crate) ctrl: bool,
    /// Alt was held.
    pub(crate) alt: bool,
    /// Shift was held; never set for printable characters.
    pub(crate) shift: bool,
}

/// A key without modifiers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Code {
    /// A printable character, shift already applied.
    Char(char),
    /// Return.
    Enter,
    /// Escape.
    Esc,
    /// Tabulator.
    Tab,
    /// Shift and tabulator.
    BackTab,
    /// Backspace.
    Backspace,
    /// Delete.
    Delete,
    /// Arrow.
    Up,
    /// Arrow.
    Down,
    /// Arrow.
    Left,
    /// Arrow.
    Right,
    /// Start of line or list.
    Home,
    /// End of line or list.
    End,
    /// One page back.
    PageUp,
    /// One page on.
    PageDown,
    /// Function key by number.
    F(u8),
}

impl Key {
    /// A key without modifiers.
    pub(crate) const fn plain(code: Code) -> Self {
        Self { code, ctrl: false, alt: false, shift: false }
    }

    /// Whether it is text, but no digit.
    pub(crate) const fn is_letter(&self) -> bool {
        matches!(self.code, Code::Char(c) if !c.is_ascii_digit()) && !self.ctrl && !self.alt
    }

    /// A character with control held.
    pub(crate) const fn ctrl(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: true, alt: false, shift: false }
    }

    /// A character with alt held.
    pub(crate) const fn alt(c: char) -> Self {
        Self { code: Code::Char(c), ctrl: false, alt: true, shift: false }
    }
}
