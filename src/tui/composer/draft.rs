//! What stands in the prompt as a value: typed text with the things in it. It is what is sent, queued, put back,
//! remembered and kept on disk, so that a crash loses no typed text. Cheap to clone: pastes are shared.

use std::io::{self, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::OPEN_LIMIT;
use super::elements::{self, Element, Elements, clean};
use crate::base;
use crate::protocol::input::UserInput;

/// A prompt being written or waiting to be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Draft {
    /// The text, tokens included.
    pub(crate) text: String,
    /// What the tokens stand for.
    pub(crate) elements: Elements,
    /// It is a command for the user's shell.
    pub(crate) shell: bool,
}

impl Draft {
    /// Plain text from outside. Text too long to be edited in place becomes one token.
    pub(crate) fn from_text(text: &str) -> Self {
        let text = clean(text);
        let mut out = Self::default();
        if text.len() > OPEN_LIMIT {
            let chars = text.chars().count();
            let token = out.elements.add(Element::Paste { text: text.into(), chars });
            out.text = token.map(String::from).unwrap_or_default();
        } else {
            out.text = text;
        }
        out
    }

    /// An entry of the prompt history: `!` in front makes it a shell command.
    pub(crate) fn from_history(text: &str) -> Self {
        match text.strip_prefix('!') {
            Some(command) => Self { shell: true, ..Self::from_text(command) },
            None => Self::from_text(text),
        }
    }

    /// The text as the history keeps it. A prompt that starts with `!` (it was pasted) gets a blank in front, so
    /// that recalling it never makes a command of it.
    pub(crate) fn to_history(&self) -> String {
        let text = self.expand();
        match self.shell {
            true => format!("!{text}"),
            false if text.starts_with('!') => format!(" {text}"),
            false => text,
        }
    }

    /// Nothing but blanks.
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// The text with all pastes written out.
    pub(crate) fn expand(&self) -> String {
        self.elements.expand(&self.text)
    }

    /// The text as a person sees it in a list: labels for tokens, and no newlines.
    pub(crate) fn shown(&self) -> String {
        let labels = self.elements.labels(&self.text);
        let mut out = String::new();
        for c in self.text.chars() {
            match labels.iter().find(|(token, _)| *token == c) {
                Some((_, label)) => out.push_str(label),
                None if c == '\n' || c == '\t' => out.push(' '),
                None => out.push(c),
            }
        }
        out
    }

    /// What goes to the thread: the images in order, then the text that names them by their labels.
    pub(crate) fn to_input(&self) -> Vec<UserInput> {
        let images = self.elements.images(&self.text).into_iter();
        let mut out: Vec<UserInput> =
            images.map(|path| UserInput::LocalImage { path: path.to_owned() }).collect();
        let text = self.expand().trim().to_owned();
        if !text.is_empty() {
            out.push(UserInput::Text { text });
        }
        out
    }

    /// Several drafts as one, a newline between them. Shell commands keep their sign as text.
    pub(crate) fn join(drafts: &[Draft]) -> Draft {
        let mut out =
            Draft { shell: drafts.len() == 1 && drafts.iter().all(|d| d.shell), ..Draft::default() };
        for (i, draft) in drafts.iter().enumerate() {
            if i > 0 {
                out.text.push('\n');
            }
            if draft.shell && !out.shell {
                out.text.push('!');
            }
            let text = out.elements.adopt(&draft.text, &draft.elements);
            out.text.push_str(&text);
        }
        out
    }

    /// The draft without characters that must not be in the editor, as a file could hold them.
    fn sound(self) -> Self {
        let keep = |c: char| match elements::is_token(c) {
            true => self.elements.get(c).is_some(),
            false => !c.is_control() || c == '\n' || c == '\t',
        };
        let text = self.text.chars().filter(|c| keep(*c)).collect();
        Self { text, ..self }
    }
}

/// Keeps `draft` at `path`; an empty one removes the file. Blocks on the disk.
pub(crate) fn save(path: &Path, draft: &Draft) -> io::Result<()> {
    if draft.text.is_empty() {
        return match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
    }
    let json = serde_json::to_vec(draft).map_err(io::Error::other)?;
    base::fs::replace(path, &json, 0o600)
}

const MAX_FILE: u64 = 64 << 20;

/// The draft kept at `path`, if there is one that can be read.
pub(crate) fn load(path: &Path) -> Option<Draft> {
    let mut json = Vec::new();
    base::fs::open_regular(path).ok()?.take(MAX_FILE).read_to_end(&mut json).ok()?;
    let draft: Draft = serde_json::from_slice(&json).ok()?;
    Some(draft.sound()).filter(|d| !d.text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_paste(text: &str) -> Draft {
        let mut draft = Draft::default();
        let element = Element::Paste { text: text.into(), chars: text.len() };
        let token = draft.elements.add(element).unwrap();
        draft.text = format!("see {token}");
        draft
    }

    #[test]
    fn a_file_brings_back_text_pastes_and_mode() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("draft.json");
        assert_eq!(load(&path), None);
        let draft = Draft { shell: true, ..with_paste("long\nlong") };
        save(&path, &draft).unwrap();
        assert_eq!(load(&path), Some(draft));
        save(&path, &Draft::default()).unwrap();
        save(&path, &Draft::default()).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn a_damaged_file_is_no_draft_or_a_sound_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("draft.json");
        std::fs::write(&path, "{\"text\":").unwrap();
        assert_eq!(load(&path), None);
        std::fs::write(&path, "{\"text\":\"a\\u001b[1m\u{F0007}\",\"elements\":[],\"shell\":false}").unwrap();
        assert_eq!(load(&path).unwrap().text, "a[1m");
    }

    #[test]
    fn input_has_images_first_and_text_that_names_them() {
        let mut draft = with_paste("P");
        let image = draft.elements.add(Element::Image { path: "/a.png".into() }).unwrap();
        draft.text.push(image);
        assert_eq!(
            draft.to_input(),
            [
                UserInput::LocalImage { path: "/a.png".into() },
                UserInput::Text { text: "see P[Image #1]".into() }
            ]
        );
        assert_eq!(draft.shown(), "see [Pasted Content 1 chars][Image #1]");
    }

    #[test]
    fn joined_drafts_keep_everything() {
        let shell = Draft { shell: true, ..Draft::from_text("ls") };
        let all = Draft::join(&[with_paste("one"), with_paste("two"), shell.clone()]);
        assert_eq!(all.expand(), "see one\nsee two\n!ls");
        assert!(!all.shell);
        assert_eq!(Draft::join(std::slice::from_ref(&shell)), shell);
    }

    #[test]
    fn history_round_trip_keeps_prompts_prompts() {
        for (draft, kept) in [
            (Draft::from_text("hi"), "hi"),
            (Draft { shell: true, ..Draft::from_text("ls") }, "!ls"),
            (Draft::from_text("!important"), " !important"),
        ] {
            assert_eq!(draft.to_history(), kept);
            assert_eq!(Draft::from_history(kept).shell, draft.shell);
        }
    }

    #[test]
    fn huge_text_becomes_one_token() {
        let draft = Draft::from_text(&"x".repeat(OPEN_LIMIT + 1));
        assert_eq!(draft.text.chars().count(), 1);
        assert_eq!(draft.expand().len(), OPEN_LIMIT + 1);
    }
}
