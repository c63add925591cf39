//! May this run? Policy, rules and what the user allowed before, turned into: run, ask, or refuse.
//!
//! - [`decide`]: the decision, a pure function
//! - [`safe`]: commands known to be harmless, and known to be dangerous
//! - [`deletes`]: whether forced deletions stay inside the workspace
//! - [`rules`]: what a rule file says about a command
//! - [`grants`]: what the user allowed for the rest of a thread

pub(crate) mod decide;
pub(crate) mod deletes;
pub(crate) mod grants;
pub(crate) mod rules;
pub(crate) mod safe;
