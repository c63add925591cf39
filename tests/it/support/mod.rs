//! What the integration tests share.
//!
//! - [`backend`]: the scripted backend as a process, and a client for its control routes

pub(crate) mod backend;
