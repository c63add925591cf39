//! The transcript: what happened in the thread, as cells. Fed by events, drawn where one looks.
//!
//! - [`cell`]: what every cell can do
//! - [`cells`]: one file per kind of cell
//! - [`rows`]: the shapes rows come in
//! - [`list`]: the cells in their order
//! - [`model`]: events → cells
//! - [`bodies`]: items → the cells of their kind
//! - [`notes`]: what the program itself says, and what of it is kept
//! - [`replay`]: stored turns → the same cells
//! - [`layout`]: laid-out lines, forgotten when out of sight
//! - [`viewport`]: which rows are on the screen
//! - [`search`]: find in texts and rows
//! - [`finder`]: the line in which one types what to find
//! - [`pane`]: all of it as one component
//! - [`copy`]: what to copy, and the export
//! - `gallery`, `samples`, `cost`: pictures of all cells, events to make them from, figures (tests only)

mod bodies;
pub(crate) mod cell;
pub(crate) mod cells;
mod copy;
mod finder;
mod layout;
mod list;
mod model;
mod notes;
mod pane;
mod replay;
mod rows;
mod search;
mod viewport;

pub(crate) use crate::protocol::note::Level;

pub(crate) use self::{
    cell::Look,
    cells::{block::Block, notice::Notice},
    copy::Source,
    list::Key,
    model::{Now, Setup},
    pane::{Outcome, Transcript},
    viewport::Scroll,
};

#[cfg(test)]
mod cost;
#[cfg(test)]
mod gallery;
#[cfg(test)]
mod samples;
