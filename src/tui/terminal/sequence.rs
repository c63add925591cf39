//! One sequence at the start of some bytes: a character, a key as terminals have sent it since the 1970s, a key of
//! the kitty protocol, a reply. What is not known is recognised as a sequence and dropped whole.

use super::input::{Input, WHEEL};
use crate::tui::keys::{Code, Key};

/// What a sequence means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sequence {
    /// Something to act on.
    Input(Input),
    /// A bracketed paste begins.
    PasteStart,
    /// Nothing.
    Nothing,
}

/// The sequence at the start of `bytes` with its length; `None` when it is not complete.
pub(super) fn next(bytes: &[u8]) -> Option<(usize, Sequence)> {
    match bytes.first()? {
        0x1b => escape(bytes),
        byte @ (0..=0x1f | 0x7f) => Some((1, key(control(*byte)))),
        _ => character(bytes).map(|(used, c)| (used, c.map_or(Sequence::Nothing, |c| key(plain(c))))),
    }
}

fn key(key: Key) -> Sequence {
    Sequence::Input(Input::Key(key))
}

fn plain(c: char) -> Key {
    Key::plain(Code::Char(c))
}

fn control(byte: u8) -> Key {
    match byte {
        0 => Key::ctrl(' '),
        b'\t' => Key::plain(Code::Tab),
        b'\r' => Key::plain(Code::Enter),
        0x7f => Key::plain(Code::Backspace),
        1..=26 => Key::ctrl(char::from(byte + 0x60)),
        _ => Key::ctrl(char::from(byte | 0x40)),
    }
}

/// One character; bytes that are none are dropped one by one.
fn character(bytes: &[u8]) -> Option<(usize, Option<char>)> {
    let length = match bytes.first()? {
        0..=0x7f => 1,
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => return Some((1, None)),
    };
    let whole = bytes.get(..length);
    match std::str::from_utf8(whole.unwrap_or(bytes)) {
        Ok(text) if whole.is_some() => Some((length, text.chars().next())),
        Err(error) if whole.is_none() && error.error_len().is_none() => None,
        _ => Some((1, None)),
    }
}

fn escape(bytes: &[u8]) -> Option<(usize, Sequence)> {
    match bytes.get(1)? {
        b'[' => csi(bytes),
        b'O' => {
            let last = *bytes.get(2)?;
            let code = if last == b'M' { Some(Code::Enter) } else { letter(last) };
            Some((3, code.map_or(Sequence::Nothing, |code| key(Key::plain(code)))))
        }
        b']' => string(bytes, osc),
        b'P' => string(bytes, dcs),
        b'_' | b'^' | b'X' => string(bytes, |_| Sequence::Nothing),
        // An escape pressed before another sequence is a key of its own.
        0x1b => Some((1, key(Key::plain(Code::Esc)))),
        byte @ (0..=0x1f | 0x7f) => Some((2, key(Key { alt: true, ..control(*byte) }))),
        _ => {
            let (used, c) = character(bytes.get(1..)?)?;
            Some((1 + used, c.map_or(Sequence::Nothing, |c| key(Key::alt(c)))))
        }
    }
}

/// A string up to its terminator (BEL or ST), handed to `read` without its frame.
fn string(bytes: &[u8], read: fn(&[u8]) -> Sequence) -> Option<(usize, Sequence)> {
    let body = bytes.get(2..)?;
    let end = body.iter().position(|byte| matches!(byte, 0x07 | 0x1b))?;
    let content = body.get(..end)?;
    match body.get(end..)? {
        [0x07, ..] => Some((2 + end + 1, read(content))),
        [0x1b, b'\\', ..] => Some((2 + end + 2, read(content))),
        [0x1b] => None,
        // Cut off by something else: drop the string, keep what cut it.
        _ => Some((2 + end, Sequence::Nothing)),
    }
}

/// The only one that is asked for: the name of the terminal.
fn dcs(content: &[u8]) -> Sequence {
    let name = content.strip_prefix(b">|").and_then(|name| std::str::from_utf8(name).ok());
    name.map_or(Sequence::Nothing, |name| Sequence::Input(Input::Name(name.to_owned())))
}

fn osc(content: &[u8]) -> Sequence {
    let Ok(content) = std::str::from_utf8(content) else { return Sequence::Nothing };
    let (number, value) = content.split_once(';').unwrap_or((content, ""));
    match (number, color(value)) {
        ("10", Some(rgb)) => Sequence::Input(Input::Foreground(rgb)),
        ("11", Some(rgb)) => Sequence::Input(Input::Background(rgb)),
        _ => Sequence::Nothing,
    }
}

/// `rgb:hhhh/hhhh/hhhh` (one to four digits each) or `#rrggbb`.
fn color(text: &str) -> Option<[u8; 3]> {
    let mut out = [0; 3];
    if let Some(parts) = text.strip_prefix("rgb:").or_else(|| text.strip_prefix("rgba:")) {
        let mut parts = parts.split('/');
        for slot in &mut out {
            let part = parts.next().filter(|part| (1..=4).contains(&part.len()))?;
            let most = 16_u32.pow(u32::try_from(part.len()).ok()?) - 1;
            *slot = u8::try_from(u32::from_str_radix(part, 16).ok()? * 255 / most).ok()?;
        }
        return Some(out);
    }
    let number = u32::from_str_radix(text.strip_prefix('#').filter(|hex| hex.len() == 6)?, 16).ok()?;
    let [_, r, g, b] = number.to_be_bytes();
    Some([r, g, b])
}

/// `ESC [ parameters final`.
fn csi(bytes: &[u8]) -> Option<(usize, Sequence)> {
    let body = bytes.get(2..)?;
    // Mouse reports of the oldest kind carry three raw bytes behind their letter.
    if body.first() == Some(&b'M') {
        return (body.len() >= 4).then_some((6, Sequence::Nothing));
    }
    let end = body.iter().position(|byte| !matches!(byte, 0x20..=0x3f))?;
    let last = *body.get(end)?;
    let params = body.get(..end).and_then(|params| std::str::from_utf8(params).ok()).unwrap_or_default();
    if !matches!(last, 0x40..=0x7e) {
        // Cut off by a control character, which stays.
        return Some((2 + end, Sequence::Nothing));
    }
    Some((2 + end + 1, meaning(params, last)))
}

fn meaning(params: &str, last: u8) -> Sequence {
    match (params, last) {
        ("", b'I') => return Sequence::Input(Input::Focus(true)),
        ("", b'O') => return Sequence::Input(Input::Focus(false)),
        ("200", b'~') => return Sequence::PasteStart,
        _ => {}
    }
    if let Some(mouse) = params.strip_prefix('<') {
        return wheel(mouse, last);
    }
    if let Some(private) = params.strip_prefix('?') {
        return match last {
            b'u' if !private.is_empty() => Sequence::Input(Input::Kitty),
            b'c' => Sequence::Input(Input::Attributes),
            _ => Sequence::Nothing,
        };
    }
    let mut fields = params.split(';').map(|field| {
        let mut numbers = field.split(':').map(|n| n.parse::<u32>().ok());
        (numbers.next().flatten(), numbers.next().flatten())
    });
    let (first, shifted) = fields.next().unwrap_or_default();
    let (modifiers, event) = fields.next().unwrap_or_default();
    let third = fields.next().and_then(|field| field.0);
    if event == Some(3) {
        return Sequence::Nothing; // a key was released
    }
    let held = modifiers.unwrap_or(1).saturating_sub(1);
    let found = match last {
        b'~' if first == Some(27) => third.and_then(|code| unicode(code, None, held)),
        b'~' => first.and_then(tilde).map(|code| with(code, held)),
        b'u' => first.and_then(|code| unicode(code, shifted, held)),
        b'Z' => Some(Key::plain(Code::BackTab)),
        _ if matches!(first, None | Some(1)) => letter(last).map(|code| with(code, held)),
        _ => None,
    };
    found.map_or(Sequence::Nothing, key)
}

/// The wheel, from a terminal in which another program left the mouse switched on; buttons mean nothing.
fn wheel(mouse: &str, last: u8) -> Sequence {
    match (mouse.split(';').next(), last) {
        (Some("64"), b'M') => Sequence::Input(Input::Wheel(WHEEL)),
        (Some("65"), b'M') => Sequence::Input(Input::Wheel(-WHEEL)),
        _ => Sequence::Nothing,
    }
}

const SHIFT: u32 = 1;
const ALT: u32 = 2;
const CTRL: u32 = 4;

fn with(code: Code, held: u32) -> Key {
    let text = matches!(code, Code::Char(_));
    Key { code, ctrl: held & CTRL != 0, alt: held & ALT != 0, shift: held & SHIFT != 0 && !text }
}

fn letter(last: u8) -> Option<Code> {
    Some(match last {
        b'A' => Code::Up,
        b'B' => Code::Down,
        b'C' => Code::Right,
        b'D' => Code::Left,
        b'H' => Code::Home,
        b'F' => Code::End,
        b'P'..=b'S' => Code::F(last - b'P' + 1),
        _ => return None,
    })
}

fn tilde(number: u32) -> Option<Code> {
    Some(match number {
        1 | 7 => Code::Home,
        4 | 8 => Code::End,
        3 => Code::Delete,
        5 => Code::PageUp,
        6 => Code::PageDown,
        11..=15 => Code::F(u8::try_from(number - 10).ok()?),
        17..=21 => Code::F(u8::try_from(number - 11).ok()?),
        23 | 24 => Code::F(u8::try_from(number - 12).ok()?),
        _ => return None,
    })
}

/// A key told by its character; `shifted` is the character with shift held, when the terminal knows it.
fn unicode(code: u32, shifted: Option<u32>, held: u32) -> Option<Key> {
    let shift = held & SHIFT != 0;
    let code = match code {
        13 | 57414 => Code::Enter,
        27 => Code::Esc,
        9 if shift => return Some(Key { shift: false, ..with(Code::BackTab, held) }),
        9 => Code::Tab,
        8 | 127 => Code::Backspace,
        57417 => Code::Left,
        57418 => Code::Right,
        57419 => Code::Up,
        57420 => Code::Down,
        57421 => Code::PageUp,
        57422 => Code::PageDown,
        57423 => Code::Home,
        57424 => Code::End,
        57426 => Code::Delete,
        57399..=57408 => Code::Char(char::from_digit(code - 57399, 10)?),
        // Keys without a character: modifiers alone, media keys.
        0xe000..=0xf8ff => return None,
        _ => {
            let c = char::from_u32(code).filter(|c| !c.is_control())?;
            let other = shifted.and_then(char::from_u32).filter(|c| shift && !c.is_control());
            let upper = if shift { other.unwrap_or_else(|| upper(c)) } else { c };
            Code::Char(upper)
        }
    };
    Some(with(code, held))
}

fn upper(c: char) -> char {
    let mut all = c.to_uppercase();
    match (all.next(), all.next()) {
        (Some(upper), None) => upper,
        _ => c,
    }
}
