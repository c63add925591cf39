//! Undo of whole turns: what commands, scripts and patches change in the writable folders, with git or without.
//!
//! - [`apply`]: puts earlier states in place
//! - [`begin`]: a folder before a turn: looked at, and what is not yet kept is copied
//! - [`bytes`]: how the index and the records are written
//! - [`cut`]: marks turns under way, and makes records of those that were cut off
//! - [`end`]: a folder after a turn: the difference is the record
//! - [`keeper`]: before and after each turn of a thread
//! - [`list`]: the turns of a folder
//! - [`missed`]: turns of which nothing could be kept
//! - [`news`]: tells the model what was taken back
//! - [`place`]: one path, reached without following links
//! - [`records`]: what each turn changed
//! - [`revert`]: takes a turn back, also after a crash
//! - [`since`]: takes several turns back at once, and brings them again together
//! - [`stamp`]: the marks by which a change shows
//! - [`state`]: a folder before a turn, as it is held and compared
//! - [`step`]: what became of one path
//! - [`store`]: keeps contents and the index
//! - [`survey`]: keeps what is there before anything is taken back
//! - [`walk`]: looks at a folder

mod apply;
mod begin;
mod bytes;
mod cut;
mod end;
mod keeper;
mod list;
mod missed;
mod news;
mod place;
mod records;
mod revert;
mod since;
mod stamp;
mod state;
mod step;
mod store;
mod survey;
mod walk;

pub(crate) use cut::recover_all as recover_turns;
pub(crate) use keeper::Keeper;
pub(crate) use list::{Last, Listed, last, list};
#[cfg(test)]
pub(crate) use missed::{Missed, Why};
pub(crate) use revert::{Report, Which, recover_all as recover_reverts, revert};
pub(crate) use since::{Wanted, since};
pub(crate) use step::{PARTLY, Step};

#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod odd_tests;
#[cfg(test)]
mod since_tests;
#[cfg(test)]
mod turn_tests;
