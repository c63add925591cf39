//! Running programs.
//!
//! - [`supervise`]: the small process between `codex` and every command

pub(crate) mod supervise;
