//! Keys as people write them in a configuration: `ctrl-a`, `alt-.`, `shift-enter`, `page-up`, `f3`, and two keys
//! in a row as `ctrl-x ctrl-u`.

use std::fmt;

use crate::tui::keys::{Code, Key};

/// One key, or two pressed one after the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Chord {
    /// The key before, when there are two.
    pub(crate) leader: Option<Key>,
    /// The key.
    pub(crate) key: Key,
}

const NAMES: &[(&str, Code)] = &[
    ("enter", Code::Enter),
    ("return", Code::Enter),
    ("esc", Code::Esc),
    ("escape", Code::Esc),
    ("tab", Code::Tab),
    ("backspace", Code::Backspace),
    ("delete", Code::Delete),
    ("del", Code::Delete),
    ("up", Code::Up),
    ("down", Code::Down),
    ("left", Code::Left),
    ("right", Code::Right),
    ("home", Code::Home),
    ("end", Code::End),
    ("page-up", Code::PageUp),
    ("pageup", Code::PageUp),
    ("page-down", Code::PageDown),
    ("pagedown", Code::PageDown),
    ("space", Code::Char(' ')),
    ("minus", Code::Char('-')),
];

/// A key as terminals differ in telling it, brought to one form: what 1970s terminals send for `ctrl-_` and
/// `ctrl-]` reads as a digit, `shift-tab` has a code of its own, letters with control have no case.
pub(crate) fn normal(key: Key) -> Key {
    let mut key = key;
    match key.code {
        Code::Char('7') if key.ctrl => key.code = Code::Char('_'),
        Code::Char('5') if key.ctrl => key.code = Code::Char(']'),
        Code::Char('4') if key.ctrl => key.code = Code::Char('\\'),
        Code::Char(c) if key.ctrl => key.code = Code::Char(c.to_ascii_lowercase()),
        Code::Tab if key.shift => key.code = Code::BackTab,
        _ => {}
    }
    let keeps_shift = match key.code {
        Code::BackTab => false,
        Code::Char(c) => c == ' ',
        _ => true,
    };
    key.shift &= keeps_shift;
    key
}

impl Chord {
    /// Reads a key spec. The error names the part that is not understood.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut words = text.split_whitespace();
        match (words.next(), words.next(), words.next()) {
            (Some(key), None, _) => Ok(Self { leader: None, key: parse_key(key)? }),
            (Some(leader), Some(key), None) => {
                Ok(Self { leader: Some(parse_key(leader)?), key: parse_key(key)? })
            }
            (None, ..) => Err("the key is empty".to_owned()),
            _ => Err(format!("`{text}` has more than two keys")),
        }
    }
}

fn parse_key(text: &str) -> Result<Key, String> {
    let mut key = Key::plain(Code::Esc);
    let mut rest = text;
    // The part after the last modifier may itself be `-`.
    while let Some((word, after)) = rest.split_once('-').filter(|(_, after)| !after.is_empty()) {
        match word.to_ascii_lowercase().as_str() {
            "ctrl" | "control" | "c" => key.ctrl = true,
            "alt" | "option" | "meta" | "m" => key.alt = true,
            "shift" | "s" => key.shift = true,
            _ => break,
        }
        rest = after;
    }
    key.code = parse_code(rest).ok_or_else(|| format!("`{rest}` in `{text}` is not the name of a key"))?;
    Ok(normal(key))
}

fn parse_code(text: &str) -> Option<Code> {
    let mut chars = text.chars();
    if let (Some(c), None) = (chars.next(), chars.next()) {
        return (!c.is_control() && !c.is_whitespace()).then_some(Code::Char(c));
    }
    let lower = text.to_ascii_lowercase();
    let function = lower.strip_prefix('f').and_then(|n| n.parse::<u8>().ok());
    if let Some(n) = function.filter(|n| (1..=24).contains(n)) {
        return Some(Code::F(n));
    }
    NAMES.iter().find(|(name, _)| *name == lower).map(|(_, code)| *code)
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(leader) = self.leader {
            write!(f, "{} ", Shown(leader))?;
        }
        write!(f, "{}", Shown(self.key))
    }
}

struct Shown(Key);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = self.0;
        let modifiers = [(key.ctrl, "ctrl-"), (key.alt, "alt-"), (key.shift, "shift-")];
        for (_, name) in modifiers.iter().filter(|(held, _)| *held) {
            f.write_str(name)?;
        }
        match key.code {
            Code::BackTab => f.write_str("shift-tab"),
            Code::F(n) => write!(f, "f{n}"),
            Code::Char(' ') => f.write_str("space"),
            Code::Char(c) => write!(f, "{c}"),
            code => f.write_str(NAMES.iter().find(|(_, c)| *c == code).map_or("?", |(name, _)| name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_and_shows_the_same() {
        for text in [
            "ctrl-a",
            "alt-.",
            "alt-,",
            "shift-enter",
            "page-up",
            "f3",
            "f12",
            "ctrl-x ctrl-u",
            "?",
            "/",
            "ctrl-_",
            "alt-<",
            "shift-tab",
            "space",
            "shift-space",
            "ctrl-]",
            "alt-_",
            "ctrl-alt-left",
            "-",
            "ctrl--",
            "y",
            "delete",
            "esc",
        ] {
            assert_eq!(Chord::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn other_spellings() {
        for (given, want) in [
            ("Ctrl-A", "ctrl-a"),
            ("C-a", "ctrl-a"),
            ("M-b", "alt-b"),
            ("ESC", "esc"),
            ("PageUp", "page-up"),
            ("ctrl-7", "ctrl-_"),
            ("alt-minus", "alt--"),
            ("f1", "f1"),
            ("f", "f"),
            ("shift-a", "a"),
        ] {
            assert_eq!(Chord::parse(given).unwrap().to_string(), want, "{given}");
        }
    }

    #[test]
    fn wrong_specs_say_what_is_wrong() {
        for (given, want) in [
            ("", "the key is empty"),
            ("ctrl-nope", "`nope` in `ctrl-nope` is not the name of a key"),
            ("f25", "`f25` in `f25` is not the name of a key"),
            ("hyper-a", "`hyper-a` in `hyper-a` is not the name of a key"),
            ("a b c", "`a b c` has more than two keys"),
        ] {
            assert_eq!(Chord::parse(given).unwrap_err(), want);
        }
    }
}
