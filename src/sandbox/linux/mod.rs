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
//! - [`request`]: what its clients ask for
//! - [`upstream`]: the way out of networks that have a proxy of their own
//! - [`no_proxy`]: which hosts the proxy of a network is not for; [`socks`] the words of SOCKS
//! - [`passage`]: who may use the proxy where everybody could
//! - [`listening`]: servers of a thread without a network of its own
//! - [`record`]: what was reached on these ways
//! - [`sockets`]: sockets of a network that have a name
//! - [`stdio`]: sockets as standard input and output
//! - [`identity`]: id maps and capabilities
//! - [`landlock`]: write rights by path
//! - [`seccomp`]: what the system call filter refuses
//! - [`banned`]: the calls it knows by number
//! - [`filter`]: its program
//! - [`trace`]: follows a command and notes what it is refused
//! - [`caches`]: caches that programs cannot do without
//! - [`calls`]: the system calls that are named then
//! - [`sys`]: raw system calls

mod banned;
mod bridge;
mod broker;
mod caches;
mod calls;
mod carrier;
mod children;
mod covers;
mod filter;
mod guard;
mod identity;
mod inside;
pub(super) mod landlock;
mod listening;
mod mounts;
mod network;
mod no_proxy;
mod passage;
mod proxy;
mod record;
mod request;
mod seccomp;
mod sockets;
mod socks;
mod stdio;
mod sys;
mod trace;
mod upstream;
mod wrap;

pub(super) use inside::{Inside, Kept};
pub(super) use trace::{About, Refusal};
pub(crate) use trace::{Followed, follow};
pub(super) use wrap::Confine;
