//! May this run? Policy, rules and what the user allowed before, turned into: run, ask, or refuse.
//!
//! - [`decide`]: the decision, a pure function
//! - [`lists`]: what is known of programs, as data
//! - [`safe`]: commands known to be harmless, and known to be dangerous
//! - [`deletes`]: whether forced deletions stay inside the workspace
//! - [`effects`]: what a command would do, for the question about it
//! - [`rules`]: rules about commands, and matching them
//! - [`rule_text`]: the text of a rules file → rules
//! - [`rule_call`]: one call of that text
//! - [`rule_files`]: rules files on disk, and adding a rule
//! - [`rulebook`]: all rules in force, and what they say about a call
//! - [`vouch`]: whether a command is what its words say
//! - [`repositories`]: whether a repository is of a command's making
//! - [`network`]: hosts that rules open and close
//! - [`standing`]: the rules of a thread, and how answers become rules
//! - [`proposal`]: which rule to offer with a question
//! - [`grants`]: what the user allowed for the rest of a thread

pub(crate) mod decide;
pub(crate) mod deletes;
pub(crate) mod effects;
pub(crate) mod grants;
pub(crate) mod lists;
pub(crate) mod network;
pub(crate) mod proposal;
mod repositories;
mod rule_call;
pub(crate) mod rule_files;
mod rule_text;
pub(crate) mod rulebook;
pub(crate) mod rules;
pub(crate) mod safe;
pub(crate) mod standing;
pub(crate) mod vouch;
