//! Wires, without knowing what they carry.
//!
//! - [`http`]: the one way to make an HTTP client: time-outs, proxy, certificates, user agent
//! - [`fetch`]: small requests with small answers
//! - [`retry`]: how long to wait before trying again
//! - [`sse`]: bytes of an event stream → frames
//! - [`loopback`]: a small HTTP server for the user's browser
//! - [`neighbours`]: who is at the other end of a connection from this machine, and which ports are served

pub(crate) mod fetch;
pub(crate) mod http;
pub(crate) mod loopback;
pub(crate) mod neighbours;
pub(crate) mod retry;
pub(crate) mod sse;
