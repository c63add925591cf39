//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`theme`]: roles → styles, for every kind of terminal
//! - [`palette`]: the colours behind the roles, and colours brought down to what a terminal has
//! - [`keys`]: one key press, as the components see it
//! - [`keymap`]: key → action, remaps, help
//! - [`slash`]: the commands
//! - [`text`]: text → lines: sanitising, wrapping, Markdown, highlighting, diffs
//! - [`input`]: bytes from the terminal → keys, pastes, replies
//! - [`sequence`]: one sequence at the start of some bytes
//! - [`surroundings`]: what the environment tells about the terminal
//! - [`terminal`]: raw mode, screen, restore
//! - [`paint`]: the difference of two screens as bytes
//! - `testing`: screens as snapshots (tests only)

mod input;
mod keymap;
pub(crate) mod keys;
mod paint;
mod palette;
mod sequence;
mod slash;
mod surroundings;
mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod theme;
