//! What commands may touch, enforced by the kernel.
//!
//! - [`policy`]: a policy resolved on this disk: writable roots, protected children, network
//! - [`leads`]: where a name leads on this disk
//! - [`names`]: names as any file system may take them
//! - [`nested`]: repositories and secrets below the roots
//! - [`secrets`]: what commands cannot read
//! - [`git`]: which calls may write the repository
//! - [`git_config`]: what a repository's settings make git run or read
//! - [`detect`]: what this machine can enforce
//! - [`confine`]: the confinement of a command, as its supervisor takes it
//! - [`entry`]: where a supervisor process starts
//! - [`foreground`]: one confined command in the user's terminal
//! - [`proxies`]: variables that name proxies, on their way to supervisors and commands
//! - [`open`]: which folder could be opened for one path
//! - [`denial`]: recognises that the sandbox stopped a command
//! - [`explain`]: what was refused, and what would allow it
//! - [`listing`]: a policy in sentences
//! - [`linux`]: the mechanisms

mod confine;
mod denial;
mod detect;
mod entry;
mod explain;
mod foreground;
mod git;
mod git_config;
mod leads;
mod linux;
mod listing;
mod names;
mod nested;
mod open;
mod policy;
mod proxies;
mod secrets;

pub(crate) use self::{
    confine::{Error, confine},
    denial::{Denial, Ended, denial},
    detect::{Level, gaps, landlock_version, level, remember_in, signals_stay_inside},
    entry::entry,
    explain::{matters, sentences, spoilt},
    foreground::foreground,
    linux::{Followed, follow},
    listing::{WITHOUT_NAMESPACES, limits, listing},
    policy::{Roots, resolve},
    proxies::hand_over,
};
