//! Without namespaces: changes of files that Landlock cannot tell apart from forbidden ones are asked of the
//! supervisor, which makes those itself that are allowed.
//!
//! - [`asked`]: what is asked about, as a filter
//! - [`listen`]: the loop that answers
//! - [`caller`]: what the asking process means: its words, folders and descriptors
//! - [`files`]: names that come, go and are opened
//! - [`devices`]: terminals and shared memory of the command's own
//! - [`metadata`]: modes, owners and times
//! - [`attributes`]: extended attributes of the user's
//! - [`ledger`]: what of it would stay
//! - [`objects`]: shared memory, semaphores and queues of System V
//! - [`sockets`]: servers of the command's own, and its chosen ways out
//! - [`address`]: their addresses, and what the kernel's tables say is there
//! - [`approach`]: connecting without keeping others waiting
//! - [`inhabitants`]: sockets of the same network
//! - [`wire`]: answers and one descriptor on their way
//! - [`places`]: where the command may change something

mod address;
mod approach;
mod asked;
mod attributes;
mod caller;
mod devices;
mod files;
mod inhabitants;
mod ledger;
mod listen;
mod metadata;
mod objects;
mod places;
mod sockets;
mod wire;

pub(super) use asked::{Asks, METADATA, SOCKETS};
pub(super) use ledger::Ledger;
pub(super) use listen::Broker;
pub(super) use objects::OBJECTS;
pub(super) use places::Places;
pub(super) use sockets::{Reach, Ways};
