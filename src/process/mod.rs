//! Running programs.
//!
//! - [`parse`]: shell command line → argument vectors, or "cannot be read"
//! - [`actions`]: what a command does, for display

pub(crate) mod actions;
pub(crate) mod parse;
