//! The user's files.
//!
//! - [`search`]: fuzzy search over file names; [`search_walk`] lists the tree, [`search_rank`] orders the matches

pub(crate) mod search;
mod search_rank;
mod search_walk;
