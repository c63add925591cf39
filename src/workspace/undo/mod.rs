//! Undo of whole turns: what commands, scripts and patches change in the writable folders, with git or without.
//!
//! - [`keeper`]: before and after each turn of a thread
//! - [`begin`]: a folder before a turn: looked at, and what is not yet kept is copied
//! - [`end`]: a folder after a turn: the difference is the record
//! - [`list`]: the turns of a folder
//! - [`walk`]: looks at a folder; [`stamp`] is what it looks for
//! - [`store`]: keeps contents and the index; [`records`] keeps what the turns changed; [`bytes`] is how both are written
//! - [`cut`]: marks turns under way, and makes records of those that were cut off
//! - [`revert`]: takes a turn back, also after a crash; [`since`] several at once; [`news`] tells the model
//! - [`apply`]: puts earlier states in place; [`place`] is one path of it, reached without following links

mod apply;
mod begin;
mod bytes;
mod cut;
mod end;
mod keeper;
mod list;
mod news;
mod place;
mod records;
mod revert;
mod since;
mod stamp;
mod store;
mod walk;

pub(crate) use apply::{PARTLY, Step};
pub(crate) use cut::recover_all as recover_turns;
pub(crate) use keeper::Keeper;
pub(crate) use list::{Listed, list};
pub(crate) use revert::{Report, Which, recover_all as recover_reverts, revert};
pub(crate) use since::{Wanted, since};

#[cfg(test)]
mod odd_tests;
#[cfg(test)]
mod since_tests;
#[cfg(test)]
mod tests;
