//! Things that stand in the text as one unit: long pastes, images, pasted paths that are being looked at. Each
//! is one *token*, a character of a private-use plane, so that moving, deleting, undo and the kill ring need no
//! special case. Text from outside never keeps such characters (see [`clean`]). The label a person sees is made
//! when the text is laid out, so that numbers follow the order in the text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::tui::text::Sanitizer;

const FIRST: u32 = 0xF_0000;
const LAST: u32 = 0xF_FFFD;

/// What a token stands for. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Element {
    /// A long paste.
    Paste {
        /// The pasted text.
        text: Arc<str>,
        /// Its length in characters.
        chars: usize,
    },
    /// An image on disk.
    Image {
        /// Where it is.
        path: PathBuf,
    },
    /// Pasted text that may name images; shown and sent as the text until somebody has looked.
    Unchecked {
        /// The pasted text.
        text: Arc<str>,
    },
}

/// The things of one draft, by token.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Elements {
    list: Vec<Element>,
}

/// Whether `c` stands for an element.
pub(crate) fn is_token(c: char) -> bool {
    (FIRST..=LAST).contains(&u32::from(c))
}

/// Text as it may enter the editor: nothing a terminal would obey, newlines are `\n`, tabs stay, and no character
/// could pass for a token.
pub(crate) fn clean(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut machine = Sanitizer::keeping_tabs();
    machine.push(text, &mut out);
    machine.finish(&mut out);
    if out.contains(is_token) {
        out.retain(|c| !is_token(c));
    }
    out
}

impl Elements {
    /// Adds an element and returns its token; `None` when the draft holds 65,534 already.
    pub(crate) fn add(&mut self, element: Element) -> Option<char> {
        let token = FIRST + u32::try_from(self.list.len()).ok()?;
        if token > LAST {
            return None;
        }
        self.list.push(element);
        char::from_u32(token)
    }

    /// What `token` stands for.
    pub(crate) fn get(&self, token: char) -> Option<&Element> {
        self.list.get(index(token)?)
    }

    /// Puts another element behind `token`.
    pub(crate) fn set(&mut self, token: char, element: Element) {
        if let Some(slot) = index(token).and_then(|i| self.list.get_mut(i)) {
            *slot = element;
        }
    }

    /// The labels of the tokens in `text`, in order: images count up, pastes of equal length get `#2`, `#3`.
    pub(crate) fn labels(&self, text: &str) -> Vec<(char, String)> {
        let mut out: Vec<(char, String)> = Vec::new();
        let mut images = 0;
        let mut lengths: Vec<usize> = Vec::new();
        for token in text.chars().filter(|c| is_token(*c)) {
            if out.iter().any(|(seen, _)| *seen == token) {
                continue;
            }
            let label = match self.get(token) {
                Some(Element::Image { .. }) => {
                    images += 1;
                    format!("[Image #{images}]")
                }
                Some(Element::Paste { chars, .. }) => {
                    lengths.push(*chars);
                    match lengths.iter().filter(|n| *n == chars).count() {
                        1 => format!("[Pasted Content {chars} chars]"),
                        nth => format!("[Pasted Content {chars} chars #{nth}]"),
                    }
                }
                Some(Element::Unchecked { text }) => one_line(text),
                None => String::new(),
            };
            out.push((token, label));
        }
        out
    }

    /// `text` with every token replaced by what it stands for; an image by its label.
    pub(crate) fn expand(&self, text: &str) -> String {
        let labels = self.labels(text);
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match is_token(c).then(|| self.get(c)) {
                None => out.push(c),
                Some(Some(Element::Paste { text, .. } | Element::Unchecked { text })) => out.push_str(text),
                Some(Some(Element::Image { .. })) => {
                    out.push_str(labels.iter().find(|(t, _)| *t == c).map_or("", |(_, l)| l));
                }
                Some(None) => {}
            }
        }
        out
    }

    /// The images of `text` in order, each once.
    pub(crate) fn images<'a>(&'a self, text: &str) -> Vec<&'a Path> {
        let mut out: Vec<&Path> = Vec::new();
        for token in text.chars().filter(|c| is_token(*c)) {
            if let Some(Element::Image { path }) = self.get(token)
                && !out.contains(&path.as_path())
            {
                out.push(path);
            }
        }
        out
    }

    /// Copies the tokens of `text` from `from` to here and returns the text with the tokens they got.
    pub(crate) fn adopt(&mut self, text: &str, from: &Elements) -> String {
        let mut moved: Vec<(char, char)> = Vec::new();
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if !is_token(c) {
                out.push(c);
                continue;
            }
            let known = moved.iter().find(|(old, _)| *old == c).map(|(_, new)| *new);
            let token = known.or_else(|| self.add(from.get(c)?.clone()));
            if let Some(token) = token {
                moved.push((c, token));
                out.push(token);
            }
        }
        out
    }

    /// Bytes held by pastes.
    pub(crate) fn bytes(&self) -> usize {
        self.list
            .iter()
            .map(|e| match e {
                Element::Paste { text, .. } | Element::Unchecked { text } => text.len(),
                Element::Image { .. } => 0,
            })
            .sum()
    }
}

fn index(token: char) -> Option<usize> {
    is_token(token).then(|| (u32::from(token) - FIRST) as usize)
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c == '\n' { ' ' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paste(text: &str) -> Element {
        Element::Paste { text: text.into(), chars: text.chars().count() }
    }

    #[test]
    fn clean_keeps_text_and_drops_what_a_terminal_would_obey() {
        for (given, want) in [
            ("a\r\nb\rc\n", "a\nb\nc\n"),
            ("x\u{1b}[31my\0\u{7}", "xy"),
            ("t\tü\u{F0001}", "t\tü"),
            ("\u{1b}]0;title\u{7}t", "t"),
        ] {
            assert_eq!(clean(given), want, "{given:?}");
        }
    }

    #[test]
    fn labels_follow_the_order_in_the_text() {
        let mut all = Elements::default();
        let a = all.add(paste("aaaa")).unwrap();
        let b = all.add(paste("bbbb")).unwrap();
        let c = all.add(paste("cc")).unwrap();
        let i = all.add(Element::Image { path: "/1.png".into() }).unwrap();
        let j = all.add(Element::Image { path: "/2.png".into() }).unwrap();
        let text = format!("{j}{b}{a}{c}{i}{b}");
        let labels: Vec<String> = all.labels(&text).into_iter().map(|(_, l)| l).collect();
        let want = ["[Image #1]", "[Pasted Content 4 chars]", "[Pasted Content 4 chars #2]"];
        assert_eq!(labels.get(..3).unwrap(), want);
        assert_eq!(labels.get(3..).unwrap(), ["[Pasted Content 2 chars]", "[Image #2]"]);
        assert_eq!(all.expand(&text), "[Image #1]bbbbaaaacc[Image #2]bbbb");
        assert_eq!(all.images(&text), [Path::new("/2.png"), Path::new("/1.png")]);
    }

    #[test]
    fn adopted_text_means_the_same() {
        let mut old = Elements::default();
        old.add(paste("unused"));
        let token = old.add(paste("kept")).unwrap();
        let mut new = Elements::default();
        new.add(paste("already here"));
        let text = new.adopt(&format!("<{token}{token}>"), &old);
        assert_eq!(new.expand(&text), "<keptkept>");
        assert_eq!(new.list.len(), 2);
    }
}
