//! The cells of the transcript, one file per kind.
//!
//! - [`header`]: program and directory, at the top
//! - [`user`]: what the user said
//! - [`message`]: text of the model, also while it streams
//! - [`reasoning`]: the model's thinking, unfolded only
//! - [`explored`]: commands that only read, merged
//! - [`command`]: a command, the model's or the user's own
//! - [`output`]: output inside a cell: bounded while live, folded, in pieces
//! - [`patch`]: changes to files
//! - [`hunks`]: cutting unified diffs
//! - [`tool`]: a call without a shape of its own
//! - [`plan`]: the model's plan
//! - [`search`]: a search the service ran
//! - [`image`]: an image the model looked at
//! - [`compaction`]: where the conversation was summarised
//! - [`review`]: where a review begins, and what it came to
//! - [`notice`]: info, warning, error, grant, refusal
//! - [`block`]: labels and values
//! - [`turn_end`]: how long a turn took

pub(crate) mod block;
pub(crate) mod command;
pub(crate) mod compaction;
pub(crate) mod explored;
pub(crate) mod header;
mod hunks;
pub(crate) mod image;
pub(crate) mod message;
pub(crate) mod notice;
mod output;
pub(crate) mod patch;
pub(crate) mod plan;
pub(crate) mod reasoning;
pub(crate) mod review;
pub(crate) mod search;
pub(crate) mod tool;
pub(crate) mod turn_end;
pub(crate) mod user;
