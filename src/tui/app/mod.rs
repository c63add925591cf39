//! The loop: what comes in from terminal, thread and time, and what is done about it.
//!
//! - [`run`]: the loop itself
//! - [`woken`]: what it woke up for → messages
//! - [`effects`]: what the update asks of the loop, and the end of the app
//! - [`channels`]: the channels of a thread

mod channels;
mod effects;
mod run;
mod woken;

pub(crate) use run::{Outcome, run};
