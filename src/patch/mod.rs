//! The `apply_patch` format: read it, find its places, plan every write, then write all or nothing.
//!
//! - [`error`]: what can go wrong, told apart by what to do about it
//! - [`hunk`]: what a patch says: hunks, chunks and lines
//! - [`parse`]: text → hunks, with positions for errors
//! - [`heredoc`]: a shell call that is nothing but a patch
//! - [`text`]: a file as lines with their own endings
//! - [`index`]: where each line of a file occurs
//! - [`locate`]: where each chunk belongs: exact first, then tolerant
//! - [`nearest`]: what a model is told when a chunk belongs nowhere
//! - [`splice`]: file + edits → new file
//! - [`place`]: what stands at a path, links followed
//! - [`plan`]: hunks + files → the full set of writes
//! - [`board`]: the files of one patch while its hunks are played
//! - [`commit`]: carry out a plan all or nothing
//! - [`stage`]: what will come, beside its target
//! - [`folder`]: folders as open descriptors that no link can swap
//! - [`journal`]: what a patch is about to do, on disk before it is done
//! - [`undo`]: take a patch back, also after a crash
//! - [`words`]: why a patch was not applied, for people
//! - [`diff`]: unified diff of before and after
//! - [`turn_diff`]: what the patches of one turn changed together
//! - [`standalone`]: the program under the name `apply_patch`
//! - [`sample`]: a long file and a patch with many places, for the benchmark
//! - `testing`: a temporary tree to patch, for the tests of this folder

mod board;
mod commit;
mod diff;
mod error;
mod folder;
mod heredoc;
mod hunk;
mod index;
mod journal;
mod locate;
mod nearest;
mod parse;
mod place;
mod plan;
mod sample;
mod splice;
mod stage;
mod standalone;
#[cfg(test)]
mod testing;
mod text;
mod turn_diff;
mod undo;
pub(crate) mod words;

pub(crate) use commit::commit;
pub(crate) use error::Error;
pub(crate) use heredoc::{as_command, is_name};
pub(crate) use parse::parse;
pub(crate) use place::{Disk, Guarded};
pub(crate) use plan::{Plan, plan};
pub(crate) use sample::long as sample;
pub(crate) use standalone::{report, run_standalone};
pub(crate) use turn_diff::{TurnDiff, size};
pub(crate) use undo::recover;
