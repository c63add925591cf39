//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`composer`]: the prompt
//! - [`keymap`]: key → action, and the help sheet
//! - [`keys`]: one key press, as the components see it
//! - [`palette`]: the colours behind the roles, and colours brought down to what a terminal has
//! - [`slash`]: the slash commands
//! - [`text`]: text → lines: sanitising, wrapping, Markdown, highlighting, diffs
//! - [`theme`]: roles → styles, for every kind of terminal
//! - `testing`: screens as snapshots (tests only)

pub(crate) mod composer;
pub(crate) mod keymap;
pub(crate) mod keys;
mod palette;
pub(crate) mod slash;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod theme;
