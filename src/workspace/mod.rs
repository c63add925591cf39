//! The user's files as the agent finds them.
//!
//! - [`agents_md`]: instruction files from the project root down to the working directory
//! - [`git`]: repository root, branch, commit and origin, read from files without running git

pub(crate) mod agents_md;
pub(crate) mod git;
