//! What the model can call: one file = one tool.
//!
//! - [`tool`]: the seam: a call comes in, items are told, an output goes back
//! - [`context`]: what a tool may use while it runs

pub(crate) mod context;
pub(crate) mod tool;
