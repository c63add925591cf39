//! Whose name requests go out under. Credentials are read here and nowhere else.
//!
//! - [`source`]: the seam: whoever sends requests asks it for the bearer
//! - [`manager`]: owner of the current credentials: which of them counts, and reading them again after a 401
//! - [`store`]: `auth.json`: read in every shape, written whole
//! - [`api_key`]: login with a key, and the status line
//! - [`claims`]: what a token says about account, plan and expiry
//! - [`error`]: what can be wrong, each with the command that helps

pub(crate) mod api_key;
pub(crate) mod claims;
pub(crate) mod error;
pub(crate) mod manager;
pub(crate) mod source;
pub(crate) mod store;
