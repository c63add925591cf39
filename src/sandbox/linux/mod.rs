//! How Linux enforces a policy.
//!
//! - [`wrap`]: the confinement of one command as text, from `codex` to its supervisor
//! - [`inside`]: the confinement put in place by the supervisor
//! - [`children`]: the protected children of the writable roots, as they are on disk
//! - [`guard`]: stand-ins for protected names that do not exist yet
//! - [`mounts`]: the command's own view of the file system
//! - [`broker`]: without namespaces: changes of files made in the command's place
//! - [`bridge`]: chosen ways out of a network namespace
//! - [`proxy`]: hosts by name, on that way
//! - [`record`]: what was reached on that way
//! - [`sockets`]: the host's sockets, to be hidden
//! - [`identity`]: id maps and capabilities
//! - [`landlock`]: write rights by path
//! - [`seccomp`]: the system call filter
//! - [`trace`]: follows a command and notes what it is refused
//! - [`calls`]: the system calls that are named then
//! - [`sys`]: raw system calls

mod bridge;
mod broker;
mod calls;
mod children;
mod guard;
mod identity;
mod inside;
pub(super) mod landlock;
mod mounts;
mod proxy;
mod record;
mod seccomp;
mod sockets;
mod sys;
mod trace;
mod wrap;

pub(super) use inside::Inside;
pub(crate) use trace::follow;
pub(super) use trace::{About, Refusal};
pub(super) use wrap::Confine;
