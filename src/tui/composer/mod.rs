//! The prompt: everything between a key press and a message that leaves. Pure state; what has to be done outside
//! (files, clipboard, disk) comes out as [`Effect`]s and their results come back through methods.
//!
//! - [`prompt`]: the component: keys and pastes in, effects out
//! - [`textarea`]: text, cursor and edits; [`clusters`], [`layout`], [`undo`], [`kill`] are its parts
//! - [`elements`]: pastes and images as single characters of the text
//! - [`paste`]: pastes that arrive as single keys
//! - [`attach`]: pasted text that names images
//! - [`complete`]: the lists of commands and files
//! - [`history`]: walking and searching earlier prompts; [`history_file`] is their file
//! - [`draft`]: the prompt as a value, sent, queued, put back, kept on disk
//! - [`queue`]: messages that wait while a turn runs
//! - [`view`], [`popup`]: drawing

mod attach;
mod clusters;
mod complete;
pub(crate) mod draft;
mod elements;
mod history;
pub(crate) mod history_file;
mod kill;
mod layout;
mod paste;
mod popup;
mod prompt;
mod queue;
mod textarea;
mod undo;
mod view;

#[allow(unused_imports, reason = "wired by the screen")]
pub(crate) use draft::Draft;
#[allow(unused_imports, reason = "wired by the screen")]
pub(crate) use elements::Element;
#[allow(unused_imports, reason = "wired by the screen")]
pub(crate) use prompt::{Composer, Effect, Env, Reply};
#[allow(unused_imports, reason = "wired by the screen")]
pub(crate) use queue::Queue;
#[allow(unused_imports, reason = "wired by the screen")]
pub(crate) use view::Look;

/// The longest text that is edited in place, in bytes; longer text is one token. Keeps a key press cheap.
const OPEN_LIMIT: usize = 64 << 10;
