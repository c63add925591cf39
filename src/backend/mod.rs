//! The account API: where the account stands, its reset credits, its token activity.
//!
//! - [`client`]: base address, headers, time limit, repeats after a 401
//! - [`error`]: why there is no answer, told apart by what the caller can do
//! - [`json`]: foreign JSON, read field by field: a bad field costs that field only
//! - [`usage`]: windows, credits and spend control
//! - [`reset_credits`]: the list of reset credits
//! - [`consume`]: using a reset credit
//! - [`nudge`]: asking the owner of a workspace for more
//! - [`activity`]: tokens per day

pub(crate) mod activity;
pub(crate) mod client;
pub(crate) mod consume;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod nudge;
pub(crate) mod reset_credits;
pub(crate) mod usage;

pub(crate) use client::Backend;
pub(crate) use error::Error;
