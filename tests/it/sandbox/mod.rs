//! The sandbox against hostile and ordinary commands, live: at both levels, as root (when the tests run as root)
//! and as an ordinary user. Every attack is first shown to work without a sandbox, so a test that attacks in vain
//! for another reason fails too.
//!
//! Every test goes through the four ways of [`bed::ways`] (namespaces or Landlock alone, root or nobody), but where a
//! level has nothing of the kind. What a command must not do, and where that is tried:
//!
//! - change anything outside, by any path or call: [`attacks`]; attributes, modes and times by descriptor: [`escapes`]
//! - touch protected children, also moved, replaced, nested or named by git: [`attacks`], [`git`]
//! - mounts, namespaces, devices, kernel settings: [`attacks`]; kernel calls of every entry: [`attempts`]
//! - reach IP, abstract and named sockets, vsock, packets: [`attempts`]; raw sockets, netlink, early data, source
//!   routes, descriptors from outside: [`escapes`]; sockets that come later: [`switched_off`]
//! - read, trace, signal, limit or slow down others, take their memory or terminals: [`attempts`], [`escapes`]
//! - outlive the command: [`lifetime`]; keep descriptors: [`attacks`], [`work`]
//! - read secrets: [`secrets`], [`switched_off`]
//! - any of it where one protection is left out is seen: [`switched_off`], [`missed`], [`switches`]
//! - reach out through what is given as stdio, or to sockets that came from elsewhere: [`given`]
//! - odd folders, file systems, nesting: [`odd_places`], [`served`]; what must work all the same: [`ordinary`], [`work`]
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
mod given;
mod lifetime;
mod missed;
mod network;
mod odd_places;
mod ordinary;
mod profiles;
mod secrets;
mod served;
mod switched_off;
mod switches;
mod threads;
mod turns;
mod work;
