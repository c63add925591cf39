//! Wires, without knowing what they carry.
//!
//! - [`http`]: the one way to make an HTTP client: time-outs, proxy, certificates, user agent
//! - [`retry`]: how long to wait before trying again
//! - [`sse`]: bytes of an event stream → frames

pub(crate) mod http;
pub(crate) mod retry;
pub(crate) mod sse;
