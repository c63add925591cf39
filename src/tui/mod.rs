//! The fullscreen terminal app: a front end over `Op` and `Event`. State, update and view are apart: `update` is
//! pure, `view` only reads, effects are data.
//!
//! - [`theme`]: roles → styles, for every kind of terminal
//! - [`keys`]: one key press, as the components see it

pub(crate) mod keys;
pub(crate) mod theme;
