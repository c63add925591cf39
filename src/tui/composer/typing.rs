//! Characters that are typed, and bursts of them: each is in the text at once, and a burst that gets long becomes
//! one token that goes on growing. Until the burst is over the token's text is held here.

use super::elements::Element;
use super::paste::{Burst, Held, Meaning};
use super::textarea::TextArea;
use super::undo::Kind;

/// The way of a character into the text.
#[derive(Debug, Default)]
pub(crate) struct Typing {
    burst: Burst,
    growing: Option<Growing>,
}

/// A paste that still arrives key by key.
#[derive(Debug)]
struct Growing {
    token: char,
    text: String,
    chars: usize,
}

impl Typing {
    /// Never takes quick keys for a paste from now on.
    pub(crate) fn turn_off(&mut self) {
        self.burst.turn_off();
    }

    /// Forgets the burst under way; its text is gone already.
    pub(crate) fn reset(&mut self) {
        self.growing = None;
        self.burst.end();
    }

    /// See [`Burst::char`].
    pub(crate) fn char(&mut self, now_ms: u64, at: usize, plain: bool, line: bool) -> Option<Meaning> {
        self.burst.char(now_ms, at, plain, line)
    }

    /// See [`Burst::hold`].
    pub(crate) fn hold(&mut self, now_ms: u64, key: Held, plain: bool) -> Option<Option<Held>> {
        self.burst.hold(now_ms, key, plain)
    }

    /// Ends the burst and tells what its held key was. The caller puts that in before it settles the text.
    pub(crate) fn end(&mut self) -> Option<Meaning> {
        self.burst.end()
    }

    /// When the burst is over if nothing comes.
    pub(crate) fn over_at_ms(&self) -> Option<u64> {
        self.burst.over_at_ms()
    }

    /// Whether a token is still growing: its text is not in the editor yet.
    pub(crate) fn is_growing(&self) -> bool {
        self.growing.is_some()
    }

    /// Puts a character where the burst under way wants it.
    pub(crate) fn put(&mut self, area: &mut TextArea, c: char) {
        if let Some(growing) = &mut self.growing {
            growing.text.push(c);
            growing.chars += 1;
            let element = Element::Paste { text: "".into(), chars: growing.chars };
            area.elements_mut().set(growing.token, element);
            return;
        }
        area.type_char(c);
        if self.burst.is_long() {
            self.grow(area);
        }
    }

    /// Makes one token of the burst under way.
    fn grow(&mut self, area: &mut TextArea) {
        let (start, end) = (self.burst.start(), area.cursor());
        let text = area.text().get(start..end).unwrap_or_default().to_owned();
        let chars = text.chars().count();
        let element = Element::Paste { text: "".into(), chars };
        if let Some(token) = area.elements_mut().add(element) {
            area.replace(start, end, token.encode_utf8(&mut [0; 4]), Kind::Other);
            self.growing = Some(Growing { token, text, chars });
        }
    }

    /// Gives a token that grew its text, and ends its burst.
    pub(crate) fn settle(&mut self, area: &mut TextArea) {
        if let Some(Growing { token, text, chars }) = self.growing.take() {
            area.elements_mut().set(token, Element::Paste { text: text.into(), chars });
            self.burst.end();
        }
    }
}
