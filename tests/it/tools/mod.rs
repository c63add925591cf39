//! The tools as a model uses them: what it sends, what it gets back, and what is left on disk.
//!
//! - [`bed`]: what the tests start from
//! - [`commands`]: commands and sessions: what is told of them, and what is left of them
//! - [`guarded`]: tools of our own process hold to what commands are held to
//! - [`others`]: plans, images, and calls that make no sense
//! - [`patches`]: patches, in every wrapping a model sends them in

mod bed;
mod commands;
mod guarded;
mod others;
mod patches;
