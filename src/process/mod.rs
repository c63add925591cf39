//! Running programs: every command is a child of a small supervisor, which is this binary started again.
//!
//! - [`spec`]: what to run
//! - [`spawn`]: start it, wait for it, end it
//! - [`supervisors`]: where supervisors come from: executed, or forked by a server
//! - [`posix`]: the one call that creates the process, and the wait for its end
//! - [`polled`]: a file descriptor that the runtime waits for
//! - [`pty`]: a pseudo terminal
//! - [`output`]: what a command printed, bounded, with exact counts
//! - [`ring`]: first and last bytes of a stream
//! - [`spill`]: the complete output in a file, bounded
//! - [`kept`]: how long such files are kept
//! - [`env`]: which variables a command gets
//! - [`shell`]: which shell runs a command line
//! - [`profile`]: the login profile, run once instead of before every command
//! - [`replay`]: what a login profile leaves behind, as a difference
//! - [`supervise`]: the small process between us and every command
//! - [`parse`]: shell command line → argument vectors, or "cannot be read"
//! - [`actions`]: what a command does, for display
//! - [`mortal`]: helper programs that end with us
//! - [`harden`]: no core dumps, no debuggers and no keys in sight for ourselves
//! - [`memory`]: memory that goes back to the system

pub(crate) mod actions;
pub(crate) mod env;
pub(crate) mod harden;
pub(crate) mod kept;
pub(crate) mod memory;
pub(crate) mod mortal;
pub(crate) mod output;
pub(crate) mod parse;
pub(crate) mod polled;
mod posix;
pub(crate) mod profile;
mod pty;
mod replay;
pub(crate) mod ring;
pub(crate) mod shell;
pub(crate) mod spawn;
pub(crate) mod spec;
pub(crate) mod spill;
pub(crate) mod supervise;
mod supervisors;
#[cfg(test)]
pub(crate) mod testing;
