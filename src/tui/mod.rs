//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`composer`]: the prompt
//! - [`door`]: what the app asks of the program around it
//! - [`input`]: bytes from the terminal → keys, pastes, replies; [`sequence`] reads one of them
//! - [`keymap`]: key → action, and the help sheet
//! - [`keys`]: one key press, as the components see it
//! - [`onboarding`]: pages before the first prompt
//! - [`pager`]: a full page to read
//! - [`paint`]: the difference of two screens as bytes
//! - [`palette`]: the colours behind the roles, and colours brought down to what a terminal has
//! - [`popups`]: what stands in the prompt's place for a while
//! - [`slash`]: the slash commands
//! - [`status`]: where things stand
//! - [`surroundings`]: what the environment tells about the terminal
//! - [`terminal`]: raw mode, screen, restore
//! - [`text`]: text → lines: sanitising, wrapping, Markdown, highlighting, diffs
//! - [`theme`]: roles → styles, for every kind of terminal
//! - [`transcript`]: what happened in the thread, as cells
//! - `testing`: screens as snapshots (tests only)

pub(crate) mod composer;
pub(crate) mod door;
mod input;
pub(crate) mod keymap;
pub(crate) mod keys;
pub(crate) mod onboarding;
mod pager;
mod paint;
mod palette;
pub(crate) mod popups;
mod sequence;
pub(crate) mod slash;
pub(crate) mod status;
mod surroundings;
mod terminal;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod text;
pub(crate) mod theme;
pub(crate) mod transcript;
