//! Where things stand: the row while a turn runs, the line below the prompt, the block of `/status`.
//!
//! - [`facts`]: what is known, and the items made of it
//! - [`line`]: items that fit beside each other
//! - [`working`]: the row while a turn runs
//! - [`panel`]: the block of `/status`

pub(crate) mod facts;
pub(crate) mod line;
pub(crate) mod panel;
pub(crate) mod working;
