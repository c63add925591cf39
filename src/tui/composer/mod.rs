//! The prompt: everything between a key press and a message that leaves. Pure state; what has to be done outside
//! (files, clipboard, disk) comes out as [`Effect`]s and their results come back through methods.
//!
//! - [`prompt`]: the component: keys and pastes in, effects out
//! - [`prompt_keys`]: what each key asks of the text, the lists and the search
//! - [`prompt_send`]: what leaves the prompt, and what goes into it from a list
//! - [`effect`]: what the prompt wants done
//! - [`textarea`]: text, cursor and edits; [`clusters`], [`layout`], [`undo`], [`kill`] are its parts
//! - [`elements`]: pastes and images as single characters of the text
//! - [`typing`]: characters into text; [`paste`] tells pastes that arrive as single keys
//! - [`attach`]: pasted text that names images
//! - [`complete`]: the lists of commands and files
//! - [`history`]: walking and searching earlier prompts; [`history_file`] is their file
//! - [`draft`]: the prompt as a value, sent, queued, put back, kept on disk
//! - [`send`]: what a text is when it is sent
//! - [`queue`]: messages that wait while a turn runs
//! - [`view`], [`popup`]: drawing
//! - [`desk`]: a prompt with hands, for tests

mod attach;
mod clusters;
mod complete;
#[cfg(test)]
#[path = "cost_tests.rs"]
mod cost_tests;
#[cfg(test)]
mod desk;
pub(crate) mod draft;
mod effect;
mod elements;
mod history;
pub(crate) mod history_file;
mod kill;
mod layout;
mod paste;
mod popup;
mod prompt;
mod prompt_keys;
mod prompt_send;
mod queue;
mod send;
mod textarea;
mod typing;
mod undo;
mod view;

pub(crate) use draft::Draft;
pub(crate) use effect::{Effect, Env};
pub(crate) use prompt::Composer;
pub(crate) use queue::Queue;
pub(crate) use view::Look;

/// The longest text that is edited in place, in bytes; longer text is one token. Keeps a key press cheap.
const OPEN_LIMIT: usize = 64 << 10;
