//! What stands in the prompt's place for a while. Each popup is state, keys and rows; what it decides comes out as a
//! value of its own type.
//!
//! - [`list`]: rows to choose from
//! - [`field`]: one line to type into
//! - [`frame`]: what all popups look like

pub(crate) mod field;
pub(crate) mod frame;
pub(crate) mod list;
