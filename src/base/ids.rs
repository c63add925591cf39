//! Identities. Threads and turns are UUIDv7 so that their order is their age; items keep whatever text the
//! server gave them, or get a prefixed UUIDv7 of ours.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub(crate) struct $name(Uuid);

        impl $name {
            /// A new identity, younger than every earlier one of this process.
            pub(crate) fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// A thread: one conversation, one rollout file.
    ThreadId
}
uuid_id! {
    /// A turn: from one user input to the answer that ends it.
    TurnId
}

/// An item of a thread: the server's own id, or `<prefix>_<uuid>`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct ItemId(String);

impl ItemId {
    /// An id of our own, for example `msg_01a1…` for the prefix `msg`.
    pub(crate) fn with_prefix(prefix: &str) -> Self {
        Self(format!("{prefix}_{}", Uuid::now_v7()))
    }

    /// The text as it travels.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for ItemId {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&str> for ItemId {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for ItemId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An open question, unique within its thread.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct AskId(pub(crate) u64);
