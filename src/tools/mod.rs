//! What the model can call: one file = one tool.
//!
//! - [`tool`]: the seam: a call comes in, items are told, an output goes back
//! - [`context`]: what a tool may use while it runs
//! - [`apply_patch`]: changes files, all or nothing

pub(crate) mod apply_patch;
pub(crate) mod context;
pub(crate) mod tool;
