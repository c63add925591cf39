//! How Linux enforces a policy.
//!
//! - [`wrap`]: the confinement of one command as text, from `codex` to its supervisor
//! - [`inside`]: the confinement put in place by the supervisor
//! - [`children`]: the protected children of the writable roots, as they are on disk
//! - [`guard`]: stand-ins for protected names that do not exist yet
//! - [`mounts`]: the command's own view of the file system
//! - [`covers`]: what the command cannot read in it
//! - [`broker`]: without namespaces: changes of files made in the command's place
//! - [`network`]: the network of a thread, and the ports it shares with the machine
//! - [`bridge`]: the proxy of the allow-list, around one command
//! - [`carrier`]: processes that take connections on such ways
//! - [`proxy`]: hosts by name, in that proxy
//! - [`record`]: what was reached on these ways
//! - [`sockets`]: sockets of a network that have a name
//! - [`stdio`]: sockets as standard input and output
//! - [`identity`]: id maps and capabilities
//! - [`landlock`]: write rights by path
//! - [`seccomp`]: what the system call filter refuses
//! - [`filter`]: its program
//! - [`trace`]: follows a command and notes what it is refused
//! - [`calls`]: the system calls that are named then
//! - [`sys`]: raw system calls

mod bridge;
mod broker;
mod calls;
mod carrier;
mod children;
mod covers;
mod filter;
mod guard;
mod identity;
mod inside;
pub(super) mod landlock;
mod mounts;
mod network;
mod proxy;
mod record;
mod seccomp;
mod sockets;
mod stdio;
mod sys;
mod trace;
mod wrap;

pub(super) use inside::Inside;
pub(super) use network::Network;
pub(crate) use trace::follow;
pub(super) use trace::{About, Refusal};
pub(super) use wrap::Confine;
