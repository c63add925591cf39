//! What commands may touch, enforced by the kernel.
//!
//! - [`policy`]: a policy resolved on this disk: writable roots, protected children, network
//! - [`detect`]: what this machine can enforce
//! - [`confine`]: the confinement of a command, as its supervisor takes it
//! - [`entry`]: where a supervisor process starts
//! - [`foreground`]: one confined command in the user's terminal
//! - [`denial`]: recognises that the sandbox stopped a command
//! - [`linux`]: the mechanisms

mod confine;
mod denial;
mod detect;
mod entry;
mod foreground;
mod linux;
mod policy;

pub(crate) use self::{
    confine::{Error, confine},
    denial::{Ended, denial},
    detect::{Level, gaps},
    entry::entry,
    foreground::foreground,
    policy::{Roots, resolve},
};
