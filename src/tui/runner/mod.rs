//! Carries out effects: everything the app does outside itself. Results come back as messages.
//!
//! - [`run`]: effect → task
//! - [`disk`]: prompt history and drafts, one after the other
//! - [`limits`]: questions about the limits of the account
//! - [`programs`]: programs of this machine: editor, clipboard, notify

mod disk;
mod limits;
mod programs;
mod run;

pub(crate) use run::{Done, Runner};
