//! The small process between `codex` and every command: `codex` executes itself under the name
//! `codex-supervise`, and what runs then is in here. It starts the command, kills all of its descendants when
//! the command ends or `codex` goes away, and says in one line how it ended. No async, no threads, nothing read
//! from configuration: it is started for every command and has to cost next to nothing.
//!
//! - [`job`]: what to run, how it ended, the argument list and the line on the control socket
//! - [`confinement`]: the seam for the sandbox
//! - [`run`]: the supervisor's loop: command, control socket, grace, kill
//! - [`child`]: from the supervisor to the command's first instruction
//! - [`init`]: the process between supervisor and command, process 1 where there is a pid namespace
//! - [`reap`]: kills and reaps every descendant
//! - [`server`]: forks supervisors, to save their execution
//! - [`client`]: how `codex` asks that server
//! - [`signals`]: signals as a readable descriptor
//! - [`terminal`]: hands the terminal to a foreground command and takes it back

mod child;
mod client;
mod confinement;
mod init;
mod job;
mod reap;
mod run;
mod server;
mod signals;
mod terminal;

pub(crate) use client::{SERVE, Server};
pub(crate) use confinement::{Confinement, SetupError, Unconfined};
pub(crate) use job::{ARGV0, Job, Mode, Outcome};
pub(crate) use run::{foreground, rehearse, supervised};
pub(crate) use server::serve;
