//! What comes from the terminal and goes to it. Bytes do not get past this folder.
//!
//! - [`screen`]: raw mode, screens, restore on every way out
//! - [`input`]: bytes → keys, pastes, replies; [`sequence`] reads one of them
//! - [`paint`]: the difference of two screens as bytes
//! - [`surroundings`]: what the environment tells about the terminal
//! - [`title`]: the title of the window
//! - [`notify`]: words for a user who looks elsewhere
//! - [`clipboard`]: text out, images in

pub(crate) mod clipboard;
mod input;
pub(crate) mod notify;
mod paint;
mod screen;
mod sequence;
mod surroundings;
pub(crate) mod title;

pub(crate) use input::{Decoder, Input, Waiting, with_wheel};
pub(crate) use paint::row;
pub(crate) use screen::{Error, Keyboard, Screen, Terminal, guarded};
pub(crate) use surroundings::{Surroundings, is_light, rewraps};
