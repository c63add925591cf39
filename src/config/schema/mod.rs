//! The shape of the file, one file per table. Each has the typed table and the function that reads it; what such
//! a function asks its reader for is the schema.
//!
//! - [`root`]: the whole file: all tables below, in one struct
//! - [`model`]: model, reasoning, limits, instructions
//! - [`providers`]: the table `[model_providers.<id>]`
//! - [`permissions`]: approvals and the sandbox, as written
//! - [`profiles`]: the tables `[permissions.<name>]`
//! - [`shell_env`]: the table `[shell_environment_policy]`
//! - [`project`]: project root, trust, project documents
//! - [`interface`]: what is shown, kept and notified
//! - [`tui`]: the table `[tui]`
//! - [`login`]: where credentials are kept and which are accepted
//! - [`budget`]: the table `[budget]`
//! - [`features`]: the table `[features]` and the list of their names
//! - [`later`]: keys that are known but do nothing yet
//! - [`choice`]: values that are one of a few words
//! - [`hosts`]: entries of the allow-list of the network, as they may be written
//! - [`reader`]: reads one table by key and type, and knows the place of each fault

pub(crate) mod budget;
pub(crate) mod choice;
pub(crate) mod features;
mod hosts;
pub(crate) mod interface;
pub(crate) mod later;
pub(crate) mod login;
pub(crate) mod model;
pub(crate) mod permissions;
pub(crate) mod profiles;
pub(crate) mod project;
pub(crate) mod providers;
pub(crate) mod reader;
pub(crate) mod root;
pub(crate) mod shell_env;
pub(crate) mod tui;

#[cfg(test)]
mod example_tests;
