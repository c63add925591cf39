//! What goes between the prompt and the screen around it: what a call may know, and what it wants done.

use std::path::PathBuf;

use super::draft::Draft;
use crate::tui::keymap::Keymap;
use crate::tui::slash::Command;

/// What the prompt wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// Send this: a turn begins, or the running one gets it.
    Submit(Draft),
    /// Send this when the running turn has ended.
    Queue(Draft),
    /// Run this in the user's shell.
    Shell(String),
    /// Run a slash command with what followed its name.
    Command(Command, String),
    /// Tell the person this.
    Notice(String),
    /// Append this to the prompt history.
    Remember(String),
    /// Read the page of history before this byte (from the end when `None`), answer with `history_loaded`.
    LoadHistory(Option<u64>),
    /// Search files for this, answer with `files_found`. A search before it may be dropped.
    FindFiles(String),
    /// Look whether these are images, answer with `images_checked`.
    CheckImages(char, Vec<PathBuf>),
    /// Take an image from the clipboard, answer with `attach`.
    PasteImage,
    /// Show the keys.
    Shortcuts,
    /// Keep this on disk.
    SaveDraft(Draft),
}

/// What a call may know of the outside.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Env<'a> {
    /// The time; only differences matter.
    pub(crate) now_ms: u64,
    /// A turn runs.
    pub(crate) running: bool,
    /// Which key does what.
    pub(crate) keymap: &'a Keymap,
}

/// Answer to a key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reply {
    /// False when the key means nothing here: it may mean something to the screen.
    pub(crate) handled: bool,
    /// What to do; may hold something also when the key was not handled.
    pub(crate) effects: Vec<Effect>,
}
