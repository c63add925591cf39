//! `codex exec`, run as a user or a script runs it.
//!
//! - [`bed`]: what the tests share
//! - [`flags`]: what the flags of `codex exec` do
//! - [`printed`]: what `codex exec` prints, and where
//! - [`prompt`]: where the prompt of `codex exec` comes from
//! - [`review`]: what a reviewer may do, and what is printed of it
//! - [`service`]: how `codex exec` fails: no account, no service, errors of the service

mod bed;
mod flags;
mod printed;
mod prompt;
mod review;
mod service;
