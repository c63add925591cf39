//! Integration tests: the real binary against the scripted backend on loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "clippy's leave for tests does not reach the helpers of integration tests"
)]

mod approvals;
mod auth;
mod cli;
mod compaction;
mod doctor;
mod durability;
mod exec;
mod faults;
mod limits;
mod memory;
mod patch;
mod request;
mod resume;
mod sandbox;
mod secrets;
mod stop;
mod support;
mod tidy;
mod tools;
mod tui;
mod undo;
