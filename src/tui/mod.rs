//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`composer`]: the prompt
//! - [`keymap`]: key → action, and the help sheet
//! - [`keys`]: one key press, as the components see it
//! - [`slash`]: the slash commands
//! - [`theme`]: roles → styles, for every kind of terminal

pub(crate) mod composer;
pub(crate) mod keymap;
pub(crate) mod keys;
pub(crate) mod slash;
pub(crate) mod theme;
