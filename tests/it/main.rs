//! Integration tests: the real binary against the scripted backend on loopback.

#![allow(clippy::unwrap_used, reason = "tests may fail by panicking, their helpers too")]

mod demo;
mod support;
