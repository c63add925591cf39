//! The user's files as the agent finds them.
//!
//! - [`agents_md`]: instruction files from the project root down to the working directory
//! - [`changed`]: how many files are changed, for a line on the screen
//! - [`commits`]: branches and commits, by the git program
//! - [`diff`]: what changed in the repository, by the git program
//! - [`git`]: repository root, branch, commit and origin, read from files without running git
//! - [`search`]: fuzzy search over file names; [`search_walk`] lists the tree, [`search_rank`] orders the matches
//! - [`undo`]: what a turn changes, kept; [`undo_revert`] takes it back; [`undo_cut`] sees to turns that are cut off;
//!   [`undo_since`] does that with several at once; [`undo_walk`] looks at a directory, [`undo_store`] keeps contents and records, [`undo_apply`] puts them back

pub(crate) mod agents_md;
pub(crate) mod changed;
pub(crate) mod commits;
pub(crate) mod diff;
pub(crate) mod git;
pub(crate) mod search;
mod search_rank;
mod search_walk;
pub(crate) mod undo;
pub(crate) mod undo_apply;
pub(crate) mod undo_cut;
pub(crate) mod undo_revert;
pub(crate) mod undo_since;
mod undo_store;
mod undo_walk;
