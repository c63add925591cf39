//! Integration tests: the real binary against the scripted backend on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "clippy's leave for tests does not reach the helpers of integration tests"
)]

mod memory;
mod sandbox;
mod tidy;
