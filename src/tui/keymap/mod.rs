//! Key → action. One table holds every action with its context, default keys and help; remaps of the user's
//! configuration and the help sheet come out of the same rows.
//!
//! - [`table`]: every action, once
//! - [`spec`]: `ctrl-a`, `page-up`, `ctrl-x ctrl-u` as text
//! - [`bindings`]: defaults and remaps joined, looked up by context and key

mod bindings;
mod spec;
mod table;

pub(crate) use bindings::{Found, HelpRow, Keymap, Remap, names};
#[cfg(test)]
pub(crate) use spec::Chord;
pub(crate) use spec::normal;
pub(crate) use table::{Action, Context};
