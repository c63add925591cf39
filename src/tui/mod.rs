//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`theme`]: roles → styles, for every kind of terminal
//! - [`palette`]: the colours behind the roles, and colours brought down to what a terminal has
//! - [`keys`]: one key press, as the components see it
//! - [`text`]: text → lines: sanitising, wrapping, Markdown, highlighting, diffs
//! - [`transcript`]: what happened in the thread, as cells
//! - `testing`: screens as snapshots (tests only)

pub(crate) mod keys;
mod palette;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod theme;
pub(crate) mod transcript;
