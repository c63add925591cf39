//! The sandbox against hostile and ordinary commands, live: at both levels, as root (when the tests run as root)
//! and as an ordinary user. Every attack is first shown to work without a sandbox, so a test that attacks in vain
//! for another reason fails too.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "clippy's leave for tests does not reach the helpers of integration tests"
)]

mod attacks;
mod attempts;
mod bed;
mod escapes;
mod explained;
mod git;
mod lifetime;
mod network;
mod odd_places;
mod ordinary;
mod profiles;
mod secrets;
mod switched_off;
mod threads;
mod turns;
mod work;
