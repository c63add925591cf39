//! What stands in the prompt's place for a while. Each popup is state, keys and rows; what it decides comes out as a
//! [`wish::Wish`].
//!
//! - [`any`]: the open popup, whichever it is
//! - [`list`]: rows to choose from
//! - [`field`]: one line to type into
//! - [`frame`]: what all popups look like
//! - [`wish`]: what a popup wants done
//! - [`menu`]: a question with fixed answers
//! - [`approval`]: may this run, may this be written?
//! - [`answers`]: the answers there are to that
//! - [`subject`]: what that is about
//! - [`model`]: which model, and how much it reasons
//! - [`permissions`]: what may happen without asking
//! - [`facts`]: what the user would allow, in words
//! - [`confirm`]: copy, go back, which screen
//! - [`folder`]: where to go on with a thread of another folder
//! - [`prompt`]: one line to be typed
//! - [`resume`]: stored threads, a full page
//! - [`review`]: what is to be reviewed
//! - [`statusline`]: items of the status line and the title
//! - [`theme`]: the colours of code
//! - [`warnings`]: what went not quite right

pub(crate) mod answers;
pub(crate) mod any;
pub(crate) mod approval;
pub(crate) mod confirm;
pub(crate) mod facts;
pub(crate) mod field;
pub(crate) mod folder;
pub(crate) mod frame;
pub(crate) mod list;
pub(crate) mod menu;
pub(crate) mod model;
pub(crate) mod permissions;
pub(crate) mod prompt;
pub(crate) mod resume;
pub(crate) mod review;
pub(crate) mod statusline;
pub(crate) mod subject;
pub(crate) mod theme;
pub(crate) mod warnings;
pub(crate) mod wish;
