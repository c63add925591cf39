//! What was written → what it means. Files, arguments and variables become one [`Config`]; nothing here talks to
//! the network or writes a file.
//!
//! - [`env`]: the environment, captured once
//! - [`home`]: the folder of the user's files and the paths below it
//! - [`flags`]: what the command line says, as a layer
//! - [`overrides`]: `-c key=value`
//! - [`layers`]: finds, reads and orders the files
//! - [`tree`]: values as written, each with its place
//! - [`merge`]: layers to one table, with an origin per key
//! - [`trust`]: which folder is the project, and is it trusted
//! - [`schema`]: the shape of the file, one file per table
//! - [`load`]: all of the above, in order
//! - [`resolve`]: what depends on more than one key
//! - [`profiles`]: a permission profile of the user's own, for one folder
//! - [`requirements`]: what the administrator allows, applied last
//! - [`rules`]: where the rules about commands are
//! - [`places`]: what the user opened for good
//! - [`edit`]: the single writer of `config.toml`
//! - [`settings`]: the result
//! - [`provider`]: the model provider that answers
//! - [`error`]: what can be wrong
//! - [`diagnose`]: line and column, excerpts, "did you mean"

pub(crate) mod diagnose;
pub(crate) mod edit;
pub(crate) mod env;
mod error;
mod flags;
pub(crate) mod home;
mod layers;
mod load;
mod merge;
mod overrides;
pub(crate) mod places;
mod profiles;
mod provider;
mod requirements;
mod resolve;
mod rules;
pub(crate) mod schema;
mod settings;
mod tree;
mod trust;

pub(crate) use env::Env;
pub(crate) use flags::Flags;
pub(crate) use load::load;
pub(crate) use provider::Provider;
#[cfg(test)]
pub(crate) use rules::RequiredRule;
pub(crate) use rules::RuleSources;
pub(crate) use settings::Config;
pub(crate) use tree::Layer;
pub(crate) use trust::{Trust, git_dir};
