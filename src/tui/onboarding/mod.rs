//! Full pages before the first prompt. Each only where its condition holds.
//!
//! - [`sign_in`]: how to pay for answers
//! - [`trust`]: may codex work in this folder

pub(crate) mod sign_in;
pub(crate) mod trust;
