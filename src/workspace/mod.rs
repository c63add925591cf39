//! The user's files as the agent finds them.
//!
//! - [`agents_md`]: instruction files from the project root down to the working directory
//! - [`changed`]: how many files are changed, for a line on the screen
//! - [`commits`]: branches and commits, by the git program
//! - [`diff`]: what changed in the repository, by the git program
//! - [`git`]: repository root, branch, commit and origin, read from files without running git
//! - [`search`]: fuzzy search over file names; [`search_walk`] lists the tree, [`search_rank`] orders the matches
//! - [`undo`]: what turns change, kept and taken back

pub(crate) mod agents_md;
pub(crate) mod changed;
pub(crate) mod commits;
pub(crate) mod diff;
pub(crate) mod git;
pub(crate) mod search;
mod search_rank;
mod search_walk;
pub(crate) mod undo;
