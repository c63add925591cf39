//! What the model is told besides the conversation: fragments, each sent once and again only when it changed.
//!
//! - [`instructions`]: base instructions and the permissions text
//! - [`environment`]: working directory, shell, date, roots
//! - [`told`]: what the model already knows, so that nothing is repeated

pub(crate) mod environment;
pub(crate) mod instructions;
pub(crate) mod told;
