//! How Linux enforces a policy.
//!
//! - [`wrap`]: the confinement of one command as text, from `codex` to its supervisor
//! - [`inside`]: the confinement put in place by the supervisor
//! - [`children`]: the protected children of the writable roots, as they are on disk
//! - [`guard`]: stand-ins for protected names that do not exist yet
//! - [`mounts`]: the command's own view of the file system
//! - [`sockets`]: the host's sockets, to be hidden
//! - [`identity`]: id maps and capabilities
//! - [`landlock`]: write rights by path
//! - [`seccomp`]: the system call filter
//! - [`sys`]: raw system calls

mod children;
mod guard;
mod identity;
mod inside;
pub(super) mod landlock;
mod mounts;
mod seccomp;
mod sockets;
mod sys;
mod wrap;

pub(super) use inside::Inside;
pub(super) use wrap::Confine;
