//! What commands may touch, enforced by the kernel.
//!
//! - [`entry`]: where a supervisor process starts

mod entry;

pub(crate) use entry::entry;
